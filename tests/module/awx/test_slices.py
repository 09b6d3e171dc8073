# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones that are the hosts of an inventory, in four jobs at once that share a ledger in PostgreSQL."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.module.support.ledgers import LedgerDatabase
from tests.postgresql import Cluster

from ..dns_reconciliation.playbook import HOSTS
from .job import Ended, Job
from .slicing import slices
from .systems import LEDGER, Zones

SLICES = 4
NAMES = [f"zone{number:03d}.example." for number in range(120)]
#: these are in the inventory by a second name, which is in another slice than the first one
SHARED = [f"shared{number}.example." for number in range(6)]
GROUP = {"zones": [*NAMES, *SHARED, *(name.removesuffix(".") for name in SHARED)]}


class Sliced:
    """The job template of the kit for zones in slices."""

    def __init__(self, zones: Zones, ledger: LedgerDatabase) -> None:
        self.zones = zones
        self.ledger = ledger

    def start(self) -> list[Job]:
        # a sync is not lost because another job has not begun yet
        variables = {"inventory_group": "zones", "fail_on_drift": "true", "settle_grace": 600}
        credentials = {LEDGER: self.ledger.location}
        return [
            self.zones.start(inventory=inventory, credentials=credentials, **variables) for inventory in slices(GROUP, SLICES)
        ]

    def finish(self, jobs: list[Job]) -> list[Ended]:
        ended = [job.finish() for job in jobs]
        assert [(each.code, each.status) for each in ended] == [(0, "successful")] * SLICES, [each.stdout for each in ended]
        return ended

    def reports(self, first: int) -> list[dict[str, Any]]:
        """Those of the jobs from a number on."""
        return [self.zones.report(number) for number in range(first, first + SLICES)]


@pytest.fixture
def sliced(zones: Zones, ledger_server: Cluster) -> Sliced:
    return Sliced(zones, LedgerDatabase(ledger_server))


@pytest.mark.long
def test_each_zone_is_synced_by_one_slice(sliced: Sliced) -> None:
    zones, every = sliced.zones, [*NAMES, *SHARED]
    zones.server.add(*every, dns=[*HOSTS[2:], "host00 300 A 198.51.100.1", "new 300 A 198.51.100.2"])
    # no sync begins, nor does the server show it, until all jobs have sent theirs: so they are at work at once
    zones.server.simulator.knob("vinyldns", processing_disabled=True)
    jobs = sliced.start()
    for job in jobs:
        job.when(lambda: zones.server.sent() >= len(every))
    zones.server.simulator.knob("vinyldns", processing_disabled=False)
    ended = sliced.finish(jobs)

    assert Counter(zones.server.synced()) == dict.fromkeys(every, 1) and zones.server.sent() == len(every)
    reported = [zone for report in sliced.reports(1) for zone in report["zones"]]
    assert Counter(zone["zone"] for zone in reported) == {**dict.fromkeys(NAMES, 1), **dict.fromkeys(SHARED, 2)}
    assert {zone["verdict"] for zone in reported if zone["action"] == "triggered"} == {"reconciled"}
    # the job that did not sync such a zone has waited for the other one, or finds that it is done
    actions = Counter(zone["action"] for zone in reported if zone["zone"] in SHARED)
    assert actions["triggered"] == actions["joined"] + actions["skipped"] == len(SHARED)
    summaries = [each.artifacts["dns_reconciliation"]["summary"] for each in ended]
    assert sum(summary["reconciled"] + summary["in_sync"] for summary in summaries) == len(reported)
    assert [each.artifacts["dns_reconciliation"]["report_path"] for each in ended] == [
        str(zones.awx.volume / f"report{number}.json") for number in range(1, SLICES + 1)
    ]
    assert sliced.ledger.query("SELECT state, count(*), count(DISTINCT target) FROM runs GROUP BY state") == [
        ("succeeded", len(every), len(every))
    ]

    again = sliced.finish(sliced.start())
    assert zones.server.sent() == len(every) and [each.changed for each in again] == [0] * SLICES
    assert [report["verdict"] for report in sliced.reports(SLICES + 1)] == ["in_sync"] * SLICES
