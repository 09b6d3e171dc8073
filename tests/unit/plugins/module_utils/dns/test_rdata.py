# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of single records."""

from __future__ import annotations

import dns.exception
import dns.rdata
import dns.rdatatype
import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._dns import rdata, wire
from tests.simulator.vinyldns.records import FROM_DNS
from tests.unit.plugins.module_utils.dns.zones import rdata_of, wire_of

DIGEST = "00112233445566778899AABBCCDDEEFF" * 2

# type, presentation format, and what a sync stores of it (docs/reference/vinyldns.md#2.6)
EXAMPLES = [
    ("A", "192.0.2.1", {"address": "192.0.2.1"}),
    ("AAAA", "2001:db8::1", {"address": "2001:db8:0:0:0:0:0:1"}),
    ("CNAME", "www.example.com.", {"cname": "www.example.com."}),
    ("DS", f"12345 13 2 {DIGEST}", {"keytag": 12345, "algorithm": 13, "digesttype": 2, "digest": DIGEST}),
    ("MX", "10 mx.example.com.", {"preference": 10, "exchange": "mx.example.com."}),
    (
        "NAPTR",
        '100 50 "u" "E2U+sip" "!^.*$!sip:\\\\1@example.com!" .',
        {
            "order": 100,
            "preference": 50,
            "flags": "u",
            "service": "E2U+sip",
            "regexp": "!^.*$!sip:\\\\1@example.com!",
            "replacement": ".",
        },
    ),
    ("NS", "ns1.example.net.", {"nsdname": "ns1.example.net."}),
    ("PTR", "host.example.com.", {"ptrdname": "host.example.com."}),
    (
        "SOA",
        "ns1.example.net. host\\.master.example.net. 2026112001 3600 600 86400 60",
        {
            "mname": "ns1.example.net.",
            "rname": "host\\.master.example.net.",
            "serial": 2026112001,
            "refresh": 3600,
            "retry": 600,
            "expire": 86400,
            "minimum": 60,
        },
    ),
    ("SPF", '"v=spf1 -all"', {"text": "v=spf1 -all"}),
    ("SRV", "1 2 443 web.example.com.", {"priority": 1, "weight": 2, "port": 443, "target": "web.example.com."}),
    ("SSHFP", f"4 2 {DIGEST}", {"algorithm": 4, "type": 2, "fingerprint": DIGEST}),
    ("TXT", '"say \\"hi\\" \\\\ \\195\\164"', {"text": 'say \\"hi\\" \\\\ \\195\\164'}),
]


@pytest.mark.parametrize(("rtype", "text", "json"), EXAMPLES)
def test_every_type_in_all_its_forms(rtype: str, text: str, json: dict[str, object]) -> None:
    octets = wire_of(rtype, text)
    assert rdata.from_json(rtype, json) == octets
    assert rdata.to_text(rtype, octets) == text
    assert rdata.as_stored(rtype, octets) == octets


