# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vinyldns_zone_sync: many zones of a BIND that serves few transfers at a time (``transfers-out``)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Repeats
from tests.simulator.client import Simulator

from ..conftest import Launch, Outcome, checked, module_input
from .server import RECORDS, Server

#: zones that take so long to transfer that transfers meet
LARGE = 8
MORE = [f"more{number:04d} 300 A 10.0.{number // 250}.{number % 250}" for number in range(1500)]
CHANGED = [*RECORDS[2:], "host00 60 A 192.0.2.0", "new 300 A 198.51.100.1"]
#: of BIND as shipped, and of one that is asked for more than it serves
SHIPPED, FEW = 10, 2
ATTEMPTS = 5
#: seconds after which a module is stuck, also on a busy machine
LIMIT = 1800


@pytest.fixture
def zones(server: Server, repeats: Repeats) -> list[str]:
    """Zones with one record set to create, one to update, and one to delete: 60, or 1000 with ``--soak``."""
    names = [f"zone{number:04d}.example." for number in range(repeats(60, 60, 1000))]
    large = [{"name": name, "records": [*RECORDS, *MORE], "dns": [*CHANGED, *MORE]} for name in names[:LARGE]]
    small = [{"name": name, "records": RECORDS, "dns": CHANGED} for name in names[LARGE:]]
    server.simulator.control.part("vinyldns", "POST", "/zones", {"zones": [*large, *small]})
    return names


def refused(simulator: Simulator) -> int:
    """Transfers that BIND has refused so far, of the module and of VinylDNS."""
    return int(simulator.control.part("vinyldns", "GET", "/dns/transfers")["refused"])


def work_on(launch: Launch, server: Server, zones: list[str], check: bool, **more: Any) -> Outcome:
    options = {**server.options(zones), **more}
    return checked(*launch("vinyldns_zone_sync", module_input(options, check)).finish(LIMIT))


@pytest.mark.long
def test_transfers_that_are_refused_as_too_many_fail_no_zone(
    server: Server, simulator: Simulator, launch: Launch, zones: list[str]
) -> None:
    simulator.control.part("vinyldns", "POST", "/dns/transfers", {"limit": FEW})
    before = refused(simulator)
    # on a starved machine the transfers of one task may not meet
    for _attempt in range(ATTEMPTS):
        outcome = work_on(launch, server, zones, check=True, max_parallel=16)
        assert not outcome.failed and "SERVFAIL" not in outcome.output
        assert {record["action"] for record in outcome.result["syncs"]} == {"would_trigger"}
        if refused(simulator) > before:
            break
    assert refused(simulator) > before


@pytest.mark.long
def test_a_server_as_shipped_refuses_no_transfer(server: Server, simulator: Simulator, launch: Launch, zones: list[str]) -> None:
    """With those of VinylDNS, which does up to four syncs at a time."""
    simulator.control.part("vinyldns", "POST", "/dns/transfers", {"limit": SHIPPED})
    before = refused(simulator)
    planned = work_on(launch, server, zones, check=True)
    done = work_on(launch, server, zones, check=False)
    assert not planned.failed and not done.failed
    assert {record["detail"]["fidelity"] for record in done.result["syncs"]} == {"exact"}
    assert server.accepted() == len(zones) and refused(simulator) == before
