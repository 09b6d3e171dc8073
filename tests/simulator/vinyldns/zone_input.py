# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones as requests describe them, and what of it is refused before anything is done."""

from __future__ import annotations

import re
from typing import Any

from ..framework import Abort, in_daemon_thread, json_answer
from .access import Denied, check_change
from .acl import AclRule
from .backend import BackendError, ZoneNotFound, check_zone, load_zone
from .http import Context, refuse
from .json_input import Fields, InvalidInput
from .model import Connection, Json, Zone
from .users import Caller

ALGORITHMS = ("HMAC-MD5", "HMAC-SHA1", "HMAC-SHA224", "HMAC-SHA256", "HMAC-SHA384", "HMAC-SHA512")
CRON_FIELD = re.compile(r"[0-9A-Za-z*?/,#L\-]+")


def parse_zone(data: Json, with_id: bool) -> Zone:
    """A zone from the body of a request; ``InvalidInput`` lists what is wrong with it."""
    fields = Fields(data)
    zone_id = fields.text("id", "Missing Zone.id") if with_id else ""
    name = fields.text("name", "Missing Zone.name")
    name = name if with_id else re.sub(r"\s", "", name)
    zone = Zone(
        id=zone_id,
        name=name if name.endswith(".") else name + ".",
        email=fields.text("email", "Missing Zone.email"),
        connection=_connection(fields, "connection"),
        transfer_connection=_connection(fields, "transferConnection"),
        shared=fields.flag("shared", False),
        acl_rules=_rules(fields),
        admin_group_id=fields.text("adminGroupId", "Missing Zone.adminGroupId"),
        recurrence_schedule=fields.optional("recurrenceSchedule"),
        backend_id=fields.optional("backendId"),
    )
    fields.finish()
    return zone


def _connection(fields: Fields, name: str) -> Connection | None:
    if not fields.has(name):
        return None
    inner = Fields(fields.raw(name))
    values = {
        field: inner.text(field, f"Missing ZoneConnection.{field}") for field in ("name", "keyName", "key", "primaryServer")
    }
    algorithm = inner.optional("algorithm") or ALGORITHMS[0]
    if algorithm not in ALGORITHMS:
        inner.errors.append(f"Unsupported algorithm {algorithm}, must be one of {','.join(ALGORITHMS)}")
    fields.errors += inner.errors
    return Connection.from_json({**values, "algorithm": algorithm})


def _rules(fields: Fields) -> tuple[AclRule, ...]:
    acl = fields.raw("acl")
    rules = acl.get("rules") if isinstance(acl, dict) else None
    try:
        return tuple(dict.fromkeys(AclRule.from_json(rule) for rule in rules or ()))
    except (InvalidInput, TypeError):
        fields.errors.append("Failed to parse ZoneACL")
        return ()


class ZoneChecks:
    """The checks of a request that connects or changes a zone, in the original's order."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def check_content(self, zone: Zone) -> None:
        problems = [rule.problem() for rule in zone.acl_rules]
        problems.append(self._context.policy.email_error(zone.email))
        backends = self._context.backends
        if zone.backend_id is not None and zone.backend_id not in backends.ids:
            problems.append(f"Invalid backendId: [Some({zone.backend_id})]; please check system configuration")
        problem = next((text for text in problems if text is not None), None)
        if problem is not None:
            raise refuse(problem, 400)

    def check_group(self, group_id: str) -> None:
        if group_id not in self._context.directory.groups:
            raise refuse(f"Admin group with ID {group_id} does not exist", 400)

    def check_schedule(self, caller: Caller, zone: Zone) -> None:
        if zone.recurrence_schedule is None:
            return
        if not caller.sees_everything:
            raise Denied(f"User '{caller.user.name}' is not authorized to schedule zone sync in this zone.")
        if not _is_cron(zone.recurrence_schedule):
            raise refuse("Invalid cron expression. Please enter a valid cron expression in 'recurrenceSchedule'.", 400)

    def check_new(self, caller: Caller, zone: Zone) -> None:
        self.check_content(zone)
        if zone.shared and not caller.sees_everything:
            raise Denied("Not authorized to create shared zones.")
        existing = self._context.store.zone_by_name(zone.name)
        if existing is not None:
            text = f"Zone with name {zone.name} already exists. Please contact {existing.email} to request access to the zone."
            raise refuse(text, 409)
        self.check_group(zone.admin_group_id)
        self.check_schedule(caller, zone)
        check_change(caller, zone.name, zone.admin_group_id)

    def check_update(self, caller: Caller, old: Zone, zone: Zone) -> None:
        """All after the content, for which the old zone need not exist."""
        if old.shared != zone.shared and not caller.sees_everything:
            before, after = (str(value).lower() for value in (old.shared, zone.shared))
            raise Denied(f"Not authorized to update zone shared status from {before} to {after}.")
        check_change(caller, old.name, old.admin_group_id)
        self.check_schedule(caller, zone)
        self.check_group(zone.admin_group_id)
        check_change(caller, zone.name, zone.admin_group_id)

    async def check_backend(self, zone: Zone) -> None:
        """The server must answer for the zone and let it be transferred, and approved servers must be named at its apex."""
        backends = self._context.backends
        try:
            servers = await in_daemon_thread(self._name_servers, zone)
        except ZoneNotFound:
            raise refuse(f"Unable to find zone {zone.name} in backend {backends.name_of(zone)}", 400) from None
        except BackendError as error:
            raise refuse(f"Unable to connect to zone: {error}", 400) from error
        errors = self._context.policy.name_server_errors(servers) if servers else ["Missing apex NS record"]
        if errors:
            raise Abort(json_answer({"zone": zone.to_json(self._context.knobs.expose_keys), "errors": errors}, status=400))

    def _name_servers(self, zone: Zone) -> list[str]:
        backends, knobs = self._context.backends, self._context.knobs
        check_zone(backends.resolve(zone), zone.name)
        views = load_zone(backends.resolve(zone, transfer=True), zone, knobs.max_zone_size, knobs.transfer_timeout)
        apex: list[Any] = [view.record_set.records for view in views if (view.name, view.type) == (zone.name, "NS")]
        return [record["nsdname"] for records in apex for record in records]


def _is_cron(text: str) -> bool:
    """The shape of a Quartz expression: six or seven fields, seconds first."""
    fields = text.split()
    return len(fields) in (6, 7) and all(CRON_FIELD.fullmatch(field) for field in fields) and "?" in (fields[3], fields[5])
