# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The framework of the simulator, tried with a part that does nearly nothing."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket
from aiohttp import web

from tests.simulator.client import STOP_SECONDS, ControlError, Simulator, wait_until
from tests.simulator.framework import (
    MUTATE,
    Abort,
    Call,
    Environment,
    KnobError,
    Knobs,
    Part,
    Route,
    json_answer,
    text_answer,
)
from tests.simulator.requestlog import redact


@dataclass
class ToyKnobs(Knobs):
    seconds: float = 0.5
    label: str | None = None
    enabled: bool = True
    items: list[int] = field(default_factory=list)


class ToyPart(Part):
    name = "toy"
    ports = ("main", "side")
    secret_query = frozenset({"token"})
    knobs: ToyKnobs

    def __init__(self, env: Environment) -> None:
        super().__init__(env, ToyKnobs())
        self.syncs = 0
        (env.workdir / "file").write_text("anything", encoding="utf-8")

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/things/{thing}", self.show),
            Route("GET", "/things/{thing}/sync", self.sync, kind=MUTATE),
            Route("POST", "/tree/{path:rest}", self.tree),
            Route("GET", "/boom", self.boom),
            Route("GET", "/abort", self.abort),
            Route("GET", "/nodelay", self.nodelay),
            Route("GET", "/socket", self.socket, port="side"),
        ]

    def control_routes(self) -> list[Route]:
        return [Route("GET", "/syncs", self.count), Route("POST", "/bad", self.bad)]

    def describe(self) -> dict[str, Any]:
        return {"url": self.url, "side": self.urls["side"], "folder": str(self.env.workdir)}

    async def reset(self) -> None:
        self.syncs = 0

    async def show(self, call: Call) -> web.StreamResponse:
        return json_answer({"thing": call.params["thing"], "raw": call.target, "query": call.query})

    async def sync(self, call: Call) -> web.StreamResponse:
        self.syncs += 1
        return json_answer({"count": self.syncs})

    async def tree(self, call: Call) -> web.StreamResponse:
        return text_answer(f"{call.params['path']} {call.body!r}")

    async def boom(self, call: Call) -> web.StreamResponse:
        raise RuntimeError("boom")

    async def abort(self, call: Call) -> web.StreamResponse:
        raise Abort(text_answer("teapot", status=418))

    async def nodelay(self, call: Call) -> web.StreamResponse:
        assert call.request.transport is not None
        sock = call.request.transport.get_extra_info("socket")
        return json_answer(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    async def socket(self, call: Call) -> web.StreamResponse:
        channel = web.WebSocketResponse()
        await channel.prepare(call.request)
        await channel.send_str("hello")
        await channel.close()
        return channel

    async def count(self, call: Call) -> web.StreamResponse:
        return json_answer({"syncs": self.syncs})

    async def bad(self, call: Call) -> web.StreamResponse:
        raise ValueError("no good")


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator.in_thread([ToyPart]) as simulator:
        yield simulator


@pytest.fixture
def toy(running: Simulator) -> Iterator[Simulator]:
    running.reset()
    return running


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def url(toy: Simulator, path: str) -> str:
    return str(toy["toy"]["url"]) + path


# -- routing -----------------------------------------------------------------------------------------------------------


def test_parameters_are_segments_of_the_raw_path(toy: Simulator, http: requests.Session) -> None:
    answer = http.get(url(toy, "/things/0%2F27%20x?a=1%2B1&b=c+d")).json()
    assert answer == {"thing": "0/27 x", "raw": "/things/0%2F27%20x?a=1%2B1&b=c+d", "query": {"a": "1+1", "b": "c d"}}


def test_a_segment_does_not_span_slashes(toy: Simulator, http: requests.Session) -> None:
    assert http.get(url(toy, "/things/a/b")).status_code == 404


def test_rest_parameters_span_slashes_and_bodies_are_bytes(toy: Simulator, http: requests.Session) -> None:
    answer = http.post(url(toy, "/tree/info/refs"), data=b"\x00\xff")
    assert answer.text == "info/refs b'\\x00\\xff'"


def test_wrong_methods_and_unknown_paths_differ(toy: Simulator, http: requests.Session) -> None:
    wrong = http.post(url(toy, "/things/1"))
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET")
    assert http.get(url(toy, "/elsewhere")).status_code == 404


def test_abort_answers_at_once(toy: Simulator, http: requests.Session) -> None:
    answer = http.get(url(toy, "/abort"))
    assert (answer.status_code, answer.text) == (418, "teapot")


def test_a_crash_is_a_500_and_is_logged_as_such(toy: Simulator, http: requests.Session) -> None:
    assert http.get(url(toy, "/boom")).status_code == 500
    assert toy.requests(path="^/boom$")[0]["error"] == "RuntimeError: boom"


def test_routes_belong_to_a_port_and_websockets_work(toy: Simulator, http: requests.Session) -> None:
    assert http.get(url(toy, "/socket")).status_code == 404
    channel = websocket.create_connection(toy["toy"]["side"].replace("http", "ws") + "/socket")
    assert channel.recv() == "hello"
    channel.close()
    assert toy.requests(path="/socket")[-1]["status"] == 101


def test_connections_do_not_delay_small_answers(toy: Simulator, http: requests.Session) -> None:
    assert http.get(url(toy, "/nodelay")).json() == 1


# -- the log -----------------------------------------------------------------------------------------------------------


def test_the_log_distinguishes_kinds_and_keeps_order(toy: Simulator, http: requests.Session) -> None:
    http.get(url(toy, "/things/1"))
    http.get(url(toy, "/things/1/sync"), headers={"Authorization": "secret"})
    http.post(url(toy, "/nowhere"))
    entries = toy.requests()
    shown = [(entry["method"], entry["path"], entry["kind"], entry["status"], entry["authorization"]) for entry in entries]
    assert shown == [
        ("GET", "/things/1", "observe", 200, False),
        ("GET", "/things/1/sync", "mutate", 200, True),
        ("POST", "/nowhere", "mutate", 404, False),
    ]
    assert entries[0]["seq"] < entries[1]["seq"] < entries[2]["seq"]
    assert len({entry["connection"] for entry in entries}) == 1
    assert "secret" not in str(entries)


@pytest.mark.parametrize(
    ("filters", "paths"),
    [
        ({"kind": "mutate"}, ["/things/2/sync"]),
        ({"method": "POST"}, []),
        ({"path": "2"}, ["/things/2", "/things/2/sync"]),
        ({"part": "other"}, []),
        ({"part": "toy", "kind": "observe", "path": "^/things/1$"}, ["/things/1"]),
    ],
)
def test_the_log_can_be_filtered(toy: Simulator, http: requests.Session, filters: dict[str, str], paths: list[str]) -> None:
    for path in ("/things/1", "/things/2", "/things/2/sync"):
        http.get(url(toy, path))
    assert [entry["path"] for entry in toy.requests(**filters)] == paths


def test_since_and_clear(toy: Simulator, http: requests.Session) -> None:
    http.get(url(toy, "/things/1"))
    seq = toy.requests()[-1]["seq"]
    http.get(url(toy, "/things/2"))
    assert [entry["path"] for entry in toy.requests(since=seq)] == ["/things/2"]
    toy.clear()
    assert toy.requests() == []
    http.get(url(toy, "/things/3"))
    assert toy.requests()[0]["seq"] == seq + 2


def test_secrets_in_queries_are_blanked(toy: Simulator, http: requests.Session) -> None:
    assert http.get(url(toy, "/things/1?a=%20b&token=s3cret&c")).json()["query"]["token"] == "s3cret"
    assert toy.requests()[0]["path"] == "/things/1?a=%20b&token=***&c"
    assert redact("/x?to%6ben=1&token&other=token", frozenset({"token"})) == "/x?to%6ben=***&token&other=token"


# -- faults ------------------------------------------------------------------------------------------------------------


def sync(toy: Simulator, http: requests.Session, timeout: float = 5.0) -> requests.Response:
    return http.get(url(toy, "/things/1/sync"), timeout=timeout, allow_redirects=False)


def syncs(toy: Simulator) -> int:
    return int(toy.control.part("toy", "GET", "/syncs")["syncs"])


def test_status_html_and_redirect_replace_the_answer(toy: Simulator, http: requests.Session) -> None:
    toy.fault("status", part="toy", code=429, body="{}", content_type="application/json", headers={"Retry-After": "7"})
    toy.fault("html", part="toy")
    toy.fault("redirect", part="toy", location="/login")
    slow = sync(toy, http)
    assert (slow.status_code, slow.text, slow.headers["Retry-After"]) == (429, "{}", "7")
    assert slow.headers["Content-Type"] == "application/json"
    page = sync(toy, http)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html")
    away = sync(toy, http)
    assert (away.status_code, away.headers["Location"]) == (302, "/login")
    assert syncs(toy) == 0
    assert [(entry["fault"], entry["executed"]) for entry in toy.requests()] == [
        ("status", False),
        ("html", False),
        ("redirect", False),
    ]


def test_drop_before_and_drop_after_differ_in_what_happened(toy: Simulator, http: requests.Session) -> None:
    toy.fault("drop_before", part="toy")
    with pytest.raises(requests.ConnectionError, match="without response"):
        sync(toy, http)
    assert syncs(toy) == 0
    toy.fault("drop_after", part="toy")
    with pytest.raises(requests.ConnectionError, match="reset"):
        sync(toy, http)
    assert syncs(toy) == 1
    assert [(entry["status"], entry["executed"]) for entry in toy.requests()] == [(None, False), (None, True)]


def test_status_after_hides_that_it_worked(toy: Simulator, http: requests.Session) -> None:
    toy.fault("status_after", part="toy")
    answer = sync(toy, http)
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html")
    assert syncs(toy) == 1


def test_truncate_cuts_the_body(toy: Simulator, http: requests.Session) -> None:
    toy.fault("truncate", part="toy")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        sync(toy, http)
    assert syncs(toy) == 1


@pytest.mark.parametrize(("kind", "early"), [("delay", 0), ("delay_after", 1)])
def test_delays(toy: Simulator, http: requests.Session, kind: str, early: int) -> None:
    """The count in the middle of the delay shows whether the work comes before or after it."""
    toy.fault(kind, part="toy", seconds=1.5)
    began = time.monotonic()
    with pytest.raises(requests.ReadTimeout):
        sync(toy, http, timeout=0.1)
    if early:
        wait_until(lambda: syncs(toy) == 1)
        assert time.monotonic() - began < 1.5
    else:
        assert syncs(toy) == 0
        wait_until(lambda: syncs(toy) == 1)
        assert time.monotonic() - began >= 1.5


def test_hang_answers_nothing_and_then_closes(toy: Simulator, http: requests.Session) -> None:
    toy.fault("hang", part="toy", seconds=0.2)
    started = time.monotonic()
    with pytest.raises(requests.ConnectionError, match="without response"):
        sync(toy, http)
    assert time.monotonic() - started >= 0.2
    assert syncs(toy) == 0


def test_rules_count_skip_and_select(toy: Simulator, http: requests.Session) -> None:
    toy.fault("status", method="GET", path_regex="/sync$", request_kind="mutate", after=1, times=2, code=500)
    codes = [sync(toy, http).status_code for _round in range(4)]
    assert codes == [200, 500, 500, 200]
    assert http.get(url(toy, "/things/1")).status_code == 200
    assert toy.control.faults()[0]["applied"] == 2


def test_unlimited_rules_hold_until_cleared(toy: Simulator, http: requests.Session) -> None:
    toy.fault("status", part="toy", times=None, code=503)
    assert [sync(toy, http).status_code for _round in range(3)] == [503, 503, 503]
    toy.control.call("DELETE", "/faults", part="other")
    assert sync(toy, http).status_code == 503
    toy.clear()
    assert sync(toy, http).status_code == 200


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"kind": "nope"}, "unknown kind 'nope'"),
        ({"kind": "delay"}, "delay needs seconds"),
        ({"kind": "redirect"}, "redirect needs a location"),
        ({"kind": "status", "path_regex": "("}, "FaultError"),
        ({"kind": "status", "colour": "red"}, "colour"),
    ],
)
def test_rules_that_cannot_work_are_refused(toy: Simulator, rule: dict[str, Any], text: str) -> None:
    with pytest.raises(ControlError, match=text):
        toy.control.call("POST", "/faults", rule)
    assert toy.control.faults() == []


