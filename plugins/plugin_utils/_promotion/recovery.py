# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What to do when a task of the role failed, such as a hook."""

from __future__ import annotations

import dataclasses

from .phase import PhaseContext, StepRequest, StepResult
from .state import RunState, TargetState, VerifyResult
from .verify import with_verification


def record_failure(context: PhaseContext, state: RunState, request: StepRequest) -> StepResult:
    """Stop the run. What this run has promoted counts as not verified, so that it is rolled back."""
    text = context.services.redactor.text(request.message or "a task failed")
    if state.phases and state.phases[-1].is_open:
        state = context.close(state, "failed", text)
    unverified = [
        target
        for target in state.targets
        if target.wave == request.wave and target.verdict == "not_started" and target.overwritten
    ]
    failed = [_failed(context, target, text) for target in unverified]
    state = state.with_targets(*failed)
    restore = [target for target in failed if target.rollback is not None and target.rollback.is_open]
    for target in restore:
        context.remember(state, target, "rollback")
    if not restore:
        state = dataclasses.replace(state, error=state.error or text)
    facts = {"rollback": [{"index": target.index, "name": target.name} for target in restore]}
    return StepResult(state.stop("not_started", "the run was stopped"), text, facts=facts)


def _failed(context: PhaseContext, target: TargetState, text: str) -> TargetState:
    seen = VerifyResult(False, 0.0, text)
    return with_verification(dataclasses.replace(target, verify=seen), context.settings.rollback)
