# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Requests to one server, as a session of requests sends them, at a third of its cost.

What a session finds out anew for each request (proxies, certificates, the pool of connections) depends on the origin alone. It is
asked for once; after that a request goes straight to the pool of urllib3.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from . import transport

#: Addresses that requests sends as they are: without escapes, without segments of dots, in ASCII, with a host in lower case.
_PLAIN = re.compile(
    r"https?://[a-z0-9][a-z0-9.-]*(?::[0-9]+)?/(?!\.|[^?]*/\.)[A-Za-z0-9._~!$&'()*+,;=:@/-]*(?:\?[A-Za-z0-9._~&=-]+)?"
)


@dataclasses.dataclass(frozen=True)
class _Route:
    """The way to an origin.

    :param request: sends a request over a pool of urllib3.
    :param by_url: whether requests name the whole address, as an HTTP proxy expects it.
    :param tracked: whether its connections note what they send.
    """

    request: t.Callable[..., t.Any]
    by_url: bool
    tracked: bool


class Sender:
    """Sends requests over pooled connections; used by several threads.

    :param adapter: of requests, which makes the connections.
    :param auth: a requests auth object that adds credentials to a request.
    :param verify: ``True``, ``False`` or the path of a CA bundle.
    :param cert: client certificate and key paths.
    """

    def __init__(self, adapter: t.Any, auth: t.Any, verify: bool | str = True, cert: str | tuple[str, str] | None = None) -> None:
        self.auth = auth
        self._adapter = adapter
        self._verify = verify
        self._cert = cert
        self._session = transport.new_session(adapter, auth)
        self._headers: dict[str, str] = dict(self._session.headers)
        self._checked = frozenset(self._headers.items())
        self._has_cookies = False
        self._routes: dict[str, _Route] = {}
        self._no_retries = transport.urllib3.util.Retry.from_int(False, redirect=False)

    def send(
        self, method: str, url: str, headers: t.Mapping[str, str], body: bytes | None, timeout: tuple[float, float]
    ) -> t.Any:
        """Send a request once.

        :param headers: with names as they are usually written, in addition to those of requests.
        :param timeout: seconds for connecting, and for each wait for data.
        :returns: the response of urllib3, whose body has not been read.
        :raises OSError: ``requests.RequestException``.
        :raises ValueError: the request has something that HTTP does not allow.
        """
        request = self._prepare(method, url, {**self._headers, **headers}, body)
        origin = request.url[: request.url.index("/", len("https://"))]
        route = self._routes.get(origin) or self._routes.setdefault(origin, self._find_route(request))
        if transport.send_tracker.triggering and not route.tracked:
            raise transport.untracked_proxy()
        by_url, target = route.by_url, request.url[len(origin) :].partition("#")[0]
        try:
            response = route.request(
                method,
                transport.requests.utils.urldefragauth(request.url) if by_url else target,
                body=body,
                headers=request.headers,
                retries=self._no_retries,
                redirect=False,
                assert_same_host=False,
                timeout=transport.urllib3.util.Timeout(*timeout),
                preload_content=False,
                decode_content=False,
            )
        except transport.urllib3.exceptions.HTTPError as exc:
            raise _failure(exc) from exc
        self._note(request, response)
        return response

    def close(self) -> None:
        self._routes.clear()
        self._session.close()

    def _prepare(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> t.Any:
        """The request as it is sent, credentials included."""
        request: t.Any = transport.requests.PreparedRequest()
        request.method, request.headers, request.body = method, headers, body
        if _PLAIN.fullmatch(url):
            request.url = url
        else:
            request.prepare_url(url, None)
        if self._has_cookies:
            request.prepare_cookies(self._session.cookies)
        request = self.auth(request)
        for header in request.headers.items():
            if header not in self._checked:
                transport.requests.utils.check_header_validity(header)
        return request

    def _find_route(self, request: t.Any) -> _Route:
        adapter, url = self._adapter, request.url
        found = self._session.merge_environment_settings(url, {}, True, self._verify, self._cert)
        proxies, verify, cert = found["proxies"], found["verify"], found["cert"]
        if hasattr(adapter, "get_connection_with_tls_context"):
            pool = adapter.get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
        else:
            # before requests 2.32
            pool = adapter.get_connection(url, proxies)
        adapter.cert_verify(pool, url, verify, cert)
        by_url = adapter.request_url(request, proxies) != request.path_url
        return _Route(pool.request, by_url, isinstance(pool, (transport.ReadPool, transport.TLSReadPool)))

    def _note(self, request: t.Any, response: t.Any) -> None:
        """Keep cookies, as a session does, and call hooks that an auth object has registered."""
        library: t.Any = transport.requests
        if "Set-Cookie" in response.headers:
            library.cookies.extract_cookies_to_jar(self._session.cookies, request, response)
            self._has_cookies = True
        if request.hooks["response"]:
            whole = self._adapter.build_response(request, response)
            library.hooks.dispatch_hook("response", request.hooks, whole)


def _failure(exc: Exception) -> Exception:
    """An exception of urllib3 as one of requests, as its adapters translate them."""
    ours, theirs = transport.requests.exceptions, transport.urllib3.exceptions
    kinds = (
        # in urllib3 1.26 a kind of time-out, which it is not
        (theirs.NewConnectionError, ours.ConnectionError),
        (theirs.ConnectTimeoutError, ours.ConnectTimeout),
        (theirs.ReadTimeoutError, ours.ReadTimeout),
        (theirs.ProxyError, ours.ProxyError),
        (theirs.SSLError, ours.SSLError),
        (theirs.InvalidHeader, ours.InvalidHeader),
    )
    failure: Exception = next((kind(exc) for low, kind in kinds if isinstance(exc, low)), None) or ours.ConnectionError(exc)
    return failure
