# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Crafter part against docs/reference/crafter.md; its repositories are read with plain git."""

from __future__ import annotations

import base64
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.simulator.client import ControlError, Simulator, wait_until
from tests.simulator.crafter import CrafterPart

API1 = "/api/1/services/api/1/"
RESET = API1 + "publish/reset-staging.json"
SYNC = API1 + "publish/sync-staging.json"
START = API1 + "publish/start.json"
STOP = API1 + "publish/stop.json"
STATUS1 = API1 + "publish/status.json"
LOGIN = API1 + "security/login.json"
STATUS = "/api/2/publish/status"
PACKAGES = "/api/2/publish/packages"
ITEM_STATES = "/api/2/workflow/item_states"
WORKFLOW_PUBLISH = "/api/2/workflow/publish"
PUBLISH_ALL = "/api/2/publish/all"

HOME = "/site/website/index.xml"
OFFERS = "/site/website/offers/index.xml"
STAGED, LIVE = 512, 1024

RESET_PROFILES = ("3.0", "3.1", "4.0", "4.1")
PROFILES = ("documented", *RESET_PROFILES, "4.2", "5.0")
ENVELOPE_OK = {"code": 0, "message": "OK", "remedialAction": "", "documentationUrl": ""}
UNAUTHENTICATED = {
    "response": {"code": 2000, "message": "Unauthenticated", "remedialAction": "Please login first", "documentationUrl": ""}
}


@pytest.fixture(scope="module", name="simulator")
def _simulator() -> Iterator[Simulator]:
    with Simulator.in_thread([CrafterPart]) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(simulator: Simulator) -> None:
    """As at the start, with a clock in a hurry."""
    simulator.reset()
    simulator.knob("crafter", queue_seconds=0.05, processing_seconds=0.03, publishing_seconds=0.03)


class Client:
    """Speaks as a user of one release: by session and CSRF pair before 4.0, by token from then on."""

    def __init__(self, simulator: Simulator, user: str | None = "admin", stateless: bool = True) -> None:
        self.info = simulator["crafter"]
        self.session = requests.Session()
        self.session.trust_env = False
        if not stateless:
            self.session.cookies.set("XSRF-TOKEN", "a-value")
            self.session.headers["X-XSRF-TOKEN"] = "a-value"
            if user is not None:
                answer = self.post(LOGIN, {"username": user, "password": self.info["users"][user]["password"]})
                assert answer.status_code == 200
        elif user is not None:
            self.session.headers["Authorization"] = f"Bearer {self.info['users'][user]['api_token']}"

    def get(self, route: str, /, **query: Any) -> requests.Response:
        return self.session.get(self.info["url"] + route, params=query, timeout=30, allow_redirects=False)

    def post(self, path: str, body: Any = None, /, **options: Any) -> requests.Response:
        return self.session.post(self.info["url"] + path, json=body, timeout=30, allow_redirects=False, **options)

    def reset(self, site: str = "mysite", **extra: Any) -> requests.Response:
        return self.post(RESET, {"site_id": site, **extra})

    def entity(self, name: str, route: str, /, **query: Any) -> Any:
        """The content of a successful answer, without its envelope."""
        answer = self.get(route, **query)
        assert answer.status_code == 200, answer.text
        assert answer.json()["response"] == ENVELOPE_OK
        return answer.json()[name]


def as_of(simulator: Simulator, profile: str, user: str | None = "admin") -> Client:
    simulator.knob("crafter", profile=profile, version=None)
    return Client(simulator, user, stateless=profile >= "4" and profile != "documented")


def as_of_version(simulator: Simulator, version: str, user: str | None = "admin") -> Client:
    simulator.knob("crafter", profile="4.1", version=version)
    return Client(simulator, user, stateless=version >= "4")


def anonymous(simulator: Simulator, profile: str) -> Client:
    return as_of(simulator, profile, user=None)


@pytest.fixture(name="studio")
def _studio(simulator: Simulator) -> Client:
    """An administrator of a 4.1."""
    return as_of(simulator, "4.1")


def control(simulator: Simulator, method: str, path: str, body: object = None, **query: Any) -> Any:
    return simulator.control.part("crafter", method, path, body, **query)


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True, timeout=30).stdout


def repository(simulator: Simulator, site: str = "mysite") -> str:
    return str(simulator["crafter"]["published_repo"].format(site=site))


def ls_remote(simulator: Simulator, site: str = "mysite", address: str | None = None) -> dict[str, str]:
    """Branches and their commits, as anybody can see them."""
    lines = git("ls-remote", "--heads", address or repository(simulator, site)).splitlines()
    return {name.removeprefix("refs/heads/"): commit for commit, name in (line.split("\t") for line in lines)}


def tree(simulator: Simulator, branch: str, site: str = "mysite") -> str:
    return git("-C", repository(simulator, site), "rev-parse", f"{branch}^{{tree}}").strip()


def has_repository(simulator: Simulator, site: str) -> bool:
    return Path(repository(simulator, site)).exists()


def resets(simulator: Simulator, site: str = "mysite") -> int:
    return int(control(simulator, "GET", "/sites")[site]["resets"])


def is_page(answer: requests.Response, status: int) -> bool:
    """An error page of the container: HTML, no JSON."""
    return answer.status_code == status and answer.headers["Content-Type"].startswith("text/html") and "<html" in answer.text


def in_background(work: Any, *arguments: Any) -> Future[Any]:
    pool = ThreadPoolExecutor(1)
    future = pool.submit(work, *arguments)
    pool.shutdown(wait=False)
    return future


class TestStart:
    def test_describes_itself(self, simulator: Simulator) -> None:
        info = simulator["crafter"]
        assert info["url"].endswith("/studio")
        assert info["site"] == "mysite"
        assert info["sites"] == ["mysite", "second", "nostaging", "unpublished", "qasite", "identical"]
        assert set(info["users"]) == {"admin", "publisher", "member", "visitor"}
        assert info["users"]["admin"] == {"password": info["password"], "api_token": info["api_token"]}
        assert info["username"] == "admin"
        assert info["management_token"] == "defaultManagementToken"

    def test_seeded_branches(self, simulator: Simulator) -> None:
        mysite, second, identical = (ls_remote(simulator, site) for site in ("mysite", "second", "identical"))
        assert set(mysite) == {"live", "staging"}
        assert tree(simulator, "live") != tree(simulator, "staging")
        assert second["live"] != second["staging"]
        assert tree(simulator, "live", "second") == tree(simulator, "staging", "second")
        assert identical["live"] == identical["staging"]
        assert set(ls_remote(simulator, "nostaging")) == {"live"}
        assert set(ls_remote(simulator, "qasite")) == {"live", "qa"}
        assert not has_repository(simulator, "unpublished")

    def test_the_initial_publish_makes_orphans(self, simulator: Simulator) -> None:
        refs = ls_remote(simulator, "second")
        for commit in refs.values():
            assert git("-C", repository(simulator, "second"), "rev-list", "--count", commit).strip() == "1"

    def test_a_simulator_reset_restores_everything(self, simulator: Simulator, studio: Client) -> None:
        before = ls_remote(simulator)
        studio.reset()
        control(simulator, "POST", "/sites", {"sites": ["extra"]})
        assert ls_remote(simulator) != before
        simulator.reset()
        assert ls_remote(simulator) == before
        assert resets(simulator) == 0
        assert "extra" not in control(simulator, "GET", "/sites")
        assert not has_repository(simulator, "extra")

    def test_runs_as_listed_part(self) -> None:
        with Simulator.start(parts=["crafter"]) as alone:
            assert Client(alone).reset().json() == {"message": "OK"}

    def test_kinds(self, simulator: Simulator, studio: Client) -> None:
        studio.reset()
        for path in (START, STOP, PUBLISH_ALL, WORKFLOW_PUBLISH, "/api/2/publish/cancel", SYNC):
            studio.post(path, {})
        studio.get(STATUS, siteId="mysite")
        studio.get(RESET)
        as_of(simulator, "3.1").post(API1 + "security/logout.json")
        mutations = [entry["path"].removeprefix("/studio") for entry in simulator.requests(kind="mutate")]
        assert mutations == [RESET, START, STOP, PUBLISH_ALL, WORKFLOW_PUBLISH, "/api/2/publish/cancel", SYNC]

    def test_the_management_token_is_not_logged(self, simulator: Simulator, studio: Client) -> None:
        studio.get("/api/2/monitoring/version", token="secret-management")
        assert "secret-management" not in str(simulator.requests())


class TestPublishedContract:
    """Section 1.1, column A, and the published page."""

    def test_the_published_example(self, simulator: Simulator) -> None:
        client = as_of(simulator, "documented")
        control(simulator, "POST", "/sites/mysite/commit", {"branch": "qa", "files": {"draft.txt": "only in qa"}})
        before = ls_remote(simulator)
        assert before["qa"] != before["live"]
        answer = client.post("/api/1/services/api/1/publish/sync-staging.json", {"site_id": "mysite", "environment": "qa"})
        assert answer.status_code == 200
        assert answer.json() == {"message": "OK"}
        after = ls_remote(simulator)
        assert after == before | {"qa": before["live"]}

    def test_creates_a_missing_branch(self, simulator: Simulator) -> None:
        assert as_of(simulator, "documented").post(SYNC, {"site_id": "mysite", "environment": "qa"}).status_code == 200
        refs = ls_remote(simulator)
        assert refs["qa"] == refs["live"]

    @pytest.mark.parametrize("scheme", ["token", "basic", "session"])
    def test_any_sign_in_will_do(self, simulator: Simulator, scheme: str) -> None:
        info = simulator["crafter"]
        client = as_of(simulator, "documented", user="admin" if scheme == "session" else None)
        if scheme == "token":
            client = Client(simulator)
        elif scheme == "basic":
            client.session.auth = (info["username"], info["password"])
        assert client.post(SYNC, {"site_id": "mysite", "environment": "staging"}).status_code == 200

    @pytest.mark.parametrize(
        ("body", "status", "page", "code"),
        [
            ({}, 400, "Invalid parameter(s)", "Invalid parameter(s): [site_id, environment]"),
            ({"site_id": "mysite"}, 400, "Invalid parameter(s)", "Invalid parameter(s): [environment]"),
            ({"site_id": "", "environment": "qa"}, 400, "Invalid parameter(s)", "Invalid parameter(s): [site_id]"),
            ({"site_id": 7, "environment": "qa"}, 400, "Invalid parameter(s)", "Invalid parameter(s): [site_id]"),
            ({"site_id": "nowhere", "environment": "qa"}, 404, "Site not found", "Site not found"),
            ({"site_id": "mysite", "environment": "prod"}, 404, "Environment not found", "Environment not found"),
            (
                {"site_id": "unpublished", "environment": "qa"},
                500,
                "Internal server error",
                "Internal server error: \njava.lang.NullPointerException",
            ),
        ],
    )
    def test_refusals(self, simulator: Simulator, body: dict[str, Any], status: int, page: str, code: str) -> None:
        client = as_of(simulator, "documented")
        for strings, text in (("page", page), ("code", code)):
            simulator.knob("crafter", documented_strings=strings)
            answer = client.post(SYNC, body)
            assert (answer.status_code, answer.json()) == (status, {"message": text})
        assert resets(simulator) == 0

    def test_bad_json(self, simulator: Simulator) -> None:
        answer = as_of(simulator, "documented").post(SYNC, data="{not json")
        assert (answer.status_code, answer.json()) == (400, {"message": "Bad Request"})

    def test_unauthorized(self, simulator: Simulator) -> None:
        answer = anonymous(simulator, "documented").post(SYNC, {"site_id": "mysite", "environment": "qa"})
        assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})

    def test_site_members_may(self, simulator: Simulator) -> None:
        member = as_of(simulator, "documented", "member")
        assert member.post(SYNC, {"site_id": "mysite", "environment": "qa"}).status_code == 200
        answer = member.post(SYNC, {"site_id": "qasite", "environment": "qa"})
        assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})

    def test_fails_while_staging_is_checked_out(self, simulator: Simulator) -> None:
        client = as_of(simulator, "documented")
        simulator.knob("crafter", documented_strings="code")
        control(simulator, "POST", "/sites/mysite/checkout", {"branch": "staging"})
        before = ls_remote(simulator)
        answer = client.post(SYNC, {"site_id": "mysite", "environment": "staging"})
        assert answer.status_code == 500
        assert answer.json()["message"].startswith("Internal server error: \n")
        assert "is checked out" in answer.json()["message"]
        assert ls_remote(simulator) == before

    def test_without_live_the_environment_is_lost(self, simulator: Simulator) -> None:
        client = as_of(simulator, "documented")
        control(simulator, "DELETE", "/sites/mysite/refs/live")
        assert client.post(SYNC, {"site_id": "mysite", "environment": "staging"}).status_code == 500
        assert ls_remote(simulator) == {}

    def test_has_no_reset(self, simulator: Simulator) -> None:
        answer = as_of(simulator, "documented").reset()
        assert (answer.status_code, answer.json()) == (400, {"message": "REST script not found"})


