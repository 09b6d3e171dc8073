# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The notifications of the PLM Media Manager: what is sent, what is heeded, and that nothing about them can do harm."""

from __future__ import annotations

import json
import queue
import ssl
import threading
import time
import types
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.stop import Stopped, StopSignal
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import HttpSettings
from ansible_collections.lockstep.sync.plugins.module_utils._providers.plm import notifications as plm_notifications
from ansible_collections.lockstep.sync.plugins.module_utils._providers.plm.notifications import (
    Notifications,
    parse_notifications_url,
)

URL = "ws://127.0.0.1:9002/notifications"
ID = "$push+pull"
GREETING = {"resource": "/notifications", "event": "connection.established"}
SUBSCRIBE = {"resource": "_client", "event": "subscribe", "data": {"resource": "/storage/synchronizers"}}
#: much longer than any test may take
LONG = 30.0


def completed(
    identifier: t.Any = ID, resource: str = "/storage/synchronizers", event: str = "sync.completed"
) -> dict[str, t.Any]:
    return {"resource": resource, "event": event, "data": {"id": identifier, "state": "completed"}}


class Timeout(Exception):
    pass


class FakeSocket:
    """The part of websocket-client that is used; ``frames`` are what the server says."""

    def __init__(self) -> None:
        self.frames: queue.Queue[t.Any] = queue.Queue()
        self.sent: list[str] = []
        self.closed = threading.Event()
        self.status = 101
        self.refusal: Exception | None = None
        self.arguments: dict[str, t.Any] = {}

    def __call__(self, **arguments: t.Any) -> FakeSocket:
        self.arguments.update(arguments)
        return self

    def connect(self, url: str, **arguments: t.Any) -> None:
        self.arguments.update(url=url, **arguments)
        if self.refusal is not None:
            raise self.refusal

    def getstatus(self) -> int:
        return self.status

    def settimeout(self, seconds: float) -> None:
        self.arguments["slice"] = seconds

    def recv_data(self) -> tuple[int, bytes]:
        try:
            frame = self.frames.get(timeout=0.02)
        except queue.Empty:
            raise Timeout from None
        if isinstance(frame, Exception):
            raise frame
        if frame == "close":
            return 8, b""
        return 1, frame if isinstance(frame, bytes) else json.dumps(frame).encode()

    def send(self, text: str) -> None:
        self.sent.append(text)

    def close(self, timeout: float) -> None:
        self.arguments["goodbye"] = timeout

    def shutdown(self) -> None:
        self.closed.set()

    def say(self, *frames: t.Any) -> None:
        for frame in frames:
            self.frames.put(frame)


@pytest.fixture
def socket(monkeypatch: pytest.MonkeyPatch) -> FakeSocket:
    fake = FakeSocket()
    library = types.SimpleNamespace(WebSocket=fake, WebSocketTimeoutException=Timeout, ABNF=types.SimpleNamespace(OPCODE_CLOSE=8))
    monkeypatch.setattr(plm_notifications, "websocket", library)
    monkeypatch.setattr(plm_notifications, "WEBSOCKET_IMPORT_ERROR", None)
    return fake


class Listener:
    def __init__(self, clock: SystemClock | None = None, **settings: t.Any) -> None:
        self.warnings: list[str] = []
        given = HttpSettings("http://127.0.0.1:9001/v0", **{"request_timeout": 2.0, **settings})
        self.notifications = Notifications(URL, given, clock or SystemClock(), self.warnings.append)

    def pause(self, synchronizer: str, seconds: float) -> None:
        """Pause for ``seconds``, or until the end of ``synchronizer`` is announced."""
        woken = threading.Event()
        self.notifications.watch(synchronizer, woken.set)
        woken.wait(seconds)


@pytest.fixture
def listener() -> t.Iterator[Listener]:
    found = Listener()
    yield found
    found.notifications.close()


def seconds(call: t.Callable[..., None], *arguments: t.Any) -> float:
    started = time.monotonic()
    call(*arguments)
    return time.monotonic() - started


