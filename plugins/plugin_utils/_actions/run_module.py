# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Other modules, from within an action plugin."""

from __future__ import annotations

import typing as t

Json = dict[str, t.Any]


def run_module(caller: t.Any, name: str, options: Json, task_vars: Json) -> Json:
    """Run a module, by its action plugin if it has one, where and as the task of another action plugin runs.

    :param caller: that action plugin; ansible-core ships no types.
    :param name: fully qualified.
    """
    task = caller._task.copy()
    task.action, task.args = name, options
    action = caller._shared_loader_obj.action_loader.get(
        name,
        task=task,
        connection=caller._connection,
        play_context=caller._play_context,
        loader=caller._loader,
        templar=caller._templar,
        shared_loader_obj=caller._shared_loader_obj,
    )
    if action is None:
        answer: Json = caller._execute_module(module_name=name, module_args=options, task_vars=task_vars)
    else:
        answer = action.run(task_vars=task_vars)
    return answer
