# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which operations of several threads are done together, and who does them: with a transaction that does nothing."""

from __future__ import annotations

import collections.abc
import threading
import time
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._state import group_commit
from ansible_collections.lockstep.sync.plugins.module_utils._state.group_commit import GroupCommit, WriteGroup
from ansible_collections.lockstep.sync.plugins.module_utils._state.store import NoRows, Transaction
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.writers import Writers, until


class Nothing(NoRows):
    """A transaction that notes how often it is used."""

    writes = 0
    is_intact = True

    def execute(self, statement: str, *values: object) -> int:
        self.writes += 1
        return self.writes


class Place:
    """Where groups are done."""

    def __init__(self) -> None:
        self.commit = GroupCommit(self.transact)
        #: how many operations each committed group had
        self.sizes: list[int] = []
        #: what the next commits raise
        self.failures: list[Exception] = []
        self.writers = Writers(self.commit)

    def transact(self, group: WriteGroup, seconds: float) -> None:
        group.run(Nothing(FakeClock()))
        group.seal()
        if self.failures:
            group.unseal()
            raise self.failures.pop()
        self.sizes.append(len(group.operations))


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow this machine is, those that wait do so for the one that is at work."""
    monkeypatch.setattr(group_commit, "SLOW", 3600)


@pytest.fixture
def place() -> collections.abc.Iterator[Place]:
    place = Place()
    yield place
    place.writers.end()


def returns(value: object) -> t.Callable[[Transaction], object]:
    return lambda db: value


def fails(db: Transaction) -> object:
    raise ValueError("before anything was written")


def fails_late(db: Transaction) -> object:
    db.execute("UPDATE")
    raise ValueError("after something was written")


def test_a_single_one_is_done_at_once(place: Place) -> None:
    assert place.commit.do(returns(7), 30) == 7
    assert place.writers.start(returns(8)).result() == 8
    assert place.sizes == [1, 1]


def test_those_that_wait_are_done_together(place: Place) -> None:
    results = place.writers.together([returns(number) for number in range(8)])
    assert [each.result() for each in results] == list(range(8))
    assert place.sizes == [1, 8]


def test_one_that_has_written_nothing_fails_alone(place: Place) -> None:
    first, failed, last = place.writers.together([returns(1), fails, returns(3)])
    assert (first.result(), last.result()) == (1, 3)
    with pytest.raises(ValueError, match="before anything"):
        failed.result()
    assert place.sizes == [1, 3]


@pytest.mark.parametrize("position", range(3))
def test_one_that_has_written_something_undoes_only_itself(place: Place, position: int) -> None:
    work = [returns(0), returns(1), returns(2)]
    work[position] = fails_late
    results = place.writers.together(work)
    with pytest.raises(ValueError, match="after something"):
        results[position].result()
    assert [each.result() for number, each in enumerate(results) if number != position] == [n for n in range(3) if n != position]
    assert place.sizes == [1, 1, 1]


def test_after_a_failed_commit_each_is_done_by_itself(place: Place) -> None:
    with place.writers.waiting([returns(number) for number in range(3)]) as results:
        # of the one at work, and of those that wait
        place.failures += [OSError("a full disk"), OSError("a full disk")]
    assert [type(each.error()) for each in results] == [OSError, type(None), type(None)]
    assert place.sizes == [1, 1]


def test_one_with_less_time_is_in_no_group_that_may_take_longer(place: Place) -> None:
    with place.writers.waiting([returns(1), returns(2)]) as results:
        results.append(place.writers.start(returns(3), 5))
        until(lambda: place.writers.waits == 3)
    assert [each.result() for each in results] == [1, 2, 3]
    assert place.sizes == [1, 2, 1]


def test_one_that_others_keep_waiting_ends_in_time(place: Place) -> None:
    with place.writers.waiting([]):
        late = place.writers.start(returns(1), 0.05)
        assert isinstance(late.error(), TimeoutError)
        assert place.writers.waits == 0
    assert place.sizes == [1]


def test_one_that_hangs_keeps_none_from_going_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with place.writers.waiting([]):
        monkeypatch.setattr(group_commit, "SLOW", 0.01)
        assert place.writers.start(returns(1)).result() == 1
        assert place.writers.start(returns(2)).result() == 2
    until(lambda: place.sizes == [1, 1, 1])


def test_what_nothing_waits_for_any_more_is_not_committed() -> None:
    joined: list[str] = []

    def join() -> list[group_commit.PendingWrite[object]]:
        joined.append("others")
        return []

    group = WriteGroup(group_commit.PendingWrite(returns(1), time.monotonic() + 30), join)
    group.run(Nothing(FakeClock()))
    assert group.give_up()
    with pytest.raises(group_commit.GroupUndone):
        group.seal()
    with pytest.raises(group_commit.GroupUndone):
        group.run(Nothing(FakeClock()))
    assert joined == ["others"]


def test_what_may_be_committed_is_not_done_again() -> None:
    group = WriteGroup(group_commit.PendingWrite(returns(1), time.monotonic() + 30), list)
    group.run(Nothing(FakeClock()))
    group.seal()
    assert not group.give_up()


def test_a_process_that_was_forked_waits_for_none_of_its_parent(place: Place) -> None:
    with place.writers.waiting([returns(1)]):
        before = place.commit._waiting, place.commit._leaders
        group_commit._reset_all()
        assert place.writers.start(returns(2)).result() == 2
        place.commit._waiting, place.commit._leaders = before


def test_each_is_done_once_however_many_there_are(place: Place) -> None:
    done: list[int] = []
    lock = threading.Lock()

    def work(number: int) -> t.Callable[[Transaction], object]:
        def note(db: Transaction) -> object:
            if number % 7 == 0:
                db.execute("UPDATE")
                raise ValueError(number)
            with lock:
                done.append(number)
            return number

        return note

    results = [place.writers.start(work(number)) for number in range(200)]
    for number, each in enumerate(results):
        assert (str(each.error()) == str(number)) if number % 7 == 0 else each.result() == number
    # one that was in a group that was undone is done again
    assert set(done) == {number for number in range(200) if number % 7}
    assert sum(place.sizes) == len(set(done))
