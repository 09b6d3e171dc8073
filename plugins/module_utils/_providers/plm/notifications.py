# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The notifications of a PLM Media Manager, as a hint that it is worth looking now (docs/reference/plm.md#8).

They prove nothing: ``sync.completed`` says ``completed`` after a failure too, comes too early on some databases, and may never
come. So all that a notification does is to end the current pause, once for each synchronizer; and whatever goes wrong here is
a warning.
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
#: seconds that the listening thread may take to notice that it is over, and to say goodbye
RECEIVE_SLICE = 0.1
CLOSE_TIMEOUT = 0.5
JOIN_TIMEOUT = 1.0
#: seconds between two looks for news during a pause
PAUSE_SLICE = 0.05
#: announcements to remember; the server tells everybody about all synchronizers
MAX_ANNOUNCED = 1000

GREETING = "connection.established"
COMPLETED = "sync.completed"
SYNCHRONIZERS = "/storage/synchronizers"
#: the only text that is ever sent: the server dies of any other that it does not expect
SUBSCRIBE = json.dumps({"resource": "_client", "event": "subscribe", "data": {"resource": SYNCHRONIZERS}})


def parse_notifications_url(value: str) -> str:
    """The address of the notifications, which is shown in warnings and so must not hold a secret.

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
    """Listens in a thread of its own, from the first use until it is closed or in trouble; it never connects again.

    No credentials are sent: the address is another origin than that of the API.

    :param url: as :func:`parse_notifications_url` returns it.
    :param settings: those of the API, for time-outs and for the trust in certificates.
    :param warn: takes the one warning that there may be.
    """

    def __init__(self, url: str, settings: HttpSettings, clock: Clock, warn: t.Callable[[str], None]) -> None:
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
        self._heeded: set[str] = set()

    def subscribe(self, limit: float) -> None:
        """Be subscribed on return, unless that takes longer than ``limit`` seconds or fails."""
        self._start()
        end = self._clock.monotonic() + min(limit, self._timeout)
        while not (self._subscribed.is_set() or self._ended) and self._clock.monotonic() < end:
            self._clock.sleep(PAUSE_SLICE)

    def pause(self, synchronizer: str, seconds: float) -> None:
        """Pause for ``seconds``, or until the end of ``synchronizer`` is announced."""
        self._start()
        end = self._clock.monotonic() + seconds
        while not self._heed(synchronizer):
            left = end - self._clock.monotonic()
            if left <= 0:
                break
            self._clock.sleep(left if self._ended else min(left, PAUSE_SLICE))
        self.warn_once()

    def close(self) -> None:
        """Leave the server. Takes a moment at most, whatever the server does."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(JOIN_TIMEOUT)
        self.warn_once()

    @property
    def _timeout(self) -> float:
        return min(SUBSCRIBE_TIMEOUT, self._settings.request_timeout)

    def _heed(self, synchronizer: str) -> bool:
        if synchronizer not in self._announced or synchronizer in self._heeded:
            return False
        self._heeded.add(synchronizer)
        return True

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
        except Exception as exc:  # noqa: BLE001 (a hint that is not to be had must not harm the sync, whatever the reason)
            if not self._stop.is_set():
                self._problem = _in_short(exc)
        finally:
            self._ended = True
            if connection is not None:
                connection.close(timeout=CLOSE_TIMEOUT)
                connection.shutdown()

    def _connect(self, connection: t.Any) -> None:
        connection.connect(self._url, timeout=self._timeout, redirect_limit=0, suppress_origin=True)
        if connection.getstatus() != 101:
            # versions of the library differ in what they make of a redirect
            raise ConnectionError(f"the server answers with HTTP {connection.getstatus()}")
        connection.settimeout(RECEIVE_SLICE)

    def _listen(self, connection: t.Any) -> None:
        # sockets know real time only
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
            self._take(connection, data)

    def _take(self, connection: t.Any, data: bytes) -> None:
        frame = _decoded(data)
        if frame.get("event") == GREETING and not self._subscribed.is_set():
            connection.send(SUBSCRIBE)
            self._subscribed.set()
        elif frame.get("event") == COMPLETED and frame.get("resource") == SYNCHRONIZERS:
            about = frame.get("data")
            synchronizer = about.get("id") if isinstance(about, dict) else None
            if isinstance(synchronizer, str) and len(self._announced) < MAX_ANNOUNCED:
                self._announced.add(synchronizer)


def _trust(verify: bool | str) -> dict[str, t.Any]:
    """The TLS options of websocket-client for those of requests; a client certificate stays with the API."""
    if verify is False:
        return {"cert_reqs": ssl.CERT_NONE, "check_hostname": False}
    if isinstance(verify, str):
        return {"ca_cert_path" if os.path.isdir(verify) else "ca_certs": verify}
    return {}


def _decoded(data: bytes) -> dict[str, t.Any]:
    """A frame, or an empty one for anything that is none."""
    try:
        frame = json.loads(data)
    except ValueError:
        return {}
    return frame if isinstance(frame, dict) else {}


def _in_short(exc: Exception) -> str:
    """The reason of a failure on one line; some of the library's texts repeat the whole answer of the server."""
    status = getattr(exc, "status_code", None)
    if status is not None:
        return f"the server answers with HTTP {status}"
    return " ".join(str(exc).split())[:200] or type(exc).__name__
