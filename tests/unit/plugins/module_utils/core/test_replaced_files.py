# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several files that are written one after the other, each of them whole or not at all."""

from __future__ import annotations

import errno
import os
import pathlib
import stat

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.files import replace_files

NAMES = ("report.json", "report.md", "report.html")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked of the operating system, in order."""
    made: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noting_fsync(descriptor: int) -> None:
        made.append("directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "content")
        fsync(descriptor)

    def noting_replace(source: str, target: str) -> None:
        made.append(os.path.basename(target))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    monkeypatch.setattr(os, "replace", noting_replace)
    return made


def test_each_is_on_the_disk_before_it_has_its_name(tmp_path: pathlib.Path, calls: list[str]) -> None:
    replace_files((str(tmp_path / name), f"text of {name}") for name in NAMES)
    assert calls == ["content", "report.json", "content", "report.md", "content", "report.html", "directory"]
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {name: f"text of {name}" for name in NAMES}
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_each_directory_is_written(tmp_path: pathlib.Path, calls: list[str]) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    replace_files((str(tmp_path / name), "text") for name in ("a/one", "b/two", "a/three"))
    assert (calls.count("content"), calls.count("directory")) == (3, 2)


def test_a_full_disk_leaves_those_before_and_keeps_the_others(
    tmp_path: pathlib.Path, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_files((str(tmp_path / name), "old") for name in NAMES)
    calls.clear()
    replace = os.replace

    def full(source: str, target: str) -> None:
        if target.endswith(".md"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        replace_files((str(tmp_path / name), "new") for name in NAMES)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict(zip(NAMES, ("new", "old", "old")))
    assert calls == ["content", "report.json", "content", "directory"]
