# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in flight, how they end, and waiting for them."""

from __future__ import annotations

from typing import Any

from tests.simulator.client import wait_until

from ..conftest import RunModule
from .server import PATH, SYNC, Server

# -- runs in flight --------------------------------------------------------------------------------------------------


def test_a_run_that_somebody_else_started_is_joined(server: Server, run_module: RunModule, start_module: Any) -> None:
    server.knob(sync_outcome="never")
    server.control("POST", "/applications/88/sync")
    assert run_module(SYNC, server.options(), check=True).only["action"] == "would_join"
    assert run_module(SYNC, server.options(if_running="fail")).codes == ["busy"]
    server.simulator.clear()
    process = start_module(SYNC, server.options())
    wait_until(lambda: server.looks() >= 3, 30)
    server.finish()
    outcome = process.finish()
    assert (outcome.failed, outcome.changed) == (False, True)
    assert (outcome.only["action"], outcome.only["state"]) == ("joined", "succeeded")
    assert server.sent == []


def test_a_run_that_somebody_else_started_can_be_queued_behind(server: Server, start_module: Any) -> None:
    server.knob(applications={"88": {"sync_outcome": "never"}})
    server.control("POST", "/applications/88/sync")
    server.knob(applications={})
    process = start_module(SYNC, server.options(if_running="queue"))
    wait_until(lambda: server.looks() >= 3, 30)
    assert server.sent == []
    server.finish()
    outcome = process.finish()
    assert (outcome.only["action"], outcome.only["state"]) == ("triggered", "succeeded")
    assert server.sent == [PATH]
    assert [run["source"] for run in server.truth()["runs"]] == ["control", "api"]


def test_a_run_that_does_not_show_yet_is_joined_after_the_busy_answer(server: Server, start_module: Any) -> None:
    server.knob(sync_outcome="never", status_row="frozen")
    server.control("POST", "/applications/88/sync")
    process = start_module(SYNC, server.options(settle_grace=20))
    wait_until(lambda: server.sent, 30)
    server.control("PUT", "/applications/88/row", {"status": "in_progress", "percent": 40})
    looks = server.looks()
    wait_until(lambda: server.looks() >= looks + 2, 30)
    server.control("PUT", "/applications/88/row", {"status": "completed", "percent": 100})
    outcome = process.finish()
    assert (outcome.only["action"], outcome.only["state"]) == ("joined", "succeeded")
    assert server.sent == [PATH]
    assert server.accepted == 0


def test_another_process_is_queued_behind(server: Server, run_module: RunModule) -> None:
    server.control("POST", "/applications/88/busy", {"seconds": 1})
    outcome = run_module(SYNC, server.options(if_running="queue", poll_max_interval=0.5))
    assert (outcome.only["action"], outcome.only["state"]) == ("triggered", "succeeded")
    assert server.accepted == 1


def test_another_process_that_never_shows_cannot_be_joined(server: Server, run_module: RunModule) -> None:
    server.control("POST", "/applications/88/busy", {"seconds": 60})
    outcome = run_module(SYNC, server.options(settle_grace=0.5))
    assert (outcome.codes, outcome.only["action"]) == (["busy"], "refused")
    assert server.sent == [PATH]


def test_two_tasks_at_once_trigger_once(server: Server, start_module: Any) -> None:
    def looks_of_each() -> list[int]:
        connections = [entry["connection"] for entry in server.simulator.requests(path=r"/88/status$")]
        return sorted(map(connections.count, set(connections)))

    server.knob(sync_outcome="never")
    started = [start_module(SYNC, server.options()) for _task in range(2)]
    wait_until(lambda: server.accepted and len(looks_of_each()) == 2 and looks_of_each()[0] >= 3, 30)
    server.finish()
    outcomes = [process.finish() for process in started]
    assert [outcome.failed for outcome in outcomes] == [False, False]
    assert {outcome.only["action"] for outcome in outcomes} == {"triggered", "joined"}
    assert server.accepted == len(server.sent) == 1


# -- how a run ends --------------------------------------------------------------------------------------------------


