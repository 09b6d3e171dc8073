# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record sets that the VinylDNS part refuses, and what it makes of those that it takes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator_tests.vinyldns.vinyl import Vinyl

EMPTY, REVERSE = "empty.example.", "0/27.2.0.192.in-addr.arpa."
RECORDS: dict[str, dict[str, Any]] = {
    "A": {"address": "192.0.2.1"},
    "AAAA": {"address": "2001:db8::1"},
    "CNAME": {"cname": "there.example."},
    "MX": {"preference": 10, "exchange": "mx.example."},
    "NAPTR": {"order": 1, "preference": 2, "flags": "U", "service": "E2U+sip", "regexp": "!a!b!", "replacement": "."},
    "NS": {"nsdname": "ns1.example."},
    "PTR": {"ptrdname": "www.example."},
    "SPF": {"text": "v=spf1 -all"},
    "SRV": {"priority": 1, "weight": 2, "port": 3, "target": "sip.example."},
    "SSHFP": {"algorithm": 1, "type": 1, "fingerprint": "DD465C09CFA51FB45020CC83316FFF21B9EC74AC"},
    "TXT": {"text": "some text"},
}


def body(vinyl: Vinyl, rdtype: str = "A", name: str = "new", zone: str = EMPTY, **values: Any) -> dict[str, Any]:
    item = {"zoneId": vinyl.zone_id(zone), "name": name, "type": rdtype, "ttl": 300}
    return {**item, "records": [RECORDS.get(rdtype, {})], **values}


def create(vinyl: Vinyl, item: dict[str, Any], user: str = "ok") -> tuple[int, Any]:
    answer = vinyl.call("POST", f"/zones/{item.get('zoneId')}/recordsets", user, json=item)
    return answer.status_code, answer.json()


def stored(vinyl: Vinyl, item: dict[str, Any]) -> dict[str, Any]:
    """The record set after its creation."""
    status, change = create(vinyl, item)
    assert status == 202, change
    vinyl.control("POST", "/settle")
    found: dict[str, Any] = vinyl.get(f"/zones/{item['zoneId']}/recordsets/{change['recordSet']['id']}")["recordSet"]
    return found


def update(vinyl: Vinyl, item: dict[str, Any], **values: Any) -> tuple[int, Any]:
    answer = vinyl.call("PUT", f"/zones/{item['zoneId']}/recordsets/{item['id']}", json={**item, **values})
    return answer.status_code, answer.json()


# -- the JSON ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rdtype", [rdtype for rdtype in RECORDS if rdtype != "PTR"])
def test_every_type_can_be_created(any_vinyl: Vinyl, rdtype: str) -> None:
    item = stored(any_vinyl, body(any_vinyl, rdtype))
    assert (item["records"], item["status"]) == ([RECORDS[rdtype]], "Active")
    zone_id = item["zoneId"]
    any_vinyl.knob(sync_delay_ms=0)
    any_vinyl.sync_and_wait(zone_id)
    changed = {change["recordSet"]["name"] for change in any_vinyl.record_changes(zone_id) if "zone sync" in str(change)}
    assert changed == {EMPTY}, "DNS holds the same: the sync finds only the new serial"


@pytest.mark.parametrize(
    ("values", "errors"),
    [
        ({"zoneId": None, "name": None, "ttl": None}, ["zoneId", "name", "ttl"]),
        ({"type": None}, ["type"]),
        ({"type": "UNKNOWN"}, "Invalid RecordType"),
        ({"name": "a b"}, "Record name cannot contain spaces"),
        ({"name": "a" * 256}, "Record name must not exceed 255 characters"),
        ({"ttl": 29}, "RecordSet.ttl must be a positive signed 32 bit number greater than or equal to 30"),
        ({"ttl": 2**31}, "RecordSet.ttl must be a positive signed 32 bit number"),
        ({"ttl": True}, "Do not know how to convert JBool(true) into int"),
        ({"records": None}, "Missing A Records"),
        ({"records": [{}]}, "Missing A.address"),
    ],
)
def test_fields_of_record_sets(vinyl: Vinyl, values: dict[str, Any], errors: list[str] | str) -> None:
    expected = [errors] if isinstance(errors, str) else [f"Missing RecordSet.{name}" for name in errors]
    assert create(vinyl, body(vinyl, **values)) == (400, {"errors": expected})


