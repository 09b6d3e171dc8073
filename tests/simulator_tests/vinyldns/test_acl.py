# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access to record sets of the VinylDNS part: rules of zones, shared zones, owners, test users."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.vinyldns.acl import AclRule, winning_level
from tests.simulator_tests.vinyldns.vinyl import Vinyl

EMPTY, SHARED, REVERSE = "empty.example.", "shared.example.", "0/27.2.0.192.in-addr.arpa."


def answer_of(vinyl: Vinyl, method: str, path: str, user: str = "ok", json: object = None) -> tuple[int, Any]:
    answer = vinyl.call(method, path, user, json=json)
    return answer.status_code, answer.json()


def set_rules(vinyl: Vinyl, zone: str, *rules: dict[str, Any]) -> str:
    vinyl.control("PATCH", "/zone", {"zone": zone, "set": {"acl_rules": rules}})
    return vinyl.zone_id(zone)


def put(vinyl: Vinyl, zone: str, name: str, rdtype: str, record: dict[str, Any], **values: Any) -> dict[str, Any]:
    """A record set in VinylDNS alone; returns it as the API shows it."""
    item = {"name": name, "type": rdtype, "records": [record], **values}
    vinyl.control("POST", "/record-sets", {"zone": zone, "put": [item]})
    return vinyl.record_sets(vinyl.zone_id(zone))[name, rdtype]


A = {"address": "192.0.2.1"}
RULE = {"accessLevel": "Read", "userId": "dummy"}
PREFIX = "Invalid ACL rule: ACL rules must have"


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        ({}, {"errors": ["Missing ACLRule.accessLevel"]}),
        ({"accessLevel": "Everything"}, {"errors": ["Invalid AccessLevel"]}),
        ({"accessLevel": "Read"}, f"{PREFIX} a group or user id"),
        ({**RULE, "groupId": "ok-group-id"}, {"errors": ["Cannot specify both a userId and a groupId"]}),
        ({**RULE, "recordMask": "a{5,-3}"}, "record mask a{5,-3} is an invalid regex"),
        ({**RULE, "recordMask": "("}, "record mask ( is an invalid regex"),
        (
            {**RULE, "recordMask": "10.0", "recordTypes": ["PTR"]},
            "PTR types must have no mask or a valid CIDR mask: Invalid CIDR block",
        ),
        ({**RULE, "recordMask": ".*", "recordTypes": ["A", "PTR"]}, "Multiple record types including PTR must have no mask"),
    ],
)
def test_rules_that_are_refused(vinyl: Vinyl, rule: dict[str, Any], answer: object) -> None:
    assert answer_of(vinyl, "PUT", f"/zones/{vinyl.zone_id(EMPTY)}/acl/rules", json=rule) == (400, answer)
    assert vinyl.control("GET", "/queue")["waiting"] == 0


