# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The phase ``preflight``: inspect each target, then evaluate all checks together."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ...module_utils._core.errors import SyncError, sentence
from ...module_utils._state.location import SHARED, ends_with_job
from . import calls
from .backup import backup_result
from .checks import key_of, reject_duplicates, with_plan
from .digest import digest_of
from .holds import ReleaseBlock
from .journal import LockHeld, Promotion, PromotionStore
from .module_result import ProbeResult
from .phase import PhaseContext, StepRequest, StepResult, iso_seconds, request_target
from .settings import PREFIX
from .state import ResumedFrom, RunState, TargetState
from .vocabulary import OVERWRITING, CheckName

#: seconds for which the probes of the preflight may fail before they count, since one lost packet is no outage
PREFLIGHT_PATIENCE = 2.0


def inspect(context: PhaseContext, state: RunState, request: StepRequest) -> StepResult:
    """Inspect one target: what would be done, whether it can be saved before, and whether it works."""
    state = context.open(state, "preflight", target=request_target(state, request).name)
    if context.named_ledger:
        # before the module does: what is wrong with the ledger is about the variable of the role
        context.store(state)
    inspection = _check_memory(_Inspection(context, state, request_target(state, request)))
    inspection = _probe(_check_backup(_plan(inspection)))
    state, target = inspection.state.with_target(inspection.target), inspection.target
    failed = "; ".join(f"{check.name}: {check.text}" for check in target.failed_checks)
    reason = failed or (target.plan.reason if target.plan else "")
    state = context.close(state, "refused" if failed and not target.is_resumed else "passed", reason)
    return StepResult(state, f"{target.name}: {reason}", warnings=inspection.warnings)


@dataclasses.dataclass(frozen=True)
class _Inspection:
    """How far the inspection of a target is."""

    context: PhaseContext
    state: RunState
    target: TargetState
    warnings: tuple[str, ...] = ()

    def check(self, name: CheckName, ok: bool | None, text: str) -> _Inspection:
        return self.having(self.target.with_check(name, ok, text))

    def having(self, target: TargetState) -> _Inspection:
        return dataclasses.replace(self, target=target)

    def warn(self, text: str) -> _Inspection:
        return dataclasses.replace(self, warnings=(*self.warnings, text))


def _check_memory(inspection: _Inspection) -> _Inspection:
    """A ledger that ends with the job knows no earlier promotion: the same release would overwrite production again."""
    context = inspection.context
    if context.named_ledger or not ends_with_job(os.environ):
        return inspection
    text = f"the ledger ends with this job. Set LOCKSTEP_LEDGER or {PREFIX}ledger to {SHARED}"
    if context.settings.allow_ephemeral_ledger:
        return inspection.check("memory", None, f"{text}; {PREFIX}allow_ephemeral_ledger allows it")
    return inspection.check("memory", False, f"{text}, or allow it by {PREFIX}allow_ephemeral_ledger")


def _plan(inspection: _Inspection) -> _Inspection:
    context, state = inspection.context, inspection.state
    result = calls.call_sync(context, state, inspection.target, check_mode=True)
    if result.record is not None:
        wanted = context.settings.targets[inspection.target.index]
        address = calls.workflow_of(wanted).address(wanted.options, os.environ)
        key = key_of(result.record, wanted.provider, address)
        inspection = _recall(inspection.having(dataclasses.replace(inspection.target, key=key)))
        if inspection.target.is_resumed and not state.release:
            # its ledger entry is known by the run that began it
            counted = inspection.target.with_requests(result.requests)
            result = calls.call_sync(context, state, counted, check_mode=True)
            inspection = inspection.having(counted)
    return inspection.having(with_plan(inspection.target, result, context.settings.max_disk_percent))


def plan_again(context: PhaseContext, state: RunState, target: TargetState) -> TargetState:
    """A target that is locked now, with a plan and checks that take into account what another run did meanwhile."""
    result = calls.call_sync(context, state, target, check_mode=True)
    planned = with_plan(dataclasses.replace(target, checks=()), result, context.settings.max_disk_percent)
    hold = context.store(state).held(target.identity(), state.release)
    if hold is None:
        return planned
    return _with_hold(_Inspection(context, state, planned), hold).target


def _recall(inspection: _Inspection) -> _Inspection:
    """What earlier runs left: a promotion to resume, one that is under way, a hold."""
    state, key = inspection.state, inspection.target.identity()
    store = inspection.context.store(state)
    unfinished, hold = store.look(key), store.held(key, state.release)
    if unfinished is None:
        inspection = inspection.check("lock", True, "no other run is promoting it")
    else:
        inspection = _with_unfinished(inspection, store, unfinished)
    return _with_hold(inspection, hold) if hold is not None and not inspection.target.resumed else inspection


