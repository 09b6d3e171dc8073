# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part: which URL of which release is answered by whom."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from ..framework import Abort, Call, Environment, Part, Route
from .accounts import Accounts
from .answers import container_page
from .api1 import Api1, unknown_script
from .api2 import Api2
from .api5 import Api5
from .control import Control
from .gate import API1, Endpoint, Gate, Visit
from .githttp import PORT, GitOverHttp
from .knobs import CrafterKnobs
from .publishing import Publisher
from .seed import SITES, TOKENS, USERS, make_seed_sites
from .studio import Studio
from .uilogin import UiLogin

CONTEXTS = ("/studio", "")


class CrafterPart(Part):
    name = "crafter"
    ports = ("main", PORT)
    secret_query = frozenset({"token"})
    knobs: CrafterKnobs

    def __init__(self, env: Environment) -> None:
        knobs = CrafterKnobs()
        super().__init__(env, knobs)
        self._studio = Studio(knobs, env.workdir)
        self._accounts = Accounts(knobs, USERS, TOKENS)
        self._gate = Gate(knobs, self._accounts)
        self._publisher = Publisher(self._studio, self.spawn)
        self._control = Control(self._studio, self._publisher, self._accounts, self.spawn)
        self._endpoints: list[tuple[Route, list[Endpoint]]] = []

    async def start(self) -> None:
        await make_seed_sites(self._studio)
        await asyncio.to_thread(self._studio.remember)

    async def reset(self) -> None:
        self._studio.forget()
        await self.cancel_tasks()
        self._publisher.forget()
        self._accounts.reset()
        await asyncio.to_thread(self._studio.restore)

    def describe(self) -> dict[str, Any]:
        admin = USERS[0]
        return {
            "url": self._base_url,
            "username": admin.username,
            "password": admin.password,
            "api_token": TOKENS[0].secret,
            "management_token": self.knobs.management_token,
            "users": {token.user.username: {"password": token.user.password, "api_token": token.secret} for token in TOKENS},
            "site": next(iter(SITES)),
            "sites": list(SITES),
            "published_repo": str(self._studio.repositories_path / "{site}" / "published"),
            "published_repo_url": f"{self.urls[PORT]}/{{site}}/published",
        }

    @property
    def _base_url(self) -> str:
        return self.url + self.knobs.context_path

    # Routing

    def routes(self) -> list[Route]:
        login = UiLogin(self._gate, self._accounts, self.knobs)
        api1 = Api1(self._studio, self._publisher, self._accounts, self.knobs)
        api2 = Api2(self._studio, self._publisher, self._accounts, self.knobs)
        api5 = Api5(self._studio, self._publisher)
        tables = [login.endpoints(), api1.endpoints(), api2.endpoints(), api5.endpoints()]
        for context in CONTEXTS:
            for table in tables:
                self._endpoints += self._routes_of(context, table)
        return [route for route, dummy in self._endpoints] + GitOverHttp(self._studio).routes()

    def control_routes(self) -> list[Route]:
        return self._control.routes()

    def _routes_of(self, context: str, table: Iterable[Endpoint]) -> list[tuple[Route, list[Endpoint]]]:
        """One route for all endpoints that share method and path; the release decides between them."""
        grouped: dict[tuple[str, str], list[Endpoint]] = {}
        for endpoint in table:
            grouped.setdefault((endpoint.method, endpoint.path), []).append(endpoint)
        found = []
        for (method, path), endpoints in grouped.items():
            serve = functools.partial(self._serve, context, endpoints)
            found.append((Route(method, context + path, serve, kind=endpoints[0].kind), endpoints))
            if path.startswith("/api/2/"):  # tools of 4.x append this, and are understood
                with_suffix = functools.partial(self._serve, context, endpoints, since="4.0.0")
                found.append((Route(method, f"{context}{path}.json", with_suffix, kind=endpoints[0].kind), endpoints))
        return found

    async def _serve(self, context: str, endpoints: list[Endpoint], call: Call, since: str = "3.0.0") -> web.StreamResponse:
        if context != self.knobs.context_path:
            return container_page(404)
        visit = self._visit(call)
        offered = [endpoint for endpoint in endpoints if endpoint.offered(visit.release) and visit.release.since(since)]
        if not offered:
            return self._unknown(visit)
        try:
            self._gate.admit(visit, offered[0].access)
            response = await offered[0].handler(visit)
        except Abort as abort:
            response = abort.response
        self._gate.finish(visit, response)
        return response

    def no_route(self, call: Call, allowed: list[str]) -> web.StreamResponse:
        context = self.knobs.context_path
        if call.port == PORT or not call.raw_path.startswith(f"{context}/"):
            return container_page(404)
        return self._unknown(self._visit(call))

    def on_error(self, call: Call, error: Exception) -> web.StreamResponse:
        return container_page(500)

    def _visit(self, call: Call) -> Visit:
        below = call.raw_path.removeprefix(self.knobs.context_path)
        return Visit(call, self.knobs.release, self._base_url, api1=below.startswith("/api/1/"))

    def _unknown(self, visit: Visit) -> web.Response:
        """A URL that this release does not have: authentication comes before that is found out."""
        below = visit.call.raw_path.removeprefix(self.knobs.context_path)
        try:
            if below.startswith("/api/"):
                self._gate.admit(visit, "signed_in")
            response = self._not_there(visit, below)
        except Abort as abort:
            response = abort.response
        self._gate.finish(visit, response)
        return response

    def _not_there(self, visit: Visit, below: str) -> web.Response:
        if below.startswith(API1):
            return unknown_script(visit.release)  # scripts belong to a method, so a wrong one is an unknown script
        if visit.release.is_4_0 and below.startswith("/api/2/"):
            return unknown_script(visit.release)
        other_methods = any(
            endpoint.offered(visit.release) and endpoint.method != visit.call.method
            for route, endpoints in self._endpoints
            if route.match(visit.call.raw_path) is not None
            for endpoint in endpoints
        )
        return container_page(405 if other_methods else 404)
