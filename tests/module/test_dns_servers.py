# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transfers from real BIND, Knot DNS, NSD and PowerDNS, by the module and the role. The VinylDNS emulator uses them, too."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._dns.backend import Backend
from ansible_collections.lockstep.sync.plugins.module_utils._dns.transfer import read_soa, transfer
from tests.simulator.client import Simulator
from tests.simulator.dns_server import TsigKey, zone_text
from tests.simulator_tests.vinyldns.vinyl import Vinyl

from .conftest import RunModule
from .dns_reconciliation.playbook import Playbook, Server
from .dns_servers import SERVERS, RealServer

pytestmark = pytest.mark.long

ZONE = "real.example."
KEY = TsigKey.make("transfer.")
HOSTS = [f"host{number:02d} A 192.0.2.{number}" for number in range(20)]
#: records that the servers accept, and dnspython does not
ODD = ['svc SVCB 1 . alpn=h2 ech="YWJjZGVmZ2g="', f"zmd ZONEMD 1 0 1 {'ab' * 48}", "ds DS 12345 13 99 ABCD"]
NEW = "new A 198.51.100.1"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["vinyldns"]) as running:
        yield running


@pytest.fixture(params=SERVERS, ids=lambda kind: kind.name)
def dns_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealServer]:
    folder = tmp_path / "dns"
    folder.mkdir()
    with request.param(folder, ZONE, zone_text([*HOSTS, *ODD], serial=7), KEY) as running:
        yield running


def source(server: RealServer, key: TsigKey | None = KEY) -> Backend:
    backend = Backend("127.0.0.1", server.port)
    if key is None:
        return backend
    return dataclasses.replace(backend, tsig_name=key.name, tsig_secret=key.secret, tsig_algorithm=key.algorithm)


def connect_zone(simulator: Simulator, server: RealServer) -> None:
    """The emulator takes the zone over from the server."""
    vinyl = Vinyl(simulator)
    keys = {"name": ZONE, "keyName": KEY.name, "key": KEY.secret, "algorithm": "HMAC-SHA256"}
    connection = {**keys, "primaryServer": f"127.0.0.1:{server.port}"}
    body = {"name": ZONE, "email": "me@example.org", "adminGroupId": "ok-group-id"}
    answer = vinyl.call("POST", "/zones", json={**body, "connection": connection, "transferConnection": connection})
    assert answer.status_code == 202, answer.text
    assert vinyl.finished_creation(answer.json())["status"] == "Synced"
    vinyl.close()
    simulator.control.part("vinyldns", "POST", "/latest-sync", {"zone": ZONE, "age": 86400})


def test_a_zone_of_a_real_server_is_planned_and_reconciled(
    dns_server: RealServer, simulator: Simulator, run_module: RunModule, environment: dict[str, str], tmp_path: Path
) -> None:
    simulator.reset()
    server = Server(simulator)
    backend = {"server": "127.0.0.1", "port": dns_server.port, "tsig_name": KEY.name, "tsig_secret": KEY.secret}
    server.backend = backend
    connect_zone(simulator, dns_server)
    dns_server.reload(zone_text([*HOSTS, *ODD, NEW], serial=8))

    options: dict[str, Any] = {**server.login, "zones": ZONE, "backend": backend}
    plan = run_module("vinyldns_zone_sync", options, check=True)
    assert not plan.failed, plan.output
    drift = plan.only["detail"]["drift"]
    named = {(item["name"], item["action"]) for item in drift["records"] if item["type"] != "SOA"}
    assert (named, drift["serial"], drift["stored_serial"]) == ({("new", "create")}, 8, 7)
    assert sum(drift["unsupported_types"].values()) == 2
    # the first one connected the zone
    assert server.synced() == [ZONE]

    played = Playbook(server, environment, tmp_path)(zones=[ZONE])
    assert (played.code, played.verdict, server.synced()) == (0, "reconciled", [ZONE, ZONE]), played.output
    assert played.zone(ZONE)["fidelity"] == "exact"
    with contextlib.closing(Vinyl(simulator)) as vinyl:
        assert ("new", "A") in vinyl.record_sets(vinyl.zone_id(ZONE))


def refusal(backend: Backend) -> SyncError:
    with pytest.raises(SyncError) as caught:
        list(transfer(ZONE, backend, 10))
    return caught.value


def test_a_real_server_refuses_and_the_reason_is_named(dns_server: RealServer) -> None:
    unsigned = source(dns_server, None)
    assert read_soa(ZONE, unsigned, 10).serial == 7
    error = refusal(unsigned)
    assert (error.code, "no TSIG key" in error.message) == ("permission_denied", True)
    assert "backend.tsig_name" in error.hint
    for key in (TsigKey.make("other."), TsigKey(KEY.name, TsigKey.make("other.").secret)):
        error = refusal(source(dns_server, key))
        assert (error.code, key.name in error.message) == ("auth_failed", True)


def test_a_big_zone_of_a_real_server_is_transferred_though_its_reader_is_slow(dns_server: RealServer) -> None:
    hosts = [f"h{index} A 10.0.{index >> 8}.{index & 255}" for index in range(30000)]
    texts = [f'_acme-challenge.h{index} TXT "{"x" * 200}{index}"' for index in range(5000)]
    dns_server.reload(zone_text([*hosts, *texts], serial=9))
    records = transfer(ZONE, source(dns_server), 60)
    next(records)
    # Knot DNS waits for 500 ms
    time.sleep(1)
    assert len(list(records)) == 1 + len(hosts) + len(texts)