class TestResetStaging:
    """Section 1.1, column B, and 1.2."""

    @pytest.mark.parametrize("profile", RESET_PROFILES)
    def test_moves_the_branch(self, simulator: Simulator, profile: str) -> None:
        client, before = as_of(simulator, profile), ls_remote(simulator)
        answer = client.reset()
        assert answer.status_code == 200
        assert answer.content == b'{"message":"OK"}'
        assert answer.headers["Content-Type"] == "application/json"
        assert ls_remote(simulator) == {"live": before["live"], "staging": before["live"]}
        assert resets(simulator) == 1

    @pytest.mark.parametrize("profile", RESET_PROFILES)
    def test_bad_parameters(self, simulator: Simulator, profile: str) -> None:
        client = as_of(simulator, profile)
        for body in ({}, {"site_id": ""}, {"site_id": None}, {"site": "mysite"}, ["mysite"]):
            answer = client.post(RESET, body)
            assert (answer.status_code, answer.json()) == (400, {"message": "Invalid parameter(s): [site_id]"})

    @pytest.mark.parametrize("profile", RESET_PROFILES)
    def test_bad_bodies(self, simulator: Simulator, profile: str) -> None:
        client = as_of(simulator, profile)
        malformed, empty = client.post(RESET, data="{"), client.post(RESET, data="")
        assert (malformed.status_code, malformed.json()) == (400, {"message": "Bad Request"})
        assert empty.status_code == 500
        assert set(empty.json()) == {"message"}
        assert not empty.json()["message"].startswith("Bad Request")

    def test_extra_keys_are_ignored(self, simulator: Simulator, studio: Client) -> None:
        assert studio.reset(environment="no-such-environment").json() == {"message": "OK"}
        refs = ls_remote(simulator)
        assert refs["staging"] == refs["live"]

    def test_history_is_dropped_and_nothing_is_committed(self, simulator: Simulator, studio: Client) -> None:
        control(simulator, "POST", "/sites/mysite/commit", {"branch": "other", "files": {"a": "b"}})
        before, path = ls_remote(simulator), repository(simulator)
        git("-C", path, "config", "branch.staging.remote", "origin")
        studio.reset()
        after = ls_remote(simulator)
        assert after == before | {"staging": before["live"]}
        assert git("-C", path, "rev-list", "--count", "staging").strip() == "1"
        assert git("-C", path, "tag", "--list") == ""
        assert "branch.staging" not in git("-C", path, "config", "--list", "--local")

    def test_a_checked_out_staging_is_no_obstacle(self, simulator: Simulator, studio: Client) -> None:
        control(simulator, "POST", "/sites/mysite/checkout", {"branch": "staging"})
        assert studio.reset().status_code == 200
        assert control(simulator, "GET", "/sites/mysite/refs")["head"] == "live"
        assert git("-C", repository(simulator), "status", "--porcelain") == ""

    def test_site_branch_names(self, simulator: Simulator, studio: Client) -> None:
        before = ls_remote(simulator, "qasite")
        assert studio.reset("qasite").status_code == 200
        assert ls_remote(simulator, "qasite") == before | {"qa": before["live"]}

    def test_3_0_14_knew_global_names_only(self, simulator: Simulator) -> None:
        client = as_of_version(simulator, "3.0.14")
        before = ls_remote(simulator, "qasite")
        assert client.reset("qasite").status_code == 200
        assert ls_remote(simulator, "qasite") == before | {"staging": before["live"]}

    def test_renamed_live(self, simulator: Simulator, studio: Client) -> None:
        control(simulator, "POST", "/sites", {"sites": ["renamed"], "live_branch": "production", "drift": "ahead"})
        before = ls_remote(simulator, "renamed")
        assert set(before) == {"production", "staging"}
        assert studio.reset("renamed").status_code == 200
        assert ls_remote(simulator, "renamed")["staging"] == before["production"]

    def test_again_changes_nothing(self, simulator: Simulator, studio: Client) -> None:
        studio.reset()
        once = ls_remote(simulator)
        assert studio.reset().status_code == 200
        assert ls_remote(simulator) == once
        assert resets(simulator) == 2

    def test_is_recorded_for_tests(self, simulator: Simulator) -> None:
        before = ls_remote(simulator)
        as_of(simulator, "4.1", "publisher").reset()
        record = control(simulator, "GET", "/sites/mysite")["resets"][0]
        assert record["user"] == "publisher"
        assert record["before"] == before
        assert record["after"] == ls_remote(simulator)

    def test_needs_the_suffix_and_the_method(self, simulator: Simulator, studio: Client) -> None:
        assert is_page(studio.post(RESET.removesuffix(".json"), {"site_id": "mysite"}), 404)
        assert is_page(studio.get(RESET), 404)
        assert resets(simulator) == 0


class TestOddCases:
    """Section 1.3."""

    @pytest.mark.parametrize("profile", RESET_PROFILES)
    def test_staging_not_enabled(self, simulator: Simulator, profile: str) -> None:
        client = as_of(simulator, profile)
        assert "staging" not in ls_remote(simulator, "nostaging")
        assert client.reset("nostaging").json() == {"message": "OK"}
        refs = ls_remote(simulator, "nostaging")
        assert refs["staging"] == refs["live"]

    def test_staging_missing(self, simulator: Simulator, studio: Client) -> None:
        control(simulator, "DELETE", "/sites/mysite/refs/staging")
        assert studio.reset().status_code == 200
        refs = ls_remote(simulator)
        assert refs["staging"] == refs["live"]

    @pytest.mark.parametrize("profile", RESET_PROFILES)
    def test_never_published(self, simulator: Simulator, profile: str) -> None:
        answer = as_of(simulator, profile).reset("unpublished")
        assert answer.status_code == 500
        assert answer.json() == {"message": "Internal server error: \njava.lang.NullPointerException"}

    @pytest.mark.parametrize(
        ("profile", "exception"),
        [("3.0", "ServiceException"), ("3.1", "ServiceLayerException"), ("4.1", "ServiceLayerException")],
    )
    def test_live_missing(self, simulator: Simulator, profile: str, exception: str) -> None:
        client = as_of(simulator, profile)
        control(simulator, "DELETE", "/sites/mysite/refs/live")
        before = ls_remote(simulator)
        answer = client.reset()
        assert answer.status_code == 500
        pattern = rf"Internal server error: \n\S+\.{exception}: \S+\.RefNotFoundException: Ref live cannot be resolved"
        assert re.fullmatch(pattern, answer.json()["message"])
        assert ls_remote(simulator) == before
        assert resets(simulator) == 0

    @pytest.mark.parametrize("profile", RESET_PROFILES)
    def test_waits_for_a_running_publish(self, simulator: Simulator, profile: str) -> None:
        client = as_of(simulator, profile)
        control(simulator, "POST", "/sites/mysite/publish", {"hold": True})
        answer = in_background(client.reset)
        time.sleep(0.15)
        assert not answer.done()
        assert ls_remote(simulator)["staging"] != ls_remote(simulator)["live"]
        control(simulator, "POST", "/sites/mysite/publish/finish")
        assert answer.result(10).json() == {"message": "OK"}
        refs = ls_remote(simulator)
        assert refs["staging"] == refs["live"]
        package = control(simulator, "GET", "/sites/mysite")["packages"][0]
        assert refs["live"] == package["live_commit"], "the publish came first, the reset after it"

    def test_other_sites_do_not_wait(self, simulator: Simulator, studio: Client) -> None:
        control(simulator, "POST", "/sites/mysite/publish", {"hold": True})
        assert studio.reset("second").elapsed.total_seconds() < 5

    def test_happens_though_the_client_gave_up(self, simulator: Simulator, studio: Client) -> None:
        control(simulator, "POST", "/sites/mysite/publish", {"hold": True})
        with pytest.raises(requests.ReadTimeout):
            studio.session.post(studio.info["url"] + RESET, json={"site_id": "mysite"}, timeout=0.2)
        assert resets(simulator) == 0
        control(simulator, "POST", "/sites/mysite/publish/finish")
        wait_until(lambda: resets(simulator) == 1)

    def test_a_simulator_reset_ends_the_waiting(self, simulator: Simulator, studio: Client) -> None:
        before = ls_remote(simulator)
        control(simulator, "POST", "/sites/mysite/publish", {"hold": True})
        answer = in_background(studio.reset)
        wait_until(lambda: simulator.requests(kind="mutate"))
        simulator.reset()
        assert answer.result(10).status_code == 503
        assert ls_remote(simulator) == before

    def test_a_stopped_publisher_does_not_matter(self, simulator: Simulator, studio: Client) -> None:
        assert studio.post(STOP, {"site_id": "mysite"}).status_code == 200
        assert studio.reset().status_code == 200
        assert studio.entity("publishingStatus", STATUS, siteId="mysite")["enabled"] is False

    def test_queued_items_stay_and_publish_later(self, simulator: Simulator, studio: Client) -> None:
        control(simulator, "PUT", "/sites/mysite/publisher", {"enabled": False})
        studio.post(WORKFLOW_PUBLISH, {"siteId": "mysite", "items": [HOME], "publishingTarget": "staging"})
        assert studio.reset().status_code == 200
        assert [package["state"] for package in studio.entity("packages", PACKAGES, siteId="mysite")] == ["READY_FOR_LIVE"]
        studio.post(START, {"site_id": "mysite"})
        refs = wait_until(lambda: (found := ls_remote(simulator))["staging"] != found["live"] and found)
        assert git("-C", repository(simulator), "rev-parse", "staging^").strip() == refs["live"]

    @pytest.mark.parametrize("profile", RESET_PROFILES)
    def test_unknown_site(self, simulator: Simulator, profile: str) -> None:
        answer = as_of(simulator, profile).reset("nowhere")
        assert (answer.status_code, answer.json()) == (404, {"message": "Site not found"})

    def test_takes_its_time(self, simulator: Simulator, studio: Client) -> None:
        simulator.knob("crafter", reset_seconds=0.2)
        assert studio.reset().elapsed.total_seconds() >= 0.2

    def test_nothing_in_the_database_changes(self, simulator: Simulator, studio: Client) -> None:
        def database() -> list[Any]:
            return [
                studio.entity("items", ITEM_STATES, siteId="mysite", path=".*"),
                studio.entity("item", "/api/2/content/item_by_path", siteId="mysite", path=OFFERS),
                studio.entity("packages", PACKAGES, siteId="mysite"),
                studio.entity("publishingStatus", STATUS, siteId="mysite"),
            ]

        before = database()
        studio.reset()
        assert database() == before
        assert before[1]["state"] & STAGED, "an item that is no longer on the branch still reads as staged"
        assert before[1]["staging"]["commitId"]

    @pytest.mark.parametrize(("version", "begins_at_live"), [("4.1.3", True), ("4.1.2", False)])
    def test_first_publish_to_a_missing_staging(self, simulator: Simulator, version: str, begins_at_live: bool) -> None:
        simulator.knob("crafter", version=version)
        control(simulator, "DELETE", "/sites/mysite/refs/staging")
        control(simulator, "POST", "/sites/mysite/publish", {"target": "staging", "paths": [HOME]})
        files = control(simulator, "GET", "/sites/mysite/tree", branch="staging")["files"]
        assert ("Summer sale" in files[HOME[1:]]) is True
        assert (OFFERS[1:] in files) is not begins_at_live, "sandbox HEAD has what was never asked for"

    @pytest.mark.parametrize(("version", "status"), [("4.0.2", 404), ("4.0.3", 200)])
    def test_publish_all_to_a_missing_staging(self, simulator: Simulator, version: str, status: int) -> None:
        client = as_of_version(simulator, version)
        control(simulator, "DELETE", "/sites/mysite/refs/staging")
        answer = client.post(PUBLISH_ALL, {"siteId": "mysite", "publishingTarget": "staging", "submissionComment": ""})
        assert answer.status_code == status
        if status == 404:
            assert answer.json()["response"]["code"] == 7000
            text = "Content not found:Publishing target 'staging' not found in site 'mysite'"
            assert answer.json()["response"]["message"] == text


