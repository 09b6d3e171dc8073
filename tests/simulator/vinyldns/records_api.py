# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record set endpoints: listing, searching, reading and writing."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from typing import cast

import dns.reversename
from aiohttp import web

from ..framework import Call, Route, json_answer
from .access import RecordAccess, check_see
from .http import Context, body_object, find_zone, like, max_items, protected, refuse, required
from .model import CREATE, DELETE, TYPE_CODES, UPDATE, Json, RecordSet, RecordSetChange, Zone, fqdn, new_id, now_ms, without_none
from .ownership import Transfer
from .record_input import is_ipv4, is_ipv6, parse_record_set
from .record_rules import RecordRules, relative
from .store import Direction, TypeSort
from .users import Caller

KEY_SEPARATOR = "<....>"
NAME_FILTER_ERROR = (
    "Record Name Filter field must contain at least two letters or numbers and cannot have wildcard at both the start and end."
)


@dataclass(frozen=True)
class ListOptions:
    """The parameters that the list of a zone and the search have in common."""

    limit: int
    start: str | None
    types: tuple[str, ...]
    owner_group_id: str | None
    name_sort: Direction
    type_sort: TypeSort

    @classmethod
    def of(cls, call: Call) -> ListOptions:
        query = call.query
        wanted = dict.fromkeys(name for name in query.get("recordTypeFilter", "").upper().split(",") if name in TYPE_CODES)
        type_sort = query.get("recordTypeSort", "NONE").upper()
        return cls(
            limit=max_items(call, exact=False),
            start=query.get("startFrom"),
            types=tuple(wanted),  # unknown ones count for nothing
            owner_group_id=query.get("recordOwnerGroupFilter"),
            name_sort="DESC" if query.get("nameSort", "").upper() == "DESC" else "ASC",
            type_sort=cast(TypeSort, type_sort if type_sort in ("ASC", "DESC") else "NONE"),
        )

    def after(self) -> tuple[str, int] | None:
        """Name and type code to continue after; a start that is no key of a page counts for nothing."""
        name, separator, code = (self.start or "").partition(KEY_SEPARATOR)
        return (name, int(code)) if separator and code.isdigit() else None


