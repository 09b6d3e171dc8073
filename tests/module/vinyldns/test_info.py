# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vinyldns_zone_info."""

from __future__ import annotations

import pytest

from ..conftest import RunModule
from .server import ZONE, Server, drifted


def test_info(server: Server, run_module: RunModule) -> None:
    drifted(server)
    outcome = run_module("vinyldns_zone_info", {**server.login, "zones": ["nope.example.", ZONE], "backend": server.backend})
    unknown, zone = outcome.result["zones"]
    assert unknown["zone"] == "nope.example." and not unknown["exists"] and unknown["id"] is None
    assert zone["exists"] and zone["may_sync"] and zone["status"] == "Active" and zone["pending_change"] is None
    assert zone["record_sets"] == 22 and zone["in_sync"] is False and zone["drift"]["deletes"] == 1 and zone["guards"] == []
    assert not outcome.changed and server.posts() == 0


def test_info_lists_by_filter_and_group(server: Server, run_module: RunModule) -> None:
    server.add("b.shop.example.")
    server.add("a.shop.example.")
    outcome = run_module("vinyldns_zone_info", {**server.login, "name_filter": "*.shop.example."})
    assert [zone["zone"] for zone in outcome.result["zones"]] == ["a.shop.example.", "b.shop.example."]
    both = run_module("vinyldns_zone_info", {**server.login, "name_filter": "a.shop", "admin_group": "ok-group"})
    assert [zone["zone"] for zone in both.result["zones"]] == ["a.shop.example."]


def test_name_filter_means_its_characters_and_not_sql(server: Server, run_module: RunModule) -> None:
    for name in ("_tcp.shop.example.", "atcp.shop.example.", "a%c.shop.example."):
        server.add(name)
    for name_filter, found in (
        ("_tcp*", ["_tcp.shop.example."]),
        ("_tcp", ["_tcp.shop.example."]),
        ("a%c*", ["a%c.shop.example."]),
        ("ATCP.shop.example.", ["atcp.shop.example."]),
    ):
        outcome = run_module("vinyldns_zone_info", {**server.login, "name_filter": name_filter})
        assert [zone["zone"] for zone in outcome.result["zones"]] == found
    for group, count in (("ok_group", 0), ("ok-group", 3), ("ok*", 3)):
        given = {**server.login, "admin_group": group, "name_filter": "*.shop.example.", "details": False}
        assert len(run_module("vinyldns_zone_info", given).result["zones"]) == count


@pytest.mark.parametrize("name", ["münchen.example.", "München.example", "mu\u0308nchen.example."])
def test_international_name_is_looked_up_by_its_a_label(name: str, server: Server, run_module: RunModule) -> None:
    server.add("xn--mnchen-3ya.example.")
    zones = [*run_module("vinyldns_zone_info", {**server.login, "zones": name}).result["zones"]]
    zones += run_module("vinyldns_zone_info", {**server.login, "name_filter": name[:7]}).result["zones"] if "ü" in name else []
    assert {zone["zone"] for zone in zones} == {"xn--mnchen-3ya.example."} and all(zone["exists"] for zone in zones)
    outcome = run_module("vinyldns_zone_sync", server.options(name))
    assert outcome.only["target"] == "xn--mnchen-3ya.example." and outcome.only["action"] == "skipped"


def test_info_without_details_is_one_request_for_all_zones(server: Server, run_module: RunModule) -> None:
    names = [f"{letter}.shop.example." for letter in "abc"]
    for name in names:
        server.add(name)
    before = len(server.simulator.requests(part="vinyldns"))
    outcome = run_module("vinyldns_zone_info", {**server.login, "name_filter": "*.shop.example.", "details": False})
    assert len(server.simulator.requests(part="vinyldns")) == before + 1
    full = run_module("vinyldns_zone_info", {**server.login, "name_filter": "*.shop.example."}).result["zones"]
    unknown = {"age": None, "pending_change": None, "record_sets": None}
    assert outcome.result["zones"] == [{**zone, **unknown} for zone in full]
    assert [zone["zone"] for zone in full] == names and all(zone["may_sync"] and zone["admin_group"] for zone in full)


def test_credentials_from_the_environment(server: Server, run_module: RunModule) -> None:
    for url, key, secret in (
        ("VINYLDNS_API_URL", "VINYLDNS_ACCESS_KEY_ID", "VINYLDNS_SECRET_ACCESS_KEY"),
        ("VINYLDNS_HOST", "VINYLDNS_ACCESS_KEY", "VINYLDNS_SECRET_KEY"),
    ):
        env = {url: server.url, key: server.login["access_key"], secret: server.secret}
        outcome = run_module("vinyldns_zone_sync", {"zones": "example.com.", "max_age": 999999}, env=env)
        assert not outcome.failed and outcome.only["action"] == "skipped"
