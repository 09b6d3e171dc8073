# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which process and which user own the locks of a promotion."""

from __future__ import annotations

import json
import os
import signal

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._state.process import ProcessIdentity
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.owner import Owner, this_user
from tests.unit.plugins.support.processes import NewProcess
from tests.unit.plugins.support.promotion_users import name_owner_in_worker, outlive_parent


def test_the_owner_is_this_process_or_the_one_that_it_works_for() -> None:
    assert Owner.current() == Owner.of_playbook() == Owner(ProcessIdentity.current(), this_user())
    assert Owner.of_playbook("job 17").label == "job 17"


def test_the_owner_of_a_worker_is_the_process_that_started_it() -> None:
    process = NewProcess(name_owner_in_worker)
    assert json.loads(process.line()) == json.loads(ProcessIdentity.of(process.pid).to_json())
    process.end()


def test_a_worker_whose_parent_was_killed_owns_nothing() -> None:
    process = NewProcess(outlive_parent)
    assert process.line() == "waiting"
    os.kill(process.pid, signal.SIGKILL)
    assert process.line() == "busy"
    process.end()


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", missing)
    monkeypatch.setattr("socket.gethostname", lambda: "here")
    assert this_user() == f"{os.getuid()}@here"
