# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every behaviour of the databases: success, failed and missing directions, restarts, and runs that last."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..conftest import RunModule
from .server import COMPLETED, DEFAULTS, INFO, LONG, MADE_UP, SYNC, Case, Server, SideBySide, eventually, failure, unknown_id


def test_success_on_every_database(side_by_side: SideBySide) -> None:
    cases = [{"profile": profile, "gap_seconds": 0.5} for profile in ("touchdb", "pouchdb", "couchdb1", "couchdb2")]
    for outcome in side_by_side([Case(knobs) for knobs in cases]):
        assert not outcome.failed
        assert outcome.only["detail"] == COMPLETED


def test_a_failed_half_is_named(side_by_side: SideBySide, run_module: RunModule, server: Server, tmp_path: Path) -> None:
    cases = [
        ("touchdb", "push", "error"),
        ("touchdb", "pull", "error"),
        ("couchdb2", "push", "failed"),
        ("couchdb1", "pull", "error"),
    ]
    quick = {"flap_seconds": 0.02, "flap_retries": 1}
    knobs = [{**quick, "profile": profile, f"{half}_outcome": "error"} for profile, half, _word in cases]
    options = {"release": "spring", "notifications_url": server.notifications_url}
    outcomes = side_by_side([Case(item, options) for item in knobs])
    for outcome, (_profile, half, word) in zip(outcomes, cases):
        record, other = outcome.only, "pull" if half == "push" else "push"
        assert outcome.failed
        assert outcome.changed
        assert record["state"] == "failed"
        assert failure(outcome)["code"] == "run_failed"
        assert failure(outcome)["message"].startswith(f"{half} failed")
        assert half in record["reason"]
        assert record["detail"][half] == word
        assert record["detail"][other] == "completed"
    # a failed release may be tried again
    server.knob(**DEFAULTS)
    again = run_module(SYNC, server.options(release="spring", ledger_path=str(tmp_path / "ledger0.sqlite3")))
    assert again.only["action"] == "triggered"
    assert not again.failed


def test_an_error_that_passes_is_no_failure(server: Server, run_module: RunModule) -> None:
    server.knob(push_outcome="flapping", flap_end="completed", flap_seconds=0.3, flap_retries=2)
    outcome = run_module(SYNC, server.options(poll_min_interval=0.05, poll_max_interval=0.05))
    assert not outcome.failed
    assert outcome.only["detail"] == COMPLETED
    assert server.posts() == 1


def test_a_database_that_is_down_for_a_moment_is_tolerated(server: Server, start_module: Any) -> None:
    server.knob(push_seconds=1.5)
    started = start_module(SYNC, server.options())
    eventually(server.looks)
    server.knob(db_down=True)
    looks = len(server.looks())
    eventually(lambda: len(server.looks()) >= looks + 2)
    server.knob(db_down=False)
    outcome = started.finish()
    assert not outcome.failed
    assert outcome.only["detail"] == COMPLETED
    assert server.posts() == 1


def test_a_run_waits_for_a_database_that_is_down(server: Server, start_module: Any, run_module: RunModule) -> None:
    """Unlike one of which both directions failed, and for longer than such a failure takes to be believed."""
    server.knob(push_seconds=0.5)
    started = start_module(SYNC, server.options(wait_timeout=4))
    eventually(server.looks)
    server.knob(db_down=True)
    outcome = started.finish()
    assert failure(outcome)["code"] == "timed_out"
    assert outcome.only["state"] == "running"
    assert outcome.changed
    assert "local database of the server is down" in failure(outcome)["message"]
    assert MADE_UP in server.gets()[2:]
    (entry,) = run_module(INFO, {"api_url": server.url, "synchronizers": unknown_id()}).result["synchronizers"]
    assert entry["push"] == "error"
    assert entry["known"] is None
    server.knob(db_down=False)
    resumed = run_module(SYNC, server.options(max_age=3600))
    assert not resumed.failed
    assert server.posts() == 1


def test_two_failed_halves_are_not_blamed_on_the_database(
    side_by_side: SideBySide, server: Server, run_module: RunModule
) -> None:
    (outcome,) = side_by_side([Case({"push_outcome": "error", "pull_outcome": "error"})])
    assert failure(outcome)["code"] == "run_failed"
    assert failure(outcome)["message"].startswith("push and pull failed")
    assert "database is down" not in json.dumps(outcome.only)
    assert outcome.only["polls"] >= 3
    (entry,) = run_module(INFO, {"api_url": server.url, "synchronizers": server.newest()}).result["synchronizers"]
    assert entry["push"] == entry["pull"] == "error"
    assert entry["known"] is True


