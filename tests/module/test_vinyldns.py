# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vinyldns_zone_sync, vinyldns_zone_info and sync_wait against the VinylDNS emulator and a real BIND."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.client import Simulator

from .conftest import Outcome, RunModule
from .vinyldns_server import RECORDS, ZONE, Server, await_the_next_second, drifted, simulator_age, wait_until


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["vinyldns"]) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(simulator: Simulator) -> None:
    simulator.reset()


@pytest.fixture
def server(simulator: Simulator) -> Server:
    return Server(simulator)


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


# -- a lost reply ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["drop_after", "status_after"])
def test_lost_reply_is_adopted_and_never_sent_again(
    fault: str, server: Server, simulator: Simulator, run_module: RunModule
) -> None:
    drifted(server)
    simulator.fault(fault, part="vinyldns", method="POST")
    outcome = run_module("vinyldns_zone_sync", server.options())
    assert not outcome.failed and outcome.changed
    assert outcome.only["action"] == "triggered" and outcome.only["reason"].startswith("synced")
    assert outcome.only["state"] == "succeeded" and outcome.only["detail"]["fidelity"] == "exact"
    assert server.accepted() == 1 and server.posts() == 1


def test_lost_reply_with_a_slow_queue_is_found_within_the_grace(
    server: Server, simulator: Simulator, run_module: RunModule
) -> None:
    drifted(server)
    simulator.knob("vinyldns", queue_latency=1.5)
    simulator.fault("drop_after", part="vinyldns", method="POST")
    outcome = run_module("vinyldns_zone_sync", server.options(settle_grace=10))
    assert not outcome.failed and server.accepted() == 1 and server.posts() == 1


@pytest.mark.parametrize(("fault", "more"), [("status", {"code": 502}), ("drop_before", {}), ("status", {"code": 500})])
def test_refusal_before_acceptance_is_no_success(
    fault: str, more: dict[str, Any], server: Server, simulator: Simulator, run_module: RunModule
) -> None:
    drifted(server)
    simulator.fault(fault, part="vinyldns", method="POST", **more)
    outcome = run_module("vinyldns_zone_sync", server.options(settle_grace=1))
    assert outcome.failed and outcome.codes == ["outcome_unknown"] and outcome.only["state"] == "unknown"
    assert "Nothing was sent again" in outcome.only["failure"]["hint"]
    assert server.accepted() == 0 and server.posts() == 1


