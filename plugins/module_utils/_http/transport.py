# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The one import of the requests library, and the transport: it keeps to limits of time, whatever a server does, and can prove
whether a request left this machine.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
import traceback
import typing as t

from . import limits

#: what others use of the library, they take from here
__all__ = ["requests", "urllib3"]

REQUESTS_IMPORT_ERROR: str | None
try:
    import requests
    import requests.adapters
    import requests.auth
    import urllib3.connection
    import urllib3.connectionpool
    import urllib3.exceptions
    import urllib3.util
    import urllib3.util.connection

    REQUESTS_IMPORT_ERROR = None
except ImportError:
    REQUESTS_IMPORT_ERROR = traceback.format_exc()

if t.TYPE_CHECKING or REQUESTS_IMPORT_ERROR is None:
    AuthBase = requests.auth.AuthBase
    _Adapter = requests.adapters.HTTPAdapter
    _Connection = urllib3.connection.HTTPConnection
    _TLSConnection = urllib3.connection.HTTPSConnection
    _Pool = urllib3.connectionpool.HTTPConnectionPool
    _TLSPool = urllib3.connectionpool.HTTPSConnectionPool
else:
    AuthBase = _Adapter = _Connection = _TLSConnection = _Pool = _TLSPool = object


#: what bodies are decoded from; requests would accept more where further libraries are installed
ACCEPTED_CODINGS = "gzip, deflate"
#: interim responses (RFC 9110 section 15.2) to one request, of which a server that was not asked for any sends hardly one
MAX_INTERIM = 32

#: A trigger uses a connection that has carried so many complete responses: a server that closes each connection after a response
#: does not always announce it.
PROVEN_BY = 2
#: seconds since the last of these. Servers close connections that have been idle for longer, as a rule for five seconds or more.
KEPT_FOR = 1.0


class _SendTracker(threading.local):
    """Whether the request being made by this thread has been handed to a socket, if only in part."""

    sent = False
    #: whether it is a trigger
    triggering = False
    _before: t.Callable[[], None] | None = None

    @contextlib.contextmanager
    def request(self, before: t.Callable[[], None]) -> t.Iterator[None]:
        """One trigger.

        :param before: called once, before its first byte is handed to a socket. What it raises keeps the request from being sent.
        """
        self.sent, self.triggering, self._before = False, True, before
        try:
            yield
        finally:
            self.triggering, self._before = False, None

    @contextlib.contextmanager
    def connecting(self) -> t.Iterator[None]:
        """Connect: what is sent to a proxy meanwhile is no part of the request, and provably safe to repeat."""
        sent, before, self._before = self.sent, self._before, None
        try:
            yield
        finally:
            self.sent, self._before = sent, before

    def begin(self) -> bool:
        """Note that something may be handed to a socket now.

        :returns: whether it is the first of a trigger.
        """
        before, self._before = self._before, None
        if before is not None:
            before()
        return before is not None


send_tracker = _SendTracker()


