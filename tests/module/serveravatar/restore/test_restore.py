# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""serveravatar_restore: which backups are restored, and what shows of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from ...conftest import RunModule
from ..server import PACE
from .server import BACKUP, BLOG, NEWER, OLDER, PATH, RESTORE, SHOP, SYNC, Server, decision

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
    # to look whether it could be restored invalidates nothing
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


@pytest.mark.parametrize("parallel", [1, 8])
def test_two_backups_of_one_application_are_refused_both(server: Server, run_module: RunModule, parallel: int) -> None:
    outcome = run_module(RESTORE, server.options([SHOP, BLOG, NEWER], max_parallel=parallel))
    assert outcome.codes == ["invalid_option", None, "invalid_option"]
    assert "305 and 309" in outcome.result["msg"]
    assert (server.restores(88), server.restores(90)) == ([], [BLOG])
    # while the same one twice is one
    assert not run_module(RESTORE, server.options([SHOP, str(SHOP)])).failed
    assert server.restores(88) == [SHOP]


def test_none_is_restored_while_it_is_not_known_what_the_others_are(server: Server, run_module: RunModule) -> None:
    server.simulator.fault("status", part="serveravatar", path_regex=r"/backups(\?|$)", after=2, times=None)
    outcome = run_module(RESTORE, server.options([SHOP, BLOG], max_parallel=1, wait_timeout=3))
    assert outcome.failed
    assert server.sent == []


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


# -- what else goes on -----------------------------------------------------------------------------------------------


def test_an_application_without_staging_area(server: Server, run_module: RunModule) -> None:
    body = {"applications": "landing", "storage": "7", "type": "filesystem", "name": "before"}
    run_module(BACKUP, {**server.place, **PACE, **body})
    outcome = run_module(RESTORE, server.options("before", application="landing"))
    assert (outcome.failed, server.restores(77)) == (False, [313])


def test_a_timeout_is_no_failure_of_the_restore(server: Server, run_module: RunModule) -> None:
    server.knob(restore_outcome="never")
    outcome = run_module(RESTORE, server.options(wait_timeout=3, on_timeout="warn"))
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
