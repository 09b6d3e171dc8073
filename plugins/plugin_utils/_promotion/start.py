# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The first step of a promotion."""

from __future__ import annotations

import dataclasses
import difflib
import getpass
import os
import random
import socket

from ...module_utils._core.errors import SyncError, invalid_option
from .._change_windows import decision as _windows
from .._notifications import notify as _notify
from .._reports import files as _report_files
from . import state as promotion
from .phase import Json, Outcome, PromotionServices, format_error, iso_seconds
from .settings import PREFIX, VARIABLES, PromotionSettings, read

#: variables that the role sets itself
INTERNAL = frozenset(
    PREFIX + name for name in ("settings", "begun", "step", "target", "wave", "wave_step", "host", "hook", "moments", "due")
)


@dataclasses.dataclass(frozen=True)
class StartResult:
    """The first step's outcome, and all that the others need to know."""

    outcome: Outcome
    memory: Json


class Begin:
    """Reads the variables. Bad ones end the run, but not without a report."""

    def __init__(self, services: PromotionServices, variables: Json, check_mode: bool) -> None:
        self.services = services
        self.variables = variables
        self.check_mode = check_mode

    def take(self) -> StartResult:
        clock = self.services.clock
        now = clock.now()
        run = f"p-{now:%Y%m%d-%H%M%S}-{random.SystemRandom().randrange(16**6):06x}"
        try:
            settings = self._settings()
            state = promotion.new_state(run, settings, iso_seconds(now), self.check_mode, self._actor())
            hooks = {moment: [self._task_file(moment, file) for file in files] for moment, files in settings.hooks.items()}
        except SyncError as error:
            settings, hooks = None, {}
            state = promotion.new_state(run, _nothing(), iso_seconds(now), self.check_mode, self._actor())
            state["error"] = format_error(error)
        path = self._report_path(state)
        memory = {
            "state": state,
            "began": clock.monotonic(),
            "locks": [],
            "touched": [],
            "behind": [],
            "hooks": hooks,
            "path": path,
        }
        names = [target.name for target in settings.targets] if settings else []
        facts = {
            "run": run,
            "hooks": sorted(hooks),
            "targets": [{"index": index, "name": name} for index, name in enumerate(names)],
            "waves": [
                {"number": number, "targets": [{"index": index, "name": names[index]} for index in wave]}
                for number, wave in enumerate(settings.waves if settings else (), 1)
            ],
        }
        message = state["error"] or f"run {run}: {len(names)} to promote in {len(facts['waves'])} waves"
        return StartResult(Outcome(message, not state["error"], facts=facts), memory)

    def _settings(self) -> PromotionSettings:
        known = {PREFIX + name for name in VARIABLES} | INTERNAL
        for name in sorted(set(self.services.names) - known):
            # without the prefix, which would make all of them alike
            near = difflib.get_close_matches(name.removeprefix(PREFIX), VARIABLES, 1)
            remedy = f"Did you mean {PREFIX}{near[0]}?" if near else "The README of the role lists its variables."
            raise SyncError("invalid_option", f"{name} is no variable of the role", remedy)
        settings = read(self.variables)
        _windows.check(settings.windows)
        _notify.check(settings.notify)
        return settings

    def _report_path(self, state: Json) -> str:
        """Where the report goes, also that of a run whose other variables are wrong."""
        path = self.variables.get("report_path")
        if not isinstance(path, str) or not path.strip():
            return ""
        try:
            return _report_files.prepare(path.strip())
        except OSError as error:
            remedy = "Name a file in a directory that this user may write to."
            problem = invalid_option(f"{PREFIX}report_path", path, f"cannot be written: {error.strerror or error}", remedy)
            state["error"] = state["error"] or format_error(problem)
            return ""

    def _task_file(self, moment: str, file: str) -> str:
        # a playbook of a collection, also one that is imported, has its directory in the collection
        for base in (self.services.base, os.getcwd()):
            path = os.path.join(base, os.path.expanduser(file))
            if os.path.isfile(path):
                return path
        remedy = "Give the path of a task file, absolute or relative to the playbook or the current directory."
        raise invalid_option(f"{PREFIX}hooks.{moment}", file, f"is not a file ({path})", remedy)

    def _actor(self) -> Json:
        try:
            user = getpass.getuser()
        except (OSError, KeyError):
            user = str(os.getuid())
        job = self.services.job.get("job_id")
        return {
            "user": str(self.services.job.get("user_name") or user),
            "host": socket.gethostname(),
            "job": None if job is None else str(job),
        }


def _nothing() -> PromotionSettings:
    return PromotionSettings((), (), {}, {"release": ""})
