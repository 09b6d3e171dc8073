# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""How many targets of a task may be under way at once, from the moment at which one is looked for until it is done."""

from __future__ import annotations

import typing as t


class RunLimit(t.Protocol):
    """Not for several threads at once. Times are monotonic seconds."""

    def allows(self, under_way: int, now: float) -> bool:
        """Whether one more may begin."""

    def note_run(self, now: float) -> None:
        """Note that one has ended that had a run."""


class FixedLimit:
    """A number that is given."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def allows(self, under_way: int, now: float) -> bool:
        return under_way < self._limit

    def note_run(self, now: float) -> None:
        pass


class PacedLimit:
    """For a server that takes any number of runs and does them one after the other.

    A deadline goes on while a run is queued there. So no more are begun than the server has been able to do within a part of the
    time that each of them has, once it is known how fast it is (Little's law).

    :param time: seconds that each has.
    """

    #: how many may be under way before the pace is known, and at least
    AT_LEAST = 250
    #: the part of the time that a run may be queued
    SHARE = 0.25

    def __init__(self, time: float) -> None:
        self._time = time
        self._began: float | None = None
        self._ended = 0
        self._limit: float = self.AT_LEAST

    def allows(self, under_way: int, now: float) -> bool:
        if self._began is None:
            self._began = now
        return under_way < self._limit

    def note_run(self, now: float) -> None:
        self._ended += 1
        elapsed = now - (now if self._began is None else self._began)
        pace = self._ended / elapsed if elapsed > 0 else 0.0
        self._limit = max(self.AT_LEAST, pace * self._time * self.SHARE)
