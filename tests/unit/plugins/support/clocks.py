# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A clock that passes only where somebody sleeps."""

from __future__ import annotations

import datetime as dt
import threading
import typing as t


class FakeClock:
    """Satisfies the protocol of the core's clock.

    :param skew: seconds by which its wall clock is ahead of the real one.
    """

    def __init__(self, skew: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._start = dt.datetime.now(dt.timezone.utc).replace(microsecond=0) + dt.timedelta(seconds=skew)
        self._elapsed = 0.0
        self.sleeps: list[float] = []
        #: called with the clock at the first sleep that reaches the moment
        self._alarms: list[tuple[float, t.Callable[[], None]]] = []

    @property
    def elapsed(self) -> float:
        """Seconds slept in all."""
        return self._elapsed

    def monotonic(self) -> float:
        return 1000.0 + self._elapsed

    def now(self) -> dt.datetime:
        return self._start + dt.timedelta(seconds=self._elapsed)

    def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return
        with self._lock:
            self.sleeps.append(seconds)
            self._elapsed += seconds
            due = [call for at, call in self._alarms if at <= self._elapsed]
            self._alarms = [(at, call) for at, call in self._alarms if at > self._elapsed]
        for call in due:
            call()

    def at(self, elapsed: float, call: t.Callable[[], None]) -> None:
        """Have ``call`` made in the thread that sleeps up to this many seconds after the start."""
        self._alarms.append((elapsed, call))


class StillClock:
    """A clock that starts at a given moment, for tests that compare dates.

    :param start: the wall-clock time before the first sleep.
    """

    def __init__(self, start: dt.datetime = dt.datetime(2026, 11, 20, 10, tzinfo=dt.timezone.utc)) -> None:
        self.start = start
        self.elapsed = 0.0

    def monotonic(self) -> float:
        return self.elapsed

    def now(self) -> dt.datetime:
        return self.start + dt.timedelta(seconds=self.elapsed)

    def sleep(self, seconds: float) -> None:
        self.elapsed += max(0.0, seconds)
