# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Failures of transport in words: what an exception of requests means, and which limit ended an exchange."""

from __future__ import annotations

import socket
import ssl

from .._core.errors import SyncError
from . import transport
from .limits import Limits

_REACH = "Check api_url, the network and that the service runs."
_PROXY = "Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY in the environment of the task; NO_PROXY names hosts that need no proxy."
_CERTS = "Check the certificate of the server, ca_path, client_cert and client_key; validate_certs: false is for tests only."
_NO_TLS = "The port does not speak TLS. Check it in api_url, or use http:// with allow_http: true if the server has no TLS."
_SLOW = "Raise request_timeout if the server is known to be slow."


def slow_response(exc: Exception, where: str, within: Limits) -> SyncError | None:
    """The failure, if what ended an exchange was the limit for the whole of it."""
    if not within.expired or not within.received or isinstance(exc, transport.requests.exceptions.ConnectTimeout):
        return None
    return SyncError("connection_failed", f"no complete response from {where} within {_seconds(within.total)} s", _SLOW)


def _tls_hint(cause: BaseException) -> str:
    """What to check; OpenSSL takes the beginning of an answer in plain HTTP for the version of TLS."""
    return _NO_TLS if getattr(cause, "reason", None) == "WRONG_VERSION_NUMBER" else _CERTS


def _seconds(value: float) -> str:
    return f"{round(value, 2):g}"


def transport_error(exc: Exception, where: str, timeout: tuple[float, float]) -> SyncError:
    """The failure behind an exception of requests, without the URL that its text would repeat.

    :param where: origin of the server.
    :param timeout: seconds allowed for connecting and for each wait for data.
    """
    errors = transport.requests.exceptions
    cause = root_cause(exc)
    # a peer that hangs up is a matter of the network, also where TLS is what notices it
    hung_up = isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError))
    if not hung_up and (isinstance(exc, errors.SSLError) or isinstance(cause, ssl.SSLError)):
        return SyncError("tls_failed", f"TLS with {where} failed: {cause}", _tls_hint(cause))
    if isinstance(exc, errors.ConnectTimeout):
        return SyncError("connection_failed", f"no connection to {where} within {_seconds(timeout[0])} s", _REACH)
    if isinstance(exc, errors.ReadTimeout) or isinstance(cause, (TimeoutError, socket.timeout)):
        return SyncError("connection_failed", f"no answer from {where} within {_seconds(timeout[1])} s", _SLOW)
    if isinstance(exc, errors.ProxyError):
        return SyncError("connection_failed", f"the proxy on the way to {where} failed: {cause}", _PROXY)
    if isinstance(cause, OSError) and cause.strerror:
        return SyncError("connection_failed", f"cannot talk to {where}: {cause.strerror}", _REACH)
    return SyncError("connection_failed", f"cannot talk to {where}: {cause}", _REACH)


def root_cause(exc: BaseException) -> BaseException:
    """The innermost exception that says something, past the wrappers of requests and urllib3."""
    seen: set[int] = set()
    while id(exc) not in seen:
        seen.add(id(exc))
        inner = getattr(exc, "reason", None) or next((arg for arg in exc.args if isinstance(arg, BaseException)), None)
        if not isinstance(inner, BaseException):
            inner = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
        if inner is None:
            break
        exc = inner
    return exc
