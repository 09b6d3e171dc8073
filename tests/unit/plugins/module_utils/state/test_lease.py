# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a lease keeps others away, and what keeps it alive."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import NeverArrived, SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Observation, Run, Target
from ansible_collections.lockstep.sync.plugins.module_utils._state.lease import (
    HEARTBEAT_SECONDS,
    LEASE_SECONDS,
    Heartbeat,
    Lease,
    expiry,
)
from ansible_collections.lockstep.sync.plugins.module_utils._state.process import ProcessIdentity
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import LeaseConflict, RunLedger
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.databases import Database
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, code, only
from tests.unit.plugins.support.ledger_users import KEY
from tests.unit.plugins.support.processes import UNUSED_PID

NOW = dt.datetime(2026, 11, 28, 12, tzinfo=dt.timezone.utc)


@pytest.fixture
def lease() -> Lease:
    return Lease("token", ProcessIdentity.current(), expiry(NOW))


@pytest.fixture
def other(database: Database, clock: FakeClock, ledger: RunLedger) -> RunLedger:
    """Another controller's."""
    return RunLedger(database.location, clock)


def test_a_lease_lasts_for_a_minute_and_is_renewed_six_times_in_it() -> None:
    assert (HEARTBEAT_SECONDS, LEASE_SECONDS) == (10, 60)


@pytest.mark.parametrize(("seconds", "state"), [(0, "held"), (59, "held"), (60, "expired"), (6000, "expired")])
def test_it_keeps_others_away_until_it_expires(lease: Lease, seconds: int, state: str) -> None:
    now = NOW + dt.timedelta(seconds=seconds)
    assert (lease.state(now), lease.is_held(now)) == (state, state == "held")


def test_it_does_not_once_it_is_given_up_or_its_owner_is_gone(lease: Lease) -> None:
    assert dataclasses.replace(lease, holder="").state(NOW) == "free"
    assert dataclasses.replace(lease, owner=ProcessIdentity.of(UNUSED_PID)).state(NOW) == "gone"


# -- the heartbeat ----------------------------------------------------------------------------------------------------


def test_a_heartbeat_beats_while_it_lasts_and_goes_on_after_a_failure() -> None:
    beats: list[int] = []
    enough = threading.Event()

    def beat() -> None:
        beats.append(1)
        if len(beats) == 2:
            raise SyncError("invalid_option", "the disk is full")
        if len(beats) == 4:
            enough.set()

    with Heartbeat(beat, 0.01):
        assert enough.wait(20)
    thread = next((item for item in threading.enumerate() if item.name == "lockstep-heartbeat"), None)
    if thread is not None:
        thread.join(20)
        assert not thread.is_alive()
    count = len(beats)
    assert not enough.wait(0.05) or len(beats) == count


def test_a_beat_renews_what_is_held_here_and_nothing_else(ledger: RunLedger, other: RunLedger, clock: FakeClock) -> None:
    eight = dataclasses.replace(KEY, target="8")
    ledger.intend(KEY, None, {})
    other.intend(eight, None, {})
    clock.sleep(59)
    assert ledger.renew() == 1
    clock.sleep(59)
    with pytest.raises(LeaseConflict):
        other.intend(KEY, None, {})
    ledger.intend(eight, None, {})


def test_a_beat_does_not_bring_back_what_another_one_has_taken_over(
    ledger: RunLedger, other: RunLedger, clock: FakeClock
) -> None:
    entry_id = ledger.intend(KEY, None, {})
    clock.sleep(60)
    assert other.adopt(entry_id)
    assert (ledger.renew(), ledger.still_holds(entry_id), ledger.adopt(entry_id)) == (0, False, False)
    ledger.drop_lease(entry_id)
    assert other.still_holds(entry_id)


def test_a_run_that_has_ended_is_not_adopted(ledger: RunLedger, other: RunLedger) -> None:
    entry_id = ledger.intend(KEY, None, {})
    assert not other.adopt(entry_id)
    ledger.finish(entry_id, "failed")
    assert not other.adopt(entry_id)
    assert ledger.renew() == 0


