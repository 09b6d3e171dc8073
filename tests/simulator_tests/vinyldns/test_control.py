# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How tests arrange the emulated server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.client import ControlError
from tests.simulator_tests.vinyldns.vinyl import MAIN, Vinyl, drift


def test_zones_may_exist_on_one_side_only(any_vinyl: Vinyl) -> None:
    vinyl = any_vinyl
    orders = [
        {"name": "both.example.", "records": ["a A 192.0.2.1"]},
        {"name": "dns-only.example.", "vinyldns": None},
        {"name": "vinyldns-only.example.", "dns": None, "connection": True},
    ]
    ids = vinyl.control("POST", "/zones", {"zones": orders})["ids"]
    assert ids["dns-only.example."] is None
    assert vinyl.call("GET", "/zones/name/dns-only.example.").status_code == 404
    assert vinyl.control("GET", "/dns/serial", zone="dns-only.example.") == {"serial": 2}
    assert vinyl.sync_and_wait(ids["both.example."])["status"] == "Synced"
    assert vinyl.sync_and_wait(ids["vinyldns-only.example."])["status"] == "Failed"
    vinyl.control("DELETE", "/zones", {"zones": ["both.example."], "where": "vinyldns"})
    assert vinyl.call("GET", f"/zones/{ids['both.example.']}").status_code == 404
    assert vinyl.control("GET", "/dns/serial", zone="both.example.") == {"serial": 1}


def test_a_reset_is_a_fresh_start(any_vinyl: Vinyl) -> None:
    vinyl = any_vinyl
    start = {name: item["records"] for name, item in vinyl.record_sets(vinyl.zone_id(MAIN)).items()}
    vinyl.knob(sync_duration=5.0)
    drift(vinyl)
    vinyl.add_zone("extra.example.")
    vinyl.sync(vinyl.zone_id(MAIN))
    vinyl.simulator.reset("vinyldns")
    assert vinyl.control("GET", "/queue") == {"waiting": 0, "running": 0}
    assert vinyl.control("GET", "/dns/serial", zone=MAIN) == {"serial": 2026010101}
    assert {name: item["records"] for name, item in vinyl.record_sets(vinyl.zone_id(MAIN)).items()} == start
    assert vinyl.call("GET", "/zones/name/extra.example.").status_code == 404
    assert vinyl.sync_and_wait(vinyl.zone_id(MAIN))["status"] == "Synced"
    assert vinyl.record_changes(vinyl.zone_id(MAIN)) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "text"),
    [
        ("GET", "/zone?name=nope.", None, "VinylDNS has no zone nope."),
        ("PATCH", "/zone", {"zone": MAIN, "set": {"colour": 1}}, "unknown fields"),
        ("POST", "/record-sets", {"zone": MAIN, "delete": [{"name": "nope", "type": "A"}]}, "does not have all of"),
        ("POST", "/dns/fault", {"fault": "nope"}, "unknown DNS fault"),
        ("POST", "/zones", {"zones": [{"name": "x.", "colour": 1}]}, "colour"),
    ],
)
def test_control_mistakes_are_explained(vinyl: Vinyl, method: str, path: str, body: object, text: str) -> None:
    with pytest.raises(ControlError, match=f"400 .*{text}"):
        vinyl.control(method, path, body)


def test_bind_does_not_misbehave_on_demand(bind_simulator: Any) -> None:
    with pytest.raises(ControlError, match="only the embedded DNS server"):
        bind_simulator.control.part("vinyldns", "POST", "/dns/fault", {"fault": "refused"})