class TestWhoMayReset:
    """Section 1.4."""

    @pytest.mark.parametrize(
        ("version", "member_may"),
        [("3.0.14", True), ("3.1.14", True), ("3.1.15", False), ("4.0.0", False), ("4.1.8", False)],
    )
    def test_by_release(self, simulator: Simulator, version: str, member_may: bool) -> None:
        assert as_of_version(simulator, version, "publisher").reset().status_code == 200
        assert as_of_version(simulator, version, "admin").reset().status_code == 200
        assert resets(simulator) == 2
        answer = as_of_version(simulator, version, "member").reset()
        assert (answer.status_code == 200) is member_may
        assert resets(simulator) == 2 + member_may

    def test_not_even_membership_was_needed(self, simulator: Simulator) -> None:
        assert as_of_version(simulator, "3.1.14", "member").reset("qasite").status_code == 200

    def test_an_unknown_site_is_found_out_first(self, simulator: Simulator) -> None:
        assert as_of(simulator, "4.1", "member").reset("nowhere").status_code == 404


class TestRefusals:
    """Section 1.5."""

    @pytest.mark.parametrize("profile", ["3.0", "3.1"])
    def test_no_login_in_3(self, simulator: Simulator, profile: str) -> None:
        client = anonymous(simulator, profile)
        for answer in (client.reset(), client.get(STATUS1, site_id="mysite")):
            assert is_page(answer, 401)
            assert "Unauthorized" in answer.text

    @pytest.mark.parametrize("profile", ["4.0", "4.1", "4.2", "5.0"])
    def test_no_login_in_4(self, simulator: Simulator, profile: str) -> None:
        client = anonymous(simulator, profile)
        for answer in (client.reset(), client.get("/api/2/users/me/sites"), client.get(STATUS1)):
            assert (answer.status_code, answer.json()) == (401, UNAUTHENTICATED)

    @pytest.mark.parametrize("profile", ["4.0", "4.1"])
    def test_no_login_at_the_root(self, simulator: Simulator, profile: str) -> None:
        simulator.knob("crafter", context_path="")
        client = anonymous(simulator, profile)
        root = client.info["url"].removesuffix("/studio")
        first = client.session.post(root + RESET, json={"site_id": "mysite"})
        assert (first.status_code, first.json()) == (401, {"message": "Unauthorized"})
        second = client.session.get(root + "/api/2/users/me/sites")
        assert (second.status_code, second.json()) == (401, UNAUTHENTICATED)
        admin = Client(simulator)
        assert admin.session.post(root + RESET, json={"site_id": "mysite"}).json() == {"message": "OK"}
        assert is_page(admin.reset(), 404)

    def test_not_allowed_in_3(self, simulator: Simulator) -> None:
        answer = as_of(simulator, "3.1", "member").reset()
        assert answer.status_code == 401
        assert answer.content == b'{ "message": "Unauthorized" }'

    @pytest.mark.parametrize("profile", ["4.0", "4.1"])
    def test_not_allowed_in_4(self, simulator: Simulator, profile: str) -> None:
        assert is_page(as_of(simulator, profile, "member").reset(), 403)

    @pytest.mark.parametrize("profile", ["3.0", "3.1"])
    def test_csrf_pair_in_3(self, simulator: Simulator, profile: str) -> None:
        client = as_of(simulator, profile)
        for cookie, header in (("", ""), ("a", ""), ("", "a"), ("a", "b")):
            client.session.cookies.set("XSRF-TOKEN", cookie)
            client.session.headers["X-XSRF-TOKEN"] = header
            assert is_page(client.reset(), 403)
            assert is_page(client.post(LOGIN, {"username": "admin", "password": client.info["password"]}), 403)
            assert client.get(API1 + "site/exists.json", site_id="mysite").json() == {"exists": True}

    def test_csrf_is_off_in_4(self, studio: Client) -> None:
        studio.session.cookies.set("XSRF-TOKEN", "one")
        studio.session.headers["X-XSRF-TOKEN"] = "other"
        assert studio.reset().status_code == 200

    def test_not_allowed_in_api_2(self, simulator: Simulator) -> None:
        answer = as_of(simulator, "4.1", "member").get(PACKAGES, siteId="mysite")
        assert answer.status_code == 403
        assert answer.json()["response"]["code"] == 2001
        assert answer.json()["response"]["remedialAction"].startswith("You don't have permission")

    def test_outside_the_context(self, studio: Client) -> None:
        root = studio.info["url"].removesuffix("/studio")
        assert is_page(studio.session.post(root + RESET, json={"site_id": "mysite"}), 404)
        assert is_page(studio.session.get(root + "/"), 404)


class TestUnknownUrls:
    """Section 1.6."""

    @pytest.mark.parametrize("profile", PROFILES)
    def test_by_release(self, simulator: Simulator, profile: str) -> None:
        client = as_of(simulator, profile)
        path = RESET if profile in ("documented", "4.2", "5.0") else SYNC
        answer = client.post(path, {"site_id": "mysite", "environment": "staging"})
        if profile in ("documented", "3.0", "3.1"):
            assert (answer.status_code, answer.json()) == (400, {"message": "REST script not found"})
        elif profile == "4.0":
            assert (answer.status_code, answer.json()) == (404, {"message": "REST script not found"})
        else:
            assert is_page(answer, 404)
        assert resets(simulator) == 0

    @pytest.mark.parametrize("profile", PROFILES)
    def test_api_2(self, simulator: Simulator, profile: str) -> None:
        client = as_of(simulator, profile)
        answer = client.get("/api/2/no/such/thing")
        if profile == "4.0":
            assert answer.status_code == 404 and answer.json() == {"message": "REST script not found"}
        else:
            assert is_page(answer, 404)

    def test_wrong_method(self, studio: Client) -> None:
        assert is_page(studio.post(STATUS), 405)

    def test_authentication_comes_first(self, simulator: Simulator) -> None:
        assert is_page(anonymous(simulator, "3.1").post(SYNC, {}), 401)
        assert anonymous(simulator, "4.2").post(RESET, {}).json() == UNAUTHENTICATED

    def test_a_missing_site_differs(self, studio: Client) -> None:
        assert studio.reset("nowhere").json()["message"] == "Site not found"
        assert "Site not found" not in studio.post(SYNC, {"site_id": "mysite"}).text

    def test_api_2_understands_a_suffix_in_4(self, simulator: Simulator, studio: Client) -> None:
        assert studio.get(STATUS + ".json", siteId="mysite").json() == studio.get(STATUS, siteId="mysite").json()
        assert is_page(as_of(simulator, "3.1").get(STATUS + ".json", siteId="mysite"), 404)


# Method, path, first release, last release (None: 5.0 has it too)
VERSION_TABLE = [
    ("POST", RESET, "3.0.14", "4.1.9"),
    ("GET", STATUS1, "3.0.0", "4.1.9"),
    ("GET", STATUS, "3.1.14", "4.5.1"),
    ("GET", PACKAGES, "3.1.4", "4.5.1"),
    ("GET", "/api/2/publish/package", "3.1.4", "4.5.1"),
    ("POST", "/api/2/publish/cancel", "3.1.4", "4.5.1"),
    ("POST", PUBLISH_ALL, "3.1.24", "4.5.1"),
    ("GET", "/api/2/publish/available_targets", "4.0.0", "4.5.1"),
    ("GET", "/api/2/publish/mysite/available_targets", "5.0.0", None),
    ("GET", "/api/2/publish/mysite/status", "5.0.0", None),
    ("GET", "/api/2/publish/has_initial_publish", "4.0.3", "4.5.1"),
    ("POST", WORKFLOW_PUBLISH, "4.0.0", "4.5.1"),
    ("GET", ITEM_STATES, "4.0.0", "4.5.1"),
    ("GET", "/api/2/content/item_by_path", "4.0.0", "4.5.1"),
    ("GET", "/api/2/security/tokens", "4.0.0", None),
    ("POST", LOGIN, "3.0.0", "3.1.31"),
    ("GET", API1 + "deployment/get-available-publishing-channels.json", "3.0.0", "3.1.31"),
    ("GET", API1 + "site/exists.json", "3.0.0", "4.5.1"),
    ("GET", API1 + "site/get-per-user.json", "3.0.0", "4.5.1"),
    ("GET", "/api/2/configuration/get_configuration", "3.1.1", "4.5.1"),
    ("POST", API1 + "publish/commits.json", "3.0.2", "4.5.1"),
    ("POST", API1 + "publish/publish-items.json", "3.0.11", "4.1.9"),
    ("POST", START, "3.0.0", "4.5.1"),
    ("POST", API1 + "deployment/bulk-golive.json", "3.0.0", "4.5.1"),
    ("GET", "/api/2/monitoring/version", "3.1.0", None),
]
RELEASES = (
    *("3.0.0", "3.0.1", "3.0.2", "3.0.10", "3.0.11", "3.0.13", "3.0.14"),
    *("3.1.0", "3.1.1", "3.1.3", "3.1.4", "3.1.13", "3.1.14", "3.1.23", "3.1.24", "3.1.31"),
    *("4.0.0", "4.0.2", "4.0.3", "4.1.9", "4.2.0", "4.5.1", "5.0.0"),
)


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def is_edge(version: str, first: str, last: str | None) -> bool:
    """The first and last release that has something, and those next to them that do not."""
    begin, end = RELEASES.index(first), RELEASES.index(last or first)
    return RELEASES.index(version) in (begin - 1, begin, end, end + 1)


@pytest.mark.parametrize("version", RELEASES)
def test_version_table(simulator: Simulator, version: str) -> None:
    """Section 1.7: what a release has, and what it has not."""
    client = as_of_version(simulator, version)
    for method, path, first, last in VERSION_TABLE:
        if not is_edge(version, first, last):
            continue
        answer = client.get(path) if method == "GET" else client.post(path, {})
        unknown = answer.status_code in (404, 405) or "REST script not found" in answer.text or "been replaced" in answer.text
        expected = number(first) <= number(version) and (last is None or number(version) <= number(last))
        assert unknown is not expected, (method, path, answer.status_code)


