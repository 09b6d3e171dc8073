# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Staging areas: their detail, and how they are created and deleted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator_tests.serveravatar.client import APP, LONG, SERVER, Api, done, refused

# Detail


def test_the_detail_is_the_documented_one(api: Api) -> None:
    assert api.ok(APP + "/staging-area-detail") == {
        "is_availabel_staging_area": True,
        "migrationServer": "54.90.174.225",
        "application_name": "stagingareatest",
        "application_domain": "siteexample.tk",
        "database_name": "wordpressite_staging",
    }


def test_the_staging_area_may_be_on_another_server(api: Api) -> None:
    assert api.ok(SERVER + "/applications/79/staging-area-detail")["migrationServer"] == "192.0.2.16"
    assert api.status(SERVER + "/applications/79")["siteMigration"]["migration_server_id"] == 16


def test_the_detail_without_a_staging_area_is_unknown(api: Api) -> None:
    path = SERVER + "/applications/77/staging-area-detail"
    assert api.ok(path) == {"is_availabel_staging_area": False}
    api.knob(detail_without_staging="nulls")
    assert api.ok(path)["application_name"] is None
    api.knob(detail_without_staging="not_found")
    refused(api.get(path), 404, "You can not perform this action!")


# Creating and deleting a staging area


LANDING = SERVER + "/applications/77"
ORDER = {
    "staging_area_name": "landing-next",
    "migration_server_id": 16,
    "database_id": 1077,
    "temp_domain": 0,
    "hostname": "next.landing.test",
    "wordpressUrlType": 1,
}


def test_a_staging_area_is_created(api: Api) -> None:
    api.knob(create_seconds=LONG)
    done(api.post(LANDING + "/staging-area", ORDER), "Staging site process started.")
    assert api.status(LANDING)["siteMigration"]["status"] == "staging_area_in_progress"
    assert not api.ok(LANDING + "/staging-area-detail")["is_availabel_staging_area"]
    for answer in (api.post(LANDING + "/staging-area", ORDER), api.get(LANDING + "/sync")):
        refused(answer, 500, "Please wait another process already running!")
    api.control("POST", "/applications/77/finish")
    assert api.status(LANDING)["configurationInPercentage"] == 100
    detail = api.ok(LANDING + "/staging-area-detail")
    assert (detail["application_name"], detail["application_domain"]) == ("landing-next", "next.landing.test")
    truth = api.truth(77)
    assert truth["production"] == truth["staging"] == "release-1"
    assert truth["staging_application"] == api.status(LANDING)["siteMigration"]["migration_application_id"]


def test_a_temporary_domain(api: Api) -> None:
    api.knob(create_seconds=0)
    order = {**ORDER, "temp_domain": True, "temp_sub_domain_name": "next"}
    done(api.post(LANDING + "/staging-area", order), "Staging site process started.")
    assert api.ok(LANDING + "/staging-area-detail")["application_domain"] == "next.temporary.test"


def test_a_failed_creation_leaves_a_row_without_a_staging_application(api: Api) -> None:
    api.knob(create_seconds=0, create_outcome="failure")
    done(api.post(LANDING + "/staging-area", ORDER), "Staging site process started.")
    answer = api.status(LANDING)
    assert (answer["displayText"], answer["siteMigration"]["migration_application_id"]) == ("Staging area failed", None)
    refused(api.get(LANDING + "/sync"), 404, "Staging application not found!")


WHILE = "Something went really wrong while creating {}!"
NO_SPACE = "Staging area is failed because you do not have enough disk space available on your {}!"


@pytest.mark.parametrize(
    ("answer", "status", "text"),
    [
        ("database_exists", 404, "Database already exist!"),
        ("database_user_exists", 404, "Database user already exist!"),
        ("disk_server", 500, NO_SPACE.format("server")),
        ("disk_new_server", 500, NO_SPACE.format("new server")),
        ("application_user", 500, WHILE.format("application user")),
        ("openlitespeed", 500, WHILE.format("application on openlitespeed")),
        ("application", 500, WHILE.format("application")),
        ("database", 500, WHILE.format("database")),
        ("database_user", 500, WHILE.format("database user")),
        ("error", 500, "Something went really wrong!"),
    ],
)
def test_a_refused_creation(api: Api, answer: str, status: int, text: str) -> None:
    api.knob(create_answer=answer)
    refused(api.post(LANDING + "/staging-area", ORDER), status, text)
    assert api.truth(77)["runs"] == []


