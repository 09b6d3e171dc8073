# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record set endpoints, and the logs of record set changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, cast

from aiohttp import web

from ..framework import Abort, Call, Route, json_answer
from .access import access_level, check_change, check_see
from .http import INTERNAL_ERROR, Context, body_object, find_zone, integer, like, max_items, plain, protected, refuse
from .model import (
    CREATE,
    DELETE,
    TYPE_CODES,
    UPDATE,
    Json,
    RecordSet,
    RecordSetChange,
    Zone,
    fqdn,
    is_apex,
    new_id,
    now_ms,
    without_none,
)
from .records import comparable
from .store import Direction
from .users import Caller

KEY_SEPARATOR = "<....>"


class RecordsApi:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store

    def routes(self) -> list[Route]:
        table = [
            ("GET", "/zones/{zone}/recordsets", self.list_record_sets),
            ("POST", "/zones/{zone}/recordsets", self.create),
            ("GET", "/zones/{zone}/recordsets/{record}", self.get),
            ("PUT", "/zones/{zone}/recordsets/{record}", self.update),
            ("DELETE", "/zones/{zone}/recordsets/{record}", self.delete),
            ("GET", "/zones/{zone}/recordsetcount", self.count),
            ("GET", "/zones/{zone}/recordsetchanges", self.changes),
            ("GET", "/recordsetchange/history", self.history),
            ("GET", "/metrics/health/zones/{zone}/recordsetchangesfailure", self.failures),
        ]
        return [Route(method, path, protected(self._context, endpoint)) for method, path, endpoint in table]

    # -- reading -----------------------------------------------------------------------------------------------------

    async def list_record_sets(self, call: Call, caller: Caller) -> web.StreamResponse:
        query, limit = call.query, max_items(call, exact=False)
        zone = find_zone(self._context, call.params["zone"])
        check_see(caller, zone)
        types = [name for name in query.get("recordTypeFilter", "").upper().split(",") if name in TYPE_CODES]
        name_filter, owner = query.get("recordNameFilter"), query.get("recordOwnerGroupFilter")
        name_sort = "DESC" if query.get("nameSort", "").upper() == "DESC" else "ASC"
        type_sort = query.get("recordTypeSort", "NONE").upper()
        type_sort = type_sort if type_sort in ("ASC", "DESC") else "NONE"
        found = self._store.list_record_sets(
            zone.id,
            after=self._page_start(zone, query.get("startFrom")),
            name_like=like(name_filter) if name_filter else None,
            types=types,
            owner_group_id=owner,
            name_sort=cast(Direction, name_sort),
            type_sort=cast(Literal["NONE", "ASC", "DESC"], type_sort),
            limit=limit + 1,
            lossy=self._context.knobs.lossy_paging,
        )
        page = {
            "recordSets": [self._item(item, zone, caller) for item in found[:limit]],
            "startFrom": query.get("startFrom"),
            "nextId": _page_key(found[limit - 1]) if len(found) > limit else None,
            "maxItems": limit,
            "recordNameFilter": name_filter,
            "recordTypeFilter": types or None,
            "recordOwnerGroupFilter": owner,
            "nameSort": name_sort,
            "recordTypeSort": type_sort,
        }
        return json_answer(without_none(page))

    def _page_start(self, zone: Zone, key: str | None) -> tuple[str, int] | None:
        name, separator, code = (key or "").partition(KEY_SEPARATOR)
        if not separator or not code.isdigit():
            return None
        return (name if self._context.knobs.lossy_paging else fqdn(name, zone.name)), int(code)

    async def get(self, call: Call, caller: Caller) -> web.StreamResponse:
        zone = find_zone(self._context, call.params["zone"])
        check_see(caller, zone)
        return json_answer({"recordSet": self._item(self._find(zone, call.params["record"]), zone, caller)})

    async def count(self, call: Call, caller: Caller) -> web.StreamResponse:
        zone = find_zone(self._context, call.params["zone"])
        check_see(caller, zone)
        return json_answer({"count": self._store.count_record_sets(zone.id)})

    async def changes(self, call: Call, caller: Caller) -> web.StreamResponse:
        start, limit = integer(call, "startFrom", 0), max_items(call)
        zone = find_zone(self._context, call.params["zone"])
        check_see(caller, zone)
        if start < 0:
            raise Abort(plain(INTERNAL_ERROR, status=500))
        found = self._store.record_set_changes(zone.id, offset=start, limit=limit + 1)
        page = {
            "zoneId": zone.id,
            "recordSetChanges": self._change_items(found[:limit]),
            "nextId": start + limit if len(found) > limit else None,
            "startFrom": start if "startFrom" in call.query else None,
            "maxItems": limit,
        }
        return json_answer(without_none(page))

    async def history(self, call: Call, caller: Caller) -> web.StreamResponse:
        zone_id, name, rdtype = (call.query.get(parameter) for parameter in ("zoneId", "fqdn", "recordType"))
        if not (zone_id and name and rdtype):
            raise refuse("recordType, fqdn and zoneId cannot be empty", 400)
        start, limit = integer(call, "startFrom", 0), max_items(call)
        zone = find_zone(self._context, zone_id)
        check_see(caller, zone)
        found = self._store.record_set_changes(zone.id, offset=start, limit=limit + 1, fqdn=name, rdtype=rdtype)
        page = {
            "zoneId": zone.id,
            "recordSetChanges": self._change_items(found[:limit]),
            "nextId": start + limit if len(found) > limit else None,
            "startFrom": start if "startFrom" in call.query else None,
            "maxItems": limit,
        }
        return json_answer(without_none(page))

    async def failures(self, call: Call, caller: Caller) -> web.StreamResponse:
        start, limit = integer(call, "startFrom", 0), max_items(call)
        zone = find_zone(self._context, call.params["zone"])
        check_see(caller, zone)
        found = self._store.record_set_changes(zone.id, offset=start, limit=limit + 1, failed=True)
        page = {
            "failedRecordSetChanges": self._change_items(found[:limit]),
            "nextId": start + limit + 1 if len(found) > limit else 0,  # one too many, as in the original
            "startFrom": start,
            "maxItems": limit,
        }
        return json_answer(page)

    # -- writing -----------------------------------------------------------------------------------------------------

    async def create(self, call: Call, caller: Caller) -> web.StreamResponse:
        zone, data = find_zone(self._context, call.params["zone"]), body_object(call)
        check_change(caller, zone.name, zone.admin_group_id)
        item = replace(_parse(zone, data), status="Pending")
        same_type = self._store.list_record_sets(zone.id, name_like=item.name, types=[item.type])
        if any(found.name.lower() == item.name.lower() for found in same_type):
            text = f"RecordSet with name {item.name} and type {item.type} already exists in zone {zone.name}"
            raise refuse(text, 409)
        return self._accept(RecordSetChange(zone, item, caller.user.id, CREATE))

    async def update(self, call: Call, caller: Caller) -> web.StreamResponse:
        zone, data = find_zone(self._context, call.params["zone"]), body_object(call)
        check_change(caller, zone.name, zone.admin_group_id)
        old = self._find(zone, call.params["record"])
        new = _parse(zone, data)
        if new.type != old.type:
            raise refuse("Cannot update RecordSet's record type.", 422)
        new = replace(new, id=old.id, created=old.created, status="PendingUpdate", updated=now_ms())
        return self._accept(RecordSetChange(zone, new, caller.user.id, UPDATE, updates=old))

    async def delete(self, call: Call, caller: Caller) -> web.StreamResponse:
        zone = find_zone(self._context, call.params["zone"])
        check_change(caller, zone.name, zone.admin_group_id)
        old = self._find(zone, call.params["record"])
        gone = replace(old, status="PendingDelete", updated=now_ms())
        return self._accept(RecordSetChange(zone, gone, caller.user.id, DELETE, updates=old))

    def _accept(self, change: RecordSetChange) -> web.StreamResponse:
        self._context.engine.enqueue(change)
        return json_answer(change.to_json(self._context.knobs.expose_keys), status=202)

    def _find(self, zone: Zone, record_set_id: str) -> RecordSet:
        found = self._store.record_set(zone.id, record_set_id)
        if found is None:
            raise refuse(f"RecordSet with id {record_set_id} does not exist.", 404)
        return found

    # -- JSON --------------------------------------------------------------------------------------------------------

    def _item(self, item: RecordSet, zone: Zone, caller: Caller) -> Json:
        return without_none(
            {
                **item.to_json(),
                "accessLevel": access_level(caller, zone),
                "ownerGroupName": self._context.directory.group_name(item.owner_group_id),
                "fqdn": item.fqdn(zone.name),
            }
        )

    def _change_items(self, changes: list[RecordSetChange]) -> list[Json]:
        expose, directory = self._context.knobs.expose_keys, self._context.directory
        return [{**change.to_json(expose), "userName": directory.user_name(change.user_id)} for change in changes]


def _page_key(last: RecordSet) -> str:
    return f"{last.name}{KEY_SEPARATOR}{TYPE_CODES.get(last.type, 0)}"


def _parse(zone: Zone, data: Json) -> RecordSet:
    missing = [f"Missing RecordSet.{name}" for name in ("name", "type", "ttl", "records") if data.get(name) in (None, "")]
    if missing:
        raise Abort(json_answer({"errors": missing}, status=400))
    name, rdtype = data["name"], data["type"]
    if rdtype not in TYPE_CODES or comparable(rdtype, data["ttl"], data["records"]) is None:
        raise Abort(json_answer({"errors": [f"Invalid {rdtype} record data"]}, status=400))
    return RecordSet(
        zone_id=zone.id,
        name=zone.name if is_apex(name, zone.name) else name.rstrip("."),
        type=rdtype,
        ttl=data["ttl"],
        records=tuple(data["records"]),
        id=new_id(),
        owner_group_id=data.get("ownerGroupId"),
    )
