# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A publisher that is busy, stopped or in error, and packages that are queued."""

from __future__ import annotations

import time
from typing import Any

from tests.simulator.client import wait_until

from ..conftest import RunModule
from .server import HOME, RESET_CALL, SYNC, Server, refused


def test_a_call_that_waits_for_a_long_publish_is_found_after_it(server: Server, start_module: Any) -> None:
    """It was idle when it was looked at, and the publish began a moment later."""
    server.simulator.fault("delay", method="POST", path_regex=RESET_CALL, seconds=4)
    options = server.options(published_repo=server.repository, request_timeout=0.6, wait_timeout=90, settle_grace=4)
    started = start_module(SYNC, options)
    wait_until(server.mutations)
    server.control("POST", "/sites/mysite/publish", {"target": "staging", "paths": [HOME], "hold": True})
    # longer than request_timeout and settle_grace, and the call is among those that wait for the publish
    time.sleep(6)
    server.control("POST", "/sites/mysite/publish/finish")
    outcome = started.finish()
    assert outcome.only["state"] == "succeeded" and len(server.mutations()) == server.resets() == 1


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