@pytest.mark.parametrize(
    ("change", "status", "text"),
    [
        ({"migration_server_id": 99}, 404, "Migration server not found!"),
        ({"migration_server_id": 40}, 404, "Migration server not found!"),  # of somebody else
        ({"database_id": 9999}, 404, "Database not found!"),
        ({"database_id": 1120}, 404, "Database not found!"),  # on another server
        ({"staging_area_name": "reports"}, 500, "Duplicate application name found for this new server."),
        ({"hostname": "reports.test"}, 500, "Duplicate domain name found for this new server."),
    ],
)
def test_a_creation_that_does_not_fit(api: Api, change: dict[str, Any], status: int, text: str) -> None:
    refused(api.post(LANDING + "/staging-area", {**ORDER, **change}), status, text)


@pytest.mark.parametrize(
    ("change", "field", "text"),
    [
        ({"staging_area_name": None}, "staging_area_name", "The staging area name field is required."),
        (
            {"staging_area_name": "a b"},
            "staging_area_name",
            "The staging area name must only contain letters, numbers, dashes and underscores.",
        ),
        ({"migration_server_id": "x"}, "migration_server_id", "The migration server id must be a number."),
        ({"database_id": ""}, "database_id", "The database id field is required."),
        ({"temp_domain": 1}, "temp_sub_domain_name", "The temp sub domain name field is required."),
        ({"temp_domain": "maybe"}, "temp_domain", "The temp domain field must be true or false."),
        ({"hostname": None}, "hostname", "The hostname field is required."),
        ({"wordpressUrlType": None}, "wordpressUrlType", "The wordpress url type field is required."),
    ],
)
def test_fields_are_validated(api: Api, change: dict[str, Any], field: str, text: str) -> None:
    answer = api.post(LANDING + "/staging-area", {**ORDER, **change})
    assert answer.status_code == 422
    assert answer.json() == {"message": "The given data was invalid.", "errors": {field: [text]}}


def test_a_body_that_is_no_json_has_no_fields(api: Api) -> None:
    answer = api.call("POST", LANDING + "/staging-area", data="staging_area_name=x")
    assert len(answer.json()["errors"]) == 6


def test_a_staging_area_is_deleted(api: Api) -> None:
    done(api.call("DELETE", APP + "/remove-staging-area"), "Staging site deleted successfully.")
    refused(api.get(APP + "/status"), 404, "You can not perform this action!")
    refused(api.get(SERVER + "/applications/89"), 404, "Application not found!")
    refused(api.call("DELETE", APP + "/remove-staging-area"), 404, "You cannot perform this action!")
    assert api.truth()["staging"] is None


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("permission", "You cannot perform this action!"),
        ("permission_support", "You cannot perform this action, Please contact support!"),
    ],
)
def test_deleting_needs_the_permission(api: Api, answer: str, text: str) -> None:
    api.knob(sync_answer=answer)
    refused(api.call("DELETE", APP + "/remove-staging-area"), 404, text)
    assert api.truth()["staging"] == "release-2"


def test_nothing_is_deleted_under_a_running_process(api: Api) -> None:
    api.control("POST", "/applications/88/busy", {"seconds": LONG})
    refused(api.call("DELETE", APP + "/remove-staging-area"), 500, "Please wait another process already running!")
    assert api.truth()["staging"] == "release-2"


# Toggle


def test_toggle_flips_and_says_the_same_both_ways(api: Api) -> None:
    listed = []
    for dummy in range(2):
        done(api.get(APP + "/toggle"), "Application enabled/disabled successfully!")
        rows = api.ok(SERVER + "/applications?page=2")["applications"]["data"]
        listed.append(next(each["active"] for each in rows if each["id"] == 88))
    assert listed == [0, 1]
