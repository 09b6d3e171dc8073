# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Transfers of real servers, compared with those of dnspython, and what there is without dnspython."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterable

import dns.name
import dns.rdatatype
import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._dns import transfer as transfer_module
from ansible_collections.lockstep.sync.plugins.module_utils._dns.backend import Backend, connect_socket
from ansible_collections.lockstep.sync.plugins.module_utils._dns.drift import DriftBuilder
from ansible_collections.lockstep.sync.plugins.module_utils._dns.transfer import read_soa, transfer
from ansible_collections.lockstep.sync.plugins.module_utils._dns.wire import ResourceRecord
from tests.simulator.bind import BindServer
from tests.simulator.dns_embedded import EmbeddedServer
from tests.simulator.dns_server import DnsServer, TsigKey, free_port
from tests.unit.plugins.module_utils.dns.conftest import KEY, KEYS, backend
from tests.unit.plugins.module_utils.dns.transfers import ZONE, fetch


def as_zone(records: Iterable[ResourceRecord]) -> dict[tuple[dns.name.Name, int, int], set[bytes]]:
    found: dict[tuple[dns.name.Name, int, int], set[bytes]] = {}
    for owner, ttl, rdtype, octets in records:
        found.setdefault((dns.name.from_wire(owner, 0)[0], rdtype, ttl), set()).add(octets)
    return found


def by_dnspython(server: DnsServer, zone: str) -> dict[tuple[dns.name.Name, int, int], set[bytes]]:
    copy = server.transfer(zone, KEY)
    return {
        (name, int(rdataset.rdtype), rdataset.ttl): {rdata.to_wire() or b"" for rdata in rdataset}
        for name, node in copy.nodes.items()
        for rdataset in node
    }


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.algorithm)
def test_every_algorithm_signs_transfers_and_queries(server: DnsServer, key: TsigKey) -> None:
    source = backend(server, key)
    assert len(fetch("empty.example", source)) == 2
    assert read_soa("empty.example.", source, 5).serial == 4294967295


def test_a_transfer_is_the_zone_that_dnspython_gets(server: DnsServer) -> None:
    records = fetch(ZONE, backend(server))
    assert records[0].rdtype == dns.rdatatype.SOA
    assert [record.rdtype for record in records].count(dns.rdatatype.SOA) == 1
    assert len(records) > 3000
    assert as_zone(records) == by_dnspython(server, ZONE)


def test_the_drift_of_a_transferred_zone_knows_its_names_and_types(server: DnsServer) -> None:
    builder = DriftBuilder(ZONE)
    builder.add_backend(transfer(ZONE, backend(server), 20))
    drift = builder.finish()
    named = {(change.name, change.type) for change in drift.changes if not change.name.startswith("host-")}
    assert named == {
        (ZONE, "SOA"),
        (ZONE, "NS"),
        (ZONE, "MX"),
        (ZONE, "SPF"),
        ("www", "A"),
        ("www", "SSHFP"),
        ("WWW2", "AAAA"),
        ("web", "CNAME"),
        ("sub", "NS"),
        ("sub", "DS"),
        ("ns1.sub", "A"),
        ("*", "NAPTR"),
        ("0/27", "PTR"),
        ("_sip._tcp", "SRV"),
        ("txt", "TXT"),
        (r"d\.ot.sp\032ace", "A"),
    }
    assert drift.unsupported_types == {"CAA": 1, "HTTPS": 1}
    assert drift.serial == 2026112001


def test_a_zone_may_be_open_to_all(server: DnsServer) -> None:
    source = backend(server, None)
    assert [record.rdtype for record in fetch("open.example.", source)] == [6, 2, 1]
    assert read_soa("OPEN.example", source, 5).serial == 5


def test_a_server_may_be_named_and_have_addresses_that_do_not_answer(bind: BindServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def addresses(host: str, port: int, **kind: int) -> list[tuple[object, ...]]:
        assert (host, port) == ("ns1.test", bind.port)
        return [(socket.AF_INET, kind["type"], 0, "", ("127.0.0.1", number)) for number in (free_port(), port)]

    source = backend(bind, name="ns1.test")
    monkeypatch.setattr(socket, "getaddrinfo", addresses)
    assert len(fetch("empty.example.", source)) == 2
    assert read_soa("empty.example.", source, 5).serial == 4294967295


def test_the_connection_is_closed_when_the_rest_is_not_read(embedded: EmbeddedServer) -> None:
    opened: list[socket.socket] = []

    def connect(source: Backend, kind: int, timeout: float) -> socket.socket:
        opened.append(connect_socket(source, kind, timeout))
        return opened[-1]

    records = transfer(ZONE, backend(embedded), 20, connect=connect)
    assert next(records).rdtype == dns.rdatatype.SOA
    records.close()  # type: ignore[attr-defined]  # it is a generator
    assert opened[0].fileno() == -1


# -- dnspython --------------------------------------------------------------------------------------------------------


def test_without_dnspython_only_servers_cannot_be_asked() -> None:
    code = """
import sys
sys.modules["dns"] = None
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._dns import drift, fidelity, guard, transfer
assert "ImportError" in transfer.DNSPYTHON_IMPORT_ERROR or "ModuleNotFoundError" in transfer.DNSPYTHON_IMPORT_ERROR
drift.DriftBuilder("example.com.")
backend = transfer.Backend("127.0.0.1", 1)
for call in (lambda: list(transfer.transfer("example.com.", backend, 5)), lambda: transfer.read_soa("example.com.", backend, 5)):
    try:
        call()
    except SyncError as error:
        print(error.code, "dnspython" in error.message)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["invalid_option True"] * 2


def test_with_dnspython_nothing_is_missing() -> None:
    assert transfer_module.DNSPYTHON_IMPORT_ERROR is None