class TestSessions:
    """Section 2.2."""

    @pytest.mark.parametrize(
        ("profile", "keys"),
        [
            ("3.0", {"username", "first_name", "last_name", "email", "authentication_type"}),
            ("3.1", {"username", "firstName", "lastName", "email", "authenticationType"}),
        ],
    )
    def test_login(self, simulator: Simulator, profile: str, keys: set[str]) -> None:
        client = anonymous(simulator, profile)
        answer = client.post(LOGIN, {"username": "admin", "password": client.info["password"]})
        assert answer.status_code == 200
        assert set(answer.json()) == keys
        assert answer.json()["username"] == "admin"
        assert re.fullmatch(r"JSESSIONID=\w+; Path=/studio; HttpOnly", answer.headers["Set-Cookie"])

    @pytest.mark.parametrize("profile", ["3.0", "3.1"])
    def test_wrong_login(self, simulator: Simulator, profile: str) -> None:
        client = anonymous(simulator, profile)
        wrong = client.post(LOGIN, {"username": "admin", "password": "wrong"})
        assert (wrong.status_code, wrong.json()) == (401, {"message": "Unauthorized"})
        assert "Set-Cookie" not in wrong.headers
        bad = client.post(LOGIN, data="{")
        assert (bad.status_code, bad.json()) == (400, {"message": "Bad Request"})

    def test_the_session_id_changes_after_login(self, simulator: Simulator) -> None:
        client = as_of(simulator, "3.1")
        first = client.session.cookies["JSESSIONID"]
        assert client.get(API1 + "site/exists.json", site_id="mysite").status_code == 200
        second = client.session.cookies["JSESSIONID"]
        assert second != first
        assert client.reset().status_code == 200
        assert client.session.cookies["JSESSIONID"] == second
        client.session.cookies.set("JSESSIONID", first, path="/studio", domain="127.0.0.1")
        client.session.cookies.clear("127.0.0.1", "/studio", "JSESSIONID")
        answer = client.session.post(
            client.info["url"] + RESET, json={"site_id": "mysite"}, headers={"Cookie": f"XSRF-TOKEN=a-value; JSESSIONID={first}"}
        )
        assert is_page(answer, 401)

    @pytest.mark.parametrize(("rotation", "ids"), [("login", 1), ("first_use", 2), ("always", 4)])
    def test_rotation_knob(self, simulator: Simulator, rotation: str, ids: int) -> None:
        simulator.knob("crafter", session_rotation=rotation)
        client = as_of(simulator, "3.1")
        seen = {client.session.cookies["JSESSIONID"]}
        for dummy in range(3):
            assert client.get(API1 + "site/exists.json", site_id="mysite").status_code == 200
            seen.add(client.session.cookies["JSESSIONID"])
        assert len(seen) == ids

    def test_refused_requests_rotate_too(self, simulator: Simulator) -> None:
        client = as_of(simulator, "3.1")
        first = client.session.cookies["JSESSIONID"]
        assert client.reset("nowhere").status_code == 404
        assert client.session.cookies["JSESSIONID"] != first
        assert client.reset().status_code == 200

    def test_logout(self, simulator: Simulator) -> None:
        client = as_of(simulator, "3.1")
        assert client.post(API1 + "security/logout.json").status_code == 200
        assert is_page(client.reset(), 401)

    def test_sessions_end(self, simulator: Simulator) -> None:
        client = as_of(simulator, "3.1")
        control(simulator, "POST", "/logins/expire")
        assert is_page(client.reset(), 401)
        simulator.knob("crafter", session_seconds=0.0)
        assert is_page(as_of(simulator, "3.1").reset(), 401)

    @pytest.mark.parametrize("profile", ["3.0", "3.1"])
    def test_no_other_scheme(self, simulator: Simulator, profile: str) -> None:
        client = anonymous(simulator, profile)
        simulator.knob("crafter", basic_auth=True)
        client.session.headers["Authorization"] = f"Bearer {client.info['api_token']}"
        assert is_page(client.reset(), 401)
        client.session.auth = ("admin", client.info["password"])
        assert is_page(client.reset(), 401)

    def test_login_is_gone_in_4(self, simulator: Simulator) -> None:
        client = anonymous(simulator, "4.1")
        credentials = {"username": "admin", "password": client.info["password"]}
        assert client.post(LOGIN, credentials).json() == UNAUTHENTICATED
        assert is_page(Client(simulator).post(LOGIN, credentials), 404)


class TestHeaders:
    """Section 2.3."""

    def test_cookies_do_not_authenticate(self, simulator: Simulator) -> None:
        client = as_of(simulator, "3.1")
        simulator.knob("crafter", profile="4.1")
        assert client.reset().json() == UNAUTHENTICATED

    def test_bearer_in_any_case(self, simulator: Simulator) -> None:
        client = anonymous(simulator, "4.1")
        for scheme in ("Bearer", "bearer", "BEARER"):
            assert client.post(RESET, {"site_id": "mysite"}, headers={"Authorization": f"{scheme} {client.info['api_token']}"}).ok
        wrong = client.post(RESET, {"site_id": "mysite"}, headers={"Authorization": "Bearer eyJ.wrong"})
        assert wrong.json() == UNAUTHENTICATED

    def test_the_documented_header_name_is_wrong(self, simulator: Simulator) -> None:
        client = anonymous(simulator, "4.1")
        answer = client.post(RESET, {"site_id": "mysite"}, headers={"Authentication": f"Bearer {client.info['api_token']}"})
        assert answer.json() == UNAUTHENTICATED

    @pytest.mark.parametrize("profile", ["4.0", "4.1", "4.2"])
    def test_basic_is_off_by_default(self, simulator: Simulator, profile: str) -> None:
        client = anonymous(simulator, profile)
        client.session.auth = ("admin", client.info["password"])
        answer = client.get("/api/2/users/me/sites")
        assert (answer.status_code, answer.json()) == (401, UNAUTHENTICATED)
        simulator.knob("crafter", basic_auth=True)
        assert client.get("/api/2/users/me/sites").status_code == 200
        client.session.auth = ("admin", "wrong")
        assert client.get("/api/2/users/me/sites").json() == UNAUTHENTICATED

    def test_broken_basic(self, simulator: Simulator) -> None:
        client = anonymous(simulator, "4.1")
        simulator.knob("crafter", basic_auth=True)
        for value in ("Basic ???", "Basic " + base64.b64encode(b"\xff\xfe").decode(), "Basic", "Digest x"):
            assert client.post(RESET, {}, headers={"Authorization": value}).json() == UNAUTHENTICATED

    def test_token_life(self, simulator: Simulator, studio: Client) -> None:
        tokens = "/api/2/security/tokens"
        created = studio.post(tokens, {"label": "ansible", "expiresAt": "2130-01-01T00:00:00Z"})
        assert created.status_code == 201
        assert created.json()["response"]["code"] == 1
        token = created.json()["token"]
        assert token["token"].startswith("eyJ")
        assert (token["label"], token["enabled"], token["expiresAt"]) == ("ansible", True, "2130-01-01T00:00:00Z")
        listed = studio.entity("tokens", tokens)
        assert token["id"] in [entry["id"] for entry in listed]
        assert token["token"] not in str(listed)

        holder = Client(simulator, user=None)
        holder.session.headers["Authorization"] = f"Bearer {token['token']}"
        assert holder.reset().status_code == 200
        assert studio.post(f"{tokens}/{token['id']}", {"enabled": False}).json()["token"]["enabled"] is False
        assert holder.reset().json() == UNAUTHENTICATED
        assert studio.post(f"{tokens}/{token['id']}", {"enabled": True}).status_code == 200
        assert holder.reset().status_code == 200
        deleted = studio.session.delete(f"{studio.info['url']}{tokens}/{token['id']}")
        assert (deleted.status_code, deleted.json()["response"]["code"]) == (200, 2)
        assert holder.reset().json() == UNAUTHENTICATED
        assert studio.post(f"{tokens}/{token['id']}", {"enabled": True}).status_code == 404

    def test_expired_token(self, simulator: Simulator, studio: Client) -> None:
        created = studio.post("/api/2/security/tokens", {"label": "old", "expiresAt": "2020-01-01T00:00:00Z"}).json()
        holder = Client(simulator, user=None)
        holder.session.headers["Authorization"] = f"Bearer {created['token']['token']}"
        assert holder.reset().json() == UNAUTHENTICATED

    def test_tokens_need_a_permission(self, simulator: Simulator) -> None:
        assert as_of(simulator, "4.1", "publisher").get("/api/2/security/tokens").status_code == 403

    def test_ui_login(self, simulator: Simulator) -> None:
        client = anonymous(simulator, "4.1")
        url, form = client.info["url"], {"username": "admin", "password": client.info["password"], "_csrf": "pair"}
        assert is_page(client.session.post(url + "/login", data=form, allow_redirects=False), 403)
        client.session.cookies.set("XSRF-TOKEN", "pair")
        wrong = client.session.post(url + "/login", data=form | {"password": "wrong"}, allow_redirects=False)
        assert "refresh_token" not in wrong.cookies
        refused = client.get("/refresh")
        assert (refused.status_code, refused.content) == (401, b"")
        simulator.knob("crafter", login_lock="off")
        right = client.session.post(url + "/login", data=form, allow_redirects=False)
        assert "refresh_token" in right.cookies
        token = client.get("/refresh").json()
        left = datetime.fromisoformat(token["expiresAt"]) - datetime.now(UTC)
        assert timedelta(seconds=290) < left <= timedelta(seconds=300)
        assert client.post(RESET, {"site_id": "mysite"}, headers={"Authorization": f"Bearer {token['token']}"}).ok
        control(simulator, "POST", "/logins/expire")
        assert client.get("/refresh").status_code == 401
        assert client.post(RESET, {}, headers={"Authorization": f"Bearer {token['token']}"}).json() == UNAUTHENTICATED

    def test_failed_logins_lock_the_name(self, simulator: Simulator) -> None:
        client = anonymous(simulator, "4.1")
        simulator.knob("crafter", basic_auth=True, login_lock="on", login_lock_unit=0.2)

        def tried(password: str, user: str = "admin") -> int:
            client.session.auth = (user, password)
            return client.get("/api/2/users/me/sites").status_code

        right = client.info["password"]
        assert tried("wrong") == 401
        assert tried(right) == 401, "locked: the right password is refused like a wrong one"
        assert tried(client.info["users"]["member"]["password"], "member") == 200
        assert control(simulator, "GET", "/logins") == {"failed": {"admin": 1}}
        wait_until(lambda: tried(right) == 200, seconds=3)
        assert control(simulator, "GET", "/logins") == {"failed": {}}

    def test_each_failure_doubles_the_lock(self, simulator: Simulator) -> None:
        client = anonymous(simulator, "4.1")
        simulator.knob("crafter", basic_auth=True, login_lock="on", login_lock_unit=0.1)
        client.session.auth = ("admin", "wrong")
        client.get("/api/2/users/me/sites")
        time.sleep(0.2)
        locked = time.monotonic()
        client.get("/api/2/users/me/sites")
        assert control(simulator, "GET", "/logins") == {"failed": {"admin": 2}}
        client.session.auth = ("admin", client.info["password"])
        wait_until(lambda: client.get("/api/2/users/me/sites").status_code == 200, seconds=3)
        assert time.monotonic() - locked > 0.25

    @pytest.mark.parametrize(("lock", "status"), [("auto", 200), ("on", 401)])
    def test_lock_of_3_is_a_knob(self, simulator: Simulator, lock: str, status: int) -> None:
        simulator.knob("crafter", login_lock=lock)
        client = anonymous(simulator, "3.1")
        assert client.post(LOGIN, {"username": "admin", "password": "wrong"}).status_code == 401
        assert client.post(LOGIN, {"username": "admin", "password": client.info["password"]}).status_code == status


