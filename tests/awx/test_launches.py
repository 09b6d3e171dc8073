# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebook of the guide that starts a job template, with ansible-rulebook, the emulated AWX and the template of the kit."""

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.eda.rulebook import Rulebook
from tests.module.dns_reconciliation.playbook import Server
from tests.unit.eda.test_documentation import rulebooks

from . import rules
from .conftest import ROOT, Played
from .emulator import TOKEN, AwxEmulator
from .jobs import Jobs

RECONCILE = "Lockstep DNS: reconcile"


@pytest.fixture(scope="session")
def programs() -> str:
    """Where ansible-rulebook is."""
    return subprocess.check_output([ROOT / "scripts" / "install-rulebook"], text=True).strip()


def documented() -> dict[str, Any]:
    (found,) = (each for each in rulebooks() if "run_job_template" in json.dumps(each))
    return copy.deepcopy(found)


def answers() -> dict[str, Any]:
    """What the rulebook of the guide gives the job template."""
    (rule,) = documented()["rules"]
    given: dict[str, Any] = rule["action"]["run_job_template"]["job_args"]["extra_vars"]
    return given


def test_a_change_in_dns_is_a_job_that_reconciles_it(
    programs: str, awx: AwxEmulator, jobs: Jobs, server: Server, tmp_path: Path
) -> None:
    zones = ["a.launch.example.", "b.launch.example."]
    server.add(*zones)
    server.drift(zones[0])
    rule_set = documented()
    # the port of the emulated DNS server is none that an example would have
    rule_set["sources"][0]["lockstep.sync.dns_serials"]["port"] = server.backend["port"]
    path = tmp_path / "guide.yml"
    path.write_text(yaml.safe_dump([rule_set]))
    variables = {"lockstep_dns_server": server.backend["server"], "lockstep_zones": zones}
    rulebook = Rulebook(str(path), programs, tmp_path / "rulebook", variables)
    rulebook.command += ["--controller-url", awx.url, "--controller-token", TOKEN]
    rulebook.environment["EDA_JOB_TEMPLATE_REFRESH_DELAY"] = "0.2"
    with rulebook:
        rulebook.wait(lambda: awx.objects["jobs"], "a job")
        (launched,) = awx.objects["jobs"].values()
        assert launched["name"] == RECONCILE
        assert sorted(launched["extra_vars"]["dns_reconciliation_zones"].split(",")) == zones
        job = jobs.launch(RECONCILE, launched["extra_vars"])
        launched["status"] = "failed" if job.failed else "successful"
        rulebook.until("job results url")
    assert not job.failed, job.output
    assert job.artifacts["dns_reconciliation"]["summary"]["zones"] == len(zones)
    assert server.sent() == 1
    assert len(awx.objects["jobs"]) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"dns_reconciliation_zones": ["a."]}, "expected to be a string"),
        ({"dns_reconciliation_if_recently_synced": None}, "value missing"),
        ({"dns_reconciliation_if_recently_synced": "perhaps"}, "expected to be one of"),
    ],
)
def test_launches_that_awx_refuses(awx: AwxEmulator, applied: Played, change: dict[str, Any], reason: str) -> None:
    assert applied.code == 0, applied.output
    given = {name: value for name, value in {**answers(), **change}.items() if value is not None}
    assert reason in str(rules.launch(awx.named("job_templates", RECONCILE), given)[2])


def test_variables_that_the_template_does_not_ask_for_are_ignored(awx: AwxEmulator, applied: Played) -> None:
    assert applied.code == 0, applied.output
    accepted, ignored, refusal = rules.launch(awx.named("job_templates", RECONCILE), {**answers(), "ansible_eda": {}})
    assert (accepted, ignored, refusal) == (answers(), {"ansible_eda": {}}, None)
