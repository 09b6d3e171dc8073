# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Queries and TSIG."""

from __future__ import annotations

import socket
import struct
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.tsig
import pytest

from tests.simulator.dns_server import DnsServer, TsigKey
from tests.simulator_tests.dns_servers.clients import KEYS, REVERSE, ask, dig, needs_tools

# -- queries -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tcp", [False, True])
def test_an_authoritative_answer(server: DnsServer, tcp: bool) -> None:
    answer = ask(server, "WWW.example.com", "A", tcp)
    assert answer.flags & dns.flags.AA
    assert sorted(rdata.to_text() for rdata in answer.answer[0]) == ["192.0.2.1", "192.0.2.2"]


@pytest.mark.parametrize(
    ("name", "rdtype", "rcode", "section"),
    [
        ("example.com", "SOA", "NOERROR", "answer"),
        ("alias.example.com", "CNAME", "NOERROR", "answer"),
        ("x.wild.example.com", "TXT", "NOERROR", "answer"),
        ("www.example.com", "MX", "NOERROR", "authority"),
        ("nx.example.com", "A", "NXDOMAIN", "authority"),
        ("wild.example.com", "A", "NOERROR", "authority"),
        ("below.sub.example.com", "A", "NOERROR", "authority"),
        (REVERSE, "SOA", "NOERROR", "answer"),
        ("example.org", "SOA", "REFUSED", None),
    ],
)
def test_what_exists_and_what_does_not(server: DnsServer, name: str, rdtype: str, rcode: str, section: str | None) -> None:
    answer = ask(server, name, rdtype)
    filled = [part for part in ("answer", "authority") if getattr(answer, part)]
    assert (dns.rcode.to_text(answer.rcode()), filled[:1]) == (rcode, [section] if section else [])


def test_delegations_are_not_authoritative(server: DnsServer) -> None:
    answer = ask(server, "below.sub.example.com", "A")
    assert not answer.flags & dns.flags.AA
    assert answer.authority[0].rdtype == dns.rdatatype.NS


def test_big_answers_are_truncated_over_udp_only(server: DnsServer) -> None:
    assert ask(server, "many.example.com", "TXT").flags & dns.flags.TC
    assert len(ask(server, "many.example.com", "TXT", tcp=True).answer[0][0].to_text()) > 1200


# -- TSIG --------------------------------------------------------------------------------------------------------------


@needs_tools
@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_every_algorithm_transfers_for_dig(server: DnsServer, key: TsigKey) -> None:
    shown = dig(server, "AXFR", REVERSE, key=key)
    assert "XFR size: 4 records" in shown
    assert "verify signature" not in shown


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (TsigKey.make("stranger."), dns.tsig.PeerBadKey),
        (TsigKey("main.", TsigKey.make("other.").secret), dns.tsig.PeerBadSignature),
        (TsigKey("main.", TsigKey.make("main.").secret, "hmac-sha512"), dns.tsig.PeerBadKey),
    ],
)
def test_wrong_keys_are_distinguished(server: DnsServer, key: TsigKey, error: type[Exception]) -> None:
    with pytest.raises(error):
        ask(server, "example.com", "SOA", key=key.key)
    with pytest.raises(error):
        server.transfer("example.com", key)


def test_a_wrong_clock_is_badtime(server: DnsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    query = dns.message.make_query("example.com", "SOA")
    query.use_tsig(server.tsig.key)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 5000)
    wire = query.to_wire()
    monkeypatch.undo()
    with socket.create_connection((server.server, server.port), timeout=5) as sock:
        sock.sendall(struct.pack("!H", len(wire)) + wire)
        answer = sock.recv(65535)[2:]
    with pytest.raises(dns.tsig.PeerBadTime):
        dns.message.from_wire(answer, keyring=server.tsig.key, request_mac=query.mac)
    assert answer[3] & 15 == dns.rcode.NOTAUTH


@needs_tools
@pytest.mark.parametrize(
    ("zone", "key", "shown"),
    [
        ("example.com", None, "Transfer failed"),
        ("guarded.example", KEYS[0], "Transfer failed"),
        ("guarded.example", KEYS[-1], "XFR size: 3 records"),
        ("open.example", None, "XFR size: 3 records"),
        ("nowhere.example", KEYS[0], "Transfer failed"),
    ],
)
def test_who_may_transfer(server: DnsServer, zone: str, key: TsigKey | None, shown: str) -> None:
    assert shown in dig(server, "AXFR", zone, key=key)


def test_refusals_of_transfers_have_the_right_code(server: DnsServer) -> None:
    for zone, key, rcode in (
        ("example.com", None, dns.rcode.REFUSED),
        ("guarded.example", KEYS[0], dns.rcode.REFUSED),
        ("nowhere.example", KEYS[0], dns.rcode.NOTAUTH),
    ):
        assert ask(server, zone, "AXFR", tcp=True, key=key.key if key else None).rcode() == rcode
    assert ask(server, "open.example", "AXFR").rcode() == dns.rcode.FORMERR