def test_the_only_text_that_is_sent_is_the_subscription(socket: FakeSocket, listener: Listener) -> None:
    socket.say(GREETING)
    listener.notifications.subscribe(LONG)
    error = {"resource": "/notications", "event": "error", "data": {"error_code": 1, "error_message": "x"}}
    socket.say(GREETING, error, completed("other"), completed())
    listener.pause(ID, LONG)
    listener.notifications.close()
    assert [json.loads(text) for text in socket.sent] == [SUBSCRIBE]
    assert socket.closed.is_set()
    assert listener.warnings == []


def test_nothing_is_sent_before_the_greeting(socket: FakeSocket, listener: Listener) -> None:
    socket.say(completed("other"), {"event": "x"})
    listener.notifications.subscribe(0.3)
    assert socket.sent == []
    socket.say(GREETING)
    listener.notifications.subscribe(LONG)
    assert len(socket.sent) == 1


def test_no_credentials_and_no_redirects(socket: FakeSocket, listener: Listener) -> None:
    socket.say(GREETING)
    listener.notifications.subscribe(LONG)
    assert socket.arguments == {
        "url": URL,
        "sslopt": {},
        "enable_multithread": False,
        "timeout": 2.0,
        "redirect_limit": 0,
        "suppress_origin": True,
        "slice": plm_notifications.RECEIVE_SLICE,
    }


@pytest.mark.parametrize(
    ("verify", "trust"),
    [
        (True, {}),
        (False, {"cert_reqs": ssl.CERT_NONE, "check_hostname": False}),
        ("/nowhere/ca.pem", {"ca_certs": "/nowhere/ca.pem"}),
        ("/", {"ca_cert_path": "/"}),
    ],
)
def test_trust_is_that_of_the_api_and_the_client_certificate_stays_there(socket: FakeSocket, verify: t.Any, trust: t.Any) -> None:
    listener = Listener(verify=verify, cert=("cert.pem", "key.pem"))
    socket.say(GREETING)
    listener.notifications.subscribe(LONG)
    listener.notifications.close()
    assert socket.arguments["sslopt"] == trust


def test_an_announcement_ends_a_pause_once(socket: FakeSocket, listener: Listener) -> None:
    socket.say(GREETING, completed())
    listener.notifications.subscribe(LONG)
    assert seconds(listener.pause, ID, LONG) < LONG / 2
    socket.say(completed(), completed())
    assert seconds(listener.pause, ID, 0.2) >= 0.2


def test_an_announcement_that_came_before_the_pause_counts(socket: FakeSocket, listener: Listener) -> None:
    socket.say(GREETING, completed())
    listener.notifications.subscribe(LONG)
    time.sleep(0.2)
    assert seconds(listener.pause, ID, LONG) < LONG / 2


def test_several_runs_are_distinguished(socket: FakeSocket, listener: Listener) -> None:
    socket.say(GREETING, completed("$a+b"))
    assert seconds(listener.pause, "$a+b", LONG) < LONG / 2
    socket.say(completed("$c+d"))
    assert seconds(listener.pause, "$c+d", LONG) < LONG / 2


@pytest.mark.parametrize(
    "frame",
    [
        completed("$other+one"),
        completed(event="sync.started"),
        completed(resource="/importers"),
        completed(identifier=None),
        completed(identifier=[ID]),
        {"resource": "/storage/synchronizers", "event": "sync.completed"},
        {"resource": "/storage/synchronizers", "event": "sync.completed", "data": ID},
        [ID],
        b"not JSON",
        b"\xff\xfe",
        b"",
    ],
)
def test_other_frames_end_no_pause(socket: FakeSocket, listener: Listener, frame: t.Any) -> None:
    socket.say(GREETING, frame)
    listener.notifications.subscribe(LONG)
    assert seconds(listener.pause, ID, 0.2) >= 0.2
    assert listener.warnings == []


def test_what_is_remembered_is_bounded(socket: FakeSocket, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plm_notifications, "MAX_ANNOUNCED", 2)
    socket.say(GREETING, completed("a"), completed("b"), completed("c"))
    listener.notifications.subscribe(LONG)
    listener.pause("b", LONG)
    assert seconds(listener.pause, "c", 0.2) >= 0.2


