# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sync of staging to production: its evidence, its trigger and what its status row means."""

from __future__ import annotations

import datetime as dt
import json
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import Ambiguous, SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Run
from tests.unit.plugins.module_utils.providers.serveravatar.service import APP, BEFORE, handle, refused, status, sync


def test_observing_sends_nothing_that_changes_anything() -> None:
    provider, service, target = sync()
    observation = provider.observe(target, service.channel)
    assert observation.snapshot == {"before": BEFORE}
    assert observation.running is None
    assert observation.obstacle is None
    assert not any(asked.endswith("/sync") for asked, _body in service.asked)
    assert "hidden" not in json.dumps(observation.detail)


def test_a_row_in_progress_is_a_run_in_flight() -> None:
    provider, service, target = sync({f"GET {APP}/status": status(40, status="in_progress")})
    running = provider.observe(target, service.channel).running
    assert running is not None
    assert running.handle["before"]["percentage"] == 40
    assert provider.from_handle(running.handle) == target


def test_a_row_in_progress_without_a_staging_area_is_one_in_the_making() -> None:
    responses = {
        f"GET {APP}/status": status(40, status="in_progress"),
        f"GET {APP}/staging-area-detail": {"is_availabel_staging_area": False},
    }
    provider, service, target = sync(responses)
    observation = provider.observe(target, service.channel)
    assert observation.running is None
    assert observation.obstacle is not None
    assert (observation.obstacle.code, "being created" in observation.obstacle.message) == ("staging_disabled", True)


@pytest.mark.parametrize(
    "detail",
    [
        {"is_availabel_staging_area": False},
        {"is_availabel_staging_area": 0, "migrationServer": None},
        {"is_availabel_staging_area": "0"},
        {"is_available_staging_area": False},
        refused(404, "You can not perform this action!"),
    ],
)
def test_no_staging_area(detail: t.Any) -> None:
    responses = {f"GET {APP}/staging-area-detail": detail, f"GET {APP}/status": refused(404, "You can not perform this action!")}
    provider, service, target = sync(responses)
    observation = provider.observe(target, service.channel)
    assert observation.obstacle is not None
    assert observation.obstacle.code == "staging_disabled"
    assert observation.snapshot == {"before": None}


@pytest.mark.parametrize("value", [True, 1, "1", "true"])
def test_a_staging_area_in_any_form_of_truth(value: t.Any) -> None:
    provider, service, target = sync({f"GET {APP}/staging-area-detail": {"is_availabel_staging_area": value}})
    assert provider.observe(target, service.channel).obstacle is None


def test_details_that_do_not_tell_are_not_guessed() -> None:
    provider, service, target = sync({f"GET {APP}/staging-area-detail": {"migrationServer": "192.0.2.15"}})
    with pytest.raises(SyncError) as caught:
        provider.observe(target, service.channel)
    assert caught.value.code == "bad_response"
    assert "require_staging" in caught.value.hint


def test_without_require_staging_the_staging_area_is_not_queried() -> None:
    provider, service, target = sync(require_staging=False)
    observation = provider.observe(target, service.channel)
    assert observation.obstacle is None
    assert observation.detail["staging"] is None
    assert not any("staging-area-detail" in asked for asked, _body in service.asked)


def test_a_disconnected_server_is_an_obstacle() -> None:
    provider, service, target = sync(
        {"GET /organizations/5/servers/15": {"server": {"id": 15, "name": "production", "agent_status": "0"}}}
    )
    obstacle = provider.observe(target, service.channel).obstacle
    assert obstacle is not None
    assert (obstacle.code, "production" in obstacle.message) == ("connection_failed", True)


