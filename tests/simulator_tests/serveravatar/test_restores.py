# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restores."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from tests.simulator.client import ControlError, wait_until
from tests.simulator_tests.serveravatar.client import APP, INSTANT, LONG, ORG_BACKUPS, SERVER, Api, done, newest, refused


def restored(api: Api, kind: str) -> str:
    """What production serves after a backup, a sync and a restore of that backup."""
    api.knob(backup_seconds=0, sync_seconds=0, restore_seconds=0.3)
    api.post(SERVER + "/backups", {**INSTANT, "type": kind})
    api.ok(APP + "/sync")
    assert api.truth()["production"] == "release-2"
    done(api.get(f"{ORG_BACKUPS}/{newest(api)['id']}/restore"), "Application backup restored in progress.")
    assert api.truth()["production"] == "release-2"
    wait_until(lambda: not api.truth()["restoring"])
    return str(api.truth()["production"])


@pytest.mark.parametrize(
    ("kind", "marker"),
    [("application", "release-1"), ("filesystem", "release-1/release-2"), ("database", "release-2/release-1")],
)
def test_a_restore_brings_back_what_the_backup_holds(api: Api, kind: str, marker: str) -> None:
    assert restored(api, kind) == marker
    assert api.site().status_code == (200 if kind == "application" else 500)
    log = api.simulator.requests(kind="mutate", method="GET")
    assert [entry["path"].rpartition("/")[2] for entry in log] == ["sync", "restore"]


def test_a_second_restore_is_refused_while_one_runs(api: Api) -> None:
    api.knob(restore_seconds=LONG)
    done(api.get(ORG_BACKUPS + "/301/restore"), "Application backup restored in progress.")
    refused(api.get(ORG_BACKUPS + "/305/restore"), 500, "Restore is already in progress.")  # of the same application
    done(api.get(ORG_BACKUPS + "/302/restore"), "Application backup restored in progress.")


def test_a_restore_may_fail(api: Api) -> None:
    api.knob(restore_seconds=0, restore_outcome="failure")
    api.ok(ORG_BACKUPS + "/301/restore")
    truth = api.truth()
    assert (truth["production"], truth["restores"][0]["outcome"]) == ("release-1", "failure")


def row_of(api: Api, number: int) -> dict[str, Any]:
    rows = api.ok(ORG_BACKUPS)["data"] + api.ok(ORG_BACKUPS + "?page=2")["data"]
    return next(row for row in rows if row["id"] == number)


@pytest.mark.parametrize(
    ("mode", "outcome", "during", "after", "moved"),
    [
        ("moves", "success", "Restoring", "Completed", True),
        ("moves", "failure", "Restoring", "Restore Failed", True),
        ("moves", "never", "Restoring", "Restoring", True),
        ("stamp_only", "success", "Completed", "Completed", True),
        ("frozen", "success", "Completed", "Completed", False),
    ],
)
def test_how_a_restore_shows_is_unknown(api: Api, mode: str, outcome: str, during: str, after: str, moved: bool) -> None:
    api.knob(restore_row=mode, restore_outcome=outcome, restore_seconds=0.4)
    before = row_of(api, 301)["updated_at"]
    api.ok(ORG_BACKUPS + "/301/restore")
    assert row_of(api, 301)["status"] == during
    if outcome != "never":
        wait_until(lambda: not api.truth()["restoring"])
    row = row_of(api, 301)
    assert (row["status"], row["updated_at"] != before) == (after, moved)


@pytest.mark.parametrize(
    ("answer", "status", "text", "begun"),
    [
        ("disk", 500, "You can not restore this backup because there is not enough disk space available on your server.", 0),
        ("not_connected", 500, "Your server is not connected.", 0),
        ("permission", 404, "You cannot perform this action!", 0),
        ("busy", 500, "Restore is already in progress.", 0),
        ("error_before", 500, "Something went really wrong!", 0),
        ("error_after", 500, "Something went really wrong!", 1),
    ],
)
def test_a_refused_restore(api: Api, answer: str, status: int, text: str, begun: int) -> None:
    api.knob(restore_answer=answer)
    refused(api.get(ORG_BACKUPS + "/301/restore"), status, text)
    assert len(api.truth()["restores"]) == begun


def test_an_expired_backup_cannot_be_restored(api: Api) -> None:
    api.simulator.control.part("serveravatar", "PUT", "/backups/301", {"expires_in": -1})
    refused(api.get(ORG_BACKUPS + "/301/restore"), 404, "Backup not found!")
    assert row_of(api, 301)["expires_at"] is not None


def test_a_failed_restore_may_damage_production(api: Api) -> None:
    api.knob(restore_seconds=0, restore_outcome="failure", restore_damages_on_failure=True)
    api.ok(ORG_BACKUPS + "/301/restore")
    assert api.truth()["production"] == "release-0/release-1"


@pytest.mark.parametrize(("mode", "looks"), [("moves", 2), ("frozen", 2)])
def test_a_restore_may_last_until_it_was_seen(api: Api, mode: str, looks: int) -> None:
    api.knob(restore_until_seen=looks, restore_seconds=0, restore_row=mode)
    api.ok(ORG_BACKUPS + "/312/restore")
    for _look in range(looks):
        # to look at another page is not to look at it
        api.ok(ORG_BACKUPS + "?page=2")
        assert api.truth(79)["restoring"]
        api.ok(ORG_BACKUPS)
    assert [each["outcome"] for each in api.truth(79)["restores"]] == ["success"]
    assert row_of(api, 312)["status"] == "Completed"


@pytest.mark.parametrize("outcome", ["success", "failure"])
def test_a_restore_may_be_ended(api: Api, outcome: str) -> None:
    finish = functools.partial(api.simulator.control.part, "serveravatar", "POST", "/backups/301/finish")
    api.knob(restore_outcome="never")
    api.ok(ORG_BACKUPS + "/301/restore")
    assert finish({"outcome": outcome})["outcome"] == outcome
    assert api.truth()["production"] == ("release-0" if outcome == "success" else "release-1")
    with pytest.raises(ControlError, match="not being restored"):
        finish()


def test_somebody_restores_in_the_panel(api: Api) -> None:
    api.simulator.control.part("serveravatar", "POST", "/backups/301/restore")
    refused(api.get(ORG_BACKUPS + "/305/restore"), 500, "Restore is already in progress.")
    assert [each["source"] for each in api.truth()["restores"]] == ["control"]


@pytest.mark.parametrize("path", ["/organizations/5/backups/999/restore", "/organizations/6/backups/301/restore"])
def test_an_unknown_backup_cannot_be_restored(api: Api, path: str) -> None:
    refused(api.get(path), 404, "Backup not found!")
