# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints of the VinylDNS part: who may see what, paging with its flaws, and the exact errors."""

from __future__ import annotations

import json
import statistics
import time
from typing import Any
from urllib.parse import quote

import pytest

from tests.simulator_tests.vinyl import Vinyl

MAIN = "example.com."
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
SECONDS = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def answer_of(vinyl: Vinyl, method: str, path: str, user: str = "ok", body: object = None) -> tuple[int, Any]:
    answer = vinyl.call(method, path, user, json=body) if body is not None else vinyl.call(method, path, user)
    kind = answer.headers["Content-Type"]
    return answer.status_code, answer.json() if kind == "application/json" else answer.text


# -- zones -------------------------------------------------------------------------------------------------------------


def test_a_zone_as_its_own_endpoint_shows_it(vinyl: Vinyl) -> None:
    zone = vinyl.get(f"/zones/{vinyl.zone_id(MAIN)}")["zone"]
    assert {name: zone[name] for name in ("name", "email", "status", "account", "shared", "acl", "adminGroupId")} == {
        "name": MAIN,
        "email": "dns@example.com",
        "status": "Active",
        "account": "system",
        "shared": False,
        "acl": {"rules": []},
        "adminGroupId": "ok-group-id",
    }
    assert (zone["adminGroupName"], zone["accessLevel"]) == ("ok-group", "Delete")
    assert "isTest" not in zone
    assert "backendId" not in zone
    for name in ("created", "updated", "latestSync"):
        time.strptime(zone[name], "%Y-%m-%dT%H:%M:%SZ")


def test_times_are_cut_to_seconds(vinyl: Vinyl) -> None:
    vinyl.control("PATCH", "/zone", {"zone": MAIN, "set": {"latest_sync": 1795168800999}})
    assert vinyl.zone(vinyl.zone_id(MAIN))["latestSync"] == "2026-11-20T10:00:00Z"


def test_keys_are_in_every_copy_of_a_zone(vinyl: Vinyl) -> None:
    zone_id, secret = vinyl.zone_id(MAIN), vinyl.info["dns"]["tsig_secret"]
    vinyl.update_dns(MAIN, delete=[["www"]])
    accepted = vinyl.sync(zone_id)
    vinyl.finished(accepted)
    paths = [f"/zones/{zone_id}", "/zones", f"/zones/{zone_id}/changes", f"/zones/{zone_id}/recordsetchanges"]
    assert accepted["zone"]["connection"]["key"] == secret
    for path in paths:
        assert f'"key":"{secret}"' in vinyl.call("GET", path).text
    vinyl.knob(expose_keys=False)
    for path in paths:
        text = vinyl.call("GET", path).text
        assert secret not in text
        assert '"key":"ENC:' in text


def test_backend_zones_have_no_connection(vinyl: Vinyl) -> None:
    zone = vinyl.zone(vinyl.zone_id("types.example."))
    assert zone["backendId"] == "secondary"
    assert "connection" not in zone
    assert vinyl.get("/zones/backendids") == ["default", "secondary"]


@pytest.mark.parametrize(
    ("user", "zone", "level", "visible"),
    [
        ("ok", MAIN, "Delete", True),
        ("super-user", MAIN, "Delete", True),
        ("support-user", MAIN, "Read", True),
        ("dummy", MAIN, "NoAccess", False),
        ("ok", "shared.example.", "Read", True),
        ("ok", "dummy.example.", "NoAccess", False),
    ],
)
def test_access_levels(vinyl: Vinyl, user: str, zone: str, level: str, visible: bool) -> None:
    found = vinyl.get(f"/zones/name/{zone}", user)["zone"]
    assert found["accessLevel"] == level
    status, body = answer_of(vinyl, "GET", f"/zones/{found['id']}", user)
    assert (status, body if status == 403 else None) == (
        (200, None) if visible else (403, f"User {user} cannot access zone '{zone}'")
    )
    status, body = answer_of(vinyl, "GET", f"/zones/{found['id']}/changes", user)
    assert (status, body if status == 403 else None) == (
        (200, None) if visible else (403, f"User {user} cannot access zone '{zone}' changes")
    )


