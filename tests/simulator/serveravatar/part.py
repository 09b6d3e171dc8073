# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part: its pieces put together, and what Laravel does around every endpoint."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from aiohttp import web

from ..framework import Abort, Call, Environment, Handler, Part, Route, json_answer, kind_by_method, text_answer
from . import seed, texts
from .backups import Backups
from .catalog import Catalog
from .controls import Controls
from .gate import Gate
from .knobs import ServerAvatarKnobs
from .restores import Restores
from .runs import Runs
from .sites import Sites
from .staging import Staging


class ServerAvatarPart(Part):
    """See the package's docstring; knobs in ``knobs.py``, control routes in ``controls.py``."""

    name = "serveravatar"
    knobs: ServerAvatarKnobs

    def __init__(self, env: Environment) -> None:
        super().__init__(env, ServerAvatarKnobs())
        self.token = secrets.token_hex(30)
        self.world = seed.build(self.knobs)
        runs, restores = Runs(self.world, self.knobs), Restores(self.world, self.knobs)
        self._gate = Gate(self.world, self.knobs, self.token)
        self._api = [
            *Catalog(self.world, self.knobs, self._gate, lambda: self.url).routes(),
            *Staging(self.world, self.knobs, self._gate, runs).routes(),
            *Backups(self.world, self.knobs, self._gate, restores, lambda: self.url).routes(),
        ]
        self._sites = Sites(self.world, self.knobs).routes()
        self._controls = Controls(self.world, self.knobs, self._gate, runs, restores).routes()

    def routes(self) -> list[Route]:
        routes = [replace(route, handler=self._admitted(route.handler)) for route in self._api]
        routes += [replace(route, handler=self._current(route.handler)) for route in self._sites]
        return routes + [self._head(route) for route in routes if route.method == "GET"]

    def control_routes(self) -> list[Route]:
        return [replace(route, handler=self._current(route.handler)) for route in self._controls]

    def _current(self, handler: Handler) -> Handler:
        """Let happen first what is due."""

        async def handle(call: Call) -> web.StreamResponse:
            self.world.advance()
            return await handler(call)

        return handle

    def _admitted(self, handler: Handler) -> Handler:
        current = self._current(handler)

        async def handle(call: Call) -> web.StreamResponse:
            headers = self._gate.admit(call)
            try:
                response = await current(call)
            except Abort as abort:
                response = abort.response  # refusals carry what is left of the limit, too
            response.headers.update(headers)
            return response

        return handle

    def _head(self, route: Route) -> Route:
        """Laravel runs a GET endpoint for HEAD too, with all its effects; hence the kind of the GET."""

        async def handle(call: Call) -> web.StreamResponse:
            return await route.handler(call) if self.knobs.head_runs_get else self.no_route(call, ["GET"])

        return replace(route, method="HEAD", handler=handle, kind=route.kind or kind_by_method("GET"))

    def no_route(self, call: Call, allowed: list[str]) -> web.StreamResponse:
        if not allowed:
            return json_answer({"message": texts.NO_SUCH_ROUTE.format(call.raw_path.lstrip("/"))}, status=404)
        headers = {"Allow": ", ".join(dict.fromkeys(allowed))}
        if call.method == "OPTIONS":
            return text_answer("", headers=headers, content_type="text/html")
        message = texts.WRONG_METHOD.format(call.method, headers["Allow"])
        return json_answer({"message": message}, status=405, headers=headers)

    def on_error(self, call: Call, error: Exception) -> web.StreamResponse:
        return json_answer({"message": "Server Error"}, status=500)

    async def reset(self) -> None:
        fresh = seed.build(self.knobs)
        vars(self.world).update(vars(fresh))  # in place: every piece holds this world
        self._gate.reset()

    def describe(self) -> dict[str, Any]:
        world = self.world
        return {
            "url": self.url,
            "api_token": self.token,
            "organization": seed.ORGANIZATION,
            "organization_name": world.organizations[seed.ORGANIZATION].name,
            "server": seed.SERVER,
            "server_name": world.servers[seed.SERVER].name,
            "application": seed.APPLICATION,
            "application_name": world.applications[seed.APPLICATION].name,
            "staging_application": seed.STAGING_APPLICATION,
            "applications": list(seed.WITH_STAGING),
            "application_names": [world.applications[each].name for each in seed.WITH_STAGING],
            "application_without_staging": seed.WITHOUT_STAGING,
            "application_without_staging_name": world.applications[seed.WITHOUT_STAGING].name,
            "backup_provider": seed.BACKUP_PROVIDER,
            "backup_provider_type": world.providers[seed.BACKUP_PROVIDER].provider,
            "sites": {
                "production": f"{self.url}/sites/{seed.APPLICATION}",
                "staging": f"{self.url}/sites/{seed.STAGING_APPLICATION}",
            },
        }
