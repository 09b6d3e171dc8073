# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The steps of a promotion by the names that the tasks of the role have for them. The tasks alone say in which order."""

from __future__ import annotations

import dataclasses
import typing as t

from ...module_utils._core.errors import SyncError, place_of_traceback, wrap_unexpected
from .approval import approval
from .backup import backup
from .finish import report, show
from .gate import begin_wave, gate
from .hooks import hooks
from .lock import lock
from .module_result import ModuleResult
from .notify import notify
from .phase import PhaseContext, PromotionServices, Step, StepRequest, StepResult, with_traceback
from .preflight import inspect, preflight
from .recovery import record_failure
from .rollback import rollback
from .settings import PREFIX, VARIABLE_NAMES, Complete, ModuleOptions, PromotionSettings, Variables, read
from .start import start
from .state import RunState
from .sync import sync
from .verify import verify

STEPS: t.Mapping[str, Step] = {
    "inspect": inspect,
    "preflight": preflight,
    "gate": gate,
    "approval": approval,
    "lock": lock,
    "begin_wave": begin_wave,
    "backup": backup,
    "sync": sync,
    "verify": verify,
    "rollback": rollback,
    "hooks": hooks,
    "record_failure": record_failure,
    "report": report,
    "notify": notify,
    "show": show,
}

#: steps after which the report says how far the run is. Those that follow the last report are not among them
_REPORTED = frozenset(
    {"inspect", "preflight", "gate", "approval", "lock", "begin_wave", "backup", "sync", "verify", "rollback", "record_failure"}
)

#: steps that have to end even if the variables have become unreadable meanwhile
_ALWAYS = frozenset({"record_failure", "report", "notify", "hooks", "show"})

__all__ = ["STEPS", "start", "take_step"]


def take_step(
    services: PromotionServices,
    step: str,
    request: StepRequest,
    state: RunState,
    variables: Variables,
    complete: Complete,
) -> StepResult:
    """Take one step after the first one. The report says afterwards how far the run is, in case that it is killed.

    It says so already if the step changed nothing.

    After a step that failed, nothing more is begun: Ansible goes on with the other items of a loop.

    :param variables: reads those of the role, by name without prefix.
    :raises SyncError: why it could not be taken.
    """
    latest = _Latest(services, state)
    watched = dataclasses.replace(services, checkpoint=latest.keep, call=latest.call)
    try:
        with wrap_unexpected():
            context = PhaseContext.create(watched, _settings(step, state, variables, complete))
            taken = clean(services, STEPS[step](context, state, request))
            taken = dataclasses.replace(taken, state=latest.complete(taken.state))
    except SyncError as error:
        latest.keep(with_traceback(dataclasses.replace(latest.state, stopped=True), error))
        raise
    if step not in _REPORTED or taken.state == state:
        return taken
    problem = context.write(taken.state, interim=True)
    return dataclasses.replace(taken, warnings=(*taken.warnings, problem)) if problem else taken


@dataclasses.dataclass
class _Latest:
    """The state that was kept last, with the traceback of a bug in a module that the step has run."""

    services: PromotionServices
    state: RunState
    traceback: str = ""

    def keep(self, state: RunState) -> None:
        self.state = self.complete(state)
        self.services.checkpoint(self.state)

    def call(self, module: str, options: ModuleOptions, check_mode: bool) -> ModuleResult:
        result = self.services.call(module, options, check_mode)
        if not result.traceback:
            return result
        self.traceback = self.traceback or result.traceback
        return result.with_place_of_traceback(place_of_traceback(self.state.path, f"{PREFIX}report_path"))

    def complete(self, state: RunState) -> RunState:
        return dataclasses.replace(state, traceback=state.traceback or self.traceback)


def clean(services: PromotionServices, result: StepResult) -> StepResult:
    """Without anything secret in the texts."""
    hide = services.redactor.text
    return dataclasses.replace(result, message=hide(result.message), warnings=tuple(map(hide, result.warnings)))


def _settings(step: str, state: RunState, variables: Variables, complete: Complete) -> PromotionSettings:
    if state.error and not state.targets:
        return PromotionSettings()
    try:
        return read(variables(VARIABLE_NAMES), complete)
    except SyncError:
        if step in _ALWAYS:
            return PromotionSettings()
        raise
