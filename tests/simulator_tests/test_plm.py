# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PLM Media Manager part against what is published about the server and what was seen of it."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import websocket

from tests.simulator.client import Simulator, wait_until
from tests.simulator.plm import PlmPart

LONG = 600.0  # a phase that does not end by itself within any test
SYNCHRONIZERS = "/storage/synchronizers"
UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
States = tuple[str | None, str | None, str | None]  # overall, push, pull


class Plm:
    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.url: str = simulator["plm"]["url"]
        self._session = requests.Session()
        self._session.trust_env = False

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return self._session.request(method, self.url + path, timeout=10, **options)

    def standalone(self, method: str, path: str, **options: Any) -> requests.Response:
        """The same as ``call`` at the standalone server."""
        return self._session.request(method, self.simulator["plm"]["standalone_url"] + path, timeout=10, **options)

    def post(self) -> str:
        answer = self.call("POST", SYNCHRONIZERS)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["synchronizer"]["id"])

    def show(self, identifier: str) -> dict[str, Any]:
        answer = self.call("GET", f"{SYNCHRONIZERS}/{identifier}")
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["status"] == 0
        found: dict[str, Any] = body["synchronizer"]
        return found

    def states(self, identifier: str) -> States:
        shown = self.show(identifier)
        return shown.get("state"), shown["push"].get("state"), shown["pull"].get("state")

    def knob(self, **values: Any) -> None:
        self.simulator.knob("plm", **values)

    def script(self, **values: Any) -> None:
        """Knobs; every phase that is not mentioned takes no time."""
        names = ("document_seconds", "blip_seconds", "push_seconds", "gap_seconds", "pull_seconds")
        self.knob(**{**dict.fromkeys(names, 0), **values})

    def control(self, method: str, path: str, body: object = None) -> Any:
        return self.simulator.control.part("plm", method, path, body)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.in_thread([PlmPart]) as running:
        yield running


@pytest.fixture
def plm(simulator: Simulator) -> Plm:
    simulator.reset()
    return Plm(simulator)


# The published examples


