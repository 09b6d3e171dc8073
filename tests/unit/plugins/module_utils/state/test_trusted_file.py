# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A ledger file that another user could have written to is refused, whatever is in it, and so is one that is damaged."""

from __future__ import annotations

import os
import pathlib
import sqlite3
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import RunLedger
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.journal import PromotionStore
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.owner import Owner
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.databases import Database, SqliteFile
from tests.unit.plugins.support.lab import Lab, code
from tests.unit.plugins.support.ledger_users import HANDLE, KEY

Change = t.Callable[[pathlib.Path], object]


def link(path: pathlib.Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def linked_log(path: pathlib.Path) -> None:
    path.with_name("elsewhere").write_bytes(b"")
    path.with_name(f"{path.name}-wal").symlink_to("elsewhere")


def queue(path: pathlib.Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


CHANGES: dict[str, tuple[Change, str]] = {
    "group": (lambda path: path.chmod(0o620), "mode 0620"),
    "world": (lambda path: path.chmod(0o602), "mode 0602"),
    "link": (link, "symbolic link"),
    "log": (linked_log, "-wal' is a symbolic link"),
    "queue": (queue, "not a regular file"),
}


@pytest.fixture
def path(tmp_path: pathlib.Path, clock: FakeClock) -> pathlib.Path:
    file = tmp_path / "ledger.sqlite3"
    RunLedger(str(file), clock).started(RunLedger(str(file), clock).intend(KEY, "1", {}), HANDLE)
    return file


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("read_only", [False, True])
def test_it_is_refused(path: pathlib.Path, clock: FakeClock, name: str, read_only: bool) -> None:
    change, problem = CHANGES[name]
    change(path)
    with pytest.raises(SyncError, match=problem) as caught:
        RunLedger(str(path), clock, read_only)
    assert caught.value.code == "ledger_unsafe"
    assert f"option ledger: {str(path)!r} cannot be used as the ledger" in caught.value.message


@pytest.mark.parametrize("read_only", [False, True])
def test_a_foreign_owner_is_refused(
    path: pathlib.Path, clock: FakeClock, read_only: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = path.stat().st_uid
    monkeypatch.setattr("os.geteuid", lambda: owner + 1)
    with pytest.raises(SyncError, match=f"belongs to the user with the id {owner}") as caught:
        RunLedger(str(path), clock, read_only)
    assert caught.value.code == "ledger_unsafe"


@pytest.mark.parametrize("check", [False, True])
def test_a_task_sends_nothing_then(lab: Lab, check: bool) -> None:
    lab.run(release="1")
    lab.ledger_path.chmod(0o666)
    seen = len(lab.web.log)
    result = lab.run(release="1", check=check)
    assert (result["failed"], result["failure"]["code"], len(lab.web.log)) == (True, "ledger_unsafe", seen)


def test_what_others_may_read_is_no_harm(path: pathlib.Path, clock: FakeClock) -> None:
    path.chmod(0o644)
    assert RunLedger(str(path), clock).open_entry(KEY) is not None


# -- damage -----------------------------------------------------------------------------------------------------------


def test_a_file_whose_pages_are_damaged(path: pathlib.Path, clock: FakeClock) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\x55" * (len(content) - 4096))
    with pytest.raises(SyncError, match="malformed") as caught:
        RunLedger(str(path), clock).open_entry(KEY)
    assert caught.value.code == "ledger_damaged"


DAMAGES = {
    "handle": ("'[1]'", "'{'", "'1'"),
    "snapshot": ("'[]'", "'nonsense'", "'" + "[" * 50_000 + "'"),
    "intended_at": ("'yesterday'", "''"),
    "expires_at": ("'never'",),
    "owner": ("'nonsense'", "'[]'"),
    "finished_at": ("'later'",),
}


@pytest.mark.parametrize(("column", "value"), [(column, value) for column, values in DAMAGES.items() for value in values])
def test_a_damaged_entry_of_a_run_is_neither_a_bug_nor_ignored(lab: Lab, column: str, value: str) -> None:
    lab.service.duration = 3600
    lab.run(wait=False)
    lab.run(mirrors=["eight"], wait=False)
    with sqlite3.connect(lab.ledger_path) as db:
        db.execute(f"UPDATE runs SET {column} = {value} WHERE target = '7'")
    db.close()
    result = lab.run(wait=False)
    assert (code(result), lab.posts) == ("ledger_damaged", 2)
    assert "entry 1 of the table runs" in result["msg"]
    # the other target is as it was
    assert code(lab.run(mirrors=["eight"], wait=False)) is None


@pytest.mark.parametrize(("column", "value"), [("data", "'[1]'"), ("data", "'{'"), ("begun_at", "'then'"), ("owner", "'x'")])
def test_a_damaged_entry_of_a_promotion(database: Database, clock: FakeClock, column: str, value: str) -> None:
    store = PromotionStore(database.location, clock)
    store.begin("p-1", {KEY: "shop"}, "1", Owner.current())
    store._store.write(lambda db: db.execute(f"UPDATE promotions SET {column} = {value}"))
    with pytest.raises(SyncError, match="table promotions") as caught:
        store.begin("p-2", {KEY: "shop"}, "2", Owner.current())
    assert caught.value.code == "ledger_damaged"


def test_an_unknown_state_of_a_run(tmp_path: pathlib.Path, clock: FakeClock) -> None:
    database = SqliteFile(tmp_path)
    ledger = RunLedger(database.location, clock)
    ledger.intend(KEY, None, {})
    with sqlite3.connect(database.path) as db:
        db.execute("UPDATE runs SET state = 'lost in space'")
    db.close()
    with pytest.raises(SyncError, match="lost in space"):
        ledger.intend(KEY, None, {}, since=(0, ""))
