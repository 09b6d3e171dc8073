# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records that dnspython refuses, and that VinylDNS and the real DNS server both take: DS, SSHFP and TXT of unusual form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulator.client import Simulator
from tests.simulator.dns_server import zone_text

from .conftest import RunModule
from .dns_servers import SERVERS, RealServer
from .test_dns_servers import HOSTS, KEY, ZONE, connect_zone
from .vinyldns.server import Server

pytestmark = pytest.mark.long

#: every server takes them
PLAIN = ["ds1 DS 12345 13 99 ABCD", "fp1 SSHFP 4 9 ABCD", 'empty TXT ""']
#: digests of another length than their type has
SHORT = ["ds2 DS 12345 13 2 ABCD", "fp2 SSHFP 4 2 ABCD"]
#: without any string
NOTHING = ["none TYPE16 \\# 0"]
TAKEN = {"bind": PLAIN, "knot": [*PLAIN, *SHORT], "nsd": [*PLAIN, *SHORT, *NOTHING], "powerdns": [*PLAIN, *SHORT, *NOTHING]}
#: VinylDNS leaves the type out; the others refuse it empty
LEFT_OUT = {"bind": ['geo GPOS "" "" ""']}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["vinyldns"]) as running:
        yield running


@pytest.fixture(params=SERVERS, ids=lambda kind: kind.name)
def dns_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealServer]:
    folder = tmp_path / "dns"
    folder.mkdir()
    with request.param(folder, ZONE, zone_text(HOSTS, serial=7), KEY) as running:
        yield running


def test_they_are_planned_synced_and_in_sync_afterwards(
    dns_server: RealServer, simulator: Simulator, run_module: RunModule
) -> None:
    simulator.reset()
    server = Server(simulator)
    server.backend = {"server": "127.0.0.1", "port": dns_server.port, "tsig_name": KEY.name, "tsig_secret": KEY.secret}
    connect_zone(simulator, dns_server)
    taken, left_out = TAKEN[dns_server.name], LEFT_OUT.get(dns_server.name, [])
    dns_server.reload(zone_text([*HOSTS, *taken, *left_out], serial=8))
    simulator.control.clear()

    outcome = run_module("vinyldns_zone_sync", server.options(ZONE))
    detail = outcome.only["detail"]
    assert not outcome.failed and outcome.only["state"] == "succeeded", outcome.output
    assert detail["effect"] == {"creates": len(taken), "updates": 1, "deletes": 0, "complete": True}
    assert detail["fidelity"] == "exact" and outcome.warnings == "[]"
    assert sum(detail["drift"]["unsupported_types"].values()) == len(left_out)
    created = {item["name"] for item in detail["drift"]["records"] if item["action"] == "create"}
    assert created == {line.split(" ", 1)[0] for line in taken}

    again = run_module("vinyldns_zone_sync", server.options(ZONE))
    assert again.only["action"] == "skipped" and not again.changed and server.posts() == 1
