# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vinyldns_zone_sync: many zones that are as the DNS server has them take one request each, whatever they are compared by."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.simulator.client import Simulator

from ..conftest import RunModule
from .server import Server, simulator_age

ZONES = [f"zone{number:02d}.example." for number in range(12)]


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("drift", ["serial", "auto"])
def test_a_zone_in_sync_takes_one_request(
    server: Server, simulator: Simulator, run_module: RunModule, drift: str, check: bool
) -> None:
    for zone in ZONES:
        server.add(zone)
        simulator_age(server, 3600, zone)
    simulator.clear()
    options = server.options(ZONES, **({} if drift == "auto" else {"drift": drift}))
    outcome = run_module("vinyldns_zone_sync", options, check=check)
    assert Counter(record["action"] for record in outcome.result["syncs"]) == {"skipped": 12}
    asked = Counter(request["path"].partition("?")[0].rpartition("/")[2] for request in simulator.requests(part="vinyldns"))
    # a page of the list of zones, and one of the record sets of each
    assert asked == {"zones": 1, "recordsets": 12} and sum(asked.values()) <= 1.2 * len(ZONES)
