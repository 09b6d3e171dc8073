# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task files of a role, played without Ansible: the order of the steps is that of the files, and stands nowhere else.

It knows the part of Ansible that the role uses, and refuses everything else.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined, Template
from jinja2.nativetypes import NativeEnvironment

Json = dict[str, Any]
Task = Mapping[str, Any]

#: what a task may say besides its module
_KEYWORDS = {
    *("name", "when", "loop", "loop_control", "register", "vars", "module_defaults", "block", "rescue", "always"),
    *("ignore_errors", "ignore_unreachable", "check_mode"),
}
_OMITTED = "__omitted__"


class TaskFailed(Exception):
    """A task failed.

    :param result: with ``msg``; for a loop, with ``results``.
    """

    def __init__(self, task: str, result: Json) -> None:
        super().__init__(f"{task}: {result.get('msg')}")
        self.task = task
        self.result = result


@functools.cache
def load(path: Path) -> list[Json]:
    found: list[Json] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


class _Undefined(StrictUndefined):
    """As with Ansible, what is within an undefined variable is undefined, too."""

    def __getattr__(self, name: str) -> Any:
        return super().__getattr__(name) if name.startswith("__") else self


@functools.cache
def _environment() -> NativeEnvironment:
    environment = NativeEnvironment(undefined=_Undefined)
    environment.filters["basename"] = os.path.basename
    return environment


@functools.cache
def _template(text: str) -> Template:
    """Compiled once: the same tasks are played in every test."""
    return _environment().from_string(text)


class RoleTasks:
    """Plays the tasks of a role.

    :param folder: of the task files.
    :param actions: what modules do, by name: arguments and variables of a task to its result. ``failed`` in it fails the task.
    :param variables: that the tasks see, with those that they register.
    :param task_files: plays a task file that is not in the folder.
    """

    def __init__(
        self,
        folder: Path,
        actions: Mapping[str, Callable[[Json, Json], Json]],
        variables: Json,
        task_files: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._actions = actions
        self._task_files = task_files
        self.variables = {**variables, "omit": _OMITTED}
        #: how tasks ended, in order: ``name: ok``, ``skipped`` or ``failed``
        self.shown: list[str] = []

    def play(self, file: str = "main.yml") -> None:
        self._tasks(load(self._folder / file), [], {}, {})

    def _tasks(self, tasks: list[Json], conditions: list[Any], defaults: Json, local: Json) -> None:
        for task in tasks:
            own = [*conditions, *_listed(task.get("when"))]
            if "block" in task:
                self._block(task, own, {**defaults, **task.get("module_defaults", {})}, local)
            else:
                self._task(task, own, defaults, local)

    def _block(self, task: Task, conditions: list[Any], defaults: Json, local: Json) -> None:
        try:
            self._tasks(task["block"], conditions, defaults, local)
        except TaskFailed as failure:
            if "rescue" not in task:
                raise
            found = {"ansible_failed_task": {"name": failure.task}, "ansible_failed_result": failure.result}
            self._tasks(task["rescue"], conditions, defaults, {**local, **found})
        finally:
            # a process that is killed does not get here
            if "always" in task and not self.ended:
                self._tasks(task["always"], conditions, defaults, local)

    #: whether the process is gone, so that nothing more is done
    ended = False

    def _task(self, task: Task, conditions: list[Any], defaults: Json, local: Json) -> None:
        (module,) = set(task) - _KEYWORDS
        control = task.get("loop_control", {})
        items = self._value(task["loop"], local) if "loop" in task and self._met(conditions, local, task) else [None]
        results = []
        for item in items:
            scope = {**local, **({control["loop_var"]: item} if "loop" in task else {})}
            results.append(self._run(task, module, conditions, defaults, scope))
        failed = [result for result in results if result.get("failed")]
        if "loop" in task:
            outcome: Json = {"results": results, "skipped": all(result.get("skipped") for result in results)}
            outcome.update({"failed": True, "msg": "One or more items failed"} if failed else {})
        else:
            (outcome,) = results
        self._end(task, outcome)

    def _end(self, task: Task, outcome: Json) -> None:
        if "register" in task:
            self.variables[task["register"]] = outcome
        state = "failed" if outcome.get("failed") else "skipped" if outcome.get("skipped") else "ok"
        self.shown.append(f"{task['name']}: {state}")
        if outcome.get("failed"):
            raise TaskFailed(task["name"], outcome)

    def _met(self, conditions: list[Any], local: Json, task: Task) -> bool:
        """Whether a loop is worth the evaluation of its list: what a condition says of an item is known later."""
        own = _listed(task.get("when"))
        return all(self._expression(condition, local) for condition in conditions[: len(conditions) - len(own)])

    def _run(self, task: Task, module: str, conditions: list[Any], defaults: Json, local: Json) -> Json:
        if not all(self._expression(condition, local) for condition in conditions):
            return {"skipped": True, "changed": False}
        scope = {**local, **{name: self._value(value, local) for name, value in task.get("vars", {}).items()}}
        if module == "ansible.builtin.include_tasks":
            self._include(str(self._value(task[module], scope)), conditions, defaults, scope)
            return {}
        given = {**defaults.get(module, {}), **(task[module] or {})}
        arguments = {name: self._value(value, scope) for name, value in given.items()}
        arguments = {name: value for name, value in arguments.items() if value != _OMITTED}
        return self._actions[module](arguments, {**self.variables, **scope})

    def _include(self, file: str, conditions: list[Any], defaults: Json, local: Json) -> None:
        if (self._folder / file).exists() and not os.path.isabs(file):
            # the conditions of an include itself are not those of its tasks, those of its blocks are met already
            self._tasks(load(self._folder / file), [], defaults, local)
        else:
            self._task_files(file)

    def _expression(self, text: Any, local: Json) -> bool:
        return bool(self._value(f"{{{{ {text} }}}}", local)) if isinstance(text, str) else bool(text)

    def _value(self, value: Any, local: Json) -> Any:
        if isinstance(value, str):
            return _template(value).render({**self.variables, **local}) if "{{" in value else value
        if isinstance(value, dict):
            return {name: self._value(item, local) for name, item in value.items()}
        if isinstance(value, list):
            return [self._value(item, local) for item in value]
        return value


def _listed(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, list) else [value]


def steps_of(folder: Path, module: str, file: str = "main.yml") -> list[str]:
    """The steps that the tasks of a role take with ``module``, in the order of the files."""
    return _steps(folder, module, load(folder / file))


def _steps(folder: Path, module: str, tasks: list[Json]) -> list[str]:
    found: list[str] = []
    for task in tasks:
        if module in task:
            found.append(task[module]["step"])
        included = task.get("ansible.builtin.include_tasks", "")
        if included and "{{" not in included and included != "hooks.yml":
            found += steps_of(folder, module, included)
        for part in ("block", "rescue", "always"):
            found += _steps(folder, module, task.get(part, []))
    return found
