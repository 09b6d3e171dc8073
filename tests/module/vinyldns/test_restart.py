# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VinylDNS server that is restarted while a task waits for a sync; a real one takes 36 s for it.

Provider, lifecycle and HTTP client are those of the module, and the server is the emulator. Only the time is made up: it passes
where the task sleeps.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import run_sync, sync_spec
from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import Context
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.provider import VinylDNS
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.lab import validated

from .server import Server, drifted

#: when the server goes, in seconds after the start of the task
GOES_AT = 10.0
RESTART = 36.0
#: as the options of the module have it
OUTAGE_GRACE = 60.0
CODES = {
    "refused": "connection_failed",
    # its database is restarted, and not the server itself
    500: "server_error",
    502: "server_error",
    503: "server_error",
    504: "server_error",
}
BODIES = {500: "There was an internal server error."}


@pytest.fixture(autouse=True)
def waiting(server: Server) -> None:
    """The sync stays in the queue until the restart is over."""
    drifted(server)
    server.simulator.knob("vinyldns", processing_disabled=True)


@pytest.fixture
def sync(server: Server, tmp_path: Path) -> Callable[[FakeClock], dict[str, Any]]:
    """Runs the task, all the times with the same ledger."""

    def run(clock: FakeClock) -> dict[str, Any]:
        given = server.options(backend=None, ledger=str(tmp_path / "ledger.sqlite3"), max_parallel=1, poll_min_interval=0.5)
        context = Context(clock=clock, rng=random.Random(1), environ={}, given=given)
        return run_sync(VinylDNS, validated(sync_spec(VinylDNS), given), context)

    return run


def go(server: Server, trouble: str | int) -> None:
    if isinstance(trouble, str):
        server.simulator.control.offline("vinyldns")
    else:
        server.simulator.fault("status", part="vinyldns", code=trouble, body=BODIES.get(trouble, "Bad Gateway"), times=None)


def come_back(server: Server) -> None:
    """As restarted: what was queued is worked off."""
    control = server.simulator.control
    control.call("DELETE", "/faults")
    control.online("vinyldns")
    server.simulator.knob("vinyldns", processing_disabled=False)
    control.part("vinyldns", "POST", "/settle", {"timeout": 30})


@pytest.mark.parametrize("trouble", list(CODES))
def test_restart_while_a_sync_is_waited_for_is_waited_out(
    trouble: str | int, server: Server, sync: Callable[[FakeClock], dict[str, Any]]
) -> None:
    clock = FakeClock()
    clock.at(GOES_AT, lambda: go(server, trouble))
    clock.at(GOES_AT + RESTART, lambda: come_back(server))
    result = sync(clock)
    (record,) = result["syncs"]
    assert not result.get("failed") and record["failure"] is None
    assert (record["action"], record["state"], record["changed"]) == ("triggered", "succeeded", True)
    assert record["detail"]["effect"] == {"creates": 1, "updates": 2, "deletes": 1, "complete": True}
    assert record["elapsed"] >= GOES_AT + RESTART
    assert server.posts() == server.accepted() == 1


@pytest.mark.parametrize(("trouble", "code"), list(CODES.items()))
def test_outage_beyond_its_grace_ends_the_wait_and_nothing_else(
    trouble: str | int, code: str, server: Server, sync: Callable[[FakeClock], dict[str, Any]]
) -> None:
    clock = FakeClock()
    clock.at(GOES_AT, lambda: go(server, trouble))
    result = sync(clock)
    (record,) = result["syncs"]
    assert result["failed"] and record["failure"]["code"] == code
    assert (record["action"], record["state"], record["changed"]) == ("triggered", "running", True)
    assert record["handle"]["zone"] == "shop.example." and record["handle"]["change_id"]
    # the first look that fails is one poll after the server has gone at the latest
    assert GOES_AT + OUTAGE_GRACE <= record["elapsed"] <= GOES_AT + OUTAGE_GRACE + 10
    come_back(server)
    assert server.posts() == 1
