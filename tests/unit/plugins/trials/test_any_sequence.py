# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any sequence of events leaves controllers, ledger and system in a state that is right, and claims that are true."""

from __future__ import annotations

import pathlib
import random
import tempfile
import typing as t

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from ansible_collections.lockstep.sync.plugins.module_utils._state.process import ProcessIdentity
from tests.conftest import Repeats
from tests.unit.plugins.support.trials.controller import Controller
from tests.unit.plugins.support.trials.crafter import StudioSystem
from tests.unit.plugins.support.trials.plm import MediaSystem
from tests.unit.plugins.support.trials.serveravatar import StagingSystem
from tests.unit.plugins.support.trials.system import System
from tests.unit.plugins.support.trials.trial import finish_in_peace
from tests.unit.plugins.support.trials.vinyldns import ZoneSystem
from tests.unit.plugins.support.trials.wire import FATES
from tests.unit.plugins.support.trials.world import World, is_gone

HOUR = 3600.0
#: hosts of the two controllers: one knows of the other that it has ended only if they are on the same one
HOSTS = (("a", "a"), ("a", "b"))

which = st.sampled_from((0, 1))


class Controllers(RuleBasedStateMachine):
    """Two controllers with one ledger, and a model of an upstream system."""

    system_class: t.ClassVar[type[System]]

    @initialize(seed=st.integers(0, 2**16), hosts=st.sampled_from(HOSTS))
    def start(self, seed: int, hosts: tuple[str, str]) -> None:
        self.place = tempfile.TemporaryDirectory()
        self.location = str(pathlib.Path(self.place.name) / "ledger.sqlite3")
        self.world = World(random.Random(seed))
        self.system = self.system_class(self.world)
        self.hosts = hosts
        self.pair = [Controller(self.world, self.location, host) for host in hosts]
        self.release = 1

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            for controller in self.pair:
                controller.is_paused = False
            finish_in_peace(self.world, self.location, str(self.release))
            self.all_is_right()
        finally:
            self.place.cleanup()

    @invariant()
    def all_is_right(self) -> None:
        if hasattr(self, "world"):
            assert self.world.violations == [], "\n".join(self.world.diary)

    # -- controllers -------------------------------------------------------------------------------------------------

    @rule(
        number=which,
        if_running=st.sampled_from(("join", "queue", "fail")),
        timeout=st.sampled_from((20.0, 120.0, 600.0)),
        wait=st.sampled_from((True, True, True, False)),
    )
    def begin(self, number: int, if_running: str, timeout: float, wait: bool) -> None:
        if self.pair[number].is_dead:
            self.pair[number] = Controller(self.world, self.location, self.hosts[number])
        if not self.pair[number].has_task:
            self.pair[number].begin(str(self.release), if_running=if_running, wait_timeout=timeout, wait=wait)

    @rule(number=which)
    def step(self, number: int) -> None:
        controller = self.pair[number]
        if controller.is_busy:
            self.world.advance(controller.due_at - self.world.elapsed)
            if controller.is_busy:
                controller.step()

    @rule(seconds=st.sampled_from((0.5, 5.0, 30.0, 61.0, 700.0)))
    def go_on(self, seconds: float) -> None:
        self.world.sleep(seconds)

    @rule(number=which, moments=st.integers(1, 40))
    def kill_soon(self, number: int, moments: int) -> None:
        """After so many requests and transactions, or in the middle of them."""
        self.pair[number].fuse = moments

    @rule(number=which)
    def kill(self, number: int) -> None:
        if not self.pair[number].is_dead:
            self.pair[number].die()

    @rule(number=which)
    def terminate(self, number: int) -> None:
        self.pair[number].terminate()

    @rule(number=which, seconds=st.sampled_from((5.0, 61.0, 200.0)))
    def pause(self, number: int, seconds: float) -> None:
        """Its machine stands still; its lease may expire meanwhile."""
        self.pair[number].is_paused = True
        self.world.sleep(seconds)
        self.pair[number].is_paused = False

    # -- the network, the system, and others -------------------------------------------------------------------------

    @rule(fates=st.lists(st.sampled_from(("", *FATES)), min_size=1, max_size=4))
    def disturb(self, fates: list[str]) -> None:
        """What becomes of the next requests."""
        self.world.fates += fates

    @rule(seconds=st.sampled_from((1.0, 40.0, 100.0)))
    def outage(self, seconds: float) -> None:
        self.system.is_offline = True
        self.world.sleep(seconds)
        self.system.is_offline = False

    @rule()
    def restart(self) -> None:
        self.system.restart()

    @rule()
    def somebody_else(self) -> None:
        self.system.trigger(None)

    @rule(offset=st.sampled_from((-HOUR, 0.0, HOUR)))
    def jump_here(self, offset: float) -> None:
        self.world.local_offset = offset

    @rule(offset=st.sampled_from((-HOUR, 0.0, HOUR)))
    def jump_there(self, offset: float) -> None:
        self.world.server_offset = offset

    @rule()
    def new_release(self) -> None:
        self.release += 1
        self.system.change()


class ZoneControllers(Controllers):
    system_class = ZoneSystem

    @rule(steps=st.sampled_from((1, 2**31 - 1, 2**31, -1)))
    def move_serial(self, steps: int) -> None:
        """Past the point where serials begin anew (RFC 1982), and back."""
        assert isinstance(self.system, ZoneSystem)
        self.system.move_serial(steps)


class StagingControllers(Controllers):
    system_class = StagingSystem


class StudioControllers(Controllers):
    system_class = StudioSystem


class MediaControllers(Controllers):
    system_class = MediaSystem


MACHINES = {
    "vinyldns": ZoneControllers,
    "serveravatar": StagingControllers,
    "crafter": StudioControllers,
    "plm": MediaControllers,
}


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_any_sequence(machine: type[Controllers], monkeypatch: pytest.MonkeyPatch, repeats: Repeats) -> None:
    monkeypatch.setattr(ProcessIdentity, "is_gone", is_gone)
    examples = repeats(12, 60, 1000)
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=30, deadline=None))