def test_a_row_that_never_moves_is_not_a_success(server: Server, run_module: RunModule) -> None:
    server.knob(status_row="frozen")
    outcome = run_module(SYNC, server.options(settle_grace=0.5, release="r1"))
    record = outcome.only
    assert (outcome.failed, outcome.changed) == (False, True)
    assert (record["action"], record["state"], record["changed_basis"]) == ("triggered", "unknown", "assumed")
    assert "completion not observable" in record["reason"]
    assert "completion not observable" in outcome.warnings
    assert outcome.result["summary"]["succeeded"] == 0
    assert (server.accepted, server.truth()["production"]) == (1, "release-2")
    strict = run_module(SYNC, server.options("blog", settle_grace=0.5, if_unobservable="fail"))
    assert (strict.failed, strict.codes, strict.only["state"]) == (True, ["outcome_unknown"], "unknown")
    assert server.accepted == len(server.sent) == 2


def test_a_run_that_is_over_before_the_first_look(server: Server, run_module: RunModule) -> None:
    server.knob(sync_seconds=0, applications={"90": {"status_row": "stamp_only"}})
    # dates of rows have whole seconds, and this one is of the very second in which it is run again
    server.control("PUT", "/applications/92/row", {"updated_ago": 0})
    outcome = run_module(SYNC, server.options(["shop", "blog", "support"]))
    for record in outcome.result["syncs"]:
        assert (record["state"], record["changed_basis"]) == ("succeeded", "observed")
    assert server.accepted == 3


def test_a_row_that_moves_late_is_waited_for(server: Server, run_module: RunModule) -> None:
    server.knob(sync_seconds=0.8, status_row_delay=0.5)
    assert run_module(SYNC, server.options()).only["state"] == "succeeded"
    assert server.accepted == 1


def test_a_failed_run_is_reported_and_may_be_tried_again(server: Server, run_module: RunModule) -> None:
    server.knob(sync_outcome="failure")
    outcome = run_module(SYNC, server.options(release="r1"))
    record = outcome.only
    assert (outcome.failed, outcome.changed, record["state"], record["changed_basis"]) == (True, True, "failed", "assumed")
    assert (record["failure"]["code"], "Staging area failed" in record["failure"]["message"]) == ("run_failed", True)
    assert record["detail"]["status"]["state"] == "staging_area_failed"
    server.knob(sync_outcome="success")
    again = run_module(SYNC, server.options(release="r1"))
    assert (again.only["action"], again.only["state"]) == ("triggered", "succeeded")


def test_words_that_are_not_known_can_be_taught(server: Server, run_module: RunModule) -> None:
    server.knob(status_success="live", percent_success=50, status_running="copying")
    server.control("PUT", "/applications/88/row", {"status": "live", "display": "Live", "percent": 50})
    outcome = run_module(SYNC, server.options(wait_timeout=5))
    assert (outcome.only["action"], outcome.codes) == ("joined", ["timed_out"])
    assert "status_patterns" in outcome.only["failure"]["hint"]
    assert server.sent == []
    taught = run_module(SYNC, server.options(status_patterns={"success": "^live$"}))
    assert (taught.only["action"], taught.only["state"]) == ("triggered", "succeeded")


def test_bad_options_are_named(server: Server, run_module: RunModule) -> None:
    for more, word in (
        ({"status_patterns": {"success": "("}}, "status_patterns.success"),
        ({"organization": " "}, "organization"),
    ):
        outcome = run_module(SYNC, server.options(**more))
        assert outcome.result["failure"]["code"] == "invalid_option"
        assert word in outcome.result["msg"]
    assert server.simulator.requests() == []


