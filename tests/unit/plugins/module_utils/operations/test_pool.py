# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Threads that do what can be done, and take no place for what waits."""

from __future__ import annotations

import math
import threading
import time
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import Clock, SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._operations.pool import Job, LendingClock, WorkerPool
from tests.unit.plugins.support.clocks import FakeClock

LONG = 20.0


class Pool(WorkerPool):
    """A pool whose failures can be waited for."""

    def __init__(self, size: int, clock: Clock | None = None) -> None:
        self.failures: list[BaseException] = []
        self.failed = threading.Event()
        super().__init__(size, clock or SystemClock(), self._note)

    def _note(self, exc: BaseException) -> None:
        self.failures.append(exc)
        self.failed.set()


@pytest.fixture
def pools() -> t.Iterator[t.Callable[..., Pool]]:
    """Makes pools that end with the test."""
    made: list[Pool] = []

    def make(size: int, clock: Clock | None = None) -> Pool:
        made.append(Pool(size, clock))
        return made[-1]

    yield make
    for pool in made:
        pool.close(grace=LONG)


Make = t.Callable[..., Pool]


def test_what_has_begun_comes_before_what_has_not(pools: Make) -> None:
    pool, done, order = pools(1), threading.Event(), []

    def first() -> None:
        pool.begin(lambda: (order.append("beginning"), done.set()))
        pool.soon(lambda: order.append("soon"))
        order.append("first")

    pool.begin(first)
    assert done.wait(LONG)
    assert order == ["first", "soon", "beginning"]


def test_jobs_come_in_the_order_of_their_moments_and_the_clock_passes_only_for_them(pools: Make) -> None:
    clock = FakeClock()
    pool, done, seen = pools(1, clock), threading.Event(), []
    start = clock.monotonic()

    def note() -> None:
        seen.append(round(clock.monotonic() - start, 3))

    def begin() -> None:
        for seconds in (7, 3, 5):
            pool.later(Job(note, start + seconds, math.inf))
        pool.later(Job(done.set, start + 9, math.inf))

    pool.begin(begin)
    assert done.wait(LONG)
    assert seen == [3, 5, 7]
    assert clock.elapsed == pytest.approx(9, abs=0.001)


def test_many_moments_that_are_pushed_in_any_order_are_all_kept(pools: Make) -> None:
    clock = SystemClock()
    pool, lock, left, early = pools(3), threading.Lock(), list(range(200)), []
    done = threading.Event()
    start = clock.monotonic()

    def note(number: int, at: float) -> None:
        with lock:
            early.extend([number] if clock.monotonic() < at - 0.001 else [])
            left.remove(number)
            if not left:
                done.set()

    for number in list(left):
        at = start + (number * 7 % 200) / 1000
        pool.later(Job(lambda number=number, at=at: note(number, at), at, math.inf))
    assert done.wait(LONG)
    assert early == []


def test_a_job_can_be_hastened_and_is_done_once(pools: Make) -> None:
    pool, done, calls = pools(2), threading.Event(), []
    job = Job(lambda: (calls.append(1), done.set()), time.monotonic() + 3600, math.inf)
    pool.later(job)
    pool.hasten(job)
    pool.hasten(job)
    assert done.wait(LONG)
    pool.close(grace=LONG)
    assert calls == [1]


def test_a_job_that_is_hastened_before_it_is_added_is_done_once(pools: Make) -> None:
    pool, done, calls = pools(2), threading.Event(), []
    job = Job(lambda: (calls.append(1), done.set()), time.monotonic() + 3600, math.inf)
    pool.hasten(job)
    pool.later(job)
    assert done.wait(LONG)
    pool.close(grace=LONG)
    assert calls == [1]


def test_a_pause_in_the_middle_of_a_job_lends_its_slot(pools: Make) -> None:
    class WaitingClock(SystemClock):
        def sleep(self, seconds: float) -> None:
            assert others_done.wait(LONG)

    pool, others_done, all_done = pools(1), threading.Event(), threading.Event()
    clock = LendingClock(WaitingClock(), pool)

    def pauses() -> None:
        clock.sleep(5)
        all_done.set()

    pool.begin(pauses)
    for _number in range(4):
        pool.begin(lambda: None)
    pool.begin(others_done.set)
    assert all_done.wait(LONG)


