# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The one import of the requests library, and the transport that can prove whether a request left this machine."""

from __future__ import annotations

import threading
import traceback
import typing as t
import urllib.parse

#: what others use of the library, they take from here
__all__ = ["requests"]

REQUESTS_IMPORT_ERROR: str | None
try:
    import requests
    import requests.adapters
    import requests.auth
    import urllib3.connection
    import urllib3.connectionpool

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


class _SendTracker(threading.local):
    """Whether the request being made by this thread has been handed to a socket, if only in part."""

    sent = False


send_tracker = _SendTracker()


class SendTracking:
    """Connection that tells :data:`send_tracker` once a part of the request itself has been sent."""

    sock: t.Any

    def connect(self) -> None:
        # connecting, which includes talking to a proxy, is the part that is provably safe to repeat
        before = send_tracker.sent
        try:
            super().connect()  # type: ignore[misc]  # a mixin: the class beside it has the method
        finally:
            send_tracker.sent = before

    def send(self, data: t.Any) -> None:
        if self.sock is None:
            self.connect()
        send_tracker.sent = True
        super().send(data)  # type: ignore[misc]  # a mixin: the class beside it has the method


class _NoReuse:
    """Pool that keeps no connection, for a server may leave one open though it was asked not to."""

    def _put_conn(self, conn: t.Any) -> None:
        if conn is not None:
            conn.close()
        super()._put_conn(conn)  # type: ignore[misc]  # a mixin: the pool class beside it has the method


class TrackedConnection(SendTracking, _Connection):
    pass


class TrackedTLSConnection(SendTracking, _TLSConnection):
    pass


class TrackedPool(_NoReuse, _Pool):
    ConnectionCls = TrackedConnection


class TrackedTLSPool(_NoReuse, _TLSPool):
    ConnectionCls = TrackedTLSConnection


_POOLS = {"http": TrackedPool, "https": TrackedTLSPool}


class TriggerAdapter(_Adapter):
    """Transport of triggers: never retries, and notes in :data:`send_tracker` when the request is being sent."""

    def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: t.Any) -> t.Any:
        if proxy.lower().startswith("socks"):
            raise requests.exceptions.InvalidProxyURL("a trigger cannot go through a SOCKS proxy; use an HTTP proxy or no_proxy")
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


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
    # else the next request is prepared even where it is not to be sent, and a bad address raises
    session.get_redirect_target = lambda response: None
    session.merge_environment_settings = _remembered(session.merge_environment_settings)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _remembered(merge: t.Callable[..., dict[str, t.Any]]) -> t.Callable[..., dict[str, t.Any]]:
    """What requests reads from the environment for each request (proxies and certificates), read once for each server.

    It took an eighth of the time of a request.
    """
    found: dict[t.Any, dict[str, t.Any]] = {}

    def merged(url: str, proxies: t.Any, stream: t.Any, verify: t.Any, cert: t.Any) -> dict[str, t.Any]:
        if proxies:
            return merge(url, proxies, stream, verify, cert)
        parts = urllib.parse.urlsplit(url)
        key = (parts.scheme, parts.netloc, stream, verify, cert)
        if key not in found:
            found[key] = merge(url, proxies, stream, verify, cert)
        return {**found[key], "proxies": dict(found[key]["proxies"])}

    return merged
