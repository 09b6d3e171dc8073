# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record data that the original reads with less care than a DNS library, and addresses as Java prints them."""

from __future__ import annotations

import dns.exception
import dns.rdata
import pytest

from tests.simulator.vinyldns.axfr import FROM_WIRE
from tests.simulator.vinyldns.records import comparable, java_ipv6, rdata_texts


@pytest.mark.parametrize(
    ("rdtype", "data", "record"),
    [
        ("DS", "3039 0d 02 abcd", {"keytag": 12345, "algorithm": 13, "digesttype": 2, "digest": "ABCD"}),
        ("DS", "3039 0d 00", {"keytag": 12345, "algorithm": 13, "digesttype": 0, "digest": ""}),
        ("SSHFP", "04 02", {"algorithm": 4, "type": 2, "fingerprint": ""}),
        ("TXT", "", {"text": ""}),
        ("SPF", "", {"text": ""}),
    ],
)
def test_data_that_a_library_refuses_are_read(rdtype: str, data: str, record: dict[str, object]) -> None:
    octets = bytes.fromhex(data)
    with pytest.raises(dns.exception.DNSException):
        dns.rdata.from_wire("IN", rdtype, octets, 0, len(octets))
    assert FROM_WIRE[rdtype](octets) == record
    assert comparable(rdtype, 300, [record]) is not None


def test_several_strings_are_one_text() -> None:
    assert FROM_WIRE["TXT"](b'\3a"b\0\2\xc3\xa4') == {"text": 'a\\"b\\195\\164'}


@pytest.mark.parametrize("address", ["::ffff:192.0.2.1", "0:0:0:0:0:ffff:c000:201"])
def test_a_mapped_address_is_one_of_ipv4_for_java(address: str) -> None:
    assert java_ipv6(address) == "192.0.2.1"
    stored = {"address": "192.0.2.1"}
    assert comparable("AAAA", 300, [stored]) == comparable("AAAA", 300, [{"address": address}])
    assert rdata_texts("AAAA", [stored]) == ["::ffff:192.0.2.1"]
