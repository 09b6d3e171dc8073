# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ServerAvatar part against what is published about the service."""

from __future__ import annotations

import functools
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.simulator.client import ControlError, Simulator, wait_until
from tests.simulator.serveravatar import ServerAvatarPart

LONG = 600.0  # a run that does not end by itself within any test
SERVER = "/organizations/5/servers/15"
APP = SERVER + "/applications/88"

# As published, but for the address and the token.
CURL_SYNC = r"""
curl --request GET \
  --url "https://api.serveravatar.com/organizations/5/servers/15/applications/88/sync" \
  --header 'content-type: application/json' \
  --header 'Authorization: <YOUR API TOKEN>'
"""


class Api:
    """A client with the documented headers."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.url: str = simulator["serveravatar"]["url"]
        self.token: str = simulator["serveravatar"]["api_token"]
        self._session = requests.Session()
        self._session.trust_env = False

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": self.token, "Accept": "application/json", **options.pop("headers", {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        return self._session.request(method, self.url + path, headers=headers, timeout=10, allow_redirects=False, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.call("GET", path, **options)

    def post(self, path: str, body: object) -> requests.Response:
        return self.call("POST", path, json=body)

    def ok(self, path: str) -> Any:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def status(self, application: str = APP) -> dict[str, Any]:
        found: dict[str, Any] = self.ok(application + "/status")
        return found

    def words(self) -> tuple[int, str, str]:
        answer = self.status()
        return answer["configurationInPercentage"], answer["displayText"], answer["siteMigration"]["status"]

    def control(self, method: str, path: str, body: object = None) -> Any:
        return self.simulator.control.part("serveravatar", method, path, body)

    def truth(self, application: int = 88) -> dict[str, Any]:
        found: dict[str, Any] = self.control("GET", f"/applications/{application}")
        return found

    def knob(self, **values: Any) -> None:
        self.simulator.knob("serveravatar", **values)

    def site(self, application: int = 88, path: str = "/") -> requests.Response:
        return self._session.get(f"{self.url}/sites/{application}{path}", timeout=10)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.in_thread([ServerAvatarPart]) as running:
        yield running


@pytest.fixture
def api(simulator: Simulator) -> Api:
    simulator.reset()
    return Api(simulator)


def refused(answer: requests.Response, status: int, text: str) -> None:
    assert (answer.status_code, answer.json()) == (status, {"message": text})
    assert answer.headers["Content-Type"] == "application/json"


def done(answer: requests.Response, text: str) -> None:
    refused(answer, 200, text)


# Authentication


@pytest.mark.parametrize("form", ["{}", "Bearer {}", "bearer {}"])
def test_the_token_is_accepted_raw_and_as_bearer(api: Api, form: str) -> None:
    assert api.get("/organizations", headers={"Authorization": form.format(api.token)}).status_code == 200


@pytest.mark.parametrize("value", [None, "", "wrong", "Bearer wrong", "Basic {}", "Token {}", "{}x", " Bearer"])
def test_anything_else_is_401(api: Api, value: str | None) -> None:
    header = value and value.format(api.token).strip()
    refused(api.get(APP + "/sync", headers={"Authorization": header}), 401, "Unauthenticated.")
    assert api.truth()["runs"] == []


def test_without_accept_an_authentication_failure_may_not_be_json(api: Api) -> None:
    api.knob(auth_failure_without_accept="redirect")
    browser = {"Authorization": "wrong", "Accept": "*/*"}
    answer = api.get("/organizations", headers=browser)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login")
    api.knob(auth_failure_without_accept="html")
    answer = api.get("/organizations", headers=browser)
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "text/html; charset=utf-8")
    refused(api.get("/organizations", headers={"Authorization": "wrong"}), 401, "Unauthenticated.")


def test_the_token_is_not_in_the_request_log(api: Api) -> None:
    api.ok("/organizations")
    log = api.simulator.requests()
    assert [entry["authorization"] for entry in log] == [True]
    assert api.token not in str(log)


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


# Lists


def test_organizations_are_not_paginated(api: Api) -> None:
    found = api.ok("/organizations")
    assert set(found) == {"organizations"}
    assert [(each["id"], each["name"]) for each in found["organizations"]] == [(5, "Lockstep Demo"), (6, "Somebody Else")]
    assert set(found["organizations"][0]) == {"id", "name", "created_at", "members"}


PAGINATOR = {
    "current_page",
    "data",
    "first_page_url",
    "from",
    "last_page",
    "last_page_url",
    "links",
    "next_page_url",
    "path",
    "per_page",
    "prev_page_url",
    "to",
    "total",
}


def test_servers_are_paginated_only_on_request(api: Api) -> None:
    bare = api.ok("/organizations/5/servers")["servers"]
    assert len(bare) == 14
    page = api.ok("/organizations/5/servers?pagination=1")["servers"]
    assert set(page) == PAGINATOR
    assert [page[name] for name in ("current_page", "from", "to", "per_page", "last_page", "total")] == [1, 1, 12, 12, 2, 14]
    assert page["data"] == bare[:12]


def test_the_second_page_and_its_links(api: Api) -> None:
    path = "/organizations/5/servers"
    page = api.ok(path + "?pagination=1&page=2")["servers"]
    assert [each["id"] for each in page["data"]] == [15, 16]
    assert [page[name] for name in ("current_page", "from", "to", "next_page_url")] == [2, 13, 14, None]
    assert page["prev_page_url"] == page["first_page_url"] == f"{api.url}{path}?page=1"
    assert page["path"] == api.url + path
    assert page["links"] == [
        {"url": f"{api.url}{path}?page=1", "label": "&laquo; Previous", "active": False},
        {"url": f"{api.url}{path}?page=1", "label": "1", "active": False},
        {"url": f"{api.url}{path}?page=2", "label": "2", "active": True},
        {"url": None, "label": "Next &raquo;", "active": False},
    ]


def test_applications_are_always_paginated_by_ten(api: Api) -> None:
    first = api.ok(SERVER + "/applications")["applications"]
    second = api.ok(SERVER + "/applications?page=2")["applications"]
    assert (first["per_page"], first["total"], len(first["data"]), len(second["data"])) == (10, 17, 10, 7)
    assert "shop" not in [each["name"] for each in first["data"]]
    shop = next(each for each in second["data"] if each["name"] == "shop")
    assert (shop["id"], shop["server_id"], shop["active"], shop["primary_domain"]) == (88, 15, 1, "shop.test")


def test_applications_of_the_whole_organization(api: Api) -> None:
    page = api.ok("/organizations/5/applications")["applications"]
    assert page["total"] == 19
    assert {"ssl_type", "php_version", "active"} <= set(page["data"][0])


def test_page_sizes_can_be_set(api: Api) -> None:
    api.knob(applications_per_page=3)
    page = api.ok(SERVER + "/applications?page=6")["applications"]
    assert (page["last_page"], len(page["data"])) == (6, 2)


@pytest.mark.parametrize("page", ["0", "-1", "x", ""])
def test_a_page_that_is_none_is_the_first(api: Api, page: str) -> None:
    assert api.ok(f"{SERVER}/applications?page={page}")["applications"]["current_page"] == 1


def test_the_paginator_may_be_the_body_itself(api: Api) -> None:
    backups = api.ok("/organizations/5/backups")
    assert set(backups) == PAGINATOR
    assert (backups["per_page"], backups["total"]) == (10, 12)
    providers = api.ok("/organizations/5/cloud-storage-providers?pagination=1")
    assert set(providers) == PAGINATOR
    assert (providers["per_page"], len(providers["data"])) == (8, 3)
    assert set(providers["data"][0]) == {"id", "name", "provider", "email"}
    assert api.ok("/organizations/5/cloud-storage-providers") == providers["data"]


def test_an_empty_list_and_a_page_beyond_the_last(api: Api) -> None:
    empty = api.ok("/organizations/6/backups")
    assert [empty[name] for name in ("data", "from", "to", "total", "last_page")] == [[], None, None, 0, 1]
    beyond = api.ok("/organizations/5/backups?page=9")
    assert [beyond[name] for name in ("data", "from", "to", "total", "current_page")] == [[], None, None, 12, 9]


def test_databases_can_be_searched(api: Api) -> None:
    found = api.ok(SERVER + "/databases?pagination=1&search=wordpressite")["databases"]
    assert [each["name"] for each in found["data"]] == ["wordpressite_staging"]
    assert len(api.ok(SERVER + "/databases")["databases"]) == 17


# Single objects


def test_a_server_shows_a_secret_and_other_types_than_the_list(api: Api) -> None:
    shown = api.ok(SERVER)["server"]
    listed = next(each for each in api.ok("/organizations/5/servers")["servers"] if each["id"] == 15)
    assert shown["redis_password"]
    assert "redis_password" not in listed
    assert (listed["php_cli_version"], shown["php_cli_version"]) == (8, "8.0")
    assert (listed["php_versions"], shown["php_versions"]) == ('["8.0", "8.1", "8.2"]', ["8.0", "8.1", "8.2"])
    assert (listed["agent_status"], listed["ip"]) == ("1", "54.90.174.225")


def test_a_disconnected_server_and_a_full_disk_show(api: Api) -> None:
    api.knob(disconnected_servers=[15], disk_usage=97.5)
    server = api.ok(SERVER)["server"]
    assert (server["agent_status"], server["latest_monitor_log"]["disk_usage"]) == ("0", 97.5)


def test_organization_and_application(api: Api) -> None:
    assert api.ok("/organizations/5")["organization"]["name"] == "Lockstep Demo"
    shown = api.ok(APP)
    assert set(shown) == {"application", "gitDeployment", "server"}
    assert (shown["application"]["id"], shown["application"]["active"]) == (88, "1")


# The order in which nested ids are looked at

NESTED = [
    ("GET", ""),
    ("GET", "/staging-area-detail"),
    ("POST", "/staging-area"),
    ("GET", "/status"),
    ("GET", "/sync"),
    ("DELETE", "/remove-staging-area"),
    ("GET", "/toggle"),
]


@pytest.mark.parametrize(("method", "path"), NESTED)
@pytest.mark.parametrize(
    ("ids", "text"),
    [
        ((99, 99, 99), "Organization not found!"),
        (("x", 15, 88), "Organization not found!"),
        ((5, 99, 99), "Server not found!"),
        ((6, 15, 88), "Server not found!"),
        ((5, "production", 88), "Server not found!"),
        ((5, 15, 99), "Application not found!"),
        ((5, 16, 88), "Application not found!"),
        ((5, 15, "shop"), "Application not found!"),
    ],
)
def test_ids_are_checked_from_the_outside_in(api: Api, method: str, path: str, ids: tuple[Any, Any, Any], text: str) -> None:
    organization, server, application = ids
    nested = f"/organizations/{organization}/servers/{server}/applications/{application}{path}"
    refused(api.call(method, nested), 404, text)
    assert api.control("GET", "/truth")["syncs_accepted"] == 0


@pytest.mark.parametrize("path", ["/servers", "/servers/15", "/applications", "/backups", "/cloud-storage-providers", ""])
def test_every_other_path_looks_for_the_organization_first(api: Api, path: str) -> None:
    refused(api.get("/organizations/99" + path), 404, "Organization not found!")


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


# The status row


def test_the_row_is_the_documented_one(api: Api) -> None:
    answer = api.status()
    assert list(answer) == ["configurationInPercentage", "displayText", "siteMigration"]
    row = answer["siteMigration"]
    assert len(row.pop("key")) == 32
    for name in ("created_at", "updated_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row.pop(name))
    assert row == {
        "id": 42,
        "server_id": 15,
        "migration_server_id": 15,
        "application_id": 88,
        "database_id": 48,
        "migration_application_id": 89,
        "migration_database_id": None,
        "site_type": "staging_area",
        "type": "application",
        "size": 0,
        "status": "staging_area_completed",
    }


def test_a_sync_moves_the_row_and_production_changes_at_its_end(api: Api) -> None:
    api.knob(sync_seconds=0.5)
    before = api.status()["siteMigration"]
    api.ok(APP + "/sync")
    percent, *words = api.words()
    assert words == ["Staging area in progress", "staging_area_in_progress"]
    assert percent < 100
    truth = api.truth()
    assert (truth["busy"], truth["production"]) == (True, "release-1")
    wait_until(lambda: not api.truth()["busy"])
    assert api.words() == (100, "Staging area completed", "staging_area_completed")
    assert api.truth()["production"] == "release-2"
    after = api.status()["siteMigration"]
    assert (after["id"], after["created_at"]) == (before["id"], before["created_at"])
    assert after["updated_at"] > before["updated_at"]


def test_the_percentage_rises_with_time_and_stays_below_100(api: Api) -> None:
    api.knob(sync_seconds=1.5, sync_outcome="never")
    api.ok(APP + "/sync")
    early = api.words()[0]
    assert wait_until(lambda: api.words()[0] == 99)
    assert early < 99
    assert api.truth()["busy"]


def test_a_run_is_as_long_as_configured(api: Api) -> None:
    api.knob(sync_seconds=0.1)
    api.ok(APP + "/sync")
    run = wait_until(lambda: api.truth()["runs"][0] if api.truth()["runs"][0]["finished_at"] else None)
    assert run["finished_at"] - run["started_at"] == pytest.approx(0.1, abs=1e-3)


def test_the_row_may_not_move_at_all(api: Api) -> None:
    api.knob(status_row="frozen", sync_seconds=0.1)
    before = api.status()
    api.ok(APP + "/sync")
    assert api.status() == before
    wait_until(lambda: api.truth()["overwritten"])
    assert api.status() == before
    assert api.truth()["production"] == "release-2"


def test_a_sync_that_ends_before_the_first_poll_is_betrayed_by_updated_at_only(api: Api) -> None:
    api.knob(sync_seconds=0)
    before = api.status()
    api.ok(APP + "/sync")
    after = api.status()
    assert after["siteMigration"].pop("updated_at") > before["siteMigration"].pop("updated_at")
    assert after == before


def test_the_row_may_only_be_stamped_at_the_end(api: Api) -> None:
    api.knob(status_row="stamp_only", sync_seconds=LONG)
    before = api.status()
    api.ok(APP + "/sync")
    assert api.status() == before
    api.control("POST", "/applications/88/finish")
    after = api.status()
    assert after["siteMigration"].pop("updated_at") > before["siteMigration"].pop("updated_at")
    assert after == before


def test_the_row_may_keep_its_finished_look_for_a_while(api: Api) -> None:
    api.knob(status_row_delay=0.4, sync_seconds=LONG)
    before = api.status()
    api.ok(APP + "/sync")
    assert api.status() == before
    assert wait_until(lambda: api.words()[2] == "staging_area_in_progress")
    assert api.truth()["busy"]


def test_a_stamp_says_nothing_about_the_outcome(api: Api) -> None:
    api.knob(status_row="stamp_only", sync_seconds=0, sync_outcome="failure")
    api.ok(APP + "/sync")
    assert api.words() == (100, "Staging area completed", "staging_area_completed")
    assert api.truth()["production"] == "release-1"


def test_a_row_that_is_slower_than_the_sync_shows_only_its_end(api: Api) -> None:
    api.knob(status_row_delay=0.05, sync_seconds=0, percent_success=98)
    api.ok(APP + "/sync")
    assert api.words()[0] == 98
    time.sleep(0.1)
    assert api.words() == (98, "Staging area completed", "staging_area_completed")


def test_the_row_is_stamped_at_the_start_and_at_the_end(api: Api) -> None:
    api.knob(sync_seconds=LONG)
    stamps = [api.status()["siteMigration"]["updated_at"]]
    api.ok(APP + "/sync")
    stamps.append(api.status()["siteMigration"]["updated_at"])
    api.control("PUT", "/applications/88/row", {"updated_ago": 3600})
    stamps.append(api.status()["siteMigration"]["updated_at"])
    api.control("POST", "/applications/88/finish")
    stamps.append(api.status()["siteMigration"]["updated_at"])
    assert stamps[0] < stamps[2] < stamps[1] <= stamps[3]


def test_a_run_that_was_ended_early_does_not_end_again(api: Api) -> None:
    api.knob(sync_seconds=1.0)
    api.ok(APP + "/sync")
    api.control("POST", "/applications/88/finish")
    time.sleep(1.05)
    assert len(api.truth()["overwritten"]) == 1


def test_a_failed_sync(api: Api) -> None:
    api.knob(sync_outcome="failure", sync_seconds=0)
    done(api.get(APP + "/sync"), "Sync staging to production started.")
    assert api.words() == (0, "Staging area failed", "staging_area_failed")
    truth = api.truth()
    assert (truth["production"], truth["overwritten"], truth["runs"][0]["outcome"]) == ("release-1", [], "failure")
    assert api.site().status_code == 200


def test_a_failed_sync_may_leave_production_half_replaced(api: Api) -> None:
    api.knob(sync_outcome="failure", sync_damages_on_failure=True, sync_seconds=0)
    api.ok(APP + "/sync")
    assert api.truth()["production"] == "release-2/release-1"
    assert len(api.truth()["overwritten"]) == 1
    assert api.site().status_code == 500


def test_a_sync_that_never_ends_can_be_ended(api: Api) -> None:
    api.knob(sync_outcome="never", sync_seconds=0)
    api.ok(APP + "/sync")
    assert api.truth()["busy"]
    api.control("POST", "/applications/88/finish", {"outcome": "failure"})
    assert api.words()[2] == "staging_area_failed"
    assert not api.truth()["busy"]


def test_words_and_percentages_are_configurable(api: Api) -> None:
    api.knob(
        sync_seconds=LONG,
        status_running="sync_in_progress",
        display_running="Syncing",
        percent_running=37,
        status_success="Completed",
        display_success="Done",
        percent_success=0,
    )
    api.ok(APP + "/sync")
    assert api.words() == (37, "Syncing", "sync_in_progress")
    api.control("POST", "/applications/88/finish")
    assert api.words() == (0, "Done", "Completed")


def test_the_row_can_be_given_a_past(api: Api) -> None:
    """As in the documentation's example: a failure of long ago."""
    api.control("PUT", "/applications/88/row", {"status": "staging_area_failed", "display": "Staging area failed", "percent": 0})
    assert api.words() == (0, "Staging area failed", "staging_area_failed")
    stale = api.status()["siteMigration"]["updated_at"]
    api.control("PUT", "/applications/88/row", {"updated_ago": 5})
    assert api.status()["siteMigration"]["updated_at"] > stale


