# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source plm_sync with the emulated PLM Media Manager."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
import requests
from aiohttp import web

from ansible_collections.lockstep.sync.extensions.eda.plugins.event_source import plm_sync
from tests.module.plm.server import COLLECTION, LONG, Server
from tests.simulator.client import Simulator
from tests.simulator.dns_server import HOST

from .source import running


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["plm"]) as started:
        yield started


@pytest.fixture
def media(simulator: Simulator) -> Server:
    simulator.reset()
    return Server(simulator)


def start_a_sync(media: Server) -> str:
    session = requests.Session()
    session.trust_env = False
    answer = session.post(media.url.partition("/api/")[0] + COLLECTION, timeout=60)
    return str(answer.json()["synchronizer"]["id"])


def test_a_sync_of_somebody_else_is_two_events(media: Server) -> None:
    async def scenario() -> tuple[str, list[dict[str, Any]]]:
        async with running(plm_sync.main, notifications_url=media.notifications_url) as events:
            assert await events.next() == {"event": "subscribed"}
            # the subscription has no acknowledgement
            while media.control("GET", "/notifications")["listeners"] != [["/storage/synchronizers"]]:
                await asyncio.sleep(0.02)
            synchronizer = await asyncio.to_thread(start_a_sync, media)
            return synchronizer, [await events.next() for _event in range(2)]

    synchronizer, (started, completed) = asyncio.run(scenario())
    assert (started["event"], started["synchronizer"], started["state"]) == ("sync.started", synchronizer, "triggered")
    assert (completed["event"], completed["synchronizer"], completed["outcome"]) == ("sync.completed", synchronizer, "succeeded")
    assert media.control("GET", "/notifications")["crashed"] is False
    # it only listens
    assert media.gets() == []


def test_a_connection_that_ends_is_made_again(media: Server) -> None:
    media.knob(restart_seconds=0.5, push_seconds=LONG)

    async def scenario() -> list[dict[str, Any]]:
        async with running(plm_sync.main, notifications_url=media.notifications_url, reconnect_min=0.1) as events:
            await events.next()
            await asyncio.to_thread(media.control, "POST", "/restart")
            return [await events.next() for _event in range(2)]

    lost, again = asyncio.run(scenario())
    # while it cannot be made there is one event, not one for each try
    assert lost["event"] == "disconnected"
    assert lost["problem"]
    assert again == {"event": "subscribed"}


def test_a_server_that_is_not_there_is_one_event(media: Server, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> dict[str, Any]:
        options = {"notifications_url": f"ws://{HOST}:1/notifications", "reconnect_min": 0.05, "reconnect_max": 0.05}
        async with running(plm_sync.main, **options) as events:
            event = await events.next()
            assert await events.none_within(0.5)
            return event

    event = asyncio.run(scenario())
    assert event["event"] == "disconnected"
    assert len([record for record in caplog.records if "no notifications" in record.getMessage()]) == 1


async def serve(handler: Any) -> tuple[web.AppRunner, str]:
    application = web.Application()
    application.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    port = runner.addresses[0][1]
    return runner, f"ws://{HOST}:{port}/notifications"


@pytest.mark.parametrize("greeting", ['{"event": "hello"}', "[1]", "", None], ids=["other", "list", "empty", "binary"])
def test_a_server_of_another_kind_is_not_spoken_to(greeting: str | None) -> None:
    received: list[str] = []

    async def handler(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if greeting is None:
            await socket.send_bytes(b"\x00")
        else:
            await socket.send_str(greeting)
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                received.append(message.data)
        return socket

    async def scenario() -> dict[str, Any]:
        runner, url = await serve(handler)
        try:
            async with running(plm_sync.main, notifications_url=url, reconnect_min=30) as events:
                return await events.next()
        finally:
            await runner.cleanup()

    assert asyncio.run(scenario())["event"] == "disconnected"
    assert received == []


def test_what_is_no_websocket_is_reported() -> None:
    async def handler(request: web.Request) -> web.Response:
        raise web.HTTPFound("http://elsewhere.example.com/")

    async def scenario() -> dict[str, Any]:
        runner, url = await serve(handler)
        try:
            async with running(plm_sync.main, notifications_url=url, reconnect_min=30) as events:
                return await events.next()
        finally:
            await runner.cleanup()

    event = asyncio.run(scenario())
    assert event["event"] == "disconnected"
    assert "302" in event["problem"]
