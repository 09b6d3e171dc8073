# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests of registered results of tasks that show no targets."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.lockstep.sync.plugins.filter.drift_table import drift_table
from ansible_collections.lockstep.sync.plugins.test import fresh, refused, synced, timed_out

TESTS: dict[str, t.Callable[..., bool]] = {
    name: plugin.TestModule().tests()[name]
    for name, plugin in {"fresh": fresh, "refused": refused, "synced": synced, "timed_out": timed_out}.items()
}
DONE = {
    "changed": True,
    "failed": False,
    "syncs": [{"target": "a.", "action": "skipped", "state": "not_started", "failure": None, "timed_out": False, "detail": {}}],
}
RUNS_ON = {"changed": True, "failed": False, "ansible_job_id": "j1.2", "started": 1, "finished": 0, "results_file": "/x"}
UNREACHABLE = {"unreachable": True, "changed": False, "msg": "Failed to connect to the host via ssh"}


def true_of(value: object) -> list[str]:
    return [name for name, holds in TESTS.items() if holds(value)]


@pytest.mark.parametrize(
    "other", [RUNS_ON, {**RUNS_ON, "finished": False}, UNREACHABLE], ids=["async", "async 2.19", "unreachable"]
)
def test_an_item_of_which_the_end_is_not_known_is_neither_synced_nor_fresh(other: dict[str, t.Any]) -> None:
    assert true_of(DONE) == true_of({"changed": True, "results": [DONE, DONE]}) == ["fresh", "synced"]
    assert true_of(other) == true_of({"changed": True, "results": [DONE, other]}) == []


def test_an_asynchronous_task_that_has_ended_is_what_its_module_returned() -> None:
    ended = {"ansible_job_id": "j1.2", "started": 1, "finished": 1}
    assert true_of({**DONE, **ended}) == ["fresh", "synced"]
    assert true_of({"failed": True, "msg": "could not find job", **ended}) == ["refused"]


@pytest.mark.parametrize(
    "value",
    [
        {"changed": False, "failed": False, "ping": "pong"},
        {"changed": True, "failed": False, "rc": 0, "stdout": "", "stdout_lines": []},
        {"changed": False, "failed": False, "ansible_facts": {}},
        {"changed": False, "failed": False, "synchronizers": [{"id": "$a+b"}]},
        {"changed": False, "results": [{"changed": False, "failed": False, "ping": "pong"}]},
    ],
    ids=["ping", "command", "facts", "other info module", "loop"],
)
def test_the_result_of_another_module_is_an_error(value: object) -> None:
    """``when: result is not lockstep.sync.synced`` would otherwise hold for any result, such as that of a wrong variable."""
    for holds in (*TESTS.values(), drift_table):
        with pytest.raises(AnsibleFilterError, match=r"is no result of a module of lockstep\.sync"):
            holds(value)
