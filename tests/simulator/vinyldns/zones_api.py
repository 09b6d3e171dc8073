# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The zone endpoints."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from aiohttp import web

from ..framework import Abort, Call, Route, in_daemon_thread, json_answer
from .access import EVERYONE, access_level, check_change, check_see, check_see_changes
from .backend import BackendError, ZoneNotFound, check_zone, load_zone
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

MAX_ACCESSORS = 30  # a listing considers only so many of the caller's groups
UNKNOWN_GROUP_NAME = "Unknown group name"
CRON_FIELD = re.compile(r"[0-9A-Za-z*?/,#L\-]+")
NOT_IN_INFO = ("isTest",)


class ZonesApi:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store

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
        return {
            "zoneChange": self._change_json(change),
            "adminGroupName": self._group_name(change.zone),
            "userName": self._context.directory.user_name(change.user_id),
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
        zone = self._parse_zone(body_object(call))
        existing = self._store.zone_by_name(zone.name)
        if existing is not None:
            text = f"Zone with name {zone.name} already exists. Please contact {existing.email} to request access to the zone."
            raise refuse(text, 409)
        self._check_group_and_schedule(caller, zone)
        await self._check_backend(zone)
        zone = replace(zone, id=new_id(), created=now_ms(), status=SYNCING, schedule_requestor=_requestor(caller, zone))
        return self._accept(ZoneChange(zone, caller.user.id, CREATE))

    async def update(self, call: Call, caller: Caller) -> web.StreamResponse:
        """Replace the zone: what the body leaves out is cleared."""
        old = find_zone(self._context, call.params["zone"])
        zone = self._parse_zone(body_object(call))
        check_change(caller, old.name, old.admin_group_id)
        self._check_group_and_schedule(caller, zone)
        zone = self._keep_keys(old, zone)
        if (zone.connection, zone.transfer_connection, zone.backend_id) != (
            old.connection,
            old.transfer_connection,
            old.backend_id,
        ):
            await self._check_backend(zone)
        zone = replace(
            zone,
            name=old.name,
            id=old.id,
            created=old.created,
            updated=now_ms(),
            latest_sync=old.latest_sync,
            schedule_requestor=_requestor(caller, zone),
        )
        return self._accept(ZoneChange(zone, caller.user.id, UPDATE))

    async def delete(self, call: Call, caller: Caller) -> web.StreamResponse:
        zone = find_zone(self._context, call.params["zone"])
        check_change(caller, zone.name, zone.admin_group_id)
        zone = replace(zone, updated=now_ms(), status=DELETED)
        return self._accept(ZoneChange(zone, caller.user.id, DELETE))

    def _parse_zone(self, data: Json) -> Zone:
        missing = [f"Missing Zone.{name}" for name in ("name", "email", "adminGroupId") if not data.get(name)]
        if missing:
            raise Abort(json_answer({"errors": missing}, status=400))
        try:
            return Zone(
                name=data["name"] if data["name"].endswith(".") else data["name"] + ".",
                email=data["email"],
                admin_group_id=data["adminGroupId"],
                connection=_parse_connection(data.get("connection")),
                transfer_connection=_parse_connection(data.get("transferConnection")),
                shared=bool(data.get("shared", False)),
                acl_rules=tuple((data.get("acl") or {}).get("rules", ())),
                recurrence_schedule=data.get("recurrenceSchedule"),
                is_test=bool(data.get("isTest", False)),
                backend_id=data.get("backendId"),
            )
        except KeyError as error:
            raise Abort(json_answer({"errors": [f"Missing ZoneConnection.{error.args[0]}"]}, status=400)) from error

    def _keep_keys(self, old: Zone, new: Zone) -> Zone:
        """A client that sends back what it was shown sends the encrypted key; that means the stored one."""
        return replace(
            new,
            connection=_with_stored_key(new.connection, old.connection),
            transfer_connection=_with_stored_key(new.transfer_connection, old.transfer_connection),
        )

    def _check_group_and_schedule(self, caller: Caller, zone: Zone) -> None:
        if zone.admin_group_id not in self._context.directory.groups:
            raise refuse(f"Admin group with ID {zone.admin_group_id} does not exist", 400)
        check_change(caller, zone.name, zone.admin_group_id)
        if zone.recurrence_schedule is None:
            return
        if not caller.sees_everything:
            raise refuse(f"User '{caller.user.name}' is not authorized to schedule zone sync in this zone.", 403)
        if not _is_cron(zone.recurrence_schedule):
            raise refuse("Invalid cron expression. Please enter a valid cron expression in 'recurrenceSchedule'.", 400)

    async def _check_backend(self, zone: Zone) -> None:
        """The server must answer for the zone and let it be transferred, and the zone must have an apex NS."""
        backends = self._context.backends
        if zone.backend_id is not None and zone.backend_id not in backends.ids:
            raise refuse(f"Invalid backendId: [Some({zone.backend_id})]; please check system configuration", 400)
        try:
            records = await in_daemon_thread(self._read_zone, zone)
        except ZoneNotFound:
            raise refuse(f"Unable to find zone {zone.name} in backend {backends.name_of(zone)}", 400) from None
        except BackendError as error:
            raise refuse(f"Unable to connect to zone: {error}", 400) from error
        if (zone.name, "NS") not in records:
            rejected = {"zone": self._zone_json(zone), "errors": ["Missing apex NS record"]}
            raise Abort(json_answer(rejected, status=400))

    def _read_zone(self, zone: Zone) -> set[tuple[str, str]]:
        backends, knobs = self._context.backends, self._context.knobs
        check_zone(backends.resolve(zone), zone.name)
        views = load_zone(backends.resolve(zone, transfer=True), zone, knobs.max_zone_size, knobs.transfer_timeout)
        return {(view.name, view.type) for view in views}

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
            data["acl"] = {"rules": [self._named_rule(rule) for rule in zone.acl_rules]}
        data["adminGroupName"] = self._group_name(zone)
        data["accessLevel"] = access_level(caller, zone)
        return data

    def _named_rule(self, rule: Json) -> Json:
        directory = self._context.directory
        if "userId" in rule:
            return {**rule, "displayName": directory.user_name(rule["userId"])}
        if "groupId" in rule:
            return without_none({**rule, "displayName": directory.group_name(rule["groupId"])})
        return {**rule, "displayName": "All Users"}

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


def _parse_connection(data: Any) -> Connection | None:
    return None if data is None else Connection.from_json(data)


def _with_stored_key(new: Connection | None, old: Connection | None) -> Connection | None:
    if new is None or old is None or new.key != old.to_json(expose_key=False)["key"]:
        return new
    return replace(new, key=old.key)


def _requestor(caller: Caller, zone: Zone) -> str | None:
    return caller.user.name if zone.recurrence_schedule else None


def _is_cron(text: str) -> bool:
    """The shape of a Quartz expression: six or seven fields, seconds first."""
    fields = text.split()
    return len(fields) in (6, 7) and all(CRON_FIELD.fullmatch(field) for field in fields) and "?" in (fields[3], fields[5])
