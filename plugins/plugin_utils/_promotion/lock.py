# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The phase ``lock``: one promotion of a target at a time; an unfinished one of the same release is resumed."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ...module_utils._state.run_ledger import Key
from .journal import BegunPromotion, LockHeld, Owner
from .phase import PhaseContext, StepRequest, StepResult, iso_seconds
from .preflight import plan_again
from .state import ResumedFrom, RunState, TargetState

#: seconds between two attempts to take a lock that another run has
_INTERVAL = 1.0


def lock(context: PhaseContext, state: RunState, dummy: StepRequest) -> StepResult:
    state = context.open(state, "lock")
    working = [target for target in state.targets if target.has_work]
    if not working:
        return context.finish(state, "skipped", "nothing is going to be started")
    if state.check_mode:
        return context.finish(state, "planned", "would be taken")
    store, job = context.store(state), state.actor.job
    # the parent of this process is ansible-playbook: the lock is as good as that process is alive
    owner = Owner.current(pid=os.getppid(), label=f"job {job}" if job else None)
    try:
        begun, waited = _begin(context, state, working, owner)
    except LockHeld as held:
        reason = f"{held}. Wait for that run, or stop it"
        return context.finish(state.stop("refused", reason), "refused", reason)
    locked = [_take_over(target, begun[target.identity()]) for target in working]
    state = state.with_targets(*locked)
    context.services.checkpoint(state)
    if state.lifted_hold:
        for target in locked:
            store.lift(target.identity(), state.release, state.lifted_hold)
    resumed = sum(target.resumed is not None for target in locked)
    reason = f"{len(locked)} taken" + (f", {resumed} of an earlier run" if resumed else "")
    if not waited:
        return context.finish(state, "passed", reason)
    return _plan_again(context, state, locked, f"{reason}, after waiting for another run")


def _begin(
    context: PhaseContext, state: RunState, targets: t.Sequence[TargetState], owner: Owner
) -> tuple[dict[Key, BegunPromotion], bool]:
    """Take all locks, or none.

    :returns: what was begun, and whether another run was waited for.
    :raises LockHeld: another run still has one of them.
    """
    clock, store = context.services.clock, context.store(state)
    names = {target.identity(): target.name for target in targets}
    until, waited = clock.monotonic() + context.settings.lock_wait, False
    while True:
        try:
            return store.begin(state.run, names, state.release, owner, context.settings.lock_expiry), waited
        except LockHeld:
            left = until - clock.monotonic()
            if left <= 0:
                raise
        waited = True
        clock.sleep(min(_INTERVAL, left))


def _plan_again(context: PhaseContext, state: RunState, targets: t.Sequence[TargetState], reason: str) -> StepResult:
    """The run that was waited for may have promoted the same release, or found that it does not work."""
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


def _take_over(target: TargetState, begun: BegunPromotion) -> TargetState:
    if begun.resumed is None:
        return dataclasses.replace(target, locked=True, resumed=None)
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
