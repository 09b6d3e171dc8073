# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The phase ``sync``, the promotion itself: one trigger, and waiting for it."""

from __future__ import annotations

import dataclasses

from . import calls
from .module_result import ModuleResult
from .phase import PhaseContext, StepRequest, StepResult, request_target
from .state import RunState, TargetState

#: refusals from which nothing follows for a sync that was triggered before
_INCONCLUSIVE = frozenset(
    {
        "auth_failed",
        "bad_response",
        "busy",
        "connection_failed",
        "internal_error",
        "ledger_damaged",
        "ledger_unsafe",
        "rate_limited",
        "server_error",
        "tls_failed",
    }
)


def sync(context: PhaseContext, state: RunState, request: StepRequest) -> StepResult:
    target = request_target(state, request)
    if state.stopped or target.verdict != "not_started":
        return StepResult(state, f"{target.name}: not started", skipped=True)
    if target.resumed and target.resumed.phase in ("verify", "rollback"):
        return StepResult(state, f"{target.name}: done by run {target.resumed.run}", skipped=True)
    state, planned = context.open(state, "sync", target.wave, target.name), target.plan.reason if target.plan else ""
    if not target.has_work:
        return context.finish(state, "skipped", planned)
    if state.check_mode:
        return context.finish(state, "planned", planned, changed=True)
    target = dataclasses.replace(target, overwritten=True)
    state = state.with_target(target)
    context.remember(state, target, "sync")
    result = calls.call_sync(context, state, target)
    warnings = tuple(f"{target.name}: {text.removeprefix(f'{target.name}: ')}" for text in result.warnings)
    evaluated = _evaluate(context, state.with_warnings(*warnings), with_sync(target, result))
    return dataclasses.replace(evaluated, warnings=(*evaluated.warnings, *warnings))


def _evaluate(context: PhaseContext, state: RunState, target: TargetState) -> StepResult:
    state, record = state.with_target(target), target.sync
    if target.verdict == "not_started":
        context.remember(state, target, "verify")
    failure = record.failure if record else None
    good = target.verdict == "not_started" and not failure
    reason = failure.message if failure else record.reason if record and good else target.reason
    if not good:
        state = state.stop("not_started", f"{target.name} was not promoted")
    return context.finish(state, "passed" if good else "failed", reason, changed=bool(record and record.changed))


def with_sync(target: TargetState, result: ModuleResult) -> TargetState:
    """With what the sync module did. Production is to be verified if there is no verdict yet.

    A run that failed may have overwritten production in part, so the probes and the rollback are about it, too.
    """
    record, failure = result.record, result.failure
    if record is None:
        failed = dataclasses.replace(target, failure=failure)
        return failed.with_verdict("failed", f"not synced: {failure.message if failure else ''}")
    target = dataclasses.replace(target, sync=record, failure=failure, changed=target.changed or record.changed)
    target = target.with_requests(result.requests)
    if record.timed_out or (failure and failure.code == "outcome_unknown"):
        return target.with_verdict("unknown", failure.message if failure else record.reason)
    if not failure or record.action != "refused":
        return target
    if target.resumed and target.is_resumed and failure.code in _INCONCLUSIVE:
        reason = f"how the sync of run {target.resumed.run} ended is not known: {failure.message}"
        return target.with_verdict("unknown", reason)
    return target.with_verdict("refused" if failure.code == "guard_refused" else "failed", f"not synced: {failure.message}")
