# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""How many requests of a task are at work at a time, whatever threads they come from, and how many are begun in a second."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import typing as t

from .._core.adaptive_limit import AdaptiveLimit
from .._core.clock import Clock, SystemClock
from .._core.deadline import Deadline
from .._core.errors import SyncError
from .._core.rate_limit import RateLimit

#: statuses by which a server says that it is asked for too much
OVERLOADED = (429, 503)

#: Lends the slot of the calling thread, see :class:`Services`.
Lend = t.Callable[[], t.ContextManager[t.Any]]


@dataclasses.dataclass(frozen=True)
class Place:
    """The place of one request.

    :param number: how many have begun by its beginning, this one included.
    :param had_company: whether others were at work then.
    """

    slots: Slots
    number: int
    had_company: bool

    @property
    def was_shared(self) -> bool:
        """Whether others have been at work at the same time."""
        return self.had_company or self.slots.begun > self.number


class Slots:
    """The places of requests: at most ``number`` at a time, and fewer when the server is overloaded.

    :param rate: requests that may be begun in a second; ``None`` for any number.
    :param lend: for as long as a thread waits for a place.
    :param rounds: see :class:`AdaptiveLimit`.
    """

    def __init__(
        self,
        number: int,
        clock: Clock | None = None,
        rate: float | None = None,
        lend: Lend = contextlib.nullcontext,
        rounds: int = 1,
    ) -> None:
        self.begun = 0
        self._clock = clock or SystemClock()
        self._limit = AdaptiveLimit(number, rounds)
        self._rate = RateLimit(rate) if rate else None
        self._lend = lend
        self._changed = threading.Condition()
        self._at_work = 0

    @contextlib.contextmanager
    def one(self, deadline: Deadline) -> t.Iterator[Place]:
        """A place for one request, as soon as one is free. At the deadline, a last look goes on without.

        :raises SyncError: ``timed_out``, if there is no time left.
        """
        self._await_turn(deadline)
        if not self._take(0):
            with self._lend():
                taken = self._take(min(deadline.budget(), threading.TIMEOUT_MAX))
        else:
            taken = True
        with self._changed:
            self.begun += 1
            place = Place(self, self.begun, self._at_work > taken)
        try:
            yield place
        finally:
            if taken:
                with self._changed:
                    self._at_work -= 1
                    self._changed.notify()

    def _take(self, seconds: float) -> bool:
        with self._changed:
            taken = self._changed.wait_for(lambda: self._at_work < self._limit.value, seconds)
            self._at_work += taken
            return taken

    def _await_turn(self, deadline: Deadline) -> None:
        if self._rate is None:
            return
        now = self._clock.monotonic()
        at = self._rate.take(now, max(now, deadline.at))
        if at is None:
            raise SyncError("timed_out", "rate_limit allows no further request before the deadline", "Raise one of them.")
        self._clock.sleep(at - now)

    def answered(self, status: int) -> None:
        """Note an answer of the server, by its status."""
        if status in OVERLOADED:
            self.overloaded()
        elif status < 500:
            self.succeeded()

    def overloaded(self) -> None:
        """Note that a request was refused because there are too many."""
        with self._changed:
            self._limit.overloaded(self._clock.monotonic())

    def succeeded(self) -> None:
        """Note that a request was not refused for that."""
        with self._changed:
            self._limit.succeeded()
            self._changed.notify()