class RecordsApi:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store

    def routes(self) -> list[Route]:
        table = [
            ("GET", "/recordsets", self.search),
            ("GET", "/zones/{zone}/recordsets", self.list_record_sets),
            ("POST", "/zones/{zone}/recordsets", self.create),
            ("GET", "/zones/{zone}/recordsets/{record}", self.get),
            ("PUT", "/zones/{zone}/recordsets/{record}", self.update),
            ("DELETE", "/zones/{zone}/recordsets/{record}", self.delete),
            ("GET", "/zones/{zone}/recordsetcount", self.count),
        ]
        return [Route(method, path, protected(self._context, endpoint)) for method, path, endpoint in table]

    def _access(self, caller: Caller, zone: Zone) -> RecordAccess:
        return RecordAccess(caller, zone, self._context.policy)

    # -- reading -----------------------------------------------------------------------------------------------------

    async def list_record_sets(self, call: Call, caller: Caller) -> web.StreamResponse:
        options, name_filter = ListOptions.of(call), call.query.get("recordNameFilter")
        zone = find_zone(self._context, call.params["zone"])
        check_see(caller, zone)
        lossy, after = self._context.knobs.lossy_paging, options.after()
        if after is not None and not lossy:
            after = fqdn(after[0], zone.name), after[1]
        found = self._store.list_record_sets(
            zone.id,
            after=after,
            name_like=like(name_filter) if name_filter else None,
            types=options.types,
            owner_group_id=options.owner_group_id,
            name_sort=options.name_sort,
            type_sort=options.type_sort,
            limit=options.limit + 1,
            lossy=lossy,
        )
        access = self._access(caller, zone)
        items = [{**self._item(item, zone), "accessLevel": access.listed_level(item)} for item in found[: options.limit]]
        key = _page_key(found[options.limit - 1]) if len(found) > options.limit else None
        return json_answer({**_page(options, items, name_filter, key), "recordTypeSort": options.type_sort})

    async def search(self, call: Call, caller: Caller) -> web.StreamResponse:
        """Of all zones; nothing is hidden from anybody."""
        options, name_filter = ListOptions.of(call), required(call, "recordNameFilter")
        both_ends = re.fullmatch(r"\s*[*%].*[*%]\s*", name_filter)
        if both_ends or not re.search(r"[a-zA-Z0-9].*[a-zA-Z0-9]+", name_filter):
            raise refuse(NAME_FILTER_ERROR, 422)
        found = self._store.list_record_sets(
            None,
            after=options.after(),
            name_like=like(_searched_name(name_filter)),
            types=options.types,
            owner_group_id=options.owner_group_id,
            name_sort=options.name_sort,
            limit=options.limit + 1,
        )
        zones = {item.zone_id: self._store.zone(item.zone_id) for item in found}
        placed = [(item, zone) for item in found[: options.limit] if (zone := zones[item.zone_id]) is not None]
        items = [{**self._item(item, zone), "zoneName": zone.name, "zoneShared": zone.shared} for item, zone in placed]
        more = len(found) > options.limit and bool(placed)
        key = _page_key(placed[-1][0], placed[-1][0].fqdn(placed[-1][1].name)) if more else None
        return json_answer(_page(options, items, name_filter, key))

    async def get(self, call: Call, caller: Caller) -> web.StreamResponse:
        zone = find_zone(self._context, call.params["zone"])
        item = self._find(call.params["record"])
        self._access(caller, zone).check_view(item)
        return json_answer({"recordSet": self._item(item, zone)})

    async def count(self, call: Call, caller: Caller) -> web.StreamResponse:
        zone = find_zone(self._context, call.params["zone"])
        check_see(caller, zone)
        return json_answer({"count": self._store.count_record_sets(zone.id)})

    # -- writing -----------------------------------------------------------------------------------------------------

    async def create(self, call: Call, caller: Caller) -> web.StreamResponse:
        """The zone is that of the body; the path's is not looked at."""
        item = parse_record_set(body_object(call))
        zone = find_zone(self._context, item.zone_id)
        rules = RecordRules(self._context, caller, zone)
        rules.check_not_high_value(item)
        item = replace(item, id=new_id(), name=relative(item.name, zone.name), status="Pending", created=now_ms())
        rules.check_new(item)
        self._access(caller, zone).check_create(item)
        rules.check_owner(item.owner_group_id)
        rules.check_names(item, None)
        return self._accept(RecordSetChange(zone, item, caller.user.id, CREATE))

    async def update(self, call: Call, caller: Caller) -> web.StreamResponse:
        """The record set is that of the body; of the path only the zone is looked at."""
        new = parse_record_set(body_object(call))
        if new.zone_id != call.params["zone"]:
            raise refuse("Cannot update RecordSet's zoneId attribute", 422)
        zone, old = find_zone(self._context, new.zone_id), self._find(new.id)
        _check_unchanged(old, new, zone)
        transfer = Transfer(caller, zone, old, new)
        transfer.check_request()
        new = replace(
            transfer.result(),
            name=relative(new.name, zone.name),
            created=old.created,
            status="PendingUpdate",
            updated=now_ms(),
        )
        rules = RecordRules(self._context, caller, zone)
        rules.check_not_high_value(new)
        if not transfer.asked_by_outsider:
            self._access(caller, zone).check_update(old, zone.shared and caller.user.is_super)
        rules.check_owner(transfer.group_to_check(new))
        _check_not_pending(old)
        rules.check_names(new, old)
        return self._accept(RecordSetChange(zone, new, caller.user.id, UPDATE, updates=old))

    async def delete(self, call: Call, caller: Caller) -> web.StreamResponse:
        zone = find_zone(self._context, call.params["zone"])
        old = self._find(call.params["record"])
        rules = RecordRules(self._context, caller, zone)
        rules.check_not_high_value(old)
        self._access(caller, zone).check_delete(old)
        _check_not_pending(old)
        rules.check_delete(old)
        gone = replace(old, status="PendingDelete", updated=now_ms())
        return self._accept(RecordSetChange(zone, gone, caller.user.id, DELETE, updates=old))

    def _accept(self, change: RecordSetChange) -> web.StreamResponse:
        self._context.engine.enqueue(change)
        return json_answer(change.to_json(self._context.knobs.expose_keys), status=202)

    def _find(self, record_set_id: str) -> RecordSet:
        """Of whatever zone."""
        found = self._store.record_set(record_set_id)
        if found is None:
            raise refuse(f"RecordSet with id {record_set_id} does not exist.", 404)
        return found

    # -- JSON --------------------------------------------------------------------------------------------------------

    def _item(self, item: RecordSet, zone: Zone) -> Json:
        owner = self._context.directory.group_name(item.owner_group_id)
        return without_none({**item.to_json(), "ownerGroupName": owner, "fqdn": item.fqdn(zone.name)})


def _page(options: ListOptions, items: list[Json], name_filter: str | None, key: str | None) -> Json:
    page = {
        "recordSets": items,
        "startFrom": options.start,
        "nextId": key,
        "maxItems": options.limit,
        "recordNameFilter": name_filter,
        "recordTypeFilter": list(options.types) or None,
        "nameSort": options.name_sort,
    }
    return without_none(page)


def _page_key(last: RecordSet, name: str | None = None) -> str:
    return f"{last.name if name is None else name}{KEY_SEPARATOR}{TYPE_CODES.get(last.type, 0)}"


def _searched_name(name_filter: str) -> str:
    """The full name of an address's PTR record set, or the text as a full name."""
    if is_ipv4(name_filter) or is_ipv6(name_filter):
        return dns.reversename.from_address(str(ipaddress.ip_address(name_filter))).to_text()
    return name_filter if name_filter.endswith(".") else name_filter + "."


def _check_unchanged(old: RecordSet, new: RecordSet, zone: Zone) -> None:
    same_apex = new.name == "@" and old.name.lower() == zone.name.lower()
    if new.name.lower() != old.name.lower() and not same_apex:
        raise refuse("Cannot update RecordSet's name.", 422)
    if new.type != old.type:
        raise refuse("Cannot update RecordSet's record type.", 422)
    if new.zone_id != old.zone_id:
        raise refuse("Cannot update RecordSet's zone ID.", 422)


def _check_not_pending(old: RecordSet) -> None:
    if old.status.startswith("Pending"):
        text = f"RecordSet with id {old.id}, name {old.name} and type {old.type} currently has a pending change"
        raise refuse(text, 409)
