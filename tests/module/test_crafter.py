# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""crafter_staging_sync, crafter_publish, crafter_publishing_info and sync_wait against the emulator and its git repositories."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.simulator.client import Simulator, wait_until

from .conftest import Outcome, RunModule

SYNC, PUBLISH, INFO = "crafter_staging_sync", "crafter_publish", "crafter_publishing_info"
RESET_CALL, SYNC_CALL = "reset-staging.json", "sync-staging.json"
HOME, OFFERS = "/site/website/index.xml", "/site/website/offers/index.xml"
LOGIN = "security/login.json"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["crafter"]) as running:
        yield running


class Server:
    """The emulated server as the tests see it."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.info = simulator["crafter"]
        self.repository: str = self.info["published_repo"]

    def options(self, sites: Any = "mysite", user: str = "admin", **more: Any) -> dict[str, Any]:
        token = self.info["users"][user]["api_token"]
        pace = {"poll_min_interval": 0.1, "poll_max_interval": 0.2, "settle_grace": 1, "wait_timeout": 20}
        return {"api_url": self.info["url"], "api_token": token, "sites": sites, **pace, **more}

    def with_password(self, sites: Any = "mysite", user: str = "admin", **more: Any) -> dict[str, Any]:
        login = {"api_token": None, "username": user, "password": self.info["users"][user]["password"]}
        return {**self.options(sites), **login, **more}

    def knob(self, **values: Any) -> None:
        self.simulator.knob("crafter", **values)

    def control(self, method: str, path: str, body: object = None, **query: Any) -> Any:
        return self.simulator.control.part("crafter", method, path, body, **query)

    def refs(self, site: str = "mysite") -> dict[str, str]:
        refs = self.control("GET", f"/sites/{site}/refs")["refs"]
        return {name: ref["commit"] for name, ref in refs.items()}

    def resets(self, site: str = "mysite") -> int:
        return int(self.control("GET", "/sites")[site]["resets"])

    def mutations(self) -> list[str]:
        """Mutating requests that the server saw, executed or not."""
        return [str(entry["path"]) for entry in self.simulator.requests(part="crafter", kind="mutate")]

    def api(self, method: str, path: str, body: object = None) -> Any:
        """A request as its administrator sends it, which is not counted as one of the module's."""
        headers = {"Authorization": f"Bearer {self.info['api_token']}"}
        response = requests.request(method, self.info["url"] + path, json=body, headers=headers, timeout=30)
        response.raise_for_status()
        self.simulator.control.call("DELETE", "/requests")
        return response.json()

    def submit(self, site: str, items: list[str], target: str, schedule: str | None = None) -> None:
        """Publish items, now or later."""
        body = {"siteId": site, "items": items, "optionalDependencies": [], "publishingTarget": target, "schedule": schedule}
        self.api("POST", "/api/2/workflow/publish", {**body, "comment": "by somebody else"})

    def logins(self) -> int:
        return len(self.simulator.requests(part="crafter", method="POST", path=LOGIN))


@pytest.fixture
def server(simulator: Simulator) -> Server:
    """As at the start, with a clock in a hurry."""
    simulator.reset()
    server = Server(simulator)
    server.knob(queue_seconds=0.05, processing_seconds=0.03, publishing_seconds=0.03)
    return server


def failure(outcome: Outcome) -> dict[str, Any]:
    found = outcome.only["failure"]
    assert found is not None, outcome.output
    return dict(found)


def refused(outcome: Outcome, code: str) -> dict[str, Any]:
    """A refusal that has a remedy."""
    found = failure(outcome)
    assert outcome.failed and not outcome.changed
    assert outcome.only["action"] == "refused" and found["code"] == code and found["hint"], found
    return found


# -- the main job ----------------------------------------------------------------------------------------------------


def test_check_mode_reports_what_is_lost_and_sends_nothing(server: Server, run_module: RunModule, ledger: Path) -> None:
    outcome = run_module(SYNC, server.options(published_repo=server.repository), check=True, diff=True)
    record = outcome.only
    assert outcome.changed and record["action"] == "would_trigger" and record["changed_basis"] == "predicted"
    lost = {"added": 1, "modified": 1, "paths": [HOME.lstrip("/"), OFFERS.lstrip("/")], "tag": None}
    assert record["detail"]["lost"] == lost and record["detail"]["only_live"] == {"count": 0, "paths": []}
    (shown,) = outcome.result["diff"]
    assert OFFERS.lstrip("/") in shown["before"] and OFFERS.lstrip("/") not in shown["after"]
    assert HOME.lstrip("/") in shown["before"] and HOME.lstrip("/") in shown["after"]
    assert server.mutations() == [] and not ledger.exists()


def test_what_is_dropped_is_counted_apart_from_what_only_live_has(server: Server, run_module: RunModule) -> None:
    repository = server.repository.replace("{site}", "mysite")
    staging, author = server.refs()["staging"], ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    server.control("POST", "/sites/mysite/commit", {"branch": "live", "files": {"site/website/only.xml": "live"}})
    for name in ("2026-01-02T09_published_on_2026-01-02T09", "2026-01-03T09_published_on_2026-01-03T09"):
        subprocess.run(["git", *author, "-C", repository, "tag", "-a", "-m", name, name, staging], check=True)
    record = run_module(SYNC, server.options(published_repo=server.repository), check=True).only
    assert record["detail"]["only_live"] == {"count": 1, "paths": ["site/website/only.xml"]}
    lost = record["detail"]["lost"]
    assert (lost["added"], lost["modified"]) == (1, 1) and "site/website/only.xml" not in lost["paths"]
    assert lost["tag"] == "2026-01-03T09_published_on_2026-01-03T09"


def test_an_answer_that_hangs_is_resolved_by_the_branches(server: Server, run_module: RunModule) -> None:
    server.simulator.fault("delay_after", method="POST", path_regex=RESET_CALL, seconds=20)
    outcome = run_module(SYNC, server.options(published_repo=server.repository, request_timeout=1, wait_timeout=60))
    assert outcome.changed and outcome.only["state"] == "succeeded" and outcome.only["elapsed"] < 10
    assert len(server.mutations()) == server.resets() == 1


