# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record JSON and the rules of comparison, without a server."""

from __future__ import annotations

import ipaddress
from typing import Any

import dns.name
import dns.rdata
import pytest
from hypothesis import given, strategies as st

from tests.simulator.vinyldns.diff import DnsView, StoredView, change_for, differences
from tests.simulator.vinyldns.model import RecordSet, Zone, fqdn
from tests.simulator.vinyldns.records import (
    FROM_DNS,
    UnparsableRecord,
    comparable,
    escape,
    java_ipv6,
    rdata_texts,
    unescape,
)

ZONE = Zone(name="ok.", email="a@b", admin_group_id="g", id="zone-id")


def parse(rdtype: str, text: str) -> dns.rdata.Rdata:
    return dns.rdata.from_text("IN", rdtype, text, dns.name.root, relativize=False)


@pytest.mark.parametrize(
    ("rdtype", "text", "json"),
    [
        ("A", "192.0.2.1", {"address": "192.0.2.1"}),
        ("AAAA", "2001:db8::1", {"address": "2001:db8:0:0:0:0:0:1"}),
        ("AAAA", "::", {"address": "0:0:0:0:0:0:0:0"}),
        ("CNAME", "WWW.Example.com.", {"cname": "WWW.Example.com."}),
        (
            "DS",
            "60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118",
            {"keytag": 60485, "algorithm": 5, "digesttype": 1, "digest": "2BB183AF5F22588179A53B0A98631FAD1A292118"},
        ),
        ("MX", "10 mail.example.com.", {"preference": 10, "exchange": "mail.example.com."}),
        (
            "NAPTR",
            '100 20 "U" "E2U+sip" "!^(.*)$!\\\\1!" .',
            {"order": 100, "preference": 20, "flags": "U", "service": "E2U+sip", "regexp": "!^(.*)$!\\\\1!", "replacement": "."},
        ),
        ("NS", "ns1.example.net.", {"nsdname": "ns1.example.net."}),
        ("PTR", "host.example.com.", {"ptrdname": "host.example.com."}),
        (
            "SOA",
            "ns1.example.net. host\\.master.example.net. 7 3600 600 86400 60",
            {
                "mname": "ns1.example.net.",
                "rname": "host\\.master.example.net.",
                "serial": 7,
                "refresh": 3600,
                "retry": 600,
                "expire": 86400,
                "minimum": 60,
            },
        ),
        ("SPF", '"v=spf1 " "-all"', {"text": "v=spf1 -all"}),
        ("SRV", "1 2 5060 sip.example.com.", {"priority": 1, "weight": 2, "port": 5060, "target": "sip.example.com."}),
        ("SSHFP", "1 9 dd465c09", {"algorithm": 1, "type": 9, "fingerprint": "DD465C09"}),
        ("TXT", '"a\\"b\\\\c" "\\233\\001"', {"text": 'a\\"b\\\\c\\233\\001'}),
        ("TXT", '""', {"text": ""}),
    ],
)
def test_dns_data_becomes_json_and_json_becomes_the_same_data(rdtype: str, text: str, json: dict[str, Any]) -> None:
    rdata = parse(rdtype, text)
    record = FROM_DNS[rdtype](rdata)
    assert record == json
    (back,) = rdata_texts(rdtype, [record])
    if rdtype in ("TXT", "SPF"):  # chunks are not kept
        assert b"".join(parse(rdtype, back).strings) == b"".join(rdata.strings)  # type: ignore[attr-defined]
    else:
        assert parse(rdtype, back) == rdata
    assert comparable(rdtype, 300, [record]) is not None


@given(st.binary(max_size=300))
def test_escaping_loses_nothing(data: bytes) -> None:
    text = escape(data)
    assert text.isascii()
    assert text.isprintable()
    assert unescape(text) == data


@given(st.ip_addresses(v=6).filter(lambda address: address.ipv4_mapped is None))
def test_java_addresses_are_the_same_addresses(address: ipaddress.IPv6Address) -> None:
    text = java_ipv6(str(address))
    assert ipaddress.IPv6Address(text) == address
    groups = text.split(":")
    assert len(groups) == 8
    assert all(group == "0" or not group.startswith("0") for group in groups)


@pytest.mark.parametrize("text", ["a\\1", "\\12", "\\999"])
def test_incomplete_escapes_are_errors(text: str) -> None:
    with pytest.raises(UnparsableRecord):
        unescape(text)


def test_a_lone_backslash_at_the_end_is_dropped() -> None:
    assert unescape("a\\") == b"a" and unescape("a\\\\\\") == b"a\\"


