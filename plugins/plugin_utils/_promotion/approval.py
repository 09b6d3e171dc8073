# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The phase ``approval``: consent to exactly this plan."""

from __future__ import annotations

from .approval_decision import ApprovalDecision, ask, check_token
from .phase import PhaseContext, StepRequest, StepResult
from .settings import PREFIX
from .state import RunState


def approval(context: PhaseContext, state: RunState, dummy: StepRequest) -> StepResult:
    policy = context.settings.approval
    state = context.open(state, "approval")
    if policy == "none":
        return context.finish(state, "skipped", "none is required")
    if not state.starts_something:
        return context.finish(state, "skipped", "nothing is going to be started")
    if state.check_mode:
        return context.finish(state, "planned", f"would be asked for by {policy}; the digest of the plan is {state.digest}")
    decision = _decide(context, state)
    if not decision.approved:
        return context.finish(state.refuse(decision.reason), "refused", decision.reason)
    return context.finish(state, "passed", decision.reason)


def _decide(context: PhaseContext, state: RunState) -> ApprovalDecision:
    if context.settings.approval == "token":
        return check_token(context.settings.approve, state.digest)
    if state.actor.job:
        # a job has a terminal, but there is no person at it
        return ApprovalDecision(False, f"not approved: a job cannot ask at a terminal. Use {PREFIX}approval: token instead")
    return ask(context.services.display, _question(state), context.settings.approval_timeout)


def _question(state: RunState) -> str:
    lines = [
        f"  {target.name}: {'sync' if target.plan and target.plan.action == 'would_trigger' else 'wait for the sync in flight'}"
        for target in state.targets
        if target.has_work and not target.is_resumed
    ]
    release = state.release or "(no release named)"
    return f"Promote {release}, plan {state.digest}?\n" + "\n".join(lines)
