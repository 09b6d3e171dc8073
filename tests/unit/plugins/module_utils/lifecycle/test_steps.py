# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lifecycle as a generator of what it waits for."""

from __future__ import annotations

import random
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import InternalError, SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import RequestCount
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.lifecycle import Lifecycle
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.plan import Policy
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.poll import PollPolicy, Reading
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Services, Target
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.record import Record
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.settings import LifecycleSettings
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.steps import Look, Looked, Pause, Step, Steps, drive, pause
from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import sync_spec
from tests.unit.plugins.support.clocks import StillClock
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, validated
from tests.unit.plugins.support.web import Reply


class Lone:
    """One target, without the task around it."""

    def __init__(self, lab: Lab, policy: Policy | None = None, wait_timeout: float = 900.0) -> None:
        self.lab = lab
        services = Services(lab.clock, Redactor(), random.Random(1), lambda text: None)
        provider = Fifth(validated(sync_spec(Fifth), lab.options()), services)
        settings = LifecycleSettings(policy or Policy(), PollPolicy(), wait_timeout=wait_timeout)
        self.record = Record("seven", "fifth")
        channel = provider.client.channel(Deadline(lab.clock, wait_timeout), RequestCount())
        self.steps = Lifecycle(provider, lab.ledger, settings, services, Target("7", "seven"), self.record, channel).steps()


@pytest.fixture
def lone(lab: Lab) -> Lone:
    return Lone(lab)


def kinds(steps: Steps[None], readings: t.Iterable[Reading | SyncError], lab: Lab) -> t.Iterator[Step]:
    """The steps, given what the looks show; time passes as they want, and nothing is slept by themselves."""
    answer: Looked | None = None
    shown = list(readings)
    while True:
        try:
            step = steps.send(answer)
        except StopIteration:
            return
        assert lab.clock.monotonic() <= step.at
        lab.clock.sleep(step.at - lab.clock.monotonic())
        answer = Looked(step.at, step.at, shown.pop(0)) if isinstance(step, Look) else None
        yield step


def test_between_two_steps_nothing_is_waited_for(lone: Lone) -> None:
    slept = list(lone.lab.clock.sleeps)
    step = next(lone.steps)
    assert isinstance(step, Look)
    assert lone.lab.posts == 1
    assert lone.lab.clock.sleeps == slept
    assert step.handle == lone.record.handle
    assert 0.45 <= step.at - lone.lab.clock.monotonic() <= 0.55


def test_what_a_look_shows_is_sent_into_it(lone: Lone) -> None:
    lone.lab.service.duration = 0
    steps = list(kinds(lone.steps, [Reading("running"), SyncError("connection_failed", "away"), Reading("succeeded")], lone.lab))
    assert [type(step) for step in steps] == [Look] * 3
    assert (lone.record.state, lone.record.polls, lone.lab.posts) == ("succeeded", 3, 1)


def test_a_refused_trigger_is_a_pause_and_no_sleep(lone: Lone) -> None:
    lone.lab.service.fates = [Reply(429, headers={"Retry-After": "7"})]
    first, second = list(kinds(lone.steps, [Reading("succeeded")], lone.lab))
    assert (type(first), type(second)) == (Pause, Look)
    assert lone.lab.clock.sleeps[0] == 7
    assert lone.lab.posts == 2


def test_a_pause_ends_at_the_deadline() -> None:
    clock = StillClock()
    deadline = Deadline(clock, 5)
    (step,) = pause(60, deadline)
    assert step == Pause(5, deadline)


def test_a_lifecycle_can_be_driven_alone(lone: Lone) -> None:
    drive(lone.steps, lone.lab.clock)
    assert (lone.record.state, lone.record.action, lone.lab.posts) == ("succeeded", "triggered", 1)
    assert lone.lab.clock.elapsed >= lone.lab.service.duration


def test_a_bug_in_a_look_is_what_the_look_shows(lab: Lab) -> None:
    class Broken(Fifth):
        def read(self, handle: t.Mapping[str, t.Any], channel: t.Any) -> Reading:
            raise KeyError("state")

    provider = Broken(validated(sync_spec(Broken), lab.options()), Services(lab.clock, Redactor(), random.Random(1), print))
    channel = provider.client.channel(Deadline(lab.clock, 60), RequestCount())

    def steps() -> Steps[Looked | None]:
        return (yield Look(provider, {}, channel, lab.clock.monotonic() + 3))

    looked = drive(steps(), lab.clock)
    assert looked is not None
    assert isinstance(looked.seen, InternalError)
    assert looked.sent == looked.received == lab.clock.monotonic()
    assert lab.clock.sleeps == [3]
