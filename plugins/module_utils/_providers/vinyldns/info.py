# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The state of VinylDNS zones, read without changing anything."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ..._core.errors import SyncError, invalid_option
from ..._core.options import ArgumentSpec, Options
from ..._http.client import Channel
from ..._lifecycle.provider import Services, Target
from . import api
from .evidence import BACKEND_SPEC, GUARD_SPEC, DriftEvaluator, ZoneEvidence
from .pending import ChangeList
from .provider import CONNECTION_SPEC, age_of, new_client
from .record_sets import count_record_sets
from .rows import Zone

INFO_SPEC = CONNECTION_SPEC + ArgumentSpec(
    {
        "zones": {"type": "list", "elements": "str", "aliases": ["zone"]},
        "name_filter": {"type": "str"},
        "admin_group": {"type": "str"},
        "backend": BACKEND_SPEC,
        "drift": {"type": "str", "choices": ["auto", "axfr", "serial", "none"], "default": "auto"},
        "guard": GUARD_SPEC,
        "details": {"type": "bool", "default": True},
    },
    ids=("zones", "name_filter", "admin_group"),
    required_one_of=(("zones", "name_filter", "admin_group"),),
    mutually_exclusive=(("zones", "name_filter"), ("zones", "admin_group")),
)


class ZoneReader:
    """Reads the state of zones, of those named or of those that the server lists."""

    def __init__(self, options: Options, services: Services) -> None:
        self.options = options
        self.evaluator = DriftEvaluator.from_options(options)
        self.client = new_client(options, services)
        self.clock = services.clock
        self._listed: dict[str, Zone] = {}

    def names(self, channel: Channel) -> t.Sequence[str]:
        """The zones that were named, or those that the server lists.

        :raises SyncError: ``invalid_option`` if a name is empty.
        """
        zones = self.options.get("zones")
        if zones is not None:
            if not all(zone.strip() for zone in zones):
                raise invalid_option("zones", zones, "contains an empty name", "Remove it.")
            return [zone.strip() for zone in zones]
        name_filter, group = self.options.get("name_filter"), self.options.get("admin_group")
        self._listed = {zone.name: zone for zone in api.list_zones(channel, name_filter, group)}
        return list(self._listed)

    def inspect(self, name: str, channel: Channel) -> dict[str, t.Any]:
        """One zone; ``exists`` is false if VinylDNS does not have it."""
        try:
            found = self._listed[name] if name in self._listed else api.find_zone(channel, name)[0]
        except SyncError as error:
            if error.code != "not_found":
                raise
            return self._unknown(name)
        if found.access_level == "NoAccess":
            return {**self._unknown(found.name), **self._known(found)}
        if not self.options["details"]:
            return {**self._unknown(found.name), **self._known(found), **self._synced(found)}
        zone, server_now = api.get_zone(channel, found.id)
        entry = {
            "zone": zone.name,
            **self._known(dataclasses.replace(zone, access_level=found.access_level)),
            **self._synced(zone),
            "age": age_of(zone, server_now),
            "pending_change": self._pending(zone, server_now, channel),
            "record_sets": count_record_sets(channel, zone.id),
        }
        evidence = self.evaluator.gather(Target(zone.id, zone.name), channel)
        return {**entry, **self._drift(evidence)}

    @staticmethod
    def _known(zone: Zone) -> dict[str, t.Any]:
        """What is known even of a zone that the account may not read."""
        return {
            "exists": True,
            "id": zone.id,
            "status": zone.status,
            "may_sync": zone.access_level == "Delete",
        }

    @staticmethod
    def _synced(zone: Zone) -> dict[str, t.Any]:
        """What the server says of a zone wherever it names it."""
        return {"latest_sync": zone.latest_sync, "admin_group": zone.admin_group}

    def _pending(self, zone: Zone, server_now: dt.datetime | None, channel: Channel) -> dict[str, t.Any] | None:
        """The newest change that is being worked on, or else the newest dead one."""
        try:
            changes = api.list_changes(channel, zone.id)
        except SyncError as error:
            # accounts that may read a zone by an ACL rule alone cannot read its changes
            if error.code != "permission_denied":
                raise
            return None
        listed = ChangeList(zone.status, changes, server_now or self.clock.now())
        for stale, pending in ((False, listed.live), (True, listed.dead)):
            for change in pending:
                return {"id": change.id, "type": change.kind, "created": change.created, "stale": stale}
        return None

    def _drift(self, evidence: ZoneEvidence) -> dict[str, t.Any]:
        if not evidence.result:
            return {}
        broken = [violation.as_dict() for violation in evidence.violations]
        return {"in_sync": evidence.in_sync, "drift": dict(evidence.result), "guards": broken}

    def _unknown(self, name: str) -> dict[str, t.Any]:
        empty = ("id", "status", "latest_sync", "age", "may_sync", "pending_change", "admin_group", "record_sets")
        return {"zone": name, "exists": False, **dict.fromkeys(empty)}
