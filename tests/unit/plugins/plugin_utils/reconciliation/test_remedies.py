# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the last task shows of a zone in trouble has the remedy: in AWX, it is what people see of a job."""

from __future__ import annotations

from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.report import build_report
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.state import ReconciliationState, ZonePass

RECORD = {"action": "refused", "state": "not_started", "changed": False, "reason": "", "handle": None, "detail": {}}
TIMES = {"started_at": None, "finished_at": None, "elapsed": 0.0, "requests": 1}


def message(*hints: str) -> str:
    syncs = [
        {
            **RECORD,
            **TIMES,
            "target": f"{name}.example.",
            "failure": {"code": "auth_failed", "message": "not accepted", "http_status": 401, "hint": hint},
        }
        for name, hint in zip("abc", hints, strict=False)
    ]
    plans = ZonePass.of({"syncs": syncs, "summary": {"requests": 1}})  # type: ignore[typeddict-item]  # what matters here
    return build_report(ReconciliationState(False, "", report_path="r.json", plans=plans), "")["message"]


def test_the_remedy_follows_the_reason() -> None:
    shown = message("Check secret_key.")
    assert shown == "failed: 1 zone. a.example.: auth_failed: not accepted. Check secret_key. Report: r.json"


def test_that_of_the_first_of_several_zones() -> None:
    shown = message("Check secret_key.", "Check the other one.")
    assert shown == "failed: 2 zones, 2 failed. a.example.: auth_failed: not accepted. Check secret_key. Report: r.json"


def test_without_one_the_reason_stands_alone() -> None:
    assert message("") == "failed: 1 zone. a.example.: auth_failed: not accepted. Report: r.json"