class TestMonitoring:
    """Section 2.4."""

    @pytest.mark.parametrize(
        ("profile", "version"), [("3.1", "3.1.31"), ("4.0", "4.0.7"), ("4.1", "4.1.8"), ("4.2", "4.2.0"), ("5.0", "5.0.0")]
    )
    def test_version(self, simulator: Simulator, profile: str, version: str) -> None:
        client = anonymous(simulator, profile)
        found = client.entity("version", "/api/2/monitoring/version", token=client.info["management_token"])
        assert set(found) >= {"packageName", "packageVersion", "packageBuild", "packageBuildDate"}
        assert found["packageVersion"] == version

    @pytest.mark.parametrize("profile", ["3.1", "4.1"])
    def test_management_token(self, simulator: Simulator, profile: str) -> None:
        client = anonymous(simulator, profile)
        missing, wrong = client.get("/api/2/monitoring/version"), client.get("/api/2/monitoring/version", token="x")
        assert missing.status_code == 400
        assert missing.json()["response"]["code"] == 1001
        assert missing.json()["response"]["message"].startswith("Invalid parameter(s)")
        assert "'token'" in missing.text
        assert wrong.status_code == 401
        assert wrong.json()["response"]["code"] == 2001
        assert wrong.json()["response"]["message"] == "Unauthorized"
        assert as_of(simulator, profile).get("/api/2/monitoring/version").status_code == 200
        simulator.knob("crafter", management_token="another")
        assert client.get("/api/2/monitoring/version", token="another").status_code == 200

    def test_version_of_3_0(self, simulator: Simulator) -> None:
        client = anonymous(simulator, "3.0")
        path = API1 + "monitor/version.json"
        assert client.get(path).json()["version"] == "3.0.27"
        simulator.knob("crafter", monitor_v1="package")
        assert client.get(path).json()["packageVersion"] == "3.0.27"
        assert is_page(client.get("/api/2/monitoring/version"), 401)
        assert anonymous(simulator, "3.1").get(path).status_code == 401

    def test_any_version(self, simulator: Simulator) -> None:
        simulator.knob("crafter", profile="4.1", version="4.1.9")
        client = Client(simulator)
        assert client.entity("version", "/api/2/monitoring/version")["packageVersion"] == "4.1.9"
        simulator.knob("crafter", reported_version="develop")
        assert client.entity("version", "/api/2/monitoring/version")["packageVersion"] == "develop"
        assert client.reset().status_code == 200
        with pytest.raises(ControlError, match="version"):
            simulator.knob("crafter", version="new")


class TestStatus:
    """Sections 3.1 and 3.2."""

    @pytest.mark.parametrize(("version", "word"), [("3.0.27", "idle"), ("3.1.3", "idle"), ("3.1.4", "ready")])
    def test_v1(self, simulator: Simulator, version: str, word: str) -> None:
        client = as_of_version(simulator, version)
        answer = client.get(STATUS1, site_id="mysite").json()
        assert answer["status"] == word
        assert set(answer) == {"status", "message"}

    def test_v1_refusals(self, simulator: Simulator) -> None:
        client = as_of(simulator, "3.0")
        missing, unknown = client.get(STATUS1), client.get(STATUS1, site_id="nowhere")
        assert (missing.status_code, missing.json()) == (400, {"message": "Invalid parameter: site_id"})
        assert (unknown.status_code, unknown.json()) == (404, {"message": "Site not found"})

    @pytest.mark.parametrize("version", ["3.1.14", "4.0.0", "4.1.9"])
    def test_v1_stub_loses_the_query(self, simulator: Simulator, version: str) -> None:
        client = as_of_version(simulator, version)
        answer = client.get(STATUS1, site_id="mysite")
        assert answer.status_code == 301
        assert answer.json() == {"message": "API deprecated."}
        assert answer.headers["Location"] == client.info["url"] + STATUS
        followed = client.session.get(client.info["url"] + STATUS1, params={"site_id": "mysite"})
        assert followed.url.endswith(STATUS)
        assert followed.status_code == 400

    def test_fields_of_3(self, simulator: Simulator) -> None:
        status = as_of(simulator, "3.1").entity("publishingStatus", STATUS, siteId="mysite")
        assert set(status) == {"enabled", "status", "message", "lockOwner", "lockTTL"}
        assert (status["enabled"], status["status"]) == (True, "ready")

    @pytest.mark.parametrize("profile", ["4.0", "4.1", "4.2"])
    def test_fields_of_4(self, simulator: Simulator, profile: str) -> None:
        assert as_of(simulator, profile).entity("publishingStatus", STATUS, siteId="mysite") == {
            "enabled": True,
            "status": "ready",
            "lockOwner": None,
            "lockTTL": None,
            "publishingTarget": None,
            "submissionId": None,
            "numberOfItems": 0,
            "totalItems": 0,
            "published": True,
        }

    @pytest.mark.parametrize(
        "values",
        [
            {"status": None},
            {"status": "queued", "enabled": False},
            {"status": "started"},
            {"status": "error", "enabled": False},
            {"status": "readyWithErrors"},
            {"status": "somethingNew"},
            {"status": "publishing", "lock_owner": "node-1", "lock_ttl": "2026-01-01T00:00:00Z", "target": "live"},
        ],
    )
    def test_any_state(self, simulator: Simulator, studio: Client, values: dict[str, Any]) -> None:
        control(simulator, "PUT", "/sites/mysite/publisher", values)
        status = studio.entity("publishingStatus", STATUS, siteId="mysite")
        names = {"lock_owner": "lockOwner", "lock_ttl": "lockTTL", "target": "publishingTarget"}
        assert {name: status[names.get(name, name)] for name in values} == values

    def test_refusals(self, simulator: Simulator, studio: Client) -> None:
        missing, unknown = studio.get(STATUS), studio.get(STATUS, siteId="nowhere")
        assert (missing.status_code, missing.json()["response"]["code"]) == (400, 1001)
        assert unknown.status_code == 404
        assert unknown.json()["response"] == {
            "code": 5000,
            "message": "Site not found",
            "remedialAction": "Check if you sent in the right Site Id",
            "documentationUrl": "",
        }
        control(simulator, "PUT", "/sites/mysite", {"state": "LOCKED"})
        locked = studio.get(STATUS, siteId="mysite")
        assert locked.status_code == 400
        assert locked.json()["response"]["code"] == 5002
        assert locked.json()["response"]["message"] == "Invalid site state"

    @pytest.mark.parametrize(("profile", "after_start"), [("3.0", "started"), ("4.1", "ready")])
    def test_stop_and_start(self, simulator: Simulator, profile: str, after_start: str) -> None:
        client = as_of(simulator, profile)

        def publisher() -> tuple[bool, str]:
            shown = control(simulator, "GET", "/sites/mysite")["publisher"]
            return shown["enabled"], shown["status"]

        assert client.post(STOP, {"site_id": "mysite"}).json() == {"message": "OK"}
        assert publisher() == (False, "stopped")
        assert client.post(START, {"site_id": "mysite"}).json() == {"message": "OK"}
        assert publisher() == (True, after_start)
        for path in (START, STOP):
            missing, unknown = client.post(path, {}), client.post(path, {"site_id": "nowhere"})
            assert (missing.status_code, missing.json()) == (400, {"message": "Invalid parameter: site_id"})
            assert (unknown.status_code, unknown.json()) == (404, {"message": "Site not found"})

    def test_started_stays_until_a_publish(self, simulator: Simulator) -> None:
        client = as_of(simulator, "3.0")
        client.post(START, {"site_id": "mysite"})
        assert client.get(STATUS1, site_id="mysite").json()["status"] == "started"
        control(simulator, "POST", "/sites/mysite/publish")
        assert client.get(STATUS1, site_id="mysite").json()["status"] == "idle"

    def test_start_and_stop_need_a_permission_in_4(self, simulator: Simulator) -> None:
        assert is_page(as_of(simulator, "4.1", "member").post(STOP, {"site_id": "mysite"}), 403)
        assert as_of(simulator, "3.1", "member").post(STOP, {"site_id": "mysite"}).status_code == 200

    @pytest.mark.parametrize(
        ("version", "first", "second"),
        [("3.0.27", "busy", "publishing"), ("3.1.13", "publishing", "publishing"), ("4.1.8", "processing", "publishing")],
    )
    def test_states_of_a_publish(self, simulator: Simulator, version: str, first: str, second: str) -> None:
        client = as_of_version(simulator, version)
        simulator.knob("crafter", queue_seconds=0.4, processing_seconds=0.4, publishing_seconds=0.4)

        def word() -> str:
            if number(version) < (3, 1, 14):
                return str(client.get(STATUS1, site_id="mysite").json()["status"])
            return str(client.entity("publishingStatus", STATUS, siteId="mysite")["status"])

        body = {"environment": "live", "schedule": None, "submission_comment": "", "entities": [{"item": HOME}]}
        assert client.post(API1 + "publish/publish-items.json?site_id=mysite", body).json() == {"message": "OK"}
        seen = [word()]
        deadline = time.monotonic() + 5
        while seen[-1] not in ("ready", "idle") and time.monotonic() < deadline:
            if (now := word()) != seen[-1]:
                seen.append(now)
            time.sleep(0.01)
        assert seen == ["queued", *dict.fromkeys([first, second]), "idle" if version == "3.0.27" else "ready"]


def publish_body(target: str = "live", **more: Any) -> dict[str, Any]:
    return {"siteId": "mysite", "items": [HOME], "optionalDependencies": [], "publishingTarget": target, "comment": "c", **more}


def states(client: Client, site: str = "mysite", **query: Any) -> list[str]:
    return [package["state"] for package in client.entity("packages", PACKAGES, siteId=site, **query)]


