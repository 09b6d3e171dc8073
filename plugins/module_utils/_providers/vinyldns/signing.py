# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Request signing for VinylDNS (docs/reference/vinyldns.md#3): the scheme of AWS Signature Version 4 with two differences.

The path is percent-encoded once; AWS and the libraries for it encode twice, so they fail for zone names with a slash. Only
``host`` and ``x-amz-date`` are signed, since the server re-renders the headers that it knows.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import typing as t
import urllib.parse

from ..._core.clock import Clock
from ..._http.transport import AuthBase

REGION = "us-east-1"
SERVICE = "VinylDNS"
ALGORITHM = "AWS4-HMAC-SHA256"
SIGNED_HEADERS = "host;x-amz-date"

#: characters that the server does not encode in a path segment: unreserved, sub-delims, colon and at sign
PATH_SAFE = "-._~!$&'()*+,;=:@"


class AccessKey(t.NamedTuple):
    """An API key pair."""

    access_key: str
    secret_key: str


def encode_segment(text: str) -> str:
    """One path segment in the only encoding that the server verifies."""
    return urllib.parse.quote(text, safe=PATH_SAFE)


def canonical_query(query: str) -> str:
    """The query as the server rebuilds it: decoded, re-encoded by RFC 3986, sorted, exact duplicates merged."""
    pairs = sorted(set(urllib.parse.parse_qsl(query, keep_blank_values=True)))
    return "&".join(f"{urllib.parse.quote(key, safe='-._~')}={urllib.parse.quote(value, safe='-._~')}" for key, value in pairs)


def authorization(credentials: AccessKey, method: str, url: str, host: str, timestamp: str, body: bytes) -> str:
    """The Authorization header of a request.

    :param url: as it is sent, with its path percent-encoded once.
    :param host: value of the Host header, in lower case.
    :param timestamp: value of the X-Amz-Date header (``yyyymmddThhmmssZ``).
    """
    parts = urllib.parse.urlsplit(url)
    scope = f"{timestamp[:8]}/{REGION}/{SERVICE}/aws4_request"
    request = "\n".join(
        (
            method,
            parts.path or "/",
            canonical_query(parts.query),
            f"host:{host}\nx-amz-date:{timestamp}\n",
            SIGNED_HEADERS,
            hashlib.sha256(body).hexdigest(),
        )
    )
    to_sign = "\n".join((ALGORITHM, timestamp, scope, hashlib.sha256(request.encode()).hexdigest()))
    signature = hmac.new(_signing_key(credentials.secret_key, scope), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={SIGNED_HEADERS}, Signature={signature}"


@functools.lru_cache(maxsize=2)
def _signing_key(secret_key: str, scope: str) -> bytes:
    """The key for a day, which takes half of the time of a signature."""
    key = ("AWS4" + secret_key).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


class SigningAuth(AuthBase):
    """Signs each request that a session sends."""

    def __init__(self, credentials: AccessKey, clock: Clock) -> None:
        self._credentials = credentials
        self._clock = clock

    def __call__(self, request: t.Any) -> t.Any:
        # set here, so that exactly the signed values are sent
        host = urllib.parse.urlsplit(request.url).netloc.lower()
        timestamp = self._clock.now().strftime("%Y%m%dT%H%M%SZ")
        body = request.body or b""
        request.headers["Host"] = host
        request.headers["X-Amz-Date"] = timestamp
        request.headers["Authorization"] = authorization(
            self._credentials, request.method, request.url, host, timestamp, body.encode() if isinstance(body, str) else body
        )
        return request
