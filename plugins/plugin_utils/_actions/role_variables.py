# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What an action plugin of a role reads from the variables of its task."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError

from ...module_utils._core.errors import SyncError
from .controller import plain

TaskVariables = t.Mapping[str, object]


def role_variables(caller: t.Any, task_vars: TaskVariables, prefix: str, names: t.Iterable[str]) -> dict[str, object]:
    """The variables of a role as they were given, by name without prefix.

    They are not arguments of the task: a text that holds no template stays text, also where native Jinja would make a number of
    it.

    :param caller: the action plugin; ansible-core ships no types.
    :raises SyncError: ``invalid_option`` for one that cannot be evaluated.
    """
    found: dict[str, object] = {}
    for name in names:
        if prefix + name not in task_vars:
            continue
        try:
            found[name] = plain(caller._templar.template(task_vars[prefix + name]))
        except AnsibleError as error:
            remedy = "Define what it refers to."
            raise SyncError("invalid_option", f"option {prefix}{name} cannot be evaluated: {error.message}", remedy) from None
    return found


def failed_task_text(task_vars: TaskVariables) -> str:
    """Which task failed, and why, for a task in the ``rescue`` section; of a loop, the first item that failed."""
    task = t.cast("t.Mapping[str, object]", task_vars.get("ansible_failed_task") or {})
    result = t.cast("t.Mapping[str, object]", task_vars.get("ansible_failed_result") or {})
    parts = [task.get("name") or task.get("action") or "a task"]
    items = t.cast("t.Sequence[t.Mapping[str, object]]", result.get("results") or ())
    for item in items:
        if item.get("failed"):
            parts += [item["_ansible_item_label"]] if isinstance(item.get("_ansible_item_label"), str) else []
            result = item
            break
    return ": ".join(map(str, (*parts, result.get("msg") or "it failed")))
