# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Anything that a DNS server may send, and any names and texts of VinylDNS."""

from __future__ import annotations

import contextlib
import json
import socket
import struct

import dns.entropy
import dns.message
import dns.name
import dns.rrset
import pytest
import requests
from hypothesis import strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._dns import messages, rdata, wire
from ansible_collections.lockstep.sync.plugins.module_utils._dns.backend import Backend
from ansible_collections.lockstep.sync.plugins.module_utils._dns.drift import DriftBuilder
from ansible_collections.lockstep.sync.plugins.module_utils._dns.records import ZoneNames, identity, pack_stored, present, same
from ansible_collections.lockstep.sync.plugins.module_utils._dns.transfer import transfer
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.signing import SigningAuth, encode_segment
from tests.fuzzing import Fuzzer, damaged, outcome
from tests.unit.plugins.module_utils.dns.transfers import HOST, SOA
from tests.unit.plugins.module_utils.providers.vinyldns.test_signing import CREDENTIALS, FixedClock, verify_as_server

ZONE = "example.com."
KEPT = ("A", "AAAA", "CNAME", "DS", "MX", "NS", "PTR", "SOA", "SPF", "SRV", "NAPTR", "SSHFP", "TXT")
REFUSALS = ("bad_response", "connection_failed", "auth_failed", "permission_denied", "not_found", "too_large", "server_error")
LINES = (
    SOA,
    HOST,
    "www.example.com. 300 IN CNAME web.www.example.com.",
    "example.com. 300 IN MX 10 mail.example.com.",
    'example.com. 300 IN TXT "text" "more"',
    "a.www.example.com. 300 IN AAAA 2001:db8::1",
    "_sip._tcp.example.com. 300 IN SRV 1 2 5060 web.example.com.",
    'example.com. 300 IN NAPTR 100 50 "u" "E2U+sip" "!^(.*)$!sip:x!" .',
    'example.com. 300 IN CAA 0 issue "ca.example.net"',
)


def answer(lines: list[str]) -> bytes:
    made: dns.message.Message = dns.message.make_response(dns.message.make_query(ZONE, "AXFR"))
    made.id = 0
    for line in lines:
        name, ttl, rdclass, rdtype, data = line.split(" ", 4)
        made.answer.append(dns.rrset.from_text(name, int(ttl), rdclass, rdtype, data))
    return made.to_wire()


DAMAGE = st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=3) | st.just(b"\xc0\x0c"), st.integers(0, 4)), max_size=4)
MESSAGES = st.binary(max_size=120) | st.builds(damaged, st.lists(st.sampled_from(LINES), max_size=6).map(answer), DAMAGE)


def test_messages(fuzz: Fuzzer) -> None:
    def check(octets: bytes) -> None:
        with contextlib.suppress(wire.Malformed):
            for record in messages.parse(octets).answer:
                wire.name_to_text(record.owner)
                rtype = rdata.type_name(record.rdtype)
                if rtype in KEPT:
                    rdata.to_text(rtype, record.rdata)
                    rdata.fold(rtype, record.rdata)

    fuzz(MESSAGES, check)


class Peer:
    """Connects to a server that sends these messages and hangs up."""

    def __init__(self, octets: list[bytes]) -> None:
        self.octets = octets

    def __call__(self, backend: Backend, kind: int, timeout: float) -> socket.socket:
        if kind != socket.SOCK_STREAM:
            # asks once more after some refusals
            raise ConnectionRefusedError(111, "Connection refused")
        ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
        with theirs:
            theirs.sendall(b"".join(struct.pack("!H", len(part)) + part for part in self.octets))
            # a query that cannot be sent would be all that is looked at
            self.kept = theirs.dup()
        self.kept.shutdown(socket.SHUT_WR)
        return ours

    def close(self) -> None:
        self.kept.close()


def is_framed(parts: list[bytes]) -> bool:
    """Whether the first record is an SOA, and the next one of its type, which ends the transfer, is the same."""
    first: bytes | None = None
    for part in parts:
        for record in messages.parse(part).answer:
            if record.rdtype == rdata.SOA:
                if first is not None:
                    return record.rdata == first
                first = record.rdata
            elif first is None:
                return False
    return False