@pytest.mark.parametrize("rule", [{"userId": "dummy"}, {"groupId": "dummy-group-id"}, {}])
def test_an_acl_rule_shows_the_zone_and_its_record_changes_but_not_its_changes(vinyl: Vinyl, rule: dict[str, str]) -> None:
    vinyl.control("PATCH", "/zone", {"zone": MAIN, "set": {"acl_rules": [{"accessLevel": "Read", "recordTypes": [], **rule}]}})
    zone_id = vinyl.zone_id(MAIN)
    zone = vinyl.get(f"/zones/{zone_id}", "dummy")["zone"]
    assert zone["accessLevel"] == "Read"
    assert "displayName" in zone["acl"]["rules"][0]
    assert vinyl.get(f"/zones/{zone_id}/recordsetchanges", "dummy")["recordSetChanges"] == []
    assert answer_of(vinyl, "GET", f"/zones/{zone_id}/changes", "dummy")[0] == 403
    listed = vinyl.get(f"/zones?nameFilter={MAIN}", "dummy")["zones"]
    assert [item["name"] for item in listed] == [MAIN]
    assert "displayName" not in listed[0]["acl"]["rules"][0]
    assert answer_of(vinyl, "GET", f"/zones/{zone_id}", "history-user")[0] == (403 if rule else 200)


def test_details_and_names_have_no_access_check(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    details = vinyl.get(f"/zones/{zone_id}/details", "history-user")["zone"]
    assert details == {
        "name": MAIN,
        "email": "dns@example.com",
        "status": "Active",
        "adminGroupId": "ok-group-id",
        "adminGroupName": "ok-group",
    }
    assert vinyl.get("/zones/name/EXAMPLE.com", "history-user")["zone"]["id"] == zone_id


OUT_OF_BOUNDS = "maxItems was {}, maxItems must be between 0 and 100"
OUT_OF_EXACT_BOUNDS = "maxItems was {}, maxItems must be between 0 exclusive and 100 inclusive"
MALFORMED = "The query parameter '{}' was malformed:\n'{}' is not a valid {} value"
INTEGER, BOOLEAN = "32-bit signed integer", "Boolean"
JSON, TEXT = "application/json", "text/plain; charset=UTF-8"


@pytest.mark.parametrize(
    ("path", "status", "kind", "body"),
    [
        ("/zones/nope", 404, JSON, "Zone with id nope does not exists"),
        ("/zones/nope/changes", 404, JSON, "Zone with id nope does not exists"),
        ("/zones/nope/recordsets", 404, JSON, "Zone with id nope does not exists"),
        ("/zones/name/nope", 404, JSON, "Zone with name nope. does not exists"),
        ("/zones/{zone}/recordsets/nope", 404, JSON, "RecordSet with id nope does not exist."),
        ("/groups/nope", 404, JSON, "Group with ID nope was not found"),
        ("/zones?maxItems=700", 400, JSON, OUT_OF_BOUNDS.format(700)),
        ("/zones?maxItems=0", 400, JSON, OUT_OF_BOUNDS.format(0)),
        ("/zones/{zone}/recordsets?maxItems=101", 400, JSON, OUT_OF_BOUNDS.format(101)),
        ("/zones/{zone}/changes?maxItems=101", 400, JSON, OUT_OF_EXACT_BOUNDS.format(101)),
        ("/zones/{zone}/recordsetchanges?maxItems=-1", 400, JSON, OUT_OF_EXACT_BOUNDS.format(-1)),
        ("/zones/{zone}/changes?maxItems=x", 400, TEXT, MALFORMED.format("maxItems", "x", INTEGER)),
        ("/zones/{zone}/recordsetchanges?startFrom=x", 400, TEXT, MALFORMED.format("startFrom", "x", INTEGER)),
        ("/zones?ignoreAccess=perhaps", 400, TEXT, MALFORMED.format("ignoreAccess", "perhaps", BOOLEAN)),
        ("/zones/{zone}/recordsetchanges?startFrom=-1", 500, TEXT, "There was an internal server error."),
        ("/recordsetchange/history?zoneId=1&fqdn=x", 400, JSON, "recordType, fqdn and zoneId cannot be empty"),
        ("/zones/", 404, TEXT, "The requested path [/zones/] does not exist."),
        ("/zones/{zone}/sync", 405, TEXT, "HTTP method not allowed, supported methods: POST"),
    ],
)
def test_errors_to_the_letter(vinyl: Vinyl, path: str, status: int, kind: str, body: str) -> None:
    answer = vinyl.call("GET", path.replace("{zone}", vinyl.zone_id(MAIN)))
    shown = answer.json() if kind == JSON else answer.text
    assert (answer.status_code, answer.headers["Content-Type"], shown) == (status, kind, body)


# -- listing zones -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("nameFilter=b.list.", ["b.list."]),
        ("nameFilter=B.LIST.", ["b.list."]),
        ("nameFilter=b", ["b.list.", "bb.list."]),
        ("nameFilter=list", []),
        ("nameFilter=%2A.list", ["a.list.", "b.list.", "bb.list."]),
        ("nameFilter=b%2At.", ["b.list.", "bb.list."]),
        ("nameFilter=_.list.", ["a.list.", "b.list."]),
        ("nameFilter=ok-gr&searchByAdminGroup=true&startFrom=a&maxItems=2", ["a.list.", "b.list."]),
        ("nameFilter=dummy-group&searchByAdminGroup=true", []),
        ("nameFilter=dummy-group&searchByAdminGroup=true&ignoreAccess=true", ["dummy.example."]),
        ("nameFilter=0&includeReverse=true", ["0/27.2.0.192.in-addr.arpa."]),
        ("nameFilter=0&includeReverse=false", []),
    ],
)
def test_zone_filters(vinyl: Vinyl, query: str, names: list[str]) -> None:
    vinyl.control("POST", "/zones", {"zones": [{"name": name} for name in ("b.list.", "a.list.", "bb.list.")]})
    page = vinyl.get(f"/zones?{query}")
    assert [zone["name"] for zone in page["zones"]] == names
    assert page["ignoreAccess"] is ("ignoreAccess=true" in query)


