# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Zones as hosts of an inventory, all of them by one request for each hundred."""

from __future__ import annotations

import typing as t

from ..._core.options import ArgumentSpec, Options, check_range
from ..._http.client import Channel
from ..._lifecycle.provider import Services
from ..._operations.inventory import inventory_source
from . import api
from .provider import CONNECTION_SPEC, age_of, new_client

INVENTORY_SPEC = CONNECTION_SPEC + ArgumentSpec(
    {
        "name_filter": {"type": "str"},
        "admin_group": {"type": "str"},
        "statuses": {"type": "list", "elements": "str"},
        "min_age": {"type": "float"},
        "max_age": {"type": "float"},
        "may_sync": {"type": "bool"},
    },
    texts=("name_filter", "admin_group"),
)


class ZoneFields(t.TypedDict):
    """What an inventory has of a zone; the same as an entry of the info module."""

    zone: str
    id: str
    status: str | None
    latest_sync: str | None
    age: float | None
    may_sync: bool
    admin_group: str | None


class ZoneLister:
    """Lists the zones that the account has access to and that pass the filters of the options."""

    def __init__(self, options: Options, services: Services) -> None:
        check_range(options, "min_age", 0, float("inf"), "seconds")
        self.options = options
        self.client = new_client(options, services)
        self._zones: dict[str, ZoneFields] = {}

    def names(self, channel: Channel) -> t.Sequence[str]:
        for page in api.zone_pages(channel, self.options["name_filter"], self.options["admin_group"]):
            for zone in page.zones:
                fields = ZoneFields(
                    zone=zone.name,
                    id=zone.id,
                    status=zone.status,
                    latest_sync=zone.latest_sync,
                    age=age_of(zone, page.server_now),
                    may_sync=zone.access_level == "Delete",
                    admin_group=zone.admin_group,
                )
                if self._is_wanted(fields):
                    self._zones[zone.name] = fields
        return list(self._zones)

    def inspect(self, name: str, channel: Channel) -> dict[str, object]:
        return {**self._zones[name]}

    def _is_wanted(self, zone: ZoneFields) -> bool:
        """Whether a zone passes the filters that the server does not have. One that was never synced is older than any age."""
        age = float("inf") if zone["age"] is None else zone["age"]
        statuses, oldest = self.options["statuses"], self.options["max_age"]
        return (
            (statuses is None or (zone["status"] or "").lower() in [status.strip().lower() for status in statuses])
            and self.options["may_sync"] in (None, zone["may_sync"])
            and age >= (self.options["min_age"] or 0)
            and (oldest is None or age <= oldest)
        )


INVENTORY = inventory_source("zones", "zone", INVENTORY_SPEC, ZoneLister)