@pytest.mark.parametrize("path", ["/storage/synchronizers", "/storage/synchronizers/"])
def test_the_published_create(plm: Plm, path: str) -> None:
    """The answer has no states of push and pull, although the published example shows some."""
    answer = plm.call("POST", path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    body = answer.json()
    push, pull = body["synchronizer"]["push"]["id"], body["synchronizer"]["pull"]["id"]
    assert re.fullmatch(r"\$" + UUID4, push)
    assert re.fullmatch(r"\$" + UUID4, pull)
    identifier = f"{push}+{pull[1:]}"
    assert body == {
        "status": 0,
        "synchronizer": {"id": identifier, "state": "triggered", "push": {"id": push}, "pull": {"id": pull}},
    }
    assert [(entry["method"], entry["kind"]) for entry in plm.simulator.requests()] == [("POST", "mutate")]
    assert plm.control("GET", "/synchronizers")["posts"] == 1


def test_the_published_show(plm: Plm) -> None:
    plm.script()
    identifier = plm.post()
    push, dummy, pull = identifier.partition("+")
    answer = plm.call("GET", f"/storage/synchronizers/{identifier}")
    assert answer.json() == {
        "status": 0,
        "synchronizer": {
            "id": identifier,
            "state": "completed",
            "push": {"id": push, "state": "completed"},
            "pull": {"id": "$" + pull, "state": "completed"},
        },
    }
    assert plm.simulator.requests()[-1]["kind"] == "observe"


def test_the_published_requests_with_curl(plm: Plm) -> None:
    plm.script()

    def curl(*arguments: str) -> Any:
        return json.loads(subprocess.run(["curl", "--silent", *arguments], capture_output=True, check=True, timeout=20).stdout)

    identifier = curl("--request", "POST", plm.url + "/storage/synchronizers/")["synchronizer"]["id"]
    shown = curl(f"{plm.url}/storage/synchronizers/{identifier}")
    assert (shown["status"], shown["synchronizer"]["state"]) == (0, "completed")


def test_both_prefixes_lead_to_the_same_server(plm: Plm) -> None:
    plm.script()
    identifier = plm.post()
    standalone = plm.simulator["plm"]["standalone_url"]
    assert standalone.endswith("/v0")
    assert requests.get(f"{standalone}{SYNCHRONIZERS}/{identifier}", timeout=10).json()["synchronizer"]["state"] == "completed"


def test_the_prefix_can_be_moved(plm: Plm) -> None:
    plm.knob(prefix="/media/v0")
    assert plm.call("POST", SYNCHRONIZERS).status_code == 404
    moved = plm.control("GET", "")["url"]
    assert moved.endswith("/media/v0")
    assert requests.post(moved + SYNCHRONIZERS, timeout=10).status_code == 200


# States, row by row

ABSENT: States = (None, None, None)
COMPLETED: States = ("completed", "completed", "completed")
ROWS: dict[str, tuple[dict[str, Any], States]] = {
    "just posted": ({"document_seconds": LONG}, ABSENT),
    "push running": ({"push_seconds": LONG}, ("triggered", "triggered", None)),
    "push done, pull not started": ({"gap_seconds": LONG}, (None, "completed", None)),
    "pull running": ({"pull_seconds": LONG}, ("triggered", "completed", "triggered")),
    "done": ({}, COMPLETED),
    "push failed, pull not started": ({"push_outcome": "error", "gap_seconds": LONG}, ("error", "error", None)),
    "push failed, pull running": ({"push_outcome": "error", "pull_seconds": LONG}, ("error", "error", "triggered")),
    "push failed, pull done": ({"push_outcome": "error"}, ("error", "error", "completed")),
    "pull failed": ({"pull_outcome": "error"}, ("error", "completed", "error")),
    "both failed": ({"push_outcome": "error", "pull_outcome": "error"}, ("error", "error", "error")),
    "replication refused": ({"push_outcome": "never", "pull_outcome": "never"}, ABSENT),
    "pull refused": ({"pull_outcome": "never"}, (None, "completed", None)),
    "push stateless, pull running": ({"push_outcome": "never", "pull_seconds": LONG}, ("triggered", None, "triggered")),
    "push stateless, pull done": ({"push_outcome": "never"}, (None, None, "completed")),
    "touchdb, remote gone": ({"push_outcome": "stuck-triggered"}, ("triggered", "triggered", None)),
    "pouchdb, document without state yet": ({"profile": "pouchdb", "blip_seconds": LONG}, ABSENT),
    "pouchdb, both at once": (
        {"profile": "pouchdb", "push_seconds": LONG, "pull_seconds": LONG},
        ("triggered", "triggered", "triggered"),
    ),
    "pouchdb, pull first": ({"profile": "pouchdb", "push_seconds": LONG}, ("triggered", "triggered", "completed")),
    "pouchdb, remote gone": (
        {"profile": "pouchdb", "push_outcome": "stuck-triggered", "pull_outcome": "stuck-triggered"},
        ("triggered", "triggered", "triggered"),
    ),
    "pouchdb, done": ({"profile": "pouchdb"}, COMPLETED),
    "couchdb1, push running": ({"profile": "couchdb1", "push_seconds": LONG}, ("triggered", "triggered", None)),
    "couchdb1, gap": ({"profile": "couchdb1", "gap_seconds": LONG}, (None, "completed", None)),
    "couchdb1, retries given up": (
        {"profile": "couchdb1", "push_outcome": "error", "flap_seconds": 0, "gap_seconds": LONG},
        ("error", "error", None),
    ),
    "couchdb2, running": ({"profile": "couchdb2", "push_seconds": LONG, "pull_seconds": LONG}, ABSENT),
    "couchdb2, push done": ({"profile": "couchdb2", "pull_seconds": LONG}, (None, "completed", None)),
    "couchdb2, push failed": (
        {"profile": "couchdb2", "push_outcome": "error", "pull_seconds": LONG},
        (None, "failed", None),
    ),
    "couchdb2, push failed, pull done": ({"profile": "couchdb2", "push_outcome": "error"}, (None, "failed", "completed")),
    "couchdb2, done": ({"profile": "couchdb2"}, COMPLETED),
    "failed is passed through": ({"push_outcome": "failed"}, (None, "failed", "completed")),
}


@pytest.mark.parametrize("row", ROWS)
def test_states(plm: Plm, row: str) -> None:
    knobs, expected = ROWS[row]
    plm.script(**knobs)
    identifier = plm.post()
    assert plm.states(identifier) == expected
    overall, push, pull = expected
    truth = plm.control("GET", "/synchronizers")["synchronizers"]
    assert [(each["id"], each["overall"], each["push"], each["pull"]) for each in truth] == [(identifier, overall, push, pull)]


def watch(plm: Plm, identifier: str, last: States) -> list[States]:
    """The different states one after the other, until ``last``."""
    seen: list[States] = []

    def is_last() -> bool:
        now = plm.states(identifier)
        if not seen or seen[-1] != now:
            seen.append(now)
        return now == last

    wait_until(is_last, interval=0.002)
    return seen


def test_the_whole_life_of_a_synchronizer(plm: Plm) -> None:
    plm.knob(document_seconds=0.5, push_seconds=0.5, gap_seconds=0.5, pull_seconds=0.5)
    assert watch(plm, plm.post(), COMPLETED) == [
        ABSENT,
        ("triggered", "triggered", None),
        (None, "completed", None),
        ("triggered", "completed", "triggered"),
        COMPLETED,
    ]


def test_the_whole_life_with_pouchdb(plm: Plm) -> None:
    """Neither a gap nor an order."""
    plm.knob(profile="pouchdb", document_seconds=0, blip_seconds=0.5, push_seconds=1.0, pull_seconds=0.5, gap_seconds=LONG)
    assert watch(plm, plm.post(), COMPLETED) == [
        ABSENT,
        ("triggered", "triggered", "triggered"),
        ("triggered", "triggered", "completed"),
        COMPLETED,
    ]


@pytest.mark.parametrize(
    ("knobs", "end"),
    [
        ({"profile": "couchdb1", "pull_outcome": "error", "flap_end": "completed"}, "error"),
        ({"profile": "touchdb", "pull_outcome": "flapping"}, "error"),
        ({"profile": "touchdb", "pull_outcome": "flapping", "flap_end": "completed"}, "completed"),
    ],
)
def test_an_error_may_be_retried(plm: Plm, knobs: dict[str, Any], end: str) -> None:
    """A state of "error" is not the end of it."""
    plm.script(pull_seconds=0.5, flap_seconds=0.5, flap_retries=2, **knobs)
    identifier = plm.post()
    seen: list[str | None] = []
    while plm.control("GET", "/synchronizers")["synchronizers"][0]["active"]:
        state = plm.states(identifier)[2]
        if not seen or seen[-1] != state:
            seen.append(state)
    assert seen[:5] == ["triggered", "error", "triggered", "error", "triggered"]
    assert plm.states(identifier) == (end, "completed", end)


def test_a_flapping_push_lets_the_pull_start_at_its_first_error(plm: Plm) -> None:
    plm.script(profile="couchdb1", push_outcome="error", flap_seconds=LONG)
    assert plm.states(plm.post()) == ("error", "error", "completed")


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


# The database, the process


def test_with_the_database_down_every_id_reads_error_for_a_while(plm: Plm) -> None:
    plm.script()
    finished = plm.post()
    plm.knob(db_down=True)
    assert plm.states(finished) == ("error", "error", "error")
    assert plm.states("$never+was") == ("error", "error", "error")
    lost = plm.post()
    plm.knob(db_down=False)
    assert plm.states(finished) == COMPLETED
    assert plm.states(lost) == ABSENT


def test_a_restart_keeps_states_and_loses_pulls_that_did_not_start(plm: Plm) -> None:
    plm.script()
    finished = plm.post()
    plm.script(gap_seconds=1.0)
    lost = plm.post()
    plm.script(pull_seconds=1.0)
    pulling = plm.post()
    plm.control("POST", "/restart")
    assert plm.states(finished) == COMPLETED
    wait_until(lambda: plm.states(pulling) == COMPLETED)
    time.sleep(0.1)
    assert plm.states(lost) == (None, "completed", None)


@pytest.mark.parametrize(
    ("knobs", "expected"),
    [
        ({"profile": "pouchdb"}, ("triggered", None, "triggered")),
        ({"profile": "couchdb1"}, ABSENT),
        ({"profile": "couchdb2"}, ABSENT),
        ({"profile": "touchdb"}, ("triggered", "triggered", None)),
        ({"profile": "couchdb1", "duplicates": "independent"}, ("triggered", "triggered", None)),
        ({"profile": "couchdb1", "duplicates": "pull_runs"}, ("triggered", None, "triggered")),
        ({"profile": "touchdb", "duplicates": "stateless"}, ABSENT),
    ],
)
def test_a_second_synchronizer_in_addition_to_another(plm: Plm, knobs: dict[str, Any], expected: States) -> None:
    plm.script(push_seconds=LONG, pull_seconds=LONG, **knobs)
    first = plm.post()
    before = plm.states(first)
    assert plm.states(plm.post()) == expected
    assert plm.states(first) == before
    assert plm.control("GET", "/synchronizers")["posts"] == 2


def test_a_second_synchronizer_may_take_the_pull_of_the_first(plm: Plm, sockets: list[Socket]) -> None:
    """It is at work when the push of the first one ends."""
    plm.script(duplicates="pull_runs", push_seconds=0.5)
    first = plm.post()
    plm.script(duplicates="pull_runs", pull_seconds=LONG)
    second = plm.post()
    wait_until(lambda: plm.states(first)[1] == "completed")
    time.sleep(0.1)
    assert plm.states(first) == (None, "completed", None)
    assert plm.states(second) == ("triggered", None, "triggered")


def test_a_stuck_replication_makes_every_later_one_a_duplicate(plm: Plm) -> None:
    plm.script(profile="couchdb1", push_outcome="stuck-triggered")
    plm.post()
    plm.script(push_outcome="completed")
    assert plm.states(plm.post()) == ABSENT


def test_a_second_synchronizer_after_the_first_is_no_duplicate(plm: Plm) -> None:
    plm.script(profile="couchdb1")
    plm.post()
    assert plm.states(plm.post()) == COMPLETED


def test_a_run_can_be_settled_and_started_by_somebody_else(plm: Plm) -> None:
    plm.script(push_seconds=LONG)
    identifier = plm.control("POST", "/synchronizers")["id"]
    assert plm.states(identifier) == ("triggered", "triggered", None)
    assert plm.control("GET", "/synchronizers")["posts"] == 0
    assert plm.simulator.requests(kind="mutate") == []
    plm.control("POST", "/settle", {"id": identifier, "push": "error"})
    assert plm.states(identifier) == ("error", "error", "completed")
    plm.control("POST", "/settle")
    assert plm.states(identifier) == COMPLETED


def test_a_lost_reply_has_its_effect(plm: Plm) -> None:
    plm.simulator.fault("drop_after", part="plm", method="POST")
    with pytest.raises(requests.ConnectionError):
        plm.call("POST", SYNCHRONIZERS)
    assert plm.control("GET", "/synchronizers")["posts"] == 1


# Notifications

ESTABLISHED = {"resource": "/notifications", "event": "connection.established"}


class Socket:
    """websocket-client, as anybody would use it."""

    def __init__(self, url: str) -> None:
        self._socket = websocket.create_connection(url, timeout=5)

    def send(self, frame: object) -> None:
        self._socket.send(frame if isinstance(frame, str) else json.dumps(frame))

    def receive(self, timeout: float = 5.0) -> Any:
        self._socket.settimeout(timeout)
        return json.loads(self._socket.recv())

    def silent(self, seconds: float = 0.1) -> bool:
        try:
            self.receive(seconds)
        except websocket.WebSocketTimeoutException:
            return True
        return False

    def lost(self) -> bool:
        """The server has gone."""
        self._socket.settimeout(5)
        try:
            return bool(self._socket.recv() == "")
        except (websocket.WebSocketConnectionClosedException, ConnectionError):
            return True

    def close(self) -> None:
        self._socket.close()


def subscription(resource: str = SYNCHRONIZERS) -> dict[str, Any]:
    return {"resource": "_client", "event": "subscribe", "data": {"resource": resource}}


@pytest.fixture
def sockets(plm: Plm) -> Iterator[list[Socket]]:
    opened: list[Socket] = []
    yield opened
    for each in opened:
        each.close()


def connect(plm: Plm, sockets: list[Socket], *frames: object, path: str | None = None) -> Socket:
    """A connection that has sent these frames and is known to be heard."""
    url = str(plm.simulator["plm"]["notifications_url"])
    if path is not None:
        url = url.removesuffix("/v0/notifications") + path
    before = len(plm.control("GET", "/notifications")["listeners"])
    socket = Socket(url)
    sockets.append(socket)
    assert socket.receive() == ESTABLISHED
    for frame in frames:
        socket.send(frame)
    if frames:
        # Subscriptions are not acknowledged; only the control API shows that they have arrived.
        wait_until(lambda: [topics for topics in plm.control("GET", "/notifications")["listeners"][before:] if topics])
    return socket


def test_the_flow_of_notifications(plm: Plm, sockets: list[Socket]) -> None:
    socket = connect(plm, sockets, subscription())
    assert socket.silent()  # no acknowledgement
    identifier = plm.post()
    push, dummy, pull = identifier.partition("+")
    assert socket.receive() == {
        "resource": SYNCHRONIZERS,
        "event": "sync.started",
        "data": {"id": identifier, "state": "triggered", "push": {"id": push}, "pull": {"id": "$" + pull}},
    }
    assert socket.receive() == {
        "resource": SYNCHRONIZERS,
        "event": "sync.completed",
        "data": {
            "id": identifier,
            "state": "completed",
            "push": {"id": push, "state": "completed"},
            "pull": {"id": "$" + pull, "state": "completed"},
        },
    }
    assert plm.states(identifier) == COMPLETED
    assert socket.silent()


def test_started_is_notified_before_the_post_is_answered(plm: Plm, sockets: list[Socket]) -> None:
    socket = connect(plm, sockets, subscription())
    plm.simulator.fault("delay_after", part="plm", method="POST", seconds=0.5)
    answered = threading.Event()

    def post() -> None:
        plm.call("POST", SYNCHRONIZERS)
        answered.set()

    thread = threading.Thread(target=post)
    thread.start()
    assert socket.receive()["event"] == "sync.started"
    assert not answered.is_set()
    thread.join()


@pytest.mark.parametrize("path", ["/notifications", "/v0/notifications", "/", "/anything/at/all?x=1"])
def test_any_path_will_do(plm: Plm, sockets: list[Socket], path: str) -> None:
    connect(plm, sockets, path=path)


def test_plain_http_is_404_there(plm: Plm) -> None:
    url = plm.simulator["plm"]["notifications_url"].replace("ws://", "http://")
    assert requests.get(url, timeout=10).status_code == 404
    assert requests.post(url, timeout=10).status_code == 404


def test_there_are_no_notifications_on_the_main_port(plm: Plm) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException):
        websocket.create_connection(plm.url.replace("http", "ws", 1) + "/notifications", timeout=5)


