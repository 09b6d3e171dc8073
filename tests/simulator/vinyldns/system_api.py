# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Endpoints about the server itself."""

from __future__ import annotations

from aiohttp import web

from ..framework import Call, Route, json_answer
from .http import Context, boolean, plain, protected, refuse, required
from .model import Json
from .users import Caller

VERSION = "0.21.6"
SYNC_METRIC = "vinyldns_core_route_Monitor_zone_sync_latency"


class SystemApi:
    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/ping", self.ping),
            Route("GET", "/health", self.health),
            Route("GET", "/color", self.color),
            Route("GET", "/metrics/prometheus", self.metrics),
            Route("GET", "/status", self.status),
            Route("POST", "/status", protected(self._context, self.set_status)),
        ]

    async def ping(self, call: Call) -> web.StreamResponse:
        return plain("PONG")

    async def health(self, call: Call) -> web.StreamResponse:
        return plain("OK")

    async def color(self, call: Call) -> web.StreamResponse:
        return plain(self._context.knobs.color)

    async def status(self, call: Call) -> web.StreamResponse:
        return json_answer(self._status_json())

    async def set_status(self, call: Call, caller: Caller) -> web.StreamResponse:
        if not caller.sees_everything:
            raise refuse(f"Not authorized. User '{caller.user.name}' cannot make the requested change.", 403)
        required(call, "processingDisabled")
        self._context.knobs.processing_disabled = boolean(call, "processingDisabled", False)
        return json_answer(self._status_json())

    async def metrics(self, call: Call) -> web.StreamResponse:
        """Of the many metrics of the original only how often a sync ran; ``name`` asks for some by name."""
        wanted = [value for name, value in call.query_items if name == "name"]
        text = ""
        if not wanted or f"{SYNC_METRIC}_count" in wanted:
            text = f"# TYPE {SYNC_METRIC} summary\n{SYNC_METRIC}_count {float(self._context.engine.syncs_run)}\n"
        answer = plain(text)
        answer.headers["Content-Type"] = "text/plain; version=0.0.4; charset=utf-8"
        return answer

    def _status_json(self) -> Json:
        knobs, backends = self._context.knobs, self._context.backends
        return {
            "processingDisabled": knobs.processing_disabled,
            "color": knobs.color,
            "keyName": next(iter(backends.connections.values())).key_name,
            "version": VERSION,
        }
