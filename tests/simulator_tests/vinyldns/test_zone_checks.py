# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones that the VinylDNS part refuses to connect or to change, and methods that its paths do not have."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.simulator_tests.vinyldns.vinyl import Vinyl

NEW, EMPTY = "new.example.", "empty.example."


def answer_of(vinyl: Vinyl, method: str, path: str, user: str = "ok", json: object = None) -> tuple[int, Any]:
    answer = vinyl.call(method, path, user, json=json)
    return answer.status_code, answer.json()


def body(**values: Any) -> dict[str, Any]:
    return {"name": NEW, "email": "me@example.org", "adminGroupId": "ok-group-id", **values}


def connection(vinyl: Vinyl, **values: Any) -> dict[str, Any]:
    """To the DNS server of the part."""
    dns = vinyl.info["dns"]
    own = {
        "name": "own",
        "keyName": dns["tsig_name"],
        "key": dns["tsig_secret"],
        "primaryServer": f"{dns['server']}:{dns['port']}",
        "algorithm": dns["tsig_algorithm"].upper(),
    }
    return {**own, **values}


ALGORITHMS = "HMAC-MD5,HMAC-SHA1,HMAC-SHA224,HMAC-SHA256,HMAC-SHA384,HMAC-SHA512"
MISSING_CONNECTION = [f"Missing ZoneConnection.{name}" for name in ("name", "keyName", "key", "primaryServer")]


@pytest.mark.parametrize(
    ("values", "errors"),
    [
        ({"connection": {}}, MISSING_CONNECTION),
        ({"transferConnection": {}}, MISSING_CONNECTION),
        (
            {"connection": {"name": "n", "keyName": "k", "key": "s", "primaryServer": "x", "algorithm": "MD4"}},
            [f"Unsupported algorithm MD4, must be one of {ALGORITHMS}"],
        ),
        ({"shared": "yes"}, ["Do not know how to convert JString(yes) into boolean"]),
        ({"acl": {"rules": [{"userId": "ok"}]}}, ["Failed to parse ZoneACL"]),
        ({"email": None, "adminGroupId": None}, ["Missing Zone.email", "Missing Zone.adminGroupId"]),
    ],
)
def test_fields_of_zones(vinyl: Vinyl, values: dict[str, Any], errors: list[str]) -> None:
    assert answer_of(vinyl, "POST", "/zones", json=body(**values)) == (400, {"errors": errors})


@pytest.mark.parametrize(
    ("user", "values", "status", "text"),
    [
        ("ok", {"email": "me"}, 400, "Please enter a valid Email."),
        ("ok", {"shared": True}, 403, "Not authorized to create shared zones."),
        (
            "ok",
            {"acl": {"rules": [{"accessLevel": "Read"}]}},
            400,
            "Invalid ACL rule: ACL rules must have a group or user id",
        ),
        ("ok", {"email": "me", "name": "example.com."}, 400, "Please enter a valid Email."),
    ],
)
def test_zones_that_are_refused(vinyl: Vinyl, user: str, values: dict[str, Any], status: int, text: str) -> None:
    """Before its name or the DNS server is looked at."""
    assert answer_of(vinyl, "POST", "/zones", user, body(**values)) == (status, text)
    assert vinyl.control("GET", "/queue")["waiting"] == 0


def test_support_users_create_shared_zones_in_groups_of_theirs(vinyl: Vinyl) -> None:
    vinyl.add_zone_in_dns(NEW, [])
    assert answer_of(vinyl, "POST", "/zones", "super-user", body(shared=True))[0] == 202
    status, text = answer_of(vinyl, "POST", "/zones", "support-user", body(name="other.example.", shared=True))
    assert (status, "cannot create or modify zone 'other.example.'" in text) == (403, True)


def test_connection_errors(any_vinyl: Vinyl) -> None:
    vinyl = any_vinyl
    vinyl.add_zone_in_dns(NEW, [])
    not_auth = "The requestor is not authorized to perform this operation: NOTAUTH"
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"127.0.0.1:{unused.getsockname()[1]}"
        cases = [
            ({"key": "bm90IHRoZSBrZXk="}, f"Unable to connect to zone: {not_auth}"),
            ({"keyName": "unknown."}, f"Unable to connect to zone: {not_auth}"),
            ({"primaryServer": closed}, "Unable to connect to zone: network error"),
        ]
        for values, text in cases:
            answer = answer_of(vinyl, "POST", "/zones", json=body(connection=connection(vinyl, **values)))
            assert answer == (400, text)
    gone = answer_of(vinyl, "POST", "/zones", json=body(name="gone.test", connection=connection(vinyl)))
    assert gone == (400, "Unable to find zone gone.test. in backend own")
    assert answer_of(vinyl, "POST", "/zones", json=body(connection=connection(vinyl)))[0] == 202
    vinyl.control("POST", "/settle")


