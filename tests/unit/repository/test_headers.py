# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every source file says whose it is and under which licence."""

from __future__ import annotations

import pathlib

import pytest

WITH_HEADER = (".cfg", ".css", ".ini", ".j2", ".py", ".sh", ".toml", ".yaml", ".yml")

#: Written by tools.
GENERATED = {"changelogs/changelog.yaml"}

#: In two parts, or reuse takes them for statements about this file.
LICENSED = "SPDX-License-" + "Identifier: GPL-3.0-or-later"
OWNED = ("Copyright (c) ", "SPDX-" + "FileCopyrightText: ")


def is_source(path: pathlib.Path) -> bool:
    if path.suffix in WITH_HEADER:
        return True
    with path.open("rb") as handle:
        return handle.read(2) == b"#!"


def test_sources_have_a_header(root: pathlib.Path, tracked: list[str]) -> None:
    lacking = []
    for name in tracked:
        path = root / name
        # An empty file holds nothing to license (and ansible-test wants some __init__.py files empty).
        if name in GENERATED or not path.stat().st_size or not is_source(path):
            continue
        head = path.read_text(encoding="utf-8").splitlines()[:10]
        # reuse takes the rest of the line for the licence
        licensed = any(line.removesuffix(" */").endswith(LICENSED) for line in head)
        owned = any(words in line for line in head for words in OWNED)
        if not (licensed and owned):
            lacking.append(name)

    assert lacking == []


def test_plugins_name_the_licence_in_words(root: pathlib.Path) -> None:
    """ansible-test wants the words in modules; the other plugins follow suit."""
    lacking = [
        str(path.relative_to(root))
        for path in sorted((root / "plugins").rglob("*.py"))
        if path.stat().st_size and "GNU General Public License v3.0+" not in path.read_text(encoding="utf-8")[:1000]
    ]

    assert lacking == []


@pytest.mark.parametrize("name", ["COPYING", "LICENSES/GPL-3.0-or-later.txt"])
def test_licence_text_is_there(name: str, root: pathlib.Path) -> None:
    assert "GNU GENERAL PUBLIC LICENSE" in (root / name).read_text(encoding="utf-8")[:200]
