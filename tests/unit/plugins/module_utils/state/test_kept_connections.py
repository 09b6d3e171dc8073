# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections to an SQLite file that are kept while a task is at work: how many, for which file, and until when."""

from __future__ import annotations

import collections.abc
import os
import pathlib
import sqlite3
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._state import process, sqlite_connections
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import NO_REVISION, LeaseConflict, RunLedger
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.databases import SqliteFile, files
from tests.unit.plugins.support.ledger_users import HANDLE, KEY, fork_and_write
from tests.unit.plugins.support.processes import NewProcess


@pytest.fixture
def database(tmp_path: pathlib.Path) -> SqliteFile:
    return SqliteFile(tmp_path)


@pytest.fixture
def path(database: SqliteFile) -> pathlib.Path:
    return database.path


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """The connections that are made from now on."""
    seen: list[sqlite3.Connection] = []
    connect: collections.abc.Callable[..., sqlite3.Connection] = sqlite3.connect

    def note(*args: t.Any, **kwargs: t.Any) -> sqlite3.Connection:
        seen.append(connect(*args, **kwargs))
        return seen[-1]

    monkeypatch.setattr(sqlite3, "connect", note)
    return seen


def is_open(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return False
    return True


def sync(ledger: RunLedger, release: str = "1") -> None:
    known = ledger.knowledge(KEY, release)
    entry_id = ledger.intend(KEY, release, {}, known.revision)
    ledger.started(entry_id, HANDLE)
    ledger.finish(entry_id, "succeeded")


def test_a_task_uses_one_connection(ledger: RunLedger, path: pathlib.Path, opened: list[sqlite3.Connection]) -> None:
    with ledger.heartbeat():
        for number in range(5):
            sync(ledger, str(number))
        assert len(opened) == 1
        assert files(path) == ["ledger.sqlite3", "ledger.sqlite3-shm", "ledger.sqlite3-wal"]
    assert not any(map(is_open, opened))
    # all of it is in the file itself
    assert files(path) == ["ledger.sqlite3"]
    assert ledger.release_done(KEY, "4") is not None


def test_without_a_task_each_use_is_a_connection(ledger: RunLedger, path: pathlib.Path, opened: list[sqlite3.Connection]) -> None:
    sync(ledger)
    assert len(opened) == 4
    assert not any(map(is_open, opened))
    assert files(path) == ["ledger.sqlite3"]


def test_a_connection_is_kept_after_a_conflict(ledger: RunLedger, opened: list[sqlite3.Connection]) -> None:
    with ledger.heartbeat():
        ledger.intend(KEY, "1", {})
        for _time in range(3):
            with pytest.raises(LeaseConflict):
                ledger.intend(KEY, "1", {})
        assert len(opened) == 1
        assert not opened[0].in_transaction


def test_one_that_has_failed_is_not_kept(ledger: RunLedger, opened: list[sqlite3.Connection]) -> None:
    with ledger.heartbeat():
        with pytest.raises(SyncError, match="no such table"):
            ledger._store.read(lambda db: db.query("SELECT * FROM elsewhere"))
        assert not is_open(opened[0])
        sync(ledger)
        assert len(opened) == 2


def test_what_others_have_written_is_seen(ledger: RunLedger, database: SqliteFile, clock: FakeClock) -> None:
    with ledger.heartbeat():
        assert ledger.knowledge(KEY).revision == NO_REVISION
        sync(RunLedger(database.location, clock))
        assert ledger.knowledge(KEY, "1").release_done is not None


def test_a_file_that_was_removed_is_not_written_to_any_longer(ledger: RunLedger, path: pathlib.Path) -> None:
    with ledger.heartbeat():
        sync(ledger)
        for name in files(path):
            (path.parent / name).unlink()
        with pytest.raises(SyncError, match="cannot be used as the ledger") as caught:
            ledger.intend(KEY, "2", {})
        assert caught.value.code == "invalid_option"
        assert ledger.open_entry(KEY) is None
    assert files(path) == []


def test_a_file_that_was_replaced_is_the_ledger_from_then_on(
    ledger: RunLedger, path: pathlib.Path, tmp_path: pathlib.Path, clock: FakeClock
) -> None:
    other = tmp_path / "other.sqlite3"
    RunLedger(str(other), clock).finish(RunLedger(str(other), clock).intend(KEY, "other", {}), "succeeded")
    with ledger.heartbeat():
        sync(ledger)
        for name in files(path):
            (path.parent / name).unlink()
        os.replace(other, path)
        assert ledger.release_done(KEY, "1") is None
        assert ledger.release_done(KEY, "other") is not None
        sync(ledger, "2")
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("SELECT release FROM runs ORDER BY id").fetchall() == [("other",), ("2",)]
    db.close()


def test_check_mode_keeps_none(ledger: RunLedger, path: pathlib.Path, clock: FakeClock, opened: list[sqlite3.Connection]) -> None:
    sync(ledger)
    opened.clear()
    content = path.read_bytes()
    reader = RunLedger(str(path), clock, read_only=True)
    with reader.heartbeat():
        for _time in range(3):
            assert reader.knowledge(KEY, "1").release_done is not None
            assert not any(map(is_open, opened))
            assert files(path) == ["ledger.sqlite3"]
    assert path.read_bytes() == content


def test_check_mode_sees_what_a_task_at_work_has_written(ledger: RunLedger, path: pathlib.Path, clock: FakeClock) -> None:
    reader = RunLedger(str(path), clock, read_only=True)
    with ledger.heartbeat():
        for number in range(3):
            sync(ledger, str(number))
            assert reader.knowledge(KEY, str(number)).release_done is not None
    assert files(path) == ["ledger.sqlite3"]


def test_what_is_committed_is_on_the_disk(
    ledger: RunLedger, opened: list[sqlite3.Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    assert sqlite_connections.SYNCHRONOUS == "FULL"
    with ledger.heartbeat():
        sync(ledger)
        assert [
            kept.connection.execute("PRAGMA synchronous").fetchone() for kept in vars(ledger._store)["_connections"]._idle
        ] == [(2,)]


def test_a_process_that_was_forked_has_connections_of_its_own(ledger: RunLedger, database: SqliteFile) -> None:
    user = NewProcess(fork_and_write, database.location, 4)
    assert sorted(user.line() for _process in range(5)) == ["0 True", "1 True", "2 True", "3 True", "parent True"]
    assert user.end() == 0
    assert database.query("SELECT count(*), count(DISTINCT target), min(state), max(state) FROM runs") == [
        (100, 100, "succeeded", "succeeded")
    ]
    assert database.query("PRAGMA integrity_check") == [("ok",)]


def test_the_identity_of_a_process_is_its_own_after_a_fork() -> None:
    mine = process.own_identity()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, process.own_identity().encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        other = process.ProcessIdentity.from_json(file.read())
    os.waitpid(child, 0)
    assert other.pid == child
    assert process.own_identity() == mine == process.ProcessIdentity.current().to_json()
