# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The phase ``backup``: save one target, so that it can be restored."""

from __future__ import annotations

import dataclasses

from . import calls
from .module_result import ModuleResult
from .phase import PhaseContext, StepRequest, StepResult, request_target
from .settings import PREFIX
from .state import BackupResult, RunState, TargetState


def backup(context: PhaseContext, state: RunState, request: StepRequest) -> StepResult:
    target = request_target(state, request)
    if state.stopped or not target.has_work or target.is_resumed:
        return StepResult(state, f"{target.name}: not needed", skipped=True)
    state = context.open(state, "backup", target.wave, target.name)
    wanted, module = context.settings.targets[target.index], calls.workflow_of(target).backup
    if context.settings.backup == "none" or module is None or not wanted.backup:
        reason = f"{PREFIX}backup is none" if context.settings.backup == "none" else _problem(target)
        return context.finish(_with(state, target, no_backup(reason)), "skipped", reason)
    if state.check_mode and not _is_possible(target):
        reason = _problem(target)
        return context.finish(_with(state, target, no_backup(reason)), "skipped", reason)
    if state.check_mode:
        planned = BackupResult("planned", "would be made")
        return context.finish(_with(state, target, planned), "planned", "would be made", changed=True)
    context.remember(state, target, "backup")
    result = calls.call_backup(context, state, target, module)
    return _evaluate(context, state, target.with_requests(result.requests), backup_result(result))


def _evaluate(context: PhaseContext, state: RunState, target: TargetState, made: BackupResult) -> StepResult:
    state = _with(state, target, made)
    if made.state != "failed":
        reason = f"backup {made.id} ({made.status}, {made.size})"
        return context.finish(state, "passed", reason, changed=made.state == "made")
    target = dataclasses.replace(target, backup=made, failure=made.failure)
    if context.settings.backup == "required":
        failed = target.with_verdict("failed", f"not promoted, as there is no backup: {made.reason}")
        stopped = state.with_target(failed).stop("not_started", f"{target.name} could not be saved")
        return context.finish(stopped, "failed", made.reason)
    warning = f"{target.name} is promoted without a backup: {made.reason}"
    state = state.with_target(target).with_warnings(warning)
    result = context.finish(state, "failed", f"going on without one: {made.reason}")
    return dataclasses.replace(result, warnings=(warning,))


def _with(state: RunState, target: TargetState, made: BackupResult) -> RunState:
    return state.with_target(dataclasses.replace(target, backup=made))


def _is_possible(target: TargetState) -> bool:
    """Whether the preflight found nothing that keeps a backup from being made."""
    return all(check.ok for check in target.checks if check.name == "backup")


def _problem(target: TargetState) -> str:
    return next((check.text for check in target.checks if check.name == "backup"), "not possible")


def no_backup(reason: str) -> BackupResult:
    """The ``backup`` of a target of which none is made."""
    return BackupResult("none", reason)


def backup_result(result: ModuleResult) -> BackupResult:
    """The ``backup`` of a target, from the result of the backup module."""
    record, failure = result.record, result.failure
    if record is None or failure:
        elapsed = record.elapsed if record else 0.0
        return BackupResult("failed", failure.text if failure else "", elapsed=elapsed, failure=failure)
    if record.action in ("would_trigger", "would_join"):
        return BackupResult("planned", record.reason, elapsed=record.elapsed)
    found = record.backup
    listed = found.id is not None
    return BackupResult(
        ("found" if record.action == "skipped" else "made") if listed else "failed",
        record.reason if listed else "the backup is not listed",
        found.id,
        found.name,
        found.size,
        found.status,
        record.elapsed,
    )