def test_the_clock_of_the_service_may_be_off(api: Api) -> None:
    right = api.status()["siteMigration"]["updated_at"]
    api.knob(clock_offset=-86400)
    assert api.status()["siteMigration"]["updated_at"][:10] < right[:10]


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


# Backups

INSTANT = {
    "provider": "amazon_s3",
    "cloud_storage_provider_id": 7,
    "automatic_backup": False,
    "type": "application",
    "application_id": 88,
    "database_id": 48,
    "name": "before promotion",
    "application_extension": ".tar.gz",
    "database_extension": ".sql.gz",
}
ORG_BACKUPS = "/organizations/5/backups"


def newest(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = max(api.ok(ORG_BACKUPS)["data"], key=lambda row: row["id"])
    return found


def test_an_instant_backup(api: Api) -> None:
    api.knob(backup_seconds=0.4)
    before = newest(api)["id"]
    done(api.post(SERVER + "/backups", INSTANT), "Backup Process has been started successfully!")
    row = newest(api)
    assert (row["id"] > before, row["status"], row["application_size"]) == (True, "In Progress", 0)
    row = wait_until(lambda: newest(api) if newest(api)["status"] == "Completed" else None)
    assert (row["application"]["name"], row["database"]["name"], row["provider"]) == ("shop", "shop", "amazon_s3")
    assert row["backup_configuration"]["name"] == "before promotion"
    assert row["application_size"] > 0
    assert set(row) == {
        *("id", "backup_config_id", "organization_id", "server_id", "cloud_storage_provider_id", "application_id"),
        *("database_id", "backup_hash", "application_size", "database_size", "status", "expires_at", "created_at"),
        *("updated_at", "provider", "totalSize", "database", "application", "backup_configuration"),
    }


def test_a_backup_may_fail(api: Api) -> None:
    api.knob(backup_seconds=0, backup_outcome="failure")
    done(api.post(SERVER + "/backups", INSTANT), "Backup Process has been started successfully!")
    assert newest(api)["status"] == "Failed"
    refused(api.get(f"{ORG_BACKUPS}/{newest(api)['id']}/restore"), 404, "Backup not found!")


def test_a_backup_may_be_listed_only_when_it_has_ended(api: Api) -> None:
    api.knob(backup_seconds=0.4, backup_row_appears="at_end")
    before = newest(api)["id"]
    api.post(SERVER + "/backups", INSTANT)
    assert newest(api)["id"] == before
    assert wait_until(lambda: newest(api)["id"] > before)
    assert newest(api)["status"] == "Completed"


def test_a_backup_may_never_end(api: Api) -> None:
    api.knob(backup_seconds=0, backup_outcome="never")
    api.post(SERVER + "/backups", INSTANT)
    assert newest(api)["status"] == "In Progress"


def test_the_order_of_backups_is_unknown(api: Api) -> None:
    ids = [row["id"] for row in api.ok(ORG_BACKUPS)["data"]]
    assert ids == sorted(ids, reverse=True)
    api.knob(backup_order="oldest_first")
    ids = [row["id"] for row in api.ok(ORG_BACKUPS)["data"]]
    assert ids == sorted(ids)
    assert 312 not in ids  # the latest is on the second page


@pytest.mark.parametrize(
    ("change", "status", "text"),
    [
        ({"cloud_storage_provider_id": 99}, 404, "Cloud storage Provider not found!"),
        ({"cloud_storage_provider_id": 8}, 404, "Cloud storage Provider not found!"),  # a Google Drive
        ({"application_id": 120}, 404, "Application not found!"),
        ({"database_id": 9999}, 404, "Database not found!"),
        ({"automatic_backup": 1}, 500, "Invalid schedule!"),
        (
            {"automatic_backup": 1, "schedule": "daily", "start_backup": "2020-01-01 00:00"},
            500,
            "Start from choose future date!",
        ),
        (
            {"provider": "serveravatar", "cloud_storage_provider_id": 9, "retention_period": "a while"},
            500,
            "Invalid retention period!",
        ),
    ],
)
def test_a_refused_backup(api: Api, change: dict[str, Any], status: int, text: str) -> None:
    before = api.ok(ORG_BACKUPS)["total"]
    refused(api.post(SERVER + "/backups", {**INSTANT, **change}), status, text)
    assert api.ok(ORG_BACKUPS)["total"] == before


def test_a_backup_needs_space(api: Api) -> None:
    api.knob(backup_disk_full=True)
    text = "Instant Backup is failed because you do not have enough disk space available on your server."
    refused(api.post(SERVER + "/backups", INSTANT), 500, text)


def test_a_scheduled_backup_is_only_planned(api: Api) -> None:
    before = api.ok(ORG_BACKUPS)["total"]
    body = {**INSTANT, "automatic_backup": True, "schedule": "daily", "start_backup": "2999-01-01 00:00"}
    done(api.post(SERVER + "/backups", body), "Backup plan created successfully.")
    assert api.ok(ORG_BACKUPS)["total"] == before


@pytest.mark.parametrize("field", ["provider", "cloud_storage_provider_id", "automatic_backup", "type", "application_id"])
def test_fields_of_a_backup_are_required(api: Api, field: str) -> None:
    answer = api.post(SERVER + "/backups", {name: value for name, value in INSTANT.items() if name != field})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])


