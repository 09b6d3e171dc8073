# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The phase ``rollback``: restore one target from the backup that was made, and verify again."""

from __future__ import annotations

import dataclasses

from . import calls
from .module_result import ModuleResult
from .phase import PhaseContext, StepRequest, StepResult, request_target
from .settings import RollbackPolicy
from .state import RollbackResult, RunState, TargetState, VerifyResult
from .verify import promoted_schedule, verify_result


def rollback(context: PhaseContext, state: RunState, request: StepRequest) -> StepResult:
    target = request_target(state, request)
    state = context.open(state, "rollback", target.wave, target.name)
    module, planned = calls.workflow_of(target).restore, _rollback_of(target)
    if module is None:
        raise ValueError(f"{target.provider} has no restore module")
    target = with_restore(target, calls.call_restore(context, state, target, module, planned.backup))
    if _rollback_of(target).is_open:
        probes = calls.probes_of(context.settings.targets[target.index], "verify")
        found, elapsed = calls.run_probes(context, state, probes, promoted_schedule(context))
        target = target.with_requests(sum(probe.requests for probe in found))
        target = with_restored(target, verify_result(found, target.before, elapsed))
    good = target.verdict == "rolled_back"
    reason = _rollback_of(target).reason
    return context.finish(state.with_target(target), "passed" if good else "failed", reason, changed=True)


def _rollback_of(target: TargetState) -> RollbackResult:
    if target.rollback is None:
        raise ValueError(f"{target.name} is not to be rolled back")
    return target.rollback


def needs_hold(target: TargetState, policy: RollbackPolicy) -> bool:
    """Whether the release must not be promoted again before a reason is given."""
    return target.rollback is not None and policy != "never"


def with_restore(target: TargetState, result: ModuleResult) -> TargetState:
    """With what the restore module did. Unless it failed, production is to be verified again: the rollback stays open."""
    planned, record, failure = _rollback_of(target), result.record, result.failure
    if record is not None:
        target = target.with_requests(result.requests)
        planned = dataclasses.replace(planned, elapsed=planned.elapsed + record.elapsed)
    if failure is None:
        return dataclasses.replace(target, rollback=planned)
    failed = dataclasses.replace(planned, state="failed", reason=f"the restore failed: {failure.text}")
    target = dataclasses.replace(target, rollback=failed)
    return target.with_verdict("rollback_failed", f"{target.reason}; and {failed.reason}")


def with_restored(target: TargetState, seen: VerifyResult) -> TargetState:
    """With what the probes saw after a restore. What was failing before the promotion may fail again."""
    planned = _rollback_of(target)
    planned = dataclasses.replace(planned, verify=seen, elapsed=planned.elapsed + seen.elapsed)
    if seen.regressions:
        failed = dataclasses.replace(planned, state="failed", reason=f"restored, and yet: {seen.reason}")
        target = dataclasses.replace(target, rollback=failed)
        return target.with_verdict("rollback_failed", f"{target.reason}; {failed.reason}")
    again = f" ({', '.join(seen.already_failing)} failing as before)" if seen.already_failing else ""
    done = dataclasses.replace(planned, state="succeeded", reason=f"backup {planned.backup} restored and verified{again}")
    target = dataclasses.replace(target, rollback=done)
    return target.with_verdict("rolled_back", f"{target.reason}; {done.reason}")