SAME = [
    ("A", [{"address": "192.0.2.1"}, {"address": "192.0.2.2"}], [{"address": "192.0.2.2"}, {"address": "192.0.2.1"}]),
    ("A", [{"address": "192.0.2.1"}], [{"address": "192.0.2.1"}, {"address": "192.0.2.1"}]),
    ("AAAA", [{"address": "2001:DB8::1"}], [{"address": "2001:db8:0:0:0:0:0:1"}]),
    ("CNAME", [{"cname": "WWW.Example.COM."}], [{"cname": "www.example.com."}]),
    ("MX", [{"preference": 1, "exchange": "A.B."}], [{"preference": 1, "exchange": "a.b."}]),
    (
        "SSHFP",
        [{"algorithm": 1, "type": 1, "fingerprint": "abcd"}],
        [{"algorithm": 1, "type": 1, "fingerprint": "ABCD"}],
    ),
    ("CNAME", [{"cname": "a\\098.example."}], [{"cname": "ab.example."}]),
    ("TXT", [{"text": "\\097"}], [{"text": "a"}]),
]
DIFFERENT = [
    ("A", [{"address": "192.0.2.1"}], [{"address": "192.0.2.2"}]),
    ("TXT", [{"text": "a"}], [{"text": "A"}]),
    ("MX", [{"preference": 1, "exchange": "a.b."}], [{"preference": 2, "exchange": "a.b."}]),
    (
        "NAPTR",
        [{"order": 1, "preference": 1, "flags": "u", "service": "", "regexp": "", "replacement": "."}],
        [{"order": 1, "preference": 1, "flags": "U", "service": "", "regexp": "", "replacement": "."}],
    ),
    ("A", [{"address": "192.0.2.1"}], [{"address": "192.0.2.1"}, {"address": "192.0.2.2"}]),
]


@pytest.mark.parametrize(("rdtype", "one", "other"), SAME)
def test_what_compares_equal(rdtype: str, one: list[Any], other: list[Any]) -> None:
    assert comparable(rdtype, 300, one) == comparable(rdtype, 300, other)
    assert comparable(rdtype, 300, one) is not None
    assert comparable(rdtype, 300, one) != comparable(rdtype, 301, one)


@pytest.mark.parametrize(("rdtype", "one", "other"), DIFFERENT)
def test_what_does_not(rdtype: str, one: list[Any], other: list[Any]) -> None:
    assert comparable(rdtype, 300, one) != comparable(rdtype, 300, other)


def test_a_long_text_split_inside_an_escape_is_unusable() -> None:
    """The original splits at 255 before it undoes the escapes."""
    assert comparable("TXT", 300, [{"text": "x" * 253 + "\\228"}]) is None
    assert comparable("TXT", 300, [{"text": "x" * 254 + '\\"'}]) is not None
    assert comparable("TXT", 300, [{"text": "x" * 253 + '\\"'}]) is not None
    assert comparable("TXT", 300, [{"text": "x" * 600}]) is not None


def stored(name: str, rdtype: str = "A", form: str | None = "same", identifier: str = "1") -> StoredView:
    return StoredView(identifier, name, rdtype, form)


def fresh(name: str, rdtype: str = "A", form: str | None = "same") -> DnsView:
    return DnsView(RecordSet("zone-id", name, rdtype, 300, ()), form)


@pytest.mark.parametrize(
    ("before", "after", "actions"),
    [
        ([stored("www")], [fresh("www")], []),
        ([], [fresh("www")], ["Create"]),
        ([stored("www")], [], ["Delete"]),
        ([stored("www", form="old")], [fresh("www")], ["Update"]),
        ([stored("www")], [fresh("www", "TXT")], ["Create", "Delete"]),
        ([stored("WWW")], [fresh("www")], ["Create", "Delete"]),
        ([stored("www.")], [fresh("www")], ["Update"]),
        ([stored("ok.")], [fresh("ok.")], []),
        ([stored("@")], [fresh("ok.")], ["Update"]),
        ([stored("www", form=None)], [fresh("www", form=None)], ["Update"]),
        ([stored("old", "UNKNOWN")], [], ["Delete"]),
    ],
)
def test_the_rules_of_the_comparison(before: list[StoredView], after: list[DnsView], actions: list[str]) -> None:
    record_sets = {"1": RecordSet("zone-id", "x", "A", 300, (), id="1")}
    found = [change_for(item, record_sets, ZONE, "u", 5) for item in differences("ok.", before, after)]
    assert sorted(change.change_type for change in found) == actions


def test_an_update_keeps_identity_and_owner_and_resets_the_rest() -> None:
    old = RecordSet(
        "zone-id",
        "www",
        "A",
        60,
        ({"address": "192.0.2.1"},),
        id="1",
        created=1,
        account="custom",
        owner_group_id="owners",
        group_change={"ownershipTransferStatus": "Requested"},
    )
    (difference,) = differences("ok.", [stored("www", form="old")], [fresh("www")])
    change = change_for(difference, {"1": old}, ZONE, "ok", 5000)
    new = change.record_set
    assert (new.id, new.owner_group_id) == ("1", "owners")
    assert (new.created, new.updated, new.account) == (5000, 5000, "system")
    assert new.group_change == {"ownershipTransferStatus": "None"}
    assert change.updates == old
    assert (change.status, change.system_message) == ("Complete", "Change applied via zone sync")


@pytest.mark.parametrize(("name", "full"), [("www", "www.ok."), ("@", "ok."), ("ok.", "ok."), ("ok", "ok."), ("a.b", "a.b.ok.")])
def test_full_names(name: str, full: str) -> None:
    assert fqdn(name, "ok.") == full
