# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Other modules, from within an action plugin."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.executor import module_common

from ...module_utils._core.errors import SyncError
from ...module_utils._operations.task import ROLE_VARIABLE

Arguments = t.Mapping[str, object]


def run_module(
    caller: t.Any, prefix: str, name: str, options: Arguments, task_vars: Arguments, check_mode: bool | None = None
) -> dict[str, object]:
    """Run a module, by its action plugin if it has one, where and as the task of another action plugin runs.

    The ``module_defaults`` in force for that task count for the module, those of its action groups included.

    :param caller: that action plugin; ansible-core ships no types.
    :param prefix: of the variables of the role that runs it.
    :param name: fully qualified.
    :param check_mode: that of the task, unless it is given.
    :raises SyncError: Ansible cannot run it: ``connection_failed`` if the host cannot be reached, else ``invalid_option``.
    """
    try:
        return _run(caller, prefix, name, options, task_vars, check_mode)
    except AnsibleError as error:
        unreachable = isinstance(error, AnsibleConnectionFailure)
        problem = f"{name.rpartition('.')[2]} cannot be run: {str(error).rstrip('. ')}"
        hint = "Check the connection to the host." if unreachable else ""
        raise SyncError("connection_failed" if unreachable else "invalid_option", problem, hint) from error


def _run(
    caller: t.Any, prefix: str, name: str, options: Arguments, task_vars: Arguments, check_mode: bool | None
) -> dict[str, object]:
    arguments = with_module_defaults(caller, name, options)
    task = caller._task.copy()
    task.action, task.args = name, arguments
    # the result of a module goes to that plugin alone. Ansible has made one mapping of the environments of the task by now
    given = task.environment or {}
    task.environment = [*(given if isinstance(given, list) else [given]), {ROLE_VARIABLE: prefix}]
    if check_mode is not None:
        task.check_mode = check_mode
    surroundings = {
        "task": task,
        "connection": caller._connection,
        "play_context": caller._play_context,
        "loader": caller._loader,
        "templar": caller._templar,
        "shared_loader_obj": caller._shared_loader_obj,
    }
    plugins = caller._shared_loader_obj.action_loader
    action = plugins.get(name, **surroundings) or plugins.get("ansible.legacy.normal", **surroundings)
    answer: dict[str, object] = action.run(task_vars=task_vars)
    return answer


def with_module_defaults(caller: t.Any, name: str, options: Arguments) -> dict[str, object]:
    """The options of a module, completed by the ``module_defaults`` that are in force for the task of an action plugin.

    :param caller: that action plugin.
    :param name: fully qualified.
    """
    task, given = caller._task, dict(options)
    if hasattr(module_common, "_apply_action_arg_defaults"):
        completed: dict[str, object] = module_common._apply_action_arg_defaults(name, task, given, caller._templar)
    else:
        # ansible-core 2.18
        completed = module_common.get_action_args_with_defaults(
            name, given, task.module_defaults, caller._templar, action_groups=task._parent._play._action_groups
        )
    return completed
