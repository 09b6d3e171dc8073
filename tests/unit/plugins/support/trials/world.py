# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A world of its own for trials of the lifecycle: one simulated time, one upstream system, and controllers that come and go.

Everything is real but for the network, the clock and the upstream system: providers, lifecycle, ledger and its database. Nothing
happens at the same time: while one controller sends a request or pauses, others and the system go on, as the source of chance
says. So a trial is decided by its seed alone.
"""

from __future__ import annotations

import datetime as dt
import heapq
import itertools
import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._state.process import ProcessIdentity
from tests.unit.plugins.support.clocks import FakeClock

if t.TYPE_CHECKING:
    from .controller import Controller
    from .system import System

#: moments at which trials begin: an ordinary one, and half an hour before both changes to and from daylight saving time in Europe
BEGINNINGS = (
    dt.datetime(2026, 11, 20, 10, tzinfo=dt.timezone.utc),
    dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.timezone.utc),
    dt.datetime(2027, 3, 28, 0, 30, tzinfo=dt.timezone.utc),
)
HEARTBEAT = 10.0
#: how deep controllers that go on while another one waits may be nested
DEPTH = 3


class Chance(t.Protocol):
    """Where all that is random comes from: :class:`random.Random`, or hypothesis."""

    def random(self) -> float:
        """A number in [0, 1)."""

    def uniform(self, low: float, high: float) -> float:
        """A number between two others."""

    def choice(self, options: t.Sequence[t.Any]) -> t.Any:
        """One of the options."""

    def randint(self, low: int, high: int) -> int:
        """A whole number, the limits included."""


class TrialClock(FakeClock):
    """The clock of all controllers: they are on hosts with one time."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def monotonic(self) -> float:
        return 1000.0 + self._world.elapsed

    def now(self) -> dt.datetime:
        return self._world.local_now()

    def sleep(self, seconds: float) -> None:
        self._world.sleep(seconds)


class World:
    """One trial.

    :param chance: decides what happens.
    :param calm: probability that a request meets no fault.
    """

    #: the one that is being tried, for what cannot be given it
    current: t.ClassVar[World | None] = None

    def __init__(self, chance: Chance, calm: float = 1.0) -> None:
        World.current = self
        self.chance = chance
        self.calm = calm
        self.elapsed = 0.0
        self.start: dt.datetime = chance.choice(BEGINNINGS)
        #: seconds by which the clocks of the controllers and of the system are wrong
        self.local_offset = 0.0
        self.server_offset = 0.0
        self.clock = TrialClock(self)
        self.system: System
        self.controllers: list[Controller] = []
        #: those whose code is being executed, the innermost last
        self.at_work: list[Controller] = []
        self.dead: set[int] = set()
        self.numbers = itertools.count(1)
        self._events: list[tuple[float, int, bool, t.Callable[[], None]]] = []
        self._next_beat = HEARTBEAT
        #: of the next requests; those that follow go by chance
        self.fates: list[str] = []
        #: what happens at the moment at which a trigger is sent, each at one of them
        self.at_triggers: list[t.Callable[[], None]] = []
        #: what must never be, in words
        self.violations: list[str] = []
        #: what was done, for the message of a trial that fails
        self.diary: list[str] = []

    def note(self, text: str) -> None:
        self.diary.append(f"{self.elapsed:8.2f} {text}")

    def violated(self, text: str) -> None:
        self.note(f"VIOLATION {text}")
        self.violations.append(text)

    def local_now(self) -> dt.datetime:
        return self.start + dt.timedelta(seconds=self.elapsed + self.local_offset)

    def server_now(self) -> dt.datetime:
        return self.start + dt.timedelta(seconds=self.elapsed + self.server_offset)

    # -- time --------------------------------------------------------------------------------------------------------

    def at(self, seconds: float, event: t.Callable[[], None], outside: bool = False) -> None:
        """Have something happen so many seconds from now.

        :param outside: the process of the system does not do it.
        """
        heapq.heappush(self._events, (self.elapsed + seconds, next(self.numbers), outside, event))

    def forget_events(self) -> None:
        """Have nothing happen of what the process of the system would have done."""
        self._events = [event for event in self._events if event[2]]
        heapq.heapify(self._events)

    def advance(self, seconds: float) -> None:
        """Have time pass: the system goes on, and live controllers keep their leases."""
        end = self.elapsed + max(0.0, seconds)
        while True:
            moment = min(end, self._next_beat, self._events[0][0] if self._events else end)
            self.elapsed = max(self.elapsed, moment)
            if self._events and self._events[0][0] <= self.elapsed:
                heapq.heappop(self._events)[3]()
            elif self._next_beat <= self.elapsed:
                self._next_beat += HEARTBEAT
                for controller in [each for each in self.controllers if each.beats]:
                    controller.ledger.renew()
            elif self.elapsed >= end:
                return

    def sleep(self, seconds: float) -> None:
        """Pause in the code of a controller, while others go on."""
        if self.at_work:
            self.at_work[-1].check()
        end = self.elapsed + max(0.0, seconds)
        while self.elapsed < end:
            other = self._one_that_is_due(end)
            if other is None:
                self.advance(end - self.elapsed)
            else:
                self.advance(other.due_at - self.elapsed)
                if other.is_busy:
                    other.step()
        if self.at_work:
            self.at_work[-1].check()

    def others_go_on(self, probability: float = 0.2) -> None:
        """Let another controller do a piece of work in the middle of what one does."""
        if self.chance.random() < probability:
            other = self._one_that_is_due(self.elapsed)
            if other is not None:
                other.step()

    def _one_that_is_due(self, by: float) -> Controller | None:
        if len(self.at_work) >= DEPTH:
            return None
        due = [each for each in self.controllers if each not in self.at_work and each.is_busy and each.due_at <= by]
        return min(due, key=lambda each: (each.due_at, each.number), default=None)

    def run(self, until: t.Callable[[], bool] = lambda: False) -> None:
        """Let all controllers work to the end of their tasks, or until something is true."""
        while not until():
            busy = [each for each in self.controllers if each.is_busy]
            if not busy:
                return
            first = min(busy, key=lambda each: (each.due_at, each.number))
            self.advance(first.due_at - self.elapsed)
            # time may have ended it
            if first.is_busy:
                first.step()


def is_gone(process: ProcessIdentity) -> bool:
    """Whether a process of a trial has ended, as far as the controller that asks can know: they are on several hosts."""
    world = World.current
    if world is None or not world.at_work:
        return False
    return process.space == world.at_work[-1].host and process.pid in world.dead