def test_a_half_that_never_shows_is_lost(side_by_side: SideBySide) -> None:
    cases: list[tuple[dict[str, str], dict[str, Any], str]] = [
        ({"push_outcome": "never"}, {"push": None, "pull": "completed"}, "the push did not show"),
        ({"pull_outcome": "never"}, {"push": "completed", "pull": None}, "the pull did not show"),
        ({"push_outcome": "never", "pull_outcome": "never"}, {"push": None, "pull": None}, "the push and the pull did not show"),
    ]
    outcomes = side_by_side([Case(knobs, {"settle_grace": 0.7}) for knobs, _seen, _said in cases])
    for outcome, (_knobs, seen, reason) in zip(outcomes, cases):
        record = outcome.only
        assert outcome.failed
        assert record["state"] == "unknown"
        assert record["changed_basis"] == "assumed"
        assert failure(outcome)["code"] == "outcome_unknown"
        assert reason in failure(outcome)["message"]
        assert record["detail"] == {"state": None, **seen}
        assert not record["timed_out"]


def test_a_second_sync_that_the_database_ignores_is_lost(server: Server, run_module: RunModule) -> None:
    server.knob(profile="couchdb1", push_seconds=LONG)
    server.started_by_somebody()
    outcome = run_module(SYNC, server.options(settle_grace=0.5))
    assert failure(outcome)["code"] == "outcome_unknown"
    assert "another one is running" in failure(outcome)["hint"]


def test_the_grace_counts_from_the_last_progress(server: Server, run_module: RunModule) -> None:
    """Document, push, gap and pull each take less than the grace, and all together more."""
    server.knob(document_seconds=0.5, push_seconds=0.5, gap_seconds=0.5, pull_seconds=0.5)
    outcome = run_module(SYNC, server.options(settle_grace=1.2))
    assert not outcome.failed
    assert outcome.only["elapsed"] > 1.5


def test_a_restart_of_the_server_between_push_and_pull_is_noticed(server: Server, start_module: Any) -> None:
    server.knob(push_seconds=0.1, gap_seconds=LONG)
    started = start_module(SYNC, server.options(settle_grace=0.7))
    eventually(lambda: server.looks() and server.control("GET", "/synchronizers")["synchronizers"][-1]["push"] == "completed")
    server.control("POST", "/restart")
    outcome = started.finish()
    assert failure(outcome)["code"] == "outcome_unknown"
    assert "restarted" in failure(outcome)["hint"]
    assert "another sync was at work" in failure(outcome)["hint"]


def test_a_stuck_run_times_out_and_is_resumed(server: Server, run_module: RunModule) -> None:
    server.knob(pull_outcome="stuck-triggered")
    first = run_module(SYNC, server.options(wait_timeout=4, release="spring"))
    record = first.only
    assert first.failed
    assert record["timed_out"]
    assert record["state"] == "running"
    assert failure(first)["code"] == "timed_out"
    assert "push completed, pull triggered" in failure(first)["message"]
    assert "pull still runs" in failure(first)["hint"]
    server.settle()
    second = run_module(SYNC, server.options(release="spring"))
    assert second.only["action"] == "skipped"
    assert server.posts() == 1


def test_the_next_run_joins_what_timed_out(server: Server, run_module: RunModule, start_module: Any) -> None:
    server.knob(push_outcome="stuck-triggered")
    tolerant = run_module(SYNC, server.options(wait_timeout=4, on_timeout="warn", release="spring"))
    assert not tolerant.failed
    assert tolerant.changed
    assert tolerant.only["timed_out"]
    assert any("not finished within" in json.dumps(text) for text in tolerant.result["warnings"])
    looks = len(server.looks())
    started = start_module(SYNC, server.options(release="spring"))
    eventually(lambda: len(server.looks()) > looks + 1)
    server.settle()
    joined = started.finish()
    assert joined.only["action"] == "joined"
    assert joined.only["detail"] == COMPLETED
    assert joined.only["handle"] == tolerant.only["handle"]
    assert server.posts() == 1
    assert run_module(SYNC, server.options(release="spring")).only["action"] == "skipped"


def test_a_killed_task_is_resumed_and_never_doubled(server: Server, start_module: Any, run_module: RunModule) -> None:
    server.knob(push_outcome="stuck-triggered")
    started = start_module(SYNC, server.options())
    eventually(server.looks)
    started.kill()
    assert failure(run_module(SYNC, server.options(if_running="fail")))["code"] == "busy"
    server.settle()
    assert not run_module(SYNC, server.options(max_age=60)).changed
    assert server.posts() == 1


def test_check_mode_predicts_the_refusal_after_an_interrupted_trigger(
    server: Server, start_module: Any, run_module: RunModule
) -> None:
    server.simulator.fault("hang", part="plm", method="POST")
    started = start_module(SYNC, server.options())
    eventually(server.posts)
    started.kill()
    predicted = run_module(SYNC, server.options(), check=True)
    outcome = run_module(SYNC, server.options())
    for each in (predicted, outcome):
        assert failure(each)["code"] == "outcome_unknown"
        assert "was interrupted" in failure(each)["message"]
        assert (each.only["action"], each.changed) == ("refused", False)
    assert server.posts() == 1
    assert run_module(SYNC, server.options(), check=True).only["action"] == "would_trigger"
