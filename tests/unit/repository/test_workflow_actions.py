# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What workflows run of other projects is named by its commit: a tag or a branch can be moved to other code."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml

#: an action by its commit, with the release of it as a comment, as Dependabot keeps both
PINNED = re.compile(r"uses: ([\w.-]+/[\w./-]+)@([0-9a-f]{40}) # (v?\d+\.\d+\.\d+)\n")
USES = re.compile(r"^ *(?:- )?(uses: .*\n)", re.MULTILINE)


def unpinned(text: str) -> list[str]:
    """The actions of a workflow that are neither a file of this repository nor named by their commit."""
    return [line for line in USES.findall(text) if not line.startswith("uses: ./") and not PINNED.fullmatch(line)]


@pytest.fixture(scope="module")
def texts(root: pathlib.Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in (root / ".github" / "workflows").glob("*.yml")}


def test_every_action_is_named_by_its_commit(texts: dict[str, str]) -> None:
    assert {name: unpinned(text) for name, text in texts.items() if unpinned(text)} == {}
    assert sum(len(PINNED.findall(text)) for text in texts.values()) >= 4


def test_each_action_has_one_commit_and_each_commit_one_release(texts: dict[str, str]) -> None:
    found = {pinned for text in texts.values() for pinned in PINNED.findall(text)}
    assert len({action for action, _commit, _release in found}) == len(found)


def test_the_commits_are_kept_up_to_date(root: pathlib.Path) -> None:
    content = yaml.safe_load((root / ".github" / "dependabot.yml").read_text(encoding="utf-8"))
    assert [update["package-ecosystem"] for update in content["updates"]] == ["github-actions"]


@pytest.mark.parametrize("action", ["actions/checkout@v4", "a/b@main", f"a/b@{'0' * 39} # v1.0.0", f"a/b@{'0' * 40}"])
def test_what_can_be_moved_is_found(action: str) -> None:
    assert unpinned(f"steps:\n  - name: x\n    uses: {action}\n") == [f"uses: {action}\n"]


def test_files_of_this_repository_need_no_commit() -> None:
    assert unpinned("jobs:\n  ci:\n    uses: ./.github/workflows/ci.yml\n") == []
