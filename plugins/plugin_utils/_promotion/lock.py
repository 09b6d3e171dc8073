# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The phase ``lock``: one promotion of a target at a time; an unfinished one of the same release is resumed."""

from __future__ import annotations

import dataclasses
import os

from .journal import BegunPromotion, LockHeld, Owner
from .phase import PhaseContext, StepRequest, StepResult, iso_seconds
from .state import ResumedFrom, RunState, TargetState


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
    names = {target.identity(): target.name for target in working}
    try:
        begun = store.begin(state.run, names, state.release, owner, context.settings.lock_expiry)
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
    return context.finish(state, "passed", f"{len(locked)} taken" + (f", {resumed} of an earlier run" if resumed else ""))


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