class TestPackages:
    """Sections 3.3 and 6."""

    def test_the_clock(self, simulator: Simulator, studio: Client) -> None:
        simulator.knob("crafter", queue_seconds=0.4, processing_seconds=0.4, publishing_seconds=0.1)
        before = ls_remote(simulator)
        answer = studio.post(WORKFLOW_PUBLISH, publish_body())
        assert (answer.status_code, answer.json()) == (200, {"response": ENVELOPE_OK})
        seen: list[str] = []
        deadline = time.monotonic() + 5
        while "COMPLETED" not in seen and time.monotonic() < deadline:
            seen += [state for state in states(studio) if [state] != seen[-1:]]
            time.sleep(0.01)
        assert seen == ["READY_FOR_LIVE", "PROCESSING", "COMPLETED"]
        after = ls_remote(simulator)
        assert after["live"] != before["live"]
        assert after["staging"] != before["staging"]

    def test_a_live_publish_commits_twice(self, simulator: Simulator, studio: Client) -> None:
        studio.reset()
        start = ls_remote(simulator)["live"]
        shown = control(simulator, "POST", "/sites/mysite/publish", {"paths": [HOME]})["refs"]
        assert shown["live"]["commit"] != shown["staging"]["commit"]
        assert shown["live"]["tree"] == shown["staging"]["tree"]
        for branch in ("live", "staging"):
            assert git("-C", repository(simulator), "rev-parse", f"{branch}^").strip() == start

    def test_without_staging_only_live_is_touched(self, simulator: Simulator) -> None:
        control(simulator, "POST", "/sites/nostaging/edit", {"files": {HOME: "new"}})
        control(simulator, "POST", "/sites/nostaging/publish", {})
        assert set(ls_remote(simulator, "nostaging")) == {"live"}

    def test_content_comes_from_the_sandbox(self, simulator: Simulator, studio: Client) -> None:
        control(simulator, "POST", "/sites/mysite/edit", {"files": {HOME: "edited after review"}})
        control(simulator, "POST", "/sites/mysite/publish", {"paths": [HOME]})
        files = control(simulator, "GET", "/sites/mysite/tree", branch="live")["files"]
        assert files[HOME[1:]] == "edited after review"
        assert studio.reset().status_code == 200

    def test_the_first_publish_is_of_everything(self, simulator: Simulator, studio: Client) -> None:
        body = {"siteId": "unpublished", "items": [HOME], "publishingTarget": "staging"}
        assert studio.post(WORKFLOW_PUBLISH, body).status_code == 200
        wait_until(lambda: states(studio, "unpublished") == ["COMPLETED"])
        assert set(ls_remote(simulator, "unpublished")) == {"live", "staging"}
        assert len(control(simulator, "GET", "/sites/unpublished/tree", branch="live")["files"]) == 3
        assert studio.reset("unpublished").json() == {"message": "OK"}

    def test_list(self, simulator: Simulator, studio: Client) -> None:
        control(simulator, "POST", "/sites/mysite/publish", {"target": "staging", "paths": [HOME], "comment": "marker"})
        control(simulator, "POST", "/sites/mysite/publish", {"target": "live", "paths": [OFFERS]})
        answer = studio.get(PACKAGES, siteId="mysite", environment="staging").json()
        assert (answer["total"], answer["offset"], answer["limit"]) == (1, 0, 10)
        package = answer["packages"][0]
        assert set(package) == {"id", "siteId", "environment", "state", "schedule", "approver", "comment"}
        assert (package["siteId"], package["environment"], package["state"]) == ("mysite", "staging", "COMPLETED")
        assert (package["approver"], package["comment"]) == ("admin", "marker")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", package["schedule"])
        assert len(studio.entity("packages", PACKAGES, siteId="mysite", publishingTarget="staging")) == 2, "no such filter"
        assert len(studio.entity("packages", PACKAGES, siteId="mysite", path=".*/offers/.*")) == 1
        assert studio.entity("packages", PACKAGES, siteId="mysite", states="BLOCKED,CANCELLED") == []
        assert len(studio.entity("packages", PACKAGES, siteId="mysite", states="BLOCKED,COMPLETED")) == 2

    def test_order_and_pages(self, simulator: Simulator, studio: Client) -> None:
        control(simulator, "PUT", "/sites/mysite/publisher", {"enabled": False})
        for day in range(1, 13):
            studio.post(WORKFLOW_PUBLISH, publish_body(comment=str(day), schedule=f"2100-01-{day:02}T00:00:00Z"))
        first = studio.get(PACKAGES, siteId="mysite").json()
        assert (first["total"], len(first["packages"])) == (12, 10)
        assert [package["comment"] for package in first["packages"]] == [str(day) for day in range(12, 2, -1)]
        rest = studio.entity("packages", PACKAGES, siteId="mysite", offset=10)
        assert [package["comment"] for package in rest] == ["2", "1"]
        assert len(studio.entity("packages", PACKAGES, siteId="mysite", limit=3)) == 3
        control(simulator, "PUT", "/sites/mysite/publisher", {"enabled": True})
        control(simulator, "POST", "/sites/mysite/publish", {"comment": "done"})
        assert studio.entity("packages", PACKAGES, siteId="mysite")[0]["comment"] == "done", "published ones come first"

    def test_detail(self, simulator: Simulator, studio: Client) -> None:
        package = control(simulator, "POST", "/sites/mysite/publish", {"paths": [HOME]})["package"]
        shown = studio.entity("package", "/api/2/publish/package", siteId="mysite", packageId=package["id"])
        assert shown["items"] == [{"path": HOME, "mimeType": "application/xml", "contentTypeClass": "page"}]
        unknown = studio.get("/api/2/publish/package", siteId="mysite", packageId="none")
        assert (unknown.status_code, unknown.json()["response"]["code"]) == (404, 7000)

    def test_scheduled_packages_wait_until_due(self, simulator: Simulator, studio: Client) -> None:
        studio.post(WORKFLOW_PUBLISH, publish_body(schedule="2100-01-01T00:00:00Z"))
        studio.post(WORKFLOW_PUBLISH, publish_body())
        wait_until(lambda: states(studio) == ["COMPLETED", "READY_FOR_LIVE"])
        assert studio.entity("publishingStatus", STATUS, siteId="mysite")["status"] == "queued"
        waiting = studio.entity("packages", PACKAGES, siteId="mysite", states="READY_FOR_LIVE")[0]
        control(simulator, "PUT", f"/sites/mysite/packages/{waiting['id']}", {"schedule": "2026-01-01T00:00:00Z"})
        wait_until(lambda: states(studio) == ["COMPLETED", "COMPLETED"])

    def test_a_wrong_target_is_queued_for_ever(self, simulator: Simulator, studio: Client) -> None:
        before = ls_remote(simulator)
        assert studio.post(WORKFLOW_PUBLISH, publish_body("liev")).status_code == 200
        assert studio.post(WORKFLOW_PUBLISH, {**publish_body("staging"), "siteId": "nostaging"}).status_code == 200
        time.sleep(0.2)
        assert states(studio) == states(studio, "nostaging") == ["READY_FOR_LIVE"]
        assert ls_remote(simulator) == before

    def test_submitted_while_stopped(self, studio: Client) -> None:
        studio.post(STOP, {"site_id": "mysite"})
        studio.post(WORKFLOW_PUBLISH, publish_body())
        status = studio.entity("publishingStatus", STATUS, siteId="mysite")
        assert (status["enabled"], status["status"]) == (False, "queued")
        time.sleep(0.2)
        assert states(studio) == ["READY_FOR_LIVE"]
        studio.post(START, {"site_id": "mysite"})
        wait_until(lambda: states(studio) == ["COMPLETED"])

    def test_stopped_after_the_submission(self, simulator: Simulator, studio: Client) -> None:
        simulator.knob("crafter", queue_seconds=1.0)
        studio.post(WORKFLOW_PUBLISH, publish_body())
        studio.post(STOP, {"site_id": "mysite"})
        time.sleep(1.2)
        assert states(studio) == ["READY_FOR_LIVE"]

    def test_cancel(self, simulator: Simulator, studio: Client) -> None:
        studio.post(STOP, {"site_id": "mysite"})
        studio.post(WORKFLOW_PUBLISH, publish_body())
        package = studio.entity("packages", PACKAGES, siteId="mysite")[0]
        cancel = "/api/2/publish/cancel"
        assert studio.post(cancel, {"siteId": "mysite", "packageIds": [package["id"]]}).json() == {"response": ENVELOPE_OK}
        assert states(studio) == ["CANCELLED"]
        studio.post(START, {"site_id": "mysite"})
        time.sleep(0.2)
        assert states(studio) == ["CANCELLED"]
        assert studio.post(cancel, {"siteId": "mysite", "packageIds": ["none"]}).json()["response"]["code"] == 7000
        assert studio.post(cancel, {"siteId": "mysite", "packageIds": []}).json()["response"]["code"] == 1000
        assert studio.post(cancel, {"siteId": "nowhere", "packageIds": ["x"]}).json()["response"]["code"] == 5000
        completed = control(simulator, "POST", "/sites/mysite/publish", {})["package"]["id"]
        assert studio.post(cancel, {"siteId": "mysite", "packageIds": [completed]}).status_code == 200
        assert sorted(states(studio)) == ["CANCELLED", "COMPLETED"]

    def test_a_failed_publish_stops_the_publisher(self, simulator: Simulator, studio: Client) -> None:
        before = ls_remote(simulator)
        control(simulator, "POST", "/sites/mysite/publish", {"fail": True})
        status = studio.entity("publishingStatus", STATUS, siteId="mysite")
        assert (status["enabled"], status["status"]) == (False, "error")
        assert states(studio) == ["BLOCKED"]
        assert ls_remote(simulator) == before

    def test_a_long_publish(self, simulator: Simulator, studio: Client) -> None:
        package = control(simulator, "POST", "/sites/mysite/publish", {"target": "live", "seconds": 0.3})["package"]
        status = studio.entity("publishingStatus", STATUS, siteId="mysite")
        assert status == {
            "enabled": True,
            "status": "publishing",
            "lockOwner": None,
            "lockTTL": None,
            "publishingTarget": "live",
            "submissionId": package["id"],
            "numberOfItems": 0,
            "totalItems": 2,
            "published": True,
        }
        with pytest.raises(ControlError, match="409"):
            control(simulator, "POST", "/sites/mysite/publish", {})
        wait_until(lambda: states(studio) == ["COMPLETED"])

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"siteId": ""}, 1001),
            ({"siteId": "nowhere"}, 5000),
            ({"items": []}, 1001),
            ({"items": ["no-slash"]}, 1001),
            ({"publishingTarget": "li ve"}, 1001),
            ({"publishingTarget": None}, 1001),
            ({"schedule": "tomorrow"}, 1001),
        ],
    )
    def test_refused_submissions(self, studio: Client, change: dict[str, Any], code: int) -> None:
        answer = studio.post(WORKFLOW_PUBLISH, publish_body() | change)
        assert answer.json()["response"]["code"] == code
        assert answer.status_code == (404 if code == 5000 else 400)
        if code == 1001:
            assert set(answer.json()["validationErrors"][0]) == {"field", "message"}
        assert states(studio) == []

    def test_unknown_paths_are_accepted(self, studio: Client) -> None:
        assert studio.post(WORKFLOW_PUBLISH, publish_body(items=["/site/website/none.xml"])).status_code == 200
        wait_until(lambda: states(studio) == ["COMPLETED"])

    def test_publishing_needs_a_permission(self, simulator: Simulator) -> None:
        member = as_of(simulator, "4.1", "member")
        for path in (WORKFLOW_PUBLISH, PUBLISH_ALL, "/api/2/publish/cancel"):
            assert member.post(path, publish_body()).status_code == 403

    @pytest.mark.parametrize(("failing", "code", "word"), [([], 0, "ready"), ([HOME], 3, "readyWithErrors")])
    def test_publish_all(self, simulator: Simulator, studio: Client, failing: list[str], code: int, word: str) -> None:
        control(simulator, "PUT", "/sites/mysite", {"failing_paths": failing})
        answer = studio.post(PUBLISH_ALL, {"siteId": "mysite", "publishingTarget": "live", "submissionComment": "all"})
        assert (answer.status_code, answer.json()["response"]["code"]) == (200, code)
        assert studio.entity("publishingStatus", STATUS, siteId="mysite")["status"] == word
        files = control(simulator, "GET", "/sites/mysite/tree", branch="live")["files"]
        assert OFFERS[1:] in files
        assert ("Summer sale" in files[HOME[1:]]) is not bool(failing)

    def test_publish_all_refusals(self, studio: Client) -> None:
        body = {"siteId": "mysite", "publishingTarget": "liev", "submissionComment": ""}
        wrong = studio.post(PUBLISH_ALL, body)
        assert (wrong.status_code, wrong.json()["response"]["code"]) == (404, 7000)
        assert studio.post(PUBLISH_ALL, body | {"siteId": "nowhere"}).json()["response"]["code"] == 5000
        assert studio.post(PUBLISH_ALL, data="{").json()["response"]["code"] == 1001

    def test_publish_all_waits_for_the_lock(self, simulator: Simulator, studio: Client) -> None:
        control(simulator, "POST", "/sites/mysite/publish", {"hold": True})
        answer = in_background(studio.post, PUBLISH_ALL, {"siteId": "mysite", "publishingTarget": "live"})
        time.sleep(0.15)
        assert not answer.done()
        control(simulator, "POST", "/sites/mysite/publish/finish")
        assert answer.result(10).status_code == 200

    @pytest.mark.parametrize(
        ("body", "status", "text"),
        [
            ({}, 400, "Invalid parameter(s): [site_id, environment, commit_ids]"),
            ({"site_id": "mysite", "environment": "live"}, 400, "Invalid parameter(s): [commit_ids]"),
            ({"site_id": "nowhere", "environment": "live", "commit_ids": ["x"]}, 404, "Site not found"),
            ({"site_id": "mysite", "environment": "liev", "commit_ids": ["x"]}, 404, "Environment not found"),
            ({"site_id": "mysite", "environment": "live", "commit_ids": ["x"]}, 404, "Commit(s) not found"),
        ],
    )
    def test_commits_refusals(self, studio: Client, body: dict[str, Any], status: int, text: str) -> None:
        answer = studio.post(API1 + "publish/commits.json", body)
        assert (answer.status_code, answer.json()) == (status, {"message": text})

    @pytest.mark.parametrize("profile", ["3.1", "4.1", "4.2"])
    def test_commits(self, simulator: Simulator, profile: str) -> None:
        client = as_of(simulator, profile)
        commit = control(simulator, "POST", "/sites/mysite/edit", {"files": {HOME: "by commit"}})["commit_id"]
        body = {"site_id": "mysite", "environment": "live", "commit_ids": [commit], "comment": "x"}
        assert client.post(API1 + "publish/commits.json", body).json() == {"message": "OK"}
        wait_until(lambda: states(client) == ["COMPLETED"])
        assert control(simulator, "GET", "/sites/mysite/tree", branch="live")["files"][HOME[1:]] == "by commit"

    def test_publish_items(self, simulator: Simulator, studio: Client) -> None:
        path = API1 + "publish/publish-items.json"
        body: dict[str, Any] = {"environment": "staging", "schedule": "", "entities": [{"item": HOME}]}
        assert studio.post(path + "?site_id=mysite", body).json() == {"message": "OK"}
        wait_until(lambda: states(studio, environment="staging") == ["COMPLETED"])
        no_site = studio.post(path, body)
        no_items = studio.post(path + "?site_id=mysite", {"environment": "live", "item": [HOME]})
        assert (no_site.status_code, no_site.json()) == (400, {"message": "Invalid parameter(s): [site_id]"})
        assert (no_items.status_code, no_items.json()) == (400, {"message": "Invalid parameter(s): [entities]"})
        assert studio.post(path + "?site_id=nowhere", body).json() == {"message": "Site not found"}
        assert studio.post(path + "?site_id=nostaging", body).json() == {"message": "Environment not found"}
        assert studio.post(path + "?site_id=mysite", body | {"schedule": "tomorrow"}).status_code == 500

    def test_bulk_golive(self, simulator: Simulator, studio: Client) -> None:
        path = API1 + "deployment/bulk-golive.json"
        answer = studio.post(f"{path}?site_id=mysite&path=/site/website/offers&environment=live&comment=x")
        assert answer.json() == {"success": True}
        wait_until(lambda: states(studio) == ["COMPLETED"])
        assert OFFERS[1:] in control(simulator, "GET", "/sites/mysite/tree", branch="live")["files"]
        assert studio.post(f"{path}?site_id=mysite&path=/&environment=liev").status_code == 500


