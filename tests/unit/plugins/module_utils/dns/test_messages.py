# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages are read as by dnspython, and so are records that dnspython refuses."""

from __future__ import annotations

import contextlib
import struct
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.version
import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._dns import rdata
from ansible_collections.lockstep.sync.plugins.module_utils._dns.drift import DriftBuilder
from ansible_collections.lockstep.sync.plugins.module_utils._dns.messages import parse
from ansible_collections.lockstep.sync.plugins.module_utils._dns.wire import Malformed, ResourceRecord

LABELS = st.sampled_from([b"www", b"WWW", b"a", b"x" * 63, b"\xff\0.", b"*", b"example"])
NAMES = st.lists(LABELS, max_size=3).map(lambda labels: dns.name.Name([*labels, b"example", b"com", b""]))
U16 = st.integers(0, 65535)
STRING = st.binary(max_size=255).map(lambda octets: bytes((len(octets),)) + octets)
NAPTR = st.tuples(U16, U16, STRING, STRING, STRING, NAMES)


#: dnspython 2.3 cannot leave a signature unverified, and raises
UNVERIFIED: dict[str, Any] = {} if (dns.version.MAJOR, dns.version.MINOR) < (2, 4) else {"keyring": False}
#: what it accepts, though later releases do not
ACCEPTED_BY_2_3 = ("SVCB", "SSHFP", "TXT")


def wire_of(name: dns.name.Name) -> bytes:
    return name.to_wire() or b""


DATA: list[tuple[str, st.SearchStrategy[bytes]]] = [
    ("A", st.binary(min_size=4, max_size=4)),
    ("AAAA", st.binary(min_size=16, max_size=16)),
    *((rtype, NAMES.map(wire_of)) for rtype in ("NS", "CNAME", "PTR", "DNAME", "MR")),
    ("MX", st.tuples(U16, NAMES).map(lambda fields: struct.pack("!H", fields[0]) + wire_of(fields[1]))),
    ("AFSDB", st.tuples(U16, NAMES).map(lambda fields: struct.pack("!H", fields[0]) + wire_of(fields[1]))),
    ("RP", st.tuples(NAMES, NAMES).map(lambda names: b"".join(map(wire_of, names)))),
    ("SRV", st.tuples(U16, NAMES).map(lambda fields: struct.pack("!3H", 1, 2, fields[0]) + wire_of(fields[1]))),
    ("TXT", st.lists(STRING, min_size=1, max_size=3).map(b"".join)),
    ("SPF", st.lists(STRING, min_size=1, max_size=3).map(b"".join)),
    ("DS", st.binary(min_size=32, max_size=32).map(lambda digest: b"\x30\x39\x0d\x02" + digest)),
    ("SSHFP", st.binary(min_size=32, max_size=32).map(lambda fingerprint: b"\x04\x02" + fingerprint)),
    ("TYPE65280", st.binary(max_size=20)),
    ("NAPTR", NAPTR.map(lambda fields: struct.pack("!2H", *fields[:2]) + b"".join(fields[2:5]) + wire_of(fields[5]))),
]


@st.composite
def records(draw: st.DrawFn) -> ResourceRecord:
    rtype, data = draw(st.sampled_from(DATA))
    return ResourceRecord(wire_of(draw(NAMES)), draw(st.integers(0, 2**31 - 1)), int(dns.rdatatype.from_text(rtype)), draw(data))


def as_rrset(record: ResourceRecord) -> dns.rrset.RRset:
    name = dns.name.from_wire(record.owner, 0)[0]
    rdtype = dns.rdatatype.RdataType.make(record.rdtype)
    data = dns.rdata.from_wire(dns.rdataclass.IN, rdtype, record.rdata, 0, len(record.rdata))
    return dns.rrset.from_rdata(name, record.ttl, data)


@given(st.lists(records(), max_size=20))
def test_a_compressed_message_has_the_records_that_it_was_made_of(expected: list[ResourceRecord]) -> None:
    query = dns.message.make_query("example.com.", "AXFR")
    message = dns.message.make_response(query)
    message.answer = [as_rrset(record) for record in expected]
    octets = message.to_wire()
    found = parse(octets)
    assert (found.id, found.rcode, found.signature) == (query.id, 0, None)
    assert found.questions == [(b"\7example\3com\0", 252, 1)]
    # compression may change the case of names: dnspython's own reading has it, too
    again = dns.message.from_wire(octets, one_rr_per_rrset=True, xfr=True)
    assert found.answer == [(rrset.name.to_wire(), rrset.ttl, rrset.rdtype, rrset[0].to_wire()) for rrset in again.answer]
    assert [(r.owner.lower(), r.ttl, r.rdtype) for r in found.answer] == [(r.owner.lower(), r.ttl, r.rdtype) for r in expected]


