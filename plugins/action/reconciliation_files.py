# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError, invalid_option
from ansible_collections.lockstep.sync.plugins.plugin_utils._actions.run_module import run_module
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.files import sibling_paths
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.task_files import Files, LocalFiles, RemoteFiles

Json = dict[str, t.Any]

REPORT = "dns_reconciliation_report_path"


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no types
    """The files of role dns_reconciliation, none of which costs a process on this machine."""

    _supports_check_mode = True

    def run(self, tmp: t.Any = None, task_vars: Json | None = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(SPEC, required_if=NEEDS)
        # variable ansible_check_mode tells of the whole play only, and not of a task, a block or a role
        result.update(changed=False, check_mode=bool(self._task.check_mode))
        try:
            return {**result, **STEPS[options["step"]](self._files(task_vars or {}), options)}
        except SyncError as error:
            return {**result, "failed": True, "msg": f"{error.message}. {error.hint}".strip(), "failure": error.as_failure()}

    def _files(self, task_vars: Json) -> Files:
        if self._connection.transport == "local" and not self._connection.become:
            return LocalFiles()
        return RemoteFiles(lambda name, options: run_module(self, name, options, task_vars))


def _begin(files: Files, options: Json) -> Json:
    """Tell whether the role is in check mode."""
    return {}


def _prepare(files: Files, options: Json) -> Json:
    """See that a report can be written, before anything is done that it would have to tell of."""
    try:
        files.probe(options["path"])
    except OSError as error:
        raise _unwritable(options["path"], error) from error
    return {}


def _write(files: Files, options: Json) -> Json:
    try:
        path = files.prepare(options["path"])
        for name, content in zip(sibling_paths(path), options["contents"]):
            files.write(name, content)
    except OSError as error:
        raise _unwritable(options["path"], error) from error
    return {}


def _scratch(files: Files, options: Json) -> Json:
    try:
        return {"path": files.scratch()}
    except OSError as error:
        problem = f"a temporary folder cannot be made: {_reason(error)}"
        raise SyncError("invalid_option", problem, "Set TMPDIR to a directory that this user may write to.") from error


def _read(files: Files, options: Json) -> Json:
    """The full results of tasks, in order."""
    found = []
    for name in (f"{options['path']}/{number}.json" for number in range(options["count"])):
        try:
            found.append(json.loads(files.read(name)))
        except (OSError, ValueError) as error:
            problem = f"the full result of a task cannot be read from {name}: {_reason(error)}"
            raise SyncError("outcome_unknown", problem, "Run the playbook again: nothing is triggered twice.") from error
    return {"contents": found}


def _remove(files: Files, options: Json) -> Json:
    try:
        files.remove(options["path"])
    except OSError as error:
        # what was found is of more interest
        return {"warnings": [f"{options['path']} cannot be removed: {_reason(error)}"]}
    return {}


def _unwritable(path: str, error: OSError) -> SyncError:
    remedy = "Name a file in a directory that this user may write to."
    return invalid_option(REPORT, path, f"cannot be written: {_reason(error)}", remedy)


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


STEPS = {"begin": _begin, "prepare": _prepare, "scratch": _scratch, "read": _read, "remove": _remove, "write": _write}

SPEC: Json = {
    "step": {"type": "str", "required": True, "choices": list(STEPS)},
    "path": {"type": "str"},
    "count": {"type": "int"},
    "contents": {"type": "list", "elements": "str"},
}

NEEDS = [
    ("step", "prepare", ["path"]),
    ("step", "read", ["path", "count"]),
    ("step", "remove", ["path"]),
    ("step", "write", ["path", "contents"]),
]