def test_a_call_that_waits_for_a_long_publish_is_found_after_it(server: Server, start_module: Any) -> None:
    """It was idle when it was looked at, and the publish began a moment later."""
    server.simulator.fault("delay", method="POST", path_regex=RESET_CALL, seconds=0.5)
    options = server.options(published_repo=server.repository, request_timeout=0.6, wait_timeout=60, settle_grace=1)
    started = start_module(SYNC, options)
    wait_until(server.mutations)
    server.control("POST", "/sites/mysite/publish", {"target": "staging", "paths": [HOME], "hold": True})
    time.sleep(3)
    server.control("POST", "/sites/mysite/publish/finish")
    outcome = started.finish()
    assert outcome.only["state"] == "succeeded" and len(server.mutations()) == server.resets() == 1


def test_the_documented_endpoint_is_in_no_release(server: Server, run_module: RunModule) -> None:
    for check in (True, False):
        outcome = run_module(SYNC, server.options(endpoint="sync-staging"), check=check)
        assert "no release of Crafter Studio has it" in outcome.warnings
    assert refused(outcome, "endpoint_missing") and server.resets() == 0


def test_first_run_resets_once_and_second_run_does_nothing(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    before = server.refs()
    simulator.control.clear()
    first = run_module(SYNC, server.options(published_repo=server.repository))
    record = first.only
    assert first.changed and record["action"] == "triggered" and record["state"] == "succeeded" and record["failure"] is None
    assert record["changed_basis"] == "observed" and record["started_at"] and record["finished_at"]
    assert record["requests"] == first.result["summary"]["requests"] == len(simulator.requests(part="crafter"))
    after = server.refs()
    assert record["detail"]["refs"] == {"before": before, "after": after}
    assert after["staging"] == after["live"] == before["live"] != before["staging"]
    assert len(server.mutations()) == server.resets() == 1 and server.mutations()[0].endswith(RESET_CALL)
    assert "4086" in first.warnings
    second = run_module(SYNC, server.options(published_repo=server.repository))
    assert not second.changed and second.only["action"] == "skipped" and second.only["changed_basis"] == "observed"
    assert server.resets() == 1 and "4086" not in second.warnings


def test_equal_trees_of_different_commits_are_in_sync(server: Server, run_module: RunModule) -> None:
    refs = server.refs("second")
    assert refs["live"] != refs["staging"]
    outcome = run_module(SYNC, server.options("second", published_repo=server.repository))
    assert not outcome.changed and outcome.only["action"] == "skipped" and "same content" in outcome.only["reason"]
    forced = run_module(SYNC, server.options("second", published_repo=server.repository, force=True))
    assert forced.changed and forced.only["action"] == "triggered" and server.resets("second") == 1
    again = run_module(SYNC, server.options("second", published_repo=server.repository, force=True))
    assert not again.changed and again.only["changed_basis"] == "observed" and server.resets("second") == 2


def test_repository_over_http_and_for_one_site(server: Server, run_module: RunModule) -> None:
    url = server.info["published_repo_url"].replace("{site}", "mysite")
    outcome = run_module(SYNC, server.options(published_repo=url))
    assert outcome.changed and outcome.only["changed_basis"] == "observed" and server.resets() == 1
    several = run_module(SYNC, server.options(["mysite", "second"], published_repo=url))
    assert several.result["failure"]["code"] == "invalid_option" and "{site}" in several.result["failure"]["hint"]


def test_without_repository_the_effect_is_assumed_and_a_release_is_synced_once(server: Server, run_module: RunModule) -> None:
    options = server.options(release="2026.11")
    first = run_module(SYNC, options, diff=True)
    assert first.changed and first.only["changed_basis"] == "assumed" and first.only["state"] == "succeeded"
    assert first.only["detail"]["staged_not_live"] == [OFFERS] and OFFERS in first.result["diff"][0]["before"]
    assert "4086" in first.warnings
    second = run_module(SYNC, options)
    assert not second.changed and second.only["action"] == "skipped" and server.resets() == 1
    third = run_module(SYNC, server.options(max_age=3600))
    assert not third.changed and server.resets() == 1
    assert run_module(SYNC, server.options()).changed and server.resets() == 2


def test_many_sites_in_order_and_one_warning(server: Server, run_module: RunModule) -> None:
    server.control("POST", "/sites", {"prefix": "bulk", "count": 12, "drift": "ahead"})
    sites = [f"bulk{number}" for number in range(12, 0, -1)]
    outcome = run_module(SYNC, server.options([*sites, "nosuch", "identical"], published_repo=server.repository))
    assert [record["target"] for record in outcome.result["syncs"]] == [*sites, "nosuch", "identical"]
    assert [record["action"] for record in outcome.result["syncs"]] == ["triggered"] * 12 + ["refused", "skipped"]
    assert outcome.failed and len(server.mutations()) == 12
    assert len([text for text in outcome.result["warnings"] if "4086" in json.dumps(text)]) == 1


def test_missing_staging_branch_is_made(server: Server, run_module: RunModule) -> None:
    server.control("DELETE", "/sites/mysite/refs/staging")
    outcome = run_module(SYNC, server.options(published_repo=server.repository))
    refs = server.refs()
    assert outcome.changed and refs["staging"] == refs["live"] and outcome.only["detail"]["refs"]["before"]["staging"] is None


def test_own_branch_names(server: Server, run_module: RunModule) -> None:
    wrong = run_module(SYNC, server.options("qasite", published_repo=server.repository))
    assert "qa" in refused(wrong, "invalid_option")["hint"] and "environment" in failure(wrong)["message"]
    assert server.mutations() == []
    outcome = run_module(SYNC, server.options("qasite", environment="qa", published_repo=server.repository))
    refs = server.refs("qasite")
    assert outcome.changed and refs["qa"] == refs["live"] and "staging" not in refs


# -- versions and endpoints --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["3.0", "3.1", "4.0", "4.1"])
def test_each_version_with_its_own_login(profile: str, server: Server, run_module: RunModule) -> None:
    server.knob(profile=profile, basic_auth=True)
    options = server.with_password(published_repo=server.repository)
    check = run_module(SYNC, options, check=True)
    assert check.only["action"] == "would_trigger" and server.mutations() == []
    outcome = run_module(SYNC, options)
    assert outcome.changed and outcome.only["changed_basis"] == "observed" and server.resets() == 1
    again = run_module(SYNC, options)
    assert not again.changed and len(server.mutations()) == 1
    assert server.logins() == (3 if profile < "4" else 0)


@pytest.mark.parametrize("profile", ["4.2", "5.0"])
def test_removed_endpoint_is_never_called(profile: str, server: Server, run_module: RunModule) -> None:
    server.knob(profile=profile)
    for endpoint in ("auto", "reset-staging"):
        found = refused(run_module(SYNC, server.options(endpoint=endpoint), check=endpoint == "auto"), "endpoint_missing")
        assert "4.2.0" in found["message"] and "crafter_publish" in found["hint"]
    assert server.mutations() == []


def test_too_old(server: Server, run_module: RunModule) -> None:
    server.knob(profile="3.0", version="3.0.13")
    assert "3.0.14" in refused(run_module(SYNC, server.with_password()), "endpoint_missing")["message"]
    assert server.mutations() == []


def test_unknown_version_takes_the_endpoint_that_was_released(server: Server, run_module: RunModule) -> None:
    server.knob(reported_version="nightly")
    outcome = run_module(SYNC, server.options())
    assert outcome.changed and outcome.only["detail"]["endpoint"] == "reset-staging" and server.resets() == 1


def test_endpoint_that_is_missing_is_not_a_missing_site(server: Server, run_module: RunModule) -> None:
    found = refused(run_module(SYNC, server.options(endpoint="sync-staging")), "endpoint_missing")
    assert found["http_status"] == 404
    server.knob(profile="3.1")
    found = refused(run_module(SYNC, server.with_password(endpoint="sync-staging")), "endpoint_missing")
    assert found["http_status"] == 400 and "REST script not found" in found["message"]
    assert server.resets() == 0
    assert "nosuch" in refused(run_module(SYNC, server.with_password("nosuch")), "not_found")["message"]


def test_published_example_verbatim(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    server.knob(profile="documented")
    options = server.options(endpoint="sync-staging", environment="qa")
    options["site_id"] = options.pop("sites")
    refused(run_module(SYNC, {**options, "endpoint": "auto"}), "endpoint_missing")
    outcome = run_module(SYNC, {**options, "published_repo": server.repository})
    refs = server.refs()
    assert outcome.changed and refs["qa"] == refs["live"] and server.resets() == 1
    (entry,) = simulator.requests(kind="mutate")
    assert entry["path"] == "/studio/api/1/services/api/1/publish/sync-staging.json" and entry["status"] == 200
    assert outcome.only["detail"]["endpoint"] == "sync-staging"


PUBLISHED = [
    (400, "Invalid parameter(s)", "invalid_option", "refused"),
    (400, "Invalid parameter(s): [site_id, environment]", "invalid_option", "refused"),
    (400, "Bad Request", "bad_response", "refused"),
    (401, "Unauthorized", "auth_failed", "refused"),
    (404, "Site not found", "not_found", "refused"),
    (404, "Environment not found", "invalid_option", "refused"),
    (500, "Internal server error", "outcome_unknown", "triggered"),
]


def test_published_answers(server: Server, run_module: RunModule) -> None:
    server.knob(profile="documented")
    server.control("POST", "/sites", {"prefix": "bulk", "count": len(PUBLISHED)})
    for status, text, _code, _action in PUBLISHED:
        body = json.dumps({"message": text})
        server.simulator.fault("status", method="POST", code=status, body=body, content_type="application/json")
    sites = [f"bulk{number}" for number in range(1, len(PUBLISHED) + 1)]
    outcome = run_module(SYNC, server.options(sites, endpoint="sync-staging", settle_grace=0.2, max_parallel=1))
    for (status, text, code, action), record in zip(PUBLISHED, outcome.result["syncs"], strict=True):
        found = record["failure"]
        assert (found["code"], found["http_status"], record["action"]) == (code, status, action)
        assert text in found["message"] and found["hint"]
    assert outcome.failed and len(server.mutations()) == len(PUBLISHED)


def test_environment_that_the_published_contract_does_not_have(server: Server, run_module: RunModule) -> None:
    server.knob(profile="documented")
    outcome = run_module(SYNC, server.options(endpoint="sync-staging", environment="nowhere"))
    assert "environment" in refused(outcome, "invalid_option")["hint"]


def test_not_json_and_not_ok(server: Server, run_module: RunModule) -> None:
    for fault in ({"kind": "html"}, {"kind": "status", "code": 200, "body": '{"message": "Done"}'}):
        server.simulator.fault(method="POST", **fault)
        outcome = run_module(SYNC, server.options(settle_grace=0.2))
        assert failure(outcome)["code"] == "outcome_unknown" and outcome.only["state"] == "unknown"
    server.simulator.fault("redirect", method="POST", location="/studio/login")
    assert failure(run_module(SYNC, server.options()))["code"] == "redirect_refused"
    assert server.resets() == 0 and len(server.mutations()) == 3


# -- what the server does not check --------------------------------------------------------------------------------------


def test_staging_disabled(server: Server, run_module: RunModule) -> None:
    for check in (True, False):
        outcome = run_module(SYNC, server.options("nostaging", published_repo=server.repository), check=check)
        assert "require_staging_enabled" in failure(outcome)["hint"] and outcome.codes == ["staging_disabled"]
    assert server.mutations() == []
    outcome = run_module(SYNC, server.options("nostaging", published_repo=server.repository, require_staging_enabled=False))
    assert outcome.changed and server.resets("nostaging") == 1


def test_never_published(server: Server, run_module: RunModule) -> None:
    for repository in (None, server.repository):
        outcome = run_module(SYNC, server.options("unpublished", published_repo=repository))
        assert "never published" in refused(outcome, "not_found")["message"]
    server.knob(profile="3.1")
    assert "never published" in refused(run_module(SYNC, server.with_password("unpublished")), "not_found")["message"]
    assert server.mutations() == []
    # 3.0 does not tell before, but with an exception
    server.knob(profile="3.0")
    found = refused(run_module(SYNC, server.with_password("unpublished")), "not_found")
    assert found["http_status"] == 500 and len(server.mutations()) == 1


def test_live_branch_missing(server: Server, run_module: RunModule) -> None:
    server.control("POST", "/sites/mysite/checkout", {"branch": "staging"})
    server.control("DELETE", "/sites/mysite/refs/live")
    seen = run_module(SYNC, server.options(published_repo=server.repository))
    assert refused(seen, "not_found") and server.mutations() == []
    found = refused(run_module(SYNC, server.options()), "not_found")
    assert found["http_status"] == 500 and "live" in found["message"]


def test_failure_of_studio_that_moved_nothing_is_definite_with_git(server: Server, run_module: RunModule) -> None:
    body = json.dumps({"message": "Internal server error: \norg.eclipse.jgit.api.errors.JGitInternalException: lock"})
    server.simulator.fault("status", method="POST", code=500, body=body, content_type="application/json", times=None)
    outcome = run_module(SYNC, server.options(published_repo=server.repository))
    found = refused(outcome, "server_error")
    assert "did not change it" in found["message"] and found["http_status"] == 500
    without = run_module(SYNC, server.options(settle_grace=0.2))
    assert without.codes == ["outcome_unknown"] and without.only["changed"] and without.only["changed_basis"] == "assumed"


# -- the publisher -------------------------------------------------------------------------------------------------------


def test_waits_until_the_publisher_is_idle_and_plans_anew(server: Server, start_module: Any) -> None:
    server.control("POST", "/sites/mysite/publish", {"target": "staging", "paths": [HOME], "hold": True})
    started = start_module(SYNC, server.options(published_repo=server.repository))
    wait_until(lambda: len(server.simulator.requests(path="publish/status")) > 3)
    assert server.mutations() == []
    server.control("POST", "/sites/mysite/publish/finish")
    outcome = started.finish()
    refs = server.refs()
    assert outcome.changed and refs["staging"] == refs["live"] and server.resets() == 1


def test_busy_publisher_until_the_deadline(server: Server, run_module: RunModule) -> None:
    server.control("PUT", "/sites/mysite/publisher", {"status": "publishing"})
    outcome = run_module(SYNC, server.options(wait_timeout=1))
    assert "publishing" in refused(outcome, "busy")["message"] and server.mutations() == []
    assert run_module(SYNC, server.options(), check=True).only["action"] == "would_trigger"


def test_stopped_publisher_does_not_matter_even_with_a_queue(server: Server, run_module: RunModule) -> None:
    server.control("PUT", "/sites/mysite/publisher", {"enabled": False, "status": "queued"})
    outcome = run_module(SYNC, server.options())
    assert outcome.changed and "publisher is stopped" in outcome.warnings and server.resets() == 1


def test_a_package_for_the_future_is_not_waited_for(server: Server, run_module: RunModule) -> None:
    server.submit("mysite", [HOME], "live", "2099-01-01T00:00:00Z")
    assert server.api("GET", "/api/2/publish/status?siteId=mysite")["publishingStatus"]["status"] == "queued"
    options = server.options(published_repo=server.repository, wait_timeout=5)
    assert run_module(SYNC, options, check=True).only["action"] == "would_trigger"
    outcome = run_module(SYNC, options)
    assert outcome.changed and outcome.only["state"] == "succeeded" and server.resets() == 1
    assert outcome.only["detail"]["publisher"]["packages"] == {"running": 0, "due": 0, "scheduled": 1}
    assert not run_module(SYNC, options).changed and server.resets() == 1


def test_a_package_for_an_unknown_target_is_not_waited_for(server: Server, run_module: RunModule) -> None:
    server.submit("mysite", [HOME], "lvie")
    assert run_module(SYNC, server.options(wait_timeout=5)).only["state"] == "succeeded"


def test_a_package_that_is_due_counts_before_staging_is_taken_for_equal(server: Server, run_module: RunModule) -> None:
    server.knob(queue_seconds=2)
    server.control("POST", "/sites/identical/edit", {"files": {HOME: "<page>soon staged</page>\n"}})
    server.api("POST", "/api/1/services/api/1/publish/stop.json", {"site_id": "identical"})
    server.submit("identical", [HOME], "staging")
    server.api("POST", "/api/1/services/api/1/publish/start.json", {"site_id": "identical"})
    assert server.api("GET", "/api/2/publish/status?siteId=identical")["publishingStatus"]["status"] == "ready"
    options = server.options("identical", published_repo=server.repository)
    record = run_module(SYNC, options, check=True).only
    assert record["action"] == "would_trigger" and "1 package due to be published waits" in record["reason"]
    outcome = run_module(SYNC, options)
    refs = server.refs("identical")
    assert outcome.changed and outcome.only["detail"]["lost"]["modified"] == 1
    assert refs["staging"] == refs["live"] and server.resets("identical") == 1
    assert not run_module(SYNC, options).changed and server.resets("identical") == 1


def test_an_account_that_may_not_see_packages_is_warned_of_queued_ones(server: Server, run_module: RunModule) -> None:
    server.submit("mysite", [HOME], "live", "2099-01-01T00:00:00Z")
    outcome = run_module(SYNC, server.options(user="publisher", wait_timeout=5))
    assert outcome.only["state"] == "succeeded" and "get_publishing_queue" in outcome.warnings
    assert outcome.only["detail"]["publisher"]["packages"] is None


def test_publisher_in_error_is_left_alone(server: Server, run_module: RunModule) -> None:
    server.control("PUT", "/sites/mysite/publisher", {"enabled": False, "status": "error"})
    assert "publish has failed" in refused(run_module(SYNC, server.options()), "run_failed")["message"]
    assert server.mutations() == []


def test_publisher_without_a_word_is_idle(server: Server, run_module: RunModule) -> None:
    server.control("PUT", "/sites/mysite/publisher", {"status": None})
    assert run_module(SYNC, server.options(wait_timeout=5)).changed


def test_call_that_blocks_longer_than_request_timeout(server: Server, run_module: RunModule) -> None:
    server.knob(reset_seconds=1.5)
    outcome = run_module(SYNC, server.options(request_timeout=0.5))
    assert outcome.changed and outcome.only["state"] == "succeeded" and outcome.only["elapsed"] > 1.5
    assert len(server.mutations()) == 1


# -- lost answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["drop_after", "status_after"])
def test_lost_reply_is_resolved_by_git(fault: str, server: Server, run_module: RunModule) -> None:
    server.simulator.fault(fault, method="POST")
    outcome = run_module(SYNC, server.options(published_repo=server.repository))
    record = outcome.only
    assert outcome.changed and record["action"] == "triggered" and record["state"] == "succeeded" and not outcome.failed
    assert record["reason"] and record["changed_basis"] == "observed"
    assert server.resets() == len(server.mutations()) == 1
    assert not run_module(SYNC, server.options(published_repo=server.repository)).changed
    assert len(server.mutations()) == 1


def test_lost_reply_without_git_is_unknown_and_never_sent_again(server: Server, run_module: RunModule) -> None:
    server.simulator.fault("drop_after", method="POST")
    outcome = run_module(SYNC, server.options())
    record = outcome.only
    assert outcome.failed and failure(outcome)["code"] == "outcome_unknown" and record["state"] == "unknown"
    assert record["changed"] and record["changed_basis"] == "assumed" and len(server.mutations()) == 1


def test_answer_after_the_deadline(server: Server, run_module: RunModule) -> None:
    server.knob(reset_seconds=30)
    outcome = run_module(SYNC, server.options(wait_timeout=6))
    assert outcome.codes == ["outcome_unknown"] and len(server.mutations()) == 1


def test_connection_that_is_refused_is_tried_again(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    simulator.fault("status", method="POST", code=429, headers={"Retry-After": "0"})
    outcome = run_module(SYNC, server.options())
    assert outcome.changed and server.resets() == 1


# -- signing in --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rotation", ["first_use", "login", "always"])
def test_session_that_rotates_with_many_sites(rotation: str, server: Server, run_module: RunModule) -> None:
    server.knob(profile="3.1", session_rotation=rotation)
    server.control("POST", "/sites", {"prefix": "bulk", "count": 6})
    sites = [f"bulk{number}" for number in range(1, 7)]
    outcome = run_module(SYNC, server.with_password(sites))
    assert not outcome.failed and len(server.mutations()) == 6
    assert rotation == "always" or server.logins() == 1


def test_csrf_pair(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    server.knob(profile="3.0")
    assert run_module(SYNC, server.with_password()).changed
    statuses = [entry["status"] for entry in simulator.requests(part="crafter", method="POST")]
    assert statuses == [200, 200]


def test_session_that_ends_while_waiting_is_replaced_once(server: Server, start_module: Any) -> None:
    server.knob(profile="3.1")
    server.control("PUT", "/sites/mysite/publisher", {"status": "publishing"})
    started = start_module(SYNC, server.with_password())
    wait_until(lambda: len(server.simulator.requests(path="publish/status")) > 2)
    server.control("POST", "/logins/expire")
    wait_until(lambda: server.logins() == 2)
    server.control("PUT", "/sites/mysite/publisher", {"status": "ready"})
    outcome = started.finish()
    assert outcome.changed and server.logins() == 2 and len(server.mutations()) == 1


@pytest.mark.parametrize("profile", ["3.0", "3.1", "4.0", "4.1", "documented"])
def test_wrong_password_is_sent_once(profile: str, server: Server, run_module: RunModule) -> None:
    server.knob(profile=profile, basic_auth=True, login_lock="on")
    options = server.with_password(["mysite", "second", "qasite"], password="not-the-password")
    outcome = run_module(SYNC, options)
    assert outcome.codes == ["auth_failed"] * 3 and "not-the-password" not in outcome.output
    assert server.control("GET", "/logins")["failed"] == {"admin": 1}
    assert server.mutations() == []


def test_basic_that_is_switched_off_says_so(server: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, server.with_password())
    assert "basic.enabled" in refused(outcome, "auth_failed")["hint"]


def test_wrong_token_and_token_for_3(server: Server, run_module: RunModule) -> None:
    for profile in ("4.1", "3.1"):
        server.knob(profile=profile)
        outcome = run_module(SYNC, server.options(api_token="eyJ.wrong"))
        assert "api_token" in refused(outcome, "auth_failed")["hint"] and "eyJ.wrong" not in outcome.output


@pytest.mark.parametrize("profile", ["3.1", "4.1"])
def test_account_that_may_not(profile: str, server: Server, run_module: RunModule) -> None:
    server.knob(profile=profile, basic_auth=True)
    outcome = run_module(SYNC, server.with_password(user="member"))
    assert "permission publish" in refused(outcome, "permission_denied")["hint"]
    assert server.logins() <= 1 and server.resets() == 0


def test_credentials_that_are_missing(server: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, server.options(api_token=None))
    assert outcome.result["failure"]["code"] == "invalid_option"
    assert server.simulator.requests(part="crafter") == []


def test_management_token_reads_the_version_first(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    token = server.info["management_token"]
    server.knob(profile="4.2", basic_auth=True)
    simulator.control.clear()
    outcome = run_module(SYNC, server.with_password(management_token=token))
    assert outcome.codes == ["endpoint_missing"]
    assert "monitoring/version" in simulator.requests(part="crafter")[0]["path"]
    wrong = run_module(SYNC, server.with_password(management_token="wrong-one"))
    assert "management_token" in refused(wrong, "auth_failed")["hint"] and "wrong-one" not in wrong.output


def test_nothing_secret_leaves(
    server: Server, simulator: Simulator, run_module: RunModule, tmp_path: Path, ledger: Path, environment: dict[str, str]
) -> None:
    canaries = {name: f"canary-{name}-7f3a9c" for name in ("management", "password", "token", "git")}
    report = tmp_path / "report.json"
    url = server.info["published_repo_url"].replace("://", f"://reader:{canaries['git']}@")
    outputs = []
    server.knob(management_token=canaries["management"])
    common = {"management_token": canaries["management"], "report_path": str(report), "published_repo": url, "settle_grace": 0.2}
    for options in (
        server.options(**common),
        server.options(**{**common, "api_token": canaries["token"]}),
        server.with_password(**{**common, "password": canaries["password"]}),
    ):
        outputs.append(run_module(SYNC, options).output + report.read_text())
    assert server.resets() == 1, outputs[0]
    for kind in ("html", "truncate"):
        simulator.fault(kind, path_regex="monitoring", times=None)
        outputs.append(run_module(SYNC, server.with_password(**common)).output + report.read_text())
        simulator.control.clear()
    simulator.fault("redirect", path_regex="monitoring", location="http://127.0.0.1:1/elsewhere", times=None)
    outputs.append(run_module(SYNC, server.with_password(**common)).output)
    outputs.append(
        run_module(SYNC, server.options(**{**common, "published_repo": url.replace("/{site}", "/nowhere/{site}")})).output
    )
    outputs.append(
        run_module(INFO, {"api_url": server.info["url"], "api_token": server.info["api_token"], **_info(common)}).output
    )
    with sqlite3.connect(ledger) as db:
        outputs.append("\n".join(db.iterdump()))
    db.close()
    for text in outputs:
        for canary in (*canaries.values(), server.info["api_token"], server.info["password"]):
            assert canary not in text


def _info(common: dict[str, Any]) -> dict[str, Any]:
    return {name: common[name] for name in ("management_token", "published_repo")}


# -- git ---------------------------------------------------------------------------------------------------------------------


def test_repository_that_is_not_there_fails_before_any_trigger(server: Server, run_module: RunModule, tmp_path: Path) -> None:
    outcome = run_module(SYNC, server.options(published_repo=str(tmp_path / "nothing")))
    assert "published_repo" in refused(outcome, "not_found")["message"] and server.mutations() == []


def test_addresses_that_are_refused(server: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, server.options(published_repo="ext::sh -c touch% x"))
    assert outcome.result["failure"]["code"] == "invalid_option" and server.simulator.requests(part="crafter") == []


def test_git_is_missing(server: Server, run_module: RunModule, tmp_path: Path) -> None:
    outcome = run_module(SYNC, server.options(published_repo=server.repository), env={"PATH": str(tmp_path)})
    assert "Install git" in refused(outcome, "invalid_option")["hint"] and server.mutations() == []


def test_repository_that_is_a_stale_copy(server: Server, run_module: RunModule, tmp_path: Path) -> None:
    source = server.repository.replace("{site}", "mysite")
    subprocess.run(["git", "clone", "--quiet", "--mirror", source, str(tmp_path / "copy")], check=True)
    outcome = run_module(SYNC, server.options(published_repo=str(tmp_path / "copy"), settle_grace=0.3))
    assert outcome.codes == ["run_failed"] and "copy" in failure(outcome)["hint"] and server.resets() == 1


# -- interrupted, and waiting by handle ----------------------------------------------------------------------------------------


def test_killed_while_blocked_is_looked_for_and_not_repeated(server: Server, start_module: Any, run_module: RunModule) -> None:
    server.knob(reset_seconds=2)
    started = start_module(SYNC, server.options(published_repo=server.repository))
    wait_until(server.mutations)
    started.kill()
    outcome = run_module(SYNC, server.options(published_repo=server.repository))
    assert not outcome.failed and outcome.changed and outcome.only["action"] == "joined" and len(server.mutations()) == 1
    assert server.refs()["staging"] == server.refs()["live"]
    assert not run_module(SYNC, server.options(published_repo=server.repository)).changed and len(server.mutations()) == 1


def test_handle_of_a_reset_is_done(server: Server, run_module: RunModule) -> None:
    handle = run_module(SYNC, server.options(published_repo=server.repository)).only["handle"]
    connection = {"api_url": server.info["url"], "api_token": server.info["api_token"]}
    outcome = run_module("sync_wait", {"handles": [handle], "connections": {"crafter": connection}})
    assert outcome.only["state"] == "succeeded" and not outcome.failed and len(server.mutations()) == 1
    broken = run_module("sync_wait", {"handles": [{**handle, "site": "../x"}], "connections": {"crafter": connection}})
    assert broken.result["failure"]["code"] == "invalid_option"


# -- info ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["3.0", "3.1", "4.0", "4.1", "4.2", "5.0"])
def test_info_of_each_version(profile: str, server: Server, run_module: RunModule) -> None:
    server.knob(profile=profile, basic_auth=True)
    connection = {name: server.with_password()[name] for name in ("api_url", "username", "password")}
    options = {**connection, "published_repo": server.repository, "sites": ["second", "mysite", "nosuch"]}
    second, mysite, nosuch = run_module(INFO, options).result["sites"]
    assert mysite["version"].startswith(profile) and mysite["exists"] and set(mysite["targets"]) == {"live", "staging"}
    assert mysite["staging_enabled"] is True and mysite["publisher"]["status"] in ("ready", "idle")
    assert mysite["sync_endpoint"] == (None if profile in ("4.2", "5.0") else "reset-staging")
    assert (second["in_sync"], second["in_sync_basis"]) == (True, "git_tree")
    assert mysite["in_sync"] is False and mysite["refs"] == server.refs()
    assert nosuch["site"] == "nosuch" and nosuch["exists"] is False and nosuch["in_sync"] is None
    assert set(nosuch) == set(mysite)
    assert server.mutations() == []


def test_info_of_all_sites_without_repository(server: Server, run_module: RunModule) -> None:
    options = {"api_url": server.info["url"], "api_token": server.info["api_token"]}
    sites = {entry["site"]: entry for entry in run_module(INFO, options).result["sites"]}
    assert list(sites) == server.info["sites"]
    assert (sites["mysite"]["in_sync"], sites["mysite"]["in_sync_basis"]) == (False, "item_states")
    assert (sites["second"]["in_sync"], sites["second"]["in_sync_basis"]) == (None, "unknown")
    assert sites["nostaging"]["staging_enabled"] is False and sites["unpublished"]["published"] is False
    server.knob(profile="3.0")
    connection = {name: server.with_password()[name] for name in ("api_url", "username", "password")}
    assert [entry["site"] for entry in run_module(INFO, connection).result["sites"]] == server.info["sites"]


def test_site_ids_are_case_sensitive(server: Server, run_module: RunModule) -> None:
    for name, options in ((SYNC, {}), (PUBLISH, {"everything": True})):
        outcome = run_module(name, server.options("Mysite", **options))
        assert "Did you mean mysite?" in refused(outcome, "not_found")["hint"]
    connection = {key: server.options()[key] for key in ("api_url", "api_token")}
    (entry,) = run_module(INFO, {**connection, "sites": ["Mysite"]}).result["sites"]
    assert entry["exists"] is False and entry["failure"] is None
    assert server.mutations() == []


def test_a_site_of_others_is_a_matter_of_permissions(server: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, server.options("qasite", user="member"))
    assert "not a member" in refused(outcome, "permission_denied")["message"] and server.mutations() == []


def test_info_names_the_site_that_fails_and_spares_the_others(server: Server, run_module: RunModule) -> None:
    connection = {key: server.options(user="member")[key] for key in ("api_url", "api_token")}
    options = {**connection, "sites": ["qasite", "mysite", "nosuch"]}
    qasite, mysite, nosuch = run_module(INFO, options).result["sites"]
    assert qasite["failure"]["code"] == "permission_denied" and qasite["in_sync"] is None
    assert mysite["failure"] is None and mysite["targets"] and nosuch["exists"] is False
    broken = {**connection, "sites": ["mysite", "second"], "published_repo": "/nowhere/{site}/published"}
    outcome = run_module(INFO, broken)
    assert not outcome.failed
    for entry in outcome.result["sites"]:
        assert entry["failure"]["code"] == "not_found" and entry["in_sync"] is None and entry["targets"]


# -- publishing ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["3.0", "3.1", "4.0", "4.1", "4.2", "5.0"])
def test_publish_items(profile: str, server: Server, run_module: RunModule) -> None:
    server.knob(profile=profile, basic_auth=True)
    server.control("POST", "/sites/second/edit", {"files": {HOME: "<page>new</page>\n"}})
    options = server.with_password("second", target="live", items=[HOME], release="r1")
    if profile == "4.1":
        check = run_module(PUBLISH, options, check=True)
        assert check.only["action"] == "would_trigger" and server.mutations() == []
    outcome = run_module(PUBLISH, options)
    assert not outcome.failed and outcome.changed and outcome.only["action"] == "triggered"
    wait_until(lambda: "new" in server.control("GET", "/sites/second/tree", branch="live")["files"][HOME.lstrip("/")])
    if profile != "3.0":  # whose packages cannot be seen
        assert outcome.only["state"] == "succeeded" and outcome.only["changed_basis"] == "observed"
    if profile == "4.1":
        again = run_module(PUBLISH, options)
        assert not again.changed and again.only["action"] == "skipped"
    assert len(server.mutations()) == 1


@pytest.mark.parametrize("profile", ["3.0", "3.1", "4.1", "5.0"])
def test_publish_everything(profile: str, server: Server, run_module: RunModule) -> None:
    server.knob(profile=profile, basic_auth=True)
    outcome = run_module(PUBLISH, server.with_password("mysite", everything=True))
    assert not outcome.failed and outcome.changed and len(server.mutations()) == 1
    wait_until(lambda: "sale" in server.control("GET", "/sites/mysite/tree", branch="live")["files"][HOME.lstrip("/")])


def test_publish_everything_with_errors(server: Server, run_module: RunModule) -> None:
    server.control("PUT", "/sites/mysite", {"failing_paths": [OFFERS]})
    outcome = run_module(PUBLISH, server.options(everything=True))
    assert outcome.codes == ["run_failed"] and outcome.only["state"] == "failed" and outcome.only["changed"]
    assert len(server.mutations()) == 1


def test_publish_to_an_unknown_target_is_refused_before_anything_is_sent(server: Server, run_module: RunModule) -> None:
    for site, target in (("mysite", "lvie"), ("nostaging", "staging")):
        outcome = run_module(PUBLISH, server.options(site, target=target, items=[HOME]))
        assert "live" in refused(outcome, "invalid_option")["hint"]
    assert "everything" in refused(run_module(PUBLISH, server.options("unpublished", items=[HOME])), "not_found")["hint"]
    assert run_module(PUBLISH, server.options()).result["failure"]["code"] == "invalid_option"
    assert server.mutations() == []


def test_the_first_publish_to_staging_would_go_live_and_needs_consent(server: Server, run_module: RunModule) -> None:
    options = server.options("unpublished", target="staging", everything=True)
    for check in (True, False):
        outcome = run_module(PUBLISH, options, check=check)
        assert "puts the whole site live" in refused(outcome, "guard_refused")["message"]
        assert "allow_initial_publish" in str(outcome.only["detail"]["guards"])
    assert server.mutations() == [] and server.control("GET", "/sites/unpublished")["published"] is False
    assert run_module(PUBLISH, {**options, "allow_initial_publish": True}).changed
    assert len(server.mutations()) == 1 and set(server.refs("unpublished")) == {"live", "staging"}


def test_the_first_publish_to_live_says_what_it_does(server: Server, run_module: RunModule) -> None:
    options = server.options("unpublished", everything=True)
    record = run_module(PUBLISH, options, check=True).only
    assert record["action"] == "would_trigger" and "puts all of it live" in record["reason"]
    assert run_module(PUBLISH, options).only["state"] == "succeeded" and len(server.mutations()) == 1


def test_everything_is_published_with_the_publisher_stopped(server: Server, run_module: RunModule) -> None:
    server.control("PUT", "/sites/mysite/publisher", {"enabled": False, "status": "stopped"})
    assert run_module(PUBLISH, server.options(everything=True)).only["state"] == "succeeded"
    assert len(server.mutations()) == 1


@pytest.mark.parametrize("target", ["staging", "live"])
def test_the_default_publisher_role_publishes_items_and_sees_the_end(target: str, server: Server, run_module: RunModule) -> None:
    server.control("POST", "/sites/second/edit", {"files": {HOME: "<page>by a publisher</page>\n"}})
    outcome = run_module(PUBLISH, server.options("second", user="publisher", target=target, items=[HOME]))
    record = outcome.only
    assert not outcome.failed and record["state"] == "succeeded" and record["changed_basis"] == "observed"
    files = server.control("GET", "/sites/second/tree", branch=target)["files"]
    assert "publisher" in files[HOME.lstrip("/")] and len(server.mutations()) == 1


def test_the_default_publisher_role_and_an_answer_that_is_lost(server: Server, run_module: RunModule) -> None:
    server.simulator.fault("drop_after", method="POST")
    outcome = run_module(PUBLISH, server.options(user="publisher", items=[HOME]))
    assert outcome.only["state"] == "succeeded" and len(server.mutations()) == 1


def test_the_default_publisher_role_may_not_publish_everything(server: Server, run_module: RunModule) -> None:
    outcome = run_module(PUBLISH, server.options(user="publisher", everything=True))
    assert "publish_all" in refused(outcome, "permission_denied")["hint"] and len(server.mutations()) == 1


def test_items_that_do_not_exist_are_found_before_anything_is_sent(server: Server, run_module: RunModule) -> None:
    options = server.options(items=[HOME, "/site/website/nosuch/index.xml"])
    for check in (True, False):
        message = refused(run_module(PUBLISH, options, check=check), "not_found")["message"]
        assert "/site/website/nosuch/index.xml" in message and HOME not in message
    assert server.mutations() == []


def test_sessions_are_no_way_into_4_0(server: Server, run_module: RunModule) -> None:
    server.knob(profile="4.0", basic_auth=True)
    body = json.dumps(
        {"message": "This API has been replaced by a new login mechanism via JWT, please review the documentation."}
    )
    server.simulator.fault("status", path_regex=LOGIN, code=503, body=body, content_type="application/json")
    outcome = run_module(SYNC, server.with_password(auth_method="session"))
    assert "token or basic" in refused(outcome, "auth_failed")["hint"] and server.logins() == 1


def package_of(server: Server) -> dict[str, Any]:
    packages = server.control("GET", "/sites/mysite")["packages"]
    return dict(packages[-1]) if packages else {}


def test_publish_that_is_cancelled(server: Server, start_module: Any) -> None:
    server.knob(queue_seconds=60)
    started = start_module(PUBLISH, server.options(items=[HOME], comment="for the launch"))
    package = wait_until(lambda: package_of(server))
    assert package["comment"].startswith("for the launch [lockstep-")
    server.control("PUT", f"/sites/mysite/packages/{package['id']}", {"state": "CANCELLED"})
    outcome = started.finish()
    assert outcome.codes == ["run_failed"] and "CANCELLED" in failure(outcome)["message"] and not outcome.changed


def test_publish_with_the_publisher_stopped(server: Server, start_module: Any, run_module: RunModule) -> None:
    server.knob(queue_seconds=60)
    started = start_module(PUBLISH, server.options(items=[HOME]))
    wait_until(lambda: package_of(server))
    server.control("PUT", "/sites/mysite/publisher", {"enabled": False, "status": "queued"})
    assert "stopped" in failure(started.finish())["message"]
    refused(run_module(PUBLISH, server.options(items=[HOME], if_running="fail")), "busy")
    server.control("PUT", "/sites/mysite/publisher", {"enabled": False, "status": "error"})
    refused(run_module(PUBLISH, server.options(items=[HOME])), "run_failed")
    assert len(server.mutations()) == 1


def test_publish_whose_answer_is_lost(server: Server, run_module: RunModule) -> None:
    server.simulator.fault("drop_after", method="POST")
    outcome = run_module(PUBLISH, server.options(items=[HOME]))
    assert outcome.only["state"] == "succeeded" and outcome.only["reason"] and len(server.mutations()) == 1
    server.simulator.fault("drop_after", method="POST")
    lost = run_module(PUBLISH, server.options(everything=True))
    assert lost.codes == ["outcome_unknown"] and len(server.mutations()) == 2


def test_publish_now_and_wait_later(server: Server, run_module: RunModule) -> None:
    started = run_module(PUBLISH, server.options(items=[HOME], wait=False))
    assert started.only["state"] == "running" and not started.failed
    connection = {"api_url": server.info["url"], "api_token": server.info["api_token"]}
    outcome = run_module("sync_wait", {"handles": [started.only["handle"]], "connections": {"crafter_publish": connection}})
    assert outcome.only["state"] == "succeeded" and outcome.only["changed_basis"] == "observed"


@pytest.mark.parametrize("word", ["studio", "mysite", "running", "crafter", "127.0.0.1"])
def test_a_password_that_is_a_word_of_the_handle_leaves_it_usable(server: Server, run_module: RunModule, word: str) -> None:
    started = run_module(PUBLISH, server.options(items=[HOME], wait=False, password=word))
    handle = started.only["handle"]
    assert (handle["address"], handle["site"], started.only["state"]) == (server.info["url"], "mysite", "running")
    assert started.result["invocation"]["module_args"]["password"] != word
    connection = {"api_url": server.info["url"], "api_token": server.info["api_token"], "password": word}
    outcome = run_module("sync_wait", {"handles": [handle], "connections": {"crafter_publish": connection}})
    assert (outcome.only["state"], outcome.only["handle"]) == ("succeeded", handle)
