# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import typing as t

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError, wrap_unexpected
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor, harmless_json
from ansible_collections.lockstep.sync.plugins.plugin_utils._actions.controller import task_environment
from ansible_collections.lockstep.sync.plugins.plugin_utils._actions.role_variables import (
    TaskVariables,
    failed_task_text,
    role_variables,
)
from ansible_collections.lockstep.sync.plugins.plugin_utils._actions.run_module import run_module, with_module_defaults
from ansible_collections.lockstep.sync.plugins.plugin_utils._actions.task_file import problem_of_task_file
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.module_result import ModuleResult
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.phase import (
    OWN_WORDS,
    PromotionServices,
    StepRequest,
    StepResult,
)
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.phases import clean, start, take_step
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.settings import PREFIX, ModuleOptions
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.state import RunState

COLLECTION = "lockstep.sync."


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no types
    """One step of a promotion. Between the steps, the state of the run is in a file, see ``_path``."""

    _supports_check_mode = True
    _VALID_ARGS = frozenset({"step", "run", "target", "wave", "moment"})

    def run(self, tmp: object = None, task_vars: TaskVariables | None = None) -> dict[str, object]:
        variables = task_vars or {}
        result: dict[str, object] = super().run(tmp, task_vars)
        services = self._services(variables)
        try:
            # the ledger and the addresses of servers may be in it
            with task_environment(self), wrap_unexpected():
                return {**result, **harmless_json(self._take_step(services, variables))}
        except SyncError as error:
            failed = {"msg": error.coded_text, "failure": error.as_failure()}
            return {**result, **services.redactor.scrub(failed), "failed": True, "proceed": False}

    def _take_step(self, services: PromotionServices, task_vars: TaskVariables) -> dict[str, object]:
        arguments = self._task.args
        step = str(arguments.get("step"))

        def read(names: t.Iterable[str]) -> dict[str, object]:
            return role_variables(self, task_vars, PREFIX, names)

        if step == "start":
            taken = clean(services, start(services, read, bool(self._task.check_mode), self._complete))
        else:
            request = StepRequest(
                _number(arguments.get("target")),
                _number(arguments.get("wave")),
                str(arguments.get("moment") or ""),
                failed_task_text(task_vars) if step == "record_failure" else "",
            )
            state = self._load(str(arguments.get("run")))
            taken = take_step(services, step, request, state, read, self._complete)
        self._save(taken.state)
        return _task_result(taken)

    def _services(self, task_vars: TaskVariables) -> PromotionServices:
        def call(module: str, options: ModuleOptions, check_mode: bool) -> ModuleResult:
            if self._connection.transport == "local":
                # should the module need a process of its own, its options, secrets among them, get to it in no file that a run
                # that is killed would leave behind
                self._connection.set_option("pipelining", True)
            return ModuleResult.from_json(run_module(self, PREFIX, COLLECTION + module, options, task_vars, check_mode))

        job = task_vars.get("awx_job_id") or task_vars.get("tower_job_id")
        user = task_vars.get("awx_user_name") or task_vars.get("tower_user_name")
        return PromotionServices(
            SystemClock(),
            call,
            self._save,
            Display(),
            Redactor(words=OWN_WORDS),
            {key for key in task_vars if key.startswith(PREFIX)},
            str(task_vars.get("playbook_dir") or "."),
            None if job is None else str(job),
            None if user is None else str(user),
            lambda path: problem_of_task_file(self, path),
        )

    def _complete(self, module: str, options: ModuleOptions) -> ModuleOptions:
        return with_module_defaults(self, COLLECTION + module, options)

    # Ansible makes this directory for the time of one run, for its user alone, and removes it at the end.
    @staticmethod
    def _path(run: str) -> str:
        return os.path.join(constants.DEFAULT_LOCAL_TMP, f"lockstep-{os.path.basename(run)}.json")

    def _load(self, run: str) -> RunState:
        with open(self._path(run), encoding="utf-8") as file:
            return RunState.from_json(json.load(file))

    def _save(self, state: RunState) -> None:
        path = self._path(state.run)
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            json.dump(state.to_json(), file)
        os.replace(f"{path}.new", path)


def _task_result(taken: StepResult) -> dict[str, object]:
    result: dict[str, object] = {"changed": taken.changed, "proceed": taken.proceed, "msg": taken.message, **taken.facts}
    if taken.skipped:
        result["skipped"] = True
    if taken.failed:
        result["failed"] = True
    if "table" in taken.facts:
        # printed line by line, whatever the verbosity, also where the task fails
        result["_ansible_verbose_always"] = True
        del result["proceed"]
    if taken.warnings:
        result["warnings"] = list(taken.warnings)
    return result


def _number(value: t.Any) -> int | None:
    return None if value is None or not str(value).strip() else int(value)
