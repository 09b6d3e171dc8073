# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What an action plugin of a role reads from the variables of its task."""

from __future__ import annotations

import collections.abc
import difflib
import typing as t

from ansible.errors import AnsibleError

from ...module_utils._core.errors import SyncError
from ...module_utils._core.options import text_of
from .controller import plain

TaskVariables = t.Mapping[str, object]


class RoleVariables(t.NamedTuple):
    """Values by the names of the variables, without the prefix.

    :param values: those that are set.
    :param problem: why another one has no value.
    """

    values: t.Mapping[str, object]
    problem: SyncError | None


def role_variables(caller: t.Any, task_vars: TaskVariables, prefix: str, names: t.Iterable[str]) -> dict[str, object]:
    """The variables of a role as they were given, by name without prefix.

    :param caller: the action plugin; ansible-core ships no types.
    :raises SyncError: ``invalid_option`` for one that cannot be evaluated.
    """
    found = evaluate_role_variables(caller, task_vars, prefix, names)
    if found.problem:
        raise found.problem
    return dict(found.values)


def evaluate_role_variables(caller: t.Any, task_vars: TaskVariables, prefix: str, names: t.Iterable[str]) -> RoleVariables:
    """The same, where one that cannot be evaluated does not keep the others from being known.

    They are not arguments of the task: a text that holds no template stays text, also where native Jinja would make a number of
    it.
    """
    # ansible-core 2.18 has a text that stands for "omit"; later ones leave such values out or raise an error
    omitted = task_vars.get("omit")
    values: dict[str, object] = {}
    problem: SyncError | None = None
    for name in names:
        if prefix + name not in task_vars:
            continue
        try:
            value = _without(omitted, caller._templar.template(task_vars[prefix + name]))
            _check_keys(value, prefix + name)
        except SyncError as error:
            problem = problem or error
        except AnsibleError as error:
            if type(error).__name__ != "AnsibleValueOmittedError":
                problem = problem or _not_evaluated(prefix + name, error)
        else:
            if value is not omitted or value is None:
                values[name] = plain(value, dates=True)
    return RoleVariables(values, problem)


def unknown_variable(
    found: t.Iterable[str], prefix: str, names: t.Collection[str], internal: t.Collection[str], former: t.Mapping[str, str]
) -> SyncError | None:
    """Why the role refuses to run if a variable is most likely a typing error: ignored, it might leave out a guard.

    :param found: variables of the play; those without the prefix are of no interest.
    :param names: the variables of the role, without the prefix.
    :param internal: those that the role itself sets, with the prefix.
    :param former: what to do about those that the role had once, by their names without the prefix.
    """
    known = {prefix + name for name in names}.union(internal)
    for variable in sorted(name for name in found if name.startswith(prefix) and name not in known):
        # without the prefix, which would make all of them alike
        name = variable[len(prefix) :]
        near = difflib.get_close_matches(name, names, 1)
        remedy = f"Did you mean {prefix}{near[0]}?" if near else "The README of the role lists its variables."
        return SyncError("invalid_option", f"{variable} is no variable of the role", former.get(name, remedy))
    return None


def _not_evaluated(name: str, error: AnsibleError) -> SyncError:
    reason = str(error).rstrip(". ")
    return SyncError("invalid_option", f"option {name} cannot be evaluated: {reason}", "Define what it refers to.")


def _without(omitted: object, value: object) -> object:
    if omitted is not None and value == omitted:
        return omitted
    if isinstance(value, collections.abc.Mapping):
        return {key: _without(omitted, item) for key, item in value.items() if omitted is None or item != omitted}
    if isinstance(value, (list, tuple)):
        return [_without(omitted, item) for item in value if omitted is None or item != omitted]
    return value


def _check_keys(value: object, where: str) -> None:
    """Refuse a mapping with a key that is not text: as text, it might be another one.

    :raises SyncError: ``invalid_option``.
    """
    if isinstance(value, collections.abc.Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                text_of(where, key)
            _check_keys(item, f"{where}.{key}")
    elif isinstance(value, list):
        for item in value:
            _check_keys(item, where)


def failed_task_text(task_vars: TaskVariables) -> str:
    """Which task failed, and why, for a task in the ``rescue`` section; of a loop, the first item that failed."""
    task = t.cast("t.Mapping[str, object]", task_vars.get("ansible_failed_task") or {})
    result = t.cast("t.Mapping[str, object]", task_vars.get("ansible_failed_result") or {})
    parts = [task.get("name") or task.get("action") or "a task"]
    # some modules, such as those for packages, return texts of their own under this name
    items = t.cast("t.Sequence[object]", result.get("results") or ())
    for item in items:
        if isinstance(item, collections.abc.Mapping) and item.get("failed"):
            parts += [item["_ansible_item_label"]] if isinstance(item.get("_ansible_item_label"), str) else []
            result = item
            break
    return ": ".join(map(str, (*parts, *_reasons(result))))


def _reasons(result: t.Mapping[str, object]) -> t.Iterator[object]:
    """Why a task failed: its message, and the last line that a command wrote about it."""
    written = str(result.get("stderr") or "").strip().splitlines() if result.get("rc") else []
    message = result.get("msg") or ("failed_when is true" if result.get("failed_when_result") else "")
    yield from (part for part in (message, *written[-1:]) if part)
    if not (message or written):
        yield "it failed"
