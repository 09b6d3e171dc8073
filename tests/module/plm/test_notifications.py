# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notifications end a pause early, and nothing else depends on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ..conftest import RunModule
from .server import COMPLETED, EXISTING, SYNC, Server, eventually, failure

#: polls so rarely that only a notification can end a pause in time
RARELY = {"poll_min_interval": 90, "poll_max_interval": 90, "wait_timeout": 200, "settle_grace": 120}


def test_a_notification_ends_a_pause(server: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, server.options(**RARELY, notifications_url=server.notifications_url))
    record = outcome.only
    assert not outcome.failed
    assert record["detail"] == COMPLETED
    assert "warnings" not in outcome.result
    assert record["polls"] == 1
    assert record["elapsed"] < 60
    subscribed, posted, looked = (
        server.simulator.requests(part="plm", path=path, method=method)[0]["seq"]
        for path, method in (("/notifications$", "GET"), ("synchronizers$", "POST"), (EXISTING, "GET"))
    )
    assert subscribed < posted < looked
    assert server.posts() == 1


def test_only_the_own_run_ends_a_pause_and_the_socket_is_closed(server: Server, start_module: Any) -> None:
    server.knob(push_outcome="stuck-triggered")
    started = start_module(SYNC, server.options(**RARELY, notifications_url=server.notifications_url))
    eventually(server.posts)
    own = server.newest()
    assert server.control("GET", "/notifications")["listeners"] == [["/storage/synchronizers"]]
    server.knob(push_outcome="completed", push_seconds=0.05, pull_seconds=0.05, gap_seconds=0.0)
    other = server.started_by_somebody()
    eventually(lambda: any(frame["event"] == "sync.completed" for frame in server.control("GET", "/notifications")["published"]))
    assert server.newest() == other
    assert server.looks() == []
    server.settle(id=own)
    outcome = started.finish()
    assert outcome.only["polls"] == 1
    assert outcome.only["detail"] == COMPLETED
    eventually(lambda: server.control("GET", "/notifications")["listeners"] == [])
    assert server.control("GET", "/notifications")["crashed"] is False


def test_get_decides_and_not_the_notification(server: Server, run_module: RunModule) -> None:
    """On this database, ``sync.completed`` comes before the end; and it says so after a failure too, see above."""
    server.knob(profile="pouchdb", pull_seconds=0.6)
    early = run_module(SYNC, server.options(notifications_url=server.notifications_url))
    assert not early.failed
    assert early.only["detail"] == COMPLETED
    assert early.only["polls"] > 1
    assert server.posts() == 1


@pytest.mark.parametrize("trouble", ["refused", "redirect", "silent"])
def test_trouble_with_notifications_is_a_warning(server: Server, run_module: RunModule, trouble: str) -> None:
    url = server.notifications_url
    if trouble == "refused":
        url = "ws://127.0.0.1:9/notifications"
    elif trouble == "redirect":
        server.simulator.fault("redirect", part="plm", path_regex="notifications", code=302, location=url)
    else:
        server.simulator.fault("hang", part="plm", path_regex="notifications", times=None)
    outcome = run_module(SYNC, server.options(notifications_url=url, request_timeout=1))
    assert not outcome.failed
    assert outcome.only["detail"] == COMPLETED
    (warning,) = outcome.result["warnings"]
    assert "no notifications from ws://127.0.0.1:" in json.dumps(warning)
    assert server.posts() == 1
    assert len(server.simulator.requests(part="plm", path="notifications")) <= 1


def test_a_server_that_goes_away_while_it_notifies_does_no_harm(server: Server, start_module: Any) -> None:
    server.knob(push_seconds=2.0)
    started = start_module(SYNC, server.options(notifications_url=server.notifications_url))
    eventually(server.looks)
    server.control("POST", "/restart")
    server.settle()
    outcome = started.finish()
    assert not outcome.failed
    assert outcome.only["detail"] == COMPLETED
    assert len(outcome.result["warnings"]) == 1
    assert server.posts() == 1


def test_a_missing_library_is_a_warning(server: Server, run_from_scratch: RunModule, tmp_path: Path) -> None:
    (tmp_path / "websocket.py").write_text("raise ImportError('not here')\n")
    environment = {"PYTHONPATH": str(tmp_path)}
    outcome = run_from_scratch(SYNC, server.options(notifications_url=server.notifications_url), env=environment)
    assert not outcome.failed
    assert "websocket-client" in json.dumps(outcome.result["warnings"])
    assert server.simulator.requests(part="plm", path="notifications") == []
    assert server.posts() == 1
    silent = run_from_scratch(SYNC, server.options(), env=environment)
    assert not silent.failed
    assert "warnings" not in silent.result


def test_sigterm_ends_the_waiting_and_not_the_reporting(server: Server, start_module: Any, tmp_path: Path) -> None:
    server.knob(push_outcome="stuck-triggered")
    report = tmp_path / "report.json"
    started = start_module(SYNC, server.options(notifications_url=server.notifications_url, report_path=str(report)))
    eventually(server.looks)
    outcome = started.terminate()
    assert outcome.failed
    assert failure(outcome)["code"] == "outcome_unknown"
    assert json.loads(report.read_text())["syncs"][0]["handle"]["synchronizer"] == server.newest()
