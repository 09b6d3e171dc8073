# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A random trial: controllers with one ledger bring a release to a target, while everything that can go wrong does."""

from __future__ import annotations

import collections
import random
import typing as t

from .controller import Controller
from .system import System
from .world import World

#: how many tasks at most are run again after they have failed, in all
MOST_TASKS = 8
#: how many undisturbed tasks it takes at most to bring the release to the target; each but the last one ends with a failure that
#: says why
MOST_CALM_TASKS = 6
RELEASE = "1"


class Trial:
    """One trial.

    :param location: of a ledger that nothing has used yet.
    """

    def __init__(self, system: t.Callable[[World], System], seed: int, location: str) -> None:
        self.chance = random.Random(seed)
        self.location = location
        self.world = World(self.chance, calm=self.chance.choice((1.0, 0.97, 0.9, 0.7)))
        self.system = system(self.world)
        self.tasks = 0
        self.counts: collections.Counter[str] = collections.Counter()

    def run(self) -> None:
        """What is left in :attr:`World.violations` must not be."""
        chance, world = self.chance, self.world
        self._plan_disturbances()
        for _number in range(chance.randint(1, 2)):
            self._begin(self._new_controller())
        while True:
            world.run()
            idle = [each for each in world.controllers if not each.is_dead and not each.is_busy]
            if self.tasks >= MOST_TASKS or chance.random() < 0.2:
                break
            world.advance(chance.choice((0.0, 1.0, 30.0, 90.0, 4000.0)))
            self._begin(idle[0] if idle and chance.random() < 0.7 else self._new_controller())
        finish_in_peace(self.world, self.location, RELEASE)

    def _new_controller(self) -> Controller:
        self.counts["controllers"] += 1
        return Controller(self.world, self.location, self.chance.choice("aab"))

    def _begin(self, controller: Controller) -> None:
        self.tasks += 1
        chance = self.chance
        options: dict[str, t.Any] = {
            "wait_timeout": chance.choice((20.0, 120.0, 600.0)),
            "if_running": chance.choice(("join", "join", "join", "queue", "fail")),
            "request_timeout": chance.choice((5.0, 30.0)),
        }
        if chance.random() < 0.1:
            options["wait"] = False
        if chance.random() < 0.4:
            controller.fuse = chance.randint(1, 60)
        controller.begin(RELEASE, **options)
        if chance.random() < 0.1:
            self.world.at(chance.uniform(0, 60), controller.terminate, outside=True)

    def _plan_disturbances(self) -> None:
        world, chance = self.world, self.chance
        for event in (self._outage, self._restart, self._somebody_else, self._jump_here, self._jump_there):
            for _time in range(chance.choice((0, 0, 1, 2))):
                if chance.random() < 0.2:
                    world.at_triggers.append(event)
                else:
                    world.at(chance.uniform(0, 200), event, outside=True)

    # -- disturbances ------------------------------------------------------------------------------------------------

    def _outage(self) -> None:
        self.counts["outages"] += 1
        self.world.note("the system is offline")
        self.system.is_offline = True
        self.world.at(self.chance.choice((1.0, 10.0, 40.0, 100.0)), self._end_outage, outside=True)

    def _end_outage(self) -> None:
        self.system.is_offline = False

    def _restart(self) -> None:
        self.counts["restarts"] += 1
        self.world.note("the system restarts")
        self.system.restart()
        self._outage()

    def _somebody_else(self) -> None:
        self.counts["others"] += 1
        self.world.note("somebody else is at work")
        self.system.trigger(None)

    def _jump_here(self) -> None:
        self.counts["jumps"] += 1
        self.world.local_offset = self.chance.choice((-3600.0, 0.0, 3600.0))
        self.world.note(f"the clock of the controllers jumps: {self.world.local_offset:+g}")

    def _jump_there(self) -> None:
        self.counts["jumps"] += 1
        self.world.server_offset = self.chance.choice((-3600.0, 0.0, 3600.0))
        self.world.note(f"the clock of the system jumps: {self.world.server_offset:+g}")


def finish_in_peace(world: World, location: str, release: str) -> None:
    """Without disturbances, a release gets to the target, and stays there without another trigger."""
    system = world.system
    world.calm, system.failing = 1.0, 0.0
    world.at_triggers.clear()
    world.fates.clear()
    system.is_offline = False
    # tasks for earlier releases end first
    world.run()
    world.advance(8000.0)
    system.is_offline = False
    system.make_peace()
    controller = Controller(world, location, "c")
    for _number in range(MOST_CALM_TASKS):
        controller.begin(release, wait_timeout=900.0)
        world.run(lambda: not controller.is_busy)
        record = controller.ended[-1]
        if record.failure is None:
            break
    else:
        world.violated(f"no undisturbed task succeeds: {[str(each.failure) for each in controller.ended]}")
    runs = len(system.runs)
    controller.begin(release, wait_timeout=900.0)
    world.run(lambda: not controller.is_busy)
    record = controller.ended[-1]
    if record.failure is not None or len(system.runs) != runs:
        world.violated(f"a further task is {record.action}: {record.failure}; {len(system.runs) - runs} more runs")