class _LimitedResponse(http.client.HTTPResponse):
    """Response that is received within the limits of the thread that asked for it."""

    def __init__(self, sock: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
        now = limits.current_limits()
        source = limits.LimitedSource(sock, now) if now else sock
        super().__init__(source, *args, **kwargs)  # type: ignore[arg-type]  # of the socket, makefile() is all that is used
        self._heads = 0

    def _read_status(self) -> tuple[str, int, str]:
        # http.client skips as many interim responses as there are
        self._heads += 1
        if self._heads > MAX_INTERIM:
            raise http.client.HTTPException(f"more than {MAX_INTERIM} interim responses (100 Continue)")
        # a method without documentation, the same since Python 2
        return t.cast("tuple[str, int, str]", super()._read_status())  # type: ignore[misc]  # unknown to typeshed


class TrackedConnection:
    """Mixin for connections: they keep to the limits of their thread, and set :data:`send_tracker` once a part of the request
    itself has been sent.
    """

    sock: t.Any
    response_class: t.Any = _LimitedResponse
    #: complete responses that the socket has carried, and when the last one ended (monotonic seconds)
    carried = 0
    idle_since = 0.0

    def note_response(self) -> None:
        """Note that a complete response has been received, after which the connection can be used again."""
        self.carried += 1
        self.idle_since = time.monotonic()

    def serves_triggers(self) -> bool:
        """Whether the connection is known to be alive: it has carried responses, the last one a moment ago.

        That it was not closed since is looked at right before a request is sent, see :meth:`send`.
        """
        return self.carried >= PROVEN_BY and time.monotonic() - self.idle_since <= KEPT_FOR

    def _new_conn(self) -> socket.socket:
        now, connection = limits.current_limits(), t.cast(t.Any, self)
        if now is None:
            return t.cast(socket.socket, super()._new_conn())  # type: ignore[misc]  # a mixin: the other base class has it
        try:
            host, port, options = connection._dns_host, connection.port, connection.socket_options
            return limits.connect(host, port, now.left(now.connect), options=options or ())
        except socket.timeout as exc:
            problem = f"no connection to {connection.host} within {now.connect} s"
            raise urllib3.exceptions.ConnectTimeoutError(connection, problem) from exc
        except OSError as exc:
            raise urllib3.exceptions.NewConnectionError(connection, f"no connection: {exc}") from exc

    def _tunnel(self) -> None:
        super()._tunnel()  # type: ignore[misc]  # a mixin: the other base class has the method
        now = limits.current_limits()
        if now is not None:
            # TLS comes next
            self.sock.settimeout(now.left(now.connect))

    def connect(self) -> None:
        self.carried = 0
        with send_tracker.connecting():
            super().connect()  # type: ignore[misc]  # a mixin: the other base class has the method

    def send(self, data: t.Any) -> None:
        if self.sock is None:
            self.connect()
        if send_tracker.begin() and self.carried and urllib3.util.connection.is_connection_dropped(t.cast(t.Any, self)):
            # closed since it was taken from the pool, or there is something to read which is no response to this request
            self.sock.close()
            self.connect()
        send_tracker.sent = True
        now = limits.current_limits()
        if now is None or not isinstance(data, bytes):
            super().send(data)  # type: ignore[misc]  # a mixin: the other base class has the method
            return
        for start in range(0, len(data), limits.SEND_CHUNK):
            self.sock.settimeout(now.left())
            super().send(data[start : start + limits.SEND_CHUNK])  # type: ignore[misc]  # as above


class _Reuse:
    """Pool that keeps connections, and gives a trigger only one that is known to be alive."""

    def _get_conn(self, timeout: float | None = None) -> t.Any:
        # what this returns has not been closed as far as this machine knows
        conn = super()._get_conn(timeout)  # type: ignore[misc]  # a mixin: the pool class has the method
        if send_tracker.triggering and conn.sock is not None and not conn.serves_triggers():
            # it will be opened again
            conn.close()
        return conn

    def _put_conn(self, conn: t.Any) -> None:
        # with a socket only after a complete response that announced no close
        if conn is not None and conn.sock is not None:
            conn.note_response()
        super()._put_conn(conn)  # type: ignore[misc]  # as above


class _NoReuse:
    """Pool that keeps no connection, for a server may leave one open though it was asked not to."""

    def _put_conn(self, conn: t.Any) -> None:
        if conn is not None:
            conn.close()
        super()._put_conn(conn)  # type: ignore[misc]  # a mixin: the pool class has the method


class HTTPConnection(TrackedConnection, _Connection):
    pass


class HTTPSConnection(TrackedConnection, _TLSConnection):
    pass


class ReadPool(_Reuse, _Pool):
    ConnectionCls = HTTPConnection


class TLSReadPool(_Reuse, _TLSPool):
    ConnectionCls = HTTPSConnection


class TriggerPool(_NoReuse, ReadPool):
    pass


class TLSTriggerPool(_NoReuse, TLSReadPool):
    pass


class ReadAdapter(_Adapter):
    """Transport of requests without side effects: it keeps connections, and to the limits of the thread that uses it."""

    pools: t.ClassVar[t.Mapping[str, t.Any]] = {"http": ReadPool, "https": TLSReadPool}

    def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self.pools

    def proxy_manager_for(self, proxy: str, **kwargs: t.Any) -> t.Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not _is_socks(proxy):
            manager.pool_classes_by_scheme = self.pools
        return manager


class TriggerAdapter(ReadAdapter):
    """Transport of triggers: never retries, and notes in :data:`send_tracker` when the request is being sent."""

    pools: t.ClassVar[t.Mapping[str, t.Any]] = {"http": TriggerPool, "https": TLSTriggerPool}

    def proxy_manager_for(self, proxy: str, **kwargs: t.Any) -> t.Any:
        if _is_socks(proxy):
            raise untracked_proxy()
        return super().proxy_manager_for(proxy, **kwargs)


def untracked_proxy() -> Exception:
    """Why a trigger is not sent: its connection would not show whether anything was sent."""
    return requests.exceptions.InvalidProxyURL("a trigger cannot go through a SOCKS proxy; use an HTTP proxy or no_proxy")


def _is_socks(proxy: str) -> bool:
    return proxy.lower().startswith("socks")


class NoAuth(AuthBase):
    """Sends no credentials. With any auth set, requests leaves ~/.netrc alone."""

    def __call__(self, request: t.Any) -> t.Any:
        return request


class TokenAuth(AuthBase):
    """Sends a fixed Authorization header."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __call__(self, request: t.Any) -> t.Any:
        request.headers["Authorization"] = self._value
        return request


def new_session(adapter: t.Any, auth: t.Any) -> t.Any:
    """A session that uses ``adapter`` for everything and follows no rules but ours."""
    session: t.Any = requests.Session()
    session.auth = auth
    session.headers["Accept-Encoding"] = ACCEPTED_CODINGS
    # else the next request is prepared even where it is not to be sent, and a bad address raises
    session.get_redirect_target = lambda response: None
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session
