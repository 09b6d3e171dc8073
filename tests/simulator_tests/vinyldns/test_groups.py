# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups of the VinylDNS part: what is refused, who sees what, and the membership that a creator does not get."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.simulator_tests.vinyldns.vinyl import Vinyl


def body(name: str = "team", **values: Any) -> dict[str, Any]:
    people = [{"id": "ok"}]
    return {"name": name, "email": "team@example.org", "members": people, "admins": people, **values}


def answer_of(vinyl: Vinyl, method: str, path: str, user: str = "ok", json: object = None) -> tuple[int, Any]:
    answer = vinyl.call(method, path, user, json=json)
    return answer.status_code, answer.json()


IN_USE = "Cannot delete. Please transfer the ownership to another group before deleting."
TAKEN = "Group with name OK-Group already exists. Please try a different name or contact ok@example.org to be added to the group."


@pytest.mark.parametrize(
    ("data", "status", "answer"),
    [
        ({}, 400, {"errors": [f"Missing Group.{name}" for name in ("name", "email", "members", "admins")]}),
        (body(name=" "), 400, "Group name and email cannot be empty."),
        (body(email="team"), 400, "Please enter a valid Email."),
        (body(email="a@b@example.org"), 400, "Please enter a valid Email."),
        (body(email="a@localhost"), 400, "Please enter a valid Email."),
        (body(name="OK-Group"), 409, TAKEN),
        (body(members=[{"id": "x"}, {"id": "y"}]), 404, "Users [ x,y ] were not found"),
    ],
)
def test_groups_that_are_not_created(vinyl: Vinyl, data: dict[str, Any], status: int, answer: object) -> None:
    assert answer_of(vinyl, "POST", "/groups", json=data) == (status, answer)
    assert [group["name"] for group in vinyl.get("/groups")["groups"]] == ["ok-group"]


@pytest.mark.parametrize(
    ("email", "reason"),
    [
        ("a@example.org", None),
        ("a@mail.wild.test", None),
        ("a@elsewhere.test", "Valid domains should end with example.org,wild.test"),
        ("a@a.b.c.wild.test", "Number of dots allowed after @ is 2"),
    ],
)
def test_configured_domains_of_addresses(vinyl: Vinyl, email: str, reason: str | None) -> None:
    vinyl.knob(email_domains=["example.org", "*wild.test"], email_dots=2)
    status, answer = answer_of(vinyl, "POST", "/groups", json=body(email=email))
    expected = (200, "team") if reason is None else (400, f"Please enter a valid Email. {reason}")
    assert (status, answer["name"] if status == 200 else answer) == expected


def test_the_creator_is_listed_but_no_member(vinyl: Vinyl) -> None:
    """Listed as admin, so the group can be edited; without a membership, so the group gives no access."""
    others = [{"id": "dummy"}]
    status, group = answer_of(vinyl, "POST", "/groups", json=body(members=others, admins=others))
    assert (status, group["members"], group["admins"]) == (200, [{"id": "dummy"}, {"id": "ok"}], [{"id": "dummy"}, {"id": "ok"}])
    assert [item["name"] for item in vinyl.get("/groups")["groups"]] == ["ok-group"]
    assert [item["name"] for item in vinyl.get("/groups", "dummy")["groups"]] == ["dummy-group", "team"]
    assert answer_of(vinyl, "GET", f"/groups/{group['id']}/activity") == (403, "Not authorized")
    assert answer_of(vinyl, "DELETE", f"/groups/{group['id']}")[0] == 200


def test_who_may_edit(vinyl: Vinyl) -> None:
    _status, group = answer_of(vinyl, "POST", "/groups", json=body(members=[{"id": "dummy"}]))
    path, change = f"/groups/{group['id']}", {**group, "name": "other"}
    for user in ("dummy", "support-user"):
        assert answer_of(vinyl, "PUT", path, user, change) == (403, "Not authorized")
        assert answer_of(vinyl, "DELETE", path, user) == (403, "Not authorized")
    assert answer_of(vinyl, "PUT", path, "super-user", change)[1]["name"] == "other"
    no_admins = {**change, "admins": []}
    assert answer_of(vinyl, "PUT", path, "ok", no_admins) == (400, "Group must have at least one member and one admin")
    assert answer_of(vinyl, "PUT", path, "ok", {**change, "id": "nope"}) == (404, "Group with ID nope was not found")
    errors = {"errors": ["Missing Group.id"]}
    assert answer_of(vinyl, "PUT", path, "ok", body()) == (400, errors), "the id must be in the body"
    assert answer_of(vinyl, "PUT", path, "ok", {**change, "name": "ok-group"})[0] == 409


