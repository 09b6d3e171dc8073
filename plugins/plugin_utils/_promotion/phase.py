# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What the steps of a promotion have in common: their surroundings, what they are asked for, and what they return."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import typing as t

from ...module_utils._core.clock import Clock, isoformat
from ...module_utils._core.errors import SyncError
from ...module_utils._core.options import secrets_in
from ...module_utils._core.redact import Redactor
from ...module_utils._operations.sync import own_words
from ...module_utils._providers.registry import DESCRIPTORS, PROVIDERS, WORKFLOWS
from ...module_utils._state.location import default_path, named_location, secrets_of
from .approval_decision import Display
from .journal import PromotionStore
from .module_result import ModuleResult
from .progress import MutatingCall
from .report_files import write_report
from .settings import PREFIX, ModuleOptions, PromotionSettings
from .state import STATE_WORDS, RunState, TargetState
from .vocabulary import PhaseName, PhaseState

#: what no secret hides in a field of ours, be it the same word
OWN_WORDS: frozenset[str] = STATE_WORDS.union(
    t.get_args(MutatingCall),
    WORKFLOWS,
    *(descriptor.failure_codes for descriptor in DESCRIPTORS.values()),
    *map(own_words, PROVIDERS.values()),
)


@dataclasses.dataclass(frozen=True)
class PromotionServices:
    """What the outside world injects.

    :param call: runs a module of the collection with arguments, in check mode or not.
    :param checkpoint: keeps a state, which is then that of the next step, should this one fail.
    :param names: all variables that begin with the prefix of the role.
    :param base: directory that task files of hooks are relative to.
    :param job: id of the AWX job, where there is one.
    :param job_user: who launched it.
    :param task_file_problem: why Ansible could not load a task file, empty if it can.
    """

    clock: Clock
    call: t.Callable[[str, ModuleOptions, bool], ModuleResult]
    checkpoint: t.Callable[[RunState], None]
    display: Display
    redactor: Redactor
    names: t.Collection[str]
    base: str
    job: str | None = None
    job_user: str | None = None
    task_file_problem: t.Callable[[str], str] = lambda path: ""


@dataclasses.dataclass(frozen=True)
class StepRequest:
    """What a task of the role asks a step for.

    :param target: index of the target that it is about.
    :param wave: number of the wave that it is about.
    :param moment: for hooks.
    :param message: what went wrong, for ``record_failure``.
    """

    target: int | None = None
    wave: int | None = None
    moment: str = ""
    message: str = ""


@dataclasses.dataclass(frozen=True)
class StepResult:
    """What a step returns to the role.

    :param skipped: there was nothing to do.
    :param failed: the task fails.
    :param facts: further values of the task's result.
    """

    state: RunState
    message: str
    changed: bool = False
    skipped: bool = False
    failed: bool = False
    warnings: tuple[str, ...] = ()
    facts: t.Mapping[str, object] = dataclasses.field(default_factory=dict)

    @property
    def proceed(self) -> bool:
        return not self.state.stopped


#: phases that begin with a call that changes something
_MUTATING: tuple[PhaseName, ...] = ("backup", "sync")

Step = t.Callable[["PhaseContext", RunState, StepRequest], StepResult]


@dataclasses.dataclass(frozen=True)
class PhaseContext:
    """The surroundings of a step.

    :param settings: without targets if the variables could not be read.
    """

    services: PromotionServices
    settings: PromotionSettings

    @classmethod
    def create(cls, services: PromotionServices, settings: PromotionSettings) -> PhaseContext:
        services.redactor.add(*secrets_of(settings.ledger, os.environ))
        for target in settings.targets:
            workflow = WORKFLOWS[target.provider]
            services.redactor.add(*secrets_in(target.options, workflow.sync.provider.connection_spec.arguments))
            services.redactor.publish(target.name, target.provider, workflow.address(target.options, os.environ))
        return cls(services, settings)

    # -- phases of the report ----------------------------------------------------------------------------------------

    def open(self, state: RunState, phase: PhaseName, wave: int | None = None, target: str | None = None) -> RunState:
        """Begin a phase. It is kept and reported from now on, so that a failure of the step is a failure of the phase.

        A phase that begins with a call that changes something is reported once that call has been remembered.
        """
        clock = self.services.clock
        opened = state.with_opened(phase, iso_milliseconds(clock.now()), clock.monotonic(), wave, target)
        self.services.checkpoint(opened)
        if phase not in _MUTATING:
            self.write(opened, interim=True)
        return opened

    def close(self, state: RunState, result: PhaseState, reason: str) -> RunState:
        """End the phase that was opened last."""
        clock = self.services.clock
        clean = self.services.redactor.text(reason)
        return state.with_closed(result, clean, iso_milliseconds(clock.now()), clock.monotonic())

    def finish(self, state: RunState, result: PhaseState, reason: str, changed: bool = False) -> StepResult:
        """End the phase and, with it, the step."""
        return StepResult(self.close(state, result, reason), reason, changed, skipped=result == "skipped")

    # -- what is remembered between runs -----------------------------------------------------------------------------

    @property
    def named_ledger(self) -> str:
        """The ledger that the role, the play or the environment names; empty for the default one."""
        return named_location(self.settings.ledger, os.environ, f"{PREFIX}ledger")

    def store(self, state: RunState) -> PromotionStore:
        return PromotionStore(
            self.named_ledger or default_path(os.environ),
            self.services.clock,
            state.check_mode,
            self.services.redactor.scrub,
            option=f"{PREFIX}ledger",
        )

    def remember(self, state: RunState, target: TargetState, phase: PhaseName) -> None:
        """Note that a phase of a target begins, before it does: in the store, in the state, and in the report.

        The end of the step is soon enough for the report, unless the next thing is a call that changes something.

        :raises SyncError: it cannot be noted, so that nothing may be sent.
        """
        if not target.locked:
            return
        known = target.to_json()
        facts = {name: known[name] for name in ("before", "backup", "sync", "rollback", "reason")}
        self.store(state).advance(state.run, target.identity(), phase, facts)
        self.services.checkpoint(state)
        problem = self.write(state, interim=True) if phase in _MUTATING else None
        if problem:
            # nothing of it has been sent, and a run that is killed must not leave nothing
            raise SyncError("invalid_option", problem, "Make room there, or name another file.")

    def write(self, state: RunState, interim: bool = False) -> str | None:
        """Write the report down.

        :param interim: the run goes on, and this is what is left of it should it be killed.
        :returns: why it could not be written.
        """
        clock = self.services.clock
        return write_report(state, iso_seconds(clock.now()), clock.monotonic() - state.began, self.services.redactor, interim)


def request_target(state: RunState, request: StepRequest) -> TargetState:
    """The target that a step is asked for."""
    if request.target is None:
        raise ValueError("this step needs a target")
    return state.targets[request.target]


def request_wave(request: StepRequest) -> int:
    """The number of the wave that a step is asked for."""
    if request.wave is None:
        raise ValueError("this step needs a wave")
    return request.wave


def iso_seconds(moment: dt.datetime) -> str:
    return str(isoformat(moment))


def iso_milliseconds(moment: dt.datetime) -> str:
    """With milliseconds, for phases that are over within a second."""
    return moment.astimezone(dt.timezone.utc).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def with_traceback(state: RunState, error: SyncError) -> RunState:
    """The state of a run with what the report has of an error of the collection itself; the error then says where that is."""
    error.point_to_report(state.path or None, f"{PREFIX}report_path")
    return dataclasses.replace(state, traceback=state.traceback or error.traceback_text)