def test_slow_reply_beyond_the_request_timeout_is_adopted(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(server)
    simulator.fault("delay_after", part="vinyldns", method="POST", seconds=3)
    outcome = run_module("vinyldns_zone_sync", server.options(request_timeout=1))
    assert not outcome.failed and server.accepted() == 1 and server.posts() == 1


def test_rate_limited_trigger_is_sent_again(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(server)
    simulator.fault("status", part="vinyldns", method="POST", code=429, headers={"Retry-After": "1"})
    outcome = run_module("vinyldns_zone_sync", server.options())
    assert not outcome.failed and server.accepted() == 1 and server.posts() == 2


def test_rate_limit_beyond_the_deadline_fails_at_once(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(server)
    simulator.fault("status", part="vinyldns", method="POST", code=429, headers={"Retry-After": "9999"})
    outcome = run_module("vinyldns_zone_sync", server.options(wait_timeout=20))
    assert outcome.codes == ["rate_limited"] and "9999 s" in outcome.only["failure"]["message"]
    assert outcome.result["summary"]["elapsed"] < 10


def test_trigger_is_never_redirected(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(server)
    simulator.fault("redirect", part="vinyldns", method="POST", location=server.url + "/zones")
    outcome = run_module("vinyldns_zone_sync", server.options())
    assert outcome.codes == ["redirect_refused"] and server.posts() == 1 and server.accepted() == 0


# -- runs in flight --------------------------------------------------------------------------------------------------


def start_elsewhere(server: Server, simulator: Simulator) -> None:
    """A sync that somebody else started, and that takes a while."""
    simulator.knob("vinyldns", sync_duration=5.0)
    simulator.control.part("vinyldns", "POST", "/automated-sync", {"zone": ZONE})

    def runs() -> bool:
        changes = simulator.control.part("vinyldns", "GET", "/zone", name=ZONE, records="no")["changes"]
        return any(change["status"] == "Pending" for change in changes)

    wait_until(runs)


def test_run_in_flight_is_joined(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(server)
    start_elsewhere(server, simulator)
    predicted = run_module("vinyldns_zone_sync", server.options(), check=True)
    assert predicted.only["action"] == "would_join"
    outcome = run_module("vinyldns_zone_sync", server.options())
    assert outcome.only["action"] == "joined" and outcome.only["state"] == "succeeded" and outcome.changed
    assert server.posts() == 0


def test_run_in_flight_can_be_an_error(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(server)
    start_elsewhere(server, simulator)
    outcome = run_module("vinyldns_zone_sync", server.options(if_running="fail"))
    assert outcome.failed and outcome.codes == ["busy"] and outcome.only["action"] == "refused" and server.posts() == 0


def test_run_in_flight_can_be_queued_behind(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(server)
    start_elsewhere(server, simulator)
    outcome = run_module("vinyldns_zone_sync", server.options(if_running="queue"))
    # the other run removed the drift, so there is nothing left to do
    assert outcome.only["action"] == "skipped" and server.posts() == 0


def test_timed_out_run_is_resumed_by_the_next_task(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(server)
    simulator.knob("vinyldns", sync_duration=4.0)
    outcome = run_module("vinyldns_zone_sync", server.options(wait_timeout=1.5))
    record = outcome.only
    assert outcome.failed and outcome.codes == ["timed_out"] and record["timed_out"] and record["state"] == "running"
    assert record["handle"]["change_id"] and outcome.changed and record["changed_basis"] == "assumed"
    assert "sync_wait" in record["failure"]["hint"] and "1.5 s" in record["failure"]["message"]
    again = run_module("vinyldns_zone_sync", server.options())
    assert not again.failed and again.only["action"] == "joined" and server.posts() == 1


def test_time_out_can_be_a_warning(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(server)
    simulator.knob("vinyldns", sync_duration=4.0)
    outcome = run_module("vinyldns_zone_sync", server.options(wait_timeout=1, on_timeout="warn"))
    assert not outcome.failed and outcome.codes == ["timed_out"] and outcome.result["summary"]["timed_out"] == 1
    assert outcome.result["summary"]["failed"] == 0
    assert "not finished within" in outcome.warnings


def test_disabled_processing_is_named(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(server)
    simulator.knob("vinyldns", processing_disabled=True)
    outcome = run_module("vinyldns_zone_sync", server.options(wait_timeout=1))
    assert "processing disabled" in outcome.only["failure"]["hint"] and outcome.only["timed_out"]


def test_queued_run_that_the_server_does_not_show_yet_is_joined(
    server: Server, simulator: Simulator, run_module: RunModule
) -> None:
    drifted(server)
    simulator.knob("vinyldns", queue_latency=2.5)
    assert run_module("vinyldns_zone_sync", server.options(wait=False)).only["state"] == "running"
    outcome = run_module("vinyldns_zone_sync", server.options())
    assert outcome.only["action"] == "joined" and not outcome.failed and server.posts() == 1


def test_sync_wait_takes_the_handles(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(server)
    server.add("second.example.", dns=["a A 192.0.2.9"])
    simulator.knob("vinyldns", sync_duration=5.0)
    options = server.options([ZONE, "second.example."], wait=False, guard={"max_delete_percent": 100})
    started = run_module("vinyldns_zone_sync", options)
    handles = [record["handle"] for record in started.result["syncs"]]
    connections = {"vinyldns": server.login}
    looked = run_module("sync_wait", {"handles": handles, "connections": connections}, check=True)
    assert {record["state"] for record in looked.result["syncs"]} == {"running"}
    outcome = run_module("sync_wait", {"handles": handles, "connections": connections, "poll_min_interval": 0.1})
    assert [record["target"] for record in outcome.result["syncs"]] == [ZONE, "second.example."]
    assert outcome.result["summary"]["succeeded"] == 2 and outcome.changed and server.posts() == 2
    assert outcome.result["syncs"][0]["detail"]["effect"]["creates"] == 1


def test_sync_wait_never_sends_credentials_elsewhere(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    handle = {
        "provider": "vinyldns",
        "address": "http://127.0.0.1:9",
        "zone": "z.",
        "zone_id": "1",
        "change_id": "2",
        "created": "2026-01-01T00:00:00Z",
    }
    outcome = run_module("sync_wait", {"handles": [handle], "connections": {"vinyldns": server.login}})
    assert outcome.failed and outcome.result["failure"]["code"] == "invalid_option" and server.url in outcome.result["msg"]


def test_killed_task_is_resumed_and_never_triggers_twice(
    server: Server, simulator: Simulator, run_module: RunModule, start_module: Any
) -> None:
    drifted(server)
    simulator.knob("vinyldns", sync_duration=5.0)
    process = start_module("vinyldns_zone_sync", server.options())
    wait_until(lambda: server.accepted() == 1)
    process.kill()
    outcome = run_module("vinyldns_zone_sync", server.options())
    assert not outcome.failed and outcome.only["action"] == "joined" and server.posts() == 1


def test_terminated_task_still_reports(server: Server, simulator: Simulator, start_module: Any, tmp_path: Path) -> None:
    drifted(server)
    simulator.knob("vinyldns", sync_duration=6.0)
    report = tmp_path / "report.json"
    process = start_module("vinyldns_zone_sync", server.options(report_path=str(report)))
    # It has its handle when it asks how the run gets on.
    wait_until(lambda: server.posts() == 1 and simulator.requests(part="vinyldns")[-1]["kind"] != "mutate")
    outcome = process.terminate()
    assert outcome.failed and "interrupted" in outcome.result["msg"]
    (record,) = json.loads(report.read_text())["syncs"]
    assert record["handle"] and record["state"] == "running" and "goes on" in record["failure"]["message"]


def test_two_tasks_at_once_trigger_once(server: Server, simulator: Simulator, start_module: Any) -> None:
    drifted(server)
    simulator.knob("vinyldns", sync_duration=3.0)
    started = [start_module("vinyldns_zone_sync", server.options(force=True)) for dummy in range(2)]
    outcomes = [process.finish() for process in started]
    assert [outcome.failed for outcome in outcomes] == [False, False]
    assert {outcome.only["action"] for outcome in outcomes} == {"triggered", "joined"} and server.accepted() == 1


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
    outcome = run_module("vinyldns_zone_sync", server.options(sync_delay=600, wait_timeout=20))
    assert outcome.codes == ["recently_synced"] and "may be synced in about" in outcome.only["reason"]
    assert outcome.result["summary"]["elapsed"] < 10


def test_forbidden_is_not_recently_synced(server: Server, run_module: RunModule) -> None:
    server.add(group="dummy-group", shared=True)
    outcome = run_module("vinyldns_zone_sync", server.options(backend=None))
    assert outcome.failed and outcome.codes == ["permission_denied"] and server.posts() == 0


# -- guards ----------------------------------------------------------------------------------------------------------


def emptied(server: Server) -> None:
    server.add(dns=[])


def broken(outcome: Outcome) -> list[str]:
    """The rules that refuse the plan of the one zone there is."""
    guards = outcome.only["detail"]["guards"]
    assert outcome.only["failure"]["guards"] == guards
    return [guard["rule"] for guard in guards]


def test_empty_backend_is_refused_with_every_broken_rule(server: Server, run_module: RunModule) -> None:
    emptied(server)
    for check in (True, False):
        outcome = run_module("vinyldns_zone_sync", server.options(), check=check)
        assert outcome.failed and outcome.codes == ["guard_refused"] and outcome.only["action"] == "refused"
        assert broken(outcome) == ["max_delete_percent", "allow_empty"]
        assert all(guard["message"] in outcome.only["failure"]["message"] for guard in outcome.only["detail"]["guards"])
        assert outcome.only["state"] == "not_started" and not outcome.changed
    assert server.posts() == 0


def test_force_lifts_no_guard(server: Server, run_module: RunModule) -> None:
    emptied(server)
    assert run_module("vinyldns_zone_sync", server.options(force=True)).codes == ["guard_refused"]
    assert server.posts() == 0


def test_approval_holds_for_one_plan_only(server: Server, run_module: RunModule) -> None:
    server.add(dns=RECORDS[:10])
    refused = run_module("vinyldns_zone_sync", server.options())
    assert broken(refused) == ["max_delete_percent"]
    digest = refused.only["detail"]["drift"]["digest"]
    server.update_dns(add=[["late", 300, "A", "192.0.2.200"]])
    void = run_module("vinyldns_zone_sync", server.options(approve=digest))
    assert void.codes == ["guard_refused"] and server.posts() == 0
    digest = void.only["detail"]["drift"]["digest"]
    outcome = run_module("vinyldns_zone_sync", server.options(approve=digest))
    assert not outcome.failed and outcome.only["detail"]["effect"]["deletes"] == 10 and server.posts() == 1


def test_only_approved_plans_are_carried_out(server: Server, run_module: RunModule) -> None:
    """Several zones, with a digest for each; one of them changes after the review, though within its guards."""
    zones = ["reviewed.example.", "moved.example.", "same.example."]
    for zone in zones:
        server.add(zone)
    for zone in zones[:2]:
        server.update_dns(zone, add=[["new", 300, "A", "192.0.2.100"]])
    looked = run_module("vinyldns_zone_sync", server.options(zones[:2]), check=True)
    digests = [record["detail"]["drift"]["digest"] for record in looked.result["syncs"]]
    server.update_dns("moved.example.", add=[["late", 300, "A", "192.0.2.200"]])
    outcome = run_module("vinyldns_zone_sync", server.options(zones, approve=digests, only_approved=True))
    assert [record["action"] for record in outcome.result["syncs"]] == ["triggered", "refused", "skipped"]
    assert outcome.codes == [None, "guard_refused", None]
    assert "none of the 2 approved digests is" in outcome.result["syncs"][1]["failure"]["message"]
    assert server.posts() == server.accepted("reviewed.example.") == 1


@pytest.mark.parametrize("lacks", ["approve", "backend"])
def test_only_approved_needs_plans_and_digests(server: Server, run_module: RunModule, lacks: str) -> None:
    server.add()
    outcome = run_module("vinyldns_zone_sync", server.options(**{"approve": "0" * 32, "only_approved": True, lacks: None}))
    assert outcome.result["failure"]["code"] == "invalid_option" and "only_approved" in outcome.result["msg"]
    assert server.posts() == 0


def test_protected_record_sets_are_not_touched(server: Server, run_module: RunModule) -> None:
    drifted(server)
    outcome = run_module("vinyldns_zone_sync", server.options(guard={"protect": ["host02/A"]}))
    assert outcome.codes == ["guard_refused"] and "host02" in outcome.only["failure"]["message"] and server.posts() == 0


def test_ignored_record_sets_are_no_drift(server: Server, run_module: RunModule) -> None:
    server.add()
    server.update_dns(add=[["_acme-challenge.www", 60, "TXT", '"token"']])
    outcome = run_module("vinyldns_zone_sync", server.options(guard={"ignore": ["_acme-challenge*/TXT"]}))
    assert outcome.only["action"] == "skipped" and server.posts() == 0


def test_serial_regression_is_refused(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    server.add(serial=100, dns=[*RECORDS, "new A 192.0.2.77"])
    simulator.control.part("vinyldns", "POST", "/dns/serial", {"zone": ZONE, "serial": 50})
    assert broken(run_module("vinyldns_zone_sync", server.options())) == ["allow_serial_regression"]
    assert broken(run_module("vinyldns_zone_sync", server.options(drift="serial"))) == ["allow_serial_regression"]
    assert server.posts() == 0


# -- failures --------------------------------------------------------------------------------------------------------


def test_failed_sync_is_a_failure_although_the_zone_is_active(
    server: Server, simulator: Simulator, run_module: RunModule
) -> None:
    drifted(server)
    simulator.knob("vinyldns", fail_syncs="AXFR refused")
    outcome = run_module("vinyldns_zone_sync", server.options())
    assert outcome.failed and outcome.codes == ["run_failed"] and outcome.only["state"] == "failed" and not outcome.changed
    assert outcome.only["handle"]["change_id"] in outcome.only["failure"]["hint"]
    simulator.knob("vinyldns", failed_with_message=True)
    outcome = run_module("vinyldns_zone_sync", server.options())
    assert "AXFR refused" in outcome.only["failure"]["message"]


def test_one_bad_zone_does_not_stop_the_others(server: Server, run_module: RunModule) -> None:
    drifted(server)
    outcome = run_module("vinyldns_zone_sync", server.options(["nope.example.", ZONE]))
    assert outcome.failed and outcome.codes == ["not_found", None]
    assert outcome.result["syncs"][1]["state"] == "succeeded" and outcome.result["summary"]["failed"] == 1
    assert "nope.example" in outcome.result["msg"]


def test_wrong_key(server: Server, run_module: RunModule) -> None:
    outcome = run_module("vinyldns_zone_sync", {**server.options("example.com."), "secret_key": "wrong"})
    assert outcome.codes == ["auth_failed"] and outcome.only["failure"]["http_status"] == 401


def test_locked_account(server: Server, run_module: RunModule) -> None:
    outcome = run_module("vinyldns_zone_sync", {**server.options("example.com."), **server.users["locked"]})
    assert outcome.codes == ["auth_failed"] and outcome.only["failure"]["http_status"] == 403


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"port": 1}, "connection_failed"),
        ({"tsig_secret": "d3Jvbmc="}, "auth_failed"),
        ({"tsig_name": "other."}, "auth_failed"),
        ({"tsig_name": None, "tsig_secret": None}, "permission_denied"),
    ],
)
def test_dns_server_in_trouble_fails_before_any_trigger(
    change: dict[str, Any], code: str, server: Server, run_module: RunModule
) -> None:
    drifted(server)
    backend = {key: value for key, value in {**server.backend, **change}.items() if value is not None}
    outcome = run_module("vinyldns_zone_sync", server.options(backend=backend, wait_timeout=8))
    assert outcome.codes == [code], outcome.output
    assert ZONE in outcome.only["failure"]["message"] and outcome.only["failure"]["hint"] and server.posts() == 0


def test_html_page_instead_of_the_api(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    simulator.fault("html", part="vinyldns", times=None)
    outcome = run_module("vinyldns_zone_sync", server.options("example.com."))
    assert outcome.codes == ["bad_response"] and "HTML page" in outcome.only["failure"]["message"]
    assert "api_url" in outcome.only["failure"]["hint"]


def test_unreachable_server(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    simulator.control.offline("vinyldns")
    try:
        outcome = run_module("vinyldns_zone_sync", server.options("example.com.", wait_timeout=3))
    finally:
        simulator.control.online("vinyldns")
    assert outcome.codes == ["connection_failed"] and server.url in outcome.only["failure"]["message"]


def test_transient_trouble_while_observing_is_survived(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(server)
    simulator.fault("status", part="vinyldns", method="GET", code=503, path_regex="/changes", times=2)
    simulator.fault("truncate", part="vinyldns", method="GET", path_regex="recordsets", times=1)
    outcome = run_module("vinyldns_zone_sync", server.options())
    assert not outcome.failed and server.posts() == 1


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("wait_timeout", 1e12),
        ("wait_timeout", -1),
        ("request_timeout", 0),
        ("poll_min_interval", 60),
        ("max_parallel", 0),
        ("zones", [""]),
        ("zones", []),
        ("api_url", "ftp://host"),
        ("api_url", "https://host/?x=1"),
        ("drift", "axfr"),
        ("ca_path", "/nonexistent/ca.pem"),
        ("release", " "),
        ("report_path", "/nonexistent/report.json"),
        ("sync_delay", -1),
    ],
)
def test_bad_options_are_named_before_any_request(
    option: str, value: Any, server: Server, simulator: Simulator, run_module: RunModule
) -> None:
    simulator.control.clear()
    outcome = run_module("vinyldns_zone_sync", {**server.options("example.com.", backend=None), option: value})
    assert outcome.failed and outcome.result["failure"]["code"] == "invalid_option"
    assert f"option {option}" in outcome.result["msg"] and outcome.result["failure"]["hint"]
    assert simulator.requests() == []


def test_credentials_in_the_address_are_refused_and_not_repeated(server: Server, run_module: RunModule) -> None:
    outcome = run_module("vinyldns_zone_sync", {**server.options("example.com."), "api_url": "https://me:hunter2@host/"})
    assert outcome.result["failure"]["code"] == "invalid_option"
    assert "hunter2" not in json.dumps(outcome.result["failure"]) + outcome.result["msg"]


def test_lossy_paging_does_not_invent_drift(server: Server, run_module: RunModule) -> None:
    records = ["srv A 192.0.2.1", *[f"srv-{number:03d} A 192.0.2.1" for number in range(250)]]
    server.add(records=records)
    outcome = run_module("vinyldns_zone_sync", server.options())
    assert outcome.only["action"] == "skipped", outcome.only["reason"]


# -- report, secrets, info -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["synced", "check", "refused", "invalid"])
def test_report_is_written_on_every_exit(case: str, server: Server, run_module: RunModule, tmp_path: Path) -> None:
    drifted(server)
    path = tmp_path / "report.json"
    more = {"refused": {"guard": {"max_deletes": 0}}, "invalid": {"poll_min_interval": 99}}.get(case, {})
    outcome = run_module("vinyldns_zone_sync", server.options(report_path=str(path), **more), check=case == "check")
    report = json.loads(path.read_text())
    assert path.stat().st_mode & 0o777 == 0o600
    assert report["summary"] == outcome.result["summary"] and report["check_mode"] == (case == "check")
    if case == "invalid":
        assert report["failure"]["code"] == "invalid_option"
    else:
        assert report["syncs"][0]["detail"]["drift"]["records"]


def test_no_secret_in_any_output(server: Server, run_module: RunModule, tmp_path: Path, ledger: Path) -> None:
    server.add(connection=True)
    server.update_dns(add=[["new", 300, "A", "198.51.100.1"]])
    path = tmp_path / "report.json"
    outcome = run_module("vinyldns_zone_sync", server.options(report_path=str(path)), diff=True)
    info = run_module("vinyldns_zone_info", {**server.login, "zones": ZONE, "backend": server.backend})
    assert outcome.only["state"] == "succeeded"
    rows = sqlite3.connect(ledger).execute("SELECT * FROM runs").fetchall()
    everything = outcome.output + info.output + path.read_text() + repr(rows)
    assert rows and server.secret not in everything
    assert server.backend["tsig_secret"] not in everything


def test_info(server: Server, run_module: RunModule) -> None:
    drifted(server)
    outcome = run_module("vinyldns_zone_info", {**server.login, "zones": ["nope.example.", ZONE], "backend": server.backend})
    unknown, zone = outcome.result["zones"]
    assert unknown["zone"] == "nope.example." and not unknown["exists"] and unknown["id"] is None
    assert zone["exists"] and zone["may_sync"] and zone["status"] == "Active" and zone["pending_change"] is None
    assert zone["record_sets"] == 22 and zone["in_sync"] is False and zone["drift"]["deletes"] == 1 and zone["guards"] == []
    assert not outcome.changed and server.posts() == 0


def test_info_lists_by_filter_and_group(server: Server, run_module: RunModule) -> None:
    server.add("b.shop.example.")
    server.add("a.shop.example.")
    outcome = run_module("vinyldns_zone_info", {**server.login, "name_filter": "*.shop.example."})
    assert [zone["zone"] for zone in outcome.result["zones"]] == ["a.shop.example.", "b.shop.example."]
    both = run_module("vinyldns_zone_info", {**server.login, "name_filter": "a.shop", "admin_group": "ok-group"})
    assert [zone["zone"] for zone in both.result["zones"]] == ["a.shop.example."]


def test_name_filter_means_its_characters_and_not_sql(server: Server, run_module: RunModule) -> None:
    for name in ("_tcp.shop.example.", "atcp.shop.example.", "a%c.shop.example."):
        server.add(name)
    for name_filter, found in (
        ("_tcp*", ["_tcp.shop.example."]),
        ("_tcp", ["_tcp.shop.example."]),
        ("a%c*", ["a%c.shop.example."]),
        ("ATCP.shop.example.", ["atcp.shop.example."]),
    ):
        outcome = run_module("vinyldns_zone_info", {**server.login, "name_filter": name_filter})
        assert [zone["zone"] for zone in outcome.result["zones"]] == found
    for group, count in (("ok_group", 0), ("ok-group", 3), ("ok*", 3)):
        given = {**server.login, "admin_group": group, "name_filter": "*.shop.example.", "details": False}
        assert len(run_module("vinyldns_zone_info", given).result["zones"]) == count


@pytest.mark.parametrize("name", ["münchen.example.", "München.example", "mu\u0308nchen.example."])
def test_international_name_is_looked_up_by_its_a_label(name: str, server: Server, run_module: RunModule) -> None:
    server.add("xn--mnchen-3ya.example.")
    zones = [*run_module("vinyldns_zone_info", {**server.login, "zones": name}).result["zones"]]
    zones += run_module("vinyldns_zone_info", {**server.login, "name_filter": name[:7]}).result["zones"] if "ü" in name else []
    assert {zone["zone"] for zone in zones} == {"xn--mnchen-3ya.example."} and all(zone["exists"] for zone in zones)
    outcome = run_module("vinyldns_zone_sync", server.options(name))
    assert outcome.only["target"] == "xn--mnchen-3ya.example." and outcome.only["action"] == "skipped"


def test_info_without_details_is_one_request_for_all_zones(server: Server, run_module: RunModule) -> None:
    names = [f"{letter}.shop.example." for letter in "abc"]
    for name in names:
        server.add(name)
    before = len(server.simulator.requests(part="vinyldns"))
    outcome = run_module("vinyldns_zone_info", {**server.login, "name_filter": "*.shop.example.", "details": False})
    assert len(server.simulator.requests(part="vinyldns")) == before + 1
    full = run_module("vinyldns_zone_info", {**server.login, "name_filter": "*.shop.example."}).result["zones"]
    unknown = {"age": None, "pending_change": None, "record_sets": None}
    assert outcome.result["zones"] == [{**zone, **unknown} for zone in full]
    assert [zone["zone"] for zone in full] == names and all(zone["may_sync"] and zone["admin_group"] for zone in full)


def test_credentials_from_the_environment(server: Server, run_module: RunModule) -> None:
    for url, key, secret in (
        ("VINYLDNS_API_URL", "VINYLDNS_ACCESS_KEY_ID", "VINYLDNS_SECRET_ACCESS_KEY"),
        ("VINYLDNS_HOST", "VINYLDNS_ACCESS_KEY", "VINYLDNS_SECRET_KEY"),
    ):
        env = {url: server.url, key: server.login["access_key"], secret: server.secret}
        outcome = run_module("vinyldns_zone_sync", {"zones": "example.com.", "max_age": 999999}, env=env)
        assert not outcome.failed and outcome.only["action"] == "skipped"


@pytest.mark.parametrize(
    ("status", "text", "code"),
    [
        (400, "Zone is in an invalid state to be synced", "busy"),
        (400, "Zone shop.example. was recently synced. Cannot complete sync", "recently_synced"),
        (400, "Zone is inactive", "busy"),
        (401, "Authentication Failed: Request signature could not be validated", "auth_failed"),
        (403, "User 'ok' cannot create or modify zone", "permission_denied"),
        (404, "Zone with id 1 does not exists", "not_found"),
        (409, "Zone has a pending update", "busy"),
    ],
)
def test_every_published_refusal_has_its_code(
    status: int, text: str, code: str, server: Server, simulator: Simulator, run_module: RunModule
) -> None:
    drifted(server)
    simulator.fault("status", part="vinyldns", method="POST", code=status, body=json.dumps(text), content_type="application/json")
    outcome = run_module("vinyldns_zone_sync", server.options(if_recently_synced="fail", if_running="fail"))
    assert outcome.codes == [code] and outcome.only["action"] == "refused" and outcome.only["failure"]["hint"]
    assert server.accepted() == 0 and server.posts() == 1
