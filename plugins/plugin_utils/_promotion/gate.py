# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The phase ``gate``: change windows, before the run and again before each wave."""

from __future__ import annotations

import dataclasses

from .._change_windows import decision as _windows
from .phase import PhaseContext, StepRequest, StepResult, request_wave
from .settings import PREFIX
from .state import RunState


def gate(context: PhaseContext, state: RunState, dummy: StepRequest) -> StepResult:
    """Whether a promotion may start now."""
    state = context.open(state, "gate")
    if not state.starts_something:
        return context.finish(state, "skipped", "nothing is going to be started")
    settings = context.settings
    verdict = _windows.judge(settings.windows, context.services.clock.now())
    if verdict.open:
        return context.finish(state, "passed", verdict.reason)
    if settings.override_reason:
        overridden = dataclasses.replace(state, override_reason=settings.override_reason)
        return context.finish(overridden, "passed", f"overridden ({settings.override_reason}): {verdict.reason}")
    reason = f"{verdict.reason}. {PREFIX}override_reason overrides it, with a written reason"
    return context.finish(state.refuse(reason), "refused", reason)


def begin_wave(context: PhaseContext, state: RunState, request: StepRequest) -> StepResult:
    """Begin a wave: after a pause, and if the windows are still open."""
    wave = request_wave(request)
    if state.stopped:
        return StepResult(state, f"wave {wave} is not begun", skipped=True)
    has_work = any(target.has_work for target in state.of_wave(wave))
    started = any(target.wave < wave and target.changed for target in state.targets)
    if has_work and started and not state.check_mode:
        context.services.clock.sleep(context.settings.wave_pause)
    return _check_window(context, state, wave) or StepResult(state, f"wave {wave} of {len(context.settings.waves)}")


def _check_window(context: PhaseContext, state: RunState, wave: int) -> StepResult | None:
    """A window may have closed since the gate, while approval was waited for or during a pause."""
    waiting = [target for target in state.of_wave(wave) if target.verdict == "not_started"]
    starting = any(target.has_work and not target.is_resumed for target in waiting)
    if not starting or state.check_mode or state.override_reason:
        return None
    verdict = _windows.judge(context.settings.windows, context.services.clock.now())
    if verdict.open:
        return None
    state = context.open(state, "gate", wave)
    refused = state.refuse(f"the window has closed meanwhile: {verdict.reason}")
    return context.finish(refused, "refused", verdict.reason)