class TestItems:
    """Section 3.4."""

    def test_path_is_not_optional(self, studio: Client) -> None:
        for query in ({}, {"path": ""}, {"path": "("}):
            answer = studio.get(ITEM_STATES, siteId="mysite", **query)
            assert answer.status_code == 400
            assert answer.json()["response"]["code"] == 1001
            text = "Invalid parameter(s) : Parameter 'path' is not valid regular expression."
            assert answer.json()["response"]["message"] == text

    def test_any_bit_matches(self, studio: Client) -> None:
        def paths(**query: Any) -> set[str]:
            return {item["path"] for item in studio.entity("items", ITEM_STATES, siteId="mysite", path=".*", **query)}

        assert len(paths()) == 4
        assert paths(states=STAGED) == paths()
        assert paths(states=LIVE) == paths() - {OFFERS}
        assert paths(states=1 | LIVE) == paths()
        assert paths(states=1) == {OFFERS}
        assert paths(states=2) == {HOME}

    def test_bits_of_the_seed(self, studio: Client) -> None:
        items = {item["path"]: item["state"] for item in studio.entity("items", ITEM_STATES, siteId="mysite", path=".*")}
        assert items[OFFERS] & (STAGED | LIVE) == STAGED, "staged, never live"
        assert items[HOME] & (STAGED | LIVE | 2) == STAGED | LIVE | 2, "live, edited, staged again"

    def test_publishing_to_live_clears_bits(self, simulator: Simulator, studio: Client) -> None:
        control(simulator, "POST", "/sites/mysite/publish", {})
        items = studio.entity("items", ITEM_STATES, siteId="mysite", path=".*")
        assert {item["state"] for item in items} == {STAGED | LIVE}

    def test_editing_clears_neither(self, simulator: Simulator, studio: Client) -> None:
        control(simulator, "POST", "/sites/second/edit", {"files": {HOME: "edited"}})
        item = studio.entity("item", "/api/2/content/item_by_path", siteId="second", path=HOME)
        assert item["state"] == STAGED | LIVE | 2

    def test_pages(self, simulator: Simulator, studio: Client) -> None:
        control(simulator, "POST", "/sites/mysite/edit", {"files": {f"/site/website/{n}.xml": "x" for n in range(20)}})
        first = studio.get(ITEM_STATES, siteId="mysite", path=".*").json()
        assert (first["total"], first["offset"], first["limit"], len(first["items"])) == (24, 0, 10, 10)
        last = studio.entity("items", ITEM_STATES, siteId="mysite", path=".*", offset=20)
        assert len(last) == 4

    def test_rows_of_an_item(self, simulator: Simulator, studio: Client) -> None:
        path = "/api/2/content/item_by_path"
        item = studio.entity("item", path, siteId="mysite", path=OFFERS)
        assert set(item["staging"]) == {"datePublished", "publisher", "commitId", "dateScheduled"}
        assert item["live"] is None
        control(simulator, "POST", "/sites/mysite/publish", {"paths": [OFFERS]})
        after = studio.entity("item", path, siteId="mysite", path=OFFERS)
        assert after["staging"] == item["staging"], "a live publish writes no row for staging"
        assert after["live"]["datePublished"] > after["staging"]["datePublished"]
        assert studio.get(path, siteId="mysite", path="/none.xml").json()["response"]["code"] == 7000

    def test_a_deletion_is_published(self, simulator: Simulator, studio: Client) -> None:
        control(simulator, "POST", "/sites/mysite/edit", {"files": {HOME: None}})
        control(simulator, "POST", "/sites/mysite/publish", {"paths": [HOME]})
        assert HOME[1:] not in control(simulator, "GET", "/sites/mysite/tree", branch="live")["files"]
        assert studio.get("/api/2/content/item_by_path", siteId="mysite", path=HOME).status_code == 404


class TestDiscovery:
    """Section 4."""

    @pytest.mark.parametrize("profile", ["documented", "3.0", "3.1", "4.0", "4.1", "4.2"])
    def test_exists(self, simulator: Simulator, profile: str) -> None:
        client, path = as_of(simulator, profile), API1 + "site/exists.json"
        assert client.get(path, site_id="mysite").json() == {"exists": True}
        assert client.get(path, site_id="nowhere").json() == {"exists": False}
        missing = client.get(path)
        assert (missing.status_code, missing.json()) == (400, {"message": "Invalid parameter(s): [site_id]"})

    def test_sites_of_3(self, simulator: Simulator) -> None:
        path = API1 + "site/get-per-user.json"
        old = as_of(simulator, "3.0")
        assert old.get(path).json() == {"message": "Invalid parameter(s): [username]"}
        assert old.get(path, username="unknown").status_code == 404
        assert old.get(path, username="member").json()["total"] == 2
        client = as_of(simulator, "3.1")
        answer = client.get(path).json()
        assert answer["total"] == 6
        entries = {entry["siteId"]: entry for entry in answer["sites"]}
        assert entries["mysite"]["publishingEnabled"] == 1
        assert entries["mysite"]["publishingStatusMessage"] == "ready|Ready"
        assert (entries["mysite"]["publishedRepoCreated"], entries["unpublished"]["publishedRepoCreated"]) == (1, 0)
        assert [entry["siteId"] for entry in client.get(path, start=1, number=2).json()["sites"]] == ["second", "nostaging"]
        assert client.get(path, start="x").json() == {"message": "Invalid parameter(s): [start]"}
        assert "publishedRepoCreated" not in as_of_version(simulator, "3.1.10").get(path).json()["sites"][0]

    def test_page_sizes(self, simulator: Simulator) -> None:
        control(simulator, "POST", "/sites", {"prefix": "bulk", "count": 30, "published": False})
        per_user = as_of(simulator, "3.1").get(API1 + "site/get-per-user.json").json()
        assert (per_user["total"], len(per_user["sites"])) == (36, 25)
        studio = as_of(simulator, "4.1")
        mine = studio.get("/api/2/users/me/sites").json()
        assert (mine["total"], mine["offset"], mine["limit"], len(mine["sites"])) == (36, 0, 10, 10)
        assert len(studio.entity("sites", "/api/2/users/me/sites", offset=30)) == 6
        assert len(studio.entity("sites", "/api/2/users/me/sites", limit=36)) == 36

    def test_my_sites(self, simulator: Simulator, studio: Client) -> None:
        entry = studio.entity("sites", "/api/2/users/me/sites")[0]
        assert set(entry) == {"siteId", "uuid", "name", "desc"} and entry["siteId"] == "mysite"
        assert as_of(simulator, "3.1").entity("sites", "/api/2/users/me/sites")[0]["state"] == "READY"
        member = as_of(simulator, "4.1", "member")
        assert [site["siteId"] for site in member.entity("sites", "/api/2/users/me/sites")] == ["mysite", "second"]

    @pytest.mark.parametrize("profile", ["4.1", "5.0"])
    def test_targets(self, simulator: Simulator, profile: str) -> None:
        client = as_of(simulator, profile)
        for site, targets, published in (
            ("mysite", ["live", "staging"], True),
            ("nostaging", ["live"], True),
            ("unpublished", ["live", "staging"], False),
            ("qasite", ["live", "qa"], True),
        ):
            if profile == "5.0":
                answer = client.get(f"/api/2/publish/{site}/available_targets").json()
            else:
                answer = client.get("/api/2/publish/available_targets", siteId=site).json()
            assert answer["publishingTargets"] == [{"name": name, "order": 0} for name in targets]
            assert answer["published"] is published

    def test_has_initial_publish(self, studio: Client) -> None:
        path = "/api/2/publish/has_initial_publish"
        assert studio.entity("hasInitialPublish", path, siteId="mysite") is True
        assert studio.entity("hasInitialPublish", path, siteId="unpublished") is False

    @pytest.mark.parametrize("profile", ["3.0", "3.1"])
    def test_channels(self, simulator: Simulator, profile: str) -> None:
        client, path = as_of(simulator, profile), API1 + "deployment/get-available-publishing-channels.json"
        query = {"site_id": "mysite", "path": "/"}
        answer = client.get(path, **query).json()
        assert answer["availableUpdateStatusChannels"] == []
        assert [channel["name"] for channel in answer["availablePublishChannels"]] == ["live", "staging"]
        assert set(answer["availablePublishChannels"][0]) == {"name", "publish", "updateStatus", "order"}
        alone = client.get(path, site_id="nostaging").json()["availablePublishChannels"]
        assert [channel["name"] for channel in alone] == ["live"]

    def test_configuration(self, simulator: Simulator, studio: Client) -> None:
        def content(site: str) -> str:
            query = {"siteId": site, "module": "studio", "path": "/site-config.xml"}
            return str(studio.entity("content", "/api/2/configuration/get_configuration", **query))

        enabled = "<enable-staging-environment>true</enable-staging-environment>"
        assert re.search(rf"<published-repository>\s*{enabled}\s*</published-repository>", content("mysite"))
        assert "published-repository" not in content("nostaging")
        assert "<staging-environment>qa</staging-environment>" in content("qasite")
        control(simulator, "PUT", "/sites/mysite", {"staging_enabled": False})
        assert "<enable-staging-environment>false<" in content("mysite")
        control(simulator, "PUT", "/sites/mysite", {"config_xml": "<broken"})
        assert content("mysite") == "<broken"
        missing = studio.get("/api/2/configuration/get_configuration", siteId="mysite", module="studio")
        assert missing.json()["response"]["remedialAction"] == "Add missing parameter 'path' of type 'String'"

    def test_configuration_of_3(self, simulator: Simulator) -> None:
        client, path = as_of(simulator, "3.0"), API1 + "site/get-configuration.json"
        query = {"site_id": "qasite", "path": "/site-config.xml"}
        answer = client.get(path, **query).json()
        assert answer["published-repository"] == {"enable-staging-environment": "true", "staging-environment": "qa"}

    def test_configuration_stub_of_4(self, studio: Client) -> None:
        answer = studio.get(API1 + "site/get-configuration.json", site_id="mysite", path="/site-config.xml")
        assert answer.status_code == 301
        assert answer.headers["Location"] == studio.info["url"] + "/api/2/configuration/get_configuration"


