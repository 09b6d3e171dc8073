# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that are cancelled or stopped, that take longer than their template allows, or whose container is gone.

Their processes are killed without warning. The report is there all the same, and the next job goes on.
"""

from __future__ import annotations

from typing import Any, Literal

import pytest

from tests.module.support.ledgers import LedgerFile, expire_leases

from ..staging_promotion.playbook import SHOP
from .job import Container, Job
from .systems import Promotions, Template, Zones

#: Lasts until it is ended.
ENDLESS = 600.0
#: Seconds that a job template allows: more than a job needs until it syncs, on a busy machine too.
TIMEOUT = 30

How = Literal["cancel", "stop", "timeout", "kill"]
#: What ansible-runner says about it afterwards; nothing where it was killed itself.
STATUS: dict[How, tuple[str, str]] = {
    "cancel": ("canceled", "254"),
    "stop": ("", ""),
    "timeout": ("timeout", "254"),
    "kill": ("", ""),
}
WAYS = pytest.mark.parametrize(
    "how", ["cancel", *(pytest.param(how, marks=pytest.mark.long) for how in ("stop", "timeout", "kill"))]
)


def start(template: Template, how: How, **variables: Any) -> Job:
    container = Container(background=how == "stop")
    return template.start(timeout=TIMEOUT if how == "timeout" else 0, container=container, **variables)


def end(job: Job, how: How, template: Template) -> None:
    """End a job that is at work, and let the minute pass after which another container knows that it has ended."""
    if how == "cancel":
        job.cancel()
    elif how == "stop":
        job.stop()
    elif how == "kill":
        job.kill()
    ended = job.finish()
    assert (ended.status, ended.rc) == STATUS[how], ended.stdout
    expire_leases(LedgerFile(template.ledger))


@pytest.mark.long
@pytest.mark.parametrize("how", ["cancel", "stop", "timeout", "kill"])
def test_a_promotion_goes_on_with_the_next_job(how: How, promotions: Promotions) -> None:
    promotions.server.knob(sync_seconds=ENDLESS)
    job = start(promotions, how)
    job.when(lambda: promotions.server.is_syncing(SHOP))
    end(job, how, promotions)
    left = promotions.report()
    assert (left["verdict"], left["unfinished"]["phase"], left["release"]) == ("unknown", "sync", "r1"), left
    assert left["run"] in promotions.report_text()

    promotions.server.finish_sync(SHOP)
    resumed = promotions()
    assert (resumed.code, resumed.status) == (0, "successful"), resumed.stdout
    report = promotions.report()
    (target,) = report["targets"]
    assert (report["verdict"], target["resumed"]["run"], target["resumed"]["phase"]) == ("succeeded", left["run"], "sync")
    assert left["run"] in resumed.one_line
    assert (promotions.syncs, len(promotions.server.sent())) == (1, 2)


@pytest.mark.long
@pytest.mark.parametrize("how", ["cancel", "stop", "timeout"])
def test_a_reconciliation_goes_on_with_the_next_job(how: How, zones: Zones) -> None:
    names = "a.example., same.example."
    zones.add_drifted("a.example.")
    zones.server.add("same.example.")
    zones.server.simulator.knob("vinyldns", sync_duration=2 * TIMEOUT if how == "timeout" else ENDLESS)
    job = start(zones, how, zones=names)
    job.when(zones.server.sent)
    end(job, how, zones)
    left = zones.report()
    assert (left["verdict"], left["unfinished"]["phase"]) == ("unknown", "sync"), left
    assert {zone["zone"]: zone["verdict"] for zone in left["zones"]} == {"a.example.": "unknown", "same.example.": "in_sync"}

    # the server is still at it
    joined = zones("--check", zones=names)
    assert joined.code == 0, joined.stdout
    assert [zone["action"] for zone in zones.report()["zones"]] == ["would_join", "skipped"]
    assert zones.server.synced() == ["a.example."]
