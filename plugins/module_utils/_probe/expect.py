# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Expectations of a response, and the problems of a response that does not meet them. Pure functions."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
import typing as t

from .._core.redact import MASK
from .address import shown_url
from .jsonpath import Path, find
from .patterns import TooSlow, plain_search

MAX_FINDING = 100

#: headers with secret values, and headers whose values are addresses
_SECRET_HEADERS = ("set-cookie", "set-cookie2", "authorization", "www-authenticate", "authentication-info")
_ADDRESS_HEADERS = ("location", "content-location")


@dataclasses.dataclass(frozen=True)
class JsonRule:
    """The expectation of a value in a JSON body.

    :param text: the path as the user wrote it.
    :param equals: the expected value; used if neither of the other two is given.
    """

    text: str
    path: Path
    equals: t.Any = None
    regex: re.Pattern[str] | None = None
    exists: bool | None = None


@dataclasses.dataclass(frozen=True)
class Expectation:
    """All expectations of a response.

    :param headers: names, and patterns for the values.
    :param max_latency: seconds until the last byte.
    :param min_certificate_days: whole days for which the certificate must remain valid.
    """

    status: tuple[int, ...] = (200,)
    headers: tuple[tuple[str, re.Pattern[str]], ...] = ()
    regex: re.Pattern[str] | None = None
    not_regex: re.Pattern[str] | None = None
    json: tuple[JsonRule, ...] = ()
    max_latency: float | None = None
    min_certificate_days: int | None = None


@dataclasses.dataclass(frozen=True)
class Certificate:
    """The certificate of a connection.

    :param not_after: end of its validity; ``None`` if unknown.
    :param problem: why it is unknown.
    """

    not_after: dt.datetime | None
    problem: str = ""

    def days(self, now: dt.datetime) -> int | None:
        """Whole days left, negative once it has expired."""
        return None if self.not_after is None else (self.not_after - now) // dt.timedelta(days=1)


@dataclasses.dataclass(frozen=True)
class HttpResponse:
    """A complete response, the last one of a chain of redirects.

    :param headers: a mapping that ignores the case of names.
    :param body: decoded, up to ``max_body``.
    :param truncated: whether the body is longer.
    :param latency: seconds from the beginning of the attempt to the last byte, redirects included.
    :param certificate: ``None`` without TLS.
    :param not_followed: if the response is a redirect, its target and why it was not followed.
    """

    status: int
    headers: t.Mapping[str, str]
    body: bytes
    latency: float
    truncated: bool = False
    certificate: Certificate | None = None
    not_followed: str = ""


#: Hides secrets in a text of the server.
Redact = t.Callable[[str], str]
#: Whether a pattern matches anywhere in a text; raises :class:`TooSlow` if that takes too long.
Search = t.Callable[[re.Pattern[str], str], bool]


def problems_of(
    wanted: Expectation,
    seen: HttpResponse,
    now: dt.datetime,
    redact: Redact = lambda text: text,
    search: Search = plain_search,
) -> list[str]:
    """The problems of a response; each names what was found and what was wanted.

    :param now: the date for the validity of certificates.
    """

    def matches(pattern: re.Pattern[str], text: str) -> bool:
        try:
            return search(pattern, text)
        except TooSlow as error:
            raise TooSlow(
                f"the search for {pattern.pattern!r} was given up ({error}), wanted a pattern that is quicker"
            ) from None

    found = _status(wanted, seen)
    try:
        found += _headers(wanted, seen, redact, matches) + _body(wanted, seen, matches) + _json(wanted, seen, redact, matches)
    except TooSlow as error:
        # the others are not of interest before the pattern is another one, and may take as long
        found.append(str(error))
    # also what is wanted: it may have been made of a secret
    return [redact(problem) for problem in found + _latency(wanted, seen) + _certificate(wanted, seen, now)]


def _status(wanted: Expectation, seen: HttpResponse) -> list[str]:
    if seen.status in wanted.status:
        return []
    why = f" ({seen.not_followed})" if seen.not_followed else ""
    return [f"status {seen.status}{why}, wanted {' or '.join(map(str, wanted.status))}"]


def _headers(wanted: Expectation, seen: HttpResponse, redact: Redact, search: Search) -> list[str]:
    problems = []
    for name, pattern in wanted.headers:
        value = seen.headers.get(name)
        if value is None:
            problems.append(f"no header {name}, wanted one that matches {pattern.pattern!r}")
        elif not search(pattern, value):
            problems.append(f"header {name} is {_header_value(name, value, redact)}, wanted one that matches {pattern.pattern!r}")
    return problems


