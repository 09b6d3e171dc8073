# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The first step: read the variables, and begin a run. Bad variables end the run, but not without a report."""

from __future__ import annotations

import dataclasses
import getpass
import os
import random
import socket
import typing as t

from ...module_utils._core.errors import SyncError, invalid_option, wrap_unexpected
from .._actions.role_variables import unknown_variable
from .._change_windows import decision as _windows
from .._notifications import notify as _notify
from .._reports import files as _report_files
from .phase import PhaseContext, PromotionServices, StepResult, iso_seconds, with_traceback
from .settings import PREFIX, VARIABLE_NAMES, Complete, PromotionSettings, Variables, read
from .state import Actor, RunState, new_targets
from .vocabulary import FORMER_VARIABLES

#: variables that the role sets itself
INTERNAL = frozenset(
    PREFIX + name for name in ("begun", "step", "target", "wave", "wave_step", "host", "hook", "moment", "due", "failure")
)


def start(services: PromotionServices, variables: Variables, check_mode: bool, complete: Complete) -> StepResult:
    """Begin a run.

    :param variables: reads those of the role.
    """
    now = services.clock.now()
    run = f"p-{now:%Y%m%d-%H%M%S}-{random.SystemRandom().randrange(16**6):06x}"
    state = RunState(run, None, check_mode, iso_seconds(now), _actor(services), services.clock.monotonic())
    settings = PromotionSettings()
    state = _with_report_path(state, variables)
    try:
        with wrap_unexpected():
            settings = _settings(services, variables, complete)
            hooks = {moment: _task_files(services, moment, files) for moment, files in settings.hooks.items()}
            targets = new_targets(settings)
        state = dataclasses.replace(state, release=settings.release or None, hooks=hooks, targets=targets)
    except SyncError as error:
        state = with_traceback(state, error)
        # of several problems, that of the variables themselves goes first
        settings, state = PromotionSettings(), _with_error(state, error)
    if state.error:
        return StepResult(dataclasses.replace(state, stopped=True), state.error, facts=_facts(state, settings))
    PhaseContext(services, settings).write(state, interim=True)
    message = f"run {run}: {len(settings.targets)} to promote in {len(settings.waves)} waves"
    return StepResult(state, message, facts=_facts(state, settings))


def _facts(state: RunState, settings: PromotionSettings) -> dict[str, object]:
    waves = [
        {"number": number, "targets": [{"index": index, "name": settings.targets[index].name} for index in wave]}
        for number, wave in enumerate(settings.waves, 1)
    ]
    targets = [{"index": target.index, "name": target.name} for target in settings.targets]
    return {
        "run": state.run,
        "hooks": sorted(state.hooks),
        "notify": bool(settings.notify),
        "targets": targets,
        "waves": waves,
    }


def _settings(services: PromotionServices, variables: Variables, complete: Complete) -> PromotionSettings:
    problem = unknown_variable(services.names, PREFIX, VARIABLE_NAMES, INTERNAL, FORMER_VARIABLES)
    if problem:
        raise problem
    settings = read(variables(VARIABLE_NAMES), complete)
    _windows.check(settings.windows)
    _notify.check(settings.notify)
    return settings


def _with_report_path(state: RunState, variables: Variables) -> RunState:
    """Where the report goes, also that of a run whose other variables are wrong."""
    try:
        path = variables(["report_path"]).get("report_path")
    except SyncError as error:
        return _with_error(state, error)
    if not isinstance(path, str) or not path.strip():
        return state
    try:
        return dataclasses.replace(state, path=_report_files.prepare(path.strip()))
    except OSError as error:
        remedy = "Name a file in a directory that this user may write to."
        problem = invalid_option(f"{PREFIX}report_path", path, f"cannot be written: {error.strerror or error}", remedy)
        return _with_error(state, problem)


def _with_error(state: RunState, error: SyncError) -> RunState:
    return dataclasses.replace(state, error=error.coded_text, error_code=error.code)


def _task_files(services: PromotionServices, moment: str, files: t.Iterable[str]) -> tuple[str, ...]:
    return tuple(_task_file(services, moment, file) for file in files)


def _task_file(services: PromotionServices, moment: str, file: str) -> str:
    path = file
    # a playbook of a collection, also one that is imported, has its directory in the collection
    for base in (services.base, os.getcwd()):
        path = os.path.join(base, os.path.expanduser(file))
        if os.path.isfile(path):
            # otherwise it would end the play in the middle of the promotion, without a report
            problem = services.task_file_problem(path)
            if problem:
                remedy = "Correct the task file."
                raise invalid_option(f"{PREFIX}hooks.{moment}", file, f"cannot be loaded: {problem}", remedy)
            return path
    remedy = "Give the path of a task file, absolute or relative to the playbook or the current directory."
    raise invalid_option(f"{PREFIX}hooks.{moment}", file, f"is not a file ({path})", remedy)


def _actor(services: PromotionServices) -> Actor:
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = str(os.getuid())
    return Actor(services.job_user or user, socket.gethostname(), services.job)
