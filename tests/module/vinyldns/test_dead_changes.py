# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pending changes next to a newer sync that has ended: which of them is dead, and which only began late."""

from __future__ import annotations

from typing import Any

from tests.simulator.client import Simulator

from ..conftest import RunModule
from .server import ZONE, Server, await_the_next_second, drifted, simulator_age, wait_until
from .test_pending import die, pending, sync_elsewhere


def test_a_pending_change_that_began_after_a_newer_one_had_ended_is_joined(server: Server, run_module: RunModule) -> None:
    """The queue keeps no order: the zone is ``Syncing`` as the older change is at work now."""
    server.add()
    sync_elsewhere(server)
    change_id = die(server, 60)
    seen = pending(server, run_module)
    assert (seen["id"], seen["stale"]) == (change_id, False)
    outcome = run_module("vinyldns_zone_sync", server.options(wait_timeout=1))
    assert outcome.only["action"] == "joined" and outcome.only["handle"]["change_id"] == change_id
    assert outcome.codes == ["timed_out"] and server.posts() == 0


def test_an_own_run_that_died_is_forgotten_as_soon_as_another_sync_has_ended(
    server: Server, simulator: Simulator, run_module: RunModule
) -> None:
    drifted(server)
    simulator.knob("vinyldns", stuck_syncing=True)
    assert run_module("vinyldns_zone_sync", server.options(wait_timeout=1)).codes == ["timed_out"]
    simulator.knob("vinyldns", stuck_syncing=False)
    sync_elsewhere(server)
    # as long ago as a sync may follow it, and not long enough to tell by the silence since then that the run is dead
    simulator_age(server, 20)
    server.update_dns(add=[["late", 300, "A", "198.51.100.2"]])
    outcome = run_module("vinyldns_zone_sync", server.options(wait_timeout=20))
    assert not outcome.failed and outcome.only["action"] == "triggered"
    assert server.posts() == 2


def test_a_run_is_waited_for_though_a_newer_sync_ends_first(server: Server, simulator: Simulator, start_module: Any) -> None:
    """Both are at work at the same time, and the end of the newer one makes the zone ``Active``."""

    def statuses() -> list[str]:
        changes = simulator.control.part("vinyldns", "GET", "/zone", name=ZONE, records="no")["changes"]
        return sorted(change["status"] for change in changes if change["change_type"] != "Create")

    drifted(server)
    simulator.knob("vinyldns", sync_duration=12.0)
    process = start_module("vinyldns_zone_sync", server.options())
    wait_until(lambda: statuses() == ["Pending"])
    simulator.knob("vinyldns", sync_duration=0.0)
    await_the_next_second(server)
    simulator.control.part("vinyldns", "POST", "/automated-sync", {"zone": ZONE})
    wait_until(lambda: statuses() == ["Pending", "Synced"])
    outcome = process.finish()
    assert statuses() == ["Synced", "Synced"]
    assert not outcome.failed and (outcome.only["action"], outcome.only["state"]) == ("triggered", "succeeded")
    # the newer one did what was planned
    assert outcome.only["detail"]["fidelity"] == "other_sync" and server.posts() == 1
