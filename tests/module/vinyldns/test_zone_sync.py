# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vinyldns_zone_sync: when a zone is synced, and when it counts as fresh."""

from __future__ import annotations

import json
from pathlib import Path

from tests.simulator.client import Simulator

from ..conftest import RunModule
from .server import ZONE, Server, await_the_next_second, drifted, simulator_age

# -- the main job ----------------------------------------------------------------------------------------------------


def test_check_mode_predicts_exactly_and_sends_nothing(server: Server, run_module: RunModule, ledger: Path) -> None:
    drifted(server)
    outcome = run_module("vinyldns_zone_sync", server.options(), check=True, diff=True)
    assert outcome.changed and outcome.only["action"] == "would_trigger" and outcome.only["changed_basis"] == "predicted"
    drift = outcome.only["detail"]["drift"]
    assert (drift["creates"], drift["updates"], drift["deletes"]) == (1, 2, 1)
    assert {(item["name"], item["type"], item["action"]) for item in drift["records"]} == {
        (ZONE, "SOA", "update"),
        ("new", "A", "create"),
        ("host01", "A", "update"),
        ("host02", "A", "delete"),
    }
    (shown,) = outcome.result["diff"]
    assert "host02 300 IN A 192.0.2.2" in shown["before"] and "host02" not in shown["after"]
    assert "new 300 IN A 198.51.100.1" in shown["after"]
    assert server.posts() == 0
    assert not ledger.exists()


def test_first_run_syncs_once_and_second_run_does_nothing(server: Server, run_module: RunModule) -> None:
    drifted(server)
    first = run_module("vinyldns_zone_sync", server.options())
    record = first.only
    assert first.changed and record["action"] == "triggered" and record["state"] == "succeeded"
    assert record["changed_basis"] == "observed" and record["failure"] is None
    assert record["detail"]["effect"] == {"creates": 1, "updates": 2, "deletes": 1, "complete": True}
    assert record["detail"]["fidelity"] == "exact"
    assert record["started_at"] and record["finished_at"] >= record["started_at"]
    assert server.posts() == 1
    second = run_module("vinyldns_zone_sync", server.options())
    assert not second.changed and second.only["action"] == "skipped" and second.only["changed_basis"] == "observed"
    assert server.posts() == 1


