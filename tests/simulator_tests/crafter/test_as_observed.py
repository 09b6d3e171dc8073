# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What real servers of 4.0.2 and 4.0.5 were seen to do beyond the documentation (docs/reference/crafter.md)."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.client import Simulator, wait_until
from tests.simulator_tests.crafter.client import (
    API1,
    HOME,
    ITEM_STATES,
    OFFERS,
    PACKAGES,
    PUBLISH_ALL,
    RESET,
    START,
    STATUS,
    STOP,
    WORKFLOW_PUBLISH,
    Client,
    as_of_version,
    control,
    git,
    has_repository,
    in_background,
    is_page,
    ls_remote,
    repository,
    resets,
)

EARLY, LATE = "4.0.2", "4.0.5"
TARGETS, CONFIGURATION = "/api/2/publish/available_targets", "/api/2/configuration/get_configuration"
ITEM = "/api/2/content/item_by_path"
SITE_CONFIG = {"module": "studio", "path": "/site-config.xml"}


def git_of(simulator: Simulator, *arguments: str, site: str = "mysite") -> str:
    return git("-C", repository(simulator, site), *arguments).strip()


def code(answer: Any) -> tuple[int, int]:
    return answer.status_code, answer.json()["response"]["code"]


def publish(client: Client, items: list[str], target: str, site: str = "mysite", comment: str = "for review") -> None:
    body = {"siteId": site, "items": items, "publishingTarget": target, "comment": comment}
    assert client.post(WORKFLOW_PUBLISH, body).status_code == 200
    wait_until(lambda: all(row["state"] == "COMPLETED" for row in control_packages(client, site)))


