# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that refuse, redirect or hang."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ..conftest import RunModule
from .server import COMPLETED, EXISTING, INFO, SYNC, Server, failure, unknown_id


@dataclasses.dataclass(frozen=True)
class Broken:
    """A server that cannot sync, and how a task says so."""

    code: str
    reason: str
    status: int | None = None
    knobs: dict[str, Any] = dataclasses.field(default_factory=dict)
    fault: dict[str, Any] | None = None
    url: tuple[str, str] = ("", "")


BROKEN = {
    "down": Broken("connection_failed", "Check api_url"),
    "wrong prefix": Broken("endpoint_missing", "prefix", 404, {"prefix": "/moved/v0"}),
    "no remote": Broken("server_error", "without a remote", 500, {"no_remote": True}, url=("/api/media-manager/v0", "/v0")),
    "desktop application without remote": Broken("connection_failed", "no remote", knobs={"no_remote": True}),
    "never answers": Broken("connection_failed", "no remote", fault={"kind": "hang", "times": None}),
    "database down": Broken("server_error", "local database of the server is down", 200, {"db_down": True}),
}


#: they pass all of the time that they have
SLOW = {"desktop application without remote", "never answers", "database down"}


@pytest.mark.parametrize("case", [pytest.param(case, marks=pytest.mark.long) if case in SLOW else case for case in BROKEN])
def test_check_mode_and_run_see_alike_that_a_server_cannot_sync(server: Server, run_module: RunModule, case: str) -> None:
    broken = BROKEN[case]
    options = server.options(api_url=server.url.replace(*broken.url), release="spring", wait_timeout=4, request_timeout=1)
    assert not run_module(SYNC, options).failed
    server.knob(**broken.knobs)
    if broken.fault:
        server.simulator.fault(**broken.fault, part="plm")
    if case == "down":
        server.simulator.control.offline("plm")
    try:
        done = run_module(SYNC, options)
        outcomes = [run_module(SYNC, {**options, "release": "summer"}, check=check) for check in (True, False)]
        outcomes += [run_module(SYNC, {**options, "force": True}), run_module(SYNC, {**options, "synchronizer": unknown_id()})]
    finally:
        server.simulator.control.online("plm")
    assert (done.failed, done.only["action"]) == (False, "skipped")
    assert (outcomes.pop().only["action"]) == "skipped"
    for outcome in outcomes:
        record = outcome.only
        assert outcome.failed
        assert not outcome.changed
        assert (record["action"], record["state"], record["started_at"]) == ("refused", "not_started", None)
        assert (failure(outcome)["code"], failure(outcome)["http_status"]) == (broken.code, broken.status)
        assert broken.reason in failure(outcome)["message"] + failure(outcome)["hint"]
    assert server.posts() == 1


def test_a_server_that_loses_its_remote_starts_nothing(server: Server, run_module: RunModule) -> None:
    """It was restarted without one after it had been looked at; what it says to the trigger proves that nothing was started."""
    body = '{"code":"InternalError","message":"Cannot read property \'httpStatus\' of undefined"}'
    server.simulator.fault("status", part="plm", method="POST", code=500, body=body)
    outcome = run_module(SYNC, server.options())
    record = outcome.only
    assert outcome.failed
    assert not outcome.changed
    assert (record["action"], record["state"]) == ("refused", "not_started")
    assert failure(outcome)["code"] == "server_error"
    assert failure(outcome)["http_status"] == 500
    assert "remote" in failure(outcome)["hint"]
    assert server.posts() == 1
    assert server.accepted() == 0
    server.knob(no_remote=True)
    standalone = server.simulator["plm"]["standalone_url"]
    info = run_module(INFO, {"api_url": standalone, "synchronizers": unknown_id()})
    assert info.failed
    assert "remote" in info.result["msg"]


def test_a_refused_connection_is_safe_to_repeat(server: Server, run_module: RunModule) -> None:
    server.simulator.control.offline("plm")
    try:
        outcome = run_module(SYNC, server.options(wait_timeout=1))
    finally:
        server.simulator.control.online("plm")
    assert failure(outcome)["code"] == "connection_failed"
    assert not outcome.changed
    assert outcome.only["action"] == "refused"
    assert server.posts() == 0
    assert not run_module(SYNC, server.options()).failed
    assert server.posts() == 1


def test_a_definite_refusal_is_no_run(server: Server, run_module: RunModule) -> None:
    body = '{"status":1,"error_code":4,"error_message":"Request not yet supported."}'
    server.simulator.fault("status", part="plm", method="POST", code=500, body=body)
    outcome = run_module(SYNC, server.options())
    assert failure(outcome)["code"] == "endpoint_missing"
    assert failure(outcome)["http_status"] == 500
    assert "Request not yet supported." in failure(outcome)["message"]
    assert outcome.only["action"] == "refused"
    assert not outcome.changed
    assert server.posts() == 1


def test_a_wrong_prefix_is_named(server: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, server.options(api_url=server.url.replace("/v0", "/v1")))
    assert failure(outcome)["code"] == "endpoint_missing"
    assert "does not exist" in failure(outcome)["message"]
    assert "prefix" in failure(outcome)["hint"]
    assert server.accepted() == 0


def test_a_trigger_is_not_redirected(server: Server, run_module: RunModule) -> None:
    server.simulator.fault("redirect", part="plm", method="POST", code=307, location="/v0/storage/synchronizers")
    outcome = run_module(SYNC, server.options(settle_grace=0.5))
    # it may have been executed before it was redirected
    assert failure(outcome)["code"] == "outcome_unknown"
    assert "is redirected to" in failure(outcome)["message"]
    assert server.posts() == 1
    assert server.accepted() == 0


def test_passing_trouble_while_waiting_is_tolerated(server: Server, run_module: RunModule) -> None:
    for fault in (
        {"kind": "status", "code": 503},
        {"kind": "html"},
        {"kind": "drop_before"},
        {"kind": "status", "code": 500, "body": '{"status":1,"error_code":-1,"error_message":"Unknown error occurred."}'},
    ):
        server.simulator.fault(**fault, part="plm", method="GET", path_regex=EXISTING)
    outcome = run_module(SYNC, server.options())
    assert not outcome.failed
    assert outcome.only["detail"] == COMPLETED
    assert server.posts() == 1


def test_a_look_that_hangs_is_given_up(server: Server, run_module: RunModule) -> None:
    server.simulator.fault("hang", part="plm", method="GET", path_regex=EXISTING)
    outcome = run_module(SYNC, server.options(request_timeout=0.3))
    assert not outcome.failed
    assert server.posts() == 1
