# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of record sets, and when two record sets are equal: each rule of docs/reference/vinyldns.md#2.5 and #2.6 by example."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._dns import records, wire
from tests.unit.plugins.module_utils.dns.zones import Json, pack, rr, stored, synced, wire_of

NAMES = records.ZoneNames("example.com.")


def owner(name: str) -> bytes:
    return wire.absolute_name(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("www.example.com.", ("www", False)),
        ("a.b.example.com.", ("a.b", False)),
        ("*.example.com.", ("*", False)),
        ("WWW.Example.COM.", ("WWW", False)),
        ("example.com.", ("example.com.", True)),
        ("EXAMPLE.com.", ("example.com.", True)),
        ("example.com.example.com.", ("example.com.", False)),  # the quirk: falls into the apex
        (r"a\.b.example.com.", (r"a\.b", False)),
        (r"a\..example.com.", (r"a\.", True)),  # a dot at the end, though an escaped one
        (r"\@.example.com.", (r"\@", False)),
        ("www.example.net.", ("www.example.net.", True)),
        ("com.", ("com.", True)),
        ("badexample.com.", ("badexample.com.", True)),
    ],
)
def test_transferred_owners_become_relative_names(name: str, expected: tuple[str, bool]) -> None:
    assert NAMES.of_owner(owner(name)) == expected


def test_a_label_may_look_like_the_end_of_the_zone() -> None:
    # the octets end like those of the zone, but no label begins where the zone would
    tricky = b"\x0aab\x07example\x03com\x00"
    assert tricky.endswith(NAMES.zone)
    assert NAMES.of_owner(tricky) == (r"ab\007example.com.", True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("www", "www"),
        ("WWW", "WWW"),
        ("a.b", "a.b"),
        ("@", "example.com."),
        ("example.com", "example.com."),
        ("example.com.", "example.com."),
        ("EXAMPLE.COM.", "example.com."),
        ("www.example.com.", "www"),
        ("www.", "www"),
        (r"a\032b", r"a\032b"),
        ("a b", r"a\032b"),
        (r"\119ww", "www"),
        (r"a\.", r"a\."),
        ("a..b", "a..b"),  # the server cannot parse it either
        ("", ""),
        ("x" * 64, "x" * 64),
    ],
)
def test_stored_names_are_compared_relative(name: str, expected: str) -> None:
    assert NAMES.of_stored(name) == expected


def test_a_zone_may_come_without_its_dot() -> None:
    names = records.ZoneNames("example.com")
    assert (names.apex, names.of_stored("example.com."), names.of_owner(owner("www.example.com."))) == (
        "example.com.",
        "example.com.",
        ("www", False),
    )


def test_a_zone_needs_a_name() -> None:
    with pytest.raises(wire.Malformed):
        records.ZoneNames("a..b.")


def transferred(rtype: str, *texts: str, ttl: int = 300, name: str = "www") -> records.Packed:
    parts = [rr(name, rtype, text, ttl) for text in texts]
    packed = [records.pack_transferred(rtype, part.ttl, part.rdata, NAMES.of_owner(part.owner)[1]) for part in parts]
    result = packed[0]
    for part in packed[1:]:
        result = records.merge(result, part)
    return result


def same(rtype: str, one: records.Packed, other: Json) -> bool:
    return records.same(rtype, one, pack(other))


A = ("192.0.2.1", "192.0.2.2")


