# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules that a role runs know that their results go to it, by their environment."""

from __future__ import annotations

import types
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.plugins.action import ActionBase
from ansible.template import Templar

from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import ROLE_VARIABLE
from ansible_collections.lockstep.sync.plugins.plugin_utils._actions import run_module as under_test


class Looks(ActionBase):  # type: ignore[misc]  # ansible-core ships no types
    """Returns the environment that its module would have."""

    def run(self, tmp: object = None, task_vars: object = None) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self._compute_environment_string(found)
        return found


PROXY = {"HTTPS_PROXY": "http://proxy.example.com"}


@pytest.mark.parametrize(("given", "expected"), [(None, {}), ([PROXY], PROXY), (PROXY, PROXY)])
def test_the_environment_says_so_in_addition_to_that_of_the_task(
    monkeypatch: pytest.MonkeyPatch, given: object, expected: dict[str, str]
) -> None:
    monkeypatch.setattr(under_test, "with_module_defaults", lambda caller, name, options: dict(options))
    task = Task()
    task.environment = given
    loader = DataLoader()
    caller = types.SimpleNamespace(
        _task=task,
        _connection=types.SimpleNamespace(_shell=types.SimpleNamespace(env_prefix=lambda **variables: "")),
        _play_context=None,
        _loader=loader,
        _templar=Templar(loader),
        _shared_loader_obj=types.SimpleNamespace(
            action_loader=types.SimpleNamespace(get=lambda name, **surroundings: Looks(**surroundings))
        ),
    )
    found = under_test.run_module(caller, "role_", "lockstep.sync.plm_storage_sync", {}, {})
    assert found == {ROLE_VARIABLE: "role_", **expected}
    # that of the role's own task is what it was
    assert ROLE_VARIABLE not in str(task.environment)