def test_the_recognised_types_are_those_of_the_server() -> None:
    recognised = {"A", "AAAA", "CNAME", "DS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "TXT"}
    assert set(rdata.LAYOUTS) == recognised
    assert {dns.rdatatype.to_text(dns.rdatatype.RdataType.make(number)) for number in rdata.TYPE_NAMES} == recognised
    assert {rtype for rtype, _text, _json in EXAMPLES} == recognised


@given(st.sampled_from(sorted(rdata.LAYOUTS)), st.binary(max_size=60))
def test_any_data_that_dnspython_reads_has_a_presentation(rtype: str, octets: bytes) -> None:
    try:
        data = dns.rdata.from_wire("IN", rtype, octets, 0, len(octets)).to_wire() or b""
    except dns.exception.DNSException:
        return
    assert rdata.to_text(rtype, data)
    assert rdata.fold(rtype, rdata.fold(rtype, data)) == rdata.fold(rtype, data)


@pytest.mark.parametrize(
    ("rtype", "record"),
    [
        ("A", {"address": "2001:db8::1"}),
        ("A", {"address": "192.0.2"}),
        ("A", {"address": "192.0.2.1\0"}),
        ("AAAA", {"address": "::\ud800"}),
        ("A", {"address": None}),
        ("A", {}),
        ("A", "192.0.2.1"),
        ("AAAA", {"address": "2001:db8::1::2"}),
        ("CNAME", {"cname": "a..b."}),
        ("MX", {"preference": 65536, "exchange": "mx."}),
        ("MX", {"preference": -1, "exchange": "mx."}),
        ("MX", {"preference": True, "exchange": "mx."}),
        ("MX", {"preference": "10", "exchange": "mx."}),
        ("DS", {"keytag": 1, "algorithm": 256, "digesttype": 1, "digest": "AB"}),
        ("DS", {"keytag": 1, "algorithm": 1, "digesttype": 1, "digest": "ABC"}),
        ("SSHFP", {"algorithm": 1, "type": 1, "fingerprint": "XY"}),
        ("TXT", {"text": "\\1"}),
        ("SOA", {"mname": "a.", "rname": "b", "serial": 1, "refresh": 1, "retry": 1, "expire": 1, "minimum": 1}),
        ("NAPTR", {"order": 1, "preference": 1, "flags": "", "service": "", "regexp": "!x!\\1!", "replacement": "."}),
        ("NAPTR", {"order": 1, "preference": 1, "flags": "", "service": "", "regexp": "x" * 256, "replacement": "."}),
        ("UNKNOWN", {}),
    ],
)
def test_json_that_is_no_dns_record_is_refused(rtype: str, record: object) -> None:
    with pytest.raises(wire.Malformed):
        rdata.from_json(rtype, record)  # type: ignore[arg-type]  # what an API sends may be anything


@pytest.mark.parametrize(
    "address", ["2001:db8::1", "2001:DB8::1", "2001:db8:0:0:0:0:0:1", "2001:0db8:0000:0000:0000:0000:0000:0001"]
)
def test_an_ipv6_address_has_many_spellings(address: str) -> None:
    assert rdata.from_json("AAAA", {"address": address}) == wire_of("AAAA", "2001:db8::1")


@pytest.mark.parametrize("address", ["::ffff:192.0.2.1", "0:0:0:0:0:ffff:c000:201", "192.0.2.1"])
def test_java_shows_mapped_addresses_as_ipv4(address: str) -> None:
    assert rdata.from_json("AAAA", {"address": address}) == wire_of("AAAA", "::ffff:192.0.2.1")


def test_a_missing_dot_of_a_name_is_added() -> None:
    assert rdata.from_json("NS", {"nsdname": "ns1.example.net"}) == wire_of("NS", "ns1.example.net.")


def test_hexadecimal_may_have_either_case() -> None:
    upper = rdata.from_json("SSHFP", {"algorithm": 4, "type": 2, "fingerprint": "AABBCC"})
    assert rdata.from_json("SSHFP", {"algorithm": 4, "type": 2, "fingerprint": "aabbcc"}) == upper


@pytest.mark.parametrize(
    ("rtype", "one", "other"),
    [
        ("CNAME", "WWW.Example.COM.", "www.example.com."),
        ("MX", "10 MX.example.com.", "10 mx.example.com."),
        ("SRV", "1 2 443 Web.example.com.", "1 2 443 web.example.com."),
        ("SOA", "NS1.a. B.c. 1 2 3 4 5", "ns1.a. b.c. 1 2 3 4 5"),
        ("NAPTR", '1 2 "u" "s" "r" Repl.example.', '1 2 "u" "s" "r" repl.example.'),
    ],
)
def test_the_case_of_names_in_data_does_not_count(rtype: str, one: str, other: str) -> None:
    assert wire_of(rtype, one) != wire_of(rtype, other)
    assert rdata.fold(rtype, wire_of(rtype, one)) == rdata.fold(rtype, wire_of(rtype, other))


@pytest.mark.parametrize(
    ("rtype", "one", "other"),
    [
        ("TXT", '"Text"', '"text"'),
        ("NAPTR", '1 2 "U" "s" "r" .', '1 2 "u" "s" "r" .'),
        ("DS", f"16705 13 2 {DIGEST}", f"24929 13 2 {DIGEST}"),  # key tags whose octets are the letters AA and aa
        ("SRV", "16705 2 443 web.", "24929 2 443 web."),
    ],
)
def test_the_case_of_everything_else_counts(rtype: str, one: str, other: str) -> None:
    assert rdata.fold(rtype, wire_of(rtype, one)) != rdata.fold(rtype, wire_of(rtype, other))


@given(st.sampled_from([(rtype, text) for rtype, text, _json in EXAMPLES]))
def test_folding_agrees_with_the_canonical_form_of_dnssec(example: tuple[str, str]) -> None:
    rtype, text = example
    shouted = rdata_of(rtype, text.upper() if rtype in ("CNAME", "MX", "NS", "PTR", "SRV", "SOA") else text)
    assert rdata.fold(rtype, shouted.to_wire() or b"") == rdata_of(rtype, text).to_wire(canonicalize=True)


def strings(*parts: bytes) -> bytes:
    return b"".join(bytes((len(part),)) + part for part in parts)


@pytest.mark.parametrize(
    ("transferred", "as_stored"),
    [
        (strings(b"ab", b"cd"), strings(b"abcd")),
        (strings(b""), b""),
        (strings(b"x" * 100, b"y" * 200), strings(b"x" * 100 + b"y" * 155, b"y" * 45)),
        (strings(b"x" * 255), strings(b"x" * 255)),
        # one octet is four characters, so the split comes after 63 of them and three plain characters
        (strings(b"\xe4" * 63 + b"abc" + b"z"), strings(b"\xe4" * 63 + b"abc", b"z")),
    ],
)
def test_texts_are_joined_and_split_anew(transferred: bytes, as_stored: bytes) -> None:
    assert rdata.as_stored("TXT", transferred) == as_stored
    assert rdata.as_stored("SPF", transferred) == as_stored


@pytest.mark.parametrize(
    "transferred",
    [
        strings(b"\xe4" * 64),  # 255 = 63 * 4 + 3: the split falls before the last digit
        strings(b"x" * 253, b"\xe4"),  # after the first one
    ],
)
def test_a_split_inside_an_escape_cannot_be_undone(transferred: bytes) -> None:
    with pytest.raises(wire.Malformed):
        rdata.as_stored("TXT", transferred)


@pytest.mark.parametrize(
    ("transferred", "as_stored"),
    [
        (strings(b"x" * 254 + b"\xe4"), strings(b"x" * 254, b"228")),
        (strings(b"x" * 254 + b'"'), strings(b"x" * 254, b'"')),
        (strings(b"x" * 254 + b"\\", b"n"), strings(b"x" * 254, b"n")),
        (strings(b"x" * 254 + b"\\"), strings(b"x" * 254, b"")),
    ],
)
def test_a_lone_backslash_at_the_end_of_a_string_is_dropped(transferred: bytes, as_stored: bytes) -> None:
    for rtype in ("TXT", "SPF"):
        assert rdata.as_stored(rtype, transferred) == as_stored
        assert rdata.from_json(rtype, {"text": rdata.stored_text(transferred)}) == as_stored


@given(st.lists(st.binary(max_size=255), min_size=1, max_size=4))
def test_the_shortcut_for_short_texts_changes_nothing(parts: list[bytes]) -> None:
    octets = strings(*parts)
    text = rdata.stored_text(octets)
    assert FROM_DNS["TXT"](dns.rdata.from_wire("IN", "TXT", octets, 0, len(octets))) == {"text": text}
    try:
        slow = rdata.from_json("TXT", {"text": text})
    except wire.Malformed:
        with pytest.raises(wire.Malformed):
            rdata.as_stored("TXT", octets)
    else:
        assert rdata.as_stored("TXT", octets) == slow
        chunks = [text[start : start + 255] for start in range(0, len(text), 255)]
        if not any(chunk.replace("\\\\", "").endswith("\\") for chunk in chunks):
            assert rdata.as_stored("TXT", slow) == slow


def test_text_typed_into_the_api_is_encoded_as_utf_8_and_split_by_characters() -> None:
    assert rdata.from_json("TXT", {"text": "é" * 100}) == strings("é".encode() * 100)
    assert rdata.from_json("TXT", {"text": "é" * 10 + "x" * 200 + "é" * 10}) == strings(
        "é".encode() * 10 + b"x" * 200 + "é".encode() * 10
    )


def test_java_splits_a_character_that_needs_two_units() -> None:
    assert rdata.from_json("TXT", {"text": "x" * 254 + "\U0001f600"}) == strings(b"x" * 254 + b"?", b"?")


def test_a_chunk_of_more_than_255_octets_is_no_string() -> None:
    with pytest.raises(wire.Malformed):
        rdata.from_json("TXT", {"text": "é" * 200})


def test_an_empty_text_has_a_presentation() -> None:
    assert rdata.to_text("TXT", b"") == '""'


@pytest.mark.parametrize(("number", "name"), [(1, "A"), (46, "RRSIG"), (65, "HTTPS"), (257, "CAA"), (65280, "TYPE65280")])
def test_types_have_names(number: int, name: str) -> None:
    assert rdata.type_name(number) == name


def test_the_names_of_unsupported_types_are_those_of_the_registry() -> None:
    named = [number for number in range(1, 300) if not rdata.type_name(number).startswith("TYPE")]
    assert len(named) > 30
    for number in named:
        assert rdata.type_name(number) == dns.rdatatype.to_text(dns.rdatatype.RdataType.make(number))