@pytest.mark.parametrize(
    ("updated_at", "pause"),
    [
        # the server says that it is 10:00:05
        ("2026-11-20 10:00:05", 1.0),
        ("2026-11-20 15:30:05", 1.0),
        ("2026-11-20 02:15:06", 2.0),
        ("2026-11-20 10:00:04", 0.0),
        ("2026-11-20 10:00:30", 0.0),
        ("2026-11-18 10:00:05", 0.0),
        ("2026-11-12 23:09:35", 0.0),
        ("not a date", 0.0),
        (None, 0.0),
    ],
)
def test_a_run_is_never_started_within_the_second_of_the_last_change(updated_at: str | None, pause: float) -> None:
    provider, service, target = sync({f"GET {APP}/status": status(updated_at=updated_at)})
    observation = provider.observe(target, service.channel)
    assert provider.still_valid(target, observation, service.channel)
    assert provider.services.clock.monotonic() == pause
    service.responses[f"GET {APP}/status"] = status(0, status="in_progress")
    assert provider.still_valid(target, observation, service.channel) == (pause == 0)


# -- the trigger ------------------------------------------------------------------------------------------------------


def test_the_trigger_is_a_get_that_goes_the_way_of_triggers() -> None:
    provider, service, target = sync({f"GET {APP}/sync": {"message": "Sync staging to production started."}})
    observation = provider.observe(target, service.channel)
    run = provider.trigger(target, observation, service.channel)
    assert service.asked[-1][0] == f"GET {APP}/sync"
    assert service.sessions[-1] is provider.client.triggers
    assert all(session is provider.client.reads for session in service.sessions[:-1])
    assert run.handle == handle()
    assert run.started_at == dt.datetime(2026, 11, 20, 10, 0, 5, tzinfo=dt.timezone.utc)


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><title>Log in</title>", b"", b"[]", b"{}", b'"started"'])
def test_a_success_that_the_service_did_not_write_proves_nothing(body: bytes) -> None:
    provider, service, target = sync({f"GET {APP}/sync": (200, body)})
    observation = provider.observe(target, service.channel)
    with pytest.raises(Ambiguous):
        provider.trigger(target, observation, service.channel)


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (refused(500, "Please wait another process already running!"), "busy"),
        (refused(404, "You cannot perform this action!"), "permission_denied"),
        (refused(500, "Something went really wrong!"), "outcome_unknown"),
        (refused(503, "Service Unavailable"), "outcome_unknown"),
        ((502, b"<html>Bad Gateway</html>"), "outcome_unknown"),
        (refused(429, "Too Many Attempts."), "rate_limited"),
        ((302, b""), "outcome_unknown"),
    ],
)
def test_refused_triggers(response: t.Any, code: str) -> None:
    provider, service, target = sync({f"GET {APP}/sync": response})
    observation = provider.observe(target, service.channel)
    with pytest.raises(SyncError) as caught:
        provider.trigger(target, observation, service.channel)
    assert caught.value.code == code
    assert [asked for asked, _body in service.asked].count(f"GET {APP}/sync") == 1


# -- reading a run ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "now", "state"),
    [
        # it never moved: to be lost after the grace, and never a success
        (BEFORE, status(), "absent"),
        (None, refused(404, "You can not perform this action!"), "absent"),
        (BEFORE, refused(404, "You can not perform this action!"), "absent"),
        # it moves
        (BEFORE, status(0, status="in_progress"), "running"),
        (BEFORE, status(100, status="in_progress"), "running"),
        # it has ended, as every single fact may tell
        (BEFORE, status(updated_at="2026-11-20 10:00:06"), "succeeded"),
        (BEFORE, status(id=43), "succeeded"),
        (BEFORE, status(status="staging_area_completed"), "succeeded"),
        (BEFORE, status(0), "succeeded"),
        (None, status(), "succeeded"),
        (BEFORE, status(0, status="staging_area_failed", updated_at="2026-11-20 10:00:06"), "failed"),
        (BEFORE, status(100, "Sync failed", updated_at="2026-11-20 10:00:06"), "failed"),
        # a run that was joined while it was in progress
        ({**BEFORE, "status": "in_progress", "percentage": 40}, status(40, status="in_progress"), "running"),
        ({**BEFORE, "status": "in_progress", "percentage": 40}, status(), "succeeded"),
        # a failure from before is not the failure of this run
        ({**BEFORE, "status": "failed", "percentage": 0}, status(0, status="failed"), "absent"),
        # types drift
        (BEFORE, status("100", id="42"), "absent"),
    ],
)
def test_readings(before: t.Any, now: t.Any, state: str) -> None:
    provider, service, _target = sync({f"GET {APP}/status": now})
    assert provider.read(handle(before), service.channel).state == state


