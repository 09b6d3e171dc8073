# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs parts: listening, request log, faults, and the control API that steers all of it.

Control API (JSON in and out; errors are ``{"error": text}``):

============================== ==============================================================================
GET /health                    ``{"status": "ok", "parts": {name: url}}``
GET /requests                  the log; filters ``part``, ``kind``, ``method``, ``path`` (regex), ``since`` (seq)
DELETE /requests               forget the log
POST /faults                   add one rule or a list of rules (``faults.py``); 201 with their ids
GET, DELETE /faults            the rules with their counters; forget them (``?part=`` only those of a part)
POST /reset                    log, faults, knobs and state of every part
GET /parts/<name>              the part's description
GET, PUT /parts/<name>/knobs   settings; PUT merges and answers all of them
POST /parts/<name>/reset       state and knobs of one part
POST /parts/<name>/offline     stop listening: connections are refused and open ones cut
POST /parts/<name>/online      listen again on the same ports
*      /parts/<name>/…         the part's own control routes
============================== ==============================================================================
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import traceback
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from aiohttp import web

from .faults import ConnectionCut, FaultBook, FaultError
from .framework import Abort, Call, Environment, KnobError, Part, Route, find_route, json_answer
from .parts import PARTS, load
from .requestlog import Entry, RequestLog

HOST = "127.0.0.1"
MAX_BODY = 256 * 1024 * 1024
SHUTDOWN_SECONDS = 0.1  # a hanging request must not keep the simulator from ending

Dispatch = Callable[[Call], Awaitable[web.StreamResponse]]


async def read_call(request: web.BaseRequest, port: str) -> Call:
    raw_path, _mark, raw_query = request.raw_path.partition("?")
    body = await request.read()
    return Call(request.method, raw_path, raw_query, request.headers, body, request, port=port)


