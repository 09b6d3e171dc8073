# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases of Crafter Studio, their endpoints, and what is published about them."""

from __future__ import annotations

import json

import pytest

from tests.simulator.client import Simulator

from ..conftest import RunModule
from .server import SYNC, Server, failure, refused


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
    assert failure(run_module(SYNC, server.options(settle_grace=0.2)))["code"] == "outcome_unknown"
    assert server.resets() == 0 and len(server.mutations()) == 3