def test_transfers(fuzz: Fuzzer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is accepted as a zone begins and ends with the same SOA; all else is a failure of the server."""
    monkeypatch.setattr(dns.entropy, "random_16", lambda: 0)

    def check(parts: list[bytes]) -> None:
        peer = Peer(parts)
        builder = DriftBuilder(ZONE)
        found = outcome(lambda: builder.add_backend(transfer(ZONE, Backend("server.test", 53), 1, peer)))
        peer.close()
        if isinstance(found, SyncError):
            assert found.code in REFUSALS
            return
        builder.finish()
        assert is_framed(parts)

    whole = st.lists(st.sampled_from(LINES[1:]), max_size=5).map(lambda lines: answer([SOA, *lines]))
    parts = st.lists(MESSAGES | whole | st.builds(damaged, whole, DAMAGE), max_size=2)
    ends = st.just(answer([SOA])) | MESSAGES
    fuzz(st.builds(lambda first, middle, last: [first, *middle, last], ends, parts, ends), check)


PIECES = ["a", "B", ".", "\\", "\\.", "\\0", "\\032", "\\256", "*", "_x", "é", "\ud800", "x" * 63, "x" * 64, "@", " ", "\u0663"]
NAMES = st.lists(st.sampled_from(PIECES), max_size=9).map("".join)


def test_names(fuzz: Fuzzer) -> None:
    """A name that is accepted is one, and is the same one after it was written as a text."""

    def check(text: str) -> None:
        with contextlib.suppress(wire.Malformed):
            name = wire.absolute_name(text)
            assert wire.absolute_name(wire.name_to_text(name)) == name
            assert len(name) <= 255 and dns.name.from_wire(name, 0)[1] == len(name)
        with contextlib.suppress(wire.Malformed):
            names = ZoneNames(text)
            names.of_owner(names.zone)
            names.of_stored(text)

    fuzz(NAMES | NAMES.map(lambda text: f"{text}.") | st.text(max_size=20), check)


TEXT_PIECES = ["a", '"', "\\", '\\"', "\\\\", "\\25", "\\999", "\\032", " ", "é", "😀", "\ud800", "x" * 255, "\n", ";"]
TEXTS = st.lists(st.sampled_from(TEXT_PIECES), max_size=8).map("".join) | st.text(max_size=30)


def test_texts(fuzz: Fuzzer) -> None:
    """Texts of TXT records as VinylDNS stores them, and any octets of a server."""

    def check(given: tuple[str, bytes]) -> None:
        text, octets = given
        with contextlib.suppress(wire.Malformed):
            data = rdata.from_json("TXT", {"text": text})
            rdata.to_text("TXT", data)
            rdata.split_strings(data)
        strings = b"".join(bytes([len(part)]) + part for part in (octets[at : at + 255] for at in range(0, len(octets), 255)))
        if strings:
            rdata.to_text("TXT", strings)
            assert b"".join(rdata.split_strings(strings)) == octets
            with contextlib.suppress(wire.Malformed):
                rdata.as_stored("TXT", strings)

    fuzz(st.tuples(TEXTS, st.binary(max_size=600)), check)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)
FIELDS = (
    "address cname nsdname ptrdname preference exchange text mname rname serial refresh retry expire minimum priority weight port"
    " target algorithm type fingerprint keytag digesttype digest order flags service regexp replacement"
)


def test_stored_records(fuzz: Fuzzer) -> None:
    """A record set of the API is one that is understood, kept as it is, or malformed."""

    def check(given: tuple[str, str, object, object]) -> None:
        name, rtype, ttl, records = given
        with contextlib.suppress(wire.Malformed):
            packed = pack_stored(name, rtype, ttl, records)
            identity(rtype, packed)
            json.dumps(present(rtype, packed))
            same(rtype, packed, packed)

    row = st.dictionaries(
        st.sampled_from(FIELDS.split()), st.integers(0, 70000) | NAMES.map(lambda name: f"{name}.") | JSON, max_size=7
    )
    types = st.sampled_from([*KEPT, "CAA", "x"])
    fuzz(st.tuples(NAMES, types, st.integers(0, 2**33) | JSON, st.lists(row, max_size=3) | JSON), check)


def test_signer(fuzz: Fuzzer) -> None:
    """Whatever is asked for, its signature is that of what is sent."""

    def check(given: tuple[list[str], list[tuple[str, str]], bytes, str]) -> None:
        segments, query, body, method = given
        url = "http://Server.Example:9000/" + "/".join(map(encode_segment, segments))
        request = requests.Request(method, url, params=query, data=body, auth=SigningAuth(CREDENTIALS, FixedClock())).prepare()
        headers = {key.lower(): value for key, value in request.headers.items()}
        assert verify_as_server(headers["authorization"], method, request.url or "", headers, body, CREDENTIALS.secret_key)

    letters = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
    segments = letters.filter(lambda text: text.strip("."))
    pairs = st.lists(st.tuples(segments, letters), max_size=3)
    methods = st.sampled_from(["GET", "POST", "PUT"])
    fuzz(st.tuples(st.lists(segments, min_size=1, max_size=3), pairs, letters.map(str.encode), methods), check)
