# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets in: authentication and CSRF protection, which differ by release, and how each of them refuses."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

from ..framework import SAFE_METHODS, Abort, Call, Kind
from .accounts import Accounts
from .answers import UNAUTHENTICATED, UNAUTHORIZED, container_page, message
from .knobs import CrafterKnobs
from .model import Site, User
from .releases import Release

Access = Literal["signed_in", "public", "management"]

API1 = "/api/1/services/api/1/"

CSRF_COOKIE = "XSRF-TOKEN"
CSRF_HEADER = "X-XSRF-TOKEN"
SESSION_COOKIE = "JSESSIONID"


@dataclass
class Visit:
    """A request that passed the gate.  ``user`` is None only where anybody may come in."""

    call: Call
    release: Release
    base_url: str
    known_user: User | None = None
    session: str | None = None  # the id that the client knows after this answer
    api1: bool = False

    @property
    def user(self) -> User:
        assert self.known_user is not None
        return self.known_user

    def require(self, site: Site, permission: str) -> None:
        if not self.user.may(site.id, permission):
            raise forbidden(self)

    def argument(self, name: str) -> str | None:
        """A query parameter; an empty one counts as absent."""
        return self.call.query.get(name) or None


Handler = Callable[[Visit], Awaitable[web.Response]]


@dataclass(frozen=True)
class Endpoint:
    """One URL below the context path, in the releases that have it."""

    method: str
    path: str
    handler: Handler
    first: str = "3.0.0"
    before: str | None = None  # the first release without it
    access: Access = "signed_in"
    kind: Kind | None = None
    documented: bool = False  # only in the published contract

    def offered(self, release: Release) -> bool:
        return release.documented if self.documented else release.within(self.first, self.before)


def forbidden(visit: Visit) -> Abort:
    """Signed in, but not allowed."""
    if not visit.api1:
        return UNAUTHORIZED.abort()
    if visit.release.documented:
        return Abort(message("Unauthorized", 401))
    if visit.release.stateless:
        return Abort(container_page(403))
    body = b'{ "message": "Unauthorized" }'
    return Abort(web.Response(body=body, status=401, content_type="application/json"))


class Gate:
    def __init__(self, knobs: CrafterKnobs, accounts: Accounts) -> None:
        self._knobs = knobs
        self._accounts = accounts

    def admit(self, visit: Visit, access: Access) -> None:
        """Find out who it is, or raise the refusal of this release."""
        if visit.release.stateless:
            visit.known_user = self._by_header(visit)
        elif visit.release.documented:
            self._admit_documented(visit, access)
        else:
            check_csrf(visit.call)
            self._by_session(visit)
        if access == "signed_in" and visit.known_user is None:
            raise self._unauthenticated(visit)

    def finish(self, visit: Visit, response: web.StreamResponse) -> None:
        """Send the client a changed session id."""
        if visit.session is not None and visit.session != visit.call.request.cookies.get(SESSION_COOKIE):
            response.headers.add("Set-Cookie", self.cookie(SESSION_COOKIE, visit.session))

    def cookie(self, name: str, value: str, max_age: int | None = None) -> str:
        age = "" if max_age is None else f"; Max-Age={max_age}"
        return f"{name}={value}; Path={self._knobs.context_path or '/'}{age}; HttpOnly"

    def _admit_documented(self, visit: Visit, access: Access) -> None:
        """The published page names no way to sign in, so every way of any release will do."""
        visit.known_user = self._by_header(visit, basic=True)
        if visit.known_user is None and (access == "public" or SESSION_COOKIE in visit.call.request.cookies):
            check_csrf(visit.call)
            self._by_session(visit)

    def _by_session(self, visit: Visit) -> None:
        found = self._accounts.use_session(visit.call.request.cookies.get(SESSION_COOKIE, ""))
        if found is not None:
            visit.known_user, visit.session = found

    def _by_header(self, visit: Visit, basic: bool | None = None) -> User | None:
        scheme, dummy, value = visit.call.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._accounts.bearer(value.strip())
        if scheme.lower() == "basic" and (self._knobs.basic_auth if basic is None else basic):
            username, password = _basic_credentials(value)
            return self._accounts.check_password(visit.release, username, password, basic=True)
        return None

    def _unauthenticated(self, visit: Visit) -> Abort:
        if visit.release.documented:
            return Abort(message("Unauthorized", 401))
        if not visit.release.stateless:
            return Abort(container_page(401))
        # The server looks for "/api/1" at the start of the path including the context, so the envelope of API 2
        # answers for both APIs, unless Studio is deployed at the root.
        at_root = self._knobs.context_path == ""
        return Abort(message("Unauthorized", 401)) if at_root and visit.api1 else UNAUTHENTICATED.abort()


def check_csrf(call: Call) -> None:
    """The pair is the client's own invention; it only has to match."""
    cookie = call.request.cookies.get(CSRF_COOKIE)
    if call.method not in SAFE_METHODS and (not cookie or call.headers.get(CSRF_HEADER) != cookie):
        raise Abort(container_page(403))


def _basic_credentials(value: str) -> tuple[str, str]:
    try:
        decoded = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    username, dummy, password = decoded.partition(":")
    return username, password


def json_object(call: Call) -> dict[str, Any]:
    """The body as a JSON object; whatever else is valid JSON has none of the keys anybody looks for."""
    data = call.json()
    return data if isinstance(data, dict) else {}
