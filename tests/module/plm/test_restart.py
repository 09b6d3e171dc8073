# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restart of a PLM Media Manager while a task waits, and announcements that come as late as those of a real server."""

from __future__ import annotations

from typing import Any

import pytest

from ..conftest import RunModule
from .server import COMPLETED, LONG, SYNC, Server, eventually, failure

#: seconds that are enough for a restart, on a busy machine too
PATIENT = {"wait_timeout": 60}


def states(server: Server) -> dict[str, Any]:
    """Those of the newest synchronizer."""
    rows = server.control("GET", "/synchronizers")["synchronizers"]
    return dict(rows[-1]) if rows else {}


@pytest.mark.parametrize("notified", [False, True])
def test_waiting_survives_a_restart_of_the_server(server: Server, start_module: Any, notified: bool) -> None:
    """Connections are refused for three seconds; the replication goes on in the database."""
    server.knob(push_seconds=0.05, pull_seconds=LONG)
    more = {"notifications_url": server.notifications_url} if notified else {}
    started = start_module(SYNC, server.options(**PATIENT, **more))
    eventually(lambda: states(server).get("pull") == "triggered" and server.looks())
    server.control("POST", "/restart")
    server.settle()
    outcome = started.finish()
    assert not outcome.failed, outcome.output
    assert (outcome.only["detail"], outcome.only["elapsed"] > 3.0) == (COMPLETED, True)
    assert server.posts() == 1


def test_a_restart_during_the_push_loses_the_pull(server: Server, start_module: Any) -> None:
    """The server that was restarted does not know that a pull has to follow."""
    server.knob(push_seconds=4.0)
    started = start_module(SYNC, server.options(**PATIENT, settle_grace=1))
    eventually(lambda: states(server).get("push") == "triggered" and server.looks())
    server.control("POST", "/restart")
    outcome = started.finish()
    assert outcome.codes == ["outcome_unknown"]
    assert outcome.only["detail"] == {"state": None, "push": "completed", "pull": None}
    assert "restarted" in failure(outcome)["hint"]
    assert server.posts() == 1


def test_a_late_announcement_delays_nothing(server: Server, run_module: RunModule) -> None:
    """A real server announces the end up to 15 s late; the task looks for itself."""
    server.knob(push_seconds=0.05, gap_seconds=0.05, pull_seconds=0.05, announce_seconds=LONG)
    outcome = run_module(SYNC, server.options(**PATIENT, notifications_url=server.notifications_url))
    assert not outcome.failed, outcome.output
    assert outcome.only["detail"] == COMPLETED
    events = [frame["event"] for frame in server.control("GET", "/notifications")["published"]]
    assert events == ["sync.started"]
    assert server.posts() == 1


@pytest.mark.parametrize("profile", ["touchdb", "couchdb1"])
def test_the_pause_of_the_server_between_push_and_pull_is_no_loss(server: Server, run_module: RunModule, profile: str) -> None:
    """The server sees the end of the push at its own next look; until then the pull has no state."""
    server.knob(profile=profile, push_seconds=0.9, pull_seconds=0.05, gap_seconds=None, poll_seconds=0.4)  # seen after 1.2 s
    outcome = run_module(SYNC, server.options(**PATIENT, settle_grace=30))
    assert not outcome.failed, outcome.output
    assert outcome.only["detail"] == COMPLETED
    assert server.posts() == 1
