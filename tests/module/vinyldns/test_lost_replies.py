# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lost reply is adopted, and a rate limit waited for; nothing is sent twice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.client import Simulator

from ..conftest import RunModule
from .server import Server, drifted


@pytest.mark.parametrize("fault", ["drop_after", "status_after"])
def test_lost_reply_is_adopted_and_never_sent_again(
    fault: str, server: Server, simulator: Simulator, run_module: RunModule
) -> None:
    drifted(server)
    simulator.fault(fault, part="vinyldns", method="POST")
    outcome = run_module("vinyldns_zone_sync", server.options())
    assert not outcome.failed and outcome.changed
    assert outcome.only["action"] == "triggered" and outcome.only["reason"].startswith("synced")
    assert outcome.only["state"] == "succeeded" and outcome.only["detail"]["fidelity"] == "exact"
    assert server.accepted() == 1 and server.posts() == 1


def test_lost_reply_with_a_slow_queue_is_found_within_the_grace(
    server: Server, simulator: Simulator, run_module: RunModule
) -> None:
    drifted(server)
    simulator.knob("vinyldns", queue_latency=1.5)
    simulator.fault("drop_after", part="vinyldns", method="POST")
    outcome = run_module("vinyldns_zone_sync", server.options(settle_grace=10))
    assert not outcome.failed and server.accepted() == 1 and server.posts() == 1


@pytest.mark.parametrize(("fault", "more"), [("status", {"code": 502}), ("drop_before", {}), ("status", {"code": 500})])
def test_refusal_before_acceptance_is_no_success(
    fault: str, more: dict[str, Any], server: Server, simulator: Simulator, run_module: RunModule
) -> None:
    drifted(server)
    simulator.fault(fault, part="vinyldns", method="POST", **more)
    outcome = run_module("vinyldns_zone_sync", server.options(settle_grace=1))
    assert outcome.failed and outcome.codes == ["outcome_unknown"] and outcome.only["state"] == "unknown"
    assert "Nothing was sent again" in outcome.only["failure"]["hint"]
    assert server.accepted() == 0 and server.posts() == 1


def test_slow_reply_beyond_the_request_timeout_is_adopted(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(server)
    simulator.fault("delay_after", part="vinyldns", method="POST", seconds=3)
    outcome = run_module("vinyldns_zone_sync", server.options(request_timeout=1))
    assert not outcome.failed and server.accepted() == 1 and server.posts() == 1


def test_rate_limited_trigger_is_sent_again(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(server)
    simulator.fault("status", part="vinyldns", method="POST", code=429, headers={"Retry-After": "1"})
    outcome = run_module("vinyldns_zone_sync", server.options())
    assert not outcome.failed and server.accepted() == 1 and server.posts() == 2


def test_rate_limit_beyond_the_deadline_fails_at_once(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(server)
    simulator.fault("status", part="vinyldns", method="POST", code=429, headers={"Retry-After": "9999"})
    outcome = run_module("vinyldns_zone_sync", server.options(wait_timeout=120))
    assert outcome.codes == ["rate_limited"] and "9999 s" in outcome.only["failure"]["message"]
    assert outcome.result["summary"]["elapsed"] < 60


def test_trigger_is_never_redirected(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(server)
    simulator.fault("redirect", part="vinyldns", method="POST", location=server.url + "/zones")
    outcome = run_module("vinyldns_zone_sync", server.options(settle_grace=1))
    # it may have been executed before it was redirected
    assert outcome.codes == ["outcome_unknown"] and server.posts() == 1 and server.accepted() == 0
    assert "is redirected to" in outcome.only["failure"]["message"]
