# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Which task files of the user are to be run at a moment of the promotion."""

from __future__ import annotations

from .phase import PhaseContext, StepRequest, StepResult
from .state import RunState

#: the tasks of the role say whether these take place
_ALWAYS = frozenset(
    {"before_preflight", "before_rollback", "after_rollback", "before_report", "after_report", "after_notify", "on_failure"}
)


def hooks(dummy: PhaseContext, state: RunState, request: StepRequest) -> StepResult:
    files = state.hooks.get(request.moment, ()) if is_due(state, request.moment, request.wave) else ()
    text = f"{request.moment}: {len(files)} task files"
    return StepResult(state, text, skipped=not files, facts={"files": list(files)})


def is_due(state: RunState, moment: str, wave: int | None) -> bool:
    """Whether anything is going to be done, or was, around a moment.

    What was only to be brought to an end is neither backed up nor synced, but verified.
    """
    if moment in _ALWAYS:
        return True
    working = [target for target in state.targets if wave in (None, target.wave) and target.has_work]
    if state.stopped or not working:
        return False
    return moment not in ("before_backup", "before_sync") or any(not target.is_resumed for target in working)