@pytest.mark.parametrize(
    ("trouble", "warned_of"),
    [
        (lambda socket: setattr(socket, "refusal", ConnectionRefusedError(111, "Connection refused")), "Connection refused"),
        (lambda socket: setattr(socket, "refusal", RuntimeError("a\nbug " + "x" * 500)), "a bug x"),
        (lambda socket: setattr(socket, "refusal", StatusError()), "HTTP 404"),
        (lambda socket: setattr(socket, "status", 302), "HTTP 302"),
        (lambda socket: socket.say(GREETING, "close"), "has closed the connection"),
        (lambda socket: socket.say(GREETING, ConnectionResetError()), "ConnectionResetError"),
    ],
)
def test_trouble_is_one_warning_and_the_pause_is_kept(
    socket: FakeSocket, listener: Listener, trouble: t.Callable[[FakeSocket], None], warned_of: str
) -> None:
    trouble(socket)
    listener.notifications.subscribe(LONG)
    assert seconds(listener.pause, ID, 0.2) >= 0.2
    assert seconds(listener.pause, ID, 0.1) >= 0.1
    listener.notifications.close()
    (warning,) = listener.warnings
    assert warning.startswith("no notifications from ws://127.0.0.1:9002,")
    assert warned_of in warning
    assert "\n" not in warning
    assert len(warning) < 400
    assert socket.closed.is_set()


class StatusError(Exception):
    """As the library raises it, with the whole answer in its text."""

    status_code = 404

    def __str__(self) -> str:
        return "Handshake status 404 -+-+- {'set-cookie': 'secret'}"


def test_a_server_that_says_nothing_holds_nothing_up(socket: FakeSocket) -> None:
    listener = Listener(request_timeout=0.2)
    assert seconds(listener.notifications.subscribe, LONG) < LONG / 2
    assert seconds(listener.pause, ID, 0.3) >= 0.3
    listener.notifications.close()
    assert "says nothing" in listener.warnings[0]
    assert socket.sent == []


def test_a_missing_library(monkeypatch: pytest.MonkeyPatch, listener: Listener) -> None:
    monkeypatch.setattr(plm_notifications, "WEBSOCKET_IMPORT_ERROR", "Traceback")
    listener.notifications.subscribe(LONG)
    listener.pause(ID, 0)
    assert "websocket-client is not installed" in listener.warnings[0]


def test_a_task_that_is_stopped_is_not_held_up(socket: FakeSocket) -> None:
    stop = StopSignal()
    listener = Listener(SystemClock(stop))
    threading.Timer(0.1, stop.set).start()
    with pytest.raises(Stopped):
        listener.notifications.subscribe(LONG)
    listener.notifications.close()
    assert socket.closed.wait(LONG)


def test_what_was_never_used_connects_to_nothing(socket: FakeSocket, listener: Listener) -> None:
    listener.notifications.close()
    listener.pause(ID, 0.01)
    assert socket.arguments == {}


@pytest.mark.parametrize(
    ("value", "canonical"),
    [
        (URL, URL),
        (f" {URL} ", URL),
        ("wss://media.example.com", "wss://media.example.com"),
        ("ws://[::1]:9002/v0/notifications", "ws://[::1]:9002/v0/notifications"),
    ],
)
def test_addresses(value: str, canonical: str) -> None:
    assert parse_notifications_url(value) == canonical


@pytest.mark.parametrize(
    "value",
    [
        "",
        "media.example.com",
        "http://media.example.com/notifications",
        "ws://",
        "ws://media.example.com:port/",
        "ws://media.example.com:0/",
        "ws://user:hunter2@media.example.com/",
        "ws://user:hunter2@media.example.com:port/",
        "ws://media.example.com/?token=hunter2",
        "ws://media.example.com/#hunter2",
    ],
)
def test_bad_addresses(value: str) -> None:
    with pytest.raises(SyncError) as caught:
        parse_notifications_url(value)
    assert caught.value.code == "invalid_option"
    assert "notifications_url" in caught.value.message
    assert "hunter2" not in caught.value.message + caught.value.hint
