# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""serveravatar_staging_sync, serveravatar_staging_info and sync_wait against the ServerAvatar emulator.

What counts is what the server saw: how many requests that change something, and how many runs it began.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.client import Simulator, wait_until

from .conftest import RunModule

SYNC = "serveravatar_staging_sync"
PATH = "/organizations/5/servers/15/applications/88/sync"
DISK = "Staging site sync is failed because you do not have enough disk space available on your {} server!"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["serveravatar"]) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(simulator: Simulator) -> None:
    simulator.reset()


class Server:
    """The emulated service as the tests see it."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        info = simulator["serveravatar"]
        self.url: str = info["url"]
        self.token: str = info["api_token"]
        self.login = {"api_url": self.url, "api_token": self.token}
        self.place = {**self.login, "organization": "5", "server": "15"}

    def options(self, applications: Any = "shop", **more: Any) -> dict[str, Any]:
        return {**self.place, "applications": applications, "settle_grace": 5, "poll_min_interval": 0.1, **more}

    def knob(self, **values: Any) -> None:
        self.simulator.knob("serveravatar", **values)

    def fault(self, kind: str, application: int = 88, **rule: Any) -> None:
        """Something happens to the next trigger for an application."""
        path = f"/applications/{application}/sync"
        self.simulator.fault(kind, part="serveravatar", request_kind="mutate", path_regex=path, **rule)

    def add(self, count: int) -> dict[int, str]:
        """More applications with staging areas, by id."""
        made = self.control("POST", "/applications", {"count": count})["applications"]
        return {each["id"]: each["name"] for each in made}

    def control(self, method: str, path: str, body: object = None) -> Any:
        return self.simulator.control.part("serveravatar", method, path, body)

    def finish(self) -> None:
        """Whatever keeps the shop busy ends well."""
        self.control("POST", "/applications/88/finish")

    def looks(self) -> int:
        """How often somebody looked at the status row of the shop."""
        return len(self.simulator.requests(path=r"/88/status$"))

    def truth(self, application: int = 88) -> dict[str, Any]:
        found: dict[str, Any] = self.control("GET", f"/applications/{application}")
        return found

    @property
    def accepted(self) -> int:
        """Syncs that the API began."""
        return int(self.control("GET", "/truth")["syncs_accepted"])

    @property
    def sent(self) -> list[str]:
        """Requests that change something."""
        return [entry["path"] for entry in self.simulator.requests(kind="mutate")]


@pytest.fixture
def server(simulator: Simulator) -> Server:
    return Server(simulator)


# -- the main job ----------------------------------------------------------------------------------------------------


def test_check_mode_predicts_and_sends_no_mutating_get(server: Server, run_module: RunModule, ledger: Path) -> None:
    outcome = run_module(SYNC, server.options(), check=True, diff=True)
    record = outcome.only
    assert (outcome.failed, outcome.changed) == (False, True)
    assert (record["action"], record["changed_basis"], record["state"]) == ("would_trigger", "predicted", "not_started")
    assert record["detail"]["staging"]["application"] == "stagingareatest"
    assert server.sent == []
    assert {entry["method"] for entry in server.simulator.requests()} == {"GET"}
    assert not ledger.exists()


def test_the_first_run_overwrites_production_once_and_the_second_does_nothing(server: Server, run_module: RunModule) -> None:
    first = run_module(SYNC, server.options(release="2026.11"))
    record = first.only
    assert (first.failed, first.changed) == (False, True)
    assert [record[key] for key in ("target", "action", "state", "changed_basis")] == [
        "shop",
        "triggered",
        "succeeded",
        "observed",
    ]
    assert record["finished_at"] >= record["started_at"]
    assert record["detail"]["status"]["percent"] == 100
    assert record["failure"] is None
    assert server.sent == [PATH]
    truth = server.truth()
    assert (truth["production"], len(truth["overwritten"])) == ("release-2", 1)
    second = run_module(SYNC, server.options(release="2026.11"))
    assert (second.failed, second.changed, second.only["action"]) == (False, False, "skipped")
    assert second.only["changed_basis"] == "assumed"
    assert server.sent == [PATH]
    third = run_module(SYNC, server.options(release="2026.12"), check=True)
    assert third.only["action"] == "would_trigger"


def test_a_name_a_domain_and_an_id_are_one_target(server: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, server.options(["88", "shop", "SHOP.test"], release="r1"))
    assert [record["target"] for record in outcome.result["syncs"]] == ["shop"] * 3
    assert [record["action"] for record in outcome.result["syncs"]] == ["triggered", "skipped", "skipped"]
    by_name = {"organization": "Lockstep Demo", "server": "production"}
    by_address = {"organization": "Lockstep Demo", "server": "54.90.174.225", "auth_scheme": "bearer"}
    for place in (by_name, by_address):
        again = run_module(SYNC, server.options("shop", release="r1", **place))
        assert again.only["action"] == "skipped"
    assert server.sent == [PATH]


def test_requests_are_counted_exactly(server: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, server.options(["shop", "90", "nope"], organization="Lockstep Demo", server="production"))
    seen = len(server.simulator.requests())
    assert outcome.result["summary"]["requests"] == sum(record["requests"] for record in outcome.result["syncs"]) == seen


def test_max_age_goes_by_the_ledger(server: Server, run_module: RunModule) -> None:
    # the row says that something succeeded lately, which may have been the making of the staging area
    server.control("PUT", "/applications/88/row", {"updated_ago": 5})
    assert run_module(SYNC, server.options(max_age=3600)).only["action"] == "triggered"
    again = run_module(SYNC, server.options(max_age=3600))
    assert (again.only["action"], again.only["changed_basis"]) == ("skipped", "assumed")
    assert run_module(SYNC, server.options(max_age=3600, force=True), check=True).only["action"] == "would_trigger"
    assert run_module(SYNC, server.options(max_age=0), check=True).only["action"] == "would_trigger"
    assert server.accepted == 1


def test_many_applications_keep_their_order(server: Server, run_module: RunModule, tmp_path: Path) -> None:
    made = server.add(60)
    names = list(made.values())
    server.knob(applications={str(list(made)[7]): {"sync_answer": "disk_staging"}}, sync_seconds=0.05)
    report = tmp_path / "report.json"
    outcome = run_module(SYNC, server.options(names, max_parallel=16, report_path=str(report)))
    assert [record["target"] for record in outcome.result["syncs"]] == names
    assert [index for index, code in enumerate(outcome.codes) if code] == [7]
    assert outcome.codes[7] == "disk_full"
    assert (outcome.failed, outcome.changed) == (True, True)
    assert outcome.result["summary"]["succeeded"] == server.accepted == 59
    assert len(server.sent) == 60
    # the lists are asked for once, not once for each
    assert len(server.simulator.requests(path=r"/applications(\?|$)")) == 14
    assert len(json.loads(report.read_text())["syncs"]) == 60


@pytest.mark.parametrize(
    ("place", "applications", "words"),
    [
        ({"organization": "Unknown"}, ["shop"], ["option organization"]),
        ({"organization": "99"}, ["88"], ["Organization not found!"]),
        ({"server": "99"}, ["88"], ["Server not found!"]),
        ({"server": "16"}, ["88", "intranet", "report"], ["Application not found!", "'intranet'", "Did you mean reports"]),
    ],
)
def test_what_cannot_be_found(
    server: Server, run_module: RunModule, place: dict[str, str], applications: list[str], words: list[str]
) -> None:
    outcome = run_module(SYNC, server.options(applications, **place), check=True)
    assert outcome.failed
    assert outcome.codes == ["not_found"] * len(words)
    for record, word in zip(outcome.result["syncs"], words, strict=True):
        assert word in f"{record['failure']['message']} {record['failure']['hint']}"
    assert server.sent == []


# -- access ----------------------------------------------------------------------------------------------------------


def test_a_wrong_token_is_explained(server: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, server.options(["shop", "blog", "support"], api_token="wrong"))
    assert outcome.codes == ["auth_failed"] * 3
    assert "API access" in outcome.result["msg"]
    assert "auth_scheme" in outcome.result["msg"]
    assert server.sent == []


def test_the_token_may_come_from_the_environment(server: Server, run_module: RunModule) -> None:
    environment = {"SERVERAVATAR_API_TOKEN": server.token, "SERVERAVATAR_API_URL": server.url}
    options = {key: value for key, value in server.options().items() if key not in environment and not key.startswith("api_")}
    assert run_module(SYNC, options, check=True, env=environment).only["action"] == "would_trigger"


def test_the_token_is_nowhere_at_the_highest_verbosity(server: Server, environment: dict[str, str], tmp_path: Path) -> None:
    report, ledger = tmp_path / "report.json", Path(environment["LOCKSTEP_LEDGER"])
    options = server.options(["shop", "nope"], auth_scheme="bearer", release="r1", report_path=str(report))
    server.fault("drop_after")
    command = [Path(sys.executable).with_name("ansible"), "localhost", "-vvvv", "-m", f"lockstep.sync.{SYNC}"]
    done = subprocess.run(
        [*command, "-a", json.dumps(options)],
        env={**environment, "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=tmp_path,
    )
    assert '"action": "triggered"' in done.stdout, done.stdout + done.stderr
    left = "".join([done.stdout, done.stderr, report.read_text(), ledger.read_bytes().decode("latin-1")])
    assert server.token not in left
    assert "redis" not in left
    assert oct(report.stat().st_mode & 0o777) == oct(ledger.stat().st_mode & 0o777) == "0o600"
    assert server.accepted == 1


# -- every documented response of the sync ---------------------------------------------------------------------------

RESPONSES = [
    ("permission", "permission_denied", "You cannot perform this action!", "role"),
    ("permission_support", "permission_denied", "You cannot perform this action, Please contact support!", "contact its support"),
    ("staging_server", "not_found", "Staging server not found!", "server of the staging area"),
    ("staging_application", "not_found", "Staging application not found!", "copy in the staging area"),
    ("staging_database", "not_found", "Staging database not found!", "database of the staging area"),
    ("disk_staging", "disk_full", DISK.format("staging"), "Free disk space on the staging server"),
    ("disk_production", "disk_full", DISK.format("production"), "Free disk space on the production server"),
    ("busy", "busy", "Please wait another process already running!", "if_running"),
]


def test_documented_refusals(server: Server, run_module: RunModule) -> None:
    made = server.add(len(RESPONSES))
    server.knob(applications={str(each): {"sync_answer": row[0]} for each, row in zip(made, RESPONSES, strict=True)})
    outcome = run_module(SYNC, server.options(list(made.values()), if_running="fail"))
    assert (outcome.failed, outcome.changed) == (True, False)
    for record, (_answer, code, text, hint) in zip(outcome.result["syncs"], RESPONSES, strict=True):
        assert (record["action"], record["state"], record["handle"]) == ("refused", "not_started", None)
        assert (record["failure"]["code"], record["failure"]["message"]) == (code, text)
        assert hint in record["failure"]["hint"]
    assert outcome.result["summary"]["refused"] == outcome.result["summary"]["failed"] == len(RESPONSES)
    assert len(server.sent) == len(RESPONSES)
    assert server.accepted == 0


def test_a_refused_release_can_be_tried_again(server: Server, run_module: RunModule) -> None:
    server.knob(sync_answer="disk_production", drifted_texts=True)
    assert run_module(SYNC, server.options(release="r1")).codes == ["disk_full"]
    server.knob(sync_answer="auto")
    assert run_module(SYNC, server.options(release="r1")).only["action"] == "triggered"


def test_a_generic_error_may_come_before_or_after_the_start(server: Server, run_module: RunModule) -> None:
    server.knob(applications={"88": {"sync_answer": "error_before"}, "90": {"sync_answer": "error_after"}})
    outcome = run_module(SYNC, server.options(["shop", "blog"], settle_grace=1))
    before, after = outcome.result["syncs"]
    assert (before["failure"]["code"], before["state"], before["changed_basis"]) == ("outcome_unknown", "unknown", "assumed")
    assert "Something went really wrong!" in before["failure"]["message"]
    assert "Nothing was sent again" in before["failure"]["hint"]
    assert (after["failure"], after["state"], after["action"]) == (None, "succeeded", "triggered")
    assert len(server.sent) == 2
    assert server.accepted == 1


# -- lost replies and other trouble on the way -----------------------------------------------------------------------

LOST = [
    ("drop_after", {}),
    ("status_after", {"code": 502}),
    ("status_after", {"code": 504}),
    ("truncate", {}),
    ("delay_after", {"seconds": 1.5}),
]


def test_a_lost_reply_is_adopted_and_nothing_is_sent_again(server: Server, run_module: RunModule) -> None:
    made = server.add(len(LOST))
    for each, (fault, more) in zip(made, LOST, strict=True):
        server.fault(fault, each, **more)
    options = server.options(list(made.values()), request_timeout=1, release="r1")
    outcome = run_module(SYNC, options)
    assert not outcome.failed
    for record in outcome.result["syncs"]:
        assert (record["action"], record["state"]) == ("triggered", "succeeded")
        assert record["reason"].startswith("adopted")
    assert server.accepted == len(server.sent) == len(LOST)
    again = run_module(SYNC, options)
    assert (again.result["summary"]["skipped"], again.changed) == (len(LOST), False)
    assert len(server.sent) == len(LOST)


def test_what_may_have_been_accepted_is_never_sent_again(server: Server, run_module: RunModule) -> None:
    server.fault("drop_before", 88)
    server.fault("status", 90, code=503)
    server.fault("html", 92)
    outcome = run_module(SYNC, server.options(["shop", "blog", "support"], settle_grace=0.5))
    assert outcome.codes == ["outcome_unknown"] * 3
    assert {record["state"] for record in outcome.result["syncs"]} == {"unknown"}
    assert len(server.sent) == 3
    assert server.accepted == 0


def test_the_trigger_is_never_redirected(server: Server, run_module: RunModule) -> None:
    codes = (301, 302, 303, 307, 308)
    made = server.add(len(codes))
    for each, code in zip(made, codes, strict=True):
        server.fault("redirect", each, code=code, location=f"{server.url}{PATH}")
    outcome = run_module(SYNC, server.options(list(made.values())))
    assert outcome.codes == ["redirect_refused"] * len(codes)
    assert len(server.sent) == len(codes)
    assert PATH not in server.sent
    assert server.accepted == 0


def test_a_refused_connection_is_no_trigger(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    simulator.control.offline("serveravatar")
    outcome = run_module(SYNC, server.options(wait_timeout=0.5))
    simulator.control.online("serveravatar")
    assert outcome.codes == ["connection_failed"]
    assert (server.sent, outcome.changed) == ([], False)


def test_rate_limits_of_the_trigger(server: Server, run_module: RunModule) -> None:
    server.fault("status", 88, code=429, headers={"Retry-After": "1"})
    server.fault("status", 90, code=429, headers={"Retry-After": "4711"})
    outcome = run_module(SYNC, server.options(["shop", "blog"], wait_timeout=20))
    shop, blog = outcome.result["syncs"]
    assert (shop["failure"], shop["state"]) == (None, "succeeded")
    assert (blog["failure"]["code"], blog["changed"]) == ("rate_limited", False)
    assert "4711 s" in blog["failure"]["message"]
    assert blog["elapsed"] < 5
    assert len(server.sent) == 3
    assert server.accepted == 1


def test_a_rate_limit_while_waiting_is_waited_out(server: Server, run_module: RunModule) -> None:
    server.knob(rate_limit=6, rate_window=2, sync_seconds=0.5)
    outcome = run_module(SYNC, server.options(wait_timeout=30))
    assert (outcome.failed, outcome.only["state"]) == (False, "succeeded")
    assert 429 in [entry["status"] for entry in server.simulator.requests()]
    assert server.accepted == 1


def test_trouble_while_looking_is_tolerated(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    trouble: list[dict[str, Any]] = [{"kind": "drop_before"}, {"kind": "status", "code": 500}, {"kind": "html"}]
    for rule in trouble:
        simulator.fault(**rule, part="serveravatar", path_regex="/status$", after=1)
    outcome = run_module(SYNC, server.options())
    assert (outcome.failed, outcome.only["state"]) == (False, "succeeded")
    assert server.accepted == 1


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
    outcome = run_module(SYNC, server.options(wait_timeout=1))
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
    outcome = run_module(SYNC, server.options(wait_timeout=0.5))
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
    first = run_module(SYNC, {**options, "wait_timeout": 0.5, "on_timeout": "warn"})
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


# -- pre-checks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("detail", "check"), [("false", True), ("nulls", False), ("not_found", False)])
def test_an_application_without_staging_area(server: Server, run_module: RunModule, detail: str, check: bool) -> None:
    server.knob(detail_without_staging=detail)
    outcome = run_module(SYNC, server.options("landing"), check=check)
    assert (outcome.failed, outcome.codes) == (True, ["staging_disabled"])
    assert "Create one" in outcome.result["msg"]
    assert server.sent == []


def test_without_the_check_the_server_decides(server: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, server.options(["landing", "shop"], require_staging=False))
    assert outcome.codes == ["permission_denied", None]
    assert [record["action"] for record in outcome.result["syncs"]] == ["refused", "triggered"]
    assert len(server.sent) == 2
    assert server.accepted == 1


def test_a_disconnected_server_is_not_triggered(server: Server, run_module: RunModule) -> None:
    server.knob(disconnected_servers=[15])
    for place in ({}, {"server": "production"}):
        outcome = run_module(SYNC, server.options(**place), check=True)
        assert outcome.codes == ["connection_failed"]
        assert "agent" in outcome.result["msg"]
    assert server.sent == []


# -- looking ---------------------------------------------------------------------------------------------------------


def test_info(server: Server, run_module: RunModule) -> None:
    options = {**server.place, "applications": ["shop", "blog.test", "77", "nope", "4711"]}
    outcome = run_module("serveravatar_staging_info", options)
    shop, blog, landing, nope, gone = outcome.result["applications"]
    assert shop["staging"] == {
        "available": True,
        "server": "54.90.174.225",
        "application": "stagingareatest",
        "domain": "siteexample.tk",
        "database": "wordpressite_staging",
    }
    updated_at = shop["status"].pop("updated_at")
    assert len(updated_at) == 19
    assert shop["status"] == {
        "text": "Staging area completed",
        "percent": 100,
        "state": "staging_area_completed",
        "running": False,
    }
    assert [blog[key] for key in ("application", "id", "name")] == ["blog.test", 90, "blog"]
    assert (landing["id"], landing["staging"]["available"], landing["status"]) == (77, False, None)
    for unknown, name in ((nope, "nope"), (gone, "4711")):
        assert unknown == {"application": name, "id": None, "name": None, "staging": None, "status": None}
    assert (outcome.failed, outcome.changed, server.sent) == (False, False, [])
    assert "redis" not in outcome.output


def test_info_about_a_whole_server(server: Server, run_module: RunModule) -> None:
    server.knob(sync_seconds=60)
    server.control("POST", "/applications/90/sync")
    outcome = run_module("serveravatar_staging_info", {**server.place, "organization": "Lockstep Demo", "server": "production"})
    entries = outcome.result["applications"]
    assert len(entries) == 17
    assert {entry["name"] for entry in entries if entry["staging"]["available"]} == {"shop", "blog", "support", "intranet"}
    assert {entry["application"] for entry in entries if entry["status"] and entry["status"]["running"]} == {"blog"}
    assert server.sent == []


@pytest.mark.parametrize("more", [{"server": "99"}, {"organization": "Unknown"}, {"api_token": "wrong"}])
def test_info_fails_where_the_api_refuses(server: Server, run_module: RunModule, more: dict[str, str]) -> None:
    outcome = run_module("serveravatar_staging_info", {**server.place, "applications": ["shop"], **more})
    assert outcome.failed
    assert outcome.result["failure"]["code"] in ("not_found", "auth_failed")


# -- the module as Ansible sees it -----------------------------------------------------------------------------------


def test_the_alias_and_the_group_defaults(server: Server, environment: dict[str, str], tmp_path: Path) -> None:
    play = f"""
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/lockstep.sync.serveravatar: {json.dumps(server.place)}
  tasks:
    - lockstep.sync.serveravatar_staging_sync:
        application: shop
        poll_min_interval: 0.1
      register: result
    - lockstep.sync.serveravatar_staging_info:
        application: shop
      register: info
    - ansible.builtin.assert:
        that:
          - result is changed
          - result.syncs[0].state == 'succeeded'
          - info.applications[0].id == 88
"""
    (tmp_path / "play.yml").write_text(play)
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "play.yml"],
        env={**environment, "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"), "TERM": "dumb"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=tmp_path,
    )
    assert done.returncode == os.EX_OK, done.stdout + done.stderr
    assert server.sent == [PATH]
