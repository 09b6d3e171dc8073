# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger of version 1.2.0, which is brought up to date in place, or in memory where it is only read."""

from __future__ import annotations

import datetime as dt
import json
import pathlib
import sqlite3

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import isoformat
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key, LeaseConflict, RunLedger
from ansible_collections.lockstep.sync.plugins.module_utils._state.schema import SCHEMA_VERSION
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.journal import LockHeld, PromotionStore
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.owner import Owner
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.promotions import history

#: as version 1.2.0 made it
RUNS_1 = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, provider TEXT NOT NULL, address TEXT NOT NULL, target TEXT NOT NULL, release TEXT,
    state TEXT NOT NULL, handle TEXT, snapshot TEXT NOT NULL, intended_at TEXT NOT NULL, finished_at TEXT,
    owner_host TEXT NOT NULL,
    owner_pid INTEGER NOT NULL, expires_at TEXT NOT NULL
);
CREATE INDEX runs_by_target ON runs (provider, address, target, state, id);
"""
PROMOTIONS_1 = """
CREATE TABLE promotions (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL, holder TEXT NOT NULL, provider TEXT NOT NULL, address TEXT NOT NULL,
    target TEXT NOT NULL, name TEXT NOT NULL, release TEXT NOT NULL, phase TEXT NOT NULL, data TEXT NOT NULL,
    owner_host TEXT NOT NULL, owner_pid INTEGER NOT NULL, owner_started TEXT, owner_label TEXT NOT NULL, begun_at TEXT NOT NULL,
    updated_at TEXT NOT NULL, expires_at TEXT NOT NULL, verdict TEXT, finished_at TEXT
);
CREATE UNIQUE INDEX promotions_unfinished ON promotions (provider, address, target) WHERE verdict IS NULL;
CREATE INDEX promotions_by_target ON promotions (provider, address, target, id);
CREATE INDEX promotions_finished ON promotions (finished_at) WHERE finished_at IS NOT NULL;
CREATE TABLE holds (
    id INTEGER PRIMARY KEY, provider TEXT NOT NULL, address TEXT NOT NULL, target TEXT NOT NULL, release TEXT NOT NULL,
    run TEXT NOT NULL, reason TEXT NOT NULL, held_by TEXT NOT NULL, held_at TEXT NOT NULL, lift_reason TEXT, lifted_by TEXT,
    lifted_at TEXT
);
CREATE UNIQUE INDEX holds_active ON holds (provider, address, target, release) WHERE lifted_at IS NULL;
CREATE INDEX holds_by_target ON holds (provider, address, target, id);
CREATE INDEX holds_lifted ON holds (lifted_at) WHERE lifted_at IS NOT NULL;
"""

DONE, INVALIDATED, OPEN, FREE = (Key("fifth", "https://fifth.example.com", target) for target in ("7", "8", "9", "10"))
HANDLE = {"run": 7, "provider": "fifth"}


class Old:
    """A ledger of version 1.2.0."""

    def __init__(self, path: pathlib.Path, clock: FakeClock, runs: bool = True, promotions: bool = True) -> None:
        path.parent.mkdir(parents=True)
        self.path = path
        self.now = str(isoformat(clock.now()))
        self.soon = str(isoformat(clock.now() + dt.timedelta(seconds=900)))
        db = sqlite3.connect(path)
        db.execute("PRAGMA journal_mode = WAL")
        if runs:
            db.executescript(RUNS_1)
            db.execute("PRAGMA user_version = 1")
            self._add_runs(db)
        if promotions:
            db.executescript(PROMOTIONS_1)
            self._add_promotions(db)
        db.commit()
        db.close()

    def _add_runs(self, db: sqlite3.Connection) -> None:
        statement = (
            "INSERT INTO runs (provider, address, target, release, state, handle, snapshot, intended_at, finished_at, owner_host,"
            " owner_pid, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'pod', 1, ?)"
        )
        ended = (self.now, self.now, self.now)
        for key, release, state, handle, snapshot, dates in (
            (DONE, "1.2", "succeeded", HANDLE, {"last": 3}, ended),
            (DONE, None, "failed", None, {}, ended),
            (INVALIDATED, "1.2", "succeeded", HANDLE, {}, ended),
            (INVALIDATED, None, "undone", None, {"by": 5}, ended),
            (OPEN, "1.3", "started", HANDLE, {}, (self.now, None, self.soon)),
        ):
            facts = json.dumps(handle) if handle else None, json.dumps(snapshot)
            db.execute(statement, (key.provider, key.address, key.target, release, state, *facts, *dates))

    def _add_promotions(self, db: sqlite3.Connection) -> None:
        statement = (
            "INSERT INTO promotions (run, holder, provider, address, target, name, release, phase, data, owner_host, owner_pid,"
            " owner_started, owner_label, begun_at, updated_at, expires_at, verdict, finished_at)"
            " VALUES (?, ?, ?, ?, ?, 'shop', '1', 'sync', '{\"backup\": 5}', 'pod/4026532281', 1, '100', 'job 17', ?, ?, ?, ?, ?)"
        )
        for run, holder, key, dates in (
            ("r1", "", DONE, (self.now, self.now, self.now, "succeeded", self.now)),
            ("r2", "r2", OPEN, (self.now, self.now, self.soon, None, None)),
            ("r3", "", FREE, (self.now, self.now, self.now, None, None)),
        ):
            db.execute(statement, (run, holder, key.provider, key.address, key.target, *dates))
        db.execute(
            "INSERT INTO holds (provider, address, target, release, run, reason, held_by, held_at) VALUES (?, ?, ?, '1', 'r1',"
            " 'slow', 'eve', ?)",
            (*DONE.columns, self.now),
        )


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "state" / "ledger.sqlite3"


def check_runs(ledger: RunLedger, clock: FakeClock) -> None:
    done = ledger.release_done(DONE, "1.2")
    assert done is not None
    assert (done.handle, done.snapshot, done.finished_at) == (HANDLE, {"last": 3}, clock.now())
    assert ledger.revision(DONE) == (2, "failed", 0)
    assert ledger.release_done(INVALIDATED, "1.2") is None
    assert ledger.is_invalidated(INVALIDATED, 3)
    entry = ledger.open_entry(OPEN)
    assert entry is not None
    assert (entry.state, entry.release, entry.handle, entry.is_held(clock.now())) == ("started", "1.3", HANDLE, True)


def check_promotions(store: PromotionStore, clock: FakeClock) -> None:
    (ended,) = history(store, DONE, 9)
    assert (ended.run, ended.verdict, ended.finished_at, ended.data) == ("r1", "succeeded", clock.now(), {"backup": 5})
    hold = store.held(DONE, "1")
    assert hold is not None
    assert (hold.reason, hold.held_by) == ("slow", "eve")
    held, free = store.look(OPEN), store.look(FREE)
    assert held is not None
    assert free is not None
    assert (held.holder, held.phase, str(held.owner), store.is_held(held)) == (
        "r2",
        "sync",
        "job 17 (process 1 on pod/4026532281)",
        True,
    )
    assert (free.holder, store.is_held(free)) == ("", False)


def test_a_ledger_of_version_1_is_used_and_brought_up_to_date(path: pathlib.Path, clock: FakeClock) -> None:
    Old(path, clock)
    ledger, store = RunLedger(str(path), clock), PromotionStore(str(path), clock)
    check_runs(ledger, clock)
    check_promotions(store, clock)
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    db.close()
    assert tables == {"runs", "promotions", "holds"}


def test_its_leases_last_as_long_as_they_would_have(path: pathlib.Path, clock: FakeClock) -> None:
    Old(path, clock)
    ledger, store = RunLedger(str(path), clock), PromotionStore(str(path), clock)
    clock.sleep(899)
    with pytest.raises(LeaseConflict):
        ledger.intend(OPEN, None, {})
    with pytest.raises(LockHeld):
        store.begin("r4", {OPEN: "shop"}, "1", Owner.current())
    clock.sleep(1)
    ledger.intend(OPEN, None, {})
    begun = store.begin("r4", {OPEN: "shop"}, "1", Owner.current())[OPEN]
    assert (begun.resumed, begun.promotion.run) == ("sync", "r2")


def test_its_runs_are_found_by_their_handles(path: pathlib.Path, clock: FakeClock) -> None:
    Old(path, clock)
    ledger = RunLedger(str(path), clock)
    ledger.seen(OPEN, dict(reversed(HANDLE.items())), "succeeded", None)
    assert ledger.open_entry(OPEN) is None
    assert ledger.release_done(OPEN, "1.3") is not None
    ledger.invalidate(DONE, dict(reversed(HANDLE.items())), [DONE])
    assert ledger.release_done(DONE, "1.2") is not None


def test_check_mode_reads_it_and_leaves_it_as_it_is(path: pathlib.Path, clock: FakeClock) -> None:
    Old(path, clock)
    before = (path.read_bytes(), sorted(path.parent.iterdir()))
    check_runs(RunLedger(str(path), clock, read_only=True), clock)
    check_promotions(PromotionStore(str(path), clock, read_only=True), clock)
    assert (path.read_bytes(), sorted(path.parent.iterdir())) == before


@pytest.mark.parametrize(("runs", "promotions"), [(True, False), (False, True)])
@pytest.mark.parametrize("read_only", [True, False])
def test_one_that_has_a_part_of_the_tables_is_used(
    path: pathlib.Path, clock: FakeClock, runs: bool, promotions: bool, read_only: bool
) -> None:
    Old(path, clock, runs, promotions)
    ledger, store = RunLedger(str(path), clock, read_only), PromotionStore(str(path), clock, read_only)
    if runs:
        check_runs(ledger, clock)
        assert store.look(OPEN) is None
    else:
        check_promotions(store, clock)
        assert ledger.open_entry(OPEN) is None


@pytest.mark.parametrize("read_only", [True, False])
def test_a_database_of_something_else_is_refused_and_left_alone(path: pathlib.Path, clock: FakeClock, read_only: bool) -> None:
    path.parent.mkdir()
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE runs (id INTEGER, distance INTEGER)")
    db.execute("INSERT INTO runs VALUES (1, 42)")
    db.execute("PRAGMA user_version = 1")
    db.commit()
    with pytest.raises(SyncError, match=r"option ledger: .* not one of this collection"):
        RunLedger(str(path), clock, read_only).open_entry(OPEN)
    assert db.execute("SELECT * FROM runs").fetchall() == [(1, 42)]
    db.close()
