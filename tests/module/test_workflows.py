# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A workflow of AWX: a job that checks, an approval, and a job that carries out exactly the plan that was approved.

Each job has a home directory of its own, and what the first one passes on by set_stats is an extra variable of the second one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.simulator.client import Simulator

from .dns_reconciliation import playbook as dns
from .staging_promotion import playbook as staging

Json = dict[str, Any]

#: the extra variables of the second job template, as the READMEs of the roles have them
RECONCILE = {
    "dns_reconciliation_approve": "{{ dns_reconciliation.digests }}",
    "dns_reconciliation_only_approved": "true",
}
PROMOTE = {"staging_promotion_approval": "token", "staging_promotion_approve": "{{ staging_promotion.digest }}"}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["vinyldns", "serveravatar"]) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(simulator: Simulator) -> None:
    simulator.reset()


class Jobs:
    """Jobs with an environment as AWX makes it.

    :param ledger: on a volume that all of them share; None for none.
    """

    def __init__(self, environment: dict[str, str], folder: Path, ledger: Path | None) -> None:
        kept = {name: value for name, value in environment.items() if name != "LOCKSTEP_LEDGER"}
        self.environment = {**kept, "ANSIBLE_SHOW_CUSTOM_STATS": "1", **({"LOCKSTEP_LEDGER": str(ledger)} if ledger else {})}
        self.folder = folder
        self.count = 0

    def next(self) -> dict[str, str]:
        self.count += 1
        home = self.folder / f"home{self.count}"
        home.mkdir()
        runner = self.folder / f"runner{self.count}"
        return {**self.environment, "HOME": str(home), "AWX_PRIVATE_DATA_DIR": str(runner), "JOB_ID": str(self.count)}

    def artifacts(self, output: str) -> list[str]:
        """What AWX passes on: the custom statistics of a job, as arguments of the next one."""
        match = re.search(r"^\tRUN: (\{.*\})$", output, re.MULTILINE)
        assert match, output
        path = self.folder / f"artifacts{self.count}.yaml"
        path.write_text(yaml.dump(json.loads(match[1]), Dumper=UnsafeDumper))
        return ["-e", f"@{path}"]


class UnsafeDumper(yaml.SafeDumper):
    """Marks all texts as AWX does: what did not come from the job template itself is never a template."""

    def represent_data(self, data: Any) -> yaml.Node:
        return self.represent_scalar("!unsafe", data) if isinstance(data, str) else super().represent_data(data)


def passed_on(arguments: list[str]) -> Json:
    found: Json = yaml.safe_load(Path(arguments[1][1:]).read_text().replace("!unsafe ", ""))
    return found


class Reconciliation:
    """The workflow of the DNS role."""

    def __init__(self, simulator: Simulator, jobs: Jobs, folder: Path) -> None:
        self.server = dns.Server(simulator)
        self.playbook = dns.Playbook(self.server, {}, folder)
        self.jobs = jobs

    def job(self, *arguments: str, **variables: Any) -> dns.Played:
        self.playbook.environment = {
            **self.jobs.next(),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCAL_TEMP": str(self.jobs.folder / f"local{self.jobs.count}"),
        }
        return self.playbook(*arguments, **variables)

    def check(self, **variables: Any) -> list[str]:
        played = self.job("--check", **variables)
        assert played.code == 0, played.output
        return self.jobs.artifacts(played.output)

    def run(self, artifacts: list[str], **variables: Any) -> dns.Played:
        return self.job(*artifacts, "-e", json.dumps(RECONCILE), **variables)


@pytest.fixture
def reconciliation(simulator: Simulator, environment: dict[str, str], tmp_path: Path) -> Reconciliation:
    return Reconciliation(simulator, Jobs(environment, tmp_path, None), tmp_path)


def test_exactly_the_approved_zones_are_synced(reconciliation: Reconciliation) -> None:
    server, zones = reconciliation.server, ["a.flow.example.", "b.flow.example.", "c.flow.example."]
    server.add(*zones)
    # more than the guards of the second job allow: the approval is for this very plan
    server.drift(zones[0])
    guard = {"max_deletes": 0}
    nothing = reconciliation.check(zones=zones[1:])
    assert passed_on(nothing)["dns_reconciliation"]["digests"] == {}
    approved = reconciliation.check(zones=zones)
    shared = passed_on(approved)
    assert set(shared) == {"dns_reconciliation"}
    assert set(shared["dns_reconciliation"]) == {"verdict", "summary", "digests", "report_path"}
    assert shared["dns_reconciliation"]["verdict"] == "drift"
    assert list(shared["dns_reconciliation"]["digests"]) == [zones[0]]

    # without any drift there is nothing to approve
    idle = reconciliation.run(nothing, zones=zones[1:])
    assert (idle.code, idle.verdict, idle.changed, server.sent()) == (0, "in_sync", 0, 0), idle.output

    done = reconciliation.run(approved, zones=zones, guard=guard)
    assert (done.code, done.verdict) == (0, "reconciled"), done.output
    assert done.verdicts == {zones[0]: "reconciled", zones[1]: "in_sync", zones[2]: "in_sync"}
    assert server.synced() == [zones[0]]
    again = reconciliation.run(approved, zones=zones, guard=guard)
    assert (again.code, again.verdict, again.changed) == (0, "in_sync", 0), again.output
    assert server.synced() == [zones[0]]


