# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of the publisher."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.simulator.client import Simulator
from tests.simulator_tests.crafter.client import (
    API1,
    HOME,
    START,
    STATUS,
    STATUS1,
    STOP,
    Client,
    as_of,
    as_of_version,
    control,
    is_page,
)
from tests.simulator_tests.crafter.test_versions import number


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
        simulator.knob("crafter", queue_seconds=1.0, processing_seconds=1.0, publishing_seconds=1.0)

        def word() -> str:
            if number(version) < (3, 1, 14):
                return str(client.get(STATUS1, site_id="mysite").json()["status"])
            return str(client.entity("publishingStatus", STATUS, siteId="mysite")["status"])

        body = {"environment": "live", "schedule": None, "submission_comment": "", "entities": [{"item": HOME}]}
        assert client.post(API1 + "publish/publish-items.json?site_id=mysite", body).json() == {"message": "OK"}
        seen = [word()]
        deadline = time.monotonic() + 60
        while seen[-1] not in ("ready", "idle") and time.monotonic() < deadline:
            if (now := word()) != seen[-1]:
                seen.append(now)
            time.sleep(0.01)
        assert seen == ["queued", *dict.fromkeys([first, second]), "idle" if version == "3.0.27" else "ready"]