def test_a_short_pause_keeps_its_slot(pools: Make) -> None:
    pool, order, done = pools(1), [], threading.Event()
    clock = LendingClock(SystemClock(), pool)

    def pauses() -> None:
        clock.sleep(0.01)
        order.append("first")

    pool.begin(pauses)
    pool.begin(lambda: (order.append("second"), done.set()))
    assert done.wait(LONG)
    assert order == ["first", "second"]


def test_no_more_jobs_than_slots_are_at_work_also_after_pauses(pools: Make) -> None:
    pool, lock, now, most, left, done = pools(3), threading.Lock(), [0], [0], [40], threading.Event()
    clock = LendingClock(SystemClock(), pool)

    def at_work() -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.002)
        with lock:
            now[0] -= 1

    def work() -> None:
        at_work()
        clock.sleep(0.05)
        at_work()
        with lock:
            left[0] -= 1
        if not left[0]:
            done.set()

    for _number in range(40):
        pool.begin(work)
    assert done.wait(LONG)
    assert most == [3]


def test_what_is_out_of_time_needs_no_slot(pools: Make) -> None:
    pool, over, hangs = pools(1), threading.Event(), threading.Event()

    def hang() -> None:
        now = time.monotonic()
        pool.later(Job(over.set, now, over=now + 0.1))
        hangs.set()
        assert over.wait(LONG)

    pool.begin(hang)
    assert hangs.wait(LONG)
    assert over.wait(LONG)


def test_nothing_begins_after_a_failure(pools: Make) -> None:
    pool, begun = pools(2), []

    def fail() -> t.NoReturn:
        raise KeyError("x")

    pool.begin(fail)
    assert pool.failed.wait(LONG)
    pool.begin(lambda: begun.append(1))
    pool.soon(lambda: begun.append(1))
    pool.close(grace=LONG)
    assert begun == []
    assert [type(exc) for exc in pool.failures] == [KeyError]


def test_what_the_clock_raises_is_a_failure(pools: Make) -> None:
    clock = FakeClock()

    def stop() -> t.NoReturn:
        raise KeyboardInterrupt

    clock.at(5, stop)
    pool = pools(1, clock)
    pool.later(Job(lambda: None, clock.monotonic() + 10, math.inf))
    assert pool.failed.wait(LONG)
    assert [type(exc) for exc in pool.failures] == [KeyboardInterrupt]


def test_what_is_to_be_done_in_the_end_is_done_while_others_hang(pools: Make) -> None:
    pool, hang, begun, cleaned = pools(1), threading.Event(), threading.Event(), []
    pool.begin(lambda: (begun.set(), hang.wait(LONG)))
    assert begun.wait(LONG)
    try:
        pool.close([lambda: cleaned.append(1), lambda: cleaned.append(2)], grace=0.5)
        assert cleaned == [1, 2]
    finally:
        hang.set()


def test_many_short_jobs_take_few_threads(pools: Make) -> None:
    pool, lock, left, done = pools(4), threading.Lock(), [400], threading.Event()

    def once_more(rounds: int) -> None:
        if rounds:
            pool.later(Job(lambda: once_more(rounds - 1), time.monotonic() + 0.001 * (rounds % 7), math.inf))
            return
        with lock:
            left[0] -= 1
        if not left[0]:
            done.set()

    for _number in range(400):
        pool.begin(lambda: once_more(5))
    assert done.wait(LONG)
    # one for each slot and one that watches; on a busy machine, where one that was woken may come late, a few more
    assert len(pool._threads) <= 3 * 4


def test_threads_are_daemons_and_as_few_as_needed(pools: Make) -> None:
    before, done = threading.active_count(), threading.Event()
    pool = pools(64)
    pool.begin(done.set)
    assert done.wait(LONG)
    assert threading.active_count() == before + 1
    assert all(thread.daemon for thread in threading.enumerate() if thread.name.startswith("lockstep-"))