@pytest.mark.long
def test_a_zone_that_moved_since_its_approval_is_refused(reconciliation: Reconciliation) -> None:
    server, zones = reconciliation.server, ["moved.flow.example.", "late.flow.example.", "still.flow.example."]
    server.add(*zones)
    server.drift(zones[0])
    approved = reconciliation.check(zones=zones)
    # an approval takes hours: one plan is another one now, and a zone that was in sync is not any more
    change = {"add": [["later", 300, "A", "198.51.100.9"]], "delete": []}
    server.simulator.control.part("vinyldns", "POST", "/dns/update", {"zone": zones[0], **change})
    server.drift(zones[1])

    moved = reconciliation.run(approved, zones=zones)
    assert (moved.code, moved.verdict) == (2, "refused"), moved.output
    assert moved.verdicts == {zones[0]: "refused", zones[1]: "refused", zones[2]: "in_sync"}
    assert "changed since the review" in moved.zone(zones[0])["reason"]
    assert "no plan was approved" in moved.zone(zones[1])["reason"]
    assert server.sent() == 0
    # what is refused has a digest for the next approval
    assert set(moved.report["digests"]) == set(zones[:2])

    again = reconciliation.run(reconciliation.check(zones=zones), zones=zones)
    assert (again.code, again.verdict) == (0, "reconciled"), again.output
    assert sorted(server.synced()) == sorted(zones[:2])


class Promotion:
    """The workflow of the promotion."""

    def __init__(self, simulator: Simulator, jobs: Jobs, folder: Path) -> None:
        self.server = staging.Server(simulator)
        self.playbook = staging.Playbook({}, folder)
        self.jobs = jobs

    def job(self, *arguments: str, **variables: Any) -> staging.Played:
        self.playbook.environment = {**self.jobs.next(), "ANSIBLE_NOCOLOR": "1"}
        return self.playbook(*arguments, **{"targets": [self.server.target()], **variables})

    def check(self, **variables: Any) -> list[str]:
        played = self.job("--check", **variables)
        assert (played.code, played.verdict) == (0, "planned"), played.output
        return self.jobs.artifacts(played.output)

    def run(self, artifacts: list[str], **variables: Any) -> staging.Played:
        return self.job(*artifacts, "-e", json.dumps(PROMOTE), **variables)


@pytest.fixture
def promotion(simulator: Simulator, environment: dict[str, str], tmp_path: Path) -> Iterator[Promotion]:
    workflow = Promotion(simulator, Jobs(environment, tmp_path, tmp_path / "volume" / "ledger.sqlite3"), tmp_path)
    yield workflow
    for running in workflow.playbook.started:
        running.kill()


@pytest.mark.long
def test_exactly_the_approved_plan_is_promoted(promotion: Promotion) -> None:
    server = promotion.server
    approved = promotion.check()
    shared = passed_on(approved)
    assert set(shared) == {"staging_promotion"}
    assert set(shared["staging_promotion"]) == {"verdict", "run", "release", "digest", "summary", "report_path"}
    assert shared["staging_promotion"]["verdict"] == "planned"

    # the plan moved: another release, and a target that is synced by another way meanwhile
    other = promotion.run(approved, release="r3")
    assert (other.code, other.verdict) == (2, "refused"), other.output
    assert "is not the digest of this plan" in other.report["message"]
    assert server.sent() == []
    server.knob(sync_seconds=60)
    url = f"{server.url}/organizations/5/servers/15/applications/{staging.SHOP}/sync"
    assert requests.get(url, headers={"Authorization": server.token}, timeout=30).ok
    joined = promotion.run(approved)
    assert (joined.code, joined.verdict) == (2, "refused"), joined.output
    assert "is not the digest of this plan" in joined.report["message"]
    assert len(server.sent()) == 1
    server.finish_sync(staging.SHOP)
    server.knob(sync_seconds=0.1)

    done = promotion.run(promotion.check())
    assert (done.code, done.verdict) == (0, "succeeded"), done.output
    assert ("approval", "passed") in done.phases()
    assert server.syncs(staging.SHOP) == 2
    # the approval of a plan that was carried out promotes nothing again
    again = promotion.run(approved)
    assert (again.code, again.verdict, again.report["changed"]) == (0, "succeeded", False), again.output
    assert server.syncs(staging.SHOP) == 2


@pytest.mark.long
def test_a_job_without_a_named_ledger_promotes_nothing(promotion: Promotion, tmp_path: Path) -> None:
    """Its memory would end with it. A ledger may be named by the environment of the play, too."""
    server, volume = promotion.server, promotion.jobs.environment.pop("LOCKSTEP_LEDGER")
    for variables in ({}, {"approval": "none"}):
        refused = promotion.job(**variables)
        assert (refused.code, refused.verdict) == (2, "refused"), refused.output
        assert [check["name"] for check in refused.only()["checks"] if check["ok"] is False] == ["memory"]
        assert all(name in refused.report["message"] for name in ("LOCKSTEP_LEDGER", "staging_promotion_ledger"))
        assert server.sent() == []

    role = {"ansible.builtin.import_role": {"name": "lockstep.sync.staging_promotion", "rolespec_validate": False}}
    play = {"hosts": "localhost", "gather_facts": False, "environment": {"LOCKSTEP_LEDGER": volume}, "tasks": [role]}
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    done = [promotion.job(str(tmp_path / "play.yml")) for number in range(2)]
    assert [(played.code, played.verdict, played.report["changed"]) for played in done] == [
        (0, "succeeded", True),
        (0, "succeeded", False),
    ], done[0].output
    assert server.syncs(staging.SHOP) == 1
    assert Path(volume).exists()
    # what a run in such a job has, modules included
    assert not list(tmp_path.glob("home[34]/**/*.sqlite3"))
