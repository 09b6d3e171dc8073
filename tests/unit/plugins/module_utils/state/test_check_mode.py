# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode fails for a ledger that a real run could not use, and leaves everything as it is."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._state import postgresql
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import RunLedger
from tests.postgresql import unused_port
from tests.unit.plugins.support.lab import Lab
from tests.unit.plugins.support.limited_users import as_limited_user

Place = t.Callable[[pathlib.Path], pathlib.Path]


def content(folder: pathlib.Path) -> dict[str, tuple[int, int]]:
    """All files, each with its permissions and the time of its last change."""
    return {str(path): (path.stat().st_mode, path.stat().st_mtime_ns) for path in sorted(folder.rglob("*"))}


def existing(folder: pathlib.Path) -> pathlib.Path:
    path = folder / "ledger.sqlite3"
    RunLedger(str(path), SystemClock())
    return path


def in_closed_folder(folder: pathlib.Path) -> pathlib.Path:
    folder.chmod(0o555)
    return folder / "ledger.sqlite3"


def below_closed_folder(folder: pathlib.Path) -> pathlib.Path:
    folder.chmod(0o555)
    return folder / "lockstep" / "state" / "ledger.sqlite3"


def below_file(folder: pathlib.Path) -> pathlib.Path:
    (folder / "file").write_text("")
    return folder / "file" / "state" / "ledger.sqlite3"


def closed_file(folder: pathlib.Path) -> pathlib.Path:
    path = existing(folder)
    path.chmod(0o444)
    return path


def unreadable_file(folder: pathlib.Path) -> pathlib.Path:
    path = existing(folder)
    path.chmod(0o222)
    return path


def existing_in_closed_folder(folder: pathlib.Path) -> pathlib.Path:
    path = existing(folder)
    folder.chmod(0o555)
    return path


def folder_itself(folder: pathlib.Path) -> pathlib.Path:
    return folder


def no_database(folder: pathlib.Path) -> pathlib.Path:
    path = folder / "ledger.sqlite3"
    path.write_text("# my diary\n" * 100)
    return path


def no_ledger(folder: pathlib.Path) -> pathlib.Path:
    """Nothing is there yet, and all of it can be made."""
    return folder / "lockstep" / "ledger.sqlite3"


@pytest.mark.parametrize(
    "place",
    [
        in_closed_folder,
        below_closed_folder,
        below_file,
        closed_file,
        unreadable_file,
        existing_in_closed_folder,
        folder_itself,
        no_database,
    ],
)
def test_what_a_real_run_could_not_use(tmp_path: pathlib.Path, place: Place) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = place(folder)
    before = content(folder)
    predicted = as_limited_user(str(path), True)
    assert content(folder) == before
    assert predicted.startswith(f"invalid_option: option ledger: {str(path)!r} cannot be used as the ledger: ")
    assert predicted.endswith("Name a file in a directory that this user may write to, or set LOCKSTEP_LEDGER.")
    assert as_limited_user(str(path), False).startswith(f"invalid_option: option ledger: {str(path)!r} cannot be used")


@pytest.mark.parametrize("place", [existing, no_ledger])
def test_what_it_can_use(tmp_path: pathlib.Path, place: Place) -> None:
    path = place(tmp_path)
    before = content(tmp_path)
    assert as_limited_user(str(path), True) == "usable"
    assert content(tmp_path) == before
    assert as_limited_user(str(path), False) == "usable"


def test_a_ledger_that_others_use_in_a_folder_that_is_closed(tmp_path: pathlib.Path) -> None:
    """The files that a writer needs next to it are there, so no permission to make them is needed."""
    path = existing(tmp_path)
    for suffix in ("-wal", "-shm"):
        pathlib.Path(f"{path}{suffix}").touch()
    tmp_path.chmod(0o555)
    assert [as_limited_user(str(path), read_only) for read_only in (True, False)] == ["usable", "usable"]


@pytest.mark.parametrize("check", [True, False])
def test_a_task_looks_at_nothing_then(lab: Lab, check: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With check mode as without it."""
    monkeypatch.setattr(postgresql, "OPENING_PATIENCE", 0.2)
    lab.ledger_path.write_text("# my diary\n" * 100)
    for location, code in (
        (str(lab.ledger_path), "invalid_option"),
        (f"postgresql://ops@127.0.0.1:{unused_port()}/ledger", "connection_failed"),
    ):
        lab.location = location
        result = lab.run(check=check)
        assert (result["failed"], result["changed"], result["failure"]["code"], lab.web.log) == (True, False, code, [])
        assert f"option ledger: {location!r} cannot be used as the ledger" in result["msg"]