@pytest.mark.parametrize(
    ("knobs", "push", "pull"),
    [
        ({"push_outcome": "error"}, "error", "completed"),
        ({"pull_outcome": "error"}, "completed", "error"),
        ({"push_outcome": "never", "pull_outcome": "never"}, None, None),
        ({"pull_outcome": "never"}, "completed", None),
        ({"profile": "pouchdb", "blip_seconds": 0.2}, None, None),  # announced before anything is known
        ({"profile": "couchdb2", "push_seconds": 0.2, "pull_seconds": 0.2}, None, None),
    ],
)
def test_completed_always_claims_success(
    plm: Plm, sockets: list[Socket], knobs: dict[str, Any], push: str | None, pull: str | None
) -> None:
    plm.script(**knobs)
    socket = connect(plm, sockets, subscription())
    identifier = plm.post()
    assert socket.receive()["event"] == "sync.started"
    frame = socket.receive()
    assert frame["event"] == "sync.completed"
    data = frame["data"]
    assert (data["id"], data["state"], data["push"].get("state"), data["pull"].get("state")) == (
        identifier,
        "completed",
        push,
        pull,
    )


def test_with_pouchdb_completed_comes_while_everything_runs(plm: Plm, sockets: list[Socket]) -> None:
    plm.script(profile="pouchdb", push_seconds=LONG, pull_seconds=LONG)
    socket = connect(plm, sockets, subscription())
    identifier = plm.post()
    assert [socket.receive()["event"] for dummy in range(2)] == ["sync.started", "sync.completed"]
    assert plm.states(identifier) == ("triggered", "triggered", "triggered")


