# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guards and approvals."""

from __future__ import annotations

import pytest

from tests.simulator.client import Simulator

from ..conftest import Outcome, RunModule
from .server import RECORDS, ZONE, Server, drifted


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
