# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""crafter_publish."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.client import wait_until

from ..conftest import RunModule
from .server import HOME, OFFERS, PUBLISH, Server, failure, refused


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
