# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The last step but the notification: give the locks back, and write down what happened."""

from __future__ import annotations

import dataclasses

from ...module_utils._core.errors import SyncError
from .._reports import console
from .._reports.links import with_documentation
from .._reports.promotion_table import promotion_table
from .journal import PromotionStore
from .phase import PhaseContext, StepRequest, StepResult, iso_seconds
from .report import evaluate
from .report_files import clean_report
from .rollback import needs_hold
from .state import OPEN, RunState, TargetState


def report(context: PhaseContext, state: RunState, dummy: StepRequest) -> StepResult:
    if not state.stopped and not state.error:
        left = [target.with_verdict("failed", OPEN) for target in state.targets if target.verdict == "not_started"]
        state = state.with_targets(*left)
    for target in state.targets:
        if target.locked:
            state = _give_back(context, state, target)
    problem, verdict = context.write(state), evaluate(state)
    changed = sum(target.changed for target in state.targets)
    requests = sum(target.requests for target in state.targets)
    facts = {
        "verdict": verdict.verdict,
        "ok": verdict.ok,
        "run": state.run,
        "release": state.release,
        "digest": state.digest,
        "summary": {"targets": len(state.targets), **verdict.counts, "changed": changed, "requests": requests},
        "message": context.services.redactor.text(verdict.message),
        "path": state.path,
    }
    return StepResult(state, verdict.message, warnings=(problem,) if problem else (), facts={"report": facts})


def _give_back(context: PhaseContext, state: RunState, target: TargetState) -> RunState:
    """Give one lock back, each by itself: one that was taken over must not leave the others locked."""
    if needs_hold(target, context.settings.rollback):
        state = dataclasses.replace(state, held=(*state.held, target.name))
    try:
        _close(context, context.store(state), state, target)
    except SyncError as error:
        return state.with_warnings(error.coded_text)
    return state


def _close(context: PhaseContext, store: PromotionStore, state: RunState, target: TargetState) -> None:
    key = target.identity()
    if needs_hold(target, context.settings.rollback):
        store.hold(key, state.release, target.reason, state.run)
    begun = target.overwritten or target.is_resumed
    if target.verdict == "unknown" or (target.verdict == "not_started" and begun):
        # the next run goes on with it
        store.unlock(state.run, key)
    else:
        store.finish(state.run, key, target.verdict)


def show(context: PhaseContext, state: RunState, dummy: StepRequest) -> StepResult:
    """The last step, which fails where the report says so."""
    clock = context.services.clock
    report = clean_report(state, iso_seconds(clock.now()), clock.monotonic() - state.began, context.services.redactor)
    table = promotion_table(report, console.WIDTH)
    codes = [state.error_code, *(target.failure.code for target in state.targets if target.failure)]
    return StepResult(state, str(report["message"]), failed=not report["ok"], facts=with_documentation({"table": table}, codes))
