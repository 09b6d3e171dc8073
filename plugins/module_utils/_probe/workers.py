# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Who takes the looks: several at once, each handed over the moment it ends.

Unlike the fan-out of the core, which ends when the slowest of a round does: a site that hangs must not keep the others
from being looked at in time.
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
    """What one look showed.

    :param problems: none if all was as it should be.
    :param latency: seconds until the last byte, ``None`` without a complete answer.
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
    """Takes looks without keeping the one who orders them waiting."""

    def start(self, probe: int) -> None:
        """Begin a look at the probe of this number."""

    def wait(self, until: float | None) -> list[tuple[int, AttemptResult]]:
        """Looks that have ended, once there is one, or none once it is ``until`` (monotonic seconds).

        :raises Interrupted: the task is to stop.
        """


class ThreadedExecutor:
    """A thread for each look.

    They are daemons: when the task is being stopped, nobody waits for a server that hangs.

    :param look: takes a look at the probe of this number; must not raise.
    :param clock: its stop signal ends the waiting, too.
    """

    def __init__(self, look: t.Callable[[int], AttemptResult], clock: Clock) -> None:
        self._look = look
        self._clock = clock
        self._stop = clock.stop if isinstance(clock, SystemClock) else StopSignal()
        self._stop.open()
        self._ended: queue.SimpleQueue[tuple[int, AttemptResult]] = queue.SimpleQueue()

    def start(self, probe: int) -> None:
        threading.Thread(target=self._run, args=(probe,), name=f"lockstep-probe-{probe}", daemon=True).start()

    def _run(self, probe: int) -> None:
        self._ended.put((probe, self._look(probe)))
        self._stop.wake()

    def wait(self, until: float | None) -> list[tuple[int, AttemptResult]]:
        seconds = None if until is None else max(0.0, until - self._clock.monotonic())
        if self._stop.wait(seconds, until=lambda: not self._ended.empty()):
            raise Interrupted
        try:
            return [self._ended.get_nowait()]
        except queue.Empty:
            return []
