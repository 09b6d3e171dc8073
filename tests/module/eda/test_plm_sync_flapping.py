# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source plm_sync with a server that ends each connection as soon as it is subscribed to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from ansible_collections.lockstep.sync.extensions.eda.plugins.event_source import plm_sync
from tests.simulator.dns_server import HOST

from .source import running


def test_pauses_grow_while_the_server_only_greets(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    take = plm_sync.Pauses.take

    def noted(self: plm_sync.Pauses, *now: float) -> float:
        pauses.append(take(self, *now))
        return 0.0

    monkeypatch.setattr(plm_sync.Pauses, "take", noted)

    async def handler(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str('{"event": "connection.established"}')
        await socket.receive()
        await socket.close()
        return socket

    async def scenario() -> list[dict[str, Any]]:
        application = web.Application()
        application.router.add_get("/{path:.*}", handler)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, HOST, 0).start()
        url = f"ws://{HOST}:{runner.addresses[0][1]}/notifications"
        try:
            async with running(plm_sync.main, notifications_url=url, reconnect_min=1, reconnect_max=1000) as events:
                return [await events.next() for _event in range(9)]
        finally:
            await runner.cleanup()

    found = [event["event"] for event in asyncio.run(scenario())]
    assert found == ["subscribed", "disconnected"] * 4 + ["subscribed"]
    assert pauses[:4] == [1, 2, 4, 8]
