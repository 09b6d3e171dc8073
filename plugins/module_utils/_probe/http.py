# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""One attempt of one probe: over a new connection, never repeated, and within its time-out however slowly the server sends."""

from __future__ import annotations

import contextlib
import datetime as dt
import ssl
import threading
import typing as t

from .._core.clock import Clock
from .._core.errors import SyncError
from .._http import transport
from .._http.body import read_part
from .._http.client import RequestCount
from .._http.failures import transport_error
from .._http.limits import Limits, limited
from .._http.response import REDIRECTS
from .address import origin_text, redirected, same_origin, shown_url
from .expect import Certificate, HttpResponse
from .options import Follow, Probe

MAXREDIRECTS = 5


class _Seen(threading.local):
    """The certificate of the last server that this thread has connected to."""

    certificate: Certificate | None = None


_seen = _Seen()


class _HTTPSConnection(transport.HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _seen.certificate = certificate_of(self.sock)


class _TLSPool(transport.TLSTriggerPool):
    ConnectionCls = _HTTPSConnection


class ProbeAdapter(transport.TriggerAdapter):
    """Transport of probes: no retries, no reuse of connections, and their certificates are noted."""

    pools: t.ClassVar[t.Mapping[str, t.Any]] = {**transport.TriggerAdapter.pools, "https": _TLSPool}


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
    limit = probe.request_timeout
    within = Limits(limit, limit, limit)
    with limited(within), contextlib.closing(transport.new_session(ProbeAdapter(max_retries=0), transport.NoAuth())) as session:
        url = probe.address.url
        for dummy in range(MAXREDIRECTS + 1):
            try:
                _seen.certificate = None
                with contextlib.closing(_send(session, probe, url, count)) as response:
                    target, not_followed = next_hop(probe.follow, url, response.status_code, response.headers.get("Location"))
                    body, truncated = read_part(response.raw, probe.max_body) if target is None else (b"", False)
            except (OSError, ValueError) as exc:
                raise _failed(exc, within, url) from None
            if target is None:
                latency = clock.monotonic() - started
                certificate = _seen.certificate
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
    return response


def _auth(probe: Probe) -> t.Any:
    if probe.login is None:
        return None
    username, password = probe.login
    return transport.requests.auth.HTTPBasicAuth(username.encode(), password.encode())


def _failed(exc: Exception, within: Limits, url: str) -> SyncError:
    where, limit = origin_text(url), within.total
    if within.expired and not isinstance(exc, transport.requests.exceptions.ConnectTimeout):
        return SyncError("connection_failed", f"no complete response from {where} within {limit:g} s")
    return transport_error(exc, where, (limit, limit))
