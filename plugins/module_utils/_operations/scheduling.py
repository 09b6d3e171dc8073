# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Work on many targets at once: what can be done is done by a few threads, and what waits takes none of them."""

from __future__ import annotations

import collections
import contextlib
import functools
import threading
import typing as t

from .._core.clock import Clock, SystemClock
from .._core.stop import Interrupted, Stopped, StopSignal
from .._http.client import RequestCount
from .._lifecycle.provider import Provider
from .._lifecycle.steps import Admission, Look, Looked, Pause, Steps, take
from .admission import RunLimit
from .joint_looks import JointLooks, Wanted, looks_jointly
from .pool import Job, WorkerPool

#: seconds in which threads may end in order once the task is stopped; those that do not end with the process
GRACE = 0.5

Item = t.TypeVar("Item")
Result = t.TypeVar("Result")


class Workers:
    """Threads that work while the calling one waits.

    All work is done in other threads than the calling one, which a signal can therefore interrupt at any time without harm. They
    are daemons: when the process is to end, nothing waits for a server that hangs.

    An exception of the work, or an interruption of the caller, ends the whole: what has not begun never will, and pauses and
    triggers of what has begun raise :class:`Stopped`.

    :param size: how much is done at once.
    """

    def __init__(self, size: int, clock: Clock, stop: StopSignal) -> None:
        self.clock = clock
        self.stop = stop
        self.pool = WorkerPool(size, clock, self._fail)
        self._failures: list[BaseException] = []
        self._left = 0
        self._lock = threading.Lock()

    def run(self, works: t.Sequence[t.Callable[[], None]], leftovers: t.Callable[[], t.Sequence[t.Callable[[], None]]]) -> None:
        """Do all work, begun in this order, until :meth:`one_done` was called for each.

        :param leftovers: what is to be done to end in order, if the whole is ended early.
        :raises Interrupted: the task is to stop.
        """
        self.stop.open()
        self._left = len(works)
        try:
            if self.stop.is_set():
                raise Interrupted
            for work in works:
                self.pool.begin(work)
            if self.stop.wait(until=lambda: bool(self._failures) or not self._left):
                raise Interrupted
            if self._failures:
                raise self._failures[0]
        except BaseException:
            self.stop.set()
            self.pool.close(leftovers(), GRACE)
            raise
        self.pool.close()

    def one_done(self) -> None:
        """Note that work has come to its end."""
        with self._lock:
            self._left -= 1
        if not self._left:
            self.stop.wake()

    def _fail(self, exc: BaseException) -> None:
        self._failures.append(exc)
        self.stop.wake()


def fan_out(
    items: t.Sequence[Item], work: t.Callable[[Item], Result], limit: int, stop: StopSignal | None = None
) -> list[Result]:
    """``work`` on all items with at most ``limit`` at once, each begun in input order; see :class:`Workers`.

    :raises Interrupted: the task is to stop.
    """
    stop = stop or StopSignal()
    workers = Workers(limit, SystemClock(stop), stop)
    results: dict[int, Result] = {}

    def one(number: int, item: Item) -> None:
        results[number] = work(item)
        workers.one_done()

    workers.run([functools.partial(one, number, item) for number, item in enumerate(items)], lambda: ())
    return [results[number] for number in range(len(results))]


class _Course:
    """A lifecycle under way."""

    def __init__(self, steps: Steps[None]) -> None:
        self.steps = steps
        self.has_looked = False