@pytest.mark.parametrize("knobs", [{"db_down": True}, {"push_outcome": "stuck-triggered"}, {"pull_outcome": "stuck-triggered"}])
def test_completed_may_never_come(plm: Plm, sockets: list[Socket], knobs: dict[str, Any]) -> None:
    plm.script(**knobs)
    socket = connect(plm, sockets, subscription())
    plm.post()
    assert socket.receive()["event"] == "sync.started"
    assert socket.silent(0.2)


def test_completed_may_come_late(plm: Plm, sockets: list[Socket]) -> None:
    plm.script(announce_seconds=0.5)
    socket = connect(plm, sockets, subscription())
    identifier = plm.post()
    assert socket.receive()["event"] == "sync.started"
    assert plm.states(identifier) == COMPLETED
    assert socket.silent(0.1)
    assert socket.receive()["event"] == "sync.completed"


def test_a_restart_cuts_listeners_off_and_forgets_pending_notifications(plm: Plm, sockets: list[Socket]) -> None:
    plm.script(pull_seconds=0.4)
    first = connect(plm, sockets, subscription())
    identifier = plm.post()
    assert first.receive()["event"] == "sync.started"
    plm.control("POST", "/restart")
    assert first.lost()
    second = connect(plm, sockets, subscription())
    wait_until(lambda: plm.states(identifier) == COMPLETED)
    assert second.silent(0.2)


