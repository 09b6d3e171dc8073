# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Task files of the user, loaded before they are needed: one that Ansible cannot load ends the whole play, with no rescue."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError
from ansible.playbook.helpers import load_list_of_blocks
from ansible.playbook.task_include import TaskInclude


def problem_of_task_file(caller: t.Any, path: str) -> str:
    """Why Ansible could not load a task file, if the task of an action plugin included it; empty if it can.

    What the file itself includes while it runs is not looked at.

    :param caller: the action plugin; ansible-core ships no types.
    """
    task, loader = caller._task, caller._loader
    try:
        tasks = _load(loader, path)
        if not isinstance(tasks, list):
            return "" if tasks is None else "it is not a list of tasks"
        surroundings = {"role": task._role, "variable_manager": task._variable_manager, "loader": loader}
        # what the file imports is relative to it
        include = TaskInclude.load({"ansible.builtin.include_tasks": path}, block=task._parent, **surroundings)
        load_list_of_blocks(tasks, play=task._parent._play, parent_block=include.build_parent_block(), **surroundings)
    except AnsibleError as error:
        return " ".join(str(error).split()).rstrip(". ")
    return ""


def _load(loader: t.Any, path: str) -> object:
    try:
        found: object = loader.load_from_file(path, trusted_as_template=True)
    except TypeError:
        # ansible-core 2.18 knows no trust
        found = loader.load_from_file(path)
    return found