class Scheduler:
    """Takes many lifecycles through their steps, each of which begins with its :class:`Admission`. Waiting takes no thread.

    :param workers: does what is between two steps.
    :param count: of the requests that belong to no single target.
    :param limit: how many lifecycles may be admitted at once; ``None`` for any number.
    """

    def __init__(self, workers: Workers, count: RequestCount, limit: RunLimit | None = None) -> None:
        self._workers = workers
        self._pool = workers.pool
        self._clock = workers.clock
        self._stop = workers.stop
        self._count = count
        self._limit = limit
        self._lock = threading.Lock()
        self._admitted = 0
        self._queue: collections.deque[_Course] = collections.deque()
        #: lifecycles that wait; which thread takes one out of here goes on with it
        self._waiting: set[_Course] = set()
        self._joint: dict[int, JointLooks] = {}

    def run(self, lifecycles: t.Sequence[Steps[None]]) -> None:
        """Take all of them to their ends, begun in this order.

        :raises Interrupted: the task is to stop. Each that waits is ended by :class:`Stopped`.
        """
        courses = [_Course(steps) for steps in lifecycles]
        self._workers.run(
            [functools.partial(self._go_on, course) for course in courses],
            lambda: [functools.partial(self._give_up, course) for course in list(self._waiting)],
        )

    def _go_on(self, course: _Course, looked: Looked | None = None) -> None:
        """Do what is to be done up to the next step that has to be waited for."""
        try:
            step = course.steps.send(looked)
            while isinstance(step, Admission):
                if not self._admits(course):
                    return
                step = course.steps.send(None)
        except StopIteration:
            self._ended(course)
            return
        self._wait(course, step)

    def _give_up(self, course: _Course) -> None:
        """End a lifecycle that waits."""
        if self._claims(course):
            with contextlib.suppress(Stopped, StopIteration):
                course.steps.throw(Stopped())

    # -- waiting -----------------------------------------------------------------------------------------------------

    def _claims(self, course: _Course) -> bool:
        """Whether the calling thread is the one that goes on with a lifecycle that waits."""
        try:
            self._waiting.remove(course)
        except KeyError:
            return False
        return True

    def _wait(self, course: _Course, step: Pause | Look) -> None:
        course.has_looked = course.has_looked or isinstance(step, Look)
        self._waiting.add(course)
        if self._stop.is_set():
            self._give_up(course)
        elif not isinstance(step, Look):
            self._pool.later(Job(functools.partial(self._resume, course), step.at, step.deadline.over))
        elif looks_jointly(step.provider):
            self._looks_of(step.provider).add(Wanted(step, functools.partial(self._after_joint_look, course, step)))
        else:
            job = Job(functools.partial(self._look, course, step), step.at, step.deadline.over)
            step.provider.watch(step.handle, functools.partial(self._pool.hasten, job))
            self._pool.later(job)

    def _resume(self, course: _Course, looked: Looked | None = None) -> None:
        if self._claims(course):
            self._go_on(course, looked)

    def _look(self, course: _Course, step: Look) -> None:
        if self._claims(course):
            self._go_on(course, take(step, self._clock))

    def _after_joint_look(self, course: _Course, step: Look, looked: Looked | None) -> None:
        work = functools.partial(self._look, course, step) if looked is None else functools.partial(self._resume, course, looked)
        self._pool.soon(work, step.deadline.over)

    def _looks_of(self, provider: Provider) -> JointLooks:
        with self._lock:
            if id(provider) not in self._joint:
                looks = JointLooks(provider, self._pool, self._clock, self._count, self._stop)
                self._joint[id(provider)] = looks
            return self._joint[id(provider)]

    # -- how many at once --------------------------------------------------------------------------------------------

    def _admits(self, course: _Course) -> bool:
        with self._lock:
            if not self._has_room():
                self._queue.append(course)
                return False
            self._admitted += 1
            return True

    def _has_room(self) -> bool:
        return self._limit is None or self._limit.allows(self._admitted, self._clock.monotonic())

    def _ended(self, course: _Course) -> None:
        following: list[_Course] = []
        with self._lock:
            self._admitted -= 1
            if self._limit is not None and course.has_looked:
                self._limit.note_run(self._clock.monotonic())
            while self._queue and self._has_room():
                following.append(self._queue.popleft())
                self._admitted += 1
        for each in following:
            self._pool.begin(functools.partial(self._go_on, each))
        self._workers.one_done()
