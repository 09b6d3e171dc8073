# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What fails: zones, access, servers and options."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.simulator.client import Simulator

from ..conftest import RunModule
from .server import ZONE, Server, drifted


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