@pytest.mark.parametrize(
    ("rdtype", "values", "error"),
    [
        ("A", {"address": "300.0.2.1"}, "A must be a valid IPv4 Address"),
        ("AAAA", {"address": "192.0.2.1"}, "AAAA must be a valid IPv6 Address"),
        ("CNAME", {"cname": "relative"}, "CNAME data must be absolute"),
        ("CNAME", {"cname": "a." * 128}, "CNAME domain name must not exceed 255 characters"),
        ("MX", {"preference": 65536}, "MX.preference must be a 16 bit integer"),
        ("MX", {"preference": None}, "Missing MX.preference"),
        ("NAPTR", {"flags": "X"}, "Invalid NAPTR.flag. Valid NAPTR flag value must be U, S, A or P"),
        ("NAPTR", {"regexp": "a"}, "Invalid NAPTR.regexp. Valid NAPTR regexp value must start and end with '!' or can be empty"),
        ("NAPTR", {"order": -1}, "NAPTR.order must be an unsigned 16 bit number"),
        ("NS", {"nsdname": "relative"}, "NS data must be a positive integer"),
        ("SPF", {"text": "x" * 64764}, "SPF record must be less than 64764 characters"),
        ("SRV", {"port": 65536}, "SRV.port must be an unsigned 16 bit number"),
        ("SSHFP", {"algorithm": 256}, "SSHFP.algorithm must be an unsigned 8 bit number"),
        ("SSHFP", {"type": "one"}, "Do not know how to convert JString(one) into int"),
        ("TXT", {"text": None}, "Missing TXT.text"),
    ],
)
def test_fields_of_records(vinyl: Vinyl, rdtype: str, values: dict[str, Any], error: str) -> None:
    records = [{**RECORDS[rdtype], **values}]
    assert create(vinyl, body(vinyl, rdtype, records=records)) == (400, {"errors": [error]})


DS = {"keytag": 60485, "algorithm": 5, "digesttype": 1, "digest": "2BB183AF5F22588179A53B0A98631FAD1A292118"}


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"algorithm": 0}, "Algorithm 0 is not a supported DNSSEC algorithm"),
        ({"digesttype": 9}, "Digest Type 9 is not a supported DS record digest type"),
        ({"digest": "xyz"}, "Could not convert digest to valid hex"),
        ({"keytag": 65536}, "DS.keytag must be an unsigned 16 bit number"),
    ],
)
def test_fields_of_ds(vinyl: Vinyl, values: dict[str, Any], error: str) -> None:
    assert create(vinyl, body(vinyl, "DS", records=[{**DS, **values}])) == (400, {"errors": [error]})


def test_names_get_their_dot(vinyl: Vinyl) -> None:
    item = stored(vinyl, body(vinyl, "MX", name="new." + EMPTY, records=[{"preference": 1, "exchange": "mx.example"}]))
    assert (item["name"], item["records"]) == ("new", [{"preference": 1, "exchange": "mx.example."}])
    assert stored(vinyl, body(vinyl, "TXT", name="@"))["name"] == EMPTY


# -- conflicts and names -----------------------------------------------------------------------------------------------


def test_names_and_types_are_unique_without_regard_to_case(vinyl: Vinyl) -> None:
    stored(vinyl, body(vinyl))
    text = f"RecordSet with name NEW and type A already exists in zone {EMPTY}"
    assert create(vinyl, body(vinyl, name="NEW")) == (409, text)


