# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fewer requests at once while a server refuses some for now."""

from __future__ import annotations

import threading
import time

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.adaptive_limit import ONE_OVERLOAD
from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._http.slots import Slots
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Observation, Run, Target
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, column
from tests.unit.plugins.support.web import Reply


def test_a_refusal_halves_them_and_good_answers_bring_them_back() -> None:
    slots, deadline = Slots(4, FakeClock()), Deadline(SystemClock(), 600)

    def room() -> int:
        taken = 0
        while slots._take(0):
            taken += 1
        slots._at_work -= taken
        return taken

    assert room() == 4
    slots.answered(429)
    assert room() == 2
    for _answer in range(5):
        slots.answered(200)
    assert room() == 4
    slots.answered(500)
    assert room() == 4
    with slots.one(deadline) as place:
        assert not place.was_shared
        with slots.one(deadline) as second:
            assert second.was_shared
        assert place.was_shared


@pytest.mark.parametrize(("status", "at_once"), [(429, 3), (503, 3), (502, 4)])
def test_what_a_server_answers_is_noted(lab: Lab, status: int, at_once: int) -> None:
    """Two good answers after the refusal, the round of the half of four, allow one more."""
    seen: list[int] = []

    class Noting(Fifth):
        def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
            seen.append(self.client.slots._limit.value)
            return super().trigger(target, observation, channel)

    lab.service.instead["GET /mirrors/7"] = [Reply(status, headers={"Retry-After": "1"})]
    result = lab.run(Noting, max_parallel=4)
    assert column(result, "state") == ["succeeded"]
    assert seen == [at_once]


def test_a_server_with_room_for_two_is_not_asked_for_more_for_long() -> None:
    """Each of many threads asks until it was answered; a second passes with each answer."""
    clock, lock = FakeClock(), threading.Lock()
    slots, deadline = Slots(16, clock), Deadline(SystemClock(), 600)
    at_work, refused, answered = 0, 0, 0

    def ask() -> None:
        nonlocal at_work, refused, answered
        for _number in range(20):
            with slots.one(deadline):
                with lock:
                    at_work += 1
                    crowd = at_work
                time.sleep(0.002)
                with lock:
                    at_work -= 1
                    refused += crowd > 2
                    answered += crowd <= 2
                clock.sleep(ONE_OVERLOAD)
                slots.answered(503 if crowd > 2 else 200)

    threads = [threading.Thread(target=ask) for _number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused < answered
