# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication, methods and paths, and the rate limit."""

from __future__ import annotations

import pytest

from tests.simulator.client import wait_until
from tests.simulator_tests.serveravatar.client import APP, ORG_BACKUPS, SERVER, Api, done, refused

# Authentication


@pytest.mark.parametrize("form", ["{}", "Bearer {}", "bearer {}"])
def test_the_token_is_accepted_raw_and_as_bearer(api: Api, form: str) -> None:
    assert api.get("/organizations", headers={"Authorization": form.format(api.token)}).status_code == 200


@pytest.mark.parametrize("value", [None, "", "wrong", "Bearer wrong", "Basic {}", "Token {}", "{}x", " Bearer"])
def test_anything_else_is_401(api: Api, value: str | None) -> None:
    header = value and value.format(api.token).strip()
    refused(api.get(APP + "/sync", headers={"Authorization": header}), 401, "Unauthenticated.")
    assert api.truth()["runs"] == []


def test_without_accept_an_authentication_failure_may_not_be_json(api: Api) -> None:
    api.knob(auth_failure_without_accept="redirect")
    browser = {"Authorization": "wrong", "Accept": "*/*"}
    answer = api.get("/organizations", headers=browser)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login")
    api.knob(auth_failure_without_accept="html")
    answer = api.get("/organizations", headers=browser)
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "text/html; charset=utf-8")
    refused(api.get("/organizations", headers={"Authorization": "wrong"}), 401, "Unauthenticated.")


def test_the_token_is_not_in_the_request_log(api: Api) -> None:
    api.ok("/organizations")
    log = api.simulator.requests()
    assert [entry["authorization"] for entry in log] == [True]
    assert api.token not in str(log)


# Methods and paths


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", APP + "/sync", "GET, HEAD"),
        ("DELETE", APP + "/sync", "GET, HEAD"),
        ("PUT", APP + "/status", "GET, HEAD"),
        ("GET", APP + "/staging-area", "POST"),
        ("GET", APP + "/remove-staging-area", "DELETE"),
        ("POST", APP + "/staging-area-detail", "GET, HEAD"),
        ("GET", SERVER + "/backups", "POST"),
        ("GET", ORG_BACKUPS + "/destroy", "POST"),
        ("POST", ORG_BACKUPS + "/301/restore", "GET, HEAD"),
    ],
)
def test_wrong_methods_are_405_and_do_nothing(api: Api, method: str, path: str, allowed: str) -> None:
    answer = api.call(method, path)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == allowed
    assert answer.json()["message"] == f"The {method} method is not supported for this route. Supported methods: {allowed}."
    truth = api.truth()
    assert (truth["runs"], truth["restores"], truth["staging"]) == ([], [], "release-2")


def test_unknown_paths_are_404(api: Api) -> None:
    refused(api.get("/organisations"), 404, "The route organisations could not be found.")
    refused(api.get(APP + "/sync/"), 404, f"The route {APP.lstrip('/')}/sync/ could not be found.")


def test_head_has_the_effects_of_get(api: Api) -> None:
    api.call("HEAD", APP + "/sync")
    assert [(entry["method"], entry["kind"]) for entry in api.simulator.requests()] == [("HEAD", "mutate")]
    assert len(api.truth()["runs"]) == 1


def test_head_may_not_be_supported_and_options_is_harmless(api: Api) -> None:
    api.knob(head_runs_get=False)
    assert api.call("HEAD", APP + "/sync").status_code == 405
    answer = api.call("OPTIONS", APP + "/sync")
    assert (answer.status_code, answer.headers["Allow"]) == (200, "GET, HEAD")
    assert api.truth()["runs"] == []


# Rate limit


def test_too_many_requests_are_429_before_anything_is_done(api: Api) -> None:
    api.knob(rate_limit=2, rate_window=20.0)
    left = [api.get("/organizations").headers["X-RateLimit-Remaining"] for dummy in range(2)]
    answer = api.get(APP + "/sync")
    refused(answer, 429, "Too Many Attempts.")
    assert left == ["1", "0"]
    assert int(answer.headers["Retry-After"]) == 10  # one of two tokens is back after half of the window
    assert api.truth()["runs"] == []


def test_tokens_come_back(api: Api) -> None:
    api.knob(rate_limit=1, rate_window=0.5)
    assert api.get("/organizations").status_code == 200
    assert api.get("/organizations").status_code == 429
    assert wait_until(lambda: api.get("/organizations").status_code == 200)


def test_retry_after_can_be_dictated(api: Api) -> None:
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    api.knob(rate_limit=0, rate_retry_after=date)
    assert api.get("/organizations").headers["Retry-After"] == date


def test_a_429_without_the_limit_is_a_fault_away(api: Api) -> None:
    body = '{"message":"Too Many Attempts."}'
    fault = {"code": 429, "body": body, "content_type": "application/json", "headers": {"Retry-After": "1"}}
    api.simulator.fault("status", part="serveravatar", request_kind="mutate", **fault)
    refused(api.get(APP + "/sync"), 429, "Too Many Attempts.")
    done(api.get(APP + "/sync"), "Sync staging to production started.")
