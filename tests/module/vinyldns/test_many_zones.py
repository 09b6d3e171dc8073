# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vinyldns_zone_sync: many zones at once, looked at in pages of the list of zones."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.simulator.client import Simulator

from ..conftest import Outcome, RunModule
from .server import Server, simulator_age

ZONES = [f"zone{number:02d}.example." for number in range(12)]


@pytest.fixture
def many(server: Server) -> Server:
    for zone in ZONES:
        server.add(zone)
        simulator_age(server, 3600, zone)
    return server


def options(server: Server, **more: Any) -> dict[str, Any]:
    return {**server.options(ZONES), "backend": None, **more}


def records(outcome: Outcome) -> list[dict[str, Any]]:
    return list(outcome.result["syncs"])


def asked(simulator: Simulator) -> Counter[str]:
    """Requests by what they were for."""
    paths = [request["path"].partition("?")[0] for request in simulator.requests(part="vinyldns")]
    return Counter("list" if path == "/zones" else path.rpartition("/")[2] if path.count("/") > 2 else "zone" for path in paths)


def drifted(server: Server) -> None:
    for zone in ZONES:
        server.update_dns(zone, add=[["new", 300, "A", "198.51.100.1"]])


def test_fresh_zones_take_one_page(many: Server, simulator: Simulator, run_module: RunModule) -> None:
    outcome = run_module("vinyldns_zone_sync", options(many, max_age=86400))
    assert Counter(record["action"] for record in records(outcome)) == {"skipped": 12}
    assert all(record["changed_basis"] == "observed" for record in records(outcome))
    assert asked(simulator) == {"list": 1} and outcome.result["summary"]["requests"] == 1


def test_fresh_zones_in_check_mode(many: Server, simulator: Simulator, run_module: RunModule) -> None:
    outcome = run_module("vinyldns_zone_sync", options(many, max_age=86400), check=True)
    assert not outcome.changed and {record["changed_basis"] for record in records(outcome)} == {"predicted"}
    assert asked(simulator) == {"list": 1}


def test_equal_serials_take_one_request_each(many: Server, simulator: Simulator, run_module: RunModule) -> None:
    outcome = run_module("vinyldns_zone_sync", options(many, backend=many.backend, drift="serial"))
    assert {record["action"] for record in records(outcome)} == {"skipped"} and many.posts() == 0
    assert asked(simulator) == {"list": 1, "recordsets": 12}


def test_a_plan_is_made_of_what_a_glance_has_shown(many: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(many)
    outcome = run_module("vinyldns_zone_sync", options(many, backend=many.backend))
    assert outcome.changed and {record["detail"]["fidelity"] for record in records(outcome)} == {"exact"}
    assert {record["detail"]["effect"]["creates"] for record in records(outcome)} == {1}
    seen = asked(simulator)
    # the record sets are listed once, and no zone is looked at by itself
    assert seen["recordsets"] == seen["sync"] == seen["recordsetchanges"] == 12 and seen["zone"] == 0


def test_the_list_shows_the_ends_of_syncs(many: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(many)
    outcome = run_module("vinyldns_zone_sync", options(many, max_parallel=12))
    assert all(record["state"] == "succeeded" and record["detail"]["effect"]["complete"] for record in records(outcome))
    assert many.posts() == 12
    assert outcome.result["summary"]["requests"] == len(simulator.requests(part="vinyldns"))


def test_failed_syncs_are_told_by_their_changes(many: Server, simulator: Simulator, run_module: RunModule) -> None:
    simulator.knob("vinyldns", fail_syncs="AXFR refused", failed_with_message=True)
    outcome = run_module("vinyldns_zone_sync", options(many, max_parallel=12))
    assert outcome.failed and set(outcome.codes) == {"run_failed"}
    assert all("AXFR refused" in record["failure"]["message"] for record in records(outcome))


def test_a_zone_that_does_not_exist_does_not_keep_the_others(many: Server, run_module: RunModule) -> None:
    outcome = run_module("vinyldns_zone_sync", {**options(many, max_age=86400), "zones": [*ZONES, "zone055.example."]})
    assert Counter(record["action"] for record in records(outcome)[:12]) == {"skipped": 12}
    assert records(outcome)[12]["failure"]["code"] == "not_found"


def test_a_run_in_flight_is_joined(many: Server, run_module: RunModule, simulator: Simulator) -> None:
    drifted(many)
    simulator.knob("vinyldns", sync_duration=3.0)
    first = run_module("vinyldns_zone_sync", options(many, wait=False))
    assert {record["action"] for record in records(first)} == {"triggered"}
    second = run_module("vinyldns_zone_sync", options(many, max_age=86400))
    assert {record["action"] for record in records(second)} == {"joined"} and many.posts() == 12
