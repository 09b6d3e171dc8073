# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A key that somebody ends in the panel while a task works with it."""

from __future__ import annotations

import functools
from typing import Any

from tests.simulator.client import wait_until

from ..conftest import RunModule
from .server import PATH, SYNC, Server

LONG = 600.0  # a sync that does not end by itself within any test

#: on a busy machine, a process may take its time to start
eventually = functools.partial(wait_until, seconds=60.0)


def test_a_sync_whose_key_ends_is_found_again_with_the_new_one(server: Server, start_module: Any, run_module: RunModule) -> None:
    server.knob(sync_seconds=LONG)
    started = start_module(SYNC, server.options())
    eventually(lambda: server.truth()["runs"])
    key = server.control("POST", "/key")["api_token"]
    outcome = started.finish()
    assert outcome.codes == ["auth_failed"]
    assert (outcome.changed, outcome.only["action"], outcome.only["state"]) == (True, "triggered", "unknown")
    assert server.token not in outcome.output
    server.control("POST", "/applications/88/finish")
    handle = outcome.only["handle"]
    login = {"api_url": server.url, "api_token": key}
    found = run_module("sync_wait", {"connections": {"serveravatar": login}, "handles": [handle], "wait_timeout": 60})
    assert not found.failed, found.output
    assert found.only["state"] == "succeeded"
    assert server.sent == [PATH]
