# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The SQLite file of the ledger: who may read it, and what is refused."""

from __future__ import annotations

import os
import pathlib
import sqlite3
import stat

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._state import sqlite
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key, RunLedger
from ansible_collections.lockstep.sync.plugins.module_utils._state.schema import SCHEMA_VERSION
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.databases import SqliteFile, files
from tests.unit.plugins.support.ledger_users import HANDLE, KEY


@pytest.fixture
def database(tmp_path: pathlib.Path) -> SqliteFile:
    return SqliteFile(tmp_path)


@pytest.fixture
def path(database: SqliteFile) -> pathlib.Path:
    return database.path


def test_the_file_is_for_its_owner_alone(ledger: RunLedger, path: pathlib.Path) -> None:
    old = os.umask(0)
    try:
        ledger.intend(KEY, None, {})
        assert [stat.S_IMODE(item.stat().st_mode) for item in path.parent.iterdir()] == [0o600] * len(files(path))
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    finally:
        os.umask(old)


def test_readers_do_not_wait_for_writers(ledger: RunLedger, path: pathlib.Path) -> None:
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()


def test_a_newer_schema_is_refused(ledger: RunLedger, path: pathlib.Path, clock: FakeClock) -> None:
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    for read_only in (False, True):
        with pytest.raises(SyncError, match=r"option ledger: .*newer version") as caught:
            RunLedger(str(path), clock, read_only).open_entry(KEY)
        assert caught.value.code == "invalid_option"


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_is_no_ledger_is_refused(path: pathlib.Path, clock: FakeClock, read_only: bool) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("# my diary\n" * 100)
    with pytest.raises(SyncError, match=r"option ledger: .*ledger\.sqlite3") as caught:
        RunLedger(str(path), clock, read_only).open_entry(KEY)
    assert caught.value.code == "invalid_option"
    assert path.read_text().startswith("# my diary")


@pytest.mark.parametrize("place", ["file/ledger.sqlite3", "directory"])
def test_an_impossible_place_is_refused_with_a_remedy(tmp_path: pathlib.Path, clock: FakeClock, place: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "directory").mkdir()
    with pytest.raises(SyncError, match="option ledger") as caught:
        RunLedger(str(tmp_path / place), clock)
    assert caught.value.code == "invalid_option"
    assert "LOCKSTEP_LEDGER" in caught.value.hint


def test_a_file_that_stays_locked_is_an_error_and_no_traceback(
    ledger: RunLedger, path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.01)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SyncError, match="locked"):
        ledger.intend(KEY, None, {})
    holder.close()


def test_what_is_invalidated_is_a_state_of_its_own(ledger: RunLedger, path: pathlib.Path) -> None:
    ledger.finish(ledger.intend(KEY, "1.2", {}), "succeeded")
    ledger.intend(Key("sixth", KEY.address, KEY.target), None, {}, invalidates=[KEY])
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert db.execute("SELECT state FROM runs ORDER BY id").fetchall() == [("succeeded",), ("invalidated",), ("intended",)]
    db.close()


# -- check mode -------------------------------------------------------------------------------------------------------


def test_check_mode_creates_nothing(path: pathlib.Path, clock: FakeClock) -> None:
    ledger = RunLedger(str(path), clock, read_only=True)
    assert (ledger.open_entry(KEY), ledger.last_success(KEY), ledger.release_done(KEY, "1")) == (None, None, None)
    assert not path.parent.exists()


def test_check_mode_reads_a_ledger_and_leaves_it_as_it_is(ledger: RunLedger, path: pathlib.Path, clock: FakeClock) -> None:
    ledger.started(ledger.intend(KEY, "1", {}), HANDLE)
    before, content = files(path), path.read_bytes()
    entry = RunLedger(str(path), clock, read_only=True).open_entry(KEY)
    assert entry is not None
    assert entry.handle == HANDLE
    assert (files(path), path.read_bytes()) == (before, content)


def test_check_mode_sees_what_a_writer_at_work_has_written(ledger: RunLedger, path: pathlib.Path, clock: FakeClock) -> None:
    writer = sqlite3.connect(path)
    writer.execute("SELECT * FROM runs").fetchall()
    ledger.intend(KEY, "1", {})
    assert "ledger.sqlite3-wal" in files(path)
    assert RunLedger(str(path), clock, read_only=True).open_entry(KEY) is not None
    writer.close()


def test_check_mode_takes_an_empty_file_as_an_empty_ledger(path: pathlib.Path, clock: FakeClock) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    assert RunLedger(str(path), clock, read_only=True).open_entry(KEY) is None
    assert path.read_bytes() == b""


@pytest.mark.parametrize("name", ["a ledger#1.sqlite3", "50%.sqlite3", "what?.sqlite3"])
def test_check_mode_reads_a_file_of_any_name(tmp_path: pathlib.Path, clock: FakeClock, name: str) -> None:
    RunLedger(str(tmp_path / name), clock).intend(KEY, None, {})
    assert RunLedger(str(tmp_path / name), clock, read_only=True).open_entry(KEY) is not None
