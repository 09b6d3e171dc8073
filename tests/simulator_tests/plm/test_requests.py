# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ids, routes and errors."""

from __future__ import annotations

import json
import re
import subprocess
import uuid

import pytest
import requests

from tests.simulator_tests.plm.client import COMPLETED, SYNCHRONIZERS, UUID4, Plm

# Ids


def test_an_unknown_id_is_200_without_states(plm: Plm) -> None:
    push, pull = uuid.uuid4(), uuid.uuid4()
    assert plm.show(f"${push}+{pull}") == {
        "id": f"${push}+{pull}",
        "push": {"id": f"${push}"},
        "pull": {"id": f"${pull}"},
    }


@pytest.mark.parametrize(("plain", "encoded"), [("$", "%24"), ("+", "%2B"), ("+", "%2b"), ("-", "%2D")])
def test_an_encoded_id_does_not_exist(plm: Plm, plain: str, encoded: str) -> None:
    plm.script()
    identifier = plm.post().replace(plain, encoded)
    # Not by requests, which would decode what needs no encoding.
    command = ["curl", "--silent", "--write-out", " %{http_code}", f"{plm.url}{SYNCHRONIZERS}/{identifier}"]
    found = subprocess.run(command, capture_output=True, check=True, timeout=20, text=True).stdout
    body, dummy, status = found.rpartition(" ")
    assert status == "404"
    path = f"/api/media-manager/v0{SYNCHRONIZERS}/{identifier}"
    assert json.loads(body) == {"code": "ResourceNotFound", "message": f"{path} does not exist"}


@pytest.mark.parametrize("identifier", ["x", "ee8370c0+7980b24b", "$", "$a b", "$a,b", "$a/b"])
def test_ids_outside_of_the_grammar_do_not_exist(plm: Plm, identifier: str) -> None:
    assert plm.call("GET", f"{SYNCHRONIZERS}/{identifier}").status_code == 404


@pytest.mark.parametrize("identifier", ["$a+b", "$a-b_c@d.e&f+g", "$$a+b", "$A9+Z0"])
def test_ids_inside_of_the_grammar_are_echoed(plm: Plm, identifier: str) -> None:
    assert plm.show(identifier)["id"] == identifier


def test_a_third_half_is_ignored(plm: Plm) -> None:
    assert plm.show("$a+b+c") == {"id": "$a+b", "push": {"id": "$a"}, "pull": {"id": "$b"}}


def test_a_missing_half_is_made_up(plm: Plm) -> None:
    plm.script()
    push = plm.post().partition("+")[0]
    first, second = plm.show(push), plm.show(push)
    assert first["push"] == {"id": push, "state": "completed"}
    assert re.fullmatch(re.escape(push) + r"\+" + UUID4, first["id"])
    assert first["pull"] == {"id": "$" + first["id"].partition("+")[2]}
    assert first["id"] != second["id"]


@pytest.mark.parametrize("identifier", ["$+b", "$+"])
def test_a_missing_push_is_made_up_as_well(plm: Plm, identifier: str) -> None:
    shown = plm.show(identifier)
    assert re.fullmatch(r"\$" + UUID4, shown["push"]["id"])
    assert shown["id"] == f"{shown['push']['id']}+{shown['pull']['id'][1:]}"


def test_halves_are_looked_up_one_by_one(plm: Plm) -> None:
    plm.script(pull_outcome="error")
    push, dummy, pull = plm.post().partition("+")
    swapped = f"${pull}+{push[1:]}"
    assert plm.states(swapped) == ("error", "error", "completed")
    assert plm.states(f"{push}+{push[1:]}") == COMPLETED


# Routes and errors


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", SYNCHRONIZERS),
        ("GET", SYNCHRONIZERS + "/"),
        ("DELETE", SYNCHRONIZERS),
        ("DELETE", SYNCHRONIZERS + "/$a+b"),
        ("PUT", SYNCHRONIZERS + "/$a+b"),
        ("PUT", SYNCHRONIZERS + "/$a+b/"),
    ],
)
def test_routes_with_nothing_behind_them_never_answer(plm: Plm, method: str, path: str) -> None:
    with pytest.raises(requests.ReadTimeout):
        requests.request(method, plm.simulator["plm"]["standalone_url"] + path, timeout=0.1)
    plm.knob(hang_seconds=0.05)
    with pytest.raises(requests.ConnectionError):
        plm.standalone(method, path)


@pytest.mark.parametrize(("method", "path"), [("GET", SYNCHRONIZERS), ("DELETE", SYNCHRONIZERS + "/$a+b")])
def test_routes_of_the_desktop_application_that_never_answer(plm: Plm, method: str, path: str) -> None:
    plm.knob(hang_seconds=0.05)
    with pytest.raises(requests.ConnectionError):
        plm.call(method, path)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", SYNCHRONIZERS, "OPTIONS, POST, GET"),
        ("PATCH", SYNCHRONIZERS, "OPTIONS, POST, GET"),
        ("PUT", SYNCHRONIZERS + "/$a+b", "OPTIONS, GET, DELETE"),
        ("POST", SYNCHRONIZERS + "/$a+b", "OPTIONS, GET, DELETE"),
    ],
)
def test_wrong_methods_of_the_desktop_application(plm: Plm, method: str, path: str, allow: str) -> None:
    answer = plm.call(method, path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allow)
    assert answer.json() == {"code": "MethodNotAllowedError", "message": f"{method} is not allowed"}


