# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is published about the endpoint, and how the part describes itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.client import Simulator
from tests.simulator_tests.crafter.client import (
    API1,
    PUBLISH_ALL,
    RESET,
    START,
    STATUS,
    STOP,
    SYNC,
    WORKFLOW_PUBLISH,
    Client,
    anonymous,
    as_of,
    control,
    git,
    has_repository,
    ls_remote,
    repository,
    resets,
    tree,
)


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