def _with_unfinished(inspection: _Inspection, store: PromotionStore, unfinished: Promotion) -> _Inspection:
    target = inspection.target
    if store.is_held(unfinished):
        held, wait = str(LockHeld(target.identity(), unfinished)), inspection.context.settings.lock_wait
        if wait > 0:
            awaiting = inspection.having(dataclasses.replace(target, awaited=True))
            return awaiting.check("lock", None, f"{held}. This run waits for it, for {wait:g} s")
        return inspection.check("lock", False, f"{held}. Wait for it.")
    left = ResumedFrom(unfinished.run, unfinished.phase, iso_seconds(unfinished.begun_at))
    if unfinished.release == inspection.state.release:
        text = f"resumes run {unfinished.run}, which ended early in phase {unfinished.phase}"
        return inspection.having(dataclasses.replace(target, resumed=left)).check("lock", True, text)
    inspection = inspection.having(dataclasses.replace(target, abandoned=left))
    if unfinished.phase not in OVERWRITING:
        return inspection.check("lock", True, "no other run is promoting it")
    text = f"run {unfinished.run} ended early in phase {unfinished.phase} of release {unfinished.release}; it is abandoned"
    superseding = inspection.having(dataclasses.replace(inspection.target, superseded=True))
    return superseding.check("lock", None, text).warn(f"{target.name}: {text}")


def _with_hold(inspection: _Inspection, hold: ReleaseBlock) -> _Inspection:
    text = f"held back since {iso_seconds(hold.held_at)} by run {hold.run}: {hold.reason}"
    lifted = inspection.context.settings.lift_hold
    if not lifted:
        remedy = f"Promote another release, or give a reason in {PREFIX}lift_hold"
        return inspection.check("hold", False, f"{sentence(text)} {remedy}")
    state = dataclasses.replace(inspection.state, lifted_hold=lifted)
    return dataclasses.replace(inspection, state=state).check("hold", True, f"{text}; lifted: {lifted}")


def _check_backup(inspection: _Inspection) -> _Inspection:
    context, target = inspection.context, inspection.target
    policy, module = context.settings.backup, calls.workflow_of(target).backup
    if policy == "none" or not target.has_work or target.is_resumed:
        return inspection
    if module is None:
        problem = f"{target.provider} has no backups that could be restored"
    elif not context.settings.targets[target.index].backup:
        problem = f"set {PREFIX}targets[{target.index}].backup, with at least the storage"
    else:
        result = calls.call_backup(context, inspection.state, target, module, check_mode=True)
        inspection = inspection.having(target.with_requests(result.requests))
        made = backup_result(result)
        if made.state != "failed":
            return inspection.check("backup", True, "possible")
        problem = made.reason
        if inspection.state.check_mode and policy != "required":
            # a real run warns when it goes on without one
            inspection = inspection.warn(f"{target.name} would be promoted without a backup: {problem}")
    return inspection.check("backup", False if policy == "required" else None, problem)


def _probe(inspection: _Inspection) -> _Inspection:
    context, target = inspection.context, inspection.target
    if target.is_resumed:
        return inspection
    wanted = context.settings.targets[target.index]
    staging, production = calls.probes_of(wanted, "verify_staging"), calls.probes_of(wanted, "verify")
    schedule = calls.ProbeSchedule(timeout=PREFLIGHT_PATIENCE)
    try:
        found, dummy = calls.run_probes(context, inspection.state, [*staging, *production], schedule)
    except SyncError as error:
        return inspection.check("probes", False, error.coded_text)
    seen = dataclasses.replace(target, staging=found[: len(staging)], before=found[len(staging) :])
    inspection = inspection.having(seen.with_requests(sum(probe.requests for probe in found)))
    inspection = _with_probes(inspection, "staging probes", seen.staging, fatal=True)
    return _with_probes(inspection, "production probes", seen.before, fatal=False)


def _with_probes(inspection: _Inspection, name: CheckName, probes: t.Sequence[ProbeResult], fatal: bool) -> _Inspection:
    if not probes:
        return inspection
    failing = "; ".join(f"{probe.name}: {'; '.join(probe.problems)}" for probe in probes if not probe.ok)
    if not failing:
        return inspection.check(name, True, f"{len(probes)} of {len(probes)} green")
    if not fatal:
        inspection = inspection.warn(f"{inspection.target.name} is failing before the promotion already: {failing}")
    return inspection.check(name, False if fatal else None, failing)


def preflight(context: PhaseContext, state: RunState, dummy: StepRequest) -> StepResult:
    """Evaluate the checks of all targets together."""
    state = reject_duplicates(dataclasses.replace(state, digest=digest_of(state, context.settings)))
    refused = state.refusals
    if not refused:
        return StepResult(state, f"digest of the plan: {state.digest}")
    for target in state.targets:
        if target.failed_checks and not target.is_resumed:
            reason = "; ".join(f"{check.name}: {check.text}" for check in target.failed_checks)
            failure = target.plan.failure if target.plan else None
            state = state.with_target(dataclasses.replace(target, failure=failure).with_verdict("refused", reason))
    state = state.refuse("another target did not pass its preflight")
    return StepResult(state, f"refused: {'; '.join(refused)}")
