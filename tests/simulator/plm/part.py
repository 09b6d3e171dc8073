# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part: REST on the main port, notifications on the second.

Control routes, below /parts/plm:

======================= ===============================================================================================
GET /synchronizers      ``{"posts": n, "synchronizers": [{"id", "push", "pull", "overall", "active"}, …]}``, oldest first
POST /synchronizers     somebody else starts one (not in the request log, but announced): ``{"id": …}``
POST /settle            the states ``push`` and ``pull`` (completed) of ``id`` (the latest) take effect now
POST /restart           the server process ends, and is there again after ``restart_seconds``: states stay, pulls that did not
                        start are lost, listeners are cut
GET /notifications      ``{"listeners": [[topic, …], …], "published": [frame, …], "crashed": false}``
======================= ===============================================================================================
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
import uuid
from typing import Any

from aiohttp import web

from ..faults import close, hold, reset
from ..framework import Abort, Call, Environment, Handler, Part, Route, json_answer
from .knobs import PlmKnobs
from .machine import Document, Synchronizer, duplicate_mode, overall, plan
from .notifications import Notifications

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
STANDALONE_PREFIX = "/v0"
COLLECTION = "/storage/synchronizers"
INSTANCE = re.compile(re.escape(COLLECTION) + r"/(\$[0-9a-zA-Z$\-_@.&+]+)(/?)")
CORS = {"Access-Control-Allow-Origin": "http://appjs"}


