# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations of several threads in one transaction of a real database, also where one fails or the process is killed."""

from __future__ import annotations

import collections.abc
import dataclasses

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._state import group_commit
from ansible_collections.lockstep.sync.plugins.module_utils._state.group_commit import WriteGroup
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key, LeaseConflict, RunLedger
from ansible_collections.lockstep.sync.plugins.module_utils._state.store import Store, Transaction
from tests.conftest import Repeats
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.databases import Database
from tests.unit.plugins.support.ledger_users import KEY, sync_many, wait_within_group
from tests.unit.plugins.support.processes import Process
from tests.unit.plugins.support.writers import Work, Writer, Writers, until

KEYS = [dataclasses.replace(KEY, target=str(number)) for number in range(8)]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "SLOW", 3600)


@pytest.fixture
def writers(ledger: RunLedger) -> collections.abc.Iterator[Writers]:
    writers = Writers(groups_of(ledger._store))
    yield writers
    writers.end()


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of operations in each transaction that is committed."""
    sizes: list[int] = []
    seal = WriteGroup.seal

    def note(group: WriteGroup) -> None:
        seal(group)
        sizes.append(len(group.operations))

    monkeypatch.setattr(WriteGroup, "seal", note)
    return sizes


def groups_of(store: Store) -> group_commit.GroupCommit:
    found = vars(store)["_groups"]
    assert isinstance(found, group_commit.GroupCommit)
    return found


def intend_at_once(ledger: RunLedger, writers: Writers, keys: list[Key]) -> list[Writer]:
    with writers.at_work():
        found = [writers.thread(lambda key=key: ledger.intend(key, "1", {})) for key in keys]
        until(lambda: writers.waits == len(keys))
    return found


def test_intents_of_several_threads_are_one_transaction(ledger: RunLedger, writers: Writers, commits: list[int]) -> None:
    ids = [each.result() for each in intend_at_once(ledger, writers, KEYS)]
    assert commits == [1, len(KEYS)]
    assert sorted(ids) == sorted({entry.id for key in KEYS if (entry := ledger.open_entry(key)) is not None})
    for key, entry_id in zip(KEYS, ids):
        assert ledger.revision(key) == (entry_id, "intended", 1)


def test_of_those_that_intend_the_same_target_one_wins(ledger: RunLedger, writers: Writers, commits: list[int]) -> None:
    found = intend_at_once(ledger, writers, [KEY] * 8)
    errors = [error for each in found if (error := each.error()) is not None]
    assert [type(error) for error in errors] == [LeaseConflict] * 7
    assert commits == [1, 8]
    assert ledger.revision(KEY).state == "intended"


def failing(statement: str) -> Work:
    def work(db: Transaction) -> object:
        db.execute("UPDATE runs SET state = 'failed'")
        db.execute(statement)
        raise ValueError("after all")

    return work


@pytest.mark.parametrize("statement", ["UPDATE runs SET state = 'void'", "UPDATE no_such_table SET id = 1", "no statement"])
def test_one_that_fails_undoes_only_itself(ledger: RunLedger, writers: Writers, database: Database, statement: str) -> None:
    with writers.at_work():
        before = writers.thread(lambda: ledger.intend(KEYS[0], "1", {}))
        until(lambda: writers.waits == 1)
        failed = writers.thread(lambda: ledger._store.write(failing(statement)))
        until(lambda: writers.waits == 2)
        after = writers.thread(lambda: ledger.intend(KEYS[1], "1", {}))
        until(lambda: writers.waits == 3)
    assert isinstance(failed.error(), ValueError if "void" in statement else SyncError)
    assert {before.result(), after.result()} == {row[0] for row in database.query("SELECT id FROM runs WHERE state = 'intended'")}
    assert database.query("SELECT count(*) FROM runs") == [(2,)]


def test_a_group_killed_before_its_commit_leaves_nothing(ledger: RunLedger, database: Database, clock: FakeClock) -> None:
    process = Process(wait_within_group, database.location, 3)
    assert process.line() == "committed 3"
    assert process.line() == "in group of 4"
    process.kill()
    # what was committed before, and nothing of the group
    assert sorted(row[0] for row in database.query("SELECT target FROM runs")) == ["0", "1", "2"]
    # and the next one writes at once
    ledger.intend(KEY, "1", {})


def test_what_was_said_to_be_durable_is_there_after_a_kill(database: Database, repeats: Repeats) -> None:
    for number in range(repeats(3, 20)):
        process = Process(sync_many, database.location, f"{number}-", 8)
        assert process.line() == "ready"
        process.go_on()
        said = [process.line().split() for _line in range(20 + 7 * number)]
        process.kill()
        states = dict(database.query(f"SELECT target, state FROM runs WHERE target LIKE '{number}-%'"))
        order = ["intended", "started", "succeeded"]
        for target, state in said:
            assert order.index(str(states[target])) >= order.index(state)
        # of each target, there is at most what one thread was about to do next
        assert len(states) <= len({target for target, _state in said}) + 8