def test_cname_is_alone(vinyl: Vinyl) -> None:
    stored(vinyl, body(vinyl, name="a"))
    text = f"RecordSet with name a already exists in zone {EMPTY}, CNAME record cannot use duplicate name"
    assert create(vinyl, body(vinyl, "CNAME", name="a")) == (409, text)
    stored(vinyl, body(vinyl, "CNAME", name="c"))
    text = f"RecordSet with name c and type CNAME already exists in zone {EMPTY}"
    assert create(vinyl, body(vinyl, "TXT", name="c")) == (409, text)
    two = {"errors": ["CNAME record sets cannot contain multiple records"]}
    assert create(vinyl, body(vinyl, "CNAME", records=[{"cname": "a."}, {"cname": "b."}])) == (400, two)


REFUSALS = [
    ("CNAME", {"name": "@"}, 422, "CNAME RecordSet cannot have name '@' because it points to zone origin"),
    (
        "CNAME",
        {"records": [{"cname": "192.0.2.1."}]},
        400,
        "Invalid CNAME: 192.0.2.1, valid CNAME record data cannot be an IP address.",
    ),
    (
        "CNAME",
        {"records": [{"cname": "a..b."}]},
        400,
        "RecordSet Data cannot contain consecutive 'dot' character. RData: 'a..b.'",
    ),
    ("NS", {"name": "@"}, 409, f"RecordSet with name {EMPTY} and type NS already exists in zone {EMPTY}"),
    (
        "DS",
        {"records": [DS]},
        422,
        f"DS record [new] is invalid because there is no NS record with that name in the zone [{EMPTY}]",
    ),
    ("A", {"name": "a.b"}, 422, f"Record with name a.b and type A is a dotted host which is not allowed in zone {EMPTY}"),
    ("A", {"ownerGroupId": "nope"}, 422, 'Record owner group with id "nope" not found'),
    ("A", {"ownerGroupId": "dummy-group-id"}, 422, 'User not in record owner group with id "dummy-group-id"'),
    ("PTR", {}, 422, "PTR is not valid in forward lookup zone"),
    ("A", {"zone": REVERSE, "name": "3"}, 422, "A is not valid in reverse lookup zone."),
    ("PTR", {"zone": REVERSE, "name": "32"}, 422, f"RecordSet 32 does not specify a valid IP address in zone {REVERSE}"),
    ("A", {"name": "a" * 245}, 422, f"record set name {'a' * 245} is too long"),
    (
        "A",
        {"name": "high-value-domain"},
        422,
        'Record name "high-value-domain.empty.example." is configured as a High Value Domain',
    ),
]


@pytest.mark.parametrize(("rdtype", "values", "status", "text"), REFUSALS)
def test_record_sets_that_are_refused(vinyl: Vinyl, rdtype: str, values: dict[str, Any], status: int, text: str) -> None:
    found, answer = create(vinyl, body(vinyl, rdtype, **values))
    assert (found, answer[: len(text)]) == (status, text)
    assert vinyl.control("GET", "/queue")["waiting"] == 0


def test_what_is_allowed_all_the_same(vinyl: Vinyl) -> None:
    """Types without a check for dots, a wildcard, DS below a delegation, PTR of a zone of part of an octet."""
    assert stored(vinyl, body(vinyl, "SRV", name="_sip._tcp"))["name"] == "_sip._tcp"
    assert stored(vinyl, body(vinyl, "A", name="*"))["name"] == "*"
    stored(vinyl, body(vinyl, "NS", name="sub"))
    assert stored(vinyl, body(vinyl, "DS", name="sub", records=[DS]))["records"] == [DS]
    assert stored(vinyl, body(vinyl, "PTR", name="3", zone=REVERSE))["name"] == "3"
    assert stored(vinyl, body(vinyl, "CNAME", name="4", zone=REVERSE))["type"] == "CNAME"


def test_approved_name_servers(vinyl: Vinyl) -> None:
    vinyl.knob(approved_name_servers=["ns1.example."])
    two = [{"nsdname": "bad.example."}, {"nsdname": "ns1.example."}, {"nsdname": "worse.example."}]
    text = "Name Server bad.example. is not an approved name server., Name Server worse.example. is not an approved name server."
    assert create(vinyl, body(vinyl, "NS", name="sub", records=two)) == (422, text)
    assert create(vinyl, body(vinyl, "NS", name="sub2", records=[{"nsdname": "NS1.example."}]))[0] == 202
    assert create(vinyl, body(vinyl, "NS", name="sub"))[0] == 202


