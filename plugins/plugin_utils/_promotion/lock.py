# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The phase ``lock``: one promotion of a target at a time; an unfinished one of the same release is resumed."""

from __future__ import annotations

import dataclasses
import typing as t

from .heartbeat import start_heartbeat
from .journal import BegunPromotion, LockHeld
from .owner import Owner
from .phase import PhaseContext, StepRequest, StepResult, iso_seconds
from .preflight import plan_again
from .state import ResumedFrom, RunState, TargetState
from .vocabulary import OVERWRITING


def lock(context: PhaseContext, state: RunState, dummy: StepRequest) -> StepResult:
    state = context.open(state, "lock")
    working = [target for target in state.targets if target.has_work]
    if not working:
        return context.finish(state, "skipped", "nothing is going to be started")
    if state.check_mode:
        return context.finish(state, "planned", "would be taken")
    store, job = context.store(state), state.actor.job
    owner = Owner.of_playbook(f"job {job}" if job else None)
    names = {target.identity(): target.name for target in working}
    try:
        begun = store.begin(state.run, names, state.release, owner, wait=context.settings.lock_wait)
    except LockHeld as held:
        reason = f"{held}. Wait for that run, or stop it"
        return context.finish(state.stop("refused", reason), "refused", reason)
    start_heartbeat(store, state.run, owner.process)
    locked = [_take_over(target, begun[target.identity()]) for target in working]
    state = state.with_targets(*locked)
    context.services.checkpoint(state)
    if state.lifted_hold:
        for target in locked:
            store.lift(target.identity(), state.release, state.lifted_hold)
    reason = "; ".join(filter(None, (_summary(locked), *(_taken_over(target, begun[target.identity()]) for target in locked))))
    if any(item.awaited for item in begun.values()):
        return _plan_again(context, state, locked, f"{reason}, after waiting for another run")
    # no other run can end from now on, but one may have ended since this one looked at the target
    elapsed = context.services.clock.monotonic() - state.began
    if any(store.has_ended_within(target.identity(), elapsed) for target in locked):
        return _plan_again(context, state, locked, f"{reason}, after another run has ended")
    return context.finish(state, "passed", reason)


def _plan_again(context: PhaseContext, state: RunState, targets: t.Sequence[TargetState], reason: str) -> StepResult:
    """The other run may have promoted the same release, or found that it does not work."""
    planned = [target if target.is_resumed else plan_again(context, state, target) for target in targets]
    state = state.with_targets(*planned)
    refused = [target for target in planned if target.failed_checks and not target.is_resumed]
    if not refused:
        return context.finish(state, "passed", reason)
    problem = "; ".join(f"{target.name}: {check.name}: {check.text}" for target in refused for check in target.failed_checks)
    for target in refused:
        text = "; ".join(f"{check.name}: {check.text}" for check in target.failed_checks)
        state = state.with_target(target.with_verdict("refused", text))
    return context.finish(state.refuse("another target may not be promoted any more"), "refused", problem)


def _summary(targets: t.Sequence[TargetState]) -> str:
    resumed = sum(target.resumed is not None for target in targets)
    return f"{len(targets)} taken" + (f", {resumed} of an earlier run" if resumed else "")


def _taken_over(target: TargetState, begun: BegunPromotion) -> str:
    return f"{target.name}: taken over from {begun.taken_over}" if begun.taken_over else ""


def _take_over(target: TargetState, begun: BegunPromotion) -> TargetState:
    target = dataclasses.replace(target, awaited=False)
    if begun.resumed is None:
        left = begun.abandoned
        superseded = target.superseded or (left is not None and left.phase in OVERWRITING)
        abandoned = ResumedFrom(left.run, left.phase, iso_seconds(left.begun_at)) if left else None
        return dataclasses.replace(target, locked=True, resumed=None, superseded=superseded, abandoned=abandoned)
    found = begun.promotion
    resumed = ResumedFrom(found.run, begun.resumed, iso_seconds(found.begun_at))
    target = dataclasses.replace(target, locked=True, resumed=resumed)
    if not resumed.has_overwritten:
        return target
    known = TargetState.from_json({**target.to_json(), **found.data})
    return dataclasses.replace(
        target,
        before=known.before,
        backup=known.backup,
        sync=known.sync,
        rollback=known.rollback,
        reason=known.reason,
        changed=False,
    )
