# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The VinylDNS part: DNS server, store, engine and endpoints put together."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, ClassVar

from aiohttp import web

from ..dns_server import DnsServer, start_dns
from ..framework import Call, Environment, Part, Route
from .acl_api import AclApi
from .control import ControlApi
from .directory import Directory
from .engine import Engine
from .http import INTERNAL_ERROR, Context, plain
from .knobs import VinylKnobs
from .membership_api import MembershipApi
from .record_history_api import RecordHistoryApi
from .records_api import RecordsApi
from .seed import KEYS, MAIN_ZONE, backends_of, seed_texts
from .store import Store
from .system_api import SystemApi
from .users import USERS
from .world import World
from .zones_api import ZonesApi


class VinylDnsPart(Part):
    """See the package's docstring."""

    name: ClassVar[str] = "vinyldns"
    server_header: ClassVar[str] = "akka-http/10.1.10"
    knobs: VinylKnobs

    def __init__(self, env: Environment) -> None:
        super().__init__(env, VinylKnobs())
        self._dns: DnsServer = start_dns(env.dns, env.workdir, KEYS, seed_texts())
        self._store = Store(env.workdir / "vinyldns.sqlite", self.knobs)
        backends = backends_of(self._dns)
        self._engine = Engine(self._store, backends, self.knobs, self.spawn)
        self._context = Context(self._store, Directory(), self._engine, backends, self.knobs)
        self._world = World(self._context, self._dns)

    def routes(self) -> list[Route]:
        apis = (ZonesApi, AclApi, RecordsApi, RecordHistoryApi, MembershipApi, SystemApi)
        routes = [route for api in apis for route in api(self._context).routes()]
        return [*routes, *(_head_of(route) for route in routes if route.method == "GET")]

    def control_routes(self) -> list[Route]:
        return ControlApi(self._world).routes()

    def describe(self) -> dict[str, Any]:
        key = self._dns.tsig
        return {
            "url": self.url,
            "access_key": USERS[0].access_key,
            "secret_key": USERS[0].secret_key,
            "zone": MAIN_ZONE,
            "dns": {
                "kind": self._dns.kind,
                "server": self._dns.server,
                "port": self._dns.port,
                "tsig_name": key.name,
                "tsig_secret": key.secret,
                "tsig_algorithm": key.algorithm,
            },
            "users": {user.name: {"access_key": user.access_key, "secret_key": user.secret_key} for user in USERS},
        }

    async def start(self) -> None:
        self._world.fill()
        self.spawn(self._engine.run())

    async def stop(self) -> None:
        # First the DNS server: a worker that waits for it then ends.
        await asyncio.to_thread(self._dns.stop)
        await asyncio.to_thread(self._store.close)

    async def reset(self) -> None:
        await self.cancel_tasks()
        self._engine.clear()
        await asyncio.to_thread(self._world.restore)
        self.spawn(self._engine.run())

    def no_route(self, call: Call, allowed: list[str]) -> web.StreamResponse:
        """A wrong method is 405 only if it is neither GET nor POST; then it is, whatever the path.

        The last rules of the original's routes ask for GET and for POST before they look at the path: one of them forgets all
        complaints about the method, both add theirs.
        """
        if call.method in ("GET", "HEAD", "POST"):
            return plain(f"The requested path [{call.raw_path}] does not exist.", status=404)
        methods = ", ".join(dict.fromkeys(["GET", *(method for method in allowed if method != "HEAD"), "POST"]))
        answer = plain(f"HTTP method not allowed, supported methods: {methods}", status=405)
        answer.headers["Allow"] = methods
        return answer

    def on_error(self, call: Call, error: Exception) -> web.StreamResponse:
        return plain(INTERNAL_ERROR, status=500)


def _head_of(route: Route) -> Route:
    """HEAD is handled as GET, for signatures too, so that one made for HEAD is never right."""

    async def handler(call: Call) -> web.StreamResponse:
        return await route.handler(replace(call, method="GET"))

    return Route("HEAD", route.path, handler)