def _header_value(name: str, value: str, redact: Redact) -> str:
    if name.lower() in _SECRET_HEADERS:
        return MASK
    return repr(_short(redact(shown_url(value) if name.lower() in _ADDRESS_HEADERS else value)))


def _body(wanted: Expectation, seen: HttpResponse, search: Search) -> list[str]:
    if wanted.regex is None and wanted.not_regex is None:
        return []
    text = decoded(seen)
    where = f"the first {len(seen.body)} bytes of the body (max_body)" if seen.truncated else f"the body ({len(seen.body)} bytes)"
    problems = []
    if wanted.regex is not None and not search(wanted.regex, text):
        problems.append(f"{where} has nothing that matches {wanted.regex.pattern!r}, wanted a match")
    if wanted.not_regex is not None and search(wanted.not_regex, text):
        problems.append(f"{where} has something that matches {wanted.not_regex.pattern!r}, wanted none")
    return problems


def decoded(seen: HttpResponse) -> str:
    """The body as text, in the character set that the server names, else UTF-8."""
    match = re.search(r"""charset\s*=\s*["']?([\w.:-]+)""", seen.headers.get("Content-Type", ""), re.IGNORECASE)
    try:
        return seen.body.decode(match[1] if match else "utf-8", "replace")
    except (LookupError, UnicodeError):
        return seen.body.decode("utf-8", "replace")


def _json(wanted: Expectation, seen: HttpResponse, redact: Redact, search: Search) -> list[str]:
    if not wanted.json:
        return []
    if seen.truncated:
        return [f"the body is larger than {len(seen.body)} bytes (max_body), wanted JSON that can be read as a whole"]
    try:
        document = json.loads(seen.body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return [f"the body ({len(seen.body)} bytes) is not JSON, wanted JSON"]
    return [problem for rule in wanted.json for problem in _at_path(rule, document, redact, search)]


def _refuse(constant: str) -> t.NoReturn:
    # which Python accepts, and JSON does not
    raise ValueError(constant)


def _at_path(rule: JsonRule, document: t.Any, redact: Redact, search: Search) -> list[str]:
    there, value = find(document, rule.path)
    expectation, met = _rule(rule, there, value, redact, search)
    if met:
        return []
    finding = f"is {_short(redact(_as_json(value)))}" if there else "is not there"
    return [f"json {rule.text} {finding}, wanted {expectation}"]


def _rule(rule: JsonRule, there: bool, value: t.Any, redact: Redact, search: Search) -> tuple[str, bool]:
    """What is wanted, in words, and whether it is met."""
    if rule.exists is not None:
        return ("it to be there" if rule.exists else "nothing there"), there is rule.exists
    if rule.regex is not None:
        text = value if isinstance(value, str) else _as_json(value)
        return f"a match of {rule.regex.pattern!r}", there and search(rule.regex, text)
    return _short(redact(_as_json(rule.equals))), there and same_json(value, rule.equals)


def same_json(one: t.Any, other: t.Any) -> bool:
    """Whether two JSON values are the same. Unlike in Python, ``true`` is not 1 here."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return bool(one == other)


def _as_json(value: t.Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _short(text: str) -> str:
    """The text, which has no secrets left: of one that is cut, what is left could not be recognised."""
    text = " ".join(text.split())
    return text if len(text) <= MAX_FINDING else f"{text[:MAX_FINDING]}…"


def _latency(wanted: Expectation, seen: HttpResponse) -> list[str]:
    if wanted.max_latency is None or seen.latency <= wanted.max_latency:
        return []
    return [f"complete after {seen.latency:.3f} s, wanted at most {wanted.max_latency:g} s"]


def _certificate(wanted: Expectation, seen: HttpResponse, now: dt.datetime) -> list[str]:
    least = wanted.min_certificate_days
    if least is None:
        return []
    days = seen.certificate.days(now) if seen.certificate else None
    if days is None:
        why = seen.certificate.problem if seen.certificate else "the connection has no TLS"
        return [f"the remaining days of the certificate are unknown ({why}), wanted at least {least}"]
    if days >= least:
        return []
    return [f"certificate valid for {days} more days, wanted at least {least}"]
