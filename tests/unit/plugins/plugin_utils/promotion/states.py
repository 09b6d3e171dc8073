# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""States of a promotion, and results of modules, for tests of its phases."""

from __future__ import annotations

import dataclasses
from typing import Any

from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.module_result import ModuleResult, ProbeResult, SyncResult
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.settings import PromotionSettings, read
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.state import Actor, RunState, TargetState, new_targets

Json = dict[str, Any]
ACTOR = Actor("eve", "controller", None)
BEGIN = "2026-11-20T21:45:12Z"
IDS = {"organization": 5, "server": 15, "application": 88}
LISTED: Json = {"id": 313, "name": "before", "size": "51 MB", "status": "Completed"}


def settings_of(count: int = 1, **variables: Any) -> PromotionSettings:
    targets = [
        {
            "provider": "serveravatar",
            "options": {"application": f"shop-{number}", "api_token": "hunter2"},
            "verify": [{"url": f"https://shop-{number}.example.com/"}],
            "backup": {"storage": "Offsite"},
        }
        for number in range(count)
    ]
    return read({"targets": targets, "release": "2026.11", **variables})


def state_of(settings: PromotionSettings | None = None, check_mode: bool = False, run: str = "p-1") -> RunState:
    settings = settings or settings_of()
    return RunState(run, settings.release or None, check_mode, BEGIN, ACTOR, targets=new_targets(settings))


def target_of(**more: Any) -> TargetState:
    return dataclasses.replace(state_of().targets[0], **more)


def failure(code: str, message: str = "it says no", hint: str = "Look at it.") -> Json:
    return {"code": code, "message": message, "http_status": None, "hint": hint}


def answer(action: str = "would_trigger", requests: int = 3, **more: Any) -> Json:
    """What a module returns for one target."""
    record = {
        "target": "shop",
        "action": action,
        "state": "not_started",
        "changed": action in ("triggered", "joined", "would_trigger", "would_join"),
        "reason": f"because of {action}",
        "failure": None,
        "timed_out": False,
        "elapsed": 2.5,
        "detail": {"ids": IDS, "disk_usage": 41.0},
        **more,
    }
    return {"syncs": [record], "summary": {"requests": requests}}


def result(action: str = "would_trigger", requests: int = 3, **more: Any) -> ModuleResult:
    return ModuleResult.from_json(answer(action, requests, **more))


def record(**more: Any) -> SyncResult:
    found = result(**more).record
    assert found
    return found


def seen(name: str = "site", ok: bool = True, problem: str = "status 500, wanted 200") -> ProbeResult:
    """The result of a probe."""
    return ProbeResult(name, ok, () if ok else (problem,))


def checks_of(target: TargetState) -> dict[str, bool | None]:
    return {check.name: check.ok for check in target.checks}
