# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""When to make an attempt of which probe, and which probes have passed: a pure decision from the results so far.

First each probe must succeed a number of times in a row, before a deadline at which a last attempt is made. Then, during the
soak, all must go on succeeding; there a failed attempt counts only if the next one of the same probe fails as well.
"""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass(frozen=True)
class ScheduleRules:
    """The conditions for passing.

    :param successes: successful attempts in a row that each probe needs.
    :param interval: seconds from the end of an attempt to the next one of the same probe.
    :param timeout: seconds until the deadline; 0 for a single attempt of each probe.
    :param soak: seconds for which all probes must remain successful afterwards.
    :param max_parallel: maximum of concurrent attempts.
    """

    successes: int = 1
    interval: float = 1.0
    timeout: float = 60.0
    soak: float = 0.0
    max_parallel: int = 8

    @property
    def needed(self) -> int:
        """Successful attempts in a row that are needed: one if there is a single attempt."""
        return self.successes if self.timeout > 0 else 1


@dataclasses.dataclass(frozen=True)
class Attempt:
    """Begin an attempt of this probe now."""

    probe: int


@dataclasses.dataclass(frozen=True)
class Wait:
    """Begin nothing before an attempt ends or this moment (monotonic seconds) is reached, whichever is first.

    ``until`` is ``None`` if only the end of an attempt can change anything.
    """

    until: float | None


@dataclasses.dataclass(frozen=True)
class Over:
    """All is decided, and no attempt is in flight."""


Step = t.Union[Attempt, Wait, Over]


@dataclasses.dataclass
class Track:
    """The state of one probe.

    :param due: time of the next attempt (monotonic seconds), ``None`` if no more are needed.
    :param flying: whether an attempt is in flight.
    :param ended: when the last attempt ended.
    :param consecutive: successful attempts in a row, up to now.
    :param passed: whether it has succeeded as often as needed, and has not failed since.
    :param suspect: whether its last attempt failed during the soak.
    """

    due: float | None
    flying: bool = False
    ended: float = 0.0
    attempts: int = 0
    consecutive: int = 0
    passed: bool = False
    suspect: bool = False


class Schedule:
    """Decides after each attempt what is next. Does no I/O and never sleeps.

    :param probes: number of probes.
    :param now: when it begins (monotonic seconds, as all moments here).
    """

    def __init__(self, probes: int, rules: ScheduleRules, now: float) -> None:
        self.rules = rules
        self.deadline = now + rules.timeout
        self.tracks = [Track(due=now) for dummy in range(probes)]
        #: when all probes had passed, if they have
        self.green_at: float | None = None
        #: whether the soak ended early
        self.broken = False

    @property
    def ok(self) -> bool:
        """Whether all probes have passed."""
        return all(track.passed for track in self.tracks)

    def next(self, now: float) -> Step:
        """What to do now. An :class:`Attempt` counts as begun when it is returned."""
        flying = sum(track.flying for track in self.tracks)
        waiting = [(track.due, number) for number, track in enumerate(self.tracks) if track.due is not None and not track.flying]
        if not waiting:
            return Wait(None) if flying else Over()
        if flying >= self.rules.max_parallel:
            return Wait(None)
        due, number = min(waiting)
        if due > now:
            return Wait(due)
        self.tracks[number].flying = True
        return Attempt(number)

    def ended(self, probe: int, now: float, ok: bool) -> None:
        """Note that the attempt of ``probe`` ended now."""
        track = self.tracks[probe]
        track.flying, track.ended = False, now
        track.attempts += 1
        track.consecutive = track.consecutive + 1 if ok else 0
        if self.green_at is None:
            self._prove(track, now)
        else:
            self._soak(track, now, ok, self.green_at + self.rules.soak)

    def _prove(self, track: Track, now: float) -> None:
        track.passed = track.consecutive >= self.rules.needed
        if track.passed or now >= self.deadline:
            track.due = None
        else:
            track.due = min(now + self.rules.interval, self.deadline)
        if self.ok:
            self.green_at = now
            self._begin_soak(now)

    def _begin_soak(self, now: float) -> None:
        if self.rules.soak <= 0:
            return
        for track in self.tracks:
            track.due = max(now, min(track.ended + self.rules.interval, now + self.rules.soak))

    def _soak(self, track: Track, now: float, ok: bool, end: float) -> None:
        if not ok and track.suspect:
            track.passed, self.broken = False, True
        track.suspect = not ok
        if self.broken:
            for each in self.tracks:
                each.due = None
        elif not ok:
            # after the interval, even if the soak has ended by then
            track.due = now + self.rules.interval
        else:
            track.due = min(now + self.rules.interval, end) if now < end else None
