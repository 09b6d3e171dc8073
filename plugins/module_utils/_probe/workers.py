# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Concurrent attempts, each returned as soon as it ends.

Unlike with the fan-out of the core, which ends with the slowest target, a site that hangs must not delay the attempts of others.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import queue
import threading
import typing as t

from .._core.clock import Clock, SystemClock
from .._core.stop import Interrupted, StopSignal


@dataclasses.dataclass(frozen=True)
class AttemptResult:
    """The result of one attempt.

    :param problems: empty if all expectations were met.
    :param latency: seconds until the last byte, ``None`` without a complete response.
    :param ended: when it ended, in monotonic seconds.
    :param at: the same as a date.
    :param requests: requests sent.
    """

    problems: tuple[str, ...]
    ended: float
    at: dt.datetime
    requests: int = 0
    status: int | None = None
    latency: float | None = None
    certificate_days: int | None = None


class ProbeExecutor(t.Protocol):
    """Makes attempts without blocking the caller."""

    def start(self, probe: int) -> None:
        """Begin an attempt of the probe with this number."""

    def wait(self, until: float | None) -> list[tuple[int, AttemptResult]]:
        """Attempts that have ended; waits for the first one, but not longer than ``until`` (monotonic seconds).

        :raises Interrupted: the task is to stop.
        """


class ThreadedExecutor:
    """One thread for each attempt.

    The threads are daemons, so that a stopped task does not wait for a server that hangs.

    :param attempt: makes an attempt of the probe with this number; must not raise.
    :param clock: its stop signal ends the waiting as well.
    """

    def __init__(self, attempt: t.Callable[[int], AttemptResult], clock: Clock) -> None:
        self._attempt = attempt
        self._clock = clock
        self._stop = clock.stop if isinstance(clock, SystemClock) else StopSignal()
        self._stop.open()
        self._ended: queue.SimpleQueue[tuple[int, AttemptResult]] = queue.SimpleQueue()

    def start(self, probe: int) -> None:
        threading.Thread(target=self._run, args=(probe,), name=f"lockstep-probe-{probe}", daemon=True).start()

    def _run(self, probe: int) -> None:
        self._ended.put((probe, self._attempt(probe)))
        self._stop.wake()

    def wait(self, until: float | None) -> list[tuple[int, AttemptResult]]:
        seconds = None if until is None else max(0.0, until - self._clock.monotonic())
        if self._stop.wait(seconds, until=lambda: not self._ended.empty()):
            raise Interrupted
        try:
            return [self._ended.get_nowait()]
        except queue.Empty:
            return []