def test_a_status_without_a_row_is_readable() -> None:
    provider, service, _target = sync({f"GET {APP}/status": {"configurationInPercentage": 30, "displayText": "Copying"}})
    reading = provider.read(handle(), service.channel)
    assert (reading.state, reading.raw) == ("running", "Copying")


def test_a_vanished_application_is_an_error() -> None:
    provider, service, _target = sync({f"GET {APP}/status": refused(404, "Application not found!")})
    with pytest.raises(SyncError) as caught:
        provider.read(handle(), service.channel)
    assert caught.value.code == "not_found"


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (status(), False),
        (status(0, status="in_progress"), True),
        (status(updated_at="2026-11-20 10:00:06"), True),
        (refused(404, "You can not perform this action!"), False),
    ],
)
def test_a_lost_reply_is_adopted_only_if_the_row_moved(now: t.Any, found: bool) -> None:
    provider, service, target = sync({f"GET {APP}/status": now})
    run = provider.find(target, {"before": BEFORE}, service.channel)
    assert (run and run.handle) == (handle() if found else None)


def test_a_success_counts_as_observed() -> None:
    provider, service, target = sync({f"GET {APP}/status": status(updated_at="2026-11-20 10:00:06")})
    reading = provider.read(handle(), service.channel)
    effect = provider.verify(target, None, Run(handle()), reading, service.channel)
    assert (effect.changed, effect.basis, effect.failure) == (True, "observed", None)
    assert effect.detail["status"]["updated_at"] == "2026-11-20 10:00:06"


def test_a_failure_may_have_changed_production() -> None:
    provider, service, target = sync({f"GET {APP}/status": status(0, "Sync failed", status="failed")})
    reading = provider.read(handle(), service.channel)
    effect = provider.verify(target, None, Run(handle()), reading, service.channel)
    assert (effect.changed, effect.basis) == (True, "assumed")
    assert effect.failure is not None
    assert (effect.failure.code, "Sync failed" in effect.failure.message) == ("run_failed", True)


def test_a_run_that_never_shows_is_a_warning_or_a_failure_and_no_success() -> None:
    provider, _service, target = sync()
    effect = provider.lost(target, Run(handle()))
    assert (effect.changed, effect.basis, effect.failure) == (True, "assumed", None)
    assert "completion not observable" in effect.reason
    assert "completion not observable" in effect.warnings[0]
    provider, _service, target = sync(if_unobservable="fail")
    failure = provider.lost(target, Run(handle())).failure
    assert failure is not None
    assert failure.code == "outcome_unknown"


@pytest.mark.parametrize(
    "more",
    [
        {"application": "88/../../1"},
        {"server": None},
        {"organization": -5},
        {"organization": "²"},
        {"before": "x"},
        {"name": None},
        {"application": {"id": 88}},
    ],
)
def test_handles_are_data_and_not_paths(more: dict[str, t.Any]) -> None:
    provider, _service, _target = sync()
    with pytest.raises(SyncError) as caught:
        provider.from_handle(handle(**more))
    assert caught.value.code == "invalid_option"


def test_ids_in_a_handle_may_have_become_text() -> None:
    provider, _service, target = sync()
    assert provider.from_handle(handle(organization="5", server="15", application="88")) == target