def test_fields_of_a_backup_are_validated(api: Api) -> None:
    answer = api.post(SERVER + "/backups", {**INSTANT, "type": "everything", "provider": "tape"})
    assert answer.json()["errors"] == {
        "provider": ["The selected provider is invalid."],
        "type": ["The selected type is invalid."],
    }
    answer = api.post(SERVER + "/backups", {**INSTANT, "provider": "serveravatar"})
    text = "The retention period field is required when provider is serveravatar."
    assert answer.json()["errors"] == {"retention_period": [text]}


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


def test_backups_are_deleted_together_or_not_at_all(api: Api) -> None:
    refused(api.post(ORG_BACKUPS + "/destroy", {"ids": [301, 999]}), 404, "Backup not found!")
    assert api.ok(ORG_BACKUPS)["total"] == 12
    assert api.post(ORG_BACKUPS + "/destroy", {"ids": [301, 302]}).status_code == 200
    assert api.ok(ORG_BACKUPS)["total"] == 10
    assert api.post(ORG_BACKUPS + "/destroy", {}).status_code == 422


# Methods and paths


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", APP + "/sync", "GET, HEAD"),
        ("DELETE", APP + "/sync", "GET, HEAD"),
        ("PUT", APP + "/status", "GET, HEAD"),
        ("GET", APP + "/staging-area", "POST"),
        ("GET", APP + "/remove-staging-area", "DELETE"),
        ("POST", APP + "/staging-area-detail", "GET, HEAD"),
        ("GET", SERVER + "/backups", "POST"),
        ("GET", ORG_BACKUPS + "/destroy", "POST"),
        ("POST", ORG_BACKUPS + "/301/restore", "GET, HEAD"),
    ],
)
def test_wrong_methods_are_405_and_do_nothing(api: Api, method: str, path: str, allowed: str) -> None:
    answer = api.call(method, path)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == allowed
    assert answer.json()["message"] == f"The {method} method is not supported for this route. Supported methods: {allowed}."
    truth = api.truth()
    assert (truth["runs"], truth["restores"], truth["staging"]) == ([], [], "release-2")