def test_high_value_addresses(vinyl: Vinyl) -> None:
    vinyl.knob(high_value_addresses=["192.0.2.3"])
    text = 'Record name "192.0.2.3" is configured as a High Value Domain, so it cannot be modified.'
    assert create(vinyl, body(vinyl, "PTR", name="3", zone=REVERSE)) == (422, text)
    assert create(vinyl, body(vinyl, "PTR", name="4", zone=REVERSE))[0] == 202


def test_dotted_hosts_can_be_allowed(vinyl: Vinyl) -> None:
    setting = {"zone": "empty.*", "users": ["ok"], "types": ["A"], "dots": 1}
    vinyl.knob(dotted_hosts=[setting])
    assert stored(vinyl, body(vinyl, name="a.b"))["name"] == "a.b"
    not_allowed = "Record type is not allowed or the user is not authorized to create a dotted host in the zone"
    assert create(vinyl, body(vinyl, "AAAA", name="a.b")) == (422, f"{not_allowed} '{EMPTY}'")
    assert "has more dots than that is allowed in config" in create(vinyl, body(vinyl, name="a.b.c"))[1]
    vinyl.knob(dotted_hosts=[{**setting, "users": [], "groups": ["OK-group"]}])
    assert create(vinyl, body(vinyl, name="c.d"))[0] == 202, "by group"
    vinyl.knob(dotted_hosts=[{**setting, "users": ["dummy"]}])
    assert create(vinyl, body(vinyl, name="e.f"))[0] == 422


# -- updates and deletions ---------------------------------------------------------------------------------------------


def test_what_an_update_cannot_change(vinyl: Vinyl) -> None:
    item = stored(vinyl, body(vinyl))
    assert update(vinyl, item, name="other") == (422, "Cannot update RecordSet's name.")
    assert update(vinyl, item, type="TXT", records=[{"text": "x"}]) == (422, "Cannot update RecordSet's record type.")
    other = vinyl.zone_id("example.com.")
    path = f"/zones/{item['zoneId']}/recordsets/{item['id']}"
    answer = vinyl.call("PUT", path, json={**item, "zoneId": other})
    assert (answer.status_code, answer.json()) == (422, "Cannot update RecordSet's zoneId attribute")
    answer = vinyl.call("PUT", path.replace(item["zoneId"], other), json={**item, "zoneId": other})
    assert (answer.status_code, answer.json()) == (422, "Cannot update RecordSet's zone ID.")
    assert update(vinyl, item, id="nope") == (404, "RecordSet with id nope does not exist."), "the id of the body counts"
    assert update(vinyl, item, name="NEW", ttl=60)[0] == 202, "letter case may change"


def test_the_apex_keeps_its_servers(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(EMPTY)
    items = vinyl.record_sets(zone_id)
    path = f"/zones/{zone_id}/recordsets/"
    servers, soa = items[EMPTY, "NS"], items[EMPTY, "SOA"]
    text = f"Record with name {EMPTY} is an NS record at apex and cannot be {{}}"
    assert update(vinyl, servers, ttl=60) == (422, text.format("added"))
    answers = [vinyl.call("DELETE", path + item["id"]) for item in (servers, soa)]
    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (422, text.format("edited")),
        (422, "SOA records cannot be deleted"),
    ]


def test_pending_record_sets_are_left_alone(vinyl: Vinyl) -> None:
    pending = {"name": "new", "type": "A", "records": [RECORDS["A"]], "status": "PendingUpdate"}
    vinyl.control("POST", "/record-sets", {"zone": EMPTY, "put": [pending]})
    item = vinyl.record_sets(vinyl.zone_id(EMPTY))["new", "A"]
    text = f"RecordSet with id {item['id']}, name new and type A currently has a pending change"
    assert update(vinyl, item, ttl=60) == (409, text)
    answer = vinyl.call("DELETE", f"/zones/{item['zoneId']}/recordsets/{item['id']}")
    assert (answer.status_code, answer.json()) == (409, text)