def test_everybody_hears_of_everything_from_now_on(plm: Plm, sockets: list[Socket]) -> None:
    """No replay, no filter, and nothing without a subscription."""
    plm.script()
    plm.post()
    listening = [connect(plm, sockets, subscription(), subscription()) for dummy in range(2)]  # twice counts once
    deaf = [connect(plm, sockets), connect(plm, sockets, subscription("/importers"))]
    identifier = plm.control("POST", "/synchronizers")["id"]
    for socket in listening:
        frames = [socket.receive() for dummy in range(2)]
        assert [frame["event"] for frame in frames] == ["sync.started", "sync.completed"]
        assert {frame["data"]["id"] for frame in frames} == {identifier}
        assert socket.silent()
    assert all(socket.silent() for socket in deaf)


@pytest.mark.parametrize("resource", [SYNCHRONIZERS, "/storage/synchronizer"])
def test_unsubscribing_is_ignored(plm: Plm, sockets: list[Socket], resource: str) -> None:
    unsubscribe = {"resource": "_client", "event": "unsubscribe", "data": {"resource": resource}}
    socket = connect(plm, sockets, subscription(), unsubscribe)
    other = connect(plm, sockets, unsubscribe, subscription("/importers"))
    plm.post()
    assert socket.receive()["event"] == "sync.started"
    assert other.silent()


