# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vinyldns_coverage_info: the zones of real BIND servers against those of the emulated VinylDNS."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.dns_server import HOST, TsigKey

from ..conftest import RunModule
from ..dns_servers import Bind, program
from .server import Server

COVERAGE = "vinyldns_coverage_info"
KEY = TsigKey.make("transfer.")
HEAD = """
@ 3600 SOA ns1.example. hostmaster.example. 1 3600 600 86400 60
@ 3600 NS invalid.
version 0 TXT "2"
"""
MEMBERS = """
a1.zones 0 PTR a.shop.example.
group.a1.zones 0 TXT "signed"
b1.Zones 0 PTR B.Shop.Example.
c1.zones 0 PTR new.shop.example.
"""


@pytest.fixture(scope="module")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    with Bind(tmp_path_factory.mktemp("bind"), "catalog.example.", HEAD + MEMBERS, KEY) as running:
        yield running


def catalog(bind: Bind, **more: Any) -> dict[str, Any]:
    key = {"tsig_name": KEY.name, "tsig_secret": KEY.secret, "tsig_algorithm": KEY.algorithm}
    return {"catalog": "catalog.example", "backend": {"server": HOST, "port": bind.port, **key}, **more}


def test_catalog_zone_against_vinyldns(bind: Bind, server: Server, run_module: RunModule) -> None:
    for zone in ("a.shop.example.", "b.shop.example.", "old.shop.example."):
        server.add(zone)
    before = len(server.simulator.requests(part="vinyldns"))
    outcome = run_module(COVERAGE, {**server.login, **catalog(bind), "name_filter": "*.shop.example"}, check=True)
    assert len(server.simulator.requests(part="vinyldns")) == before + 1 and server.posts() == 0
    result = outcome.result
    assert not outcome.failed and not outcome.changed and result["covered"] is False
    assert (result["missing_in_vinyldns"], result["missing_in_dns"]) == (["new.shop.example."], ["old.shop.example."])
    assert result["summary"] == {"dns": 3, "vinyldns": 3, "both": 2, "missing_in_vinyldns": 1, "missing_in_dns": 1}
    given = {**server.login, **catalog(bind), "name_filter": "*.shop.example.", "ignore": ["NEW.*", "old.shop.example"]}
    assert run_module(COVERAGE, given).result["covered"] is True
    assert KEY.secret not in outcome.output


def test_every_zone_of_vinyldns_counts_whatever_access_there_is(server: Server, run_module: RunModule) -> None:
    """More of them than a page has, and by an account that is in no group of theirs."""
    names = [f"z{number:03d}.many.example." for number in range(130)]
    zones = [{"name": name, "records": []} for name in names]
    server.simulator.control.part("vinyldns", "POST", "/zones", {"zones": zones})
    stranger = next(
        user for user in server.users.values() if not user.get("super") and user["access_key"] != server.login["access_key"]
    )
    login = {**server.login, "access_key": stranger["access_key"], "secret_key": stranger["secret_key"]}
    given = {**login, "zones": [name.removesuffix(".").upper() for name in names], "name_filter": "*.many.example."}
    assert run_module(COVERAGE, given).result["covered"] is True


def test_list_of_bind(server: Server, run_module: RunModule, tmp_path: Path) -> None:
    (tmp_path / "named.conf").write_text("""
view "inside" {
    zone "a.shop.example" { type primary; file "a.db"; };
    zone "0/25.2.0.192.in-addr.arpa" { type secondary; primaries { 192.0.2.1; }; };
    zone "." { type hint; file "root.hints"; };
    zone "forwarded.shop.example" { type forward; forwarders { 192.0.2.2; }; };
};
view "outside" {
    zone "a.shop.example" { in-view "inside"; };
    zone "b.shop.example" { type primary; file "b.db"; };
};
""")
    command = [program("named-checkconf"), "-l", str(tmp_path / "named.conf")]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    server.add("a.shop.example.")
    given = {**server.login, "named_zones": listed, "ignore": ["example.com", "*.arpa", "ok*", "*.parent.com."]}
    result = run_module(COVERAGE, {**given, "name_filter": "*"}).result
    assert result["missing_in_vinyldns"] == ["b.shop.example."] and "a.shop.example." not in result["missing_in_dns"]
    inside = run_module(COVERAGE, {**server.login, "named_zones": listed, "view": "inside", "name_filter": "*shop.example."})
    assert inside.result["covered"] is True
    reverse = run_module(COVERAGE, {**server.login, "named_zones": listed, "name_filter": "*.arpa"}).result
    assert "0/25.2.0.192.in-addr.arpa." in reverse["missing_in_vinyldns"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (HEAD.replace("version", "versions"), "one TXT record with version 2 at version.catalog.example."),
        (HEAD.replace('"2"', '"3"'), "one TXT record with version 2"),
        (f'{HEAD}version 0 TXT "1"\n', "one TXT record with version 2"),
        (f"{HEAD}{MEMBERS}a1.zones 0 PTR b.shop.example.\n", "member a1 has more than one PTR record"),
    ],
)
def test_a_broken_catalog_zone_is_refused(text: str, problem: str, server: Server, run_module: RunModule, tmp_path: Path) -> None:
    with Bind(tmp_path, "catalog.example.", text, KEY) as bind:
        outcome = run_module(COVERAGE, {**server.login, **catalog(bind)})
    assert outcome.failed and outcome.result["failure"]["code"] == "bad_response"
    assert problem in outcome.result["msg"] and "RFC 9432" in outcome.result["msg"] and "covered" not in outcome.result


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        ({}, None, "one of the following is required: zones, catalog, named_zones"),
        ({"catalog": "catalog.example."}, "invalid_option", "Set backend"),
        ({"zones": ["a..example"]}, "invalid_option", "is no name of a zone"),
        ({"zones": [2026.1]}, "invalid_option", "is a number"),
        ({"zones": ["a.example"], "view": "x"}, "invalid_option", "Set named_zones"),
        ({"named_zones": "no such\nfile"}, "invalid_option", "named-checkconf -l prints"),
    ],
)
def test_wrong_options(options: dict[str, Any], code: str | None, text: str, server: Server, run_module: RunModule) -> None:
    outcome = run_module(COVERAGE, {**server.login, **options})
    assert outcome.failed and text in outcome.result["msg"]
    assert code is None or outcome.result["failure"]["code"] == code


def test_failures_of_either_side(bind: Bind, server: Server, run_module: RunModule) -> None:
    wrong = catalog(bind)
    wrong["backend"] = {**wrong["backend"], "tsig_secret": TsigKey.make("other.").secret}
    refused = run_module(COVERAGE, {**server.login, **wrong})
    assert refused.failed and refused.result["failure"]["code"] in ("auth_failed", "permission_denied")
    denied = run_module(COVERAGE, {**server.login, "secret_key": "wrong", "zones": ["a.example."]})
    assert denied.failed and denied.result["failure"]["code"] == "auth_failed"