def test_unknown_paths_are_404(api: Api) -> None:
    refused(api.get("/organisations"), 404, "The route organisations could not be found.")
    refused(api.get(APP + "/sync/"), 404, f"The route {APP.lstrip('/')}/sync/ could not be found.")


def test_head_has_the_effects_of_get(api: Api) -> None:
    api.call("HEAD", APP + "/sync")
    assert [(entry["method"], entry["kind"]) for entry in api.simulator.requests()] == [("HEAD", "mutate")]
    assert len(api.truth()["runs"]) == 1


def test_head_may_not_be_supported_and_options_is_harmless(api: Api) -> None:
    api.knob(head_runs_get=False)
    assert api.call("HEAD", APP + "/sync").status_code == 405
    answer = api.call("OPTIONS", APP + "/sync")
    assert (answer.status_code, answer.headers["Allow"]) == (200, "GET, HEAD")
    assert api.truth()["runs"] == []


# Rate limit


def test_too_many_requests_are_429_before_anything_is_done(api: Api) -> None:
    api.knob(rate_limit=2, rate_window=20.0)
    left = [api.get("/organizations").headers["X-RateLimit-Remaining"] for dummy in range(2)]
    answer = api.get(APP + "/sync")
    refused(answer, 429, "Too Many Attempts.")
    assert left == ["1", "0"]
    assert int(answer.headers["Retry-After"]) == 10  # one of two tokens is back after half of the window
    assert api.truth()["runs"] == []