def test_servers_at_the_apex_must_be_approved(vinyl: Vinyl) -> None:
    vinyl.add_zone_in_dns(NEW, [])
    vinyl.knob(approved_name_servers=["ns1.example.org."])
    status, answer = answer_of(vinyl, "POST", "/zones", json=body())
    assert (status, answer["zone"]["name"], len(answer["zone"]["id"])) == (400, NEW, 36)
    assert answer["errors"]
    assert all(error.endswith("is not an approved name server.") for error in answer["errors"])


def test_what_an_update_is_refused_for(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(EMPTY)
    zone = {**vinyl.zone(zone_id), "email": "me@example.org"}
    path = f"/zones/{zone_id}"
    without_id = {name: value for name, value in zone.items() if name != "id"}
    assert answer_of(vinyl, "PUT", path, json=without_id) == (400, {"errors": ["Missing Zone.id"]})
    cases: list[tuple[str, dict[str, Any], int, str]] = [
        ("ok", {"id": "nope"}, 404, "Zone with id nope does not exists"),
        ("ok", {"email": "me"}, 400, "Please enter a valid Email."),
        ("ok", {"shared": True}, 403, "Not authorized to update zone shared status from false to true."),
        ("ok", {"adminGroupId": "nope"}, 400, "Admin group with ID nope does not exist"),
        ("ok", {"backendId": "nope"}, 400, "Invalid backendId: [Some(nope)]; please check system configuration"),
    ]
    for user, values, status, text in cases:
        assert answer_of(vinyl, "PUT", path, user, {**zone, **values}) == (status, text)
    denied = "because they are not in the Zone Admin Group"
    assert denied in answer_of(vinyl, "PUT", path, "dummy", zone)[1]
    assert denied in answer_of(vinyl, "PUT", path, "ok", {**zone, "adminGroupId": "dummy-group-id"})[1], "nor given away"
    assert answer_of(vinyl, "PUT", path, "super-user", {**zone, "shared": True})[0] == 202
    vinyl.control("POST", "/settle")
    assert vinyl.zone(zone_id)["shared"] is True


def test_zones_of_test_users_are_test_zones(vinyl: Vinyl) -> None:
    vinyl.add_zone_in_dns(NEW, [])
    status, change = answer_of(vinyl, "POST", "/zones", json=body(isTest=False))
    assert (status, change["zone"]["isTest"]) == (202, True)
    vinyl.control("POST", "/settle")


def test_methods_that_a_path_does_not_have(vinyl: Vinyl) -> None:
    """GET and POST are 404, the others 405, and those two are always among what is allowed."""
    for method, path in (("GET", "/zones/x/sync"), ("POST", "/zones/x"), ("POST", "/ping"), ("GET", "/nope")):
        answer = vinyl.session.request(method, vinyl.url + path, timeout=10)
        assert (answer.status_code, answer.text) == (404, f"The requested path [{path}] does not exist.")
    for method, path, allowed in (
        ("DELETE", "/zones/x/sync", "GET, POST"),
        ("PATCH", "/zones/x", "GET, PUT, DELETE, POST"),
        ("PUT", "/nope", "GET, POST"),
    ):
        answer = vinyl.session.request(method, vinyl.url + path, timeout=10)
        assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
        assert answer.text == f"HTTP method not allowed, supported methods: {allowed}"


def test_head_is_a_get(vinyl: Vinyl) -> None:
    """So its signature is that of a GET, and one for HEAD is wrong."""
    assert vinyl.session.head(vinyl.url + "/zones", timeout=10).status_code == 401
    assert vinyl.call("HEAD", "/zones").status_code == 401
    answer = vinyl.session.head(vinyl.url + "/status", timeout=10)
    assert (answer.status_code, answer.content) == (200, b"")
    assert [entry["kind"] for entry in vinyl.simulator.requests(method="HEAD")] == ["observe"] * 3
