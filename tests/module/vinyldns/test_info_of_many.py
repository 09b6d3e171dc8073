# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vinyldns_zone_info: many zones at once, which are read by pages of the list of zones."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.simulator.client import Simulator

from ..conftest import RunModule
from .server import Server, simulator_age

INFO = "vinyldns_zone_info"
ZONES = [f"zone{number:02d}.example." for number in range(12)]


@pytest.fixture
def many(server: Server) -> Server:
    for zone in ZONES:
        server.add(zone)
        simulator_age(server, 3600, zone)
    return server


def asked(simulator: Simulator) -> Counter[str]:
    """Requests by what they were for."""
    paths = [request["path"].partition("?")[0] for request in simulator.requests(part="vinyldns")]
    return Counter("list" if path == "/zones" else path.rpartition("/")[2] if path.count("/") > 2 else "zone" for path in paths)


def without_age(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    assert all(entry["age"] is None or 3590 < entry["age"] < 4500 for entry in entries)
    return [{**entry, "age": entry["age"] is not None} for entry in entries]


def one_by_one(server: Server, run_module: RunModule, zones: list[str], **more: Any) -> list[dict[str, Any]]:
    """What is read of the zones in groups that are too small for pages."""
    outcomes = [run_module(INFO, {**server.login, "zones": zones[at : at + 7], **more}) for at in range(0, len(zones), 7)]
    return [entry for outcome in outcomes for entry in outcome.result["zones"]]


def test_named_zones_take_two_requests_each_and_the_same_result(
    many: Server, simulator: Simulator, run_module: RunModule
) -> None:
    zones = [*reversed(ZONES), "zone055.example."]
    outcome = run_module(INFO, {**many.login, "zones": zones})
    # a zone that is not listed is asked for by itself
    assert asked(simulator) == {"list": 1, "changes": 12, "recordsetcount": 12, "zone055.example.": 1}
    assert [entry["exists"] for entry in outcome.result["zones"]] == [True] * 12 + [False]
    assert without_age(outcome.result["zones"]) == without_age(one_by_one(many, run_module, zones))


def test_zones_that_a_filter_finds(many: Server, simulator: Simulator, run_module: RunModule) -> None:
    outcome = run_module(INFO, {**many.login, "name_filter": "zone*"})
    assert asked(simulator) == {"list": 1, "changes": 12, "recordsetcount": 12}
    assert without_age(outcome.result["zones"]) == without_age(one_by_one(many, run_module, ZONES))


def test_a_zone_that_is_being_synced_is_read_again(many: Server, simulator: Simulator, run_module: RunModule) -> None:
    simulator.knob("vinyldns", sync_duration=30.0)
    started = run_module("vinyldns_zone_sync", {**many.options(ZONES[0]), "backend": None, "wait": False})
    assert started.only["action"] == "triggered"
    simulator.clear()
    first, *others = run_module(INFO, {**many.login, "zones": ZONES}).result["zones"]
    assert first["pending_change"] is None or first["pending_change"]["id"] == started.only["handle"]["change_id"]
    assert (first["pending_change"] is not None) == (first["status"] == "Syncing")
    assert all(entry["status"] == "Active" and entry["pending_change"] is None for entry in others)
    assert asked(simulator)["zone"] <= 1


def test_a_list_that_is_refused(many: Server, simulator: Simulator, run_module: RunModule) -> None:
    simulator.fault("status", part="vinyldns", path_regex=r"^/zones\?", code=403, body='"no"')
    outcome = run_module(INFO, {**many.login, "zones": ZONES})
    assert not outcome.failed and all(entry["exists"] for entry in outcome.result["zones"])
    assert asked(simulator)["list"] == 1 and asked(simulator)["zone"] == 12


def test_zones_without_access_are_as_before(many: Server, simulator: Simulator, run_module: RunModule) -> None:
    login = {**many.login, **many.users["dummy"]}
    entries = [run_module(INFO, {**login, "zones": zones}).result["zones"] for zones in (ZONES, ZONES[:6], ZONES[6:])]
    assert entries[0] == entries[1] + entries[2] and not any(entry["may_sync"] for entry in entries[0])
    assert asked(simulator)["changes"] == 0


def test_one_zone_is_read_as_before(many: Server, simulator: Simulator, run_module: RunModule) -> None:
    run_module(INFO, {**many.login, "zones": ZONES[0]})
    assert asked(simulator) == {ZONES[0]: 1, "zone": 1, "changes": 1, "recordsetcount": 1}
