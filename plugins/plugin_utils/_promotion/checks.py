# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The checks that follow from the plan of the sync module."""

from __future__ import annotations

import dataclasses
import typing as t

from ...module_utils._operations.descriptor import ProviderWorkflow
from ...module_utils._providers.registry import WORKFLOWS
from .module_result import Failure, ModuleResult, SyncResult
from .settings import PREFIX
from .state import RunState, TargetKey, TargetPlan, TargetState
from .vocabulary import CheckName

#: which check a failure code of a plan is about
_CHECK_OF: t.Mapping[str, CheckName] = {
    "auth_failed": "credentials",
    "permission_denied": "credentials",
    "connection_failed": "connection",
    "tls_failed": "connection",
    "redirect_refused": "connection",
    "not_found": "target",
    "endpoint_missing": "target",
    "busy": "idle",
}
#: each check can only be made where those before it have passed
_ORDER: tuple[CheckName, ...] = ("connection", "credentials", "target", "staging", "idle")


def with_plan(target: TargetState, result: ModuleResult, max_disk_percent: float) -> TargetState:
    """With the plan of the sync module in check mode, and the checks that follow from it."""
    counted, record, failure = target.with_requests(result.requests), result.record, result.failure
    if record is None:
        message, text = (failure.message, failure.text) if failure else ("", "")
        return dataclasses.replace(counted, plan=TargetPlan("refused", message, failure)).with_check("plan", False, text)
    planned = dataclasses.replace(counted, target=record.target, plan=TargetPlan(record.action, record.reason, failure))
    return _with_disk_check(_with_plan_checks(planned, record, failure), record, max_disk_percent)


def _with_plan_checks(target: TargetState, record: SyncResult, failure: Failure | None) -> TargetState:
    workflow = WORKFLOWS[target.provider]
    failed = {**_CHECK_OF, **_checks_of(workflow)}.get(failure.code, "plan") if failure else None
    # after a failure that none of them is about, nothing is known
    passed = _ORDER.index(failed) if failed in _ORDER else 0 if failed == "plan" else len(_ORDER)
    running = record.action == "would_join"
    texts = {
        "connection": "the API answers",
        "credentials": "accepted",
        "target": f"found as {record.target}",
        "staging": "there is one",
        "idle": "a sync is in flight and will be waited for" if running else "nothing is running",
    }
    for position, name in enumerate(_ORDER):
        if name == "staging" and not workflow.staging:
            continue
        if name == failed and failure:
            target = target.with_check(name, False, failure.text)
        elif position < passed:
            target = target.with_check(name, True, texts[name])
        else:
            target = target.with_check(name, None, "not known")
    if failure and failed and failed not in _ORDER:
        target = target.with_check(failed, False, failure.text)
    return target


def _checks_of(workflow: ProviderWorkflow) -> dict[str, CheckName]:
    """Which check a failure code of one provider is about."""
    return {code: t.cast(CheckName, name) for code, name in workflow.checks.items()}


def _with_disk_check(target: TargetState, record: SyncResult, max_disk_percent: float) -> TargetState:
    used = record.disk_usage
    if used is None:
        return target
    enough = used <= max_disk_percent
    limit = "" if enough else f", more than {PREFIX}max_disk_percent ({max_disk_percent:g})"
    return target.with_check("disk", enough, f"{used:g} % of the production server in use{limit}")


def key_of(record: SyncResult, provider: str, address: str) -> TargetKey:
    """The identity of the target, whatever name it was given."""
    return TargetKey(provider, address, "/".join(record.ids) or record.target)


def reject_duplicates(state: RunState) -> RunState:
    """Note the targets that are the same one as an earlier one, by another name."""
    seen: dict[TargetKey, str] = {}
    for target in state.targets:
        if target.key is None:
            continue
        first = seen.setdefault(target.key, target.name)
        if first != target.name:
            state = state.with_target(
                target.with_check("entry", False, f"it is the same target as {first}. Leave one of them out")
            )
    return state