def test_answers_of_the_desktop_application_carry_cors(plm: Plm) -> None:
    for method, path in (("POST", SYNCHRONIZERS), ("GET", SYNCHRONIZERS + "/$a+b"), ("GET", "/x"), ("DELETE", SYNCHRONIZERS)):
        assert plm.call(method, path).headers["Access-Control-Allow-Origin"] == "http://appjs"
    assert "Access-Control-Allow-Origin" not in plm.standalone("POST", SYNCHRONIZERS).headers


def test_the_text_of_404_keeps_the_query(plm: Plm) -> None:
    answer = plm.standalone("GET", "/storage/x?a=b")
    assert (answer.status_code, answer.json()["message"]) == (404, "/v0/storage/x?a=b does not exist")


def test_put_with_bad_json_is_answered(plm: Plm) -> None:
    headers = {"Content-Type": "application/json"}
    assert plm.standalone("PUT", SYNCHRONIZERS + "/$a+b", data=b"bad", headers=headers).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", SYNCHRONIZERS, "POST, GET, DELETE"),
        ("PATCH", SYNCHRONIZERS + "/", "POST, GET, DELETE"),
        ("GET", SYNCHRONIZERS + "/$a+b/", "PUT"),
        ("DELETE", SYNCHRONIZERS + "/$a+b/", "PUT"),
        ("POST", SYNCHRONIZERS + "/$a+b", "PUT"),
        ("PATCH", SYNCHRONIZERS + "/$a+b", "PUT"),
    ],
)
def test_wrong_methods(plm: Plm, method: str, path: str, allow: str) -> None:
    answer = plm.standalone(method, path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allow)
    assert answer.json() == {"code": "MethodNotAllowedError", "message": f"{method} is not allowed"}
    assert plm.control("GET", "/synchronizers")["posts"] == 0


@pytest.mark.parametrize(
    "path", ["/storage/synchronizers", "/v1/storage/synchronizers", "/api/storage/synchronizers", "/v0/storage/synchronizer", "/"]
)
def test_a_wrong_prefix(plm: Plm, path: str) -> None:
    answer = requests.post(plm.url.removesuffix("/api/media-manager/v0") + path, timeout=10)
    assert answer.status_code == 404
    assert answer.json() == {"code": "ResourceNotFound", "message": f"{path} does not exist"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"bad", "Invalid JSON: Unexpected token b"),
        (b'{"a": b}', "Invalid JSON: Unexpected token b"),
        (b"{} x", "Invalid JSON: Unexpected token x"),
        (b'{"a":', "Invalid JSON: Unexpected end of input"),
        (b"  ", "Invalid JSON: Unexpected end of input"),
    ],
)
def test_a_body_that_only_claims_to_be_json(plm: Plm, body: bytes, message: str) -> None:
    answer = plm.call("POST", SYNCHRONIZERS, data=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()) == (400, {"code": "InvalidContent", "message": message})
    assert plm.control("GET", "/synchronizers")["posts"] == 0


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b'{"x": 1}', "application/json"),
        (b"[]", "application/json"),
        (b"bad", "text/plain"),
        (b"bad", "application/vnd.x+json"),
        (b"a=b", None),
    ],
)
def test_any_other_body_is_ignored(plm: Plm, body: bytes, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    assert plm.call("POST", SYNCHRONIZERS, data=body, headers=headers).status_code == 200


def test_without_a_remote_nothing_works(plm: Plm) -> None:
    plm.knob(no_remote=True, hang_seconds=0.05)
    for method, path in (("POST", SYNCHRONIZERS), ("GET", SYNCHRONIZERS + "/$a+b")):
        with pytest.raises(requests.ConnectionError):
            plm.call(method, path)
    answer = plm.standalone("POST", SYNCHRONIZERS)
    assert answer.status_code == 500
    assert answer.json() == {"code": "InternalError", "message": "Cannot read property 'httpStatus' of undefined"}
    answer = plm.standalone("GET", SYNCHRONIZERS + "/$a+b")
    assert answer.status_code == 500
    assert answer.json() == {"code": "InternalError", "message": "Cannot read property 'host' of undefined"}
    assert plm.control("GET", "/synchronizers") == {"posts": 0, "synchronizers": []}


def test_the_desktop_application_answers_options(plm: Plm) -> None:
    answer = plm.call("OPTIONS", SYNCHRONIZERS)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (204, "http://appjs")
    assert requests.options(plm.simulator["plm"]["standalone_url"] + SYNCHRONIZERS, timeout=10).status_code == 405
