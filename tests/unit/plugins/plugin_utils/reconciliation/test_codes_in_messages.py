# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The message of a reconciliation has the code of the failure that it names, by which the documentation explains it."""

from __future__ import annotations

import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.report import build_report
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.services import with_failure
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.state import (
    ModuleAnswer,
    ReconciliationState,
    ZonePass,
    ZoneRecord,
)

FAILURE = {"code": "auth_failed", "message": "not accepted", "http_status": 401, "hint": "Check secret_key."}
TIMES = {"started_at": None, "finished_at": None, "elapsed": 0.0, "requests": 1}


def record(zone: str, action: str, failure: dict[str, t.Any] | None = None) -> ZoneRecord:
    found = {"target": zone, "action": action, "state": "not_started", "changed": False, "reason": action, "handle": None}
    return t.cast(ZoneRecord, {**found, **TIMES, "failure": failure, "detail": {}})


def message(**passes: ZonePass) -> str:
    return build_report(ReconciliationState(False, "", **passes), "")["message"]


def test_the_first_zone_that_failed_shows_its_code() -> None:
    plans = ZonePass((record("a.", "would_trigger"), record("b.", "refused", FAILURE), record("c.", "refused", FAILURE)))
    assert message(plans=plans) == "failed: 3 zones, 1 drift, 2 failed. b.: auth_failed: not accepted. Check secret_key."


def test_a_zone_that_could_not_be_verified_shows_its_code() -> None:
    plan, synced = record("a.", "would_trigger"), {**record("a.", "triggered"), "state": "succeeded"}
    passes = {
        "plans": ZonePass((plan,)),
        "syncs": ZonePass((t.cast(ZoneRecord, synced),)),
        "residuals": ZonePass((record("a.", "refused", FAILURE),)),
    }
    assert message(**passes) == "failed: 1 zone. a.: auth_failed: synced, but then: not accepted. Check secret_key."


def test_a_run_that_failed_as_a_whole_shows_its_code() -> None:
    answer = t.cast(ModuleAnswer, {"failure": FAILURE, "summary": {"requests": 0}})
    assert message(plans=ZonePass.of(answer)) == "failed: auth_failed: not accepted. Check secret_key."
    state = with_failure(ReconciliationState(False, ""), SyncError("invalid_option", "x is undefined", "Define it."))
    assert build_report(state, "")["message"] == "failed: invalid_option: x is undefined. Define it."
