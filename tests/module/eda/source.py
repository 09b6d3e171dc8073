# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event source at work in this process, with a queue as ansible-rulebook passes it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

#: seconds after which something is stuck
LIMIT = 60.0

Main = Callable[[Any, dict[str, Any]], Awaitable[None]]


class Events:
    """The queue of a rule set."""

    def __init__(self) -> None:
        self.all: list[dict[str, Any]] = []
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(1)

    async def put(self, data: dict[str, Any]) -> None:
        await self._queue.put(data)

    async def next(self) -> dict[str, Any]:
        event = await asyncio.wait_for(self._queue.get(), LIMIT)
        self.all.append(event)
        return event

    async def none_within(self, seconds: float) -> bool:
        await asyncio.sleep(seconds)
        return self._queue.empty()


@contextlib.asynccontextmanager
async def running(main: Main, **options: Any) -> AsyncIterator[Events]:
    """An event source from here to the end of ``async with``, cancelled as ansible-rulebook does at its end."""
    events = Events()
    task = asyncio.ensure_future(main(events, options))
    try:
        yield events
        if task.done():
            await task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
