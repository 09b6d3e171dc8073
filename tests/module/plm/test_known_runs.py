# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are known: joined, refused, queued behind, and waited for later."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from ..conftest import RunModule
from .server import COMPLETED, LONG, SYNC, WAIT, Server, eventually, failure, unknown_id


def test_a_known_run_is_joined_and_none_triggered(server: Server, run_module: RunModule) -> None:
    # longer than the check run takes
    server.knob(push_seconds=3.0)
    known = server.started_by_somebody()
    eventually(server.shows_newest)
    predicted = run_module(SYNC, server.options(synchronizer=known), check=True)
    assert predicted.only["action"] == "would_join"
    assert predicted.changed
    assert len(server.gets()) == 1
    outcome = run_module(SYNC, server.options(synchronizer=known))
    assert outcome.changed
    assert outcome.only["action"] == "joined"
    assert outcome.only["state"] == "succeeded"
    assert outcome.only["changed_basis"] == "assumed"
    assert outcome.only["started_at"] is None
    again = run_module(SYNC, server.options(synchronizer=known))
    assert again.only["state"] == "succeeded"
    assert again.only["requests"] == 1
    assert server.posts() == 0


def test_a_known_run_that_shows_nothing_is_refused(server: Server, run_module: RunModule) -> None:
    for check in (True, False):
        for if_running in ("join", "fail", "queue"):
            options = server.options(synchronizer=unknown_id(), settle_grace=0.5, if_running=if_running)
            outcome = run_module(SYNC, options, check=check)
            assert failure(outcome)["code"] == "outcome_unknown"
            assert "never existed" in failure(outcome)["hint"]
            assert (outcome.only["action"], outcome.only["state"], outcome.changed) == ("refused", "not_started", False)
            assert "in flight" not in json.dumps(outcome.result)
    assert server.posts() == 0


def test_a_known_run_in_flight_can_be_refused_or_queued_behind(server: Server, run_module: RunModule) -> None:
    server.knob(push_outcome="stuck-triggered")
    known = server.started_by_somebody()
    refused = run_module(SYNC, server.options(synchronizer=known, if_running="fail"))
    assert failure(refused)["code"] == "busy"
    assert server.posts() == 0
    late = run_module(SYNC, server.options(synchronizer=known, if_running="queue", wait_timeout=4))
    assert failure(late)["code"] == "timed_out"
    assert "still in flight, last seen as triggered (push triggered, pull absent)" in failure(late)["message"]
    assert server.posts() == 0
    server.settle()
    predicted = run_module(SYNC, server.options(synchronizer=known, if_running="fail"), check=True)
    assert predicted.only["action"] == "would_trigger"
    assert "no longer in flight: completed" in predicted.only["reason"]
    server.settle(push="error")
    server.knob(push_outcome="completed")
    queued = run_module(SYNC, server.options(synchronizer=known, if_running="queue"))
    assert queued.only["action"] == "triggered"
    assert queued.only["state"] == "succeeded"
    assert server.posts() == 1


def test_start_now_and_wait_later(server: Server, run_module: RunModule, ledger: Path) -> None:
    server.knob(push_outcome="stuck-triggered")
    started = run_module(SYNC, server.options(wait=False, notifications_url=server.notifications_url, release="spring"))
    handle = started.only["handle"]
    assert started.changed
    assert started.only["state"] == "running"
    assert started.only["polls"] == 0
    looked = run_module(WAIT, {"handles": [handle]}, check=True)
    assert looked.only["action"] == "would_join"
    assert looked.only["state"] == "running"
    server.settle()
    pace = {"poll_min_interval": 0.1, "poll_max_interval": 0.3}
    connections = {"plm": {"api_url": server.url, "notifications_url": server.notifications_url}}
    waited = run_module(WAIT, {"handles": [handle], "connections": connections, **pace})
    assert waited.changed
    assert waited.only["state"] == "succeeded"
    assert waited.only["detail"] == COMPLETED
    assert run_module(SYNC, server.options(release="spring")).only["action"] == "skipped"
    assert server.posts() == 1
    with sqlite3.connect(ledger) as db:
        assert db.execute("SELECT state, release, target FROM runs").fetchall() == [("succeeded", "spring", "storage")]
    db.close()


def test_sync_wait_finds_the_server_by_the_handle_and_refuses_forged_ones(server: Server, run_module: RunModule) -> None:
    known = server.started_by_somebody()
    handle = {"provider": "plm", "address": server.url, "synchronizer": known}
    outcome = run_module(WAIT, {"handles": [handle], "poll_min_interval": 0.1})
    assert outcome.only["state"] == "succeeded"
    assert outcome.only["target"] == server.url
    server.simulator.control.clear()
    forged = run_module(WAIT, {"handles": [{**handle, "synchronizer": "$a+b/../.."}]})
    assert forged.result["failure"]["code"] == "invalid_option"
    assert server.simulator.requests(part="plm") == []


def test_several_runs_at_once_are_waited_for_in_order(
    server: Server, run_module: RunModule, start_module: Any, tmp_path: Path
) -> None:
    server.knob(push_seconds=0.3)
    known = [server.started_by_somebody() for _number in range(3)]
    server.knob(push_outcome="error")
    known.insert(1, server.started_by_somebody())
    server.settle(push="error")
    # in addition, the sync module is given the one that failed, which it reports although it is not to wait
    single = start_module(SYNC, server.options(synchronizer=known[1], wait=False, ledger_path=str(tmp_path / "other.sqlite3")))
    handles = [{"provider": "plm", "address": server.url, "synchronizer": item} for item in known]
    outcome = run_module(WAIT, {"handles": handles, "poll_min_interval": 0.1})
    assert [record["state"] for record in outcome.result["syncs"]] == ["succeeded", "failed", "succeeded", "succeeded"]
    assert [record["handle"]["synchronizer"] for record in outcome.result["syncs"]] == known
    reported = single.finish()
    assert failure(reported)["code"] == "run_failed"
    assert "push failed" in reported.only["reason"]
    assert server.posts() == 0


def test_one_error_in_check_mode_is_no_failure_yet(server: Server, run_module: RunModule) -> None:
    known = server.started_by_somebody()
    server.knob(db_down=True)
    handle = {"provider": "plm", "address": server.url, "synchronizer": known}
    outcome = run_module(WAIT, {"handles": [handle]}, check=True)
    assert not outcome.failed
    assert outcome.only["state"] == "running"


def test_queueing_behind_an_own_run_that_failed_ends_with_a_new_one(server: Server, run_module: RunModule) -> None:
    server.knob(push_seconds=LONG)
    first = run_module(SYNC, server.options(wait=False))
    assert first.only["state"] == "running"
    server.settle(push="error", pull="error")
    server.knob(push_seconds=0.04)
    second = run_module(SYNC, server.options(if_running="queue", wait_timeout=30))
    assert second.only["action"] == "triggered"
    assert second.only["state"] == "succeeded"
