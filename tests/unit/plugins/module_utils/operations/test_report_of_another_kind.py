# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report must not take the place of a device, a FIFO, a socket or a directory, and is refused before anything is done."""

from __future__ import annotations

import os
import pathlib
import socket
import stat
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core import files
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.files import prepare
from tests.unit.plugins.support.lab import Lab, only


def fifo(path: pathlib.Path) -> None:
    os.mkfifo(path)


def listening(path: pathlib.Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        # relative, since the path of a socket may only have 107 bytes
        before = os.getcwd()
        os.chdir(path.parent)
        try:
            made.bind(path.name)
        finally:
            os.chdir(before)


def link_to_device(path: pathlib.Path) -> None:
    path.symlink_to("/dev/null")


KINDS: dict[str, t.Callable[[pathlib.Path], None]] = {
    "a FIFO": fifo,
    "a socket": listening,
    "a device": link_to_device,
    "a directory": pathlib.Path.mkdir,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("check", [False, True])
def test_it_is_refused_before_anything_is_done(lab: Lab, kind: str, check: bool) -> None:
    KINDS[kind](lab.report_path)
    before = os.lstat(lab.report_path)
    result = lab.run(report_path=str(lab.report_path), check=check)
    assert (result["failed"], result["failure"]["code"], lab.web.log) == (True, "invalid_option", [])
    assert f"option report_path: {str(lab.report_path)!r} is {kind}" in result["msg"]
    after = os.lstat(lab.report_path)
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)


def test_the_null_device_stays_one(lab: Lab) -> None:
    result = lab.run(report_path="/dev/null")
    assert "option report_path: '/dev/null' is a device" in result["msg"]
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_one_that_takes_its_place_meanwhile_is_not_replaced(lab: Lab) -> None:
    def take() -> None:
        lab.report_path.unlink()
        fifo(lab.report_path)

    lab.service.before["GET /runs/1"] = take
    result = lab.run(report_path=str(lab.report_path))
    assert (only(result)["state"], result["failed"], lab.posts) == ("succeeded", True, 1)
    assert "cannot be written: it is a FIFO" in result["msg"]
    assert stat.S_ISFIFO(os.stat(lab.report_path).st_mode)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["report.json", "report.md", "report.html"])
def test_a_role_refuses_each_of_its_files(tmp_path: pathlib.Path, kind: str, name: str) -> None:
    KINDS[kind](tmp_path / name)
    with pytest.raises(OSError, match=f"is {kind}"):
        prepare(str(tmp_path / "report.json"))


def test_a_link_to_a_file_or_to_nothing_is_replaced(tmp_path: pathlib.Path) -> None:
    (tmp_path / "elsewhere").write_text("as it was")
    for target in ("elsewhere", "nowhere"):
        path = tmp_path / f"to-{target}"
        path.symlink_to(target)
        files.replace_file(str(path), "new")
        assert (path.is_symlink(), path.read_text()) == (False, "new")
    assert (tmp_path / "elsewhere").read_text() == "as it was"
