# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The phase ``verify``: whether what was promoted works."""

from __future__ import annotations

import dataclasses
import typing as t

from . import calls, preflight
from .backup import no_backup
from .module_result import BackupId, ProbeResult
from .phase import PhaseContext, StepRequest, StepResult, request_wave
from .settings import PREFIX, RollbackPolicy
from .state import OPEN, BackupResult, RollbackResult, RollbackState, RunState, TargetState, VerifyResult

_UNSEEN = " (the end of the sync itself could not be observed)"


def verify(context: PhaseContext, state: RunState, request: StepRequest) -> StepResult:
    """Verify the targets of a wave that may have been promoted, or that an earlier run promoted."""
    wave = request_wave(request)
    targets = [target for target in state.of_wave(wave) if _is_to_be_verified(state, target)]
    if not targets:
        return StepResult(state, "nothing to verify", skipped=True, facts={"rollback": []})
    state = context.open(state, "verify", wave)
    if state.check_mode:
        state = state.with_targets(*map(_planned, targets))
        return dataclasses.replace(context.finish(state, "planned", "would be verified"), facts={"rollback": []})
    resumed = [_going_on_with_rollback(target) for target in targets if _is_rolling_back(target)]
    probed = _probe(context, state, [target for target in targets if not _is_rolling_back(target)])
    verified = [with_verification(target, context.settings.rollback) for target in probed]
    return _evaluate(context, state.with_targets(*resumed, *verified), wave, [target.index for target in targets])


def _evaluate(context: PhaseContext, state: RunState, wave: int, indices: t.Sequence[int]) -> StepResult:
    targets = [state.targets[index] for index in indices]
    failed = [target for target in targets if target.verdict != "succeeded"]
    if failed:
        state = state.stop("not_started", f"{failed[0].name} failed its verification in wave {wave}")
        reason = "; ".join(f"{target.name}: {target.reason}" for target in failed)
    else:
        reason = "; ".join(f"{target.name}: {target.verify.reason if target.verify else ''}" for target in targets)
    restore = [target for target in targets if target.rollback is not None and target.rollback.is_open]
    for target in restore:
        context.remember(state, target, "rollback")
    result = context.finish(state, "failed" if failed else "passed", reason)
    return dataclasses.replace(result, facts={"rollback": [{"index": entry.index, "name": entry.name} for entry in restore]})


def _is_to_be_verified(state: RunState, target: TargetState) -> bool:
    return target.verdict == "not_started" and (not state.stopped or target.overwritten or target.is_resumed)


def _planned(target: TargetState) -> TargetState:
    planned = target.with_verdict("planned", target.plan.reason if target.plan else "")
    return dataclasses.replace(planned, changed=target.has_work)


def _is_rolling_back(target: TargetState) -> bool:
    """Whether an earlier run has begun to restore it."""
    return target.resumed is not None and target.resumed.phase == "rollback"


def _going_on_with_rollback(target: TargetState) -> TargetState:
    return target.with_verdict("rollback_failed", target.reason or "an earlier run began to roll back")


def _probe(context: PhaseContext, state: RunState, targets: t.Sequence[TargetState]) -> list[TargetState]:
    settings = context.settings
    wanted = [probe for target in targets for probe in calls.probes_of(settings.targets[target.index], "verify")]
    if any(target.was_promoted for target in targets):
        schedule = promoted_schedule(context, settings.soak)
    else:
        schedule = calls.ProbeSchedule(preflight.PREFLIGHT_PATIENCE, interval=settings.verify_interval)
    found, elapsed = calls.run_probes(context, state, wanted, schedule)
    verified = []
    for target in targets:
        own = tuple(result for result, probe in zip(found, wanted) if probe.owner == target.index)
        seen = dataclasses.replace(target, verify=verify_result(own, target.before, elapsed))
        verified.append(seen.with_requests(sum(probe.requests for probe in own)))
    return verified


