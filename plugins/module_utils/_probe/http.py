# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""One attempt of one probe: over a new connection, never repeated, and within its time-out however slowly the server sends."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import ssl
import threading
import typing as t

from .._core.clock import Clock
from .._core.errors import SyncError
from .._http import transport
from .._http.client import RequestCount, transport_error
from .._http.response import REDIRECTS
from .address import origin_text, redirected, same_origin, shown_url
from .expect import Certificate, HttpResponse
from .options import Follow, Probe

MAXREDIRECTS = 5
CHUNK = 65536


class Watch:
    """Closes the connections of one attempt at its time-out, and keeps the certificate that they show.

    The time-outs of requests apply to each wait for data, so a server that sends a byte now and then never exceeds them.

    :param seconds: time for the attempt, from entering the context on.
    """

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self.certificate: Certificate | None = None
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> None:
        _current.watch = self
        self._timer.start()

    def __exit__(self, *args: object) -> None:
        _current.watch = None
        self._timer.cancel()
        with self._lock:
            while self._sockets:
                self._sockets.pop().close()

    def opened(self, sock: socket.socket) -> None:
        """Close this connection with the others."""
        # TLS takes over the original socket
        duplicate = sock.dup()
        with self._lock:
            self._sockets.append(duplicate)
            if self.expired:
                _shut(duplicate)

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            for each in self._sockets:
                _shut(each)


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


class _Attempting(threading.local):
    """The attempt that this thread is making."""

    watch: Watch | None = None


_current = _Attempting()


class _Watched:
    """Connection that registers with :class:`Watch`."""

    sock: t.Any

    def _new_conn(self) -> socket.socket:
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]  # a mixin: the other base class has the method
        if _current.watch:
            _current.watch.opened(sock)
        return sock


class _WatchedConnection(_Watched, transport.TrackedConnection):
    pass


class _WatchedTLSConnection(_Watched, transport.TrackedTLSConnection):
    def connect(self) -> None:
        super().connect()
        if _current.watch:
            _current.watch.certificate = certificate_of(self.sock)


class _WatchedPool(transport.TrackedPool):
    ConnectionCls = _WatchedConnection


class _WatchedTLSPool(transport.TrackedTLSPool):
    ConnectionCls = _WatchedTLSConnection


_POOLS = {"http": _WatchedPool, "https": _WatchedTLSPool}


class ProbeAdapter(transport.TriggerAdapter):
    """Transport of probes: no retries, no reuse of connections, and all connections are watched."""

    def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: t.Any) -> t.Any:
        if proxy.lower().startswith("socks"):
            raise transport.requests.exceptions.InvalidProxyURL("probes cannot go through a SOCKS proxy")
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


def certificate_of(sock: t.Any) -> Certificate:
    """The certificate of the server at the other end of a TLS socket."""
    fields = sock.getpeercert()
    if fields and "notAfter" in fields:
        return Certificate(dt.datetime.fromtimestamp(ssl.cert_time_to_seconds(fields["notAfter"]), dt.timezone.utc))
    # without validation Python does not decode it
    return decode_certificate(sock.getpeercert(True))


def decode_certificate(der: bytes | None) -> Certificate:
    """The content of a certificate that was not validated."""
    if not der:
        return Certificate(None, "the server shows none")
    try:
        from cryptography import x509
    except ImportError:
        return Certificate(None, "with validate_certs: false this needs the Python library cryptography")
    try:
        certificate = x509.load_der_x509_certificate(der)
    except ValueError:
        return Certificate(None, "it cannot be read")
    # before version 42 there is only the naive form
    moment = getattr(certificate, "not_valid_after_utc", None) or certificate.not_valid_after
    return Certificate(moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc))


def next_hop(follow: Follow, url: str, status: int, location: str | None) -> tuple[str | None, str]:
    """The address to request next (``None``: none), and why a redirect is not followed."""
    if status not in REDIRECTS:
        return None, ""
    target = redirected(url, location)
    if target is None:
        return None, "a redirect that names no http(s) address"
    if follow == "none":
        return None, f"a redirect to {shown_url(target)}, which follow_redirects: none does not follow"
    if follow == "same_origin" and not same_origin(url, target):
        return None, f"a redirect to {shown_url(target)}, which is another origin; follow_redirects: all follows it"
    return target, ""


def fetch(probe: Probe, clock: Clock, count: RequestCount) -> HttpResponse:
    """Request the address of a probe once.

    :param count: counts every request that was sent, even in part.
    :raises SyncError: there is no complete response.
    """
    started = clock.monotonic()
    watch = Watch(probe.request_timeout)
    with watch, contextlib.closing(transport.new_session(ProbeAdapter(max_retries=0), transport.NoAuth())) as session:
        url = probe.address.url
        for dummy in range(MAXREDIRECTS + 1):
            try:
                watch.certificate = None
                with contextlib.closing(_send(session, probe, url, count)) as response:
                    target, not_followed = next_hop(probe.follow, url, response.status_code, response.headers.get("Location"))
                    body, truncated = _read(response, probe.max_body) if target is None else (b"", False)
            except (OSError, ValueError) as exc:
                raise _failed(exc, watch, probe, url) from None
            if watch.expired:
                # the end of a connection is also the end of a body without a length
                raise _too_slow(probe, url)
            if target is None:
                latency = clock.monotonic() - started
                certificate = watch.certificate
                return HttpResponse(response.status_code, response.headers, body, latency, truncated, certificate, not_followed)
            if not same_origin(url, target):
                # cookies apply to other ports and schemes of the host as well
                session.cookies.clear()
            url = target
    raise SyncError("redirect_refused", f"more than {MAXREDIRECTS} redirects, the last one to {shown_url(url)}")


def _send(session: t.Any, probe: Probe, url: str, count: RequestCount) -> t.Any:
    headers = {"Cache-Control": "no-cache", "Connection": "close"}
    own: dict[str, t.Any] = {}
    if same_origin(url, probe.address.url):
        # nothing that might be a credential is sent to another origin
        headers.update(probe.headers)
        own = {"cert": probe.cert, "auth": _auth(probe)}
    limit = probe.request_timeout
    transport.send_tracker.sent = False
    try:
        response = session.request(
            probe.method,
            url,
            headers=headers,
            timeout=(limit, limit),
            allow_redirects=False,
            verify=probe.verify,
            stream=True,
            **own,
        )
    finally:
        if transport.send_tracker.sent:
            count.add()
    # the default since urllib3 2: an incomplete body is an error
    response.raw.enforce_content_length = True
    return response


def _auth(probe: Probe) -> t.Any:
    if probe.login is None:
        return None
    username, password = probe.login
    return transport.requests.auth.HTTPBasicAuth(username.encode(), password.encode())


def _read(response: t.Any, limit: int) -> tuple[bytes, bool]:
    """The decoded body up to ``limit`` bytes, and whether there is more."""
    body = bytearray()
    for chunk in response.iter_content(min(limit + 1, CHUNK)):
        body += chunk
        if len(body) > limit:
            return bytes(body[:limit]), True
    return bytes(body), False


def _failed(exc: Exception, watch: Watch, probe: Probe, url: str) -> SyncError:
    if watch.expired and not isinstance(exc, transport.requests.exceptions.ConnectTimeout):
        return _too_slow(probe, url)
    return transport_error(exc, origin_text(url), (probe.request_timeout, probe.request_timeout))


def _too_slow(probe: Probe, url: str) -> SyncError:
    return SyncError("connection_failed", f"no complete response from {origin_text(url)} within {probe.request_timeout:g} s")