def test_who_lists_what(vinyl: Vinyl) -> None:
    def listed(user: str, query: str = "") -> set[str]:
        return {zone["name"] for zone in vinyl.get(f"/zones{query}", user)["zones"]}

    everything = listed("super-user")
    assert listed("support-user") == everything == listed("dummy", "?ignoreAccess=true")
    # shared zones are not listed, although everyone may see them
    assert listed("dummy") == {"dummy.example."}
    assert listed("history-user") == set()


def test_zones_are_paged_by_name(vinyl: Vinyl) -> None:
    seen: list[str] = []
    start = ""
    for _round in range(10):
        page = vinyl.get(f"/zones?maxItems=2{start}")
        seen += [zone["name"] for zone in page["zones"]]
        if "nextId" not in page:
            break
        assert page["nextId"] == page["zones"][-1]["name"]
        start = "&startFrom=" + quote(page["nextId"], safe="")
    assert seen == sorted(seen)
    assert len(seen) == len(set(seen)) == 4


def test_a_thousand_zones_are_quick(vinyl: Vinyl) -> None:
    orders = [{"name": f"z{i:04}.bulk.", "records": ["www A 192.0.2.1"]} for i in range(1000)]
    ids = vinyl.control("POST", "/zones", {"zones": orders})["ids"]
    page = vinyl.get("/zones?nameFilter=%2A.bulk.&startFrom=z0899.bulk.")
    assert [page["zones"][0]["name"], page["zones"][-1]["name"], len(page["zones"])] == ["z0900.bulk.", "z0999.bulk.", 100]
    times = []
    for zone_id in list(ids.values())[:50]:
        # the CPU time of client and simulator, which are both in this process: other processes do not count
        started = time.process_time()
        vinyl.get(f"/zones/{zone_id}")
        times.append(time.process_time() - started)
    assert statistics.median(times) < 0.005


# -- changes -----------------------------------------------------------------------------------------------------------


