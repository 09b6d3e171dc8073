# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages, from the request to the branch."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from tests.simulator.client import ControlError, Simulator, wait_until
from tests.simulator_tests.crafter.client import (
    API1,
    ENVELOPE_OK,
    HOME,
    OFFERS,
    PACKAGES,
    PUBLISH_ALL,
    START,
    STATUS,
    STOP,
    WORKFLOW_PUBLISH,
    Client,
    as_of,
    control,
    git,
    in_background,
    ls_remote,
    repository,
)


def publish_body(target: str = "live", **more: Any) -> dict[str, Any]:
    return {"siteId": "mysite", "items": [HOME], "optionalDependencies": [], "publishingTarget": target, "comment": "c", **more}


def states(client: Client, site: str = "mysite", **query: Any) -> list[str]:
    return [package["state"] for package in client.entity("packages", PACKAGES, siteId=site, **query)]


class TestPackages:
    """Sections 3.3 and 6."""

    def test_the_clock(self, simulator: Simulator, studio: Client) -> None:
        simulator.knob("crafter", queue_seconds=1.0, processing_seconds=1.0, publishing_seconds=0.1)
        before = ls_remote(simulator)
        answer = studio.post(WORKFLOW_PUBLISH, publish_body())
        assert (answer.status_code, answer.json()) == (200, {"response": ENVELOPE_OK})
        seen: list[str] = []
        deadline = time.monotonic() + 60
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
