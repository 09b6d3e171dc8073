# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages with one fault each: cut off, wrong counts and lengths, pointers to nowhere, names that are too long."""

from __future__ import annotations

import struct

import dns.message
import dns.rrset
import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._dns.messages import parse
from ansible_collections.lockstep.sync.plugins.module_utils._dns.wire import Malformed

#: the name of the question, and where it is
ZONE, ZONE_AT = b"\7example\3com\0", 12
HEAD = struct.pack("!6H", 1, 0x8400, 1, 1, 0, 0) + ZONE + struct.pack("!2H", 252, 1)
#: where the first record begins, and its data if the owner is a pointer
RECORD_AT = len(HEAD)
DATA_AT = RECORD_AT + 2 + 10


def message() -> bytes:
    """A message as a server sends it, with compressed names in owners and data."""
    answer: dns.message.Message = dns.message.make_response(dns.message.make_query("example.com.", "AXFR"))
    for line in (
        "example.com. 300 IN SOA ns1.example.com. host.example.com. 1 2 3 4 5",
        "www.example.com. 300 IN CNAME web.www.example.com.",
        "example.com. 300 IN MX 10 mail.example.com.",
        'example.com. 300 IN TXT "text" "more"',
        "a.www.example.com. 300 IN AAAA 2001:db8::1",
    ):
        name, ttl, rdclass, rdtype, data = line.split(" ", 4)
        answer.answer.append(dns.rrset.from_text(name, int(ttl), rdclass, rdtype, data))
    return answer.to_wire()


MESSAGE = message()


def record(rdtype: int, data: bytes, owner: bytes = b"\xc0\x0c", length: int | None = None) -> bytes:
    return HEAD + owner + struct.pack("!HHIH", rdtype, 1, 300, len(data) if length is None else length) + data


def test_the_message_itself_is_read() -> None:
    assert len(parse(MESSAGE).answer) == 5


@given(st.integers(0, len(MESSAGE) - 1))
def test_a_message_that_is_cut_off_is_refused(length: int) -> None:
    with pytest.raises(Malformed):
        parse(MESSAGE[:length])


@pytest.mark.parametrize("section", range(4))
@pytest.mark.parametrize("by", [-1, 1, 7, 65535])
def test_a_wrong_number_of_records_is_refused(section: int, by: int) -> None:
    counts = list(struct.unpack("!4H", MESSAGE[4:12]))
    if not 0 <= counts[section] + by <= 65535:
        by = 65535 - counts[section]
    counts[section] += by
    with pytest.raises(Malformed):
        parse(MESSAGE[:4] + struct.pack("!4H", *counts) + MESSAGE[12:])


@given(st.sampled_from([1, 2, 5, 6, 12, 15, 28, 33, 35]), st.binary(max_size=40), st.integers(1, 65535))
def test_data_that_are_shorter_than_they_say_are_refused(rdtype: int, data: bytes, more: int) -> None:
    length = min(65535, len(data) + more)
    with pytest.raises(Malformed):
        parse(record(rdtype, data, length=length))


@given(st.integers(RECORD_AT, 0x3FFF))
def test_a_pointer_forward_or_to_itself_is_refused(target: int) -> None:
    """In an owner, and in data."""
    pointer = struct.pack("!H", 0xC000 | target)
    with pytest.raises(Malformed):
        parse(record(1, b"\1\2\3\4", owner=pointer))
    if target >= DATA_AT:
        with pytest.raises(Malformed):
            parse(record(2, pointer))


@pytest.mark.parametrize("labels", [0, 1, 3])
def test_a_pointer_to_the_labels_before_it_is_refused(labels: int) -> None:
    """Such a name would never end."""
    owner = b"\1x" * labels + struct.pack("!H", 0xC000 | RECORD_AT)
    with pytest.raises(Malformed):
        parse(record(1, b"\1\2\3\4", owner=owner))


def test_two_pointers_to_each_other_are_refused() -> None:
    data = struct.pack("!2H", 0xC000 | (DATA_AT + 2), 0xC000 | DATA_AT)
    for start in (DATA_AT, DATA_AT + 2):
        second = struct.pack("!HHHIH", 0xC000 | start, 1, 1, 300, 4) + bytes(4)
        octets = bytearray(record(65280, data) + second)
        octets[6:8] = b"\0\2"
        with pytest.raises(Malformed):
            parse(bytes(octets))


@pytest.mark.parametrize("kind", [0x40, 0x80])
@pytest.mark.parametrize("length", range(0, 64, 9))
def test_other_types_of_labels_are_refused(kind: int, length: int) -> None:
    with pytest.raises(Malformed):
        parse(record(2, bytes((kind | length,)) + bytes(length + 1)))


@pytest.mark.parametrize("compressed", [True, False])
def test_a_name_has_255_octets_at_most(compressed: bool) -> None:
    end = b"\xc0\x0c" if compressed else ZONE

    def name(octets: int) -> bytes:
        free = octets - len(ZONE)
        labels = [63] * (free // 64) + ([free % 64 - 1] if free % 64 else [])
        return b"".join(bytes((length,)) + b"x" * length for length in labels) + end

    (found,) = parse(record(2, name(255))).answer
    assert len(found.rdata) == 255 and found.rdata.endswith(ZONE)
    for octets in (256, 257, 300):
        with pytest.raises(Malformed):
            parse(record(2, name(octets)))
        with pytest.raises(Malformed):
            parse(record(1, b"\1\2\3\4", owner=name(octets)))
