# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The decision what to do: the whole order of evidence as a table."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError, Violation
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.plan import LedgerEvidence, Policy, decide
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Observation, Run

RUN = Run({"run": 1})
FULL = SyncError("disk_full", "the disk is full")
BROKEN = (Violation("max_deletes", "too many"), Violation("allow_empty", "nothing left"), Violation("max_deletes", "again"))
DONE = LedgerEvidence(release_done="2026-03-01T12:00:00Z", age=10.0)
RELEASE = Policy(release="1.2")
FRESH = Policy(max_age=60.0)


@pytest.mark.parametrize(
    ("observation", "evidence", "policy", "action", "basis"),
    [
        # nothing known
        (Observation(), LedgerEvidence(), Policy(), "trigger", "assumed"),
        (Observation(), LedgerEvidence(), RELEASE, "trigger", "assumed"),
        (Observation(), LedgerEvidence(), FRESH, "trigger", "assumed"),
        (Observation(), DONE, Policy(), "trigger", "assumed"),
        # drift
        (Observation(in_sync=True), LedgerEvidence(), Policy(), "skip", "observed"),
        (Observation(in_sync=False), LedgerEvidence(), Policy(), "trigger", "assumed"),
        # drift beats release and age
        (Observation(in_sync=False), DONE, RELEASE, "trigger", "assumed"),
        (Observation(in_sync=False, age=1.0), DONE, FRESH, "trigger", "assumed"),
        (Observation(in_sync=True, age=1000.0), DONE, Policy(release="1.2", max_age=60.0), "skip", "observed"),
        # release beats age
        (Observation(age=1000.0), DONE, Policy(release="1.2", max_age=60.0), "skip", "assumed"),
        (Observation(age=1.0), LedgerEvidence(), Policy(release="1.2", max_age=60.0), "skip", "observed"),
        (Observation(age=1000.0), LedgerEvidence(age=1000.0), Policy(release="1.2", max_age=60.0), "trigger", "assumed"),
        # the age that the server reports takes precedence over the one of the ledger, both ways
        (Observation(age=60.0), LedgerEvidence(), FRESH, "skip", "observed"),
        (Observation(age=60.1), LedgerEvidence(), FRESH, "trigger", "assumed"),
        (Observation(age=1000.0), LedgerEvidence(age=1.0), FRESH, "trigger", "assumed"),
        (Observation(age=1.0), LedgerEvidence(age=1000.0), FRESH, "skip", "observed"),
        (Observation(), LedgerEvidence(age=59.0), FRESH, "skip", "assumed"),
        (Observation(), LedgerEvidence(age=61.0), FRESH, "trigger", "assumed"),
        (Observation(age=0.0), LedgerEvidence(), Policy(max_age=0.0), "skip", "observed"),
        # force overrides every skip
        (Observation(in_sync=True), LedgerEvidence(), Policy(force=True), "trigger", "assumed"),
        (Observation(), DONE, Policy(release="1.2", force=True), "trigger", "assumed"),
        (Observation(age=1.0), LedgerEvidence(), Policy(max_age=60.0, force=True), "trigger", "assumed"),
        # a run in flight comes before everything, force included
        (Observation(running=RUN), LedgerEvidence(), Policy(), "join", "assumed"),
        (Observation(running=RUN, in_sync=True), DONE, Policy(release="1.2", max_age=60.0), "join", "assumed"),
        (Observation(running=RUN), LedgerEvidence(), Policy(force=True), "join", "assumed"),
        (Observation(running=RUN, obstacle=FULL, violations=BROKEN), LedgerEvidence(), Policy(), "join", "assumed"),
        (Observation(running=RUN), LedgerEvidence(), Policy(if_running="queue"), "queue", "assumed"),
        (Observation(running=RUN, in_sync=True), LedgerEvidence(), Policy(if_running="queue"), "queue", "assumed"),
        (Observation(running=RUN), LedgerEvidence(), Policy(if_running="fail"), "refuse", "assumed"),
        (Observation(running=RUN), LedgerEvidence(), Policy(if_running="fail", force=True), "refuse", "assumed"),
        # obstacles and guards stop a trigger, not a skip
        (Observation(obstacle=FULL), LedgerEvidence(), Policy(), "refuse", "assumed"),
        (Observation(violations=BROKEN), LedgerEvidence(), Policy(), "refuse", "assumed"),
        (Observation(in_sync=True, obstacle=FULL, violations=BROKEN), LedgerEvidence(), Policy(), "skip", "observed"),
        (Observation(obstacle=FULL), DONE, RELEASE, "skip", "assumed"),
        # and force lifts neither
        (Observation(obstacle=FULL), LedgerEvidence(), Policy(force=True), "refuse", "assumed"),
        (Observation(in_sync=True, violations=BROKEN), LedgerEvidence(), Policy(force=True), "refuse", "assumed"),
    ],
)
def test_the_order_of_evidence(
    observation: Observation, evidence: LedgerEvidence, policy: Policy, action: str, basis: str
) -> None:
    plan = decide(observation, evidence, policy)
    assert (plan.action, plan.basis, bool(plan.reason)) == (action, basis, True)
    assert (plan.failure is not None) == (action == "refuse")


@pytest.mark.parametrize(
    ("observation", "policy", "code"),
    [
        (Observation(running=RUN), Policy(if_running="fail"), "busy"),
        (Observation(obstacle=FULL, violations=BROKEN), Policy(), "disk_full"),
        (Observation(violations=BROKEN), Policy(), "guard_refused"),
    ],
)
def test_a_refusal_has_the_code_of_its_cause(observation: Observation, policy: Policy, code: str) -> None:
    failure = decide(observation, LedgerEvidence(), policy).failure
    assert failure is not None
    assert failure.code == code


def test_every_broken_guard_is_named_by_its_option() -> None:
    failure = decide(Observation(violations=BROKEN), LedgerEvidence(), Policy()).failure
    assert failure is not None
    guards = [{"rule": violation.rule, "message": violation.message} for violation in BROKEN]
    assert failure.detail == {"guards": guards}
    assert failure.as_failure()["guards"] == guards
    for text in ("max_deletes: too many", "allow_empty: nothing left", "max_deletes: again"):
        assert text in failure.message


def test_the_reason_names_the_release_and_when_it_was_done() -> None:
    assert "1.2" in decide(Observation(), DONE, RELEASE).reason
    assert "2026-03-01T12:00:00Z" in decide(Observation(), DONE, RELEASE).reason


def test_the_reason_names_both_ages() -> None:
    reason = decide(Observation(age=12.0), LedgerEvidence(), FRESH).reason
    assert "12 s ago" in reason
    assert "60" in reason


def test_the_reason_of_the_evidence_is_kept() -> None:
    observation = Observation(in_sync=False, reason="drift: 3 to create")
    assert decide(observation, LedgerEvidence(), Policy()).reason == "drift: 3 to create"
    assert decide(observation, LedgerEvidence(), Policy(force=True)).reason == "forced; drift: 3 to create"