@pytest.mark.parametrize(
    ("dns", "fits"),
    [("new 300 A 192.0.2.1", True), ("new 60 A 192.0.2.1", False), ("new 300 A 192.0.2.2", False), (None, True)],
)
def test_an_update_needs_dns_as_it_was(any_vinyl: Vinyl, dns: str | None, fits: bool) -> None:
    """Or without the record set, or as it shall be."""
    item = stored(any_vinyl, body(any_vinyl))
    replace = [] if dns is None else [[part if index != 1 else int(part) for index, part in enumerate(dns.split())]]
    any_vinyl.update_dns(EMPTY, delete=[["new", "A"]], add=replace)
    assert update(any_vinyl, item, ttl=900)[0] == 202
    any_vinyl.control("POST", "/settle")
    newest = any_vinyl.record_changes(item["zoneId"])[0]
    assert newest["status"] == ("Complete" if fits else "Failed")
    if not fits:
        text = "This record set is out of sync with the DNS backend. Sync this zone before attempting to update this record set."
        assert newest["systemMessage"] == text


def test_what_is_there_already_is_not_sent(any_vinyl: Vinyl) -> None:
    serial = any_vinyl.update_dns(EMPTY, add=[["new", 300, "A", "192.0.2.1"]])
    assert stored(any_vinyl, body(any_vinyl))["status"] == "Active"
    assert any_vinyl.control("GET", "/dns/serial", zone=EMPTY)["serial"] == serial


# -- search ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("www.example.com", ["www.example.com.", "www.example.com."]),
        ("www.example.com&recordTypeFilter=A", ["www.example.com."]),
        ("www*&recordTypeFilter=A", ["www.dummy.example.", "www.example.com.", "www.shared.example."]),
        ("www*&recordTypeFilter=A&nameSort=DESC", ["www.shared.example.", "www.example.com.", "www.dummy.example."]),
        ("*dummy.example.&recordTypeFilter=NS,SOA", ["dummy.example.", "dummy.example."]),
        ("192.0.2.25", []),
        ("nothing.here", []),
        ("www*&recordOwnerGroupFilter=nope", []),
    ],
)
def test_search_in_all_zones(vinyl: Vinyl, query: str, names: list[str]) -> None:
    """For every user."""
    page = vinyl.get(f"/recordsets?recordNameFilter={query}", "history-user")
    assert [item["fqdn"] for item in page["recordSets"]] == names
    assert all("accessLevel" not in item for item in page["recordSets"])
    assert "recordOwnerGroupFilter" not in page, "a filter that is not sent back"
    assert {item["zoneShared"] for item in page["recordSets"] if item["zoneName"] == "shared.example."} <= {True}


def test_search_is_paged(vinyl: Vinyl) -> None:
    first = vinyl.get("/recordsets?recordNameFilter=www*&recordTypeFilter=A&maxItems=2")
    assert first["nextId"] == "www.example.com.<....>1"
    second = vinyl.get("/recordsets?recordNameFilter=www*&recordTypeFilter=A&maxItems=2&startFrom=www.example.com.%3C....%3E1")
    assert [item["fqdn"] for item in first["recordSets"] + second["recordSets"]] == [
        f"www.{zone}" for zone in ("dummy.example.", "example.com.", "shared.example.")
    ]
    assert "nextId" not in second


@pytest.mark.parametrize("text", ["a", "*ab*", "%ab%", "**"])
def test_search_needs_something_to_search_for(vinyl: Vinyl, text: str) -> None:
    answer = vinyl.call("GET", "/recordsets", params={"recordNameFilter": text})
    assert (answer.status_code, answer.json()[:36]) == (422, "Record Name Filter field must contai")
