# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The point in time by which the work on a target has to be over."""

from __future__ import annotations

import contextlib
import math
import threading
import typing as t

from .clock import Clock
from .errors import SyncError

#: seconds after the deadline by which a last look has to be over, too
LAST_LOOK = 1.0


class _Lock(t.Protocol):
    """A lock of either kind that ``threading`` has."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Whether it is held, now or within a time-out."""

    def release(self) -> None:
        """Have others hold it."""


class Deadline:
    """The one point in time by which the work on a target has to be over, from finding it to verifying the effect.

    It begins with this object, which is made when the target is looked for.

    :param clock: source of time.
    :param seconds: allowance from now on.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.clock = clock
        self.seconds = seconds
        self.at = clock.monotonic() + seconds

    @property
    def over(self) -> float:
        """From this moment on it is too late for a last look as well: nothing is sent any more."""
        return self.at + LAST_LOOK / 2

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - self.clock.monotonic())

    def allows(self, seconds: float) -> bool:
        """Whether a pause of ``seconds`` ends before the deadline."""
        return seconds < self.remaining()

    def budget(self, seconds: float = math.inf) -> float:
        """Seconds that a request, or anything else that cannot be cut short, may take if it begins now.

        It ends by the deadline. One that begins in the last second before it, or at it, has a second: the last look.

        :param seconds: that it would take at most without a deadline.
        :raises SyncError: ``timed_out``, if it is too late for a last look as well.
        """
        now = self.clock.monotonic()
        left = self.at - now
        if now >= self.over:
            problem = f"the time for this target is over (wait_timeout or its like, {self.seconds:g} s)"
            raise SyncError("timed_out", problem, "Allow more time, or run the task again later.")
        return min(seconds, left if left > LAST_LOOK else min(LAST_LOOK, left + LAST_LOOK))

    @contextlib.contextmanager
    def holding(self, lock: _Lock) -> t.Iterator[None]:
        """Hold a lock within the ``with`` statement. Another target may have it for as long as that one has time.

        :raises SyncError: ``timed_out``, if it is not free by the deadline.
        """
        if not lock.acquire(timeout=min(self.budget(), threading.TIMEOUT_MAX)):
            problem = f"another target was at work for all the time of this one ({self.seconds:g} s)"
            raise SyncError("timed_out", problem, "Allow more time, or run the task again later.")
        try:
            yield
        finally:
            lock.release()

    def sleep(self, seconds: float) -> None:
        """Pause, but never past the deadline."""
        self.clock.sleep(min(seconds, self.remaining()))
