# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VinylDNS that costs next to nothing, for measuring the client: ``python -m tests.bench.instant_vinyldns --zones 1000``.

It keeps everything in memory, checks no signature, and has no DNS server behind it: only the routes that a sync of zones needs,
with the states and dates of docs/reference/vinyldns.md#1.4. For everything else there is the emulator in tests/simulator. A
sync takes ``--seconds``, and ``--workers`` of them run at a time; each records two changes.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import collections
import datetime as dt
import email.utils
import json
import sys
import time
import urllib.parse
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Answer = tuple[int, Any]


def now() -> str:
    return dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Change:
    """A sync of a zone, with the zone as it was then."""

    id: str
    created: str
    status: str
    zone: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "userId": "u",
            "changeType": "Sync",
            "status": self.status,
            "created": self.created,
            "zone": self.zone,
        }


@dataclass
class Zone:
    """A zone, its syncs and the record set changes of the last one."""

    row: dict[str, Any]
    changes: list[Change] = field(default_factory=list)
    effect: list[dict[str, Any]] = field(default_factory=list)


class World:
    """All zones, and the workers that sync them.

    :param age: seconds since the last sync of each zone.
    :param seconds: that a sync takes.
    """

    def __init__(self, count: int, age: float, workers: int, seconds: float) -> None:
        synced = dt.datetime.now(dt.timezone.utc) - dt.timedelta(seconds=age)
        self._old = synced.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.zones = {name: Zone(self._row(name)) for name in sorted(f"z{number:05d}.example." for number in range(count))}
        self.names = list(self.zones)
        self.by_id = {zone.row["id"]: zone for zone in self.zones.values()}
        self._slots = asyncio.Semaphore(workers)
        self._seconds = seconds
        self._tasks: set[asyncio.Task[None]] = set()

    def _row(self, name: str) -> dict[str, Any]:
        return {
            "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
            "name": name,
            "email": "hostmaster@example.com",
            "status": "Active",
            "created": self._old,
            "updated": self._old,
            "latestSync": self._old,
            "account": "system",
            "shared": False,
            "acl": {"rules": []},
            "adminGroupId": "g1",
            "adminGroupName": "ops",
            "isTest": False,
            "accessLevel": "Delete",
        }

    def sync(self, zone: Zone) -> Change:
        accepted = now()
        change = Change(str(uuid.uuid4()), accepted, "Pending", {**zone.row, "status": "Syncing", "updated": accepted})
        if self._seconds:
            task = asyncio.get_running_loop().create_task(self._work(zone, change))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._begin(zone, change)
            self._end(zone, change)
        return change

    async def _work(self, zone: Zone, change: Change) -> None:
        async with self._slots:
            self._begin(zone, change)
            await asyncio.sleep(self._seconds)
            self._end(zone, change)

    def _begin(self, zone: Zone, change: Change) -> None:
        zone.row = change.zone
        zone.changes.insert(0, change)

    def _end(self, zone: Zone, change: Change) -> None:
        zone.effect = [self._recorded(change, kind, name) for kind, name in (("Update", "www"), ("Create", "new"))]
        zone.row = {**change.zone, "status": "Active", "latestSync": now()}
        change.zone, change.status = zone.row, "Synced"

    @staticmethod
    def _recorded(change: Change, kind: str, name: str) -> dict[str, Any]:
        record_set = {"id": str(uuid.uuid4()), "name": name, "type": "A", "ttl": 300, "records": [{"address": "192.0.2.1"}]}
        row = {
            "id": str(uuid.uuid4()),
            "created": now(),
            "changeType": kind,
            "status": "Complete",
            "userId": "u",
            "systemMessage": "Change applied via zone sync",
            "zone": change.zone,
            "recordSet": record_set,
        }
        return {**row, "updates": {**record_set, "ttl": 60}} if kind == "Update" else row