def test_changes_are_paged_by_time(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.knob(sync_delay_ms=0)
    made = []
    for _round in range(4):
        made.append(vinyl.sync_and_wait(zone_id)["id"])
        time.sleep(0.002)  # the key of a page is a millisecond
    seen: list[str] = []
    start = ""
    while True:
        page = vinyl.get(f"/zones/{zone_id}/changes?maxItems=2{start}")
        assert page["zoneId"] == zone_id
        seen += [change["id"] for change in page["zoneChanges"]]
        if "nextId" not in page:
            break
        assert page["nextId"].isdigit()
        start = f"&startFrom={page['nextId']}"
    assert seen[:4] == made[::-1]
    assert len(seen) == 5, "the creation of the zone is the oldest change"


def test_changes_start_at_an_epoch_in_milliseconds(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    change = vinyl.sync(zone_id)
    vinyl.finished(change)
    created = vinyl.control("GET", "/zone", name=MAIN)["changes"][0]["created"]

    def ids(start: int) -> list[str]:
        return [item["id"] for item in vinyl.get(f"/zones/{zone_id}/changes?startFrom={start}")["zoneChanges"]]

    assert ids(created)[0] == change["id"]
    assert change["id"] not in ids(created - 1)


def test_record_changes_are_paged_by_offset(vinyl: Vinyl) -> None:
    zone_id = vinyl.add_zone("offset.example.", vinyldns=[], dns=[f"h{i} A 192.0.2.{i}" for i in range(9)])
    vinyl.sync_and_wait(zone_id)
    vinyl.knob(shuffled_ties=False)
    first = vinyl.get(f"/zones/{zone_id}/recordsetchanges?maxItems=4")
    second = vinyl.get(f"/zones/{zone_id}/recordsetchanges?maxItems=4&startFrom=4")
    third = vinyl.get(f"/zones/{zone_id}/recordsetchanges?maxItems=4&startFrom=8")
    assert (first["nextId"], second["nextId"], "nextId" in third) == (4, 8, False)
    assert [len(page["recordSetChanges"]) for page in (first, second, third)] == [4, 4, 2]
    assert len({item["id"] for page in (first, second, third) for item in page["recordSetChanges"]}) == 10
    assert ("startFrom" in first, second["startFrom"]) == (False, 4)


def test_history_is_by_name_and_type(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.update_dns(MAIN, replace=[["mail", 60, "A", "192.0.2.1"]])
    vinyl.sync_and_wait(zone_id)
    page = vinyl.get(f"/recordsetchange/history?zoneId={zone_id}&fqdn=mail.example.com.&recordType=A")
    assert [item["changeType"] for item in page["recordSetChanges"]] == ["Update"]
    other = vinyl.get(f"/recordsetchange/history?zoneId={zone_id}&fqdn=mail.example.com.&recordType=TXT")
    assert other["recordSetChanges"] == []


# -- record sets -------------------------------------------------------------------------------------------------------


def test_a_record_set_in_a_list_and_alone(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    page = vinyl.get(f"/zones/{zone_id}/recordsets?recordTypeFilter=TXT&recordNameFilter=example.com.")
    (item,) = page["recordSets"]
    assert item == {
        "type": "TXT",
        "zoneId": zone_id,
        "name": MAIN,
        "ttl": 3600,
        "status": "Active",
        "created": item["created"],
        "records": [{"text": "v=spf1 -all"}],
        "id": item["id"],
        "account": "system",
        "recordSetGroupChange": {"ownershipTransferStatus": "None"},
        "accessLevel": "Delete",
        "fqdn": MAIN,
    }
    assert vinyl.get(f"/zones/{zone_id}/recordsets/{item['id']}") == {"recordSet": item}
    assert (page["nameSort"], page["recordTypeSort"], page["maxItems"]) == ("ASC", "NONE", 100)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("recordTypeFilter=MX", [MAIN]),
        ("recordTypeFilter=mx,SRV", ["_sip._tcp", MAIN]),
        ("recordTypeFilter=MX,NOPE", [MAIN]),
        ("recordNameFilter=www", ["www", "www"]),
        ("recordNameFilter=w%2A&recordTypeFilter=A", ["www"]),
        ("recordNameFilter=nope", []),
        ("recordTypeFilter=A&nameSort=DESC", ["www", "sip", "mail", "*.wild"]),
    ],
)
def test_record_set_filters(vinyl: Vinyl, query: str, names: list[str]) -> None:
    page = vinyl.get(f"/zones/{vinyl.zone_id(MAIN)}/recordsets?{query}")
    assert [item["name"] for item in page["recordSets"]] == names


def test_unknown_types_alone_filter_nothing(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    everything = vinyl.get(f"/zones/{zone_id}/recordsets")["recordSets"]
    assert vinyl.get(f"/zones/{zone_id}/recordsets?recordTypeFilter=NOPE")["recordSets"] == everything
    assert vinyl.get(f"/zones/{zone_id}/recordsetcount") == {"count": len(everything)}


def paged(vinyl: Vinyl, zone_id: str) -> list[str]:
    seen: list[str] = []
    start = ""
    while True:
        page = vinyl.get(f"/zones/{zone_id}/recordsets?maxItems=100{start}")
        seen += [item["name"] for item in page["recordSets"]]
        if "nextId" not in page:
            return seen
        start = "&startFrom=" + quote(page["nextId"], safe="")


def test_paging_loses_a_row(vinyl: Vinyl) -> None:
    """ "srv" sorts after "srv-001" by full name but before it by name: at the edge of a page it vanishes."""
    lines = ["srv A 192.0.2.1", *(f"srv-{i:03} A 192.0.2.1" for i in range(253))]
    zone_id = vinyl.add_zone("lossy.example.", records=lines)
    count = vinyl.get(f"/zones/{zone_id}/recordsetcount")["count"]
    seen = paged(vinyl, zone_id)
    assert (count, len(seen), "srv" in seen) == (256, 255, False)
    vinyl.knob(lossy_paging=False)
    seen = paged(vinyl, zone_id)
    assert (len(seen), len(set(seen)), "srv" in seen) == (256, 255, True)


def test_the_key_of_a_page(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    first = vinyl.get(f"/zones/{zone_id}/recordsets?maxItems=1")
    assert first["nextId"] == "*.wild<....>1"
    second = vinyl.get(f"/zones/{zone_id}/recordsets?maxItems=1&startFrom={quote(first['nextId'], safe='')}")
    assert second["startFrom"] == first["nextId"]
    assert second["nextId"] == "_sip._tcp<....>8"


def test_every_type_as_json(any_vinyl: Vinyl) -> None:
    """As a real transfer delivers it."""
    vinyl = any_vinyl
    zone_id = vinyl.zone_id("types.example.")
    vinyl.control("POST", "/record-sets", {"zone": "types.example.", "put": []})
    shown = {key: item["records"] for key, item in vinyl.record_sets(zone_id).items()}
    assert shown["signed", "DS"] == [
        {"keytag": 60485, "algorithm": 5, "digesttype": 1, "digest": "2BB183AF5F22588179A53B0A98631FAD1A292118"}
    ]
    assert shown["naptr2", "NAPTR"][0]["regexp"] == "!^(.*)$!\\\\1!"
    assert shown["naptr", "NAPTR"][0]["replacement"] == "."
    assert shown["old", "SPF"] == [{"text": "v=spf1 -all"}]
    assert shown["a.b", "A"] == [{"address": "192.0.2.7"}]
    assert {rdtype for _name, rdtype in shown} == {"SOA", "NS", "DS", "NAPTR", "SPF", "A"}


# -- writing record sets -----------------------------------------------------------------------------------------------


def record_set(name: str, address: str, **values: Any) -> dict[str, Any]:
    return {"name": name, "type": "A", "ttl": 300, "records": [{"address": address}], **values}


def test_a_record_set_goes_to_dns_and_then_to_the_store(any_vinyl: Vinyl) -> None:
    vinyl = any_vinyl
    zone_id = vinyl.zone_id(MAIN)
    serial = vinyl.control("GET", "/dns/serial", zone=MAIN)["serial"]
    base = f"/zones/{zone_id}/recordsets"
    status, change = answer_of(vinyl, "POST", base, body=record_set("api", "192.0.2.3"))
    assert (status, change["status"], change["changeType"], change["recordSet"]["status"]) == (
        202,
        "Pending",
        "Create",
        "Pending",
    )
    vinyl.control("POST", "/settle")
    item = vinyl.record_sets(zone_id)["api", "A"]
    assert item["status"] == "Active"
    path = f"{base}/{item['id']}"
    assert answer_of(vinyl, "PUT", path, body=record_set("api", "192.0.2.4"))[0] == 202
    vinyl.control("POST", "/settle")
    assert vinyl.record_sets(zone_id)["api", "A"]["records"] == [{"address": "192.0.2.4"}]
    assert answer_of(vinyl, "DELETE", path)[0] == 202
    vinyl.control("POST", "/settle")
    assert ("api", "A") not in vinyl.record_sets(zone_id)
    assert vinyl.control("GET", "/dns/serial", zone=MAIN)["serial"] == serial + 3
    vinyl.sync_and_wait(zone_id)
    assert [item["recordSet"]["type"] for item in vinyl.record_changes(zone_id)][:1] == ["SOA"], (
        "an own write moves the serial, too"
    )


@pytest.mark.parametrize(
    ("user", "body", "status", "text"),
    [
        ("dummy", record_set("x", "192.0.2.1"), 403, "User 'dummy' cannot create or modify zone 'example.com.'"),
        ("ok", record_set("www", "192.0.2.1"), 409, "RecordSet with name www and type A already exists in zone example.com."),
        ("ok", {"name": "x"}, 400, "Missing RecordSet.type"),
        ("ok", record_set("x", "300.0.2.1"), 400, "Invalid A record data"),
        ("ok", [], 400, "Failed to parse JSON"),
    ],
)
def test_record_sets_that_are_refused(vinyl: Vinyl, user: str, body: object, status: int, text: str) -> None:
    found, answer = answer_of(vinyl, "POST", f"/zones/{vinyl.zone_id(MAIN)}/recordsets", user, body)
    assert found == status
    assert text in json.dumps(answer)


def test_the_type_of_a_record_set_is_fixed(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    item = vinyl.record_sets(zone_id)["mail", "A"]
    body = {"name": "mail", "type": "TXT", "ttl": 1, "records": [{"text": "x"}]}
    assert answer_of(vinyl, "PUT", f"/zones/{zone_id}/recordsets/{item['id']}", body=body) == (
        422,
        "Cannot update RecordSet's record type.",
    )


def test_a_refused_update_of_dns_fails_the_change(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.control("POST", "/dns/fault", {"fault": "refused", "on": "update"})
    vinyl.call("POST", f"/zones/{zone_id}/recordsets", json=record_set("x", "192.0.2.1"))
    vinyl.control("POST", "/settle")
    (item,) = vinyl.get(f"/metrics/health/zones/{zone_id}/recordsetchangesfailure")["failedRecordSetChanges"]
    assert item["status"] == "Failed"
    assert item["systemMessage"].startswith(f"Failed applying update to DNS for change {item['id']}:x.example.com.: ")
    assert ("x", "A") not in vinyl.record_sets(zone_id)


# -- zones come and go -------------------------------------------------------------------------------------------------


def zone_body(name: str, **values: Any) -> dict[str, Any]:
    return {"name": name, "email": "me@example.org", "adminGroupId": "ok-group-id", **values}


def test_connecting_a_zone_is_its_first_sync(any_vinyl: Vinyl) -> None:
    vinyl = any_vinyl
    vinyl.add_zone_in_dns("late.example.", ["www A 192.0.2.1"])
    status, change = answer_of(vinyl, "POST", "/zones", body=zone_body("late.example"))
    assert (status, change["changeType"], change["status"], change["zone"]["status"]) == (202, "Create", "Pending", "Syncing")
    assert "latestSync" not in change["zone"]
    assert vinyl.finished_creation(change)["status"] == "Synced"
    zone_id = change["zone"]["id"]
    assert ("www", "A") in vinyl.record_sets(zone_id)
    assert {item["changeType"] for item in vinyl.record_changes(zone_id)} == {"Create"}
    assert vinyl.call("POST", f"/zones/{zone_id}/sync").status_code == 403, "connecting counts as a sync"


EXISTS = "Zone with name Example.com. already exists. Please contact dns@example.com to request access to the zone."
NOT_ADMIN = "User 'dummy' cannot create or modify zone 'new.example.' because they are not in the Zone Admin Group 'ok-group-id'"
BAD_CRON = "Invalid cron expression. Please enter a valid cron expression in 'recurrenceSchedule'."


@pytest.mark.parametrize(
    ("user", "values", "status", "text"),
    [
        ("ok", {"name": "Example.com"}, 409, EXISTS),
        ("dummy", {}, 403, NOT_ADMIN),
        ("ok", {"adminGroupId": "nope"}, 400, "Admin group with ID nope does not exist"),
        ("ok", {"backendId": "nope"}, 400, "Invalid backendId: [Some(nope)]; please check system configuration"),
        ("ok", {"name": "sub.example.com"}, 400, "Unable to find zone sub.example.com. in backend default"),
        ("ok", {"name": "nowhere.test"}, 400, "Unable to connect to zone: Query failed with REFUSED"),
        ("ok", {"recurrenceSchedule": "0 0 0 * * ?"}, 403, "User 'ok' is not authorized to schedule zone sync in this zone."),
        ("super-user", {"recurrenceSchedule": "hourly"}, 400, BAD_CRON),
    ],
)
def test_zones_that_are_refused(vinyl: Vinyl, user: str, values: dict[str, Any], status: int, text: str) -> None:
    vinyl.add_zone_in_dns("new.example.", [])
    body = {**zone_body("new.example"), **values}
    assert answer_of(vinyl, "POST", "/zones", user, body) == (status, text)


def test_missing_fields_are_listed(vinyl: Vinyl) -> None:
    errors = ["Missing Zone.name", "Missing Zone.email", "Missing Zone.adminGroupId"]
    assert answer_of(vinyl, "POST", "/zones", body={"shared": True}) == (400, {"errors": errors})


def test_a_zone_without_apex_ns_is_rejected(vinyl: Vinyl) -> None:
    vinyl.control("POST", "/dns/fault", {"fault": "truncated", "zone": "empty.example."})
    vinyl.control("DELETE", "/zones", {"zones": ["empty.example."], "where": "vinyldns"})
    status, text = answer_of(vinyl, "POST", "/zones", body=zone_body("empty.example."))
    assert (status, text.startswith("Unable to connect to zone: ")) == (400, True)
    vinyl.control("DELETE", "/dns/fault")
    vinyl.control("POST", "/zones", {"zones": [{"name": "nons.example.", "vinyldns": None, "apex_ns": False}]})
    status, body = answer_of(vinyl, "POST", "/zones", body=zone_body("nons.example."))
    assert (status, body["errors"], body["zone"]["name"]) == (400, ["Missing apex NS record"], "nons.example.")


def test_an_update_replaces_the_zone(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.control("PATCH", "/zone", {"zone": MAIN, "set": {"acl_rules": [{"accessLevel": "Read"}]}})
    status, change = answer_of(vinyl, "PUT", f"/zones/{zone_id}", body=zone_body(MAIN, id=zone_id))
    assert (status, change["changeType"]) == (202, "Update")
    vinyl.control("POST", "/settle")
    zone = vinyl.zone(zone_id)
    assert (zone["email"], zone["acl"], "connection" in zone) == ("me@example.org", {"rules": []}, False)
    assert zone["latestSync"] < change["created"]
    assert vinyl.finished(change)["status"] == "Synced"


def test_an_encrypted_key_sent_back_is_the_stored_key(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.knob(expose_keys=False)
    body = {**vinyl.zone(zone_id), "email": "new@example.org"}
    assert answer_of(vinyl, "PUT", f"/zones/{zone_id}", body=body)[0] == 202
    vinyl.control("POST", "/settle")
    assert vinyl.zone(zone_id)["email"] == "new@example.org"
    assert vinyl.sync_and_wait(zone_id)["status"] == "Synced"


def test_only_privileged_users_keep_a_schedule(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    body = zone_body(MAIN, recurrenceSchedule="0 0 0 * * ?")
    assert answer_of(vinyl, "PUT", f"/zones/{zone_id}", "super-user", body)[0] == 202
    vinyl.control("POST", "/settle")
    zone = vinyl.zone(zone_id)
    assert (zone["recurrenceSchedule"], zone["scheduleRequestor"]) == ("0 0 0 * * ?", "super-user")
    assert answer_of(vinyl, "PUT", f"/zones/{zone_id}", "ok", body)[0] == 403


def test_an_abandoned_zone_is_gone_but_remembered(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    assert vinyl.get("/zones/deleted/changes")["zonesDeletedInfo"] == []
    status, change = answer_of(vinyl, "DELETE", f"/zones/{zone_id}")
    assert (status, change["changeType"], change["zone"]["status"]) == (202, "Delete", "Deleted")
    vinyl.control("POST", "/settle")
    for path in (f"/zones/{zone_id}", f"/zones/{zone_id}/changes", f"/zones/name/{MAIN}"):
        assert vinyl.call("GET", path).status_code == 404
    (info,) = vinyl.get("/zones/deleted/changes?nameFilter=exam")["zonesDeletedInfo"]
    assert (info["adminGroupName"], info["userName"], info["accessLevel"]) == ("ok-group", "ok", "Delete")
    assert info["zoneChange"]["zone"]["id"] == zone_id
    assert vinyl.get("/zones/deleted/changes", "dummy")["zonesDeletedInfo"] == []
    assert vinyl.control("GET", "/dns/serial", zone=MAIN)["serial"] > 1, "the records stay in DNS"
    assert answer_of(vinyl, "POST", "/zones", body=zone_body(MAIN))[0] == 202
    vinyl.control("POST", "/settle")
    assert vinyl.get("/zones/deleted/changes")["zonesDeletedInfo"] == []


# -- the server --------------------------------------------------------------------------------------------------------


def test_the_server_describes_itself_without_a_signature(vinyl: Vinyl) -> None:
    texts = {path: vinyl.session.get(vinyl.url + path, timeout=5) for path in ("/ping", "/health", "/color", "/status")}
    assert [texts[path].text for path in ("/ping", "/health", "/color")] == ["PONG", "OK", "green"]
    assert texts["/status"].json() == {
        "processingDisabled": False,
        "color": "green",
        "keyName": "vinyldns.",
        "version": "0.21.6",
    }
    assert texts["/ping"].headers["Server"].startswith("akka-http/")
    assert "Date" in texts["/ping"].headers


def test_groups_can_be_read(vinyl: Vinyl) -> None:
    assert [group["name"] for group in vinyl.get("/groups")["groups"]] == ["ok-group"]
    assert vinyl.get("/groups/ok-group-id")["members"] == [{"id": "ok"}]
    assert vinyl.get("/groups/ok-group-id/members") == {"members": [{"id": "ok", "userName": "ok"}]}
    assert vinyl.get("/groups/ok-group-id/admins") == {"admins": [{"id": "ok", "userName": "ok"}]}


def test_only_super_users_set_the_status(vinyl: Vinyl) -> None:
    path = "/status?processingDisabled=true"
    assert vinyl.session.post(vinyl.url + path, timeout=10).status_code == 401
    refused = answer_of(vinyl, "POST", path, "ok")
    assert refused == (403, "Not authorized. User 'ok' cannot make the requested change.")
    assert vinyl.get("/status")["processingDisabled"] is False
    assert vinyl.call("POST", path, "super-user").json()["processingDisabled"] is True


def test_odd_starts_and_empty_parameters_of_changes(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    assert vinyl.get(f"/zones/{zone_id}/changes?startFrom=abc")["zoneChanges"] == []
    everything = vinyl.get(f"/zones/{zone_id}/changes")["zoneChanges"]
    assert vinyl.get(f"/zones/{zone_id}/changes?startFrom=&maxItems=")["zoneChanges"] == everything


def test_pages_of_record_changes_overlap_where_their_times_are_equal(vinyl: Vinyl) -> None:
    zone_id = vinyl.add_zone("ties.example.", vinyldns=[], dns=[f"h{i} A 192.0.2.{i % 250}" for i in range(600)])
    vinyl.sync_and_wait(zone_id)
    path = f"/zones/{zone_id}/recordsetchanges?maxItems=100&startFrom="
    ids = [item["id"] for start in range(0, 700, 100) for item in vinyl.get(path + str(start))["recordSetChanges"]]
    assert len(ids) == 601 > len(set(ids))
