# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was applied, at work: the workflows with the credentials, surveys and variables that the emulated AWX has now."""

from __future__ import annotations

from tests.module.dns_reconciliation.playbook import Server

from .jobs import Jobs

DNS = "Lockstep DNS: check, approve, reconcile"
PROMOTION = "Lockstep promotion: check, approve, promote"


def test_the_dns_workflow(jobs: Jobs, server: Server) -> None:
    zones = ["a.kit.example.", "b.kit.example."]
    server.add(*zones)
    answers = {"dns_reconciliation_zones": "\n".join(zones), "dns_reconciliation_admin_group": ""}
    assert jobs.launch_workflow(DNS, answers) == ["check"], jobs.done[-1].output
    assert (jobs.done[-1].failed, server.sent()) == (False, 0)

    server.drift(zones[0])
    assert jobs.launch_workflow(DNS, answers) == ["check", "approve", "reconcile"], jobs.done[-1].output
    check, run = jobs.done[1:]
    assert (check.failed, check.artifacts["dns_reconciliation"]["verdict"]) == (True, "drift")
    assert (run.failed, run.artifacts["dns_reconciliation"]["verdict"]) == (False, "reconciled")
    assert server.synced() == [zones[0]]
    for job in jobs.done:
        assert server.secret not in job.output
        if "tsig_secret" in server.backend:
            assert server.backend["tsig_secret"] not in job.output


def test_a_check_that_cannot_look_has_nothing_to_approve(jobs: Jobs, server: Server) -> None:
    jobs.overrides["Lockstep VinylDNS"] = {**server.login, "secret_key": "another"}
    answers = {"dns_reconciliation_zones": "a.kit.example.", "dns_reconciliation_admin_group": ""}
    assert jobs.launch_workflow(DNS, answers) == ["check", "approve", "reconcile"]
    assert [job.failed for job in jobs.done] == [True, True]
    assert server.sent() == 0


def test_the_promotion_workflow(jobs: Jobs, server: Server) -> None:
    for _time in range(2):
        reached = jobs.launch_workflow(PROMOTION, {"staging_promotion_release": "2026.10"})
        assert reached == ["check", "approve", "promote"], jobs.done[-1].output
        # the second time, the ledger knows the release
        assert len(server.simulator.requests(part="serveravatar", kind="mutate")) == 1
    results = [job.artifacts["staging_promotion"] for job in jobs.done]
    assert [(result["verdict"], result["release"]) for result in results[:2]] == [
        ("planned", "2026.10"),
        ("succeeded", "2026.10"),
    ]
    assert [job.failed for job in jobs.done] == [False] * 4
