# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Looks at many runs of one provider at once, for one that has a way to do so."""

from __future__ import annotations

import dataclasses
import functools
import heapq
import itertools
import math
import threading
import typing as t

from .._core.clock import Clock
from .._core.deadline import LAST_LOOK
from .._core.errors import SyncError, wrap_unexpected
from .._core.stop import StopSignal
from .._http.client import RequestCount
from .._lifecycle.poll import Reading
from .._lifecycle.provider import Provider
from .._lifecycle.steps import Look, Looked, without_traceback
from .pool import ROUNDING, Job, WorkerPool

#: seconds after which a joint look that is still at work keeps no other one waiting
PATIENCE = 2.0


def looks_jointly(provider: Provider) -> bool:
    """Whether a provider has a way to look at many runs at once."""
    return type(provider).read_many is not Provider.read_many


@dataclasses.dataclass(frozen=True)
class Wanted:
    """A look that is waited for.

    :param go_on: called with what it shows; ``None`` if the run has to be looked at by itself.
    """

    look: Look
    go_on: t.Callable[[Looked | None], None]


class JointLooks:
    """The looks at the runs of one provider. What is due at about the same time is looked at together.

    When one is due, others come along whose moment is near (:attr:`Look.early`), so runs that are waited for fall into step.
    While a joint look is at work, further ones gather. So the number of joint looks does not grow with the number of runs.

    :param count: of the requests of joint looks, which belong to no single target.
    """

    def __init__(self, provider: Provider, pool: WorkerPool, clock: Clock, count: RequestCount, stop: StopSignal) -> None:
        self._provider = provider
        self._pool = pool
        self._clock = clock
        self._count = count
        self._stop = stop
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._wanted: list[tuple[float, int, Wanted]] = []
        #: the earliest moment at which a job of the pool will see what is due, and the number of that job
        self._scheduled = math.inf
        self._turn = 0
        #: until when further looks gather, as one is at work
        self._busy_until = -math.inf

    def add(self, wanted: Wanted) -> None:
        """Take a look when it is due, or a little earlier."""
        with self._lock:
            heapq.heappush(self._wanted, (wanted.look.at, next(self._numbers), wanted))
            self._schedule()

    def _schedule(self) -> None:
        """See that what comes first is looked at; with the lock."""
        at = max(self._wanted[0][0], self._busy_until) if self._wanted else math.inf
        if at < self._scheduled:
            self._scheduled = at
            self._turn += 1
            over = min(wanted.look.deadline.over for _at, _number, wanted in self._wanted)
            self._pool.later(Job(functools.partial(self._look, self._turn), at, over))

    def _look(self, turn: int) -> None:
        now = self._clock.monotonic()
        with self._lock:
            if turn != self._turn:
                return
            self._scheduled = math.inf
            due = self._take_due(now) if now >= self._busy_until else []
            if due:
                self._busy_until = now + PATIENCE
            else:
                self._schedule()
        if not due:
            return
        try:
            # a last look is short, and must not make others as short
            for group in ([each for each in due if _is_last(each.look) is last] for last in (True, False)):
                self._look_at(group)
        finally:
            with self._lock:
                self._busy_until = -math.inf
                self._scheduled = math.inf
                self._schedule()

    def _take_due(self, now: float) -> list[Wanted]:
        if not self._wanted or self._wanted[0][0] > now + ROUNDING:
            return []
        due = [each for each in self._wanted if each[2].look.at - each[2].look.early <= now + ROUNDING]
        self._wanted = [each for each in self._wanted if each[2].look.at - each[2].look.early > now + ROUNDING]
        heapq.heapify(self._wanted)
        return [wanted for _at, _number, wanted in due]

    def _look_at(self, group: t.Sequence[Wanted]) -> None:
        if not group:
            return
        sent = self._clock.monotonic()
        seen = self._read([each.look for each in group])
        received = self._clock.monotonic()
        for each, reading in zip(group, seen):
            each.go_on(None if reading is None else Looked(sent, received, reading))

    def _read(self, looks: t.Sequence[Look]) -> t.Sequence[Reading | SyncError | None]:
        deadline = min((look.deadline for look in looks), key=lambda deadline: deadline.at)
        channel = self._provider.client.channel(deadline, self._count, self._stop).once()
        try:
            with wrap_unexpected():
                return self._provider.read_many([look.handle for look in looks], channel)
        except SyncError as error:
            # a server that is away is away for each of them; else it may be the list alone that cannot be read
            return [without_traceback(error) if _is_away(error) else None] * len(looks)


def _is_away(error: SyncError) -> bool:
    return error.code in ("connection_failed", "rate_limited", "timed_out") or error.http_status in (502, 503, 504)


def _is_last(look: Look) -> bool:
    return not look.deadline.allows(LAST_LOOK)
