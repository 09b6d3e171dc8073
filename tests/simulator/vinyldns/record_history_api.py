# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The logs of record set changes: of a zone, of a name, those that failed, and a single change."""

from __future__ import annotations

from aiohttp import web

from ..framework import Abort, Call, Route, json_answer
from .access import RecordAccess, check_see
from .http import INTERNAL_ERROR, Context, find_zone, integer, max_items, plain, protected, refuse
from .model import Json, RecordSetChange, Zone, without_none
from .users import Caller


class RecordHistoryApi:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store

    def routes(self) -> list[Route]:
        table = [
            ("GET", "/zones/{zone}/recordsets/{record}/changes/{change}", self.get),
            ("GET", "/zones/{zone}/recordsetchanges", self.changes),
            ("GET", "/recordsetchange/history", self.history),
            ("GET", "/metrics/health/zones/{zone}/recordsetchangesfailure", self.failures),
        ]
        return [Route(method, path, protected(self._context, endpoint)) for method, path, endpoint in table]

    async def get(self, call: Call, caller: Caller) -> web.StreamResponse:
        """One change; the record set in the path is not looked at."""
        zone, change_id = find_zone(self._context, call.params["zone"]), call.params["change"]
        change = self._store.record_set_change(zone.id, change_id)
        if change is None:
            raise refuse(f"Unable to find record set change with id {change_id} in zone {zone.name}", 404)
        RecordAccess(caller, zone, self._context.policy).check_view(change.record_set)
        return json_answer(change.to_json(self._context.knobs.expose_keys))

    async def changes(self, call: Call, caller: Caller) -> web.StreamResponse:
        start, limit = integer(call, "startFrom", 0), max_items(call)
        zone = find_zone(self._context, call.params["zone"])
        check_see(caller, zone)
        if start < 0:
            raise Abort(plain(INTERNAL_ERROR, status=500))
        found = self._store.record_set_changes(zone.id, offset=start, limit=limit + 1)
        return self._page(call, zone, found, start, limit)

    async def history(self, call: Call, caller: Caller) -> web.StreamResponse:
        """Of a full name and a type.  The zone only decides about access, so another zone of this name shows too."""
        zone_id, name, rdtype = (call.query.get(parameter) for parameter in ("zoneId", "fqdn", "recordType"))
        if not (zone_id and name and rdtype):
            raise refuse("recordType, fqdn and zoneId cannot be empty", 400)
        start, limit = integer(call, "startFrom", 0), max_items(call)
        zone = find_zone(self._context, zone_id)
        check_see(caller, zone)
        found = self._store.record_set_changes(None, offset=start, limit=limit + 1, fqdn=name, rdtype=rdtype.upper())
        return self._page(call, zone, found, start, limit)

    def _page(self, call: Call, zone: Zone, found: list[RecordSetChange], start: int, limit: int) -> web.StreamResponse:
        page = {
            "zoneId": zone.id,
            "recordSetChanges": self._items(found[:limit]),
            "nextId": start + limit if len(found) > limit else None,
            "startFrom": start if "startFrom" in call.query else None,
            "maxItems": limit,
        }
        return json_answer(without_none(page))

    async def failures(self, call: Call, caller: Caller) -> web.StreamResponse:
        """For every user, of any zone, connected or not: the original never runs its access check."""
        start, limit = integer(call, "startFrom", 0), max_items(call)
        found = self._store.record_set_changes(call.params["zone"], offset=start, limit=limit, failed=True)
        page = {
            "failedRecordSetChanges": [change.to_json(self._context.knobs.expose_keys) for change in found],
            "nextId": 0 if len(found) < limit else start + limit + 1,  # one too many, as in the original
            "startFrom": start,
            "maxItems": limit,
        }
        return json_answer(page)

    def _items(self, changes: list[RecordSetChange]) -> list[Json]:
        """With the user's name, and without what only batch changes know."""
        expose, directory = self._context.knobs.expose_keys, self._context.directory
        items = []
        for change in changes:
            item = {**change.to_json(expose), "userName": directory.user_name(change.user_id)}
            del item["singleBatchChangeIds"]
            items.append(item)
        return items
