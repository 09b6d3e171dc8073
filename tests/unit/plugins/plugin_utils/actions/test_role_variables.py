# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an action plugin of a role reads from the variables of its task."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleUndefinedVariable

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.plugin_utils._actions.role_variables import (
    evaluate_role_variables,
    failed_task_text,
    role_variables,
)

OMIT = "__omit_place_holder__1"


class Templar:
    def template(self, value: object) -> object:
        if value == "{{ missing }}":
            raise AnsibleUndefinedVariable("'missing' is undefined")
        return OMIT if value == "{{ omit }}" else value


class Caller:
    _templar = Templar()


def evaluated(**variables: object) -> tuple[dict[str, object], str]:
    task_vars = {"omit": OMIT, "other": 1, **{f"my_{name}": value for name, value in variables.items()}}
    found = evaluate_role_variables(Caller(), task_vars, "my_", [*variables, "absent"])
    return dict(found.values), found.problem.message if found.problem else ""


def test_values_are_as_they_were_given() -> None:
    given = {"text": "2026.10", "number": 2026.1, "nothing": None, "list": ["a", 1], "mapping": {"a": {"b": True}}}
    assert evaluated(**given) == (given, "")


def test_what_is_omitted_is_not_given() -> None:
    values, problem = evaluated(left_out="{{ omit }}", mapping={"a": OMIT, "b": 1}, list=["a", OMIT])
    assert (values, problem) == ({"mapping": {"b": 1}, "list": ["a"]}, "")


def test_a_variable_that_cannot_be_evaluated_spares_the_others() -> None:
    values, problem = evaluated(a="{{ missing }}", b=1, c="{{ missing }}")
    assert values == {"b": 1}
    assert problem == "option my_a cannot be evaluated: 'missing' is undefined"
    with pytest.raises(SyncError, match="option my_a cannot be evaluated"):
        role_variables(Caller(), {"my_a": "{{ missing }}", "my_b": 1}, "my_", ["a", "b"])
    assert role_variables(Caller(), {"my_b": 1}, "my_", ["a", "b"]) == {"b": 1}


@pytest.mark.parametrize("value", [{1.5: "a"}, {"zones": {2026.1: "a"}}, [{True: "a"}]])
def test_a_key_that_is_not_text_is_refused(value: t.Any) -> None:
    values, problem = evaluated(a=value)
    assert values == {}
    assert problem.startswith("option my_a")
    assert "not text" in problem


def test_the_failed_task_and_its_reason() -> None:
    assert failed_task_text({"ansible_failed_task": {"name": "Sync"}, "ansible_failed_result": {"msg": "no"}}) == "Sync: no"
    results = [{"msg": "fine"}, {"failed": True, "msg": "broken", "_ansible_item_label": "b"}]
    looped = {
        "ansible_failed_task": {"name": "Sync"},
        "ansible_failed_result": {"msg": "One or more items failed", "results": results},
    }
    assert failed_task_text(looped) == "Sync: b: broken"
    assert failed_task_text({}) == "a task: it failed"
