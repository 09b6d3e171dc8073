# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones that VinylDNS does not sync at once: a change that stays pending for ever, and the delay between two syncs."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from tests.simulator.client import Simulator

from ..conftest import RunModule
from .server import ZONE, Server, drifted, simulator_age, wait_until

HOUR = 3600


def die(server: Server, age: float) -> str:
    """A sync whose process ended in the middle."""
    return str(server.simulator.control.part("vinyldns", "POST", "/dead-sync", {"zone": ZONE, "age": age})["id"])


def sync_elsewhere(server: Server) -> None:
    """Another sync, to its end."""
    server.simulator.control.part("vinyldns", "POST", "/automated-sync", {"zone": ZONE})
    server.simulator.control.part("vinyldns", "POST", "/settle", {"timeout": 30})


def pending(server: Server, run_module: RunModule) -> Any:
    return run_module("vinyldns_zone_info", {**server.login, "zones": ZONE}).result["zones"][0]["pending_change"]


@pytest.mark.parametrize("force", [False, True])
def test_a_pending_change_behind_a_newer_sync_does_not_block(force: bool, server: Server, run_module: RunModule) -> None:
    server.add()
    change_id = die(server, 60)
    assert pending(server, run_module)["stale"] is False
    sync_elsewhere(server)
    simulator_age(server, HOUR)
    server.update_dns(add=[["new", 300, "A", "198.51.100.1"]])
    seen = pending(server, run_module)
    assert (seen["id"], seen["type"], seen["stale"]) == (change_id, "Sync", True)
    outcome = run_module("vinyldns_zone_sync", server.options(wait_timeout=20, force=force))
    assert not outcome.failed and outcome.only["action"] == "triggered" and outcome.only["state"] == "succeeded"
    assert server.posts() == 1


def test_a_pending_change_of_a_zone_that_still_syncs_is_joined(server: Server, run_module: RunModule) -> None:
    server.add()
    die(server, 60)
    outcome = run_module("vinyldns_zone_sync", server.options(wait_timeout=1))
    assert outcome.only["action"] == "joined" and outcome.codes == ["timed_out"] and server.posts() == 0


@pytest.mark.parametrize(("age", "more"), [(4000, {}), (120, {"stale_after": 100})])
def test_a_pending_change_is_given_up_in_the_end(age: float, more: dict[str, Any], server: Server, run_module: RunModule) -> None:
    drifted(server)
    die(server, age)
    outcome = run_module("vinyldns_zone_sync", server.options(wait_timeout=20, **more))
    assert not outcome.failed and outcome.only["action"] == "triggered" and server.posts() == 1


def test_an_own_run_that_died_is_forgotten_when_another_sync_has_ended(
    server: Server, simulator: Simulator, run_module: RunModule
) -> None:
    drifted(server)
    simulator.knob("vinyldns", stuck_syncing=True)
    assert run_module("vinyldns_zone_sync", server.options(wait_timeout=1)).codes == ["timed_out"]
    simulator.knob("vinyldns", stuck_syncing=False)
    sync_elsewhere(server)
    simulator_age(server, HOUR)
    server.update_dns(add=[["late", 300, "A", "198.51.100.2"]])
    outcome = run_module("vinyldns_zone_sync", server.options(wait_timeout=20))
    assert not outcome.failed and outcome.only["action"] == "triggered" and server.posts() == 2


def test_waiting_for_a_dead_run_ends(server: Server, run_module: RunModule) -> None:
    server.add()
    change_id = die(server, 2 * HOUR)
    info = run_module("vinyldns_zone_info", {**server.login, "zones": ZONE}).result["zones"][0]
    created = info["pending_change"]["created"]
    handle = {"provider": "vinyldns", "address": server.url, "zone": ZONE, "zone_id": info["id"]}
    handle |= {"change_id": change_id, "created": created}
    outcome = run_module("sync_wait", {"handles": [handle], "connections": {"vinyldns": server.login}, "wait_timeout": 120})
    assert outcome.codes == ["run_failed"] and "stays Pending" in outcome.only["failure"]["message"]
    assert outcome.only["elapsed"] < 60


