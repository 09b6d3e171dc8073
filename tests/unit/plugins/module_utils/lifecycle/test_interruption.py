# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task was killed. What the next one says about it, and that a process which is not dead after all does not trigger."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Capabilities, Observation, Run, Target
from ansible_collections.lockstep.sync.plugins.module_utils._operations.result import fit
from ansible_collections.lockstep.sync.plugins.module_utils._state.lease import LEASE_SECONDS
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, code, only
from tests.unit.plugins.support.processes import Process
from tests.unit.plugins.support.sync_users import sync_and_die


class Proven(Fifth):
    capabilities = Capabilities(True, absence_proves=True)


def killed(lab: Lab, where: str) -> str:
    """A task that dies; returns when its intent was recorded."""
    assert Process(sync_and_die, where, lab.options(release="1.2")).end() == 9
    entry = lab.open_entry()
    assert entry is not None
    return f"{entry.intended_at:%Y-%m-%dT%H:%M:%SZ}"


def forget(lab: Lab) -> None:
    lab.service.runs[0].id = 99
    lab.service.duration = 0.0


def nothing(lab: Lab) -> None:
    pass


def end(lab: Lab) -> None:
    lab.clock.sleep(60)


def break_down(lab: Lab) -> None:
    lab.clock.sleep(60)
    lab.service.runs[0].ending = "broken"


CASES: list[tuple[str, t.Callable[[Lab], None], type[Fifth], str, str]] = [
    ("before", nothing, Fifth, "not_sent", "triggered"),
    ("sending", nothing, Proven, "not_arrived", "triggered"),
    ("after", nothing, Fifth, "running", "joined"),
    ("waiting", nothing, Fifth, "running", "joined"),
    ("waiting", end, Fifth, "succeeded", "skipped"),
    ("waiting", break_down, Fifth, "failed", "triggered"),
    ("waiting", forget, Fifth, "forgotten", "triggered"),
]


@pytest.mark.parametrize(("where", "meanwhile", "provider", "outcome", "action"), CASES)
def test_the_next_task_says_what_became_of_it(
    lab: Lab, where: str, meanwhile: t.Callable[[Lab], None], provider: type[Fifth], outcome: str, action: str
) -> None:
    intended_at = killed(lab, where)
    meanwhile(lab)
    result = lab.run(provider, release="1.2", if_running="queue" if outcome == "forgotten" else "join")
    assert (only(result)["action"], only(result)["failure"]) == (action, None)
    assert only(result)["detail"]["interrupted"] == {"intended_at": intended_at, "outcome": outcome}
    (warning,) = [text for text in result["warnings"] if "interrupted" in text]
    assert warning.startswith(f"seven: a sync intended at {intended_at} was interrupted: ")
    # once it is known, it is not repeated
    again = lab.run(provider, release="1.2")
    assert ("interrupted" in only(again)["detail"], again["warnings"]) == (False, [])


@pytest.mark.parametrize(("where", "meanwhile", "provider", "outcome", "action"), [CASES[0], *CASES[2:6]])
def test_check_mode_says_so_too(
    lab: Lab, where: str, meanwhile: t.Callable[[Lab], None], provider: type[Fifth], outcome: str, action: str
) -> None:
    killed(lab, where)
    meanwhile(lab)
    # it records nothing, so it says so each time
    for _time in range(2):
        assert only(lab.run(provider, check=True, release="1.2"))["detail"]["interrupted"]["outcome"] == outcome


def test_nothing_is_said_of_a_run_that_was_not_waited_for(lab: Lab) -> None:
    lab.run(wait=False)
    record = only(lab.run())
    assert (record["action"], "interrupted" in record["detail"]) == ("joined", False)


def test_nothing_is_said_of_a_task_that_ended_with_a_time_out(lab: Lab) -> None:
    lab.run(wait_timeout=1)
    record = only(lab.run())
    assert (record["action"], "interrupted" in record["detail"]) == ("joined", False)


def test_where_it_cannot_be_known_the_failure_says_so(lab: Lab) -> None:
    intended_at = killed(lab, "sending")
    result = lab.run(release="1.2")
    assert (code(result), lab.posts) == ("outcome_unknown", 0)
    assert only(result)["detail"]["interrupted"] == {"intended_at": intended_at, "outcome": "unknown"}


def test_a_result_that_is_cut_keeps_it(lab: Lab) -> None:
    killed(lab, "waiting")
    lab.service.mirrors["7"].note = "x" * 100_000
    (record,) = lab.run(release="1.2")["syncs"]
    assert (record["detail"]["cut"], record["detail"]["interrupted"]["outcome"]) == (True, "running")
    assert fit([]) == []


class TestNotDeadAfterAll:
    """A virtual machine was paused for longer than a lease lasts, between the intent and the trigger."""

    def test_it_does_not_trigger_once_another_one_has_taken_over(self, lab: Lab) -> None:
        others: list[dict[str, t.Any]] = []

        class Paused(Fifth):
            attempts = 0

            def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
                Paused.attempts += 1
                if Paused.attempts == 1:
                    lab.clock.sleep(LEASE_SECONDS)
                    others.append(lab.run(release="1.2"))
                return super().trigger(target, observation, channel)

        result = only(lab.run(Paused, release="1.2"))
        assert [(only(other)["action"], only(other)["state"]) for other in others] == [("triggered", "succeeded")]
        assert (result["action"], result["failure"], lab.posts, lab.accepted) == ("skipped", None, 1, 1)

    def test_it_triggers_if_none_has(self, lab: Lab) -> None:
        class Paused(Fifth):
            def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
                lab.clock.sleep(LEASE_SECONDS)
                return super().trigger(target, observation, channel)

        assert only(lab.run(Paused, release="1.2"))["state"] == "succeeded"
        assert (lab.posts, lab.accepted) == (1, 1)
