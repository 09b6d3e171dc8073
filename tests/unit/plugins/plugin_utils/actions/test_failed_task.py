# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a task failed, in the words of the report: tasks of a loop, of other collections, and commands."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._actions.role_variables import failed_task_text


def text_of(result: t.Mapping[str, object]) -> str:
    return failed_task_text({"ansible_failed_task": {"name": "Hook"}, "ansible_failed_result": result})


@pytest.mark.parametrize("results", [["No package nginx available."], [["a"]], [None], [], [{"failed": False}]], ids=str)
def test_results_that_are_not_those_of_a_loop_do_not_hide_the_reason(results: object) -> None:
    """Modules for packages return a list of texts."""
    assert text_of({"failed": True, "msg": "Failed to install some packages", "results": results}) == (
        "Hook: Failed to install some packages"
    )


def test_the_first_item_that_failed_counts_also_behind_others() -> None:
    items = [{"msg": "fine"}, {"skipped": True}, {"failed": True, "msg": "b is broken"}, {"failed": True, "msg": "c is broken"}]
    assert text_of({"msg": "One or more items failed", "results": items}) == "Hook: b is broken"


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"msg": "non-zero return code", "rc": 2, "stderr": "Usage: purge\nno such site: shop\n"}, "no such site: shop"),
        ({"rc": 0, "stderr": "a warning", "failed_when_result": True}, "failed_when is true"),
        ({"rc": 1, "stderr": "no space left"}, "no space left"),
        ({"msg": ""}, "it failed"),
    ],
    ids=str,
)
@pytest.mark.parametrize("looped", [False, True])
def test_what_a_command_wrote_is_a_part_of_the_reason(result: dict[str, object], reason: str, looped: bool) -> None:
    failed: dict[str, object] = {"failed": True, **result}
    text = text_of({"msg": "One or more items failed", "results": [{"rc": 0}, failed]} if looped else failed)
    assert text.startswith("Hook: ") and text.endswith(f": {reason}")
    assert "One or more items" not in text