def test_offline_refuses_and_online_keeps_the_address(toy: Simulator, http: requests.Session) -> None:
    http.get(url(toy, "/things/1"))
    toy.control.offline("toy")
    with pytest.raises(requests.ConnectionError, match=r"refused|Connection aborted"):
        http.get(url(toy, "/things/1"))
    with pytest.raises(requests.ConnectionError, match="refused"):
        http.get(url(toy, "/things/1"))
    toy.control.online("toy")
    assert http.get(url(toy, "/things/1")).status_code == 200


# -- knobs and the control API -----------------------------------------------------------------------------------------


def test_knobs_are_set_and_restored(toy: Simulator) -> None:
    assert toy.knob("toy", seconds=2, label="x")["seconds"] == 2
    assert toy.control.part("toy", "GET", "/knobs") == {"seconds": 2, "label": "x", "enabled": True, "items": []}
    toy.control.reset("toy")
    assert toy.knob("toy") == {"seconds": 0.5, "label": None, "enabled": True, "items": []}


@pytest.mark.parametrize(
    "values",
    [{"nope": 1}, {"seconds": "1"}, {"seconds": True}, {"enabled": 1}, {"label": 5}, {"items": {}}, {"seconds": None}],
)
def test_wrong_knobs_change_nothing(values: dict[str, object]) -> None:
    knobs = ToyKnobs()
    with pytest.raises(KnobError):
        knobs.update({"enabled": False, **values})
    assert knobs == ToyKnobs()


