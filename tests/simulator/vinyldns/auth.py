# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verification of request signatures: Signature Version 4 with the original's own ideas of scope, time and encoding.

What differs from AWS: region, service and date of the scope may be anything; there is no clock-skew or replay check; the
path is percent-encoded once, not twice; headers are verified as the HTTP library renders them, not as they were sent.
"""

from __future__ import annotations

import hashlib
import hmac
import posixpath
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, quote, unquote

from .directory import Directory
from .users import Caller

ALGORITHM = "AWS4-HMAC-SHA256"
AUTHORIZATION = re.compile(
    ALGORITHM + r" +Credential=(?P<key>[^/]*)/(?P<scope>(?P<date>[^/]+)/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request), *"
    r"SignedHeaders=(?P<headers>[^,]+), *Signature=(?P<signature>[0-9a-f]{64})"
)
PATH_SAFE = "!$&'()*+,;=:@-._~"  # what the original's HTTP library leaves alone in a path segment


class AuthenticationError(Exception):
    """The request is refused with this status and text."""

    def __init__(self, text: str, status: int = 401) -> None:
        super().__init__(text)
        self.status = status
        self.text = f"Authentication Failed: {text}"


class MissingDateError(Exception):
    """Neither X-Amz-Date nor Date; the original fails with an internal error."""


def authenticate(
    directory: Directory, method: str, raw_path: str, raw_query: str, headers: Mapping[str, str], body: bytes
) -> Caller:
    """The caller of a signed request; ``headers`` must be a case-insensitive mapping."""
    authorization = headers.get("Authorization")
    if authorization is None:
        raise AuthenticationError("Authorization header not found")
    parsed = AUTHORIZATION.fullmatch(authorization)
    if parsed is None:
        raise AuthenticationError("Authorization header could not be parsed")
    if not parsed["key"]:
        raise AuthenticationError("accessKey not found")
    user = directory.by_access_key(parsed["key"])
    if user is None:
        raise AuthenticationError(f"Account with accessKey {parsed['key']} specified was not found")
    if user.locked:
        raise AuthenticationError(f"Account with username {user.name} is locked", status=403)
    request = canonical_request(method, raw_path, raw_query, headers, parsed["headers"], body)
    expected = sign(user.secret_key, request_date(headers), parsed, request)
    if not hmac.compare_digest(expected, parsed["signature"]):
        raise AuthenticationError("Request signature could not be validated")
    return directory.caller(user)


def sign(secret_key: str, date: str, scope: re.Match[str], request: str) -> str:
    key = f"AWS4{secret_key}".encode()
    for piece in (scope["date"], scope["region"], scope["service"], "aws4_request"):
        key = hmac.digest(key, piece.encode(), "sha256")
    text = "\n".join((ALGORITHM, date, scope["scope"], hashlib.sha256(request.encode()).hexdigest()))
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def canonical_request(
    method: str, raw_path: str, raw_query: str, headers: Mapping[str, str], signed_headers: str, body: bytes
) -> str:
    lines = [method, canonical_path(raw_path), canonical_query(raw_query)]
    for name in sorted(name.lower() for name in signed_headers.split(";")):
        value = rendered_header(name, headers, body)
        if value is not None:  # a signed header that was not sent is skipped; the signature then fails
            lines.append(f"{name}:{value}")
    payload = body.decode("utf-8", errors="replace").encode()
    return "\n".join([*lines, "", signed_headers, hashlib.sha256(payload).hexdigest()])


def canonical_path(raw_path: str) -> str:
    """Each segment decoded and encoded once; dot segments and double slashes collapsed."""
    path = "/".join(quote(unquote(segment), safe=PATH_SAFE) for segment in raw_path.split("/"))
    normal = posixpath.normpath("/" + path.lstrip("/"))
    return normal + "/" if path.endswith("/") and normal != "/" else normal


def canonical_query(raw_query: str) -> str:
    """Decoded ('+' is a space), encoded by RFC 3986, sorted, exact duplicates merged."""
    pairs = sorted(set(parse_qsl(raw_query, keep_blank_values=True)))
    return "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs)


def rendered_header(name: str, headers: Mapping[str, str], body: bytes) -> str | None:
    """The value that the original verifies: parsed and rendered again where its HTTP library knows the header."""
    if name == "content-length":
        return str(len(body))
    value = headers.get(name)
    if value is None:
        return None
    value = value.strip()
    if name == "host":
        return value.lower()
    if name == "content-type":
        return _rendered_content_type(value)
    if name.startswith("accept"):
        return re.sub(r" *, *", ", ", value)
    return value


def _rendered_content_type(value: str) -> str:
    media_type, _semicolon, parameters = value.partition(";")
    charset = re.search(r"charset=\"?([\w-]+)", parameters, re.IGNORECASE)
    if media_type.strip().lower() == "application/json":
        return "application/json"  # its charset is implied, and never rendered
    return f"{media_type.strip()}; charset={charset[1].upper()}" if charset else value


def request_date(headers: Mapping[str, str]) -> str:
    """The date of the string to sign."""
    amz_date = headers.get("X-Amz-Date")
    if amz_date is not None:
        return amz_date.strip()
    date = headers.get("Date")
    if date is None:
        raise MissingDateError
    return _parse_date(date).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _parse_date(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return parsedate_to_datetime(text)
