# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WebSocket side: subscribers and their events."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from ..faults import close
from ..framework import Call, text_answer

TOPICS = ("/storage/synchronizers", "/importers", "/storage/changes-feed")
SYNCHRONIZERS = TOPICS[0]


class FrameError(Exception):
    """The real server has no guard here: its process ends."""


@dataclass(eq=False)
class Listener:
    socket: web.WebSocketResponse
    request: web.BaseRequest
    topics: set[str] = field(default_factory=set)


class Notifications:
    def __init__(self, crash: Callable[[], bool]) -> None:
        self._crash = crash  # called on an unexpected frame; returns whether the server survives it
        self._listeners: list[Listener] = []
        self.frames: list[dict[str, Any]] = []  # everything published, for the control API

    async def serve(self, call: Call) -> web.StreamResponse:
        """Any path will do, and no sub-protocol; whatever is no WebSocket is a 404."""
        socket = web.WebSocketResponse()
        if not socket.can_prepare(call.request).ok:
            return text_answer("", status=404)
        await socket.prepare(call.request)
        listener = Listener(socket, call.request)
        self._listeners.append(listener)
        try:
            await socket.send_str(json.dumps({"resource": "/notifications", "event": "connection.established"}))
            await self._listen(listener)
        finally:
            self._forget(listener)
        return socket

    async def _listen(self, listener: Listener) -> None:
        async for message in listener.socket:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                _accept(listener, message.data)
            except FrameError:
                if not self._crash():
                    return

    async def publish(self, event: str, data: dict[str, Any]) -> None:
        """Send an event to every subscriber; nothing is kept for later ones."""
        frame = {"resource": SYNCHRONIZERS, "event": event, "data": data}
        self.frames.append(frame)
        for listener in list(self._listeners):
            if SYNCHRONIZERS in listener.topics:
                try:
                    await listener.socket.send_str(json.dumps(frame, separators=(",", ":")))
                except (ConnectionError, RuntimeError):
                    self._forget(listener)

    def disconnect(self) -> None:
        """Cut everybody off, as the end of the process does."""
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            close(listener.request)

    def describe(self) -> list[list[str]]:
        return [sorted(listener.topics) for listener in self._listeners]

    def _forget(self, listener: Listener) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)


def _accept(listener: Listener, text: str) -> None:
    """Take a subscription; there is no answer to it, and every other well-formed frame is ignored."""
    try:
        frame = json.loads(text)
    except ValueError as error:
        raise FrameError(text) from error
    if not isinstance(frame, dict) or frame.get("resource") != "_client" or frame.get("event") != "subscribe":
        return
    data = frame.get("data")
    topic = data.get("resource") if isinstance(data, dict) else None
    if topic not in TOPICS:
        raise FrameError(text)
    listener.topics.add(topic)
