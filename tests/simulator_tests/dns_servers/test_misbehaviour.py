# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Misbehaviour of the embedded server on demand."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.xfr
import pytest

from tests.simulator.dns_embedded import IDLE_SECONDS, EmbeddedServer
from tests.simulator.dns_server import DnsServerError
from tests.simulator_tests.dns_servers.clients import KEYS, REVERSE, ZONES, ask


@pytest.fixture
def broken(embedded: EmbeddedServer) -> Iterator[EmbeddedServer]:
    embedded.add_zones(ZONES)
    yield embedded
    embedded.clear_faults()


@pytest.mark.parametrize("fault", ["truncated", "no_final_soa"])
def test_transfers_that_end_early(broken: EmbeddedServer, fault: str) -> None:
    broken.set_fault(fault)  # type: ignore[arg-type]
    with pytest.raises(EOFError):
        broken.transfer("example.com")


def test_an_apex_only_transfer_is_well_formed(broken: EmbeddedServer) -> None:
    broken.set_fault("apex_only")
    found = broken.transfer("example.com")
    assert [len(node.rdatasets) for node in found.nodes.values()] == [2]


def test_a_dripping_transfer_is_complete_and_slow(broken: EmbeddedServer) -> None:
    broken.set_fault("drip")
    broken.drip_seconds = 0.02
    started = time.monotonic()
    assert len(broken.transfer("example.com").nodes) == 6
    assert time.monotonic() - started >= 8 * 0.02


@pytest.mark.parametrize("fault", ["unsigned", "unsigned_end"])
def test_an_unsigned_transfer_is_noticed(broken: EmbeddedServer, fault: str) -> None:
    broken.set_fault(fault)  # type: ignore[arg-type]
    with pytest.raises(dns.exception.FormError, match="TSIG"):
        broken.transfer("example.com")


@pytest.mark.parametrize(("fault", "rcode"), [("refused", "REFUSED"), ("servfail", "SERVFAIL")])
def test_refusals_hit_what_they_are_meant_for(broken: EmbeddedServer, fault: str, rcode: str) -> None:
    broken.set_fault(fault, "example.com")  # type: ignore[arg-type]
    with pytest.raises(dns.xfr.TransferError, match=rcode):
        broken.transfer("example.com")
    assert broken.serial("example.com") == 10
    assert len(broken.transfer(REVERSE).nodes) == 2
    broken.set_fault(fault, "example.com", on="query")  # type: ignore[arg-type]
    assert dns.rcode.to_text(ask(broken, "www.example.com", "A").rcode()) == rcode
    broken.set_fault(fault, "example.com", on="update")  # type: ignore[arg-type]
    with pytest.raises(DnsServerError, match=rcode):
        broken.update("example.com", delete=[("www",)])


def test_silence_ends_with_the_server() -> None:
    with EmbeddedServer(KEYS, ZONES) as server:
        server.set_fault("silent", on="query")
        query = dns.message.make_query("example.com", "SOA")
        with pytest.raises(dns.exception.Timeout):
            dns.query.udp(query, server.server, port=server.port, timeout=0.1)
        with pytest.raises(dns.exception.Timeout):
            dns.query.tcp(query, server.server, port=server.port, timeout=0.1)
        started = time.monotonic()
    # and not with the silence, after IDLE_SECONDS
    assert time.monotonic() - started < IDLE_SECONDS / 2


def test_unknown_faults_are_refused(broken: EmbeddedServer) -> None:
    with pytest.raises(ValueError, match="unknown DNS fault 'nope'"):
        broken.set_fault("nope")  # type: ignore[arg-type]


def test_garbage_is_a_format_error(broken: EmbeddedServer) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.sendto(b"\x12\x34" + b"\xff" * 20, (broken.server, broken.port))
        answer = sock.recv(512)
    assert answer[:2] == b"\x12\x34"
    assert answer[3] & 15 == dns.rcode.FORMERR
