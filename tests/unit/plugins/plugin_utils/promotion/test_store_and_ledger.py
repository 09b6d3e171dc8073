# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Promotions and the ledger in one file, whichever of them made it."""

from __future__ import annotations

import pathlib
import sqlite3
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import RunLedger
from ansible_collections.lockstep.sync.plugins.module_utils._state.schema import SCHEMA_VERSION
from ansible_collections.lockstep.sync.plugins.module_utils._state.sqlite import use_wal
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.journal import PromotionStore
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.owner import Owner
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.databases import SqliteFile, files
from tests.unit.plugins.support.processes import Process
from tests.unit.plugins.support.promotion_users import KEY, use_both
from tests.unit.plugins.support.promotions import begin, history, last


@pytest.fixture
def database(tmp_path: pathlib.Path) -> SqliteFile:
    return SqliteFile(tmp_path)


@pytest.fixture
def path(database: SqliteFile) -> pathlib.Path:
    return database.path


@pytest.mark.parametrize("store_first", [True, False])
def test_either_makes_a_file_that_serves_both(path: pathlib.Path, clock: FakeClock, me: Owner, store_first: bool) -> None:
    store: PromotionStore | None = PromotionStore(str(path), clock) if store_first else None
    ledger = RunLedger(str(path), clock)
    store = store or PromotionStore(str(path), clock)
    entry = ledger.intend(KEY, "1", {})
    begin(store, "r1", me)
    ledger.finish(entry, "succeeded")
    store.finish("r1", KEY, "succeeded")
    assert ledger.release_done(KEY, "1") is not None
    assert last(store, KEY) is not None
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def test_each_takes_a_file_of_the_other_as_empty_in_check_mode(tmp_path: pathlib.Path, clock: FakeClock, me: Owner) -> None:
    ledgers, journals = tmp_path / "ledger", tmp_path / "journal"
    RunLedger(str(ledgers), clock).intend(KEY, "1", {})
    begin(PromotionStore(str(journals), clock), "r1", me)
    before = (ledgers.read_bytes(), journals.read_bytes(), files(ledgers))
    reader = PromotionStore(str(ledgers), clock, read_only=True)
    assert (reader.look(KEY), last(reader, KEY), reader.held(KEY, None), history(reader, KEY, 9)) == (None, None, None, [])
    assert RunLedger(str(journals), clock, read_only=True).open_entry(KEY) is None
    assert (ledgers.read_bytes(), journals.read_bytes(), files(ledgers)) == before


def test_processes_that_create_and_use_both_at_the_same_time_lose_nothing(path: pathlib.Path, clock: FakeClock) -> None:
    users = [Process(use_both, str(path), str(number), 8) for number in range(3)]
    assert [user.line() for user in users] == ["ready"] * 3
    for user in users:
        user.go_on()
    assert [user.end() for user in users] == [0] * 3
    db = sqlite3.connect(path)
    for table in ("runs WHERE state = 'succeeded'", "promotions WHERE verdict = 'succeeded'"):
        assert db.execute(f"SELECT count(*), count(DISTINCT target) FROM {table}").fetchone() == (24, 3)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def test_a_file_that_others_are_switching_to_wal_is_tried_again() -> None:
    class Refusing:
        left = 2

        def execute(self, statement: str) -> None:
            self.left -= 1
            if self.left >= 0:
                raise sqlite3.OperationalError("database is locked")

    refusing = Refusing()
    use_wal(t.cast(sqlite3.Connection, refusing), 30)
    assert refusing.left == -1
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        use_wal(t.cast(sqlite3.Connection, Refusing()), 0)
