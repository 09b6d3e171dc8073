# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints that add a rule to a zone's access control list and remove one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from aiohttp import web

from ..framework import Call, Route, json_answer
from .access import check_change
from .acl import AclRule
from .http import Context, body_object, find_zone, protected, refuse
from .json_input import InvalidInput
from .model import UPDATE, Zone, ZoneChange, now_ms
from .users import Caller

Rules = tuple[AclRule, ...]


class AclApi:
    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        table = [("PUT", self.add), ("DELETE", self.remove)]
        return [Route(method, "/zones/{zone}/acl/rules", protected(self._context, endpoint)) for method, endpoint in table]

    async def add(self, call: Call, caller: Caller) -> web.StreamResponse:
        rule = self._parse(call)
        zone = self._zone(call, caller)
        problem = rule.problem()
        if problem is not None:
            raise refuse(problem, 400)
        return self._accept(zone, caller, lambda rules: rules if rule in rules else (*rules, rule))

    async def remove(self, call: Call, caller: Caller) -> web.StreamResponse:
        """A rule that the zone does not have is no error."""
        rule = self._parse(call)
        return self._accept(self._zone(call, caller), caller, lambda rules: tuple(item for item in rules if item != rule))

    def _parse(self, call: Call) -> AclRule:
        rule = AclRule.from_json(body_object(call))
        if rule.user_id is not None and rule.group_id is not None:
            raise InvalidInput(["Cannot specify both a userId and a groupId"])
        return rule

    def _zone(self, call: Call, caller: Caller) -> Zone:
        zone = find_zone(self._context, call.params["zone"])
        check_change(caller, zone.name, zone.admin_group_id)
        return zone

    def _accept(self, zone: Zone, caller: Caller, change: Callable[[Rules], Rules]) -> web.StreamResponse:
        zone = replace(zone, acl_rules=change(zone.acl_rules), updated=now_ms())
        accepted = ZoneChange(zone, caller.user.id, UPDATE)
        self._context.engine.enqueue(accepted)
        return json_answer(accepted.to_json(self._context.knobs.expose_keys), status=202)
