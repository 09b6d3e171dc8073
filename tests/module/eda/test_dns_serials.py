# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source dns_serials, which asks a DNS server that counts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import dns.message
import pytest

from ansible_collections.lockstep.sync.extensions.eda.plugins.event_source import dns_serials
from tests.simulator.dns_embedded import EmbeddedServer
from tests.simulator.dns_server import HOST, TsigKey, zone_text

from .source import running

KEY = TsigKey.make("serials.")
ZONES = ["a.example", "b.example", "c.example"]


class CountingServer(EmbeddedServer):
    """Remembers the queries of each transport, and may ignore those of one."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, bool]] = []
        self.ignores: set[str] = set()
        super().__init__([KEY], {zone: zone_text() for zone in ZONES})

    def answer(self, wire: bytes, tcp: bool) -> Iterator[bytes]:
        query = dns.message.from_wire(wire, keyring=KEY.key)
        transport = "tcp" if tcp else "udp"
        self.seen.append((query.question[0].name.to_text(), transport, query.had_tsig))
        return iter(()) if transport in self.ignores else super().answer(wire, tcp)


@pytest.fixture
def server() -> Iterator[CountingServer]:
    with CountingServer() as running_server:
        yield running_server


def options(server: CountingServer, **more: Any) -> dict[str, Any]:
    return {"server": HOST, "port": server.port, "zones": ZONES, "interval": 0.2, "timeout": 20, **more}


def test_all_zones_at_first_and_then_what_has_changed(server: CountingServer) -> None:
    async def scenario() -> tuple[dict[str, Any], dict[str, Any]]:
        async with running(dns_serials.main, **options(server)) as events:
            first = await events.next()
            assert await events.none_within(0.5)
            await asyncio.to_thread(server.update, "b.example", add=[("www", 300, "A", "192.0.2.1")])
            return first, await events.next()

    first, second = asyncio.run(scenario())
    assert (first["reason"], first["zones"]) == ("start", ["a.example.", "b.example.", "c.example."])
    assert (second["reason"], second["zone"], second["serial"]) == ("change", "b.example.", 2)
    assert second["changes"] == [{"zone": "b.example.", "serial": 2, "previous_serial": 1}]


def test_a_pass_costs_one_query_for_each_zone(server: CountingServer) -> None:
    async def scenario() -> None:
        async with running(dns_serials.main, **options(server, interval=3600)) as events:
            await events.next()

    asyncio.run(scenario())
    assert sorted(server.seen) == [(f"{zone}.", "udp", False) for zone in ZONES]


def test_queries_are_signed_if_there_is_a_key(server: CountingServer) -> None:
    async def scenario() -> dict[str, Any]:
        signed = options(server, interval=3600, tsig_name=KEY.name, tsig_secret=KEY.secret)
        async with running(dns_serials.main, **signed) as events:
            return await events.next()

    assert len(asyncio.run(scenario())["zones"]) == 3
    assert {signed for _zone, _transport, signed in server.seen} == {True}


def test_where_udp_is_lost_tcp_is_tried(server: CountingServer) -> None:
    server.ignores = {"udp"}

    async def scenario() -> dict[str, Any]:
        async with running(dns_serials.main, **options(server, interval=3600, zones=["a.example"], timeout=2)) as events:
            return await events.next()

    assert asyncio.run(scenario())["zones"] == ["a.example."]
    assert [transport for _zone, transport, _signed in server.seen] == ["udp", "udp", "tcp"]


def test_a_zone_that_does_not_exist_keeps_no_other_waiting(server: CountingServer, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> list[list[str]]:
        async with running(dns_serials.main, **options(server, zones=["gone.example", "a.example"])) as events:
            first = await events.next()
            await asyncio.to_thread(server.add_zone, "gone.example", zone_text(serial=7))
            return [first["zones"], (await events.next())["zones"]]

    assert asyncio.run(scenario()) == [["a.example."], ["gone.example."]]
    assert [record.getMessage() for record in caplog.records] == ["no serial of gone.example.: the server answers REFUSED"]


def test_a_server_that_is_gone_is_asked_again(server: CountingServer, caplog: pytest.LogCaptureFixture) -> None:
    server.ignores = {"udp", "tcp"}

    async def scenario() -> dict[str, Any]:
        async with running(dns_serials.main, **options(server, zones=["a.example"], timeout=0.2)) as events:
            assert await events.none_within(1.5)
            server.ignores = set()
            return await events.next()

    event = asyncio.run(scenario())
    # the first pass had no answer; this is what it would have yielded
    assert event["changes"] == [{"zone": "a.example.", "serial": 1, "previous_serial": None}]
    assert len(caplog.records) == 1


def test_many_zones_are_events_of_a_limited_size(server: CountingServer) -> None:
    async def scenario() -> list[list[str]]:
        async with running(dns_serials.main, **options(server, interval=3600, max_zones=2)) as events:
            return [(await events.next())["zones"] for _event in range(2)]

    assert asyncio.run(scenario()) == [["a.example.", "b.example."], ["c.example."]]
