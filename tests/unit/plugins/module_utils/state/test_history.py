# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long the ledger remembers, and that a long memory costs nothing."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import sqlite3
import time
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import isoformat
from ansible_collections.lockstep.sync.plugins.module_utils._state import sqlite
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import KEPT, PRUNED_AT_ONCE, Key, RunLedger
from ansible_collections.lockstep.sync.plugins.module_utils._state.store import Row, Value
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.databases import SqliteFile
from tests.unit.plugins.support.ledger_users import HANDLE, KEY

OTHER = dataclasses.replace(KEY, target="8")


@pytest.fixture
def database(tmp_path: pathlib.Path) -> SqliteFile:
    return SqliteFile(tmp_path)


@pytest.fixture
def path(database: SqliteFile) -> pathlib.Path:
    return database.path


def end(ledger: RunLedger, outcome: str, release: str | None = None, key: Key = KEY) -> int:
    entry_id = ledger.intend(key, release, {})
    ledger.finish(entry_id, outcome)
    return entry_id


def kept(path: pathlib.Path, key: Key = KEY) -> list[int]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return [row[0] for row in db.execute("SELECT id FROM runs WHERE target = ? ORDER BY id", (key.target,))]


# -- pruning ----------------------------------------------------------------------------------------------------------


def test_runs_that_later_ones_replaced_are_removed_after_ninety_days(
    ledger: RunLedger, path: pathlib.Path, clock: FakeClock
) -> None:
    assert KEPT.days == 90
    runs = [end(ledger, outcome) for outcome in ("succeeded", "failed", "succeeded", "failed")]
    clock.sleep(KEPT.total_seconds())
    new = end(ledger, "void")
    assert kept(path) == [*runs, new]
    clock.sleep(1)
    newest = end(ledger, "void")
    assert kept(path) == [*runs[2:], new, newest]


def test_what_is_known_of_a_target_is_never_removed(ledger: RunLedger, path: pathlib.Path, clock: FakeClock) -> None:
    """The newest run of each release, the newest success, what is open, and what invalidates."""
    end(ledger, "succeeded", "1.1")
    first = end(ledger, "succeeded", "1.1")
    failed = end(ledger, "failed", "1.2")
    opened = ledger.intend(KEY, "1.3", {})
    ledger.started(opened, HANDLE)
    ledger.drop_lease(opened)
    for day in range(400):
        clock.sleep(86400)
        end(ledger, "failed" if day % 2 else "unknown", "1.4")
    done, success, entry = ledger.release_done(KEY, "1.1"), ledger.last_success(KEY), ledger.open_entry(KEY)
    assert done is not None
    assert success is not None
    assert entry is not None
    assert (done.id, success.id, entry.id) == (first, first, opened)
    assert failed in kept(path)
    assert len(kept(path)) <= 3 + 92


def test_a_release_that_was_invalidated_stays_so(ledger: RunLedger, path: pathlib.Path, clock: FakeClock) -> None:
    end(ledger, "succeeded", "1.1")
    for _restore in range(2):
        ledger.finish(ledger.intend(OTHER, None, {}, invalidates=[KEY]), "succeeded")
    clock.sleep(2 * KEPT.total_seconds())
    end(ledger, "failed", "1.2")
    assert ledger.release_done(KEY, "1.1") is None
    # the run, the newest invalidation, and the new run
    assert len(kept(path)) == 3


def test_other_targets_are_left_alone(ledger: RunLedger, path: pathlib.Path, clock: FakeClock) -> None:
    others = [end(ledger, "failed", key=OTHER) for _run in range(2)]
    clock.sleep(2 * KEPT.total_seconds())
    end(ledger, "failed")
    assert kept(path, OTHER) == others


def test_little_is_removed_at_once(ledger: RunLedger, path: pathlib.Path, clock: FakeClock) -> None:
    fill(path, clock, 300)
    clock.sleep(2 * KEPT.total_seconds())
    end(ledger, "void")
    assert len(kept(path)) == 300 - PRUNED_AT_ONCE + 1
    for number in range(3):
        ledger.seen(KEY, {**HANDLE, "run": number}, "failed", None)
    assert len(kept(path)) == 1 + 1 + 3