def test_a_time_out_is_resumed_by_sync_wait(server: Server, run_module: RunModule) -> None:
    server.knob(sync_outcome="never")
    outcome = run_module(SYNC, server.options(wait_timeout=4))
    record = outcome.only
    assert (outcome.failed, outcome.codes, record["timed_out"], record["state"]) == (True, ["timed_out"], True, "running")
    assert (record["changed"], record["changed_basis"]) == (True, "assumed")
    environment = {"SERVERAVATAR_API_TOKEN": server.token, "SERVERAVATAR_API_URL": server.url}
    looked = run_module("sync_wait", {"handles": [record["handle"]]}, check=True, env=environment)
    assert (looked.only["action"], looked.only["state"]) == ("would_join", "running")
    server.finish()
    waited = run_module("sync_wait", {"handles": [record["handle"]]}, env=environment)
    assert (waited.failed, waited.only["target"], waited.only["state"]) == (False, "shop", "succeeded")
    assert (waited.only["action"], waited.only["provider"]) == ("joined", "serveravatar")
    assert server.sent == [PATH]


def test_a_time_out_is_resumed_by_the_next_run(server: Server, run_module: RunModule, start_module: Any) -> None:
    server.knob(sync_outcome="never")
    options = server.options(release="r1")
    first = run_module(SYNC, {**options, "wait_timeout": 4, "on_timeout": "warn"})
    assert (first.failed, first.codes, first.changed) == (False, ["timed_out"], True)
    assert "not finished within" in first.warnings
    server.simulator.clear()
    process = start_module(SYNC, options)
    wait_until(lambda: server.looks() >= 3, 30)
    server.finish()
    second = process.finish()
    assert (second.failed, second.only["action"], second.only["state"]) == (False, "joined", "succeeded")
    third = run_module(SYNC, options)
    assert (third.only["action"], third.changed) == ("skipped", False)
    assert (server.sent, server.accepted) == ([], 1)


def test_not_waiting_and_waiting_later_for_several(server: Server, run_module: RunModule) -> None:
    server.knob(applications={"90": {"sync_outcome": "failure"}})
    started = run_module(SYNC, server.options(["shop", "blog"], wait=False, release="r1"))
    assert [record["state"] for record in started.result["syncs"]] == ["running", "running"]
    handles = [record["handle"] for record in started.result["syncs"]]
    options = {"handles": handles, "connections": {"serveravatar": server.login}, "poll_min_interval": 0.1}
    waited = run_module("sync_wait", options)
    assert [record["state"] for record in waited.result["syncs"]] == ["succeeded", "failed"]
    assert waited.codes == [None, "run_failed"]
    assert len(server.sent) == 2
    again = run_module(SYNC, server.options(["shop"], release="r1"))
    assert again.only["action"] == "skipped"


def test_sync_wait_reports_what_cannot_be_observed(server: Server, run_module: RunModule) -> None:
    server.knob(status_row="frozen")
    handle = run_module(SYNC, server.options(wait=False)).only["handle"]
    options = {"handles": [handle], "settle_grace": 0.4, "poll_min_interval": 0.1}
    waited = run_module("sync_wait", {**options, "connections": {"serveravatar": server.login}})
    assert (waited.failed, waited.only["state"], "not observable" in waited.warnings) == (False, "unknown", True)
    strict = run_module("sync_wait", {**options, "connections": {"serveravatar": {**server.login, "if_unobservable": "fail"}}})
    assert strict.codes == ["outcome_unknown"]


def test_sync_wait_never_sends_the_token_elsewhere(server: Server, run_module: RunModule) -> None:
    handle = {**run_module(SYNC, server.options(wait=False)).only["handle"], "address": "http://127.0.0.1:9"}
    outcome = run_module("sync_wait", {"handles": [handle], "connections": {"serveravatar": server.login}})
    assert outcome.result["failure"]["code"] == "invalid_option"
    assert "127.0.0.1:9" in outcome.result["msg"]


def test_a_killed_task_is_resumed_and_never_triggers_twice(server: Server, run_module: RunModule, start_module: Any) -> None:
    server.knob(sync_outcome="never")
    process = start_module(SYNC, server.options(release="r1"))
    wait_until(lambda: server.looks() >= 2, 30)
    process.kill()
    assert run_module(SYNC, server.options(release="r1"), check=True).only["action"] == "would_join"
    server.finish()
    outcome = run_module(SYNC, server.options(release="r1"))
    assert (outcome.failed, outcome.changed, outcome.only["action"]) == (False, False, "skipped")
    assert server.sent == [PATH]
