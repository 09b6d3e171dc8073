# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""plm_storage_sync, plm_storage_sync_info and sync_wait against the emulator of the PLM Media Manager."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.simulator.client import Simulator, wait_until
from tests.simulator.plm.knobs import PlmKnobs

from .conftest import Outcome, RunModule

#: on a busy machine, a process may take its time to start
eventually = functools.partial(wait_until, seconds=60.0)

SYNC, INFO, WAIT = "plm_storage_sync", "plm_storage_sync_info", "sync_wait"
COLLECTION = "/api/media-manager/v0/storage/synchronizers"
MADE_UP = f"{COLLECTION}/$x+y"
EXISTING = r"synchronizers/\$[^x]"
COMPLETED = {"state": "completed", "push": "completed", "pull": "completed"}
#: a sync takes a tenth of a second, where a test does not want another one
DEFAULTS = dataclasses.asdict(PlmKnobs(push_seconds=0.04, gap_seconds=0.03, pull_seconds=0.04))
LONG = 600.0  # a replication that does not end by itself within any test


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["plm"]) as running:
        yield running


class Server:
    """The emulated server as the tests see it."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.url: str = simulator["plm"]["url"]
        self.notifications_url: str = simulator["plm"]["notifications_url"]

    def options(self, **more: Any) -> dict[str, Any]:
        pace = {"poll_min_interval": 0.05, "poll_max_interval": 0.3, "settle_grace": 2, "wait_timeout": 20}
        return {"api_url": self.url, **pace, **more}

    def knob(self, **values: Any) -> None:
        self.simulator.knob("plm", **values)

    def control(self, method: str, path: str, body: object = None) -> Any:
        return self.simulator.control.part("plm", method, path, body)

    def posts(self) -> int:
        """Triggers that reached the server, executed or not."""
        return len(self.simulator.requests(part="plm", method="POST"))

    def accepted(self) -> int:
        return int(self.control("GET", "/synchronizers")["posts"])

    def looks(self) -> list[str]:
        """The paths of the looks taken at synchronizers that exist."""
        return [path for path in self.gets() if path != MADE_UP]

    def gets(self) -> list[str]:
        """The paths of the looks taken at synchronizers, as they were sent; the first is at one that does not exist."""
        entries = self.simulator.requests(part="plm", method="GET", path=COLLECTION)
        return [str(entry["path"]) for entry in entries]

    def started_by_somebody(self) -> str:
        return str(self.control("POST", "/synchronizers")["id"])

    def newest(self) -> str:
        return str(self.control("GET", "/synchronizers")["synchronizers"][-1]["id"])

    def settle(self, **states: str) -> None:
        self.control("POST", "/settle", states)


@pytest.fixture
def server(simulator: Simulator) -> Iterator[Server]:
    """As at the start; and whatever a test does, nothing may be sent that hangs, or that is not documented."""
    simulator.reset()
    server = Server(simulator)
    server.knob(**DEFAULTS)
    yield server
    for entry in simulator.requests(part="plm"):
        path = str(entry["path"])
        form = {"POST": r"/storage/synchronizers", "GET": r"/storage/synchronizers/\$[\w.@&$-]+\+[\w.@&$-]+|/notifications"}
        assert re.search(f"({form[entry['method']]})$", path), entry
        assert entry["body_bytes"] == 0
        assert not entry["authorization"], entry
        assert not entry["error"], entry


@dataclasses.dataclass(frozen=True)
class Case:
    knobs: dict[str, Any] = dataclasses.field(default_factory=dict)
    options: dict[str, Any] = dataclasses.field(default_factory=dict)


class SideBySide(Protocol):
    def __call__(self, cases: list[Case]) -> list[Outcome]:
        """Run modules at the same time."""


@pytest.fixture
def side_by_side(server: Server, start_module: Any, tmp_path: Path) -> SideBySide:
    """One task for each case, all at the same time, each with a ledger of its own; each sends exactly one trigger."""

    def run(cases: list[Case]) -> list[Outcome]:
        started = []
        for number, case in enumerate(cases):
            # a synchronizer takes the knobs of its POST along
            server.knob(**{**DEFAULTS, "duplicates": "independent", **case.knobs})
            ledger = str(tmp_path / f"ledger{number}.sqlite3")
            started.append(start_module(SYNC, server.options(**{"ledger_path": ledger, **case.options})))
            eventually(lambda number=number: server.posts() > number)
        outcomes = [item.finish() for item in started]
        assert server.posts() == len(cases)
        return outcomes

    return run


def failure(outcome: Outcome) -> dict[str, Any]:
    return dict(outcome.only["failure"])


def unknown_id() -> str:
    return f"${uuid.uuid4()}+{uuid.uuid4()}"


# -- the main job ----------------------------------------------------------------------------------------------------


def test_check_mode_looks_at_the_server_and_sends_nothing_else(server: Server, run_module: RunModule, ledger: Path) -> None:
    outcome = run_module(SYNC, server.options(notifications_url=server.notifications_url), check=True)
    assert outcome.changed
    assert outcome.only["action"] == "would_trigger"
    assert outcome.only["changed_basis"] == "predicted"
    assert server.gets() == [MADE_UP]
    assert len(server.simulator.requests(part="plm")) == outcome.result["summary"]["requests"] == 1
    assert not ledger.exists()


def test_a_run_is_triggered_once_and_waited_for(server: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, server.options())
    record = outcome.only
    assert not outcome.failed
    assert outcome.changed
    assert outcome.code == 0
    assert (record["action"], record["state"], record["changed_basis"]) == ("triggered", "succeeded", "assumed")
    assert record["target"] == server.url
    assert record["provider"] == "plm"
    assert record["detail"] == COMPLETED
    assert record["failure"] is None
    assert record["handle"] == {"provider": "plm", "address": server.url, "synchronizer": server.newest()}
    assert record["finished_at"] >= record["started_at"]
    assert server.posts() == server.accepted() == 1
    # the id is sent as it is, and every request is counted
    assert server.gets()[0] == MADE_UP
    assert set(server.looks()) == {f"{COLLECTION}/{server.newest()}"}
    seen = len(server.simulator.requests(part="plm"))
    assert outcome.result["summary"]["requests"] == record["requests"] == seen == record["polls"] + 2


def test_second_run_of_a_release_does_nothing(server: Server, run_module: RunModule) -> None:
    run_module(SYNC, server.options(release="spring"))
    second = run_module(SYNC, server.options(release="spring"))
    assert not second.changed
    assert second.only["action"] == "skipped"
    assert second.only["changed_basis"] == "assumed"
    assert not run_module(SYNC, server.options(max_age=3600)).changed
    assert server.posts() == 1
    for options in ({"release": "spring", "force": True}, {"max_age": 0}):
        predicted = run_module(SYNC, server.options(**options), check=True)
        assert predicted.only["action"] == "would_trigger"
    assert run_module(SYNC, server.options(release="summer")).only["action"] == "triggered"
    assert server.posts() == 2


def test_info(server: Server, run_module: RunModule) -> None:
    known = server.started_by_somebody()
    eventually(lambda: server.control("GET", "/synchronizers")["synchronizers"][-1]["overall"] == "completed")
    outcome = run_module(INFO, {"api_url": server.url, "synchronizer": [known, unknown_id()]})
    first, second = outcome.result["synchronizers"]
    assert first == {"id": known, **COMPLETED, "known": True}
    assert {key: second[key] for key in ("state", "push", "pull", "known")} == dict.fromkeys(("state", "push", "pull", "known"))
    assert not outcome.changed
    assert server.posts() == 0


def test_the_address_may_come_from_the_environment(server: Server, run_module: RunModule) -> None:
    options = {key: value for key, value in server.options().items() if key != "api_url"}
    standalone = server.simulator["plm"]["standalone_url"]
    outcome = run_module(SYNC, options, env={"PLM_MEDIA_MANAGER_URL": standalone + "/"})
    assert outcome.only["state"] == "succeeded"
    assert outcome.only["target"] == standalone


# -- every behaviour of the databases --------------------------------------------------------------------------------


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
    """Unlike one of which both halves failed, and for longer than such a failure takes to be believed."""
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
    for outcome, (_knobs, seen, said) in zip(outcomes, cases):
        record = outcome.only
        assert outcome.failed
        assert record["state"] == "unknown"
        assert record["changed_basis"] == "assumed"
        assert failure(outcome)["code"] == "outcome_unknown"
        assert said in failure(outcome)["message"]
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
    first = run_module(SYNC, server.options(wait_timeout=0.5, release="spring"))
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
    tolerant = run_module(SYNC, server.options(wait_timeout=0.5, on_timeout="warn", release="spring"))
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


# -- a lost answer ---------------------------------------------------------------------------------------------------


LOST = [
    {"kind": "drop_after"},
    {"kind": "status_after", "code": 502},
    {"kind": "status_after", "code": 500, "body": '{"code":"InternalError","message":"something else"}'},
    {"kind": "status_after", "code": 200, "body": '{"status":0}'},
    {"kind": "status_after", "code": 200, "body": '{"status":0,"synchronizer":{"id":"$ee8370c0-be09'},
    {"kind": "delay_after", "seconds": 3.0},
]


def test_a_lost_answer_never_leads_to_a_second_post(server: Server, side_by_side: SideBySide) -> None:
    for fault in LOST:
        server.simulator.fault(**fault, part="plm", method="POST")
    for outcome in side_by_side([Case(options={"settle_grace": 0.3, "request_timeout": 1}) for _fault in LOST]):
        record = outcome.only
        assert outcome.failed
        assert (record["action"], record["state"]) == ("triggered", "unknown")
        assert outcome.changed
        assert record["changed_basis"] == "assumed"
        assert record["handle"] is None
        assert failure(outcome)["code"] == "outcome_unknown"
        assert "Nothing was sent again" in failure(outcome)["hint"]
    assert server.accepted() == len(LOST)


def test_the_published_answer_is_understood_although_it_is_cut(server: Server, run_module: RunModule) -> None:
    """Verbatim: it claims states that a server never has at that time, and lacks its last brace."""
    published = """
    {
      "status": 0,
      "synchronizer": {
        "id": "$ee8370c0-be09-445c-b7f4-4cba853150ed+7980b24b-9735-4ef8-a3d1-ecc3f176f8dc",
        "state": "triggered",
        "push": {
          "id": "$ee8370c0-be09-445c-b7f4-4cba853150ed",
          "state": "completed"
        },
        "pull": {
          "id": "$7980b24b-9735-4ef8-a3d1-ecc3f176f8dc",
          "state": "triggered"
        }
      }
"""
    shown = published.replace('"triggered"', '"completed"') + "    }\n"
    server.simulator.fault("status", part="plm", method="POST", code=200, body=published)
    server.simulator.fault("status", part="plm", method="GET", path_regex=EXISTING, code=200, body=shown)
    outcome = run_module(SYNC, server.options())
    assert not outcome.failed
    assert outcome.only["detail"] == COMPLETED
    assert outcome.only["polls"] == 1
    assert outcome.only["handle"]["synchronizer"].startswith("$ee8370c0-")
    assert server.posts() == 1


@pytest.mark.parametrize("chunked", [False, True])
def test_a_response_that_breaks_off_after_the_id_names_the_run(server: Server, run_module: RunModule, chunked: bool) -> None:
    server.simulator.fault("truncate", part="plm", method="POST", chunked=chunked)
    outcome = run_module(SYNC, server.options())
    assert not outcome.failed
    assert (outcome.only["action"], outcome.only["state"]) == ("triggered", "succeeded")
    assert outcome.only["handle"]["synchronizer"] == server.newest()
    assert server.posts() == server.accepted() == 1


# -- refusals --------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Broken:
    """A server that cannot sync, and how a task says so."""

    code: str
    said: str
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


@pytest.mark.parametrize("case", BROKEN)
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
        assert broken.said in failure(outcome)["message"] + failure(outcome)["hint"]
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
    outcome = run_module(SYNC, server.options())
    assert failure(outcome)["code"] == "redirect_refused"
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


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"synchronizer": "$4f43aabb-9b4d-4337-a953-64f9eaf1e6ec"}, "synchronizer"),
        ({"notifications_url": "ws://operator:hunter2@127.0.0.1:9002/"}, "notifications_url"),
    ],
)
def test_options_that_cannot_work_are_refused(server: Server, run_module: RunModule, options: dict[str, str], named: str) -> None:
    outcome = run_module(SYNC, server.options(**options))
    assert outcome.failed
    assert outcome.result["failure"]["code"] == "invalid_option"
    assert outcome.result["msg"].startswith(f"option {named}:")
    assert "hunter2" not in outcome.result["msg"]
    assert server.simulator.requests(part="plm") == []


def test_info_refuses_what_is_no_id(server: Server, run_module: RunModule) -> None:
    outcome = run_module(INFO, {"api_url": server.url, "synchronizers": ["$a"]})
    assert outcome.failed
    assert outcome.result["failure"]["code"] == "invalid_option"
    assert outcome.result["synchronizers"] == []


# -- runs that are known ---------------------------------------------------------------------------------------------


def test_a_known_run_is_joined_and_none_triggered(server: Server, run_module: RunModule) -> None:
    server.knob(push_seconds=0.5)
    known = server.started_by_somebody()
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
    late = run_module(SYNC, server.options(synchronizer=known, if_running="queue", wait_timeout=0.7))
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


# -- notifications ---------------------------------------------------------------------------------------------------

#: polls so rarely that only a notification can end a pause in time
RARELY = {"poll_min_interval": 15, "poll_max_interval": 15, "wait_timeout": 40, "settle_grace": 60}


def test_a_notification_ends_a_pause(server: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, server.options(**RARELY, notifications_url=server.notifications_url))
    record = outcome.only
    assert not outcome.failed
    assert record["detail"] == COMPLETED
    assert "warnings" not in outcome.result
    assert record["polls"] == 1
    assert record["elapsed"] < 10
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
