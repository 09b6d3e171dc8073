# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""When to look at which probe, and which of them have passed: a pure decision, given what was seen and when.

First each probe has to succeed a number of times in a row, by a deadline at which a last look is taken. Then, for the time
of the soak, all have to go on succeeding; here a failing look counts once the next one at the same probe has failed too.
"""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass(frozen=True)
class ScheduleRules:
    """What it takes to pass.

    :param successes: successful looks in a row that each probe needs.
    :param interval: seconds from the end of a look to the next one at the same probe.
    :param timeout: seconds until the deadline; 0 for a single look at each probe, which then decides.
    :param soak: seconds for which all probes have to stay successful afterwards.
    :param max_parallel: looks at once.
    """

    successes: int = 1
    interval: float = 1.0
    timeout: float = 60.0
    soak: float = 0.0
    max_parallel: int = 8

    @property
    def needed(self) -> int:
        """Successful looks in a row that it really takes."""
        return self.successes if self.timeout > 0 else 1


@dataclasses.dataclass(frozen=True)
class Attempt:
    """Begin a look at this probe now."""

    probe: int


@dataclasses.dataclass(frozen=True)
class Wait:
    """Nothing to begin before a look ends, or this moment (monotonic seconds) has come, whichever is first.

    ``until`` is ``None`` where only the end of a look can bring anything new.
    """

    until: float | None


@dataclasses.dataclass(frozen=True)
class Over:
    """All is decided, and no look is in flight."""


Step = t.Union[Attempt, Wait, Over]


@dataclasses.dataclass
class Track:
    """Where one probe stands.

    :param due: when to look next (monotonic seconds), ``None`` if it needs no more looks.
    :param flying: whether a look at it is in flight.
    :param ended: when the last look at it ended.
    :param consecutive: successful looks in a row at the end.
    :param passed: whether it has had all the successes that it needs, and has not failed since.
    :param suspect: whether its last look failed during the soak.
    """

    due: float | None
    flying: bool = False
    ended: float = 0.0
    attempts: int = 0
    consecutive: int = 0
    passed: bool = False
    suspect: bool = False


class Schedule:
    """Decides after each look what is next. Does no I/O and never sleeps.

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
        """What to do now. A :class:`Attempt` counts as begun once it is handed out."""
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
        """Note that the look at ``probe`` ended now."""
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
            # straight after the interval, past the end of the soak if need be
            track.due = now + self.rules.interval
        else:
            track.due = min(now + self.rules.interval, end) if now < end else None