def record_sets(zone: str) -> list[dict[str, Any]]:
    """What every zone has: SOA and NS, as :mod:`tests.simulator.dns_server` makes them, and an address."""
    soa = {"mname": "ns1.example.net.", "rname": "hostmaster.example.net.", "serial": 1}
    soa.update(refresh=3600, retry=600, expire=86400, minimum=60)
    found = ((zone, "SOA", soa), (zone, "NS", {"nsdname": "ns1.example.net."}), ("www", "A", {"address": "192.0.2.1"}))
    shared = {"zoneId": zone, "ttl": 300, "status": "Active", "account": "system"}
    return [{**shared, "id": f"{name}/{kind}", "name": name, "type": kind, "records": [data]} for name, kind, data in found]


class Api:
    """The routes, and how often each was asked for."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.count: collections.Counter[str] = collections.Counter()

    def answer(self, method: str, target: str) -> Answer:
        path, _mark, query = target.partition("?")
        parts = path.strip("/").split("/")
        params = dict(urllib.parse.parse_qsl(query))
        if parts == ["requests"]:
            found, self.count = dict(self.count), collections.Counter()
            return 200, found
        if parts == ["zones"]:
            self.count["list"] += 1
            return 200, self._page(params)
        if parts[:2] == ["zones", "name"]:
            zone, what = self._world.zones.get(urllib.parse.unquote(parts[2])), "zone"
        else:
            zone, what = self._world.by_id.get(parts[1] if len(parts) > 1 else ""), parts[2] if len(parts) > 2 else "zone"
        self.count[what] += 1
        if zone is None:
            return 404, f"Zone {path} does not exist"
        return self._of_zone(zone, what)

    def _page(self, params: dict[str, str]) -> dict[str, Any]:
        names, limit = self._world.names, int(params.get("maxItems", 100))
        start = bisect.bisect_right(names, params.get("startFrom", ""))
        rows = [self._world.zones[name].row for name in names[start : start + limit]]
        page: dict[str, Any] = {"zones": rows, "maxItems": limit, "ignoreAccess": False}
        return {**page, "nextId": rows[-1]["name"]} if start + limit < len(names) else page

    def _of_zone(self, zone: Zone, what: str) -> Answer:
        zone_id = zone.row["id"]
        replies: dict[str, Callable[[], Answer]] = {
            "zone": lambda: (200, {"zone": zone.row}),
            "changes": lambda: (
                200,
                {"zoneId": zone_id, "zoneChanges": [each.to_json() for each in zone.changes], "maxItems": 100},
            ),
            "sync": lambda: (202, self._world.sync(zone).to_json()),
            "recordsets": lambda: (200, {"recordSets": record_sets(zone.row["name"]), "maxItems": 100}),
            "recordsetchanges": lambda: (200, {"zoneId": zone_id, "recordSetChanges": zone.effect, "maxItems": 100}),
        }
        return replies.get(what, lambda: (404, "The requested path does not exist"))()


class Connection(asyncio.Protocol):
    """HTTP/1.1 as far as clients with keep-alive need it. asyncio sets TCP_NODELAY."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _gap, rest = self._received.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines[1:])}
            size = int(headers.get("content-length", 0))
            if len(rest) < size:
                return
            self._received = rest[size:]
            method, target, _version = lines[0].split(" ")
            self._reply(*self._api.answer(method, target), close=headers.get("connection", "").lower() == "close")

    def _reply(self, status: int, body: Any, close: bool) -> None:
        assert self._transport is not None
        text = json.dumps(body).encode()
        head = [
            f"HTTP/1.1 {status} X",
            f"Date: {email.utils.formatdate(time.time(), usegmt=True)}",
            "Content-Type: application/json",
            f"Content-Length: {len(text)}",
            "Connection: " + ("close" if close else "keep-alive"),
        ]
        self._transport.write("\r\n".join([*head, "", ""]).encode() + text)
        if close:
            self._transport.close()


async def serve(options: argparse.Namespace) -> None:
    api = Api(World(options.zones, options.age, options.workers, options.seconds))
    server = await asyncio.get_running_loop().create_server(lambda: Connection(api), "127.0.0.1", 0)
    print(json.dumps({"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}), flush=True)
    # ends with the process that reads its output
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zones", type=int, default=1000)
    parser.add_argument("--age", type=float, default=86400.0, help="seconds since the last sync of each zone")
    parser.add_argument("--workers", type=int, default=4, help="syncs at a time, if they take any")
    parser.add_argument("--seconds", type=float, default=0.0, help="that a sync takes")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
