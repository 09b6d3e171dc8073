# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The zone endpoints."""

from __future__ import annotations

import re
from dataclasses import replace

from aiohttp import web

from ..framework import Call, Route, json_answer
from .access import EVERYONE, access_level, check_change, check_see, check_see_changes
from .http import (
    Context,
    body_object,
    boolean,
    find_zone,
    integer,
    like,
    max_items,
    protected,
    refuse,
)
from .model import (
    CREATE,
    DELETE,
    DELETED,
    SYNC,
    SYNCING,
    UPDATE,
    Connection,
    Json,
    Zone,
    ZoneChange,
    new_id,
    now_ms,
    without_none,
)
from .users import Caller
from .zone_input import ZoneChecks, parse_zone

MAX_ACCESSORS = 30  # a listing considers only so many of the caller's groups
UNKNOWN_GROUP_NAME = "Unknown group name"
NOT_IN_INFO = ("isTest",)


class ZonesApi:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._checks = ZoneChecks(context)

    def routes(self) -> list[Route]:
        table = [
            ("GET", "/zones", self.list_zones),
            ("POST", "/zones", self.create),
            ("GET", "/zones/backendids", self.backend_ids),
            ("GET", "/zones/deleted/changes", self.deleted),
            ("GET", "/zones/name/{name}", self.get_by_name),
            ("GET", "/zones/{zone}", self.get),
            ("PUT", "/zones/{zone}", self.update),
            ("DELETE", "/zones/{zone}", self.delete),
            ("GET", "/zones/{zone}/details", self.details),
            ("GET", "/zones/{zone}/changes", self.changes),
            ("POST", "/zones/{zone}/sync", self.sync),
            ("GET", "/metrics/health/zonechangesfailure", self.failures),
        ]
        return [Route(method, path, protected(self._context, endpoint)) for method, path, endpoint in table]

    # -- sync --------------------------------------------------------------------------------------------------------

    async def sync(self, call: Call, caller: Caller) -> web.StreamResponse:
        """Accept a sync.  Neither the zone's status nor syncs already queued are looked at."""
        zone = find_zone(self._context, call.params["zone"])
        check_change(caller, zone.name, zone.admin_group_id)
        now = now_ms()
        if zone.latest_sync is not None and now - zone.latest_sync < self._context.knobs.sync_delay_ms:
            raise refuse(f"Zone {zone.name} was recently synced. Cannot complete sync", 403)
        zone = replace(zone, status=SYNCING, updated=now)
        return self._accept(ZoneChange(zone, caller.user.id, SYNC, created=now))

    def _accept(self, change: ZoneChange) -> web.StreamResponse:
        self._context.engine.enqueue(change)
        return json_answer(self._change_json(change), status=202)

    # -- reading -----------------------------------------------------------------------------------------------------

    async def get(self, call: Call, caller: Caller) -> web.StreamResponse:
        zone = find_zone(self._context, call.params["zone"])
        check_see(caller, zone)
        return json_answer({"zone": self._info(zone, caller, with_names=True)})

    async def get_by_name(self, call: Call, caller: Caller) -> web.StreamResponse:
        """Anybody may look up any zone by name."""
        name = call.params["name"]
        zone = self._store.zone_by_name(name)
        if zone is None:
            raise refuse(f"Zone with name {name.rstrip('.')}. does not exists", 404)
        return json_answer({"zone": self._info(zone, caller, with_names=True)})

    async def details(self, call: Call, caller: Caller) -> web.StreamResponse:
        zone = find_zone(self._context, call.params["zone"])
        data = {
            "name": zone.name,
            "email": zone.email,
            "status": zone.status,
            "adminGroupId": zone.admin_group_id,
            "adminGroupName": self._group_name(zone),
        }
        return json_answer({"zone": data})

    async def list_zones(self, call: Call, caller: Caller) -> web.StreamResponse:
        query, limit = call.query, max_items(call, exact=False)
        ignore_access, reverse = boolean(call, "ignoreAccess", False), boolean(call, "includeReverse", True)
        name_filter, by_group = query.get("nameFilter"), boolean(call, "searchByAdminGroup", False)
        zones = self._store.list_zones(
            accessors=None if ignore_access or caller.sees_everything else _accessors(caller),
            name_like=_name_pattern(name_filter) if name_filter and not by_group else None,
            group_ids=self._groups_like(name_filter) if name_filter and by_group else None,
            after=query.get("startFrom"),
            reverse=reverse,
            limit=limit + 1,
        )
        page = {
            "zones": [self._info(zone, caller, with_names=False) for zone in zones[:limit]],
            "nameFilter": name_filter,
            "startFrom": query.get("startFrom"),
            "nextId": zones[limit - 1].name if len(zones) > limit else None,
            "maxItems": limit,
            "ignoreAccess": ignore_access,
            "includeReverse": reverse,
        }
        return json_answer(without_none(page))

    async def backend_ids(self, call: Call, caller: Caller) -> web.StreamResponse:
        return json_answer(self._context.backends.ids)

    async def changes(self, call: Call, caller: Caller) -> web.StreamResponse:
        limit = max_items(call)
        zone = find_zone(self._context, call.params["zone"])
        check_see_changes(caller, zone)
        start = call.query.get("startFrom")
        if start and not start.isdigit():
            found = []
        else:
            found = self._store.zone_changes(zone.id, not_after=int(start) if start else None, limit=limit + 1)
        page = {
            "zoneId": zone.id,
            "zoneChanges": [self._change_json(change) for change in found[:limit]],
            "nextId": str(found[limit].created) if len(found) > limit else None,
            "startFrom": start,
            "maxItems": limit,
        }
        return json_answer(without_none(page))

    async def deleted(self, call: Call, caller: Caller) -> web.StreamResponse:
        limit, query = max_items(call, exact=False), call.query
        ignore_access = boolean(call, "ignoreAccess", False)
        changes = [
            change
            for change in self._store.deletions()
            if self._shows_deletion(change, caller, query.get("nameFilter"), ignore_access)
        ]
        ids = [change.zone.id for change in changes]
        start = query.get("startFrom")
        changes = changes[ids.index(start) + 1 :] if start in ids else changes
        page = {
            "zonesDeletedInfo": [self._deletion_json(change, caller) for change in changes[:limit]],
            "zoneChangeFilter": query.get("nameFilter"),
            "startFrom": start,
            "nextId": changes[limit - 1].zone.id if len(changes) > limit else None,
            "maxItems": limit,
            "ignoreAccess": ignore_access,
        }
        return json_answer(without_none(page))

    def _shows_deletion(self, change: ZoneChange, caller: Caller, name_filter: str | None, ignore_access: bool) -> bool:
        visible = ignore_access or caller.sees_everything or change.zone.shared or change.zone.admin_group_id in caller.group_ids
        return visible and (not name_filter or _matches(_name_pattern(name_filter), change.zone.name))

    def _deletion_json(self, change: ZoneChange, caller: Caller) -> Json:
        user = self._context.directory.users.get(change.user_id)
        return {
            "zoneChange": self._change_json(change),
            "adminGroupName": self._group_name(change.zone),
            "userName": user.name if user else "Unknown user name",
            "accessLevel": access_level(caller, change.zone),
        }

    async def failures(self, call: Call, caller: Caller) -> web.StreamResponse:
        """Failed changes of all zones, for every authenticated user: the original never runs its access check."""
        start, limit = integer(call, "startFrom", 0), max_items(call)
        found = self._store.failed_zone_changes(start, limit + 1)
        page = {
            "failedZoneChanges": [self._change_json(change) for change in found[:limit]],
            "nextId": start + limit if len(found) > limit else 0,
            "startFrom": start,
            "maxItems": limit,
        }
        return json_answer(page)

    # -- writing -----------------------------------------------------------------------------------------------------

    async def create(self, call: Call, caller: Caller) -> web.StreamResponse:
        zone = parse_zone(body_object(call), with_id=False)
        self._checks.check_new(caller, zone)
        zone = replace(
            zone, id=new_id(), created=now_ms(), is_test=caller.user.is_test, schedule_requestor=_requestor(caller, zone)
        )
        await self._checks.check_backend(zone)
        zone = replace(zone, id=new_id(), created=now_ms(), status=SYNCING)
        return self._accept(ZoneChange(zone, caller.user.id, CREATE))

    async def update(self, call: Call, caller: Caller) -> web.StreamResponse:
        """Replace the zone: what the body leaves out is cleared.  The id counts that is in the body, not that of the path."""
        zone = parse_zone(body_object(call), with_id=True)
        self._checks.check_content(zone)
        old = find_zone(self._context, zone.id)
        self._checks.check_update(caller, old, zone)
        zone = replace(
            old,
            name=zone.name,
            email=zone.email,
            connection=_with_stored_key(zone.connection, old.connection),
            transfer_connection=_with_stored_key(zone.transfer_connection, old.transfer_connection),
            shared=zone.shared,
            acl_rules=zone.acl_rules,
            admin_group_id=zone.admin_group_id,
            backend_id=zone.backend_id,
            recurrence_schedule=zone.recurrence_schedule,
            schedule_requestor=_requestor(caller, zone),
            updated=now_ms(),
        )
        if (zone.connection, zone.transfer_connection) != (old.connection, old.transfer_connection):
            await self._checks.check_backend(zone)
        return self._accept(ZoneChange(zone, caller.user.id, UPDATE))

    async def delete(self, call: Call, caller: Caller) -> web.StreamResponse:
        zone = find_zone(self._context, call.params["zone"])
        check_change(caller, zone.name, zone.admin_group_id)
        zone = replace(zone, updated=now_ms(), status=DELETED)
        return self._accept(ZoneChange(zone, caller.user.id, DELETE))

    # -- JSON --------------------------------------------------------------------------------------------------------

    def _zone_json(self, zone: Zone) -> Json:
        return zone.to_json(self._context.knobs.expose_keys)

    def _change_json(self, change: ZoneChange) -> Json:
        return change.to_json(self._context.knobs.expose_keys)

    def _group_name(self, zone: Zone) -> str:
        return self._context.directory.group_name(zone.admin_group_id) or UNKNOWN_GROUP_NAME

    def _info(self, zone: Zone, caller: Caller, *, with_names: bool) -> Json:
        """The zone as its own endpoints show it: without what is internal, with what the caller wants to know."""
        data = {name: value for name, value in self._zone_json(zone).items() if name not in NOT_IN_INFO}
        if with_names:
            data["acl"] = {"rules": self._named_rules(zone)}
        data["adminGroupName"] = self._group_name(zone)
        data["accessLevel"] = access_level(caller, zone)
        return data

    def _named_rules(self, zone: Zone) -> list[Json]:
        """With the name of the user or group each is for; those of unknown ones are not shown."""
        directory = self._context.directory
        named = []
        for rule in zone.acl_rules:
            if rule.user_id is not None:
                name = directory.user_name(rule.user_id) if rule.user_id in directory.users else None
            else:
                name = directory.group_name(rule.group_id) if rule.group_id is not None else "All Users"
            if name is not None:
                named.append({**rule.to_json(), "displayName": name})
        return named

    def _groups_like(self, pattern: str) -> list[str]:
        wanted = like(pattern) if "*" in pattern else pattern + "%"
        return [group.id for group in self._context.directory.groups.values() if _matches(wanted, group.name)]


def _accessors(caller: Caller) -> list[str]:
    return [EVERYONE, *[caller.user.id, *sorted(caller.group_ids)][:MAX_ACCESSORS]]


def _name_pattern(name_filter: str) -> str:
    """A trailing dot or a wildcard makes it a pattern for the whole name, otherwise it is a prefix."""
    if "*" in name_filter or name_filter.endswith("."):
        return like(name_filter.rstrip(".") + ".")
    return name_filter + "%"


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace("%", ".*").replace("_", "."), text, re.IGNORECASE) is not None


def _with_stored_key(new: Connection | None, old: Connection | None) -> Connection | None:
    if new is None or old is None or new.key != old.to_json(expose_key=False)["key"]:
        return new
    return replace(new, key=old.key)


def _requestor(caller: Caller, zone: Zone) -> str | None:
    return caller.user.name if zone.recurrence_schedule else None