def test_the_control_api_says_what_is_wrong(toy: Simulator) -> None:
    cases: list[tuple[Callable[[], object], str]] = [
        (lambda: toy.knob("toy", nope=1), "400 .*unknown knob 'nope', known: enabled, items, label, seconds"),
        (lambda: toy.control.part("other", "GET", "/knobs"), "404 .*no part 'other', running: toy"),
        (lambda: toy.control.part("toy", "POST", "/bad"), "400 .*ValueError: no good"),
        (lambda: toy.control.call("GET", "/elsewhere"), "404 "),
        (lambda: toy.control.call("PUT", "/requests"), "405 "),
        (lambda: toy.requests(path="("), "400 "),
    ]
    for call, pattern in cases:
        with pytest.raises(ControlError, match=pattern):
            call()


def test_reset_is_everything(toy: Simulator, http: requests.Session) -> None:
    toy.knob("toy", seconds=3.0)
    toy.fault("status", part="toy", after=1)
    sync(toy, http)
    toy.control.offline("toy")
    toy.reset()
    assert (syncs(toy), toy.requests(), toy.control.faults()) == (0, [], [])
    assert toy.knob("toy")["seconds"] == 0.5
    assert sync(toy, http).status_code == 200


def test_health_and_description(toy: Simulator) -> None:
    assert toy.control.call("GET", "/health") == {"status": "ok", "parts": {"toy": toy["toy"]["url"]}}
    assert toy.control.call("GET", "/parts/toy") == toy["toy"]
    assert list(toy.info) == ["toy", "control"]


def test_stopping_frees_ports_and_files() -> None:
    with Simulator.in_thread([ToyPart]) as simulator:
        simulator.fault("hang", part="toy")
        with pytest.raises(requests.ReadTimeout):
            requests.get(url(simulator, "/things/1"), timeout=0.05)
        folder, port = simulator["toy"]["folder"], int(simulator["toy"]["url"].rsplit(":", 1)[1])
        started = time.monotonic()
    assert time.monotonic() - started < STOP_SECONDS, "a hanging request must not hold up the end"
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    with pytest.raises(FileNotFoundError):
        Path(folder, "file").read_text(encoding="utf-8")


def test_a_part_that_cannot_start_leaves_nothing_behind(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(ToyPart):
        async def start(self) -> None:
            raise OSError("no luck")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(OSError, match="no luck"):
        Simulator.in_thread([Broken])
    assert list(tmp_path.iterdir()) == []
