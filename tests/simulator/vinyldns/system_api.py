# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Endpoints about the server itself, and groups (read only)."""

from __future__ import annotations

from aiohttp import web

from ..framework import Call, Route, json_answer
from .http import Context, boolean, max_items, plain, protected, refuse, required
from .model import Json, without_none
from .users import Caller, Group

VERSION = "0.21.6"


class SystemApi:
    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/ping", self.ping),
            Route("GET", "/health", self.health),
            Route("GET", "/color", self.color),
            Route("GET", "/status", self.status),
            Route("POST", "/status", protected(self._context, self.set_status)),
            Route("GET", "/groups", protected(self._context, self.list_groups)),
            Route("GET", "/groups/{group}", protected(self._context, self.get_group)),
            Route("GET", "/groups/{group}/members", protected(self._context, self.get_members)),
            Route("GET", "/groups/{group}/admins", protected(self._context, self.get_members)),
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
        if not caller.user.is_super:
            raise refuse(f"Not authorized. User '{caller.user.name}' cannot make the requested change.", 403)
        required(call, "processingDisabled")
        self._context.knobs.processing_disabled = boolean(call, "processingDisabled", False)
        return json_answer(self._status_json())

    def _status_json(self) -> Json:
        knobs, backends = self._context.knobs, self._context.backends
        return {
            "processingDisabled": knobs.processing_disabled,
            "color": knobs.color,
            "keyName": next(iter(backends.connections.values())).key_name,
            "version": VERSION,
        }

    async def list_groups(self, call: Call, caller: Caller) -> web.StreamResponse:
        limit = max_items(call)
        ignore_access = boolean(call, "ignoreAccess", False) or caller.sees_everything
        groups = [
            group.to_json() for group in self._context.directory.groups.values() if ignore_access or group.id in caller.group_ids
        ]
        page = {
            "groups": groups[:limit],
            "groupNameFilter": call.query.get("groupNameFilter"),
            "startFrom": call.query.get("startFrom"),
            "maxItems": limit,
            "ignoreAccess": ignore_access,
        }
        return json_answer(without_none(page))

    async def get_group(self, call: Call, caller: Caller) -> web.StreamResponse:
        return json_answer(self._find(call).to_json())

    async def get_members(self, call: Call, caller: Caller) -> web.StreamResponse:
        users = self._context.directory.users
        people = [{"id": member, "userName": users[member].name} for member in sorted(self._find(call).member_ids)]
        role = call.raw_path.rsplit("/", 1)[-1]
        return json_answer({role: people})

    def _find(self, call: Call) -> Group:
        group = self._context.directory.groups.get(call.params["group"])
        if group is None:
            raise refuse(f"Group with ID {call.params['group']} was not found", 404)
        return group
