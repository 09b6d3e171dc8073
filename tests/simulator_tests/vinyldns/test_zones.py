# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones: who may see what, their lists, and how they come and go."""

from __future__ import annotations

import statistics
import time
from typing import Any
from urllib.parse import quote

import pytest

from tests.simulator_tests.vinyldns.vinyl import MAIN, Vinyl, answer_of

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
        ("/zones/{zone}/sync", 404, TEXT, "The requested path [/zones/{zone}/sync] does not exist."),
    ],
)
def test_errors_to_the_letter(vinyl: Vinyl, path: str, status: int, kind: str, body: str) -> None:
    zone_id = vinyl.zone_id(MAIN)
    path, body = (text.replace("{zone}", zone_id) for text in (path, body))
    answer = vinyl.call("GET", path)
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


def cpu_time(vinyl: Vinyl, zone_ids: list[str]) -> float:
    """Of one request: that of client and simulator, which are both in this process; other processes do not count."""
    times = []
    for zone_id in zone_ids:
        started = time.process_time()
        vinyl.get(f"/zones/{zone_id}")
        times.append(time.process_time() - started)
    return statistics.median(times)


def test_a_thousand_zones_are_quick(vinyl: Vinyl) -> None:
    with_few = cpu_time(vinyl, [vinyl.zone_id(MAIN)] * 50)
    orders = [{"name": f"z{i:04}.bulk.", "records": ["www A 192.0.2.1"]} for i in range(1000)]
    ids = vinyl.control("POST", "/zones", {"zones": orders})["ids"]
    page = vinyl.get("/zones?nameFilter=%2A.bulk.&startFrom=z0899.bulk.")
    assert [page["zones"][0]["name"], page["zones"][-1]["name"], len(page["zones"])] == ["z0900.bulk.", "z0999.bulk.", 100]
    assert cpu_time(vinyl, list(ids.values())[:50]) < 4 * with_few


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
        ("ok", {"name": "nowhere.test"}, 400, "Unable to find zone nowhere.test. in backend default"),
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
    body = zone_body(MAIN, id=zone_id, recurrenceSchedule="0 0 0 * * ?")
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
