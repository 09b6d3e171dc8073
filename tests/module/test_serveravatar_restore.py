# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""serveravatar_restore against the ServerAvatar emulator, asserting on what the server saw and what production serves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.simulator.client import Simulator, wait_until

from .conftest import Outcome, RunModule

RESTORE, SYNC, BACKUP = "serveravatar_restore", "serveravatar_staging_sync", "serveravatar_backup"
#: an old backup of the shop (and an even older and a newer one), and one of the blog
SHOP, OLDER, NEWER, BLOG = 305, 301, 309, 302
PATH = f"/organizations/5/backups/{SHOP}/restore"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["serveravatar"]) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(simulator: Simulator) -> None:
    simulator.reset()
    # a restore is over once it was seen to go on, however slow this machine is
    simulator.knob("serveravatar", restore_until_seen=1)


class Server:
    """The emulated service as the tests see it."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        info = simulator["serveravatar"]
        self.url: str = info["url"]
        self.token: str = info["api_token"]
        self.login = {"api_url": self.url, "api_token": self.token}
        self.place = {**self.login, "organization": "5", "server": "15", "settle_grace": 5, "poll_min_interval": 0.1}

    def options(self, backups: Any = SHOP, **more: Any) -> dict[str, Any]:
        return {**self.place, "backups": backups, **more}

    def syncing(self, **more: Any) -> dict[str, Any]:
        return {**self.place, "applications": "shop", **more}

    def knob(self, **values: Any) -> None:
        self.simulator.knob("serveravatar", **values)

    def fault(self, kind: str, **rule: Any) -> None:
        """Something happens to the next restore."""
        self.simulator.fault(kind, part="serveravatar", request_kind="mutate", path_regex="/restore$", **rule)

    def control(self, method: str, path: str, body: object = None) -> Any:
        return self.simulator.control.part("serveravatar", method, path, body)

    def truth(self, application: int = 88) -> dict[str, Any]:
        found: dict[str, Any] = self.control("GET", f"/applications/{application}")
        return found

    def restores(self, application: int = 88) -> list[int]:
        """The backups whose restore to an application was accepted."""
        return [each["backup"] for each in self.truth(application)["restores"]]

    def begin(self, backup: int) -> None:
        """Somebody else restores a backup."""
        self.control("POST", f"/backups/{backup}/restore")

    def finish(self, backup: int = SHOP) -> None:
        """The restore of a backup ends well."""
        self.control("POST", f"/backups/{backup}/finish")

    def wait_for_looks(self, count: int = 3) -> None:
        """Wait until the list of backups was looked at so often."""
        before = self.looks
        wait_until(lambda: self.looks >= before + count)

    @property
    def production(self) -> str:
        """The release that the shop serves."""
        return str(self.truth()["production"])

    @property
    def sent(self) -> list[str]:
        """Requests that change something."""
        return [entry["path"] for entry in self.simulator.requests(kind="mutate")]

    @property
    def looks(self) -> int:
        """How many pages of backups were asked for."""
        return len(self.simulator.requests(path=r"/organizations/5/backups(\?|$)"))


@pytest.fixture
def server(simulator: Simulator) -> Server:
    return Server(simulator)


def decision(outcome: Outcome) -> list[Any]:
    return [outcome.only[key] for key in ("action", "state", "changed", "changed_basis")]


# -- the main job ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [{}, {"release": "p-1", "max_age": 60}, {"force": True}, {"if_running": "queue"}])
def test_check_mode_predicts_and_sends_no_mutating_get(
    server: Server, run_module: RunModule, ledger: Path, more: dict[str, Any]
) -> None:
    outcome = run_module(RESTORE, server.options(**more), check=True, diff=True)
    assert decision(outcome) == ["would_trigger", "not_started", True, "predicted"]
    assert (outcome.failed, server.sent, server.restores(), ledger.exists()) == (False, [], [], False)
    assert {entry["method"] for entry in server.simulator.requests()} == {"GET"}


def test_a_backup_is_restored_once_for_a_release(server: Server, run_module: RunModule, ledger: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    first = run_module(RESTORE, server.options(release="p-1", report_path=str(report)))
    assert (first.failed, decision(first)) == (False, ["triggered", "succeeded", True, "observed"])
    assert (first.only["target"], first.only["provider"]) == ("shop", RESTORE)
    assert server.production == "release-0"
    backup = first.only["detail"]["backup"]
    assert (backup["id"], backup["name"], backup["status"]) == (SHOP, "nightly shop", "Completed")
    again = run_module(RESTORE, server.options(str(SHOP), application="shop.test", server="production", release="p-1"))
    assert decision(again) == ["skipped", "not_started", False, "assumed"]
    assert decision(run_module(RESTORE, server.options(max_age=3600)))[0] == "skipped"
    assert server.sent == [PATH]
    # without a purpose, and for another one, it is restored again
    assert decision(run_module(RESTORE, server.options(release="p-2")))[0] == "triggered"
    assert decision(run_module(RESTORE, server.options()))[0] == "triggered"
    assert server.restores() == [SHOP] * 3
    assert server.token not in report.read_text() + ledger.read_bytes().decode("latin-1") + first.output


def test_a_promotion_is_rolled_back_and_can_be_made_again(server: Server, run_module: RunModule) -> None:
    number = run_module(BACKUP, {**server.syncing(release="r2"), "storage": "7"}).only["detail"]["backup"]["id"]
    assert run_module(SYNC, server.syncing(release="r2")).only["action"] == "triggered"
    assert run_module(SYNC, server.syncing(release="r2", max_age=3600)).only["action"] == "skipped"
    assert server.production == "release-2"
    # to look whether it could be restored undoes nothing
    run_module(RESTORE, server.options(number, application="shop"), check=True)
    assert run_module(SYNC, server.syncing(release="r2"), check=True).only["action"] == "skipped"
    back = run_module(RESTORE, server.options(number, application="shop", release="p-1"))
    assert (back.only["state"], server.production) == ("succeeded", "release-1")
    # neither the release nor its age holds any more
    for more in ({"release": "r2"}, {"max_age": 3600}):
        assert run_module(SYNC, server.syncing(**more), check=True).only["action"] == "would_trigger"
    assert run_module(SYNC, server.syncing(release="r2")).only["action"] == "triggered"
    assert server.production == "release-2"
    assert run_module(SYNC, server.syncing(release="r2")).only["action"] == "skipped"
    # that has overwritten what was restored, in turn
    assert run_module(RESTORE, server.options(number, release="p-1")).only["action"] == "triggered"
    assert (server.production, len(server.sent)) == ("release-1", 5)


def test_other_applications_keep_what_was_brought_to_them(server: Server, run_module: RunModule) -> None:
    run_module(SYNC, server.syncing(applications=["shop", "blog"], release="r2"))
    run_module(RESTORE, server.options(BLOG))
    assert run_module(SYNC, server.syncing(release="r2")).only["action"] == "skipped"
    assert run_module(SYNC, server.syncing(applications="blog", release="r2"), check=True).only["action"] == "would_trigger"


def test_several_applications(server: Server, run_module: RunModule) -> None:
    outcome = run_module(RESTORE, server.options([SHOP, BLOG, 303]))
    assert [record["target"] for record in outcome.result["syncs"]] == ["shop", "blog", "support"]
    assert [server.restores(each) for each in (88, 90, 92)] == [[SHOP], [BLOG], [303]]
    assert (outcome.failed, len(server.sent)) == (False, 3)


@pytest.mark.parametrize(
    "knobs",
    [
        {"backups_per_page": 4},
        {"backups_per_page": 4, "backup_order": "oldest_first"},
        {"backup_rows_without_server": True},
        {"drifted_texts": True},
        {"clock_offset": -18000.0},
    ],
)
def test_however_backups_are_listed(server: Server, run_module: RunModule, knobs: dict[str, Any]) -> None:
    server.knob(**knobs)
    outcome = run_module(RESTORE, server.options(OLDER))
    assert (decision(outcome), server.restores()) == (["triggered", "succeeded", True, "observed"], [OLDER])


def test_pages_that_a_backup_was_not_on_are_read_once(server: Server, run_module: RunModule) -> None:
    server.knob(backups_per_page=3)
    outcome = run_module(RESTORE, server.options(OLDER, poll_max_interval=0.1))
    # four pages to find it, then its own page each time
    assert server.looks == 4 + 1 + outcome.only["polls"]


# -- which backup ----------------------------------------------------------------------------------------------------


def test_a_backup_may_be_named(server: Server, run_module: RunModule) -> None:
    run_module(BACKUP, {**server.syncing(name="before the sale"), "storage": "7"})
    outcome = run_module(RESTORE, server.options("Before the Sale"))
    assert (outcome.only["state"], outcome.only["detail"]["backup"]["name"]) == ("succeeded", "before the sale")
    assert server.restores() == [313]


@pytest.mark.parametrize(
    ("backups", "more", "code", "words"),
    [
        ("nightly shop", {}, "invalid_option", "is the name of several (ids 309, 305, 301)"),
        ("nightly shop", {"application": "blog"}, "not_found", "nightly shop"),
        ("nothing", {}, "not_found", "'nothing'"),
        (999, {}, "not_found", "no backup 999 is listed"),
        (BLOG, {"application": "shop"}, "invalid_option", "is of application blog (90), not of shop (88)"),
        (BLOG, {"application": "shopp"}, "not_found", "Did you mean shop"),
        (SHOP, {"server": "web-16"}, "not_found", "which is not on server web-16"),
        (SHOP, {"organization": "6", "server": "40"}, "not_found", "no backup 305"),
        (SHOP, {"application": " "}, "invalid_option", "option application"),
        ([], {}, "invalid_option", "option backups"),
    ],
)
def test_backups_that_cannot_be_meant(
    server: Server, run_module: RunModule, backups: Any, more: dict[str, Any], code: str, words: str
) -> None:
    for check in (True, False):
        outcome = run_module(RESTORE, server.options(backups, **more), check=check)
        failure = outcome.result.get("failure") or outcome.only["failure"]
        assert (outcome.failed, outcome.changed, failure["code"]) == (True, False, code)
        assert words in outcome.result["msg"]
    assert server.sent == []


def test_an_application_that_is_gone(server: Server, run_module: RunModule) -> None:
    server.knob(backup_rows_without_server=True)
    outcome = run_module(RESTORE, server.options(SHOP, server="16"))
    assert (outcome.codes, server.sent) == (["not_found"], [])
    assert "backup 305 is of application shop, which is not on server web-16" in outcome.result["msg"]


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"status": "In Progress", "done": False}, "busy"),
        ({"status": "Failed", "done": False}, "invalid_option"),
        ({"expires_in": -2 * 86400}, "not_found"),
    ],
)
def test_backups_that_cannot_be_restored(server: Server, run_module: RunModule, state: dict[str, Any], code: str) -> None:
    server.control("PUT", f"/backups/{SHOP}", state)
    for check in (True, False):
        outcome = run_module(RESTORE, server.options(), check=check)
        assert (outcome.codes, outcome.only["action"], outcome.changed) == ([code], "refused", False)
    assert server.sent == []


def test_a_backup_that_may_have_expired_is_up_to_the_server(server: Server, run_module: RunModule) -> None:
    server.control("PUT", f"/backups/{SHOP}", {"expires_in": -60})
    outcome = run_module(RESTORE, server.options())
    assert (outcome.codes, outcome.only["action"], server.restores()) == (["not_found"], "refused", [])
    server.control("PUT", f"/backups/{SHOP}", {"expires_in": 60})
    assert run_module(RESTORE, server.options()).only["state"] == "succeeded"


def test_two_backups_of_one_application_are_refused_both(server: Server, run_module: RunModule) -> None:
    outcome = run_module(RESTORE, server.options([SHOP, BLOG, NEWER]))
    assert outcome.codes == ["invalid_option", None, "invalid_option"]
    assert "305 and 309" in outcome.result["msg"]
    assert (server.restores(88), server.restores(90)) == ([], [BLOG])
    # while the same one twice is one
    assert not run_module(RESTORE, server.options([SHOP, str(SHOP)])).failed
    assert server.restores(88) == [SHOP]


# -- what shows, and what does not -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("knobs", "basis"),
    [
        ({"restore_row_delay": 0.5}, "observed"),
        ({"restore_running": "In Progress"}, "observed"),
        ({"restore_running": "Restore queued", "restore_success": "Restored"}, "observed"),
        ({"restore_until_seen": 0, "restore_seconds": 0, "restore_success": "Restored successfully"}, "observed"),
        # over before the first look, or not shown while it goes on: only a date moved
        ({"restore_until_seen": 0, "restore_seconds": 0}, "assumed"),
        ({"restore_row": "stamp_only"}, "assumed"),
    ],
)
def test_however_it_shows(server: Server, run_module: RunModule, knobs: dict[str, Any], basis: str) -> None:
    server.knob(**knobs)
    outcome = run_module(RESTORE, server.options(poll_max_interval=0.1))
    assert (outcome.failed, decision(outcome)) == (False, ["triggered", "succeeded", True, basis])
    assert ("has a new date" in outcome.warnings) == (basis == "assumed")
    assert (server.production, server.sent) == ("release-0", [PATH])


def test_a_restore_of_which_nothing_shows_is_no_success(server: Server, run_module: RunModule) -> None:
    run_module(SYNC, server.syncing(release="r2"))
    server.knob(restore_row="frozen")
    outcome = run_module(RESTORE, server.options(settle_grace=0.4, release="p-1"))
    assert (outcome.failed, decision(outcome)) == (False, ["triggered", "unknown", True, "assumed"])
    assert "completion not observable" in outcome.warnings
    # what was synced may be gone
    assert run_module(SYNC, server.syncing(release="r2"), check=True).only["action"] == "would_trigger"
    again = run_module(RESTORE, server.options(settle_grace=0.4, release="p-1", if_unobservable="fail"))
    assert (again.codes, again.only["action"], again.only["state"]) == (["outcome_unknown"], "triggered", "unknown")
    assert server.restores() == [SHOP, SHOP]


@pytest.mark.parametrize("damage", [True, False])
def test_a_failed_restore_is_a_failure(server: Server, run_module: RunModule, damage: bool) -> None:
    run_module(SYNC, server.syncing(release="r2"))
    server.knob(restore_outcome="failure", restore_damages_on_failure=damage)
    outcome = run_module(RESTORE, server.options(release="p-1"))
    assert (outcome.codes, decision(outcome)) == (["run_failed"], ["triggered", "failed", True, "assumed"])
    assert server.production == ("release-0/release-2" if damage else "release-2")
    assert run_module(SYNC, server.syncing(release="r2"), check=True).only["action"] == "would_trigger"
    # the backup itself is as good as before
    server.knob(restore_outcome="success")
    again = run_module(RESTORE, server.options(release="p-1"))
    assert (again.only["action"], again.only["state"], server.production) == ("triggered", "succeeded", "release-0")


# -- exactly once ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["drop_after", "status_after", "error_after"])
def test_a_lost_reply_is_adopted(server: Server, run_module: RunModule, fault: str) -> None:
    if fault == "error_after":
        server.knob(restore_answer=fault)
    else:
        server.fault(fault)
    outcome = run_module(RESTORE, server.options())
    assert (outcome.failed, decision(outcome)) == (False, ["triggered", "succeeded", True, "observed"])
    assert outcome.only["reason"].startswith("adopted")
    assert (server.sent, server.restores()) == ([PATH], [SHOP])


@pytest.mark.parametrize("case", ["drop_before", "error_before", "invisible"])
def test_what_may_have_been_restored_is_not_restored_again(server: Server, run_module: RunModule, case: str) -> None:
    run_module(SYNC, server.syncing(release="r2"))
    if case == "error_before":
        server.knob(restore_answer=case)
    else:
        server.knob(restore_row="frozen")
        server.fault("drop_after" if case == "invisible" else case)
    outcome = run_module(RESTORE, server.options(settle_grace=0.5, release="p-1"))
    assert (outcome.codes, outcome.only["state"], outcome.changed) == (["outcome_unknown"], "unknown", True)
    assert server.sent[1:] == [PATH]
    assert run_module(SYNC, server.syncing(release="r2"), check=True).only["action"] == "would_trigger"


@pytest.mark.parametrize(
    ("answer", "code"), [("disk", "disk_full"), ("permission", "permission_denied"), ("not_connected", "connection_failed")]
)
def test_a_definite_refusal_undoes_nothing(server: Server, run_module: RunModule, answer: str, code: str) -> None:
    run_module(SYNC, server.syncing(release="r2"))
    server.knob(restore_answer=answer)
    outcome = run_module(RESTORE, server.options())
    assert (outcome.codes, decision(outcome)) == ([code], ["refused", "not_started", False, "observed"])
    assert (server.sent[1:], server.restores()) == ([PATH], [])
    assert run_module(SYNC, server.syncing(release="r2")).only["action"] == "skipped"


def test_a_killed_run_is_found_again(server: Server, run_module: RunModule, start_module: Any) -> None:
    run_module(SYNC, server.syncing(release="r2"))
    server.knob(restore_outcome="never")
    process = start_module(RESTORE, server.options(release="p-1"))
    wait_until(server.restores)
    process.kill()
    assert run_module(SYNC, server.syncing(release="r2"), check=True).only["action"] == "would_trigger"
    process = start_module(RESTORE, server.options(release="p-1"))
    server.wait_for_looks()
    server.finish()
    again = process.finish()
    assert (again.only["action"], again.only["state"]) == ("joined", "succeeded")
    assert decision(run_module(RESTORE, server.options(release="p-1")))[0] == "skipped"
    assert server.sent[1:] == [PATH]


def test_waiting_later(server: Server, run_module: RunModule) -> None:
    run_module(SYNC, server.syncing(release="r2"))
    server.knob(restore_outcome="never")
    started = run_module(RESTORE, server.options(wait=False, release="p-1"))
    assert (started.only["state"], started.changed) == ("running", True)
    assert run_module(RESTORE, server.options(release="p-1"), check=True).only["action"] == "would_join"
    assert run_module(SYNC, server.syncing(release="r2"), check=True).only["action"] == "would_trigger"
    server.finish()
    options = {"handles": [started.only["handle"]], "connections": {RESTORE: server.login}, "poll_min_interval": 0.1}
    waited = run_module("sync_wait", options)
    assert (waited.failed, waited.only["provider"], waited.only["state"]) == (False, RESTORE, "succeeded")
    assert decision(run_module(RESTORE, server.options(release="p-1")))[0] == "skipped"
    assert server.sent[1:] == [PATH]


def test_waiting_on_another_host_ends_what_that_host_knows(server: Server, run_module: RunModule, tmp_path: Path) -> None:
    there = {"LOCKSTEP_LEDGER": str(tmp_path / "there.sqlite3")}
    run_module(SYNC, server.syncing(release="r2"), env=there)
    started = run_module(RESTORE, server.options(wait=False))
    # it cannot know
    assert run_module(SYNC, server.syncing(release="r2"), env=there).only["action"] == "skipped"
    options = {"handles": [started.only["handle"]], "connections": {RESTORE: server.login}, "poll_min_interval": 0.1}
    assert run_module("sync_wait", options, env=there).only["state"] == "succeeded"
    assert run_module(SYNC, server.syncing(release="r2"), env=there).only["action"] == "triggered"
    # to ask for the same run once more does not undo what came after it
    assert run_module("sync_wait", options, env=there).only["state"] == "succeeded"
    assert run_module(SYNC, server.syncing(release="r2"), env=there).only["action"] == "skipped"


# -- what else goes on -----------------------------------------------------------------------------------------------


def test_a_restore_by_somebody_else_is_joined(server: Server, run_module: RunModule, start_module: Any) -> None:
    run_module(SYNC, server.syncing(release="r2"))
    server.knob(restore_outcome="never")
    server.begin(SHOP)
    assert run_module(RESTORE, server.options(if_running="fail")).codes == ["busy"]
    assert decision(run_module(RESTORE, server.options(), check=True)) == ["would_join", "not_started", True, "predicted"]
    process = start_module(RESTORE, server.options())
    server.wait_for_looks()
    server.finish()
    outcome = process.finish()
    assert decision(outcome) == ["joined", "succeeded", True, "observed"]
    assert (server.sent[1:], server.restores()) == ([], [SHOP])
    assert run_module(SYNC, server.syncing(release="r2"), check=True).only["action"] == "would_trigger"


def test_the_restore_of_another_backup_is_not_joined(server: Server, run_module: RunModule, start_module: Any) -> None:
    server.knob(restore_outcome="never")
    server.begin(NEWER)
    for mode in ("join", "fail"):
        outcome = run_module(RESTORE, server.options(if_running=mode, settle_grace=0.3))
        assert (outcome.codes, outcome.changed) == (["busy"], False)
    assert (server.restores(), server.sent) == ([NEWER], [PATH, PATH])
    process = start_module(RESTORE, server.options(if_running="queue", poll_max_interval=0.3))
    wait_until(lambda: len(server.sent) >= 4)
    server.knob(restore_outcome="success")
    server.finish(NEWER)
    outcome = process.finish()
    assert decision(outcome) == ["triggered", "succeeded", True, "observed"]
    assert server.restores() == [NEWER, SHOP]


def test_a_sync_in_flight_is_not_restored_over(server: Server, run_module: RunModule, start_module: Any) -> None:
    server.knob(sync_outcome="never")
    run_module(SYNC, server.syncing(wait=False, release="r2"))
    for check in (True, False):
        outcome = run_module(RESTORE, server.options(), check=check)
        assert (outcome.codes, outcome.changed) == (["busy"], False)
        assert "staging area of shop" in outcome.result["msg"]
    assert run_module(RESTORE, server.options(if_running="queue"), check=True).only["action"] == "would_trigger"
    process = start_module(RESTORE, server.options(if_running="queue"))
    before = len(server.simulator.requests(path="/88/status$"))
    wait_until(lambda: len(server.simulator.requests(path="/88/status$")) >= before + 3)
    assert server.restores() == []
    server.control("POST", "/applications/88/finish")
    outcome = process.finish()
    assert decision(outcome) == ["triggered", "succeeded", True, "observed"]
    assert (server.production, server.restores(), len(server.sent)) == ("release-0", [SHOP], 2)
    # the sync ended before the restore, whenever its end is observed
    assert run_module(SYNC, server.syncing(release="r2"), check=True).only["action"] == "would_trigger"


def test_an_application_without_staging_area(server: Server, run_module: RunModule) -> None:
    body = {"applications": "landing", "storage": "7", "type": "filesystem", "name": "before"}
    run_module(BACKUP, {**server.place, **body})
    outcome = run_module(RESTORE, server.options("before", application="landing"))
    assert (outcome.failed, server.restores(77)) == (False, [313])


def test_a_timeout_is_no_failure_of_the_restore(server: Server, run_module: RunModule) -> None:
    server.knob(restore_outcome="never")
    outcome = run_module(RESTORE, server.options(wait_timeout=0.5, on_timeout="warn"))
    assert (outcome.failed, decision(outcome)[:3], outcome.only["timed_out"]) == (False, ["triggered", "running", True], True)
    assert "status_patterns" in outcome.only["failure"]["hint"]
    assert (server.restores(), server.sent) == ([SHOP], [PATH])


def test_a_disconnected_server(server: Server, run_module: RunModule) -> None:
    server.knob(disconnected_servers=[15])
    assert run_module(RESTORE, server.options(), check=True).codes == ["connection_failed"]
    assert run_module(RESTORE, server.options()).codes == ["connection_failed"]
    assert server.sent == []


def test_the_emulated_answers_are_those_that_are_documented(server: Server) -> None:
    headers = {"Authorization": server.token}
    texts = []
    for answer in ("disk", "not_connected", "auto", "auto"):
        server.knob(restore_answer=answer)
        texts.append(requests.get(server.url + PATH, headers=headers, timeout=10).json()["message"])
    assert texts == [
        "You can not restore this backup because there is not enough disk space available on your server.",
        "Your server is not connected.",
        "Application backup restored in progress.",
        "Restore is already in progress.",
    ]
