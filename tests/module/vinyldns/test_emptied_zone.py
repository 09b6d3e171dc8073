# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A large zone whose DNS server lost its records: refused without listing it, and shown in full where the plan is asked for."""

from __future__ import annotations

from tests.simulator.client import Simulator

from ..conftest import RunModule
from .server import ZONE, Server

HOSTS = 350


def emptied(server: Server) -> None:
    server.add(records=[f"host{number:03d} 300 A 192.0.2.{number % 250}" for number in range(HOSTS)], dns=[])


def test_it_is_refused_by_its_count(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    emptied(server)
    simulator.control.clear()
    outcome = run_module("vinyldns_zone_sync", server.options())
    assert outcome.codes == ["guard_refused"] and server.posts() == 0 and not outcome.changed
    assert [guard["rule"] for guard in outcome.only["detail"]["guards"]] == ["max_delete_percent", "allow_empty"]
    drift = outcome.only["detail"]["drift"]
    assert (drift["deletes"], drift["digest"], drift["truncated"]) == (HOSTS, "", True)
    assert "--check --diff" in outcome.only["failure"]["hint"]
    # the first page, and SOA and NS of the zone
    assert len(simulator.requests(path="/recordsets\\?")) == 2 and len(simulator.requests(path="/recordsetcount")) == 1


def test_check_mode_shows_what_would_be_deleted(server: Server, run_module: RunModule) -> None:
    emptied(server)
    outcome = run_module("vinyldns_zone_sync", server.options(), check=True, diff=True)
    assert outcome.codes == ["guard_refused"] and server.posts() == 0
    drift = outcome.only["detail"]["drift"]
    assert sum(record["action"] == "delete" for record in drift["records"]) == drift["deletes"] == HOSTS
    assert len(drift["digest"]) == 32 and not drift["truncated"]
    assert [outcome.result["diff"][0]["before"].count(f"host{number:03d} ") for number in (0, HOSTS - 1)] == [1, 1]


def test_it_is_emptied_if_that_is_allowed(server: Server, run_module: RunModule) -> None:
    emptied(server)
    guard = {"allow_empty": True, "max_delete_percent": 100}
    outcome = run_module("vinyldns_zone_sync", server.options(guard=guard))
    assert not outcome.failed and server.posts() == 1, outcome.output
    assert outcome.only["detail"]["fidelity"] == "exact" and outcome.only["detail"]["effect"]["deletes"] == HOSTS
    assert outcome.only["target"] == ZONE