BAD_FRAMES = [subscription("/storage/synchronizer"), {"resource": "_client", "event": "subscribe"}, "not json"]


@pytest.mark.parametrize("frame", BAD_FRAMES)
def test_an_unexpected_frame_ends_the_server(plm: Plm, sockets: list[Socket], frame: object) -> None:
    plm.script(gap_seconds=1.0)
    plm.knob(crash_on_bad_subscribe=True)
    identifier = plm.post()
    other, socket = connect(plm, sockets, subscription()), connect(plm, sockets)
    socket.send(frame)
    assert socket.lost()
    assert other.lost()
    assert plm.control("GET", "/notifications")["crashed"]
    with pytest.raises(requests.ConnectionError):
        plm.call("GET", f"{SYNCHRONIZERS}/{identifier}")
    with pytest.raises((ConnectionError, websocket.WebSocketException)):
        Socket(plm.simulator["plm"]["notifications_url"])
    plm.control("POST", "/restart")
    connect(plm, sockets)
    time.sleep(1.05)
    assert plm.states(identifier) == (None, "completed", None)  # its pull was lost with the process


@pytest.mark.parametrize("frame", [*BAD_FRAMES, "null", "[1]"])
def test_a_server_that_survives_unexpected_frames(plm: Plm, sockets: list[Socket], frame: object) -> None:
    socket = connect(plm, sockets, frame, subscription())
    plm.post()
    assert socket.receive()["event"] == "sync.started"


def test_reset_forgets_everything(plm: Plm, sockets: list[Socket]) -> None:
    plm.script(pull_seconds=0.3)
    socket = connect(plm, sockets, subscription())
    identifier = plm.post()
    plm.simulator.reset()
    assert socket.receive()["event"] == "sync.started"
    assert socket.lost()
    assert plm.states(identifier) == ABSENT
    time.sleep(0.35)
    assert plm.control("GET", "/notifications") == {"listeners": [], "published": [], "crashed": False}
    assert plm.control("GET", "/synchronizers") == {"posts": 0, "synchronizers": []}


def test_both_parts_are_listed() -> None:
    """A subprocess, as in everyday use."""
    with Simulator.start(parts=["plm", "serveravatar"]) as simulator:
        assert set(simulator.info) == {"plm", "serveravatar", "control"}
        assert requests.post(simulator["plm"]["url"] + SYNCHRONIZERS, timeout=10).json()["status"] == 0
        about = simulator["serveravatar"]
        answer = requests.get(about["url"] + "/organizations", headers={"Authorization": about["api_token"]}, timeout=10)
        assert answer.status_code == 200