def test_handle_of_a_zone_that_is_gone_does_not_go_on(server: Server, run_module: RunModule) -> None:
    handle = {"provider": "vinyldns", "address": server.url, "zone": "gone.example.", "change_id": "2"}
    handle |= {"zone_id": "4d2cf1ae-0000-4000-8000-000000000000", "created": "2026-01-01T00:00:00Z"}
    outcome = run_module("sync_wait", {"handles": [handle], "connections": {"vinyldns": server.login}})
    assert outcome.codes == ["not_found"] and "go on at the server" not in outcome.output


# -- the delay between two syncs -------------------------------------------------------------------------------------


def test_wrong_sync_delay_costs_one_wait_and_one_plan(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(server)
    simulator.knob("vinyldns", sync_delay_ms=10_000)
    simulator_age(server, 3)
    simulator.control.clear()
    outcome = run_module("vinyldns_zone_sync", server.options(sync_delay=1))
    assert not outcome.failed and outcome.only["action"] == "triggered" and server.accepted() == 1
    assert server.posts() == 2 and len(simulator.requests(path="/recordsets\\?")) == 1
    assert outcome.only["requests"] <= 20


def test_zone_that_was_synced_while_waiting_is_planned_anew(server: Server, simulator: Simulator, start_module: Any) -> None:
    drifted(server)
    simulator.knob("vinyldns", sync_delay_ms=6000)
    simulator_age(server, 1)
    process = start_module("vinyldns_zone_sync", server.options(sync_delay=6))
    wait_until(lambda: server.posts() == 1)
    sync_elsewhere(server)
    outcome = process.finish()
    assert not outcome.failed and outcome.only["action"] == "skipped" and server.posts() == 1


@pytest.mark.parametrize("more", [{"sync_delay": 600}, {}, {"if_recently_synced": "fail"}])
def test_message_says_when_the_zone_may_be_synced(more: dict[str, Any], server: Server, run_module: RunModule) -> None:
    drifted(server)
    server.simulator.knob("vinyldns", sync_delay_ms=600_000)
    simulator_age(server, 300)
    outcome = run_module("vinyldns_zone_sync", server.options(wait_timeout=20, **more))
    assert outcome.codes == ["recently_synced"] and server.posts() == 1
    assert re.search(r"may be synced in about 30\d s, at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", outcome.result["msg"]) or (
        "may be synced in about 29" in outcome.result["msg"]
    )
    assert ".." not in outcome.result["msg"]


def test_text_of_the_server_gets_no_second_full_stop(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(server)
    body = "The requested path [/zones] does not exist."
    simulator.fault("status", part="vinyldns", method="POST", code=404, body=body)
    outcome = run_module("vinyldns_zone_sync", server.options())
    assert outcome.codes == ["endpoint_missing"] and body in outcome.result["msg"] and ".." not in outcome.result["msg"]


# -- a restart of the server -----------------------------------------------------------------------------------------


def test_server_that_is_away_for_seconds_while_it_syncs_is_waited_for(
    server: Server, simulator: Simulator, start_module: Any
) -> None:
    drifted(server)
    simulator.knob("vinyldns", sync_duration=4.0)
    process = start_module("vinyldns_zone_sync", server.options(wait_timeout=60, poll_max_interval=1))
    wait_until(lambda: server.accepted() == 1)
    simulator.control.offline("vinyldns")
    time.sleep(8)
    simulator.control.online("vinyldns")
    outcome = process.finish()
    assert not outcome.failed and outcome.only["state"] == "succeeded" and outcome.only["detail"]["fidelity"] == "exact"
    assert outcome.only["elapsed"] > 8 and server.posts() == server.accepted() == 1
