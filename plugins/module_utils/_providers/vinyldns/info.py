# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The state of VinylDNS zones, read without changing anything."""

from __future__ import annotations

import contextlib
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
from .zone_table import MANY, ZoneTable

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
    texts=("zones", "name_filter", "admin_group"),
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
        #: zones that pages of their list have shown
        self._table = ZoneTable(services.clock)

    def names(self, channel: Channel) -> t.Sequence[str]:
        """The zones that were named, or those that the server lists.

        :raises SyncError: ``invalid_option`` if a name is empty.
        """
        zones = self.options.get("zones")
        if zones is not None:
            if not all(zone.strip() for zone in zones):
                raise invalid_option("zones", zones, "contains an empty name", "Remove it.")
            names = [zone.strip() for zone in zones]
            if len(names) >= MANY:
                with contextlib.suppress(SyncError):
                    # else each is looked for by itself, and says what is wrong
                    self._table.read(names, channel)
            return names
        for page in api.zone_pages(channel, self.options.get("name_filter"), self.options.get("admin_group")):
            self._listed.update((zone.name, zone) for zone in page.zones)
            self._table.note(page)
        return list(self._listed)

    def _find(self, name: str, channel: Channel) -> Zone:
        """A zone by its name or id, with the access that the account has to it.

        :raises SyncError: ``not_found``.
        """
        if name in self._listed:
            return self._listed[name]
        seen = self._table.by_name(name)
        # what the account may not read is left to the request that says so
        usable = seen is not None and seen.zone.access_level in ("Delete", "Read")
        return seen.zone if seen is not None and usable else api.find_zone(channel, name)[0]

    def inspect(self, name: str, channel: Channel) -> dict[str, t.Any]:
        """One zone; ``exists`` is false if VinylDNS does not have it."""
        try:
            found = self._find(name, channel)
        except SyncError as error:
            if error.code != "not_found":
                raise
            return self._unknown(name)
        if found.access_level == "NoAccess":
            return {**self._unknown(found.name), **self._known(found)}
        if not self.options["details"]:
            return {**self._unknown(found.name), **self._known(found), **self._synced(found)}
        zone, server_now, listed = self._zone_and_changes(found.id, channel)
        entry = {
            "zone": zone.name,
            **self._known(dataclasses.replace(zone, access_level=found.access_level)),
            **self._synced(zone),
            "age": age_of(zone, server_now),
            "pending_change": None if listed is None else self._pending(listed),
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

    def _zone_and_changes(self, zone_id: str, channel: Channel) -> tuple[Zone, dt.datetime | None, ChangeList | None]:
        """A zone, the time by the server's clock, and the changes of the zone, if the account may see them.

        A zone that was listed is read again if its changes show that something goes on, or went on since.
        """
        seen = self._table.by_id(zone_id)
        if seen is not None and seen.zone.status == "Active":
            zone, server_now = seen.zone, seen.server_time(self.clock)
            listed = self._changes(zone, server_now, channel)
            if listed is not None and not listed.live and not listed.newer_than(zone):
                return zone, server_now, listed
        zone, server_now = api.get_zone(channel, zone_id)
        return zone, server_now, self._changes(zone, server_now, channel)

    def _changes(self, zone: Zone, server_now: dt.datetime | None, channel: Channel) -> ChangeList | None:
        try:
            changes = api.list_changes(channel, zone.id)
        except SyncError as error:
            # accounts that may read a zone by an ACL rule alone cannot read its changes
            if error.code != "permission_denied":
                raise
            return None
        return ChangeList(zone.status, changes, server_now or self.clock.now())

    @staticmethod
    def _pending(listed: ChangeList) -> dict[str, t.Any] | None:
        """The newest change that is being worked on, or else the newest dead one."""
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
