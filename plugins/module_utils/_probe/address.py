# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Addresses of probes: the form that is sent and the form that may be shown. Pure functions."""

from __future__ import annotations

import dataclasses
import urllib.parse

from .._core.errors import SyncError
from .._core.redact import MASK
from .._http.response import origin_of

_REMEDY = "Use https://host[:port][/path][?query], and url_username and url_password for credentials."


@dataclasses.dataclass(frozen=True)
class Address:
    """The address of a probe.

    :param url: without credentials and fragment, as it is sent.
    :param shown: the same without the values in its query, as it may be shown.
    :param username: from the address itself, decoded; ``None`` if it carries none.
    :param secrets: parts of the address that must not be shown.
    """

    url: str
    shown: str
    username: str | None = None
    password: str | None = None
    secrets: tuple[str, ...] = ()


def shown_url(text: str) -> str:
    """An address without its credentials, the values in its query and its fragment."""
    place, has_query, query = text.partition("#")[0].partition("?")
    scheme, has_host, rest = place.partition("://") if "://" in place else ("", "", place)
    host, slash, path = rest.partition("/")
    shown = f"{scheme}{has_host}{host.rpartition('@')[2]}{slash}{path}"
    return shown + (f"?{'&'.join(map(_shown_pair, query.split('&')))}" if has_query else "")


def _shown_pair(pair: str) -> str:
    name, sign, dummy = pair.partition("=")
    # a part without a name may be a secret as a whole
    return f"{name}={MASK}" if sign else MASK if name else ""


def parse_address(option: str, text: str) -> Address:
    """The address of a probe.

    :raises SyncError: ``invalid_option`` for anything that is not an http(s) address.
    """
    text = text.strip()
    try:
        parts = urllib.parse.urlsplit(text)
        scheme, host, _port = origin_of(text)
    except ValueError as exc:
        # the text of the exception may repeat credentials
        raise _refused(option, text, f"is not a valid address ({type(exc).__name__})") from None
    if scheme not in ("http", "https") or not host or any(char.isspace() or ord(char) < 32 for char in text):
        raise _refused(option, text, "is not an http(s) address")
    url = urllib.parse.urlunsplit((scheme, parts.netloc.rpartition("@")[2], parts.path or "/", parts.query, ""))
    username, password = _decoded(parts.username), _decoded(parts.password)
    values = [value for dummy, value in urllib.parse.parse_qsl(parts.query, keep_blank_values=False)]
    secrets = [each for each in (password, *values) if each]
    return Address(url, shown_url(url), username, password, tuple(secrets))


def _decoded(text: str | None) -> str | None:
    return None if text is None else urllib.parse.unquote(text)


def _refused(option: str, text: str, problem: str) -> SyncError:
    # in an address that cannot be parsed, everything before the last @ may be credentials
    return SyncError("invalid_option", f"option {option}: {shown_url(text.rpartition('@')[2])!r} {problem}", _REMEDY)


def redirected(url: str, location: str | None) -> str | None:
    """Where a redirect from ``url`` leads, without credentials, or ``None`` if that is no http(s) address."""
    if location is None:
        return None
    try:
        # header values are decoded as latin-1, whatever the server meant
        location = location.encode("latin-1").decode("utf-8").strip().replace(" ", "%20")
        return parse_address("url", urllib.parse.urljoin(url, location)).url
    except (SyncError, ValueError):
        return None


def same_origin(one: str, other: str) -> bool:
    return origin_of(one) == origin_of(other)


def origin_text(url: str) -> str:
    """Scheme, host and port of an address without credentials, for messages."""
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
