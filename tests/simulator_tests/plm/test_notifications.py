# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notifications over a websocket."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import requests
import websocket

from tests.simulator.client import wait_until
from tests.simulator_tests.plm.client import ABSENT, COMPLETED, LONG, SYNCHRONIZERS, Plm, Socket, connect, subscription


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