class Listener:
    """One loopback port; closing and reopening it keeps the number."""

    def __init__(self, dispatch: Dispatch, port_name: str = "main") -> None:
        self._dispatch = dispatch
        self._port_name = port_name
        self._runner: web.ServerRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def open(self) -> None:
        if self._runner is not None:
            return
        server = web.Server(self._handle, request_factory=_make_request, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        # Created through getaddrinfo, not from a bare socket: only then does asyncio set TCP_NODELAY on connections.
        site = web.TCPSite(self._runner, HOST, self.port, reuse_address=True)
        await site.start()
        self.port = site.port

    async def close(self) -> None:
        runner, self._runner = self._runner, None
        if runner is None:
            return
        for site in runner.sites:
            await site.stop()
        for connection in runner.server.connections if runner.server else ():
            connection.force_close()
        await runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self._dispatch(await read_call(request, self._port_name))


def _make_request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    return web.BaseRequest(message, payload, protocol, writer, task, task.get_loop(), client_max_size=MAX_BODY)


class PartServer:
    """One part on its ports: log, fault, route, answer."""

    def __init__(self, part: Part, log: RequestLog, faults: FaultBook) -> None:
        self.part = part
        self._log = log
        self._faults = faults
        self._routes = part.routes()
        self._listeners = {name: Listener(self._dispatch, name) for name in part.ports}
        part.offline, part.online = self.offline, self.online

    async def start(self) -> None:
        for name, listener in self._listeners.items():
            await listener.open()
            self.part.urls[name] = listener.url
        await self.part.start()

    async def stop(self) -> None:
        await self.offline()
        await self.part.cancel_tasks()
        await self.part.stop()

    async def offline(self) -> None:
        for listener in self._listeners.values():
            await listener.close()

    async def online(self) -> None:
        for listener in self._listeners.values():
            await listener.open()

    async def reset(self) -> None:
        self.part.knobs.restore()
        await self.part.reset()
        await self.online()

    async def _dispatch(self, call: Call) -> web.StreamResponse:
        route, call, allowed = find_route(self._routes, call)
        kind = (route.kind if route else None) or self.part.kind_of(call)
        entry = self._log.add(self.part, call, kind, connection=_peer_port(call))
        fault = self._faults.take(self.part.name, call, kind)

        async def execute() -> web.StreamResponse:
            entry.executed = True
            return await self._execute(route, call, allowed, entry)

        if fault is None:
            return self._finish(entry, await execute())
        entry.fault = fault.kind
        try:
            return self._finish(entry, await fault.apply(call, execute))
        except ConnectionCut:
            return web.Response(status=500)  # goes nowhere, the connection is closed; aiohttp wants an object

    async def _execute(self, route: Route | None, call: Call, allowed: list[str], entry: Entry) -> web.StreamResponse:
        try:
            return await route.handler(call) if route else self.part.no_route(call, allowed)
        except Abort as abort:
            return abort.response
        except Exception as error:  # noqa: BLE001 (a bug here must look like a bug there)
            entry.error = f"{type(error).__name__}: {error}"
            traceback.print_exc(file=sys.stderr)
            return self.part.on_error(call, error)

    def _finish(self, entry: Entry, response: web.StreamResponse) -> web.StreamResponse:
        entry.status = response.status
        if not response.prepared:
            response.headers.setdefault("Server", self.part.server_header)
        return response


def _peer_port(call: Call) -> int:
    """Number of a connection: requests with the same number shared one."""
    peer = call.request.transport.get_extra_info("peername") if call.request.transport else None
    return int(peer[1]) if peer else 0


class ControlServer:
    """The control API; its own requests are not logged and never faulted."""

    def __init__(self, servers: dict[str, PartServer], log: RequestLog, faults: FaultBook) -> None:
        self._servers = servers
        self._log = log
        self._faults = faults
        self._routes = self._build_routes()
        self._listener = Listener(self._dispatch)

    @property
    def url(self) -> str:
        return self._listener.url

    async def start(self) -> None:
        await self._listener.open()

    async def stop(self) -> None:
        await self._listener.close()

    def _build_routes(self) -> list[Route]:
        routes = [
            Route("GET", "/health", self._health),
            Route("GET", "/requests", self._requests),
            Route("DELETE", "/requests", self._forget_requests),
            Route("GET", "/faults", self._list_faults),
            Route("POST", "/faults", self._add_faults),
            Route("DELETE", "/faults", self._forget_faults),
            Route("POST", "/reset", self._reset_all),
        ]
        for name, server in self._servers.items():
            base = f"/parts/{name}"
            routes += [replace(route, path=base + route.path) for route in server.part.control_routes()]
        return [
            *routes,
            Route("GET", "/parts/{part}", self._describe),
            Route("GET", "/parts/{part}/knobs", self._knobs),
            Route("PUT", "/parts/{part}/knobs", self._set_knobs),
            Route("POST", "/parts/{part}/reset", self._reset),
            Route("POST", "/parts/{part}/offline", self._offline),
            Route("POST", "/parts/{part}/online", self._online),
        ]

    async def _dispatch(self, call: Call) -> web.StreamResponse:
        route, call, allowed = find_route(self._routes, call)
        if route is None:
            return _error(405 if allowed else 404, f"{call.method} {call.raw_path}")
        try:
            return await route.handler(call)
        except Abort as abort:
            return abort.response
        except (FaultError, KnobError, ValueError, TypeError, KeyError, re.error) as error:
            return _error(400, f"{type(error).__name__}: {error}")
        except Exception as error:  # noqa: BLE001 (the control API must always answer)
            traceback.print_exc(file=sys.stderr)
            return _error(500, f"{type(error).__name__}: {error}")

    def _server(self, call: Call) -> PartServer:
        try:
            return self._servers[call.params["part"]]
        except KeyError:
            raise Abort(_error(404, f"no part {call.params['part']!r}, running: {', '.join(self._servers)}")) from None

    async def _health(self, call: Call) -> web.StreamResponse:
        return json_answer({"status": "ok", "parts": {name: server.part.url for name, server in self._servers.items()}})

    async def _requests(self, call: Call) -> web.StreamResponse:
        query = call.query
        since = int(query.pop("since", "0"))
        return json_answer({"requests": list(self._log.select(since=since, **query))})

    async def _forget_requests(self, call: Call) -> web.StreamResponse:
        self._log.clear()
        return json_answer({})

    async def _list_faults(self, call: Call) -> web.StreamResponse:
        return json_answer({"faults": self._faults.describe()})

    async def _add_faults(self, call: Call) -> web.StreamResponse:
        data = call.json()
        rules = [self._faults.add(rule) for rule in (data if isinstance(data, list) else [data])]
        return json_answer({"ids": [rule.id for rule in rules]}, status=201)

    async def _forget_faults(self, call: Call) -> web.StreamResponse:
        self._faults.clear(call.query.get("part"))
        return json_answer({})

    async def _reset_all(self, call: Call) -> web.StreamResponse:
        self._faults.clear()
        for server in self._servers.values():
            await server.reset()
        self._log.clear()
        return json_answer({})

    async def _describe(self, call: Call) -> web.StreamResponse:
        return json_answer(self._server(call).part.describe())

    async def _knobs(self, call: Call) -> web.StreamResponse:
        return json_answer(self._server(call).part.knobs.as_dict())

    async def _set_knobs(self, call: Call) -> web.StreamResponse:
        knobs = self._server(call).part.knobs
        knobs.update(call.json())
        return json_answer(knobs.as_dict())

    async def _reset(self, call: Call) -> web.StreamResponse:
        await self._server(call).reset()
        return json_answer({})

    async def _offline(self, call: Call) -> web.StreamResponse:
        await self._server(call).offline()
        return json_answer({})

    async def _online(self, call: Call) -> web.StreamResponse:
        await self._server(call).online()
        return json_answer({})


def _error(status: int, text: str) -> web.Response:
    return json_answer({"error": text}, status=status)


class Simulation:
    """All chosen parts and the control API, in the running event loop."""

    def __init__(self, parts: Iterable[str | type[Part]] = (), dns: Literal["auto", "bind", "embedded"] = "auto") -> None:
        self._classes = [load(part) if isinstance(part, str) else part for part in parts or PARTS]
        self._dns = dns
        self._workdir: Path | None = None
        self._servers: dict[str, PartServer] = {}
        self._control: ControlServer | None = None
        self.info: dict[str, Any] = {}

    async def start(self) -> dict[str, Any]:
        """Start everything and return what the JSON line says."""
        self._workdir = Path(tempfile.mkdtemp(prefix="lockstep-simulator-"))
        log, faults = RequestLog(), FaultBook()
        try:
            for part_class in self._classes:
                workdir = self._workdir / part_class.name
                workdir.mkdir()
                part = part_class(Environment(workdir=workdir, dns=self._dns))
                self._servers[part.name] = PartServer(part, log, faults)
                await self._servers[part.name].start()
            self._control = ControlServer(self._servers, log, faults)
            await self._control.start()
        except BaseException:
            await self.stop()
            raise
        self.info = {name: server.part.describe() for name, server in self._servers.items()}
        self.info["control"] = {"url": self._control.url}
        return self.info

    async def stop(self) -> None:
        """End everything that was started, the latest first, and remove every file."""
        if self._control is not None:
            await self._control.stop()
        for server in reversed(self._servers.values()):
            try:
                await server.stop()
            except Exception:  # noqa: BLE001 (the other parts must be stopped all the same)
                traceback.print_exc(file=sys.stderr)
        self._servers.clear()
        if self._workdir is not None:
            shutil.rmtree(self._workdir, ignore_errors=True)
