# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which release has which endpoint, and what differs in 5.0."""

from __future__ import annotations

import time

import pytest

from tests.simulator.client import ControlError, Simulator, wait_until
from tests.simulator_tests.crafter.client import (
    API1,
    HOME,
    ITEM_STATES,
    LOGIN,
    PACKAGES,
    PUBLISH_ALL,
    RESET,
    START,
    STATUS,
    STATUS1,
    WORKFLOW_PUBLISH,
    Client,
    anonymous,
    as_of,
    as_of_version,
    control,
    is_page,
    ls_remote,
)

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