def control_packages(client: Client, site: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.entity("packages", PACKAGES, siteId=site)
    return found


class TestRepository:
    """Sections 3.5 and 6."""

    @pytest.fixture
    def studio(self, simulator: Simulator) -> Client:
        return as_of_version(simulator, LATE)

    def test_the_branch_of_the_sandbox_is_there(self, simulator: Simulator) -> None:
        names = git_of(simulator, "for-each-ref", "--format=%(refname)").splitlines()
        expected = {"refs/heads/live", "refs/heads/staging", "refs/heads/master", "refs/remotes/origin/master"}
        assert set(names) == expected
        found = subprocess.run(
            ["git", "-C", repository(simulator), "merge-base", "live", "master"], check=False, capture_output=True
        )
        assert found.returncode == 1, "no common history"

    def test_published_items_leave_an_annotated_tag_on_each_commit(self, simulator: Simulator, studio: Client) -> None:
        publish(studio, [HOME], "live")
        refs, tags = ls_remote(simulator), git_of(simulator, "tag").splitlines()
        assert len(tags) == 2
        assert {git_of(simulator, "rev-parse", f"{tag}^{{commit}}") for tag in tags} == {refs["live"], refs["staging"]}
        for tag in tags:
            assert git_of(simulator, "cat-file", "-t", tag) == "tag"
            assert re.fullmatch(r"(\d{4}-\d\d-\d\dT\d{9}Z)_published_on_(\d{4}-\d\d-\d\dT\d{9}Z)", tag)
        message = git_of(simulator, "log", "-1", "--format=%B", "live")
        assert message.startswith("Publish event triggered by admin on ") and '"for review' in message
        assert control_packages(studio, "mysite")[0]["id"] in message

    def test_everything_leaves_none_and_its_comment_is_the_message(self, simulator: Simulator, studio: Client) -> None:
        body = {"siteId": "mysite", "publishingTarget": "staging", "submissionComment": "Summer sale"}
        assert studio.post(PUBLISH_ALL, body).status_code == 200
        assert git_of(simulator, "tag") == ""
        assert git_of(simulator, "log", "-1", "--format=%B", "staging") == "Summer sale"

    def test_staging_of_items_alone_is_without_history(self, simulator: Simulator, studio: Client) -> None:
        control(simulator, "DELETE", "/sites/mysite/refs/staging")
        publish(studio, [HOME], "staging")
        assert git_of(simulator, "ls-tree", "-r", "--name-only", "staging").split() == [".gitignore", HOME[1:]]
        assert git_of(simulator, "rev-list", "--count", "staging") == "1"

    def test_everything_to_a_missing_staging_is_the_sandbox(self, simulator: Simulator, studio: Client) -> None:
        body = {"siteId": "mysite", "publishingTarget": "staging", "submissionComment": ""}
        control(simulator, "DELETE", "/sites/mysite/refs/staging")
        assert code(as_of_version(simulator, EARLY).post(PUBLISH_ALL, body)) == (404, 7000)
        assert as_of_version(simulator, LATE).post(PUBLISH_ALL, body).status_code == 200
        assert OFFERS[1:] in git_of(simulator, "ls-tree", "-r", "--name-only", "staging").split()

    def test_everything_goes_to_a_staging_that_was_disabled_later(self, simulator: Simulator, studio: Client) -> None:
        body = {"siteId": "nostaging", "publishingTarget": "staging"}
        assert code(studio.post(PUBLISH_ALL, body)) == (404, 7000)
        assert studio.reset("nostaging").status_code == 200
        assert studio.post(PUBLISH_ALL, body).status_code == 200

    def test_even_a_refused_request_puts_a_new_site_live(self, simulator: Simulator, studio: Client) -> None:
        assert not has_repository(simulator, "unpublished")
        body = {"siteId": "unpublished", "items": ["/site/nosuch.xml"], "publishingTarget": "staging"}
        assert code(studio.post(WORKFLOW_PUBLISH, body)) == (404, 7000)
        assert set(ls_remote(simulator, "unpublished")) == {"live", "staging"}
        assert HOME[1:] in git_of(simulator, "ls-tree", "-r", "--name-only", "live", site="unpublished").split()
        assert git_of(simulator, "log", "-1", "--format=%s", "live", site="unpublished") == "Initial publish."
        assert control_packages(studio, "unpublished") == []

    def test_a_running_publish_of_everything_never_shows(self, simulator: Simulator, studio: Client) -> None:
        simulator.knob("crafter", publish_all_seconds=1.0)
        body = {"siteId": "mysite", "publishingTarget": "live"}
        work = in_background(studio.post, PUBLISH_ALL, body)
        words = set()
        other = as_of_version(simulator, LATE)
        while not work.done():
            words.add(other.entity("publishingStatus", STATUS, siteId="mysite")["status"])
        assert (work.result().status_code, words) == (200, {"ready"})

    def test_an_index_that_is_locked(self, simulator: Simulator, studio: Client) -> None:
        simulator.knob("crafter", index_lock_seconds=0.1)
        before = ls_remote(simulator)
        lock = Path(repository(simulator), ".git", "index.lock")
        lock.touch()
        answer = studio.reset()
        lock.unlink()
        assert answer.status_code == 500
        assert answer.json()["message"].startswith("Internal server error: \njava.lang.reflect.UndeclaredThrowableException")
        assert (ls_remote(simulator), resets(simulator)) == (before, 0)
        assert studio.reset().status_code == 200


class TestSites:
    """Section 4.1."""

    def test_another_spelling_on_4_0_2(self, simulator: Simulator) -> None:
        studio = as_of_version(simulator, EARLY)
        for route, more in ((STATUS, {}), (TARGETS, {}), (CONFIGURATION, SITE_CONFIG)):
            assert studio.get(route, siteId="Mysite", **more).json() == studio.get(route, siteId="mysite", **more).json()
        for route in (PACKAGES, ITEM_STATES):
            assert code(studio.get(route, siteId="Mysite", path=".*")) == (403, 2001)
        assert is_page(studio.post(RESET, {"site_id": "Mysite"}), 403)
        assert resets(simulator) == 0

    def test_another_spelling_on_4_0_5(self, simulator: Simulator) -> None:
        studio = as_of_version(simulator, LATE)
        for route in (STATUS, TARGETS, CONFIGURATION, PACKAGES, ITEM_STATES, ITEM):
            answer = studio.get(route, siteId="Mysite", path=".*", module="studio")
            assert code(answer) == (400, 1001)
            (error,) = answer.json()["validationErrors"]
            assert error["field"].endswith(".siteId")
            assert error["message"] == "Value is not a valid site ID"
        answer = studio.post(WORKFLOW_PUBLISH, {"siteId": "Mysite", "items": [HOME], "publishingTarget": "live"})
        assert answer.json()["validationErrors"][0]["field"] == "siteId"
        assert is_page(studio.post(RESET, {"site_id": "Mysite"}), 403)

    @pytest.mark.parametrize(
        ("version", "route", "answer"),
        [
            (EARLY, PACKAGES, (404, 5000)),
            (LATE, PACKAGES, (403, 2001)),
            (EARLY, ITEM_STATES, (403, 2001)),
            (LATE, ITEM_STATES, (403, 2001)),
            (EARLY, CONFIGURATION, (200, 0)),
            (LATE, CONFIGURATION, (500, 1000)),
            (LATE, ITEM, (500, 1000)),
            (LATE, STATUS, (404, 5000)),
            (LATE, TARGETS, (404, 5000)),
            ("4.1.8", PACKAGES, (404, 5000)),
        ],
    )
    def test_an_unknown_site(self, simulator: Simulator, version: str, route: str, answer: tuple[int, int]) -> None:
        seen = as_of_version(simulator, version).get(route, siteId="nosuch", path="/site-config.xml", module="studio")
        assert code(seen) == answer
        assert answer[0] != 200 or seen.json()["content"] is None

    def test_the_publisher_of_an_unknown_site(self, simulator: Simulator) -> None:
        studio = as_of_version(simulator, LATE)
        for path in (START, STOP):
            for site in ("nosuch", "Mysite"):
                answer = studio.post(path, {"site_id": site})
                assert answer.status_code == 403
                assert answer.json()["message"].endswith(f'"start_stop_publisher" on {{siteId={site}}}')


class TestRequests:
    """Sections 1.4, 2.3, 3.3 and 6.2."""

    @pytest.mark.parametrize(("version", "answer"), [(EARLY, (500, 1000)), (LATE, (400, 1001))])
    def test_no_items(self, simulator: Simulator, version: str, answer: tuple[int, int]) -> None:
        body = {"siteId": "mysite", "items": [], "publishingTarget": "staging"}
        assert code(as_of_version(simulator, version).post(WORKFLOW_PUBLISH, body)) == answer

    @pytest.mark.parametrize("version", [EARLY, LATE])
    def test_a_path_without_slash(self, simulator: Simulator, version: str) -> None:
        body = {"siteId": "mysite", "items": [HOME[1:]], "publishingTarget": "staging"}
        assert code(as_of_version(simulator, version).post(WORKFLOW_PUBLISH, body)) == (403, 2001)

    def test_the_id_of_a_package_that_is_none(self, simulator: Simulator) -> None:
        route, query = "/api/2/publish/package", {"siteId": "mysite", "packageId": "bad"}
        early = as_of_version(simulator, EARLY).get(route, **query)
        assert code(early) == (200, 0)
        assert set(early.json()["package"].values()) == {None}
        assert code(as_of_version(simulator, LATE).get(route, **query)) == (400, 1001)
        assert code(as_of_version(simulator, "4.1.8").get(route, **query)) == (404, 7000)

    def test_the_limit_of_packages_is_the_number_of_rows(self, simulator: Simulator) -> None:
        studio = as_of_version(simulator, LATE)
        publish(studio, [HOME], "staging")
        assert studio.get(PACKAGES, siteId="mysite", limit=50).json()["limit"] == 1

    def test_tokens_are_created_and_deleted_with_code_0(self, simulator: Simulator) -> None:
        studio = as_of_version(simulator, LATE)
        made = studio.post("/api/2/security/tokens", {"label": "x"})
        assert code(made) == (201, 0)
        address = f"{simulator['crafter']['url']}/api/2/security/tokens/{made.json()['token']['id']}"
        assert code(studio.session.delete(address, timeout=30)) == (200, 0)

    def test_there_is_no_logging_out(self, simulator: Simulator) -> None:
        path = API1 + "security/logout.json"
        assert as_of_version(simulator, LATE).post(path, {}).status_code == 503
        assert code(as_of_version(simulator, LATE, user=None).post(path, {})) == (401, 2000)

    def test_without_its_ending_the_reset_asks_for_no_permission(self, simulator: Simulator) -> None:
        visitor = as_of_version(simulator, LATE, user="visitor")
        assert is_page(visitor.reset(), 403)
        assert visitor.post(RESET.removesuffix(".json"), {"site_id": "mysite"}).json() == {"message": "OK"}
        refs = ls_remote(simulator)
        assert refs["live"] == refs["staging"]
