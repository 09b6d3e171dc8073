# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the PLM Media Manager part, and one of its notifications."""

from __future__ import annotations

import json
from typing import Any

import requests
import websocket

from tests.simulator.client import Simulator, wait_until

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
        names = ("document_seconds", "blip_seconds", "push_seconds", "gap_seconds", "pull_seconds", "restart_seconds")
        self.knob(**{**dict.fromkeys(names, 0), **values})

    def control(self, method: str, path: str, body: object = None) -> Any:
        return self.simulator.control.part("plm", method, path, body)


ABSENT: States = (None, None, None)
COMPLETED: States = ("completed", "completed", "completed")

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