@pytest.mark.parametrize(
    ("rtype", "texts", "record_set"),
    [
        pytest.param("A", A, synced("www", "A", *A), id="as synced"),
        pytest.param("A", A, synced("www", "A", *reversed(A)), id="order"),
        pytest.param("A", A, synced("www", "A", A[1], *A), id="repetition"),
        pytest.param("CNAME", ["WEB.example.com."], synced("www", "CNAME", "web.Example.com."), id="case of a target"),
        pytest.param("AAAA", ["2001:db8::1"], synced("www", "AAAA", "2001:db8::1"), id="Java's IPv6"),
        pytest.param("AAAA", ["2001:db8::1"], stored("www", "AAAA", {"address": "2001:DB8::0001"}), id="typed IPv6"),
        pytest.param("TXT", ['"v=1" "; a"'], stored("www", "TXT", {"text": "v=1; a"}), id="strings of a text"),
        pytest.param("TXT", ['"\\195\\164\\"\\\\"'], stored("www", "TXT", {"text": 'ä\\"\\\\'}), id="escapes in a text"),
        pytest.param(
            "TXT", [f'"{"x" * 200}" "{"y" * 200}"'], stored("www", "TXT", {"text": "x" * 200 + "y" * 200}), id="long text"
        ),
        pytest.param("SPF", ['"v=spf1" " -all"'], stored("www", "SPF", {"text": "v=spf1 -all"}), id="SPF"),
        pytest.param(
            "SSHFP",
            ["4 1 " + "ab" * 20],
            stored("www", "SSHFP", {"algorithm": 4, "type": 1, "fingerprint": "AB" * 20}),
            id="case of hexadecimal",
        ),
        pytest.param(
            "NAPTR",
            ['1 2 "u" "E2U+sip" "!^.*$!sip:\\\\1@a.!" .'],
            stored(
                "www",
                "NAPTR",
                {
                    "order": 1,
                    "preference": 2,
                    "flags": "u",
                    "service": "E2U+sip",
                    "regexp": "!^.*$!sip:\\\\1@a.!",
                    "replacement": ".",
                },
            ),
            id="doubled backslashes",
        ),
        pytest.param(
            "MX", ["10 mx.example.com."], stored("www", "MX", {"preference": 10, "exchange": "mx.example.com"}), id="no dot"
        ),
    ],
)
def test_what_does_not_make_a_difference(rtype: str, texts: tuple[str, ...], record_set: Json) -> None:
    assert same(rtype, transferred(rtype, *texts), record_set)


@pytest.mark.parametrize(
    ("rtype", "texts", "record_set"),
    [
        pytest.param("A", A, synced("www", "A", A[0]), id="one missing"),
        pytest.param("A", A, synced("www", "A", *A, "192.0.2.3"), id="one too many"),
        pytest.param("A", A, synced("www", "A", A[0], A[0]), id="repetition is no replacement"),
        pytest.param("A", A, synced("www", "A", *A, ttl=301), id="TTL"),
        pytest.param("A", A, stored("www", "A"), id="no records"),
        pytest.param("TXT", ['"Text"'], stored("www", "TXT", {"text": "text"}), id="case of a text"),
        pytest.param("A", A, synced("www.", "A", *A), id="a dot at the end of the name"),
        pytest.param("A", A[:1], stored("www", "A", {"address": "web.example.com"}), id="no address"),
        pytest.param("TXT", ['"ä"'], stored("www", "TXT", {"text": "\\19"}), id="bad escape"),
        pytest.param("A", A[:1], {**synced("www", "A", A[0]), "ttl": "300"}, id="no TTL"),
        pytest.param("A", A[:1], {**synced("www", "A", A[0]), "records": None}, id="no list"),
    ],
)
def test_what_makes_a_difference(rtype: str, texts: tuple[str, ...], record_set: Json) -> None:
    assert not same(rtype, transferred(rtype, *texts), record_set)


def test_a_text_that_the_server_cannot_split_equals_nothing() -> None:
    text = "\\228" * 64  # the 255th character is a digit of an escape
    broken = transferred("TXT", f'"{text}"')
    assert not same("TXT", broken, stored("www", "TXT", {"text": text}))
    assert not records.same("TXT", broken, broken)
    # not even what has the same octets on the wire
    raw = stored("www", "TXT", {"text": "ä" * 64})
    assert not same("TXT", transferred("TXT", '"' + "\\195\\164" * 64 + '"'), raw)


