# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that is restarted while the module waits, in real time: a real one takes 36 s (docs/reference/vinyldns.md#1.5).

The short form is in ``test_restart.py``, on a clock that is made up.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.simulator.client import Simulator

from ..conftest import RunModule
from .server import Server, drifted, wait_until

pytestmark = pytest.mark.long

RESTART = 36.0
ERROR = "There was an internal server error."


def refuse_connections(simulator: Simulator) -> Callable[[], None]:
    simulator.control.offline("vinyldns")
    return lambda: simulator.control.online("vinyldns")


def lose_the_database(simulator: Simulator) -> Callable[[], None]:
    simulator.fault("status", part="vinyldns", code=500, body=ERROR, times=None)
    return lambda: simulator.control.call("DELETE", "/faults")


@pytest.mark.parametrize("begin", [refuse_connections, lose_the_database])
def test_restart_of_the_server_is_waited_out(
    begin: Callable[[Simulator], Callable[[], None]],
    server: Server,
    simulator: Simulator,
    run_module: RunModule,
    start_module: Any,
) -> None:
    drifted(server)
    # the sync stays in the queue until the restart is over
    simulator.knob("vinyldns", processing_disabled=True)
    process = start_module("vinyldns_zone_sync", server.options(wait_timeout=300))
    wait_until(lambda: server.accepted() == 1)
    end = begin(simulator)
    time.sleep(RESTART)
    end()
    simulator.knob("vinyldns", processing_disabled=False)
    outcome = process.finish()
    assert not outcome.failed and outcome.only["failure"] is None
    assert (outcome.only["action"], outcome.only["state"]) == ("triggered", "succeeded")
    assert outcome.only["detail"]["fidelity"] == "exact" and outcome.only["elapsed"] >= RESTART
    assert server.posts() == server.accepted() == 1
    second = run_module("vinyldns_zone_sync", server.options())
    assert second.only["action"] == "skipped" and server.posts() == 1
