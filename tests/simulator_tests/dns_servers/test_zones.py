# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transfers, updates, and zones that come and go."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import dns.message
import dns.rdatatype
import pytest

from tests.simulator.dns_server import DnsServer, DnsServerError, TsigKey, zone_text
from tests.simulator_tests.dns_servers.clients import KEYS, ZONES, needs_tools, nsupdate


@pytest.fixture
def changing(server: DnsServer) -> Iterator[DnsServer]:
    """Loaded anew after the test."""
    yield server
    server.add_zones(ZONES)


# -- transfers ---------------------------------------------------------------------------------------------------------


def test_a_big_transfer_takes_several_signed_messages(server: DnsServer) -> None:
    server.add_zone("big.example", zone_text(f"h{i} TXT {'x' * 100}" for i in range(2000)))
    query = dns.message.make_query("big.example", "AXFR")
    query.use_tsig(server.tsig.key)
    wire, messages, soas = query.to_wire(), 0, 0
    with socket.create_connection((server.server, server.port), timeout=5) as sock, sock.makefile("rb") as stream:
        sock.sendall(struct.pack("!H", len(wire)) + wire)
        while soas < 2:
            messages += 1
            answer = stream.read(struct.unpack("!H", stream.read(2))[0])
            parsed = dns.message.from_wire(answer, keyring=False, xfr=True)
            soas += sum(rrset.rdtype == dns.rdatatype.SOA for rrset in parsed.answer)
    assert messages > 2
    assert len(server.transfer("big.example").nodes) == 2001


# -- updates -----------------------------------------------------------------------------------------------------------


@needs_tools
def test_nsupdate_changes_records_and_the_serial(changing: DnsServer) -> None:
    commands = [
        "update add new.example.com 60 A 192.0.2.9",
        "update delete alias.example.com",
        "update delete www.example.com A 192.0.2.1",
    ]
    assert nsupdate(changing, "example.com", *commands, key=changing.tsig) == ""
    assert changing.serial("example.com") == 11
    found = changing.transfer("example.com")
    assert found.find_rdataset("new.example.com.", "A").ttl == 60
    assert [rdata.to_text() for rdata in found.find_rdataset("www.example.com.", "A")] == ["192.0.2.2"]
    assert found.get_node("alias.example.com.") is None


@needs_tools
@pytest.mark.parametrize(
    ("zone", "prerequisite", "key", "error"),
    [
        ("example.com", "prereq yxdomain www.example.com", KEYS[0], ""),
        ("example.com", "prereq nxdomain www.example.com", KEYS[0], "update failed: YXDOMAIN"),
        ("example.com", "prereq yxdomain nx.example.com", KEYS[0], "update failed: NXDOMAIN"),
        ("example.com", "prereq yxrrset www.example.com A", KEYS[0], ""),
        ("example.com", "prereq yxrrset www.example.com TXT", KEYS[0], "update failed: NXRRSET"),
        ("example.com", "prereq nxrrset www.example.com A", KEYS[0], "update failed: YXRRSET"),
        ("example.com", "prereq yxrrset alias.example.com CNAME www.example.com.", KEYS[0], ""),
        ("example.com", "prereq yxrrset alias.example.com CNAME nx.example.com.", KEYS[0], "update failed: NXRRSET"),
        ("example.com", "", None, "update failed: REFUSED"),
        ("guarded.example", "", KEYS[0], "update failed: REFUSED"),
        ("open.example", "", None, ""),
        ("nowhere.example", "", KEYS[0], "update failed: NOTAUTH"),
    ],
)
def test_prerequisites_and_permissions(
    changing: DnsServer, zone: str, prerequisite: str, key: TsigKey | None, error: str
) -> None:
    shown = nsupdate(changing, zone, prerequisite, f"update add x.{zone} 60 A 192.0.2.9", key=key)
    # nsupdate may add its own words about the signature of a refusal.
    assert error in shown if error else shown == ""


def test_updates_that_change_nothing_leave_the_serial_alone(changing: DnsServer) -> None:
    changing.update("example.com", delete=[("nx",)])
    changing.update("example.com", add=[("www", 300, "A", "192.0.2.1")])
    assert changing.serial("example.com") == 10


def test_the_apex_survives_deletion(changing: DnsServer) -> None:
    changing.update("example.com", delete=[("@",)], add=[("@", 60, "TXT", "here")])
    found = changing.transfer("example.com")
    types = {dns.rdatatype.to_text(rdataset.rdtype) for rdataset in found.find_node("example.com.")}
    assert types == {"SOA", "NS", "TXT"}


def test_an_alias_has_no_other_data(changing: DnsServer) -> None:
    changing.update("example.com", add=[("alias", 60, "A", "192.0.2.1"), ("www", 60, "CNAME", "x.example.com.")])
    found = changing.transfer("example.com")
    assert found.get_rdataset("alias.example.com.", "A") is None
    assert found.get_rdataset("www.example.com.", "CNAME") is None


def test_refused_updates_are_an_error(server: DnsServer) -> None:
    with pytest.raises(DnsServerError, match=r"update of guarded\.example: REFUSED"):
        server.update("guarded.example", add=[("x", 60, "A", "192.0.2.1")])


# -- zones come and go -------------------------------------------------------------------------------------------------


def test_zones_are_added_replaced_and_removed(server: DnsServer) -> None:
    server.add_zones({"late.example": zone_text(["a A 192.0.2.1"], serial=7)})
    server.update("late.example", add=[("b", 60, "A", "192.0.2.2")])
    assert server.serial("late.example") == 8
    server.add_zone("late.example", zone_text(serial=3))
    assert server.serial("late.example") == 3
    assert len(server.transfer("late.example").nodes) == 1
    server.remove_zones(["late.example"])
    assert "late.example." not in server.zone_names()
    with pytest.raises(DnsServerError, match="REFUSED"):
        server.serial("late.example")


def test_any_serial_can_be_set(changing: DnsServer) -> None:
    changing.set_serial("example.com", 4)
    assert changing.serial("example.com") == 4
    assert len(changing.transfer("example.com").find_rdataset("www.example.com.", "A")) == 2


def test_many_zones_come_fast(server: DnsServer) -> None:
    names = [f"z{i}.example" for i in range(300)]
    server.add_zones(dict.fromkeys(names, zone_text()))
    assert {server.serial(name) for name in names} == {1}
    server.remove_zones(names)