def test_rules_are_a_set(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(EMPTY)
    path, rule = f"/zones/{zone_id}/acl/rules", {**RULE, "recordMask": "a{2}", "recordTypes": ["TXT", "A"]}
    for again in (rule, {**rule, "recordTypes": ["A", "TXT"]}):
        status, change = answer_of(vinyl, "PUT", path, json=again)
        assert (status, change["changeType"]) == (202, "Update")
        vinyl.control("POST", "/settle")
    assert vinyl.zone(zone_id)["acl"]["rules"] == [{**rule, "displayName": "dummy"}]
    assert answer_of(vinyl, "PUT", path, "dummy", rule)[0] == 403
    assert answer_of(vinyl, "DELETE", path, json={**rule, "accessLevel": "Write"})[0] == 202, "no such rule is no error"
    assert answer_of(vinyl, "DELETE", path, json=rule)[0] == 202
    vinyl.control("POST", "/settle")
    assert vinyl.zone(zone_id)["acl"]["rules"] == []


def test_rules_of_unknown_users_are_hidden(vinyl: Vinyl) -> None:
    zone_id = set_rules(vinyl, EMPTY, {"userId": "gone"}, {"groupId": "gone"}, {})
    assert [rule["displayName"] for rule in vinyl.zone(zone_id)["acl"]["rules"]] == ["All Users"]


@pytest.mark.parametrize(
    ("better", "worse", "rdtype"),
    [
        (AclRule("Read", user_id="u"), AclRule("Delete", group_id="g"), "A"),
        (AclRule("Read", group_id="g"), AclRule("Delete"), "A"),
        (AclRule("Read", record_mask="a.*"), AclRule("Delete"), "A"),
        (AclRule("Read", record_types=("A",)), AclRule("Delete", record_mask=".*"), "A"),
        (AclRule("Read", record_types=("A",)), AclRule("Delete", record_types=("A", "MX")), "A"),
        (AclRule("NoAccess"), AclRule("Delete"), "A"),
        (AclRule("Delete"), AclRule("Write"), "A"),
        (AclRule("Write"), AclRule("Read"), "A"),
        (AclRule("Read", record_mask="10.0.0.0/16"), AclRule("Delete", record_mask="10.0.0.0/8"), "PTR"),
        (AclRule("Read", record_mask="10.0.0.0/8"), AclRule("Delete"), "PTR"),
    ],
)
def test_the_most_specific_rule_wins(better: AclRule, worse: AclRule, rdtype: str) -> None:
    assert winning_level([worse, better], rdtype) == winning_level([better, worse], rdtype) == better.access_level


@pytest.mark.parametrize(
    ("level", "view", "create", "update", "delete"),
    [
        (None, 403, 403, 403, 403),
        ("NoAccess", 403, 403, 403, 403),
        ("Read", 200, 403, 403, 403),
        ("Write", 200, 202, 202, 403),
        ("Delete", 200, 202, 202, 202),
    ],
)
def test_what_a_level_allows(vinyl: Vinyl, level: str | None, view: int, create: int, update: int, delete: int) -> None:
    rules = [] if level is None else [{"accessLevel": level, "groupId": "dummy-group-id", "recordTypes": ["A"]}]
    zone_id = set_rules(vinyl, EMPTY, {"accessLevel": "Read", "userId": "dummy", "recordTypes": ["MX"]}, *rules)
    item = put(vinyl, EMPTY, "www", "A", A)
    assert vinyl.get(f"/zones/{zone_id}", "dummy")["zone"]["accessLevel"] == "Read", "any rule shows the zone"
    listed = vinyl.get(f"/zones/{zone_id}/recordsets?recordNameFilter=www", "dummy")["recordSets"]
    assert [found["accessLevel"] for found in listed] == [level or "NoAccess"], "lists hide nothing"
    path = f"/zones/{zone_id}/recordsets"
    new = {"zoneId": zone_id, "name": "new", "type": "A", "ttl": 300, "records": [A]}
    denied = "User dummy does not have access to {} {}." + EMPTY
    for method, where, body, verb, name, status in (
        ("GET", f"{path}/{item['id']}", None, "view", "www", view),
        ("POST", path, new, "create", "new", create),
        ("PUT", f"{path}/{item['id']}", {**item, "ttl": 60}, "update", "www", update),
        ("DELETE", f"{path}/{item['id']}", None, "delete", "www", delete),
    ):
        found, answer = answer_of(vinyl, method, where, "dummy", body)
        assert (found, answer if status == 403 else None) == (status, denied.format(verb, name) if status == 403 else None)
    vinyl.control("POST", "/settle")


def test_masks_are_expressions_for_names_and_networks_for_ptr(vinyl: Vinyl) -> None:
    set_rules(vinyl, EMPTY, {"accessLevel": "Write", "userId": "dummy", "recordMask": "w+"})
    put(vinyl, EMPTY, "www", "A", A)
    put(vinyl, EMPTY, "www2", "A", A)
    levels = {
        item["name"]: item["accessLevel"]
        for item in vinyl.get(f"/zones/{vinyl.zone_id(EMPTY)}/recordsets?recordTypeFilter=A", "dummy")["recordSets"]
    }
    assert levels == {"www": "Write", "www2": "NoAccess"}
    set_rules(vinyl, REVERSE, {"accessLevel": "Write", "userId": "dummy", "recordMask": "192.0.2.16/28", "recordTypes": ["PTR"]})
    listed = vinyl.get(f"/zones/{vinyl.zone_id(REVERSE)}/recordsets?recordTypeFilter=PTR", "dummy")["recordSets"]
    assert {item["name"]: item["accessLevel"] for item in listed} == {"1": "NoAccess", "25": "Write"}


def test_shared_zones(vinyl: Vinyl) -> None:
    """What has no owner is open to all if its type is approved, the rest is the owners'."""
    zone_id = vinyl.zone_id(SHARED)
    items = [
        put(vinyl, SHARED, "open", "A", A),
        put(vinyl, SHARED, "mail", "MX", {"preference": 1, "exchange": "mx.example."}),
        put(vinyl, SHARED, "mine", "A", A, ownerGroupId="dummy-group-id"),
        put(vinyl, SHARED, "theirs", "A", A, ownerGroupId="ok-group-id"),
    ]
    path = f"/zones/{zone_id}/recordsets/"
    assert [vinyl.call("GET", path + item["id"], "dummy").status_code for item in items] == [200, 403, 200, 403]
    listed = vinyl.get(f"/zones/{zone_id}/recordsets", "dummy")["recordSets"]
    levels = {item["name"]: item["accessLevel"] for item in listed}
    expected = {"open": "Delete", "mail": "Delete", "mine": "Delete", "theirs": "NoAccess"}
    assert {name: levels[name] for name in expected} == expected, "the list does not look at approved types"
    assert vinyl.get(path + items[2]["id"], "dummy")["recordSet"]["ownerGroupName"] == "dummy-group"


def test_privileged_users(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(EMPTY)
    path = f"/zones/{zone_id}/recordsets/{put(vinyl, EMPTY, 'www', 'A', A)['id']}"
    assert vinyl.call("GET", path, "support-user").status_code == 200
    assert vinyl.call("DELETE", path, "support-user").status_code == 403
    assert vinyl.call("DELETE", path, "super-user").status_code == 202
    vinyl.control("POST", "/settle")


def test_test_users_have_no_access_to_records_of_real_zones(vinyl: Vinyl) -> None:
    """Even to those of their own zone; they see the zone."""
    item = put(vinyl, EMPTY, "www", "A", A)
    vinyl.control("PATCH", "/zone", {"zone": EMPTY, "set": {"is_test": False}})
    zone_id = vinyl.zone_id(EMPTY)
    assert vinyl.call("GET", f"/zones/{zone_id}").status_code == 200
    denied = f"User ok does not have access to view www.{EMPTY}"
    assert answer_of(vinyl, "GET", f"/zones/{zone_id}/recordsets/{item['id']}") == (403, denied)


def test_a_single_change_needs_access_to_its_record_set(vinyl: Vinyl) -> None:
    zone_id = set_rules(vinyl, EMPTY, {"accessLevel": "Read", "userId": "dummy", "recordTypes": ["A"]})
    paths = []
    for rdtype, record in (("A", A), ("TXT", {"text": "x"})):
        body = {"zoneId": zone_id, "name": "www", "type": rdtype, "ttl": 300, "records": [record]}
        _status, change = answer_of(vinyl, "POST", f"/zones/{zone_id}/recordsets", json=body)
        paths.append(f"/zones/{zone_id}/recordsets/any/changes/{change['id']}")
    assert vinyl.call("GET", paths[0]).status_code in (200, 404), "absent while it is queued"
    vinyl.control("POST", "/settle")
    assert [vinyl.call("GET", path, "dummy").status_code for path in paths] == [200, 403]
    change = vinyl.get(paths[0])
    assert (change["status"], change["recordSet"]["status"], change["singleBatchChangeIds"]) == ("Complete", "Active", [])
    text = f"Unable to find record set change with id nope in zone {EMPTY}"
    assert answer_of(vinyl, "GET", f"/zones/{zone_id}/recordsets/any/changes/nope") == (404, text)
