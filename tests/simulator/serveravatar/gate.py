# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every endpoint starts with: who calls, how often, and which organization, server and application is meant."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from aiohttp import web

from ..framework import Abort, Call, json_answer, text_answer
from . import texts
from .knobs import ServerAvatarKnobs
from .texts import Refusal
from .world import Application, Organization, Server, World


class TokenBucket:
    """Full at the start, refilled evenly."""

    def __init__(self) -> None:
        self._taken = 0.0
        self._seen = time.monotonic()

    def take(self, limit: int, window: float) -> tuple[int, float]:
        """What is left after this request, or -1 and the seconds until the next one may come."""
        if limit <= 0:
            return -1, window
        now = time.monotonic()
        rate = limit / window
        self._taken = max(0.0, self._taken - (now - self._seen) * rate)
        self._seen = now
        if self._taken + 1 > limit:
            return -1, (self._taken + 1 - limit) / rate
        self._taken += 1
        return int(limit - self._taken), 0.0


class Gate:
    """Authentication, the rate limit, and the nested look-up in the documented order."""

    def __init__(self, world: World, knobs: ServerAvatarKnobs, token: str) -> None:
        self._world = world
        self._knobs = knobs
        self._first_token = token
        self.reset()

    def reset(self) -> None:
        self._token: str | None = self._first_token
        self._bucket = TokenBucket()

    def replace_token(self, token: str | None) -> None:
        """From now on only this one is accepted, and none if API access was disabled."""
        self._token = token
        self._bucket = TokenBucket()

    def admit(self, call: Call) -> dict[str, str]:
        """Refuse the call, or return the headers that its answer carries."""
        if not self._authenticated(call.headers.get("Authorization", "")):
            raise Abort(self._unauthenticated(call))
        return self._throttle()

    def _authenticated(self, value: str) -> bool:
        if self._token is None:
            return False
        scheme, dummy, rest = value.partition(" ")
        return value == self._token or (scheme.lower() == "bearer" and rest == self._token)

    def _unauthenticated(self, call: Call) -> web.Response:
        mode = self._knobs.auth_failure_without_accept
        if "json" in call.headers.get("Accept", "") or mode == "json":
            return json_answer({"message": texts.UNAUTHENTICATED}, status=401)
        if mode == "redirect":
            return text_answer("Redirecting to /login", 302, "text/html", headers={"Location": "/login"})
        return text_answer("<!DOCTYPE html>\n<title>Unauthorized</title>\n", 401, "text/html")

    def _throttle(self) -> dict[str, str]:
        limit = self._knobs.rate_limit
        if limit is None:
            return {}
        left, wait = self._bucket.take(limit, self._knobs.rate_window)
        headers = {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": str(max(left, 0))}
        if left >= 0:
            return headers
        seconds = max(1, math.ceil(wait))
        headers["Retry-After"] = self._knobs.rate_retry_after or str(seconds)
        headers["X-RateLimit-Reset"] = str(int(time.time()) + seconds)
        raise Abort(json_answer({"message": texts.TOO_MANY}, status=429, headers=headers))

    def refuse(self, refusal: Refusal) -> Abort:
        """To be raised."""
        text = texts.drifted(refusal.text) if self._knobs.drifted_texts else refusal.text
        return Abort(json_answer({"message": text}, status=refusal.status))

    def invalid(self, errors: Mapping[str, list[str]]) -> Abort:
        return Abort(json_answer({"message": texts.INVALID, "errors": dict(errors)}, status=422))

    def organization(self, call: Call) -> Organization:
        organization = self._world.organizations.get(number(call.params["organization"]))
        if organization is None:
            raise self.refuse(texts.ORGANIZATION_NOT_FOUND)
        return organization

    def server(self, call: Call) -> Server:
        organization = self.organization(call)
        server = self._world.servers.get(number(call.params["server"]))
        if server is None or server.organization_id != organization.id:
            raise self.refuse(texts.SERVER_NOT_FOUND)
        return server

    def application(self, call: Call) -> Application:
        server = self.server(call)
        application = self._world.applications.get(number(call.params["application"]))
        if application is None or application.server_id != server.id:
            raise self.refuse(texts.APPLICATION_NOT_FOUND)
        return application


def number(text: object) -> int:
    """An id, or -1 (which nothing has) for what is none."""
    value = str(text)
    return int(value) if value.isascii() and value.isdigit() else -1
