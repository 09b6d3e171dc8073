# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sentences of a report: each has one mark at its end, whatever the server and the failed task end with."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications.reconciliation import reconciliation_announcement
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.report import build_report
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.settings import read
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.state import ReconciliationState, ZonePass


def state_of(reason: str, error: str = "") -> ReconciliationState:
    failure = {"code": "not_found", "message": reason, "http_status": 404, "hint": ""}
    record = {"target": "a.example.", "action": "refused", "state": "not_started", "changed": False, "reason": "", "handle": None}
    times = {"started_at": None, "finished_at": None, "elapsed": 0.0, "requests": 1}
    answer = {"syncs": [{**record, **times, "failure": failure, "detail": {}}], "summary": {"requests": 1}}
    passed = ZonePass.of(answer)  # type: ignore[arg-type]  # what matters here
    return ReconciliationState(False, "", report_path="r.json", plans=ZonePass() if error else passed, error=error)


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("Zone with name a. does not exists.", "Zone with name a. does not exists."),
        ("the path ../zones is wrong", "the path ../zones is wrong."),
        ("the server says: wait ...", "the server says: wait ..."),
        ("is it running?", "is it running?"),
    ],
)
def test_the_reason_of_a_zone_is_repeated_as_it_is(reason: str, shown: str) -> None:
    report = build_report(state_of(reason), "")
    assert report["message"] == f"failed: 1 zone. a.example.: not_found: {shown} Report: r.json"


def test_the_reason_of_a_run_ends_before_the_path_of_the_report() -> None:
    report = build_report(state_of("", error="Compare with DNS: it broke"), "")
    assert report["message"] == "failed: Compare with DNS: it broke. Report: r.json"


def test_the_digest_of_a_plan_is_a_sentence_of_its_own() -> None:
    zone = {"zone": "a.example.", "verdict": "refused", "reason": "wait ..."}
    (target,) = reconciliation_announcement({"zones": [zone], "digests": {"a.example.": "8875298edb71"}}).targets
    assert target.reason == "wait ... Digest of the plan: 8875298edb71"


def test_no_name_of_a_variable_has_two_dots() -> None:
    with pytest.raises(SyncError) as caught:
        read({"backends": {"a.example.": {"server": "ns1", "port": "many"}}})
    assert "dns_reconciliation_backends[a.example.].port" in caught.value.message
