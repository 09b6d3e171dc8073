# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both playbooks as jobs of AWX: check, approve and run; each job has a new home directory, some can not write theirs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from ..dns_reconciliation.playbook import HOSTS
from .job import CONTAINER, Awx, Container
from .systems import Promotions, Zones

#: What README says of events; AWX empties those above 700 kB.
MAX_EVENT, MAX_DETAILED_EVENT = 100_000, 400_000


def read_only_home(awx: Awx) -> Container:
    return Container(home_mode=0o555, environment={"ANSIBLE_HOME": str(awx.shared("elsewhere"))})


def test_a_container_has_another_user_and_sees_its_own_processes() -> None:
    look = [
        "import os, pathlib, pwd",
        "print(os.getpid(), os.getuid(), os.getgid(), len(list(pathlib.Path('/proc').glob('[0-9]*'))))",
        "pwd.getpwuid(os.getuid())",
    ]
    done = subprocess.run([*CONTAINER, sys.executable, "-c", "\n".join(look)], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["1", "100777", "0", "1"]
    assert "KeyError" in done.stderr


@pytest.mark.long
def test_a_promotion_is_checked_approved_and_run(promotions: Promotions) -> None:
    """The job type check passes the digest on; the next job needs it. A third one, with another home, changes nothing."""
    template = {"approval": "token"}
    # as a user types it who was asked for quotes
    survey = {"release": '"2026.10"', "windows": "", "backup": "required"}
    checked = promotions("--check", survey=survey, **template)
    assert (checked.code, checked.status, checked.rc) == (0, "successful", "0"), checked.stdout
    assert promotions.server.sent() == []
    passed_on = checked.artifacts["staging_promotion"]
    assert (passed_on["verdict"], passed_on["release"]) == ("planned", "2026.10")
    assert f"release 2026.10, digest {passed_on['digest']}" in checked.shown

    survey["approve"] = passed_on["digest"]
    ran = promotions(survey=survey, **template)
    assert (ran.code, ran.status, ran.rc, ran.changed) == (0, "successful", "0", 2), ran.stdout
    assert ran.artifacts["staging_promotion"]["verdict"] == promotions.report()["verdict"] == "succeeded"
    assert promotions.report()["release"] == "2026.10"
    assert (promotions.syncs, len(promotions.server.sent())) == (1, 2)

    again = promotions(survey={**survey, "approve": ""}, approval="none", container=read_only_home(promotions.awx))
    assert (again.code, again.status, again.changed) == (0, "successful", 0), again.stdout
    assert again.artifacts["staging_promotion"]["verdict"] == "succeeded"
    assert (promotions.syncs, len(promotions.server.sent())) == (1, 2)
    assert list(promotions.awx.jobs[-1].home.iterdir()) == []


@pytest.mark.long
def test_zones_are_checked_approved_and_run(zones: Zones) -> None:
    zones.add_drifted("a.example.", "b.example.")
    zones.server.add("same.example.")
    survey = {"zones": "a.example.\nb.example.\nsame.example.", "approve": ""}
    checked = zones("--check", "--diff", survey=survey)
    assert (checked.code, checked.status) == (0, "successful"), checked.stdout
    assert zones.server.sent() == 0
    passed_on = checked.artifacts["dns_reconciliation"]
    assert (passed_on["verdict"], list(passed_on["digests"])) == ("drift", ["a.example.", "b.example."])

    # the plan of one of them is not the one that was approved any more
    zones.server.simulator.control.part(
        "vinyldns", "POST", "/dns/update", {"zone": "b.example.", "add": [["late", 300, "A", "198.51.100.2"]], "delete": []}
    )
    approved = {"zones": list(passed_on["digests"]), "approve": passed_on["digests"]}
    zones.server.simulator.knob("vinyldns", sync_duration=6.0)
    job = zones.start(survey=approved)
    # the output pane shows how far it is before the task ends
    job.when(lambda: "... [localhost]" in job.stdout)
    ran = job.finish()
    assert (ran.code, ran.status) == (2, "failed"), ran.stdout
    verdicts = {zone["zone"]: zone["verdict"] for zone in zones.report()["zones"]}
    assert verdicts == {"a.example.": "reconciled", "b.example.": "refused"}
    assert zones.server.synced() == ["a.example."]

    # JSON in the answer of a survey
    survey = {"zones": json.dumps(["a.example.", "same.example."]), "approve": "{}"}
    again = zones(survey=survey, container=read_only_home(zones.awx))
    assert (again.code, again.status, again.changed) == (0, "successful", 0), again.stdout
    assert again.artifacts["dns_reconciliation"]["verdict"] == "in_sync"
    assert zones.server.synced() == ["a.example."]


@pytest.mark.long
def test_awx_keeps_every_event_of_many_zones(zones: Zones) -> None:
    names = [f"zone{number:04d}.example." for number in range(1000)]
    zones.server.add(*names, dns=[*HOSTS[2:], "host00 300 A 198.51.100.1", "new 300 A 198.51.100.2"])
    checked = zones("--check", "--diff", "-v", zones=names)
    assert (checked.code, checked.artifacts["dns_reconciliation"]["summary"]["drift"]) == (0, len(names)), checked.stdout
    assert max(checked.sizes) < MAX_DETAILED_EVENT

    ran = zones(zones=names)
    assert (ran.code, ran.artifacts["dns_reconciliation"]["summary"]["reconciled"]) == (0, len(names)), ran.stdout
    assert max(ran.sizes) < MAX_EVENT
    assert len(zones.server.synced()) == len(names)


@pytest.mark.long
def test_a_release_that_looks_like_a_number_needs_quotes(promotions: Promotions) -> None:
    """Whether it reaches the role as a number depends on the release of ansible-core."""
    ended = promotions("--check", survey={"release": "2026.10"})
    report = promotions.report()
    if report["verdict"] == "planned":
        assert report["release"] == "2026.10"
    else:
        assert "Put the value in quotes where it is defined, in the answer of a survey, too" in ended.one_line
