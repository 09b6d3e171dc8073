# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in flight are joined, queued behind, resumed and waited for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.simulator.client import Simulator

from ..conftest import RunModule
from .server import ZONE, Server, drifted, wait_until


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
