# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator's own reading of transfers, against a DNS library's."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset
import dns.tsig
import pytest

from tests.simulator.bind import find_named
from tests.simulator.dns_server import ALGORITHMS, DnsServer, TsigKey, start_dns, zone_text
from tests.simulator.vinyldns.axfr import TransferError, transfer
from tests.simulator.vinyldns.records import FROM_DNS

KEYS = [TsigKey.make("main."), *(TsigKey.make(f"{name}.", name) for name in ALGORITHMS)]
ZONE = "odd.example."
LINES = [
    "UPPER A 192.0.2.1",
    "under_score AAAA 2001:db8::1",
    "*.wild TXT any",
    "a\\.b A 192.0.2.2",
    "sp\\032ace A 192.0.2.3",
    "byte\\233 A 192.0.2.4",
    "at\\@ CNAME quo\\\"te",
    "deep.er.and.deep.er MX 10 deep.er.and",
    "srv SRV 1 2 3 srv.deep.er",
    'naptr NAPTR 1 2 "u" "s" "!x!y!" deep.er',
    "dropped CAA 0 issue \"x\"",
    *(f"h{i} TXT {'x' * 100}" for i in range(500)),
]  # fmt: skip


@pytest.fixture(
    scope="module",
    params=["embedded", pytest.param("bind", marks=pytest.mark.skipif(not find_named(), reason="BIND is not installed"))],
)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DnsServer]:
    with start_dns(request.param, tmp_path_factory.mktemp("dns"), KEYS, {ZONE: zone_text(LINES)}) as running:
        yield running


def own(address: tuple[str, int], key: TsigKey, zone: str = ZONE) -> list[tuple[str, str, int, dict[str, object]]]:
    return list(transfer(address, zone, key.key, 5.0, 5.0))


@pytest.fixture(scope="module")
def expected(server: DnsServer) -> list[tuple[str, str, int, dict[str, object]]]:
    """Every record of a known type, as the library reads it."""
    records = []
    for name, node in server.transfer(ZONE).nodes.items():
        for rdataset in node:
            rdtype = dns.rdatatype.to_text(rdataset.rdtype)
            if rdtype in FROM_DNS:
                records += [(name.to_text().lower(), rdtype, rdataset.ttl, FROM_DNS[rdtype](rdata)) for rdata in rdataset]
    return sorted(records, key=str)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_both_readings_agree(server: DnsServer, expected: list[tuple[str, str, int, dict[str, object]]], key: TsigKey) -> None:
    found = [(owner.lower(), *rest) for owner, *rest in own((server.server, server.port), key)]
    assert len(found) == len(LINES) + 1, "SOA and NS come in, CAA stays out"
    assert sorted(found, key=str) == expected


def test_letter_case_and_escapes_are_kept(server: DnsServer) -> None:
    owners = {owner for owner, *_rest in own((server.server, server.port), KEYS[0])}
    assert {"UPPER.odd.example.", "a\\.b.odd.example.", "sp\\032ace.odd.example.", "byte\\233.odd.example."} <= owners


def test_a_wrong_key_is_the_librarys_error(server: DnsServer) -> None:
    with pytest.raises(dns.tsig.PeerBadSignature):
        own((server.server, server.port), TsigKey("main.", "d3Jvbmc="))
    with pytest.raises(dns.tsig.PeerBadKey):
        own((server.server, server.port), TsigKey.make("stranger."))


def test_an_unknown_zone_is_refused(server: DnsServer) -> None:
    with pytest.raises(TransferError, match="transfer refused: NOTAUTH"):
        own((server.server, server.port), KEYS[0], "nowhere.example.")


# -- servers that are out of their mind --------------------------------------------------------------------------------


@contextmanager
def answering(*messages: bytes) -> Iterator[tuple[str, int]]:
    """A server that sends the same to everybody, whatever the question was."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _address = listener.accept()
            with connection:
                connection.recv(65535)
                for message in messages:
                    connection.sendall(struct.pack("!H", len(message)) + message)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()
        thread.join()


def message(*records: str) -> bytes:
    answer = dns.message.make_response(dns.message.make_query(ZONE, "AXFR"))
    answer.flags |= dns.flags.AA
    answer.answer = [dns.rrset.from_text(ZONE, 60, "IN", *record.split(" ", 1)) for record in records]
    return answer.to_wire()


SOA = "SOA a. b. 1 2 3 4 5"
HEADER = struct.pack("!HHHHHH", 1, 0x8400, 0, 1, 0, 0)


@pytest.mark.parametrize(
    ("wires", "text"),
    [
        ([], "ended early"),
        ([b"short"], "ended early"),
        ([message(SOA)], "the beginning of the transfer is not signed"),
        ([message("A 192.0.2.1")], "does not begin with an SOA"),
        ([HEADER + b"\xc0\x0c" + b"\0" * 10], "points forward"),
        ([HEADER + b"\xc0\xff" + b"\0" * 10], "points forward"),
        ([HEADER + b"\x3fabc"], "malformed"),
        ([HEADER], "malformed"),
        ([HEADER + b"\0" + b"\0" * 3], "malformed"),
    ],
)
def test_nonsense_is_not_believed(wires: list[bytes], text: str) -> None:
    with answering(*wires) as address, pytest.raises(TransferError, match=text):
        own(address, KEYS[0])
