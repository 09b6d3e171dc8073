# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""crafter_staging_sync: what it does to which sites, what Studio does not check, and answers that are lost."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.client import Simulator, wait_until

from ..conftest import RunModule
from .server import HOME, OFFERS, RESET_CALL, SYNC, Server, failure, refused

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
    server.simulator.fault("delay_after", method="POST", path_regex=RESET_CALL, seconds=120)
    outcome = run_module(SYNC, server.options(published_repo=server.repository, request_timeout=1, wait_timeout=110))
    # long before the answer
    assert outcome.changed and outcome.only["state"] == "succeeded" and outcome.only["elapsed"] < 60
    assert len(server.mutations()) == server.resets() == 1


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


# -- interrupted, and waiting by handle ----------------------------------------------------------------------------------------


def test_killed_while_blocked_is_looked_for_and_not_repeated(server: Server, start_module: Any, run_module: RunModule) -> None:
    server.knob(reset_seconds=2)
    started = start_module(SYNC, server.options(published_repo=server.repository))
    wait_until(server.mutations)
    started.kill()
    outcome = run_module(SYNC, server.options(published_repo=server.repository))
    # on a busy machine it has ended by then
    assert (outcome.only["action"], outcome.changed) in {("joined", True), ("skipped", False)}
    assert not outcome.failed and len(server.mutations()) == 1
    assert server.refs()["staging"] == server.refs()["live"]
    assert not run_module(SYNC, server.options(published_repo=server.repository)).changed and len(server.mutations()) == 1


def test_handle_of_a_reset_is_done(server: Server, run_module: RunModule) -> None:
    handle = run_module(SYNC, server.options(published_repo=server.repository)).only["handle"]
    connection = {"api_url": server.info["url"], "api_token": server.info["api_token"]}
    outcome = run_module("sync_wait", {"handles": [handle], "connections": {"crafter": connection}})
    assert outcome.only["state"] == "succeeded" and not outcome.failed and len(server.mutations()) == 1
    broken = run_module("sync_wait", {"handles": [{**handle, "site": "../x"}], "connections": {"crafter": connection}})
    assert broken.result["failure"]["code"] == "invalid_option"