class TestFive:
    """5.0, as far as it is known."""

    def test_a_package_has_an_id_and_commits(self, simulator: Simulator) -> None:
        client = as_of(simulator, "5.0")
        body = {"publishingTarget": "live", "paths": [{"path": HOME}], "title": "t", "comment": "c"}
        answer = client.post("/api/2/publish/mysite/package", body)
        assert (answer.status_code, answer.json()["response"]["code"]) == (201, 1)
        path = f"/api/2/publish/mysite/package/{answer.json()['packageId']}"
        assert client.entity("package", path)["packageState"] == 1
        package = wait_until(lambda: (found := client.entity("package", path))["packageState"] & 256 and found)
        assert package["packageState"] == 256 | 4 | 32
        refs = ls_remote(simulator)
        assert (package["publishedLiveCommitId"], package["publishedStagingCommitId"]) == (refs["live"], refs["staging"])
        assert (package["approvalState"], package["target"], package["itemCount"]) == ("APPROVED", "live", 1)

    def test_approval(self, simulator: Simulator) -> None:
        client = as_of(simulator, "5.0")
        body = {"publishingTarget": "live", "publishAll": True, "requestApproval": True}
        number_ = client.post("/api/2/publish/mysite/package", body).json()["packageId"]
        time.sleep(0.1)
        package = client.entity("package", f"/api/2/publish/mysite/package/{number_}")
        assert (package["approvalState"], package["packageState"], package["itemCount"]) == ("SUBMITTED", 1, 4)

    def test_status(self, simulator: Simulator) -> None:
        client = as_of(simulator, "5.0")
        idle = {"enabled": True, "published": True, "currentTask": None}
        assert client.entity("publishingStatus", "/api/2/publish/mysite/status") == idle
        control(simulator, "POST", "/sites/mysite/publish", {"hold": True})
        task = client.entity("publishingStatus", "/api/2/publish/mysite/status")["currentTask"]
        assert (task["taskId"], task["state"]) == (1, "IN_PROGRESS")

    def test_configuration(self, simulator: Simulator) -> None:
        client = as_of(simulator, "5.0")
        path = "/api/2/configuration/qasite/get_configuration"
        query = {"module": "studio", "path": "/site-config.xml"}
        assert "<staging-environment>qa<" in client.entity("content", path, **query)

    def test_refusals(self, simulator: Simulator) -> None:
        client = as_of(simulator, "5.0")
        assert client.get("/api/2/publish/nowhere/status").json()["response"]["code"] == 5000
        assert client.get("/api/2/publish/mysite/package/99").json()["response"]["code"] == 7000
        assert client.post("/api/2/publish/mysite/package", {"publishingTarget": "live"}).json()["response"]["code"] == 1001


class TestGit:
    """The published repositories are real."""

    def test_http_agrees_with_the_path(self, simulator: Simulator, studio: Client) -> None:
        address = simulator["crafter"]["published_repo_url"].format(site="mysite")
        before = ls_remote(simulator)
        assert ls_remote(simulator, address=address) == before
        studio.reset()
        assert ls_remote(simulator, address=address) == ls_remote(simulator) != before
        assert {entry["kind"] for entry in simulator.requests(path="^/mysite/published")} == {"observe"}

    @pytest.mark.parametrize("protocol", ["0", "2"])
    @pytest.mark.parametrize("key", ["published_repo", "published_repo_url"])
    def test_fetch(self, simulator: Simulator, tmp_path: Path, key: str, protocol: str) -> None:
        address = simulator["crafter"][key].format(site="second")
        many = {f"page{n}.txt": f"{n}\n" * 50 for n in range(200)}
        control(simulator, "POST", "/sites/second/commit", {"branch": "live", "files": many})
        control(simulator, "POST", "/sites/second/commit", {"branch": "staging", "files": many})
        clone = str(tmp_path / "clone")
        git("init", "--quiet", "--bare", clone)
        git("-C", clone, "-c", f"protocol.version={protocol}", "fetch", "--quiet", address, "live:l", "staging:s")
        assert git("-C", clone, "rev-parse", "l^{tree}") == git("-C", clone, "rev-parse", "s^{tree}")
        assert git("-C", clone, "rev-parse", "l") != git("-C", clone, "rev-parse", "s")

    def test_http_is_read_only(self, simulator: Simulator) -> None:
        address = simulator["crafter"]["published_repo_url"].format(site="mysite")
        assert requests.get(f"{address}/info/refs", params={"service": "git-receive-pack"}).status_code == 403
        assert requests.get(f"{address.replace('mysite', 'unpublished')}/info/refs").status_code == 404
        assert requests.get(address).status_code == 404

    def test_a_delivery_node_does_not_see_the_reset(self, simulator: Simulator, studio: Client, tmp_path: Path) -> None:
        """It pulls, and staging moved back to what it has already merged."""
        control(simulator, "POST", "/sites/identical/edit", {"files": {HOME: "for review"}})
        control(simulator, "POST", "/sites/identical/publish", {"target": "staging"})
        clone = str(tmp_path / "delivery")
        git("clone", "--quiet", "--branch", "staging", repository(simulator, "identical"), clone)
        before = git("-C", clone, "rev-parse", "HEAD").strip()
        assert studio.reset("identical").status_code == 200
        assert "Already up to date" in git("-C", clone, "pull", "--no-rebase", "--strategy-option=theirs")
        assert git("-C", clone, "rev-parse", "HEAD").strip() == before != ls_remote(simulator, "identical")["staging"]

    def test_the_working_tree_follows(self, simulator: Simulator) -> None:
        control(simulator, "POST", "/sites/mysite/publish", {})
        assert git("-C", repository(simulator), "status", "--porcelain") == ""
        assert Path(repository(simulator), OFFERS[1:]).is_file()


class TestControl:
    def test_commits_are_real_and_unknown_to_studio(self, simulator: Simulator, studio: Client) -> None:
        before = studio.entity("items", ITEM_STATES, siteId="second", path=".*")
        files = {"site/website/index.xml": "by hand", "static-assets/css/main.css": None}
        commit = control(simulator, "POST", "/sites/second/commit", {"branch": "staging", "files": files})["commit_id"]
        assert ls_remote(simulator, "second")["staging"] == commit
        found = control(simulator, "GET", "/sites/second/tree", branch="staging")["files"]
        assert found["site/website/index.xml"] == "by hand"
        assert "static-assets/css/main.css" not in found
        assert studio.entity("items", ITEM_STATES, siteId="second", path=".*") == before

    def test_refs(self, simulator: Simulator) -> None:
        shown = control(simulator, "GET", "/sites/mysite/refs")
        assert {name: ref["commit"] for name, ref in shown["refs"].items()} == ls_remote(simulator)
        assert shown["refs"]["staging"]["tree"] == tree(simulator, "staging")
        assert control(simulator, "GET", "/sites/unpublished/refs") == {"head": None, "refs": {}}

    def test_making_sites(self, simulator: Simulator, studio: Client) -> None:
        made = control(simulator, "POST", "/sites", {"prefix": "n", "count": 12, "drift": "ahead", "staging_branch": "test"})
        assert made["sites"] == [f"n{number_}" for number_ in range(1, 13)]
        assert studio.reset("n7").status_code == 200
        seventh, eighth = ls_remote(simulator, "n7"), ls_remote(simulator, "n8")
        assert seventh["test"] == seventh["live"] == eighth["live"]
        assert eighth["test"] != eighth["live"]
        counts = {site: about["resets"] for site, about in control(simulator, "GET", "/sites").items()}
        assert (counts["n7"], counts["n8"]) == (1, 0)
        control(simulator, "DELETE", "/sites/n8")
        assert studio.reset("n8").status_code == 404
        assert not has_repository(simulator, "n8")

    @pytest.mark.parametrize(
        ("method", "path", "body", "status"),
        [
            ("POST", "/sites", {"sites": ["mysite"]}, 400),
            ("POST", "/sites", {"sites": ["../x"]}, 400),
            ("POST", "/sites", {"sites": ["x"], "drift": "behind"}, 400),
            ("PUT", "/sites/mysite", {"colour": "red"}, 400),
            ("PUT", "/sites/mysite/publisher", {"colour": "red"}, 400),
            ("GET", "/sites/nowhere", None, 404),
            ("GET", "/sites/unpublished/tree", None, 409),
        ],
    )
    def test_refusals(self, simulator: Simulator, method: str, path: str, body: Any, status: int) -> None:
        with pytest.raises(ControlError, match=f": {status} "):
            control(simulator, method, path, body)

    def test_parallel_resets(self, simulator: Simulator, studio: Client) -> None:
        control(simulator, "POST", "/sites", {"prefix": "p", "count": 8, "drift": "ahead"})
        sites = [f"p{number_}" for number_ in range(1, 9)] + ["mysite"] * 4
        barrier = threading.Barrier(len(sites))

        def reset(site: str) -> int:
            client = Client(simulator)
            barrier.wait()
            return client.reset(site).status_code

        with ThreadPoolExecutor(len(sites)) as pool:
            assert set(pool.map(reset, sites)) == {200}
        assert resets(simulator) == 4
        for site in set(sites):
            refs = ls_remote(simulator, site)
            assert refs["staging"] == refs["live"]
        assert studio.reset().status_code == 200

    def test_lost_reply(self, simulator: Simulator, studio: Client) -> None:
        simulator.fault("drop_after", part="crafter", method="POST")
        with pytest.raises(requests.ConnectionError):
            studio.reset()
        refs = ls_remote(simulator)
        assert refs["staging"] == refs["live"]