def test_tokens_come_back(api: Api) -> None:
    api.knob(rate_limit=1, rate_window=0.5)
    assert api.get("/organizations").status_code == 200
    assert api.get("/organizations").status_code == 429
    assert wait_until(lambda: api.get("/organizations").status_code == 200, seconds=5)


def test_retry_after_can_be_dictated(api: Api) -> None:
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    api.knob(rate_limit=0, rate_retry_after=date)
    assert api.get("/organizations").headers["Retry-After"] == date


def test_a_429_without_the_limit_is_a_fault_away(api: Api) -> None:
    body = '{"message":"Too Many Attempts."}'
    fault = {"code": 429, "body": body, "content_type": "application/json", "headers": {"Retry-After": "1"}}
    api.simulator.fault("status", part="serveravatar", request_kind="mutate", **fault)
    refused(api.get(APP + "/sync"), 429, "Too Many Attempts.")
    done(api.get(APP + "/sync"), "Sync staging to production started.")


# The sites


def test_sites_tell_their_release(api: Api) -> None:
    production, staging = api.site(), api.site(89, "/any/page?x=1")
    assert (production.status_code, production.headers["X-Release"], production.headers["X-Site"]) == (
        200,
        "release-1",
        "production",
    )
    assert (staging.status_code, staging.headers["X-Release"], staging.headers["X-Site"]) == (200, "release-2", "staging")
    assert "shop release-1" in production.text
    assert api.site(path="/health").json() == {"status": "ok", "release": "release-1"}
    assert requests.get(f"{api.url}/sites/shop/", timeout=10).text == production.text
    assert requests.get(f"{api.url}/sites/unknown/", timeout=10).status_code == 404


