# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What a run has sent by now, and the interrupted runs that it has found."""

from __future__ import annotations

import dataclasses
import typing as t

from .._actions.codec import JsonState
from .module_result import BackupId
from .state import RunState, TargetState
from .vocabulary import PhaseName

MutatingCall = t.Literal["backup", "sync", "restore"]


@dataclasses.dataclass(frozen=True)
class SentCall(JsonState):
    """A mutating call of this run.

    :param state: ``unknown`` while it is not known what came of it, and whether it was sent.
    :param handle: that finds a sync again.
    :param backup: id of the backup that was made or restored.
    """

    target: str
    call: MutatingCall
    state: str
    handle: t.Mapping[str, object] | None = None
    backup: BackupId | None = None


@dataclasses.dataclass(frozen=True)
class FoundRun(JsonState):
    """An interrupted run that this one has found.

    :param phase: the one that it was interrupted in.
    :param outcome: what became of it: the verdict of the target, or ``abandoned``, since another release took its place.
    """

    target: str
    run: str
    phase: str
    started_at: str
    outcome: str


def sent_so_far(state: RunState) -> tuple[SentCall, ...]:
    """The mutating calls of this run, as far as they may have been sent."""
    return tuple(call for target in state.targets for call in _calls(state, target))


def _calls(state: RunState, target: TargetState) -> t.Iterator[SentCall]:
    made, record, rollback = target.backup, target.sync, target.rollback
    if made is not None and made.state in ("made", "found", "failed"):
        yield SentCall(target.name, "backup", made.state, backup=made.id)
    elif _is_open(state, target, "backup"):
        yield SentCall(target.name, "backup", "unknown")
    if record is not None and record.action in ("triggered", "joined"):
        yield SentCall(target.name, "sync", record.state, handle=record.handle)
    elif record is None and target.overwritten:
        yield SentCall(target.name, "sync", "unknown")
    if rollback is not None and (rollback.elapsed or _is_open(state, target, "rollback")):
        yield SentCall(target.name, "restore", "unknown" if rollback.is_open else rollback.state, backup=rollback.backup)


def _is_open(state: RunState, target: TargetState, phase: PhaseName) -> bool:
    """Whether the run is in this phase of the target. In check mode, no phase of that kind is begun."""
    last = state.phases[-1] if state.phases else None
    return last is not None and (last.phase, last.target, last.is_open) == (phase, target.name, True) and not state.check_mode


def found_interrupted(state: RunState) -> tuple[FoundRun, ...]:
    """The interrupted runs that this one goes on with, or whose place it takes."""
    found = []
    for target in state.targets:
        for left, outcome in ((target.resumed, target.verdict), (target.abandoned, "abandoned")):
            if left is not None:
                found.append(FoundRun(target.name, left.run, left.phase, left.started_at, outcome))
    return tuple(found)
