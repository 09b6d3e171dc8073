# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The notifications of a PLM Media Manager: a hint that the state may have changed (docs/reference/plm.md#8).

They prove nothing: ``sync.completed`` says ``completed`` after a failure too, is sent too early with some databases, and may
never be sent. So a notification only ends the current pause, once for each synchronizer, and any problem here is a warning.
"""

from __future__ import annotations

import json
import os
import ssl
import threading
import time
import traceback
import typing as t
import urllib.parse

from ..._core.clock import Clock
from ..._core.errors import SyncError, invalid_option
from ..._http.client import HttpSettings

WEBSOCKET_IMPORT_ERROR: str | None
try:
    import websocket

    WEBSOCKET_IMPORT_ERROR = None
except ImportError:
    WEBSOCKET_IMPORT_ERROR = traceback.format_exc()

#: seconds for connecting and subscribing, before a sync is triggered without notifications
SUBSCRIBE_TIMEOUT = 5.0
#: seconds until the listening thread notices that it has to end, and for closing the connection
RECEIVE_SLICE = 0.1
CLOSE_TIMEOUT = 0.5
JOIN_TIMEOUT = 1.0
#: seconds between two checks for announcements during a pause
PAUSE_SLICE = 0.05
#: announcements to remember; the server sends those of all synchronizers to every client
MAX_ANNOUNCED = 1000

GREETING = "connection.established"
COMPLETED = "sync.completed"
SYNCHRONIZERS = "/storage/synchronizers"
#: so many characters of a text of the library are shown
MAX_REASON = 200
#: the only text that is ever sent: some versions of the server end at any other (docs/reference/plm.md#8)
SUBSCRIBE = json.dumps({"resource": "_client", "event": "subscribe", "data": {"resource": SYNCHRONIZERS}})


def parse_notifications_url(value: str) -> str:
    """The address of the notifications. It must not hold a secret, as warnings show it.

    :raises SyncError: ``invalid_option``.
    """
    option, form = "notifications_url", "Use ws://host[:port][/path] or wss://host[:port][/path]."
    if any(mark in value for mark in "@?#"):
        raise SyncError("invalid_option", f"option {option}: the address carries credentials, a query or a fragment", form)
    try:
        parts = urllib.parse.urlsplit(value.strip())
        usable = parts.scheme in ("ws", "wss") and parts.hostname and parts.port != 0
    except ValueError as exc:
        raise invalid_option(option, value, f"is not a valid address ({exc})", form) from None
    if not usable:
        raise invalid_option(option, value, "is not the address of a WebSocket", form)
    return urllib.parse.urlunsplit(parts)


class Notifications:
    """Listens in a separate thread, from the first use until it is closed or fails; it never reconnects.

    No credentials are sent: the address is another origin than that of the API.

    :param url: as :func:`parse_notifications_url` returns it.
    :param settings: those of the API; its time-outs and its validation of certificates are used.
    :param warn: called at most once, with a warning.
    :param redact: hides secrets in texts of the server.
    """

    def __init__(
        self,
        url: str,
        settings: HttpSettings,
        clock: Clock,
        warn: t.Callable[[str], None],
        redact: t.Callable[[str], str] = lambda text: text,
    ) -> None:
        self._redact = redact
        self._url = url
        self._settings = settings
        self._clock = clock
        self._warn = warn
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._subscribed = threading.Event()
        self._stop = threading.Event()
        self._ended = False
        self._problem = ""
        self._announced: set[str] = set()
        self._handled: set[str] = set()
        self._watching: dict[str, t.Callable[[], None]] = {}

    def subscribe(self, limit: float) -> None:
        """Subscribe. Returns after ``limit`` seconds at the latest, subscribed or not."""
        self._start()
        end = self._clock.monotonic() + min(limit, self._timeout)
        while not (self._subscribed.is_set() or self._ended) and self._clock.monotonic() < end:
            self._clock.sleep(PAUSE_SLICE)

    def watch(self, synchronizer: str, wake: t.Callable[[], None]) -> None:
        """Have ``wake`` called when the end of ``synchronizer`` is announced, now if it has been; only the first one counts."""
        self._start()
        with self._lock:
            self._watching[synchronizer] = wake
        self._wake(synchronizer)
        self.warn_once()

    def close(self) -> None:
        """Disconnect, within :data:`JOIN_TIMEOUT` whatever the server does."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(JOIN_TIMEOUT)
        self.warn_once()

    @property
    def _timeout(self) -> float:
        return min(SUBSCRIBE_TIMEOUT, self._settings.request_timeout)

    def _wake(self, synchronizer: str) -> None:
        """Wake what waits for the end of ``synchronizer`` if that was announced; once only."""
        with self._lock:
            if synchronizer not in self._announced or synchronizer in self._handled or synchronizer not in self._watching:
                return
            self._handled.add(synchronizer)
            wake = self._watching.pop(synchronizer)
        wake()

    def warn_once(self) -> None:
        problem, self._problem = self._problem, ""
        if problem:
            parts = urllib.parse.urlsplit(self._url)
            self._warn(f"no notifications from {parts.scheme}://{parts.netloc}, so the module only polls: {problem}")

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="plm-notifications", daemon=True)
                self._thread.start()

    # -- the thread --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        connection: t.Any = None
        try:
            if WEBSOCKET_IMPORT_ERROR is not None:
                raise ImportError("the Python library websocket-client is not installed")
            connection = websocket.WebSocket(sslopt=_trust(self._settings.verify), enable_multithread=False)
            self._connect(connection)
            self._listen(connection)
        except Exception as exc:  # noqa: BLE001 (notifications are optional: no failure of theirs may end the sync)
            if not self._stop.is_set():
                self._problem = _short_reason(exc, self._redact)
        finally:
            self._ended = True
            if connection is not None:
                connection.close(timeout=CLOSE_TIMEOUT)
                connection.shutdown()

    def _connect(self, connection: t.Any) -> None:
        connection.connect(self._url, timeout=self._timeout, redirect_limit=0, suppress_origin=True)
        if connection.getstatus() != 101:
            # versions of the library treat redirects differently
            raise ConnectionError(f"the server answers with HTTP {connection.getstatus()}")
        connection.settimeout(RECEIVE_SLICE)

    def _listen(self, connection: t.Any) -> None:
        # the injected clock does not apply to sockets
        patience = time.monotonic() + self._timeout
        while not self._stop.is_set():
            try:
                opcode, data = connection.recv_data()
            except websocket.WebSocketTimeoutException:
                if not self._subscribed.is_set() and time.monotonic() >= patience:
                    raise ConnectionError("the server accepts the connection and says nothing") from None
                continue
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                raise ConnectionError("the server has closed the connection")
            self._handle_frame(connection, data)

    def _handle_frame(self, connection: t.Any, data: bytes) -> None:
        frame = _decoded(data)
        if frame.get("event") == GREETING and not self._subscribed.is_set():
            connection.send(SUBSCRIBE)
            self._subscribed.set()
        elif frame.get("event") == COMPLETED and frame.get("resource") == SYNCHRONIZERS:
            about = frame.get("data")
            synchronizer = about.get("id") if isinstance(about, dict) else None
            if isinstance(synchronizer, str) and len(self._announced) < MAX_ANNOUNCED:
                self._announced.add(synchronizer)
                self._wake(synchronizer)


def _trust(verify: bool | str) -> dict[str, t.Any]:
    """The TLS options of websocket-client that correspond to those of requests; client certificates are for the API only."""
    if verify is False:
        return {"cert_reqs": ssl.CERT_NONE, "check_hostname": False}
    if isinstance(verify, str):
        return {"ca_cert_path" if os.path.isdir(verify) else "ca_certs": verify}
    return {}


def _decoded(data: bytes) -> dict[str, t.Any]:
    """A decoded frame; empty if it is not a JSON object."""
    try:
        frame = json.loads(data)
    except ValueError:
        return {}
    return frame if isinstance(frame, dict) else {}


def _short_reason(exc: Exception, redact: t.Callable[[str], str]) -> str:
    """The reason of a failure on one line; some texts of the library repeat the whole response of the server."""
    status = getattr(exc, "status_code", None)
    if status is not None:
        return f"the server answers with HTTP {status}"
    return " ".join(redact(str(exc)).split())[:MAX_REASON] or type(exc).__name__