def test_a_sync_shows_on_the_site_of_production(api: Api) -> None:
    api.knob(sync_seconds=0)
    api.ok(APP + "/sync")
    assert api.site().headers["X-Release"] == "release-2"


def test_a_release_may_break_production_only(api: Api) -> None:
    api.knob(sync_seconds=0, broken_release="release-2")
    assert (api.site().status_code, api.site(89).status_code) == (200, 200)
    api.ok(APP + "/sync")
    assert (api.site().status_code, api.site(89).status_code) == (500, 200)
    assert api.site(path="/health").json() == {"status": "broken", "release": "release-2"}


def test_production_may_be_down_while_and_after_it_is_overwritten(api: Api) -> None:
    api.knob(sync_seconds=LONG, site_during_sync="down", site_warmup_seconds=0.4)
    api.ok(APP + "/sync")
    assert api.site(path="/health").json()["status"] == "updating"
    api.control("POST", "/applications/88/finish")
    assert (api.site(path="/health").status_code, api.site(path="/health").json()["status"]) == (503, "starting")
    assert wait_until(lambda: api.site().status_code == 200)


def test_a_disabled_application_has_no_site(api: Api) -> None:
    api.ok(APP + "/toggle")
    assert api.site().status_code == 503


# The part itself


def test_reset_restores_everything(api: Api) -> None:
    api.knob(sync_seconds=0, backup_seconds=0)
    api.ok(APP + "/sync")
    api.post(SERVER + "/backups", INSTANT)
    api.ok(APP + "/toggle")
    api.call("DELETE", SERVER + "/applications/90/remove-staging-area")
    api.simulator.reset()
    truth = api.truth()
    assert (truth["production"], truth["runs"], truth["active"], truth["backups"]) == ("release-1", [], True, [301, 305, 309])
    assert api.truth(90)["staging"] == "release-2"
    assert api.words() == (100, "Staging area completed", "staging_area_completed")