def test_requests_are_counted_exactly(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(server)
    simulator.control.clear()
    outcome = run_module("vinyldns_zone_sync", server.options())
    seen = len(simulator.requests(part="vinyldns"))
    assert outcome.result["summary"]["requests"] == outcome.only["requests"] == seen


def test_a_zone_in_sync_takes_three_requests(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    """The zone, which is not read again, its changes, and the one page of its record sets."""
    server.add()
    outcome = run_module("vinyldns_zone_sync", server.options())
    assert outcome.only["action"] == "skipped"
    assert len(simulator.requests(part="vinyldns")) == outcome.only["requests"] == 3


def test_soa_only_drift_counts_as_in_sync(server: Server, run_module: RunModule) -> None:
    server.add()
    server.update_dns(add=[["new", 300, "A", "198.51.100.1"]])
    server.update_dns(delete=[["new", "A"]])
    outcome = run_module("vinyldns_zone_sync", server.options())
    assert outcome.only["action"] == "skipped" and outcome.only["detail"]["drift"]["soa_only"] and server.posts() == 0
    forced = run_module("vinyldns_zone_sync", server.options(force=True))
    assert forced.changed and forced.only["detail"]["effect"] == {"creates": 0, "updates": 1, "deletes": 0, "complete": True}


def test_without_backend_changed_follows_the_record_set_changes(server: Server, run_module: RunModule) -> None:
    drifted(server)
    options = server.options(backend=None)
    first = run_module("vinyldns_zone_sync", options)
    assert first.changed and first.only["changed_basis"] == "observed" and first.only["detail"]["effect"]["creates"] == 1
    simulator_age(server, 3600)
    await_the_next_second(server)
    second = run_module("vinyldns_zone_sync", options)
    assert second.only["action"] == "triggered" and not second.changed and second.only["changed_basis"] == "observed"


def test_zone_by_id_and_by_name_is_one_target(server: Server, run_module: RunModule) -> None:
    drifted(server)
    zone_id = run_module("vinyldns_zone_info", {**server.login, "zones": ZONE}).result["zones"][0]["id"]
    outcome = run_module("vinyldns_zone_sync", server.options([zone_id, ZONE.rstrip(".")]))
    first, second = outcome.result["syncs"]
    assert first["target"] == second["target"] == ZONE
    assert first["action"] == "triggered" and second["action"] == "skipped"
    assert server.posts() == 1


def test_zone_name_with_a_slash(server: Server, run_module: RunModule) -> None:
    name = "0/27.2.0.192.in-addr.arpa."
    outcome = run_module("vinyldns_zone_sync", server.options(name, backend=None))
    assert not outcome.failed and outcome.only["target"] == name and server.posts() == 1


def test_serial_drift_skips_when_equal_and_syncs_when_not(server: Server, run_module: RunModule) -> None:
    server.add()
    options = server.options(drift="serial")
    assert run_module("vinyldns_zone_sync", options).only["action"] == "skipped"
    server.update_dns(add=[["new", 300, "A", "198.51.100.1"]])
    assert run_module("vinyldns_zone_sync", options).only["action"] == "triggered"
    assert server.posts() == 1


def test_max_age_goes_by_the_server(server: Server, run_module: RunModule) -> None:
    server.add(age=100)
    options = server.options(backend=None)
    fresh = run_module("vinyldns_zone_sync", {**options, "max_age": 3600})
    assert fresh.only["action"] == "skipped" and fresh.only["changed_basis"] == "observed" and server.posts() == 0
    assert run_module("vinyldns_zone_sync", {**options, "max_age": 10}).only["action"] == "triggered"


def test_release_is_synced_once(server: Server, run_module: RunModule) -> None:
    server.add()
    options = server.options(backend=None, release="2026.11")
    assert run_module("vinyldns_zone_sync", options).only["action"] == "triggered"
    simulator_age(server, 3600)
    again = run_module("vinyldns_zone_sync", options)
    assert again.only["action"] == "skipped" and again.only["changed_basis"] == "assumed" and not again.changed
    assert server.posts() == 1


def test_many_zones_in_one_task_keep_their_order_and_size(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    names = [f"z{number:03d}.example." for number in range(200)]
    zones = [{"name": name, "records": ["a A 192.0.2.1"], "dns": ["a A 192.0.2.2"]} for name in names]
    simulator.control.part("vinyldns", "POST", "/zones", {"zones": zones})
    outcome = run_module("vinyldns_zone_sync", server.options(names, max_parallel=16))
    assert [record["target"] for record in outcome.result["syncs"]] == names
    assert outcome.result["summary"]["succeeded"] == 200 and server.posts() == 200
    assert len(json.dumps(outcome.result["syncs"])) / len(names) < 600


# -- recently synced -------------------------------------------------------------------------------------------------


def test_recently_synced_zone_without_known_drift_is_taken_as_fresh(server: Server, run_module: RunModule) -> None:
    server.add(age=1)
    outcome = run_module("vinyldns_zone_sync", server.options(backend=None))
    assert not outcome.failed and outcome.only["action"] == "skipped" and not outcome.changed
    assert server.accepted() == 0


def test_recently_synced_zone_with_drift_is_waited_for(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(server)
    simulator.knob("vinyldns", sync_delay_ms=8000)
    simulator_age(server, 1)
    # a part of it passes before the module looks
    outcome = run_module("vinyldns_zone_sync", server.options(sync_delay=8))
    assert not outcome.failed and outcome.only["action"] == "triggered" and outcome.only["elapsed"] >= 1.5
    assert server.accepted() == 1


def test_recently_synced_can_fail(server: Server, run_module: RunModule) -> None:
    drifted(server)
    simulator_age(server, 1)
    outcome = run_module("vinyldns_zone_sync", server.options(if_recently_synced="fail"))
    assert outcome.codes == ["recently_synced"] and outcome.only["action"] == "refused"


def test_recently_synced_beyond_the_deadline_says_when_to_come_back(
    server: Server, simulator: Simulator, run_module: RunModule
) -> None:
    drifted(server)
    simulator.knob("vinyldns", sync_delay_ms=600_000)
    simulator_age(server, 1)
    outcome = run_module("vinyldns_zone_sync", server.options(sync_delay=600, wait_timeout=120))
    assert outcome.codes == ["recently_synced"] and "may be synced in about" in outcome.only["reason"]
    assert outcome.result["summary"]["elapsed"] < 60


def test_forbidden_is_not_recently_synced(server: Server, run_module: RunModule) -> None:
    server.add(group="dummy-group", shared=True)
    outcome = run_module("vinyldns_zone_sync", server.options(backend=None))
    assert outcome.failed and outcome.codes == ["permission_denied"] and server.posts() == 0