@given(st.lists(records(), max_size=5), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=4))
def test_what_dnspython_reads_is_read_alike_and_the_rest_fails_cleanly(
    answer: list[ResourceRecord], changes: list[tuple[int, int]]
) -> None:
    message: Any = dns.message.make_response(dns.message.make_query("example.com.", "AXFR"))
    message.answer = [as_rrset(record) for record in answer]
    octets = bytearray(message.to_wire())
    for position, value in changes:
        octets[position % len(octets)] = value
    found = None
    with contextlib.suppress(Malformed):
        found = parse(bytes(octets))
    try:
        # an octet may turn a record into a signature, which is not to be verified here
        expected = dns.message.from_wire(bytes(octets), one_rr_per_rrset=True, xfr=True, **UNVERIFIED)
    except Exception:  # noqa: BLE001  # whatever a changed octet provokes
        return
    if expected.opcode() or not found:
        return
    kept = [rrset for rrset in expected.answer if rrset.rdclass == dns.rdataclass.IN and int(rrset.rdtype) in rdata.TYPE_NAMES]
    assert [(r.owner, r.rdtype, r.rdata) for r in found.answer if r.rdtype in rdata.TYPE_NAMES] == [
        (rrset.name.to_wire(), rrset.rdtype, rrset[0].to_wire()) for rrset in kept
    ]


def message_with(rdtype: int, data: bytes, name: bytes = b"\xc0\x0c") -> bytes:
    head = struct.pack("!6H", 1, 0x8400, 1, 1, 0, 0) + b"\7example\3com\0" + struct.pack("!2H", 252, 1)
    return head + name + struct.pack("!HHIH", rdtype, 1, 300, len(data)) + data


@pytest.mark.parametrize(
    ("rtype", "data"),
    [
        ("SVCB", "000100 0001 0003 02 6832 0005 0008 6162636465666768"),
        ("ZONEMD", "00000001 00 01" + "ab" * 48),
        ("GPOS", "000000"),
        ("DS", "3039 0d 02 abcd"),
        ("DS", "3039 0d 00"),
        ("SSHFP", "04 02"),
        ("TXT", ""),
        ("RP", "ff"),
    ],
)
def test_a_record_that_dnspython_refuses_stays_octets(rtype: str, data: str) -> None:
    octets = bytes.fromhex(data)
    message = message_with(int(dns.rdatatype.from_text(rtype)), octets)
    if dns.version.MINOR > 3 or rtype not in ACCEPTED_BY_2_3:
        with pytest.raises(Exception):  # noqa: B017,PT011  # this is what the test is about; the class depends on the type
            dns.message.from_wire(message)
    (record,) = parse(message).answer
    assert (record.owner, record.rdata) == (b"\7example\3com\0", octets)
    builder = DriftBuilder("example.com.")
    builder.add_backend([ResourceRecord(record.owner, 300, rdata.SOA, b"\0\0" + bytes(20)), record])
    drift = builder.finish()
    kept = rtype in rdata.LAYOUTS
    assert (sum(drift.unsupported_types.values()), drift.creates) == ((0, 2) if kept else (1, 1))


@pytest.mark.parametrize(
    "message",
    [
        message_with(1, b"\1\2\3"),
        message_with(28, b"\1\2\3\4"),
        message_with(2, b"\1x"),
        message_with(2, b"\1x\0\0"),
        message_with(15, b"\0"),
        message_with(16, b"\3ab"),
        message_with(35, b"\0\0\0\0\1"),
        message_with(2, b"\xc0\xff"),
        message_with(2, b"\x40\0"),
        message_with(250, b"\0"),
        message_with(41, b""),
        message_with(1, b"\1\2\3\4", name=b"\xc0\x1d"),
        message_with(1, b"\1\2\3\4", name=b"\1x" * 126 + b"\xc0\x0c"),
        message_with(1, b"\1\2\3\4")[:-1],
        message_with(1, b"\1\2\3\4") + b"x",
        b"",
        b"\0" * 11,
        b"\0\1\x84\0" + b"\xff" * 8,
    ],
)
def test_malformed_messages_are_refused(message: bytes) -> None:
    with pytest.raises(Malformed):
        parse(message)


def test_a_chain_of_pointers_is_followed_so_far() -> None:
    def chain(length: int) -> bytes:
        # the pointers are the data of a record that is only counted; the name of the next record is the last of them
        start = len(message_with(65280, b""))
        pointers = b"\xc0\x0c" + b"".join(struct.pack("!H", 0xC000 | start + 2 * index) for index in range(length))
        message = bytearray(message_with(65280, pointers))
        message[6:8] = b"\0\2"
        last = struct.pack("!H", 0xC000 | start + 2 * length)
        return bytes(message) + last + struct.pack("!HHIH", 1, 1, 300, 4) + b"\1\2\3\4"

    assert parse(chain(100)).answer[1].owner == b"\7example\3com\0"
    with pytest.raises(Malformed, match="too many"):
        parse(chain(200))