def test_the_first_of_several_ttls_wins() -> None:
    mixed = records.merge(transferred("A", A[0], ttl=60), transferred("A", A[1], ttl=600))
    assert same("A", mixed, synced("www", "A", *A, ttl=60))
    assert not same("A", mixed, synced("www", "A", *A, ttl=600))


def test_one_bad_record_spoils_the_set() -> None:
    bad = transferred("TXT", '"' + "\\228" * 64 + '"')
    for merged in (records.merge(bad, transferred("TXT", '"x"')), records.merge(transferred("TXT", '"x"'), bad)):
        assert not records.same("TXT", merged, merged)
        assert len(records.present("TXT", merged)["records"]) == 2


def test_merging_with_a_set_kept_as_json_equals_nothing() -> None:
    good, bad = pack(synced("www", "A", A[0])), pack(stored("www", "A", {"address": "x"}))
    for first, second in ((good, bad), (bad, good)):
        merged = records.merge(first, second)
        assert not records.same("A", merged, merged)
        assert records.present("A", merged) == records.present("A", first)


def test_the_identity_is_that_of_the_records() -> None:
    one = pack(synced("www", "CNAME", "WEB.example.com."))
    assert records.identity("CNAME", one) == records.identity("CNAME", transferred("CNAME", "web.EXAMPLE.com."))
    assert records.identity("CNAME", one) != records.identity("CNAME", transferred("CNAME", "web.example.com.", ttl=1))
    assert records.identity("CNAME", one) != records.identity("CNAME", transferred("CNAME", "wob.example.com."))


def test_even_records_that_equal_nothing_have_an_identity() -> None:
    text = "\\228" * 64
    broken = transferred("TXT", f'"{text}"')
    assert records.identity("TXT", broken) == records.identity("TXT", pack(stored("www", "TXT", {"text": text})))
    odd = stored("www", "A", {"address": "x"}, {"address": "y"})
    turned = stored("www", "A", {"address": "y"}, {"address": "x"})
    assert records.identity("A", pack(odd)) == records.identity("A", pack(turned))
    assert records.identity("A", pack(odd)) != records.identity("A", pack(stored("www", "A", {"address": "x"})))


def test_presentation_is_sorted_and_keeps_case() -> None:
    packed = pack(synced("www", "NS", "NS2.example.net.", "ns1.example.net.", "ns1.example.net.", ttl=60))
    assert records.present("NS", packed) == {"ttl": 60, "records": ["NS2.example.net.", "ns1.example.net."]}


@pytest.mark.parametrize(
    ("record_set", "presentation"),
    [
        (stored("www", "A", {"address": "x\n"}), {"ttl": 300, "records": ['{"address":"x\\n"}']}),
        ({**stored("www", "A"), "records": None, "ttl": None}, {"ttl": 0, "records": ["null"]}),
        ({**stored("www", "A"), "ttl": -5}, {"ttl": 0, "records": []}),
        (stored("www", "UNKNOWN"), {"ttl": 300, "records": []}),
        (stored("www", "CAA", {"value": "x"}), {"ttl": 300, "records": ['{"value":"x"}']}),
    ],
)
def test_what_is_no_dns_data_is_shown_as_it_is(record_set: Json, presentation: Json) -> None:
    assert records.present(record_set["type"], pack(record_set)) == presentation


def test_the_serial_is_read_from_the_data() -> None:
    text = "a.example. b.example. 4294967295 1 2 3 4"
    assert records.soa_serial(pack(synced("example.com.", "SOA", text))) == 4294967295
    assert records.soa_serial(transferred("SOA", text)) == 4294967295
    assert records.soa_serial(pack(stored("example.com.", "SOA", {"serial": "x"}))) is None
    assert records.soa_serial(pack(stored("example.com.", "SOA"))) is None


def test_a_record_set_costs_little_more_than_its_data() -> None:
    assert len(pack(synced("www", "A", A[0]))) == 5 + 2 + len(wire_of("A", A[0]))
