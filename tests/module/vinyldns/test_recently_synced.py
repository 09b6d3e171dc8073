# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A zone with known drift that VinylDNS does not sync again so soon, where the options say to leave it at that."""

from __future__ import annotations

from ansible_collections.lockstep.sync.plugins.test import fresh, refused, synced
from tests.simulator.client import Simulator

from ..conftest import RunModule
from .server import Server, drifted, simulator_age


def test_a_zone_that_is_left_with_its_drift_is_not_in_sync(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    drifted(server)
    simulator.knob("vinyldns", sync_delay_ms=600_000)
    simulator_age(server, 1)
    outcome = run_module("vinyldns_zone_sync", server.options(if_recently_synced="ok"))
    assert not outcome.failed and outcome.only["action"] == "skipped" and server.accepted() == 0
    assert outcome.only["detail"]["drift"]["in_sync"] is False
    assert not synced.synced(outcome.result) and not fresh.fresh(outcome.result) and not refused.refused(outcome.result)


def test_a_zone_without_known_drift_is_fresh(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    simulator.knob("vinyldns", sync_delay_ms=600_000)
    server.add(age=1)
    outcome = run_module("vinyldns_zone_sync", server.options(backend=None))
    assert outcome.only["action"] == "skipped" and synced.synced(outcome.result) and fresh.fresh(outcome.result)
