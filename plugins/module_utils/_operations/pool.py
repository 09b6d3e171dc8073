# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Threads that do short pieces of work, each from a moment on, a limited number of them at once; waiting takes no place."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import datetime as dt
import heapq
import itertools
import math
import threading
import time
import typing as t

from .._core.clock import Clock, SystemClock

#: threads beyond the number of slots: two that watch the time, the others while work with a slot pauses in the middle
SPARE_THREADS = 32
#: seconds; shorter pauses in the middle of work keep their slot
SHORT_PAUSE = 0.05
#: seconds for which work waits after such a pause until a slot is free; then it goes on without one
RETURN_PATIENCE = 1.0
#: seconds by which a sum of moments may be off
ROUNDING = 1e-6


@dataclasses.dataclass(eq=False)
class Job:
    """A piece of work.

    :param at: when it may begin (monotonic seconds).
    :param over: from when on it needs no slot, since its time is over, and it has to say so.
    """

    work: t.Callable[[], None]
    at: float
    over: float
    is_ready: bool = False
    is_taken: bool = False


class WorkerPool:
    """Does jobs in daemon threads, at most ``size`` at once. Threads are started as they are needed.

    :param clock: a clock of tests stands still until it is slept by. The pool does that when all work waits for a moment.
    :param fail: called with what a job raises, or the clock; from then on no job begins.
    """

    def __init__(self, size: int, clock: Clock, fail: t.Callable[[BaseException], None]) -> None:
        self.size = size
        self._clock = clock
        self._fail = fail
        self._passes_by_itself = isinstance(clock, SystemClock)
        self._lock = threading.Lock()
        #: for jobs that have paused: there may be a slot
        self._freed = threading.Condition(self._lock)
        self._numbers = itertools.count()
        self._timers: list[tuple[float, int, Job]] = []
        self._ready: collections.deque[Job] = collections.deque()
        #: jobs that are ready, by the moment from which they need no slot
        self._expiring: list[tuple[float, int, Job]] = []
        self._beginnings: collections.deque[Job] = collections.deque()
        self._threads: list[threading.Thread] = []
        #: of idle threads: there may be something to do. The last one is woken first, as its memory is at hand
        self._idle: list[threading.Condition] = []
        #: threads that were woken or started, and have not looked for a job yet
        self._waking = 0
        #: jobs that have begun and not ended, those that pause included, and how many of them have a slot
        self._jobs = 0
        self._slots = 0
        self._lent = 0
        self._returning = 0
        #: the moment that an idle thread watches
        self._watched = math.inf
        self._broken = False
        self._closed = False
        self._own = threading.local()

    # -- what is to be done ------------------------------------------------------------------------------------------

    def begin(self, work: t.Callable[[], None]) -> None:
        """Do it when nothing is left to be done of what has begun before."""
        self._add(Job(work, -math.inf, math.inf), self._beginnings.append)

    def later(self, job: Job) -> None:
        """Do it from its moment on."""
        self._add(job, lambda job: heapq.heappush(self._timers, (job.at, next(self._numbers), job)))

    def soon(self, work: t.Callable[[], None], over: float = math.inf) -> None:
        """Do it as soon as a slot is free."""
        self._add(Job(work, -math.inf, over), self._make_ready)

    def hasten(self, job: Job) -> None:
        """Do it as soon as a slot is free, whatever its moment is; before it was added as well."""
        if not job.is_ready:
            self._add(job, self._make_ready)

    def _add(self, job: Job, put: t.Callable[[Job], None]) -> None:
        with self._lock:
            if not self._closed:
                put(job)
                self._stir()

    @contextlib.contextmanager
    def lent(self) -> t.Iterator[None]:
        """Lend the slot of the job in this thread to another one, for as long as the ``with`` statement lasts."""
        if not self._give():
            yield
            return
        try:
            yield
        finally:
            self._take_back()

    def _give(self) -> bool:
        """Whether this thread had a slot to lend."""
        with self._lock:
            if not getattr(self._own, "has_slot", False) or self._lent >= SPARE_THREADS - 2:
                return False
            self._own.has_slot = False
            self._lent += 1
            self._slots -= 1
            self._stir()
            return True

    def _take_back(self) -> None:
        with self._lock:
            self._returning += 1
            self._freed.wait_for(lambda: self._closed or self._slots < self.size, RETURN_PATIENCE)
            self._returning -= 1
            self._lent -= 1
            self._slots += 1
            self._stir()
        self._own.has_slot = True

    # -- beginning and end -------------------------------------------------------------------------------------------

    def close(self, last: t.Sequence[t.Callable[[], None]] = (), grace: float = 0.0) -> None:
        """Begin nothing any more.

        :param last: what is still to be done, whatever else is at work.
        :param grace: seconds to wait until everything has ended; what has not goes on in its thread.
        """
        with self._lock:
            self._closed = True
            self._timers.clear()
            self._beginnings.clear()
            self._ready = collections.deque(Job(work, -math.inf, math.inf, is_ready=True) for work in last)
            self._expiring.clear()
            if last and not self._idle:
                self._hire()
            while self._idle:
                self._waking += 1
                self._idle.pop().notify()
            self._freed.notify_all()
        end = time.monotonic() + grace
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _hire(self) -> None:
        if len(self._threads) < self.size + SPARE_THREADS:
            thread = threading.Thread(target=self._thread, name=f"lockstep-{len(self._threads)}", daemon=True)
            # it decrements, as soon as it gets the lock
            thread.start()
            self._waking += 1
            self._threads.append(thread)

    def _thread(self) -> None:
        with self._lock:
            self._waking -= 1
        try:
            while True:
                job = self._next()
                if job is None:
                    return
                job.work()
                self._end()
        except BaseException as exc:  # noqa: BLE001 (raised again in the thread that waits)
            with self._lock:
                self._broken = True
            self._end()
            self._fail(exc)

    def _end(self) -> None:
        with self._lock:
            self._jobs -= 1
            self._slots -= self._own.has_slot
            self._own.has_slot = False
            if self._returning:
                self._freed.notify()

    # -- which job comes next; with the lock --------------------------------------------------------------------------

    def _next(self) -> Job | None:
        """The next job for this thread; waits for one. ``None`` when the pool is closed."""
        with self._lock:
            while True:
                if self._broken and not self._closed:
                    self._idle_for(None)
                    continue
                now = self._clock.monotonic()
                job = self._take(now)
                if job is not None:
                    self._jobs += 1
                    self._stir()
                    return job
                if self._closed:
                    return None
                self._wait(now)

    def _take(self, now: float) -> Job | None:
        while self._timers and (self._timers[0][0] <= now + ROUNDING or self._timers[0][2].is_ready):
            self._make_ready(heapq.heappop(self._timers)[2])
        has_slot = self._has_free_slot()
        job = self._pop(has_slot, now)
        if job is not None:
            job.is_taken = True
            self._slots += has_slot
            self._own.has_slot = has_slot
        return job

    def _pop(self, has_slot: bool, now: float) -> Job | None:
        while self._expiring and self._expiring[0][2].is_taken:
            heapq.heappop(self._expiring)
        if not has_slot:
            is_over = bool(self._expiring) and self._expiring[0][0] <= now
            return heapq.heappop(self._expiring)[2] if is_over else None
        while self._ready:
            job = self._ready.popleft()
            if not job.is_taken:
                return job
        return self._beginnings.popleft() if self._beginnings else None

    def _has_free_slot(self) -> bool:
        return self._closed or self._slots + self._returning < self.size

    def _make_ready(self, job: Job) -> None:
        if job.is_ready:
            return
        job.is_ready = True
        self._ready.append(job)
        if job.over != math.inf:
            heapq.heappush(self._expiring, (job.over, next(self._numbers), job))

    def _stir(self) -> None:
        """See that a thread does, or watches, what there is to be done. One that is waking does the same for the next."""
        can_begin = self._has_free_slot() and (self._ready or self._beginnings)
        if self._waking or (not can_begin and self._moment() >= self._watched):
            return
        if self._idle:
            self._waking += 1
            self._idle.pop().notify()
        else:
            self._hire()

    def _moment(self) -> float:
        """When there will be something to do by the clock alone."""
        timer = self._timers[0][0] if self._timers else math.inf
        return timer if self._has_free_slot() or not self._expiring else min(timer, self._expiring[0][0])

    def _wait(self, now: float) -> None:
        """Wait until there may be something to do."""
        moment = self._moment()
        if not self._passes_by_itself and not self._jobs and moment != math.inf:
            self._pass(moment - now)
            return
        if moment >= self._watched or not self._passes_by_itself:
            self._idle_for(None)
            return
        self._watched = moment
        self._idle_for(moment - now)
        if self._watched == moment:
            self._watched = math.inf

    def _idle_for(self, seconds: float | None) -> None:
        """Wait until this thread is woken, or for so many seconds."""
        woken = threading.Condition(self._lock)
        self._idle.append(woken)
        woken.wait(seconds)
        if woken in self._idle:
            self._idle.remove(woken)
        else:
            self._waking -= 1

    def _pass(self, seconds: float) -> None:
        """Have the time of a clock pass that stands still by itself; meanwhile it is a job like others."""
        self._jobs += 1
        self._own.has_slot = False
        self._lock.release()
        try:
            self._clock.sleep(seconds)
        finally:
            self._lock.acquire()
        self._jobs -= 1


class LendingClock:
    """A clock whose pauses, in the middle of a job, lend the slot of the job to another one."""

    def __init__(self, clock: Clock, pool: WorkerPool) -> None:
        self._clock = clock
        self._pool = pool

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def now(self) -> dt.datetime:
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        if seconds < SHORT_PAUSE:
            self._clock.sleep(seconds)
            return
        with self._pool.lent():
            self._clock.sleep(seconds)
