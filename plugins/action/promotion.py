# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import os
import typing as t

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import WORKFLOWS
from ansible_collections.lockstep.sync.plugins.plugin_utils._actions.run_module import run_module, with_module_defaults
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.phase import Outcome, PromotionServices, format_error
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.phases import STEPS
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.settings import PREFIX, PromotionSettings, read
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.start import Begin

Json = dict[str, t.Any]


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no types
    """One step of a promotion. What is known of the promotion lies in a file between the steps, see ``_path``."""

    _supports_check_mode = True
    _VALID_ARGS = frozenset({"step", "run", "settings", "target", "wave", "message"})

    def run(self, tmp: t.Any = None, task_vars: Json | None = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        services = self._services(task_vars or {})
        try:
            outcome = self._take_step(services)
        except SyncError as error:
            return {**result, "failed": True, "msg": format_error(error), "failure": error.as_failure(), "proceed": False}
        except Exception as exc:  # noqa: BLE001 (a fault of this plugin must not keep the run from being reported)
            message = (
                f"step {self._task.args.get('step')} of the promotion failed: {type(exc).__name__}: {exc}. Please report this."
            )
            return {**result, "failed": True, "msg": services.redactor.text(message), "proceed": False}
        if outcome.warnings:
            result["warnings"] = [*result.get("warnings", ()), *outcome.warnings]
        return {**result, "changed": outcome.changed, "proceed": outcome.proceed, "msg": outcome.message, **outcome.facts}

    def _services(self, task_vars: Json) -> PromotionServices:
        def call(module: str, arguments: Json) -> Json:
            name = f"lockstep.sync.{module}"
            if self._connection.transport == "local":
                # should the module need a process of its own, its options, secrets among them, get to it in no file that a run
                # that is killed would leave behind
                self._connection.set_option("pipelining", True)
            return run_module(self, name, arguments, task_vars)

        names = {key for key in task_vars if key.startswith(PREFIX)}
        job = {key: task_vars.get(f"awx_{key}") or task_vars.get(f"tower_{key}") for key in ("job_id", "user_name")}
        return PromotionServices(
            SystemClock(), call, Display(), Redactor([]), names, str(task_vars.get("playbook_dir") or "."), job
        )

    def _take_step(self, services: PromotionServices) -> Outcome:
        arguments = self._task.args
        step, variables = str(arguments.get("step")), arguments.get("settings") or {}
        if step == "begin":
            # the plan is made in check mode at any time, but what the run may do is up to the whole play
            begun = Begin(services, variables, bool(self._task.check_mode)).take()
            self._save(begun.memory)
            return begun.outcome
        memory = self._load(str(arguments.get("run")))
        settings: PromotionSettings | None = (
            None if memory["state"]["error"] and not memory["state"]["targets"] else self._completed(read(variables))
        )
        taken = STEPS[step](services, settings, memory)
        try:
            return taken.take(
                _number(arguments.get("target")), _number(arguments.get("wave")), str(arguments.get("message") or "")
            )
        finally:
            self._save(memory)

    def _completed(self, settings: PromotionSettings) -> PromotionSettings:
        """With the ``module_defaults`` of the play in the options of the targets, since they say where a target is."""
        targets = [
            dataclasses.replace(
                target,
                options=with_module_defaults(self, f"lockstep.sync.{WORKFLOWS[target.provider].sync.module}", target.options),
            )
            for target in settings.targets
        ]
        return dataclasses.replace(settings, targets=tuple(targets))

    # Ansible makes this directory for the time of one run, for its user alone, and removes it at the end.
    @staticmethod
    def _path(run: str) -> str:
        return os.path.join(constants.DEFAULT_LOCAL_TMP, f"lockstep-{os.path.basename(run)}.json")

    def _load(self, run: str) -> Json:
        with open(self._path(run), encoding="utf-8") as file:
            memory: Json = json.load(file)
        return memory

    def _save(self, memory: Json) -> None:
        path = self._path(memory["state"]["run"])
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            json.dump(memory, file)
        os.replace(f"{path}.new", path)


def _number(value: t.Any) -> int | None:
    return None if value is None or not str(value).strip() else int(value)
