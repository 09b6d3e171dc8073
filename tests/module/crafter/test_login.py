# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens, passwords and sessions, what they may, and that none of them is shown."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.client import Simulator, wait_until

from ..conftest import RunModule
from .server import INFO, LOGIN, SYNC, Server, refused


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


def test_sessions_are_no_way_into_4_0(server: Server, run_module: RunModule) -> None:
    server.knob(profile="4.0", basic_auth=True)
    body = json.dumps(
        {"message": "This API has been replaced by a new login mechanism via JWT, please review the documentation."}
    )
    server.simulator.fault("status", path_regex=LOGIN, code=503, body=body, content_type="application/json")
    outcome = run_module(SYNC, server.with_password(auth_method="session"))
    assert "token or basic" in refused(outcome, "auth_failed")["hint"] and server.logins() == 1