def promoted_schedule(context: PhaseContext, soak: float = 0.0) -> calls.ProbeSchedule:
    """When the probes of a production that was overwritten count as green."""
    settings = context.settings
    return calls.ProbeSchedule(settings.verify_timeout, settings.verify_successes, settings.verify_interval, soak)


def verify_result(probes: t.Sequence[ProbeResult], before: t.Sequence[ProbeResult], elapsed: float) -> VerifyResult:
    """What the probes of a target saw, compared with what they saw before the promotion."""
    compared = tuple(dataclasses.replace(probe, was_ok=_before(position, probe, before)) for position, probe in enumerate(probes))
    failing = [probe for probe in compared if not probe.ok]
    already = tuple(probe.name for probe in failing if probe.was_ok is False)
    regressions = tuple(probe.name for probe in failing if probe.was_ok is not False)
    return VerifyResult(not failing, elapsed, _probe_reason(compared), compared, regressions, already)


def _before(position: int, probe: ProbeResult, before: t.Sequence[ProbeResult]) -> bool | None:
    """What the same probe saw before: the one at the same place, unless the probes were changed meanwhile."""
    if position < len(before) and before[position].name == probe.name:
        return before[position].ok
    return None


def _probe_reason(probes: t.Sequence[ProbeResult]) -> str:
    if not probes:
        return "no probes are declared"
    failing = [probe for probe in probes if not probe.ok]
    parts = [f"{probe.name}: {'; '.join(probe.problems)}" for probe in failing if probe.was_ok is not False]
    parts += [
        f"{probe.name}: {'; '.join(probe.problems)} (it was failing before the promotion, too)"
        for probe in failing
        if probe.was_ok is False
    ]
    return "; ".join(parts) or f"{len(probes)} of {len(probes)} probes are green"


def with_verification(target: TargetState, policy: RollbackPolicy) -> TargetState:
    """With the verdict that follows from sync and probes. Production is to be restored if its rollback is open then."""
    seen, record = target.verify, target.sync
    if seen is None:
        raise ValueError(f"{target.name} was not verified")
    failure = record.failure if record else None
    if seen.ok and not failure:
        unseen = _UNSEEN if record and record.state == "unknown" else ""
        return target.with_verdict("succeeded", f"{outcome_text(target)}; {seen.reason}{unseen}")
    problem = f"the sync failed: {failure.message}" if failure else f"verification failed: {seen.reason}"
    if not target.was_promoted:
        return target.with_verdict("failed", f"nothing was promoted by this run, and {problem}")
    rollback = _planned_rollback(target, problem, policy)
    target = dataclasses.replace(target, rollback=rollback)
    if rollback.is_open:
        # until it is known better
        return target.with_verdict("rollback_failed", problem)
    return target.with_verdict("failed", f"{problem}; not rolled back: {rollback.reason}")


def outcome_text(target: TargetState) -> str:
    record = target.sync
    if target.resumed and target.is_resumed:
        return f"brought to an end what run {target.resumed.run} began"
    if record is None:
        return target.plan.reason if target.plan else ""
    if record.action == "skipped":
        return record.reason
    return "promoted" if record.action == "triggered" else "promoted by a sync that was in flight"


def _planned_rollback(target: TargetState, problem: str, policy: RollbackPolicy) -> RollbackResult:
    made = target.backup or no_backup("none was made")
    state, reason = _rollback_state(target, made, policy)
    return RollbackResult(state, reason, made.id)


def _rollback_state(target: TargetState, made: BackupResult, policy: RollbackPolicy) -> tuple[RollbackState, str]:
    if policy == "never":
        return "manual", f"{PREFIX}rollback is never"
    if policy == "manual":
        return "manual", f"left to you: {_by_hand(target, made.id, made.reason)}"
    if made.id is None:
        return "impossible", f"there is no backup to restore: {made.reason}"
    return "failed", OPEN


def _by_hand(target: TargetState, backup: BackupId | None, reason: str) -> str:
    restore = calls.workflow_of(target).restore
    if backup is None or restore is None:
        return f"there is no backup ({reason})"
    return f"restore backup {backup} with lockstep.sync.{restore.module}"
