# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control routes of the VinylDNS part, below ``/parts/vinyldns`` on the control port.

============================ =====================================================================================
POST /zones                  ``{"zones": [ZoneOrder…]}`` (fields in ``world.py``); answers ``{"ids": {name: id}}``
DELETE /zones                ``{"zones": [name…], "where": "both"|"dns"|"vinyldns"}``: gone without a trace
GET /zone?name=              all that VinylDNS stores about a zone, times in milliseconds; ``&records=no`` without record sets
PATCH /zone                  ``{"zone": name, "set": {field: value}}``: stored fields, by their names in ``model.Zone``
POST /latest-sync            ``{"zone": name, "age": seconds|null}``: move the last sync into the past, or forget it
POST /record-sets            ``{"zone": name, "put": [record set…], "delete": [{"name", "type"}…]}``: VinylDNS only
POST /automated-sync         ``{"zone": name, "requestor": user name}``: a scheduled sync, now
POST /dead-sync              ``{"zone": name, "age": seconds}``: a sync whose process ended in the middle, so long ago
GET /syncs?zone=             every accepted sync since start or reset, oldest first
GET /queue                   ``{"waiting", "running"}``
POST /settle                 wait until the queue is empty and nothing runs (``{"timeout": seconds}``)
POST /dns/update             ``{"zone", "add": [[name, ttl, type, rdata]…], "replace": […], "delete": [[name(, type(, rdata))]…],
                             "key": name}``: one dynamic update; answers ``{"serial"}``
GET /dns/serial?zone=        ``{"serial"}`` as the DNS server answers it
POST /dns/serial             ``{"zone", "serial"}``: any serial, also an older one
POST /dns/fault              ``{"fault", "zone", "on": "transfer"|"query"|"update"}`` (``dns_embedded.py``; not with BIND)
DELETE /dns/fault            the DNS server behaves again
POST /dns/transfers          ``{"limit"}``: how many transfers BIND serves at a time until the next order; 10 at the start
GET /dns/transfers           ``{"refused"}``: how many it has refused for that
POST /dns/notify             ``{"port", "signed"}``: from now on, BIND sends NOTIFY to this port; ``null``: no longer
============================ =====================================================================================
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from ..framework import Abort, Call, Route, json_answer
from .world import World, ZoneOrder

SETTLE_SECONDS = 60.0


class ControlApi:
    def __init__(self, world: World) -> None:
        self._world = world
        self._engine = world.context.engine

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/zones", self.add_zones),
            Route("DELETE", "/zones", self.remove_zones),
            Route("GET", "/zone", self.state),
            Route("PATCH", "/zone", self.patch_zone),
            Route("POST", "/latest-sync", self.latest_sync),
            Route("POST", "/record-sets", self.record_sets),
            Route("POST", "/automated-sync", self.automated_sync),
            Route("POST", "/dead-sync", self.dead_sync),
            Route("GET", "/syncs", self.syncs),
            Route("GET", "/queue", self.queue),
            Route("POST", "/settle", self.settle),
            Route("POST", "/dns/update", self.dns_update),
            Route("GET", "/dns/serial", self.dns_serial),
            Route("POST", "/dns/serial", self.set_dns_serial),
            Route("POST", "/dns/fault", self.dns_fault),
            Route("DELETE", "/dns/fault", self.clear_dns_faults),
            Route("POST", "/dns/transfers", self.limit_transfers),
            Route("GET", "/dns/transfers", self.transfers),
            Route("POST", "/dns/notify", self.dns_notify),
        ]

    async def add_zones(self, call: Call) -> web.StreamResponse:
        orders = [ZoneOrder.from_json(data) for data in call.json()["zones"]]
        return json_answer({"ids": await asyncio.to_thread(self._world.add_zones, orders)})

    async def remove_zones(self, call: Call) -> web.StreamResponse:
        data = call.json()
        await asyncio.to_thread(self._world.remove_zones, data["zones"], data.get("where", "both"))
        return json_answer({})

    async def state(self, call: Call) -> web.StreamResponse:
        return json_answer(self._world.state(call.query["name"], call.query.get("records") != "no"))

    async def patch_zone(self, call: Call) -> web.StreamResponse:
        data = call.json()
        return json_answer(await asyncio.to_thread(self._world.patch_zone, data["zone"], data["set"]))

    async def latest_sync(self, call: Call) -> web.StreamResponse:
        data = call.json()
        await asyncio.to_thread(self._world.set_latest_sync, data["zone"], data["age"])
        return json_answer({})

    async def record_sets(self, call: Call) -> web.StreamResponse:
        data = call.json()
        await asyncio.to_thread(self._world.put_record_sets, data["zone"], data.get("put", []))
        await asyncio.to_thread(self._world.delete_record_sets, data["zone"], data.get("delete", []))
        return json_answer({})

    async def automated_sync(self, call: Call) -> web.StreamResponse:
        data = call.json()
        change = self._world.automated_sync(data["zone"], data.get("requestor", "super-user"))
        self._engine.enqueue(change)
        return json_answer({"id": change.id}, status=202)

    async def dead_sync(self, call: Call) -> web.StreamResponse:
        data = call.json()
        change = await asyncio.to_thread(self._world.dead_sync, data["zone"], float(data.get("age", 0)))
        return json_answer({"id": change.id})

    async def syncs(self, call: Call) -> web.StreamResponse:
        zone = call.query.get("zone")
        found = [item.to_json() for item in self._engine.accepted if zone in (None, item.zone)]
        return json_answer({"syncs": found})

    async def queue(self, call: Call) -> web.StreamResponse:
        return json_answer(self._queue())

    def _queue(self) -> dict[str, Any]:
        return {"waiting": self._engine.waiting, "running": self._engine.running}

    async def settle(self, call: Call) -> web.StreamResponse:
        deadline = asyncio.get_running_loop().time() + float((call.json() or {}).get("timeout", SETTLE_SECONDS))
        while self._engine.waiting or self._engine.running:
            if asyncio.get_running_loop().time() > deadline:
                raise Abort(json_answer({"error": "not settled", **self._queue()}, status=504))
            await asyncio.sleep(0.005)
        return json_answer(self._queue())

    async def dns_update(self, call: Call) -> web.StreamResponse:
        return json_answer({"serial": await asyncio.to_thread(self._world.update_dns, call.json())})

    async def dns_serial(self, call: Call) -> web.StreamResponse:
        return json_answer({"serial": await asyncio.to_thread(self._world.dns.serial, call.query["zone"])})

    async def set_dns_serial(self, call: Call) -> web.StreamResponse:
        data = call.json()
        await asyncio.to_thread(self._world.set_dns_serial, data["zone"], data["serial"])
        return json_answer({})

    async def dns_fault(self, call: Call) -> web.StreamResponse:
        self._world.set_dns_fault(**call.json())
        return json_answer({})

    async def clear_dns_faults(self, call: Call) -> web.StreamResponse:
        self._world.clear_dns_faults()
        return json_answer({})

    async def dns_notify(self, call: Call) -> web.StreamResponse:
        await asyncio.to_thread(self._world.notify, **call.json())
        return json_answer({})

    async def limit_transfers(self, call: Call) -> web.StreamResponse:
        await asyncio.to_thread(self._world.limit_transfers, int(call.json()["limit"]))
        return json_answer({})

    async def transfers(self, call: Call) -> web.StreamResponse:
        return json_answer({"refused": await asyncio.to_thread(self._world.refused_transfers)})
