# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An executor that makes its attempts in simulated time."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._probe.workers import AttemptResult

START = 1000.0
DATE = dt.datetime(2026, 11, 20, 21, 0, tzinfo=dt.timezone.utc)


class Time:
    """A clock that stands still unless somebody moves it."""

    def __init__(self) -> None:
        self.moment = START

    def monotonic(self) -> float:
        return self.moment

    def now(self) -> dt.datetime:
        return DATE + dt.timedelta(seconds=self.moment - START)

    def sleep(self, seconds: float) -> None:
        raise AssertionError("a probe waits for its attempts, and does not sleep")


@dataclasses.dataclass(frozen=True)
class Taken:
    """An attempt, in seconds since the start."""

    probe: int
    began: float
    ended: float
    ok: bool


@dataclasses.dataclass(frozen=True)
class Model:
    """A site as it would be found.

    :param duration: seconds that an attempt takes.
    :param broken: spans of time, in seconds since the start, during which an attempt that begins fails.
    """

    duration: float = 0.0
    broken: tuple[tuple[float, float], ...] = ()

    def ok(self, moment: float) -> bool:
        return not any(begin <= moment < end for begin, end in self.broken)


class ModelExecutor:
    """Makes attempts at models; ``log`` has them in the order of their ends."""

    def __init__(self, models: t.Sequence[Model], time: Time) -> None:
        self.models = models
        self.time = time
        self.log: list[Taken] = []
        self.flying: list[Taken] = []
        self.most = 0

    def start(self, probe: int) -> None:
        assert all(each.probe != probe for each in self.flying)
        now, model = self.time.moment - START, self.models[probe]
        self.flying.append(Taken(probe, now, now + model.duration, model.ok(now)))
        self.most = max(self.most, len(self.flying))

    def wait(self, until: float | None) -> list[tuple[int, AttemptResult]]:
        assert self.flying or until is not None
        first = min(self.flying, key=lambda each: (each.ended, each.probe)) if self.flying else None
        if first is None or (until is not None and START + first.ended > until):
            assert until is not None
            assert until > self.time.moment
            self.time.moment = until
            return []
        self.flying.remove(first)
        self.log.append(first)
        self.time.moment = max(self.time.moment, START + first.ended)
        problems = () if first.ok else ("status 503, wanted 200",)
        return [(first.probe, AttemptResult(problems, self.time.moment, self.time.now(), 1, 200 if first.ok else 503, 0.01))]

    def of(self, probe: int) -> list[Taken]:
        return [taken for taken in self.log if taken.probe == probe]
