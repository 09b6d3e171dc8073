# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sync: the published example, refusals, and the lock."""

from __future__ import annotations

import shlex
import subprocess
from typing import Any

import pytest
import requests

from tests.simulator.client import ControlError, wait_until
from tests.simulator_tests.serveravatar.client import APP, LONG, SERVER, Api, done, refused

# As published, but for the address and the token.
CURL_SYNC = r"""
curl --request GET \
  --url "https://api.serveravatar.com/organizations/5/servers/15/applications/88/sync" \
  --header 'content-type: application/json' \
  --header 'Authorization: <YOUR API TOKEN>'
"""


# The published example


def test_the_published_curl_command_overwrites_production(api: Api) -> None:
    api.knob(sync_seconds=0)
    command = CURL_SYNC.replace("https://api.serveravatar.com", api.url).replace("<YOUR API TOKEN>", api.token)
    found = subprocess.run([*shlex.split(command.replace("\\\n", " ")), "--silent"], capture_output=True, check=True, timeout=20)
    assert found.stdout == b'{"message":"Sync staging to production started."}'
    truth = api.truth()
    assert (truth["production"], truth["staging"], len(truth["overwritten"])) == ("release-2", "release-2", 1)


def test_the_request_log_knows_that_this_get_is_a_mutation(api: Api) -> None:
    api.ok(APP + "/sync")
    api.ok(APP + "/status")
    api.ok(APP + "/staging-area-detail")
    kinds = [(entry["kind"], entry["path"].rpartition("/")[2]) for entry in api.simulator.requests()]
    assert kinds == [("mutate", "sync"), ("observe", "status"), ("observe", "staging-area-detail")]


@pytest.mark.parametrize("path", ["/toggle", "/sync"])
def test_every_get_with_effects_is_logged_as_mutation(api: Api, path: str) -> None:
    api.ok(APP + path)
    assert [entry["kind"] for entry in api.simulator.requests()] == ["mutate"]


# Refusals of the sync


DISK = "Staging site sync is failed because you do not have enough disk space available on your {} server!"


@pytest.mark.parametrize(
    ("answer", "status", "text"),
    [
        ("permission", 404, "You cannot perform this action!"),
        ("permission_support", 404, "You cannot perform this action, Please contact support!"),
        ("busy", 500, "Please wait another process already running!"),
        ("staging_server", 404, "Staging server not found!"),
        ("staging_application", 404, "Staging application not found!"),
        ("staging_database", 404, "Staging database not found!"),
        ("disk_staging", 500, DISK.format("staging")),
        ("disk_production", 500, DISK.format("production")),
        ("error_before", 500, "Something went really wrong!"),
    ],
)
def test_a_refused_sync_does_nothing(api: Api, answer: str, status: int, text: str) -> None:
    before = api.status()
    api.knob(sync_answer=answer, sync_seconds=0)
    refused(api.get(APP + "/sync"), status, text)
    truth = api.truth()
    assert (truth["runs"], truth["production"], truth["overwritten"]) == ([], "release-1", [])
    assert api.status() == before


def test_an_error_may_come_after_the_sync_has_started(api: Api) -> None:
    api.knob(sync_answer="error_after", sync_seconds=0)
    refused(api.get(APP + "/sync"), 500, "Something went really wrong!")
    assert api.truth()["production"] == "release-2"


def test_an_application_without_staging_cannot_be_synced(api: Api) -> None:
    refused(api.get(SERVER + "/applications/77/sync"), 404, "You cannot perform this action!")
    refused(api.get(SERVER + "/applications/77/status"), 404, "You can not perform this action!")
    refused(api.get(SERVER + "/applications/89/sync"), 404, "You cannot perform this action!")  # the copy itself


def test_one_application_can_behave_differently(api: Api) -> None:
    api.knob(sync_seconds=0, applications={"90": {"sync_answer": "disk_staging"}, "92": {"sync_outcome": "failure"}})
    for application in (88, 90, 92):
        api.get(f"{SERVER}/applications/{application}/sync")
    assert [api.truth(application)["production"] for application in (88, 90, 92)] == ["release-2", "release-1", "release-1"]
    assert api.status(SERVER + "/applications/92")["siteMigration"]["status"] == "staging_area_failed"


@pytest.mark.parametrize(
    "overrides", [{"88": {"sync_secs": 1}}, {"88": {"sync_seconds": "1"}}, {"88": 1}, {"88": {"applications": {}}}]
)
def test_wrong_overrides_are_refused_when_they_are_set(api: Api, overrides: dict[str, Any]) -> None:
    with pytest.raises(ControlError):
        api.knob(applications=overrides)


def test_texts_can_drift_as_they_do_between_pages(api: Api) -> None:
    api.knob(drifted_texts=True)
    refused(api.get("/organizations/99"), 404, "Organization not found.")
    refused(api.get(SERVER + "/applications/77/sync"), 404, "You can not perform this action.")
    refused(api.get(SERVER + "/applications/77/status"), 404, "You cannot perform this action.")
    api.knob(sync_answer="error_before")
    refused(api.get(APP + "/sync"), 500, "Something went wrong.")


# The lock, and the trap behind it


def test_a_second_sync_is_refused_while_one_runs(api: Api) -> None:
    api.knob(sync_seconds=LONG)
    done(api.get(APP + "/sync"), "Sync staging to production started.")
    refused(api.get(APP + "/sync"), 500, "Please wait another process already running!")
    assert len(api.truth()["runs"]) == 1
    assert api.get(SERVER + "/applications/90/sync").status_code == 200  # one lock for each application


def test_a_sync_after_the_end_overwrites_production_again(api: Api) -> None:
    """The trap for everybody who calls sync to see whether it still runs."""
    api.knob(sync_seconds=0.05)
    done(api.get(APP + "/sync"), "Sync staging to production started.")
    wait_until(lambda: not api.truth()["busy"])
    api.control("PUT", "/applications/88/content", {"staging": "release-3"})
    done(api.get(APP + "/sync"), "Sync staging to production started.")
    truth = wait_until(lambda: api.truth() if not api.truth()["busy"] else None)
    assert (len(truth["overwritten"]), truth["production"]) == (2, "release-3")
    assert api.control("GET", "/truth")["overwritten"] == 2


def test_the_lock_may_be_held_by_another_process_that_the_row_does_not_show(api: Api) -> None:
    before = api.status()
    api.control("POST", "/applications/88/busy", {"seconds": 0.4})
    assert api.status() == before
    refused(api.get(APP + "/sync"), 500, "Please wait another process already running!")
    assert wait_until(lambda: api.get(APP + "/sync").status_code == 200)


def test_somebody_else_may_press_the_button(api: Api) -> None:
    api.knob(sync_seconds=LONG)
    api.control("POST", "/applications/88/sync")
    assert api.words()[2] == "staging_area_in_progress"
    refused(api.get(APP + "/sync"), 500, "Please wait another process already running!")
    assert [entry["kind"] for entry in api.simulator.requests(path="sync$")] == ["mutate"]  # the refused one
    assert api.control("GET", "/truth")["syncs_accepted"] == 0
    api.control("POST", "/applications/88/finish")
    assert (api.truth()["production"], api.truth()["runs"][0]["source"]) == ("release-2", "control")
    with pytest.raises(ControlError, match="nothing is running"):
        api.control("POST", "/applications/88/finish")


def test_a_lost_reply_has_its_effect(api: Api) -> None:
    api.simulator.fault("drop_after", part="serveravatar", path_regex="/sync$")
    with pytest.raises(requests.ConnectionError):
        api.get(APP + "/sync")
    assert len(api.truth()["runs"]) == 1