def test_an_empty_release_is_none(ledger: RunLedger) -> None:
    end(ledger, "succeeded", "")
    assert ledger.release_done(KEY, "") is None
    success = ledger.last_success(KEY)
    assert success is not None
    assert success.release is None


# -- a long memory ----------------------------------------------------------------------------------------------------


def fill(path: pathlib.Path, clock: FakeClock, runs: int, releases: bool = False) -> None:
    """Add succeeded runs of one target."""
    now = isoformat(clock.now())
    rows = [
        (*KEY.columns, f"1.{number}" if releases else "", "succeeded", "{}", "{}", now, now, "", "{}", now)
        for number in range(runs)
    ]
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executemany(
            "INSERT INTO runs (provider, address, target, release, state, handle, snapshot, intended_at, finished_at, holder,"
            " owner, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        db.commit()


#: all that one target asks of the ledger, and writes
QUESTIONS: t.Mapping[str, t.Callable[[RunLedger], object]] = {
    "open_entry": lambda ledger: ledger.open_entry(KEY),
    "revision": lambda ledger: ledger.revision(KEY),
    "last_success": lambda ledger: ledger.last_success(KEY),
    "release_done": lambda ledger: ledger.release_done(KEY, "1.1"),
    "release_done, another": lambda ledger: ledger.release_done(KEY, "2"),
    "is_invalidated": lambda ledger: ledger.is_invalidated(KEY, 1),
    "intend": lambda ledger: ledger.retract(ledger.intend(KEY, "2", {}, invalidates=[OTHER])),
    "invalidate": lambda ledger: ledger.invalidate(KEY, HANDLE, []),
    "seen": lambda ledger: ledger.seen(KEY, HANDLE, "succeeded", None),
    "renew": lambda ledger: ledger.renew(),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_statement_looks_at_all_runs(
    ledger: RunLedger, path: pathlib.Path, clock: FakeClock, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each finds its rows by an index, and none sorts them."""
    fill(path, clock, 10, releases=True)
    statements: list[tuple[str, tuple[Value, ...]]] = []
    query, execute = sqlite.SqliteTransaction.query, sqlite.SqliteTransaction.execute

    def noted_query(self: sqlite.SqliteTransaction, statement: str, *values: Value) -> list[Row]:
        statements.append((statement, values))
        return query(self, statement, *values)

    def noted_execute(self: sqlite.SqliteTransaction, statement: str, *values: Value) -> int:
        statements.append((statement, values))
        return execute(self, statement, *values)

    monkeypatch.setattr(sqlite.SqliteTransaction, "query", noted_query)
    monkeypatch.setattr(sqlite.SqliteTransaction, "execute", noted_execute)
    QUESTIONS[question](ledger)
    assert statements
    with contextlib.closing(sqlite3.connect(path)) as db:
        for statement, values in statements:
            plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
            assert not [step for step in plan if step.startswith("SCAN")], (statement, plan)
            assert not [step for step in plan if "TEMP B-TREE" in step], (statement, plan)
            if "state IN" in statement and "handle =" not in statement and "WHERE id =" not in statement:
                assert "runs_open" in plan[0], plan


def test_four_thousand_runs_cost_what_forty_do(ledger: RunLedger, path: pathlib.Path, clock: FakeClock) -> None:
    fill(path, clock, 4000, releases=True)
    for question in ("open_entry", "last_success", "release_done", "revision"):
        best = min(_seconds(QUESTIONS[question], ledger) for _attempt in range(20))
        # 0.3 ms when idle; all of them were read before, in 60 ms
        assert best < 0.01, question


def _seconds(ask: t.Callable[[RunLedger], object], ledger: RunLedger) -> float:
    before = time.perf_counter()
    ask(ledger)
    return time.perf_counter() - before
