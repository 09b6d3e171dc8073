# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reset of staging as the releases do it, with its odd cases."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
import requests

from tests.simulator.client import Simulator, wait_until
from tests.simulator_tests.crafter.client import (
    HOME,
    ITEM_STATES,
    OFFERS,
    PACKAGES,
    PUBLISH_ALL,
    RESET,
    RESET_PROFILES,
    STAGED,
    START,
    STATUS,
    STOP,
    WORKFLOW_PUBLISH,
    Client,
    as_of,
    as_of_version,
    control,
    git,
    in_background,
    is_page,
    ls_remote,
    repository,
    resets,
)


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
        # one that waits would get no answer before the client gives up
        assert studio.reset("second").json() == {"message": "OK"}

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