def test_what_was_due_before_a_reset_does_not_happen_after_it(api: Api) -> None:
    api.knob(sync_seconds=0.1)
    api.ok(APP + "/sync")
    api.simulator.reset()
    with pytest.raises(AssertionError):
        wait_until(lambda: api.truth()["production"] == "release-2", seconds=0.2)


def test_many_applications_can_be_added(api: Api) -> None:
    made = api.control("POST", "/applications", {"count": 30, "prefix": "tenant"})["applications"]
    assert [each["name"] for each in made] == [f"tenant-{number}" for number in range(1, 31)]
    api.knob(sync_seconds=0)
    for each in made:
        api.ok(f"{SERVER}/applications/{each['id']}/sync")
    assert api.control("GET", "/truth")["overwritten"] == 30
    assert api.ok(SERVER + "/applications")["applications"]["total"] == 17 + 60


def test_the_description_is_true(api: Api) -> None:
    about = api.simulator["serveravatar"]
    server = f"/organizations/{about['organization']}/servers/{about['server']}"
    assert api.ok(server)["server"]["name"] == about["server_name"]
    assert api.ok(f"/organizations/{about['organization']}")["organization"]["name"] == about["organization_name"]
    for number, name in zip(about["applications"], about["application_names"], strict=True):
        assert api.ok(f"{server}/applications/{number}")["application"]["name"] == name
        assert api.ok(f"{server}/applications/{number}/staging-area-detail")["is_availabel_staging_area"]
    without = about["application_without_staging"]
    assert not api.ok(f"{server}/applications/{without}/staging-area-detail")["is_availabel_staging_area"]
    assert api.ok(f"{server}/applications/{without}")["application"]["name"] == about["application_without_staging_name"]
    assert (about["application"], about["application_name"], about["staging_application"]) == (88, "shop", 89)
    providers = {each["id"]: each["provider"] for each in api.ok("/organizations/5/cloud-storage-providers")}
    assert providers[about["backup_provider"]] == about["backup_provider_type"]
    assert requests.get(about["sites"]["production"], timeout=10).headers["X-Site"] == "production"
    assert requests.get(about["sites"]["staging"], timeout=10).headers["X-Site"] == "staging"