class PlmPart(Part):
    """See the package's docstring; knobs in ``knobs.py``, control routes above."""

    name = "plm"
    ports = ("main", "notifications")
    knobs: PlmKnobs

    def __init__(self, env: Environment) -> None:
        super().__init__(env, PlmKnobs())
        self._notifications = Notifications(self._survives_frame)
        self._restart_state()

    def _restart_state(self) -> None:
        self._synchronizers: list[Synchronizer] = []
        self._documents: dict[str, Document] = {}
        self._posts = 0
        self._crashed = False
        self._notifications.frames.clear()

    async def reset(self) -> None:
        await self.cancel_tasks()
        self._notifications.disconnect()
        self._restart_state()

    def describe(self) -> dict[str, Any]:
        return {
            "url": self.url + self.knobs.prefix,
            "standalone_url": self.url + STANDALONE_PREFIX,
            "notifications_url": self.urls["notifications"].replace("http", "ws", 1) + "/v0/notifications",
        }

    def routes(self) -> list[Route]:
        rest, notify = self._alive(self._serve), self._alive(self._notifications.serve)
        return [
            Route(method, "/{path:rest}", handler, port=port)
            for port, handler in (("main", rest), ("notifications", notify))
            for method in METHODS
        ]

    def control_routes(self) -> list[Route]:
        return [
            Route("GET", "/synchronizers", self._list),
            Route("POST", "/synchronizers", self._start_other),
            Route("POST", "/settle", self._settle),
            Route("POST", "/restart", self._restart),
            Route("GET", "/notifications", self._describe_notifications),
        ]

    # The process

    def _alive(self, handler: Handler) -> Handler:
        async def handle(call: Call) -> web.StreamResponse:
            if not self._crashed:
                return await handler(call)
            reset(call.request)
            return web.Response(status=500)  # goes nowhere, the connection is closed

        return handle

    def _survives_frame(self) -> bool:
        if self.knobs.crash_on_bad_subscribe:
            self._crashed = True
            self._end_process()
        return not self._crashed

    def _end_process(self) -> None:
        """Lose what is in memory: subscribers, and the pulls that were to follow.  Replications continue."""
        self._notifications.disconnect()
        now = time.monotonic()
        for sync in self._synchronizers:
            if now < sync.announced:
                sync.announced = math.inf
            for document in (sync.push, sync.pull):
                if document.created > now:
                    document.drop()

    # REST

    async def _serve(self, call: Call) -> web.StreamResponse:
        """Routing by the rules of the real server, on the path as it was sent: encoded ids do not exist."""
        path = self._below_prefix(call)
        if path is None:
            return _no_path(call)
        if not self._is_desktop(call):
            return await self._answer(call, path)
        if call.method == "OPTIONS":
            return web.Response(status=204, headers=CORS)
        try:
            answer = await self._answer(call, path)
        except Abort as abort:
            answer = abort.response
        answer.headers.update(CORS)
        return answer

    async def _answer(self, call: Call, path: str) -> web.StreamResponse:
        if path.removesuffix("/") == COLLECTION:
            return await self._collection(call)
        instance = INSTANCE.fullmatch(path)
        return await self._instance(call, instance) if instance else _no_path(call)

    def _is_desktop(self, call: Call) -> bool:
        """Whether it is the desktop application that is asked, or the standalone server."""
        return call.raw_path.startswith(self.knobs.prefix + "/") and self.knobs.prefix != STANDALONE_PREFIX

    def _below_prefix(self, call: Call) -> str | None:
        for prefix in sorted((self.knobs.prefix, STANDALONE_PREFIX), key=len, reverse=True):
            if call.raw_path.startswith(prefix + "/"):
                return call.raw_path[len(prefix) :]
        return None

    async def _collection(self, call: Call) -> web.StreamResponse:
        if call.method == "POST":
            return await self._create(call)
        desktop = self._is_desktop(call)
        if call.method == "GET" or (call.method == "DELETE" and not desktop):
            return await self._hang(call)
        return _wrong_method(call, "OPTIONS, POST, GET" if desktop else "POST, GET, DELETE")

    async def _instance(self, call: Call, match: re.Match[str]) -> web.StreamResponse:
        found, slash = match.groups()
        desktop = self._is_desktop(call)
        if call.method == "PUT" and not desktop:
            _check_body(call)
            return await self._hang(call)
        if call.method == "DELETE" and not slash:
            return await self._hang(call)
        if call.method != "GET" or slash:
            return _wrong_method(call, "OPTIONS, GET, DELETE" if desktop else "PUT")
        if self.knobs.no_remote:
            return await self._without_remote(call, "host")
        if self.knobs.db_hung:
            return await self._hang(call)
        return json_answer({"status": 0, "synchronizer": self._show(found)})

    async def _hang(self, call: Call) -> web.StreamResponse:
        """The real server has a route here and nothing behind it: it never answers."""
        await hold(call.request, self.knobs.hang_seconds)
        close(call.request)
        return web.Response(status=500)  # goes nowhere, the connection is closed

    async def _without_remote(self, call: Call, name: str) -> web.StreamResponse:
        """The standalone server names an exception; in the desktop application nothing catches it, and nothing answers."""
        if self._is_desktop(call):
            return await self._hang(call)
        raise _internal_error(name)

    async def _create(self, call: Call) -> web.StreamResponse:
        _check_body(call)
        if self.knobs.no_remote:
            return await self._without_remote(call, "httpStatus")
        self._posts += 1
        sync = await self._start()
        return json_answer({"status": 0, "synchronizer": _resource(sync.push.id, sync.pull.id, None, None, "triggered")})

    async def _start(self) -> Synchronizer:
        now = time.monotonic()
        sync = plan(self.knobs, now, any(other.active(now) for other in self._synchronizers))
        if duplicate_mode(self.knobs) == "pull_runs":
            for other in self._synchronizers:
                other.yield_to(sync)
        self._synchronizers.append(sync)
        self._documents |= {sync.push.id: sync.push, sync.pull.id: sync.pull}
        started = _resource(sync.push.id, sync.pull.id, None, None, "triggered")
        await self._notifications.publish("sync.started", started)
        if math.isfinite(sync.announced):
            self.spawn(self._announce(sync, sync.announced))
        return sync

    async def _announce(self, sync: Synchronizer, when: float) -> None:
        """The end, always called "completed"; only the states of push and pull are reliable, and they may be missing."""
        await asyncio.sleep(max(0.0, when - time.monotonic()))
        if sync.announced != when:
            return  # restarted or settled meanwhile
        push, pull = sync.push.state(when), sync.pull.state(when)
        await self._notifications.publish("sync.completed", _resource(sync.push.id, sync.pull.id, push, pull, "completed"))

    def _show(self, identifier: str) -> dict[str, Any]:
        """Two look-ups by document; ids that never existed have no state, and a missing half is made up."""
        push, dummy, rest = identifier[1:].partition("+")
        push, pull = push or str(uuid.uuid4()), rest.partition("+")[0] or str(uuid.uuid4())
        if self.knobs.db_down:
            return _resource(push, pull, "error", "error", "error")
        now = time.monotonic()
        push_state, pull_state = self._state_of(push, now), self._state_of(pull, now)
        return _resource(push, pull, push_state, pull_state, overall(push_state, pull_state))

    def _state_of(self, document: str, now: float) -> str | None:
        found = self._documents.get(document)
        return None if found is None else found.state(now)

    # Control

    async def _list(self, call: Call) -> web.StreamResponse:
        now = time.monotonic()
        rows = [
            {
                "id": sync.id,
                "push": sync.push.state(now),
                "pull": sync.pull.state(now),
                "overall": overall(sync.push.state(now), sync.pull.state(now)),
                "active": sync.active(now),
            }
            for sync in self._synchronizers
        ]
        return json_answer({"posts": self._posts, "synchronizers": rows})

    async def _start_other(self, call: Call) -> web.StreamResponse:
        sync = await self._start()
        return json_answer({"id": sync.id}, status=201)

    async def _settle(self, call: Call) -> web.StreamResponse:
        body = call.json() or {}
        wanted = body.get("id")
        candidates = [sync for sync in self._synchronizers if wanted in (None, sync.id)]
        if not candidates:
            raise ValueError(f"no synchronizer {wanted!r}")
        sync, now = candidates[-1], time.monotonic()
        sync.push.force(str(body.get("push", "completed")), now)
        sync.pull.force(str(body.get("pull", "completed")), now)
        sync.announced = now
        self.spawn(self._announce(sync, now))
        return json_answer(self._show(sync.id))

    async def _restart(self, call: Call) -> web.StreamResponse:
        self._end_process()
        self._crashed = False
        if self.knobs.restart_seconds > 0:
            await self.offline()
            self.spawn(self._come_back(self.knobs.restart_seconds))
        return json_answer({})

    async def _come_back(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.online()

    async def _describe_notifications(self, call: Call) -> web.StreamResponse:
        notifications = self._notifications
        return json_answer({"listeners": notifications.describe(), "published": notifications.frames, "crashed": self._crashed})


def _resource(push: str, pull: str, push_state: str | None, pull_state: str | None, state: str | None) -> dict[str, Any]:
    """States that are not known are left out, as JavaScript's JSON does."""
    return {
        "id": f"${push}+{pull}",
        **_state(state),
        "push": {"id": f"${push}", **_state(push_state)},
        "pull": {"id": f"${pull}", **_state(pull_state)},
    }


def _state(state: str | None) -> dict[str, str]:
    return {} if state is None else {"state": state}


def _check_body(call: Call) -> None:
    """Only what calls itself JSON is parsed, and then ignored."""
    if call.headers.get("Content-Type", "").partition(";")[0].strip() != "application/json" or not call.body:
        return
    text = call.body.decode(errors="replace")
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        rest = text[error.pos :]
        problem = f"Unexpected token {rest[0]}" if rest else "Unexpected end of input"
        raise Abort(json_answer({"code": "InvalidContent", "message": f"Invalid JSON: {problem}"}, status=400)) from error


def _internal_error(name: str) -> Abort:
    message = f"Cannot read property '{name}' of undefined"
    return Abort(json_answer({"code": "InternalError", "message": message}, status=500))


def _no_path(call: Call) -> web.Response:
    return json_answer({"code": "ResourceNotFound", "message": f"{call.target} does not exist"}, status=404)


def _wrong_method(call: Call, allow: str) -> web.Response:
    body = {"code": "MethodNotAllowedError", "message": f"{call.method} is not allowed"}
    return json_answer(body, status=405, headers={"Allow": allow})