def test_groups_in_use_stay(vinyl: Vinyl) -> None:
    assert answer_of(vinyl, "DELETE", "/groups/ok-group-id") == (400, f"ok-group is the admin of a zone. {IN_USE}")
    _status, group = answer_of(vinyl, "POST", "/groups", json=body())
    zone_id = vinyl.zone_id("empty.example.")
    vinyl.control("PATCH", "/zone", {"zone": "empty.example.", "set": {"acl_rules": [{"groupId": group["id"]}]}})
    reason = f"team has an ACL rule for a zone including {zone_id}. {IN_USE}"
    assert answer_of(vinyl, "DELETE", f"/groups/{group['id']}") == (400, reason)
    item = {"name": "x", "type": "A", "records": [{"address": "192.0.2.1"}], "ownerGroupId": group["id"], "id": "x-id"}
    vinyl.control("POST", "/record-sets", {"zone": "empty.example.", "put": [item]})
    reason = f"team is the owner for a record set including x-id. {IN_USE}"
    assert answer_of(vinyl, "DELETE", f"/groups/{group['id']}") == (400, reason)


def test_pages_of_groups(vinyl: Vinyl) -> None:
    for name in ("b", "A", "c"):
        assert answer_of(vinyl, "POST", "/groups", json=body(name))[0] == 200
    first = vinyl.get("/groups?maxItems=2")
    assert [group["name"] for group in first["groups"]] == ["A", "b"]
    assert (first["nextId"], first["ignoreAccess"]) == (first["groups"][-1]["id"], False)
    second = vinyl.get("/groups?maxItems=2&startFrom=" + quote(first["nextId"]))
    assert [group["name"] for group in second["groups"]] == ["c", "ok-group"]
    assert "nextId" not in second
    assert len(vinyl.get("/groups?ignoreAccess=true")["groups"]) == len(vinyl.get("/groups", "support-user")["groups"]) == 7
    (brief,) = vinyl.get("/groups?abridged=true&groupNameFilter=DUMMY&ignoreAccess=true")["groups"]
    assert (brief["name"], brief["members"], brief["status"]) == ("dummy-group", [], None)
    assert vinyl.call("GET", "/groups?startFrom=nope").status_code == 500
    assert "maxItems must be between 0 exclusive\n and 3000 inclusive" in answer_of(vinyl, "GET", "/groups?maxItems=3001")[1]


def test_changes_of_groups(vinyl: Vinyl) -> None:
    _status, group = answer_of(vinyl, "POST", "/groups", json=body())
    for description in ("one", "two"):
        answer_of(vinyl, "PUT", "/groups/x", json={**group, "description": description})
    page = vinyl.get(f"/groups/{group['id']}/activity?maxItems=2")
    assert [change["groupChangeMessage"] for change in page["changes"]] == [
        "Group description changed to 'two'.",
        "Group description changed to 'one'.",
    ]
    assert (page["nextId"], page["changes"][0]["userName"]) == (2, "ok")
    (created,) = vinyl.get(f"/groups/{group['id']}/activity?startFrom=2")["changes"]
    assert vinyl.get(f"/groups/change/{created['id']}") == created
    assert answer_of(vinyl, "GET", f"/groups/change/{created['id']}", "dummy") == (403, "Not authorized")
    assert answer_of(vinyl, "GET", "/groups/change/nope") == (400, "Invalid Group Change ID")
    bounds = "maxItems was 1001, maxItems must be between 0 and 1000"
    assert answer_of(vinyl, "GET", f"/groups/{group['id']}/activity?maxItems=1001") == (400, bounds)


def test_a_reset_forgets_groups(vinyl: Vinyl) -> None:
    answer_of(vinyl, "POST", "/groups", json=body())
    vinyl.simulator.reset()
    assert [group["name"] for group in vinyl.get("/groups")["groups"]] == ["ok-group"]