# -- in a task --------------------------------------------------------------------------------------------------------


def test_a_task_keeps_its_lease_alive_while_it_waits(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    beaten = threading.Event()
    original = RunLedger.renew

    def renew(ledger: RunLedger) -> int:
        count = original(ledger)
        if count:
            beaten.set()
        return count

    class Waiting(Fifth):
        def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
            assert beaten.wait(20)
            return super().trigger(target, observation, channel)

    monkeypatch.setattr(RunLedger, "renew", renew)
    monkeypatch.setattr(Heartbeat.__init__, "__defaults__", (0.02,))
    assert only(lab.run(Waiting))["state"] == "succeeded"
    assert lab.posts == 1


def test_check_mode_has_no_heartbeat(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Heartbeat] = []

    def note(heartbeat: Heartbeat) -> None:
        started.append(heartbeat)

    monkeypatch.setattr(Heartbeat, "__enter__", note)
    lab.run(check=True)
    assert started == []
    lab.run()
    assert len(started) == 1


def test_who_was_stopped_for_longer_than_the_lease_does_not_send_again(lab: Lab) -> None:
    """As after a pause of the virtual machine: another controller may have triggered meanwhile."""
    others: list[dict[str, t.Any]] = []

    class Stopped(Fifth):
        attempts = 0

        def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
            Stopped.attempts += 1
            if Stopped.attempts > 1:
                return super().trigger(target, observation, channel)
            lab.clock.sleep(LEASE_SECONDS)
            others.extend(lab.run(release="1.2") for dummy in range(2))
            raise NeverArrived("connection_failed", "connection refused")

    result = only(lab.run(Stopped, release="1.2"))
    assert [(code(other), only(other)["action"]) for other in others] == [(None, "triggered"), (None, "skipped")]
    assert (result["action"], result["failure"], lab.posts, Stopped.attempts) == ("skipped", None, 1, 1)


def test_who_was_not_stopped_sends_again(lab: Lab) -> None:
    class Refused(Fifth):
        attempts = 0

        def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
            Refused.attempts += 1
            if Refused.attempts > 1:
                return super().trigger(target, observation, channel)
            raise NeverArrived("connection_failed", "connection refused")

    assert only(lab.run(Refused))["action"] == "triggered"
    assert (lab.posts, Refused.attempts) == (1, 2)


def test_what_another_controller_is_finding_out_is_waited_for(lab: Lab) -> None:
    """Of two that find an interrupted run, one looks for it, and the other waits and joins."""
    entry_id = lab.ledger.intend(lab.key, "1.2", {"last": 0})
    lab.clock.sleep(LEASE_SECONDS)
    finder = lab.ledger
    run = lab.service.start("7")

    def adopt() -> None:
        # both have seen that its owner is gone
        assert finder.adopt(entry_id)
        lab.clock.at(lab.clock.elapsed + 3, found)

    def found() -> None:
        handle = {"provider": "fifth", "address": lab.web.url, "mirror": "7", "name": "seven", "run": run.id}
        finder.started(entry_id, handle)

    lab.service.before["GET /mirrors"] = adopt
    result = only(lab.run(release="1.2"))
    assert (result["action"], result["state"], lab.posts) == ("joined", "succeeded", 0)


def test_an_inspection_that_fails_leaves_the_run_to_the_next_one(lab: Lab) -> None:
    class Failing(Fifth):
        def find(self, target: Target, snapshot: t.Mapping[str, t.Any], channel: Channel) -> Run | None:
            raise SyncError("connection_failed", "no route")

    ledger = lab.ledger
    ledger.sending(ledger.intend(lab.key, None, {"last": 0}))
    lab.service.duration = 2 * LEASE_SECONDS
    lab.service.start("7")
    lab.clock.sleep(LEASE_SECONDS)
    assert only(lab.run(Failing))["failure"]["code"] == "connection_failed"
    entry = lab.open_entry()
    assert entry is not None
    assert not entry.is_held(lab.clock.now())
    assert (only(lab.run())["action"], lab.posts) == ("joined", 0)
