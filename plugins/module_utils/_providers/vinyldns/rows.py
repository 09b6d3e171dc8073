# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""What VinylDNS responds with, as values with types (docs/reference/vinyldns.md#1.1, #1.4, #1.6 and #2.6).

Each is read from the JSON of a response here, where its form is checked. Optional texts of another form count as absent.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ..._core.clock import parse_iso
from ..._core.vocabulary import Json
from ..._dns.drift import RecordChange
from ..._dns.json_rows import checked_set, recorded_change
from ..._dns.records import StoredSet
from ..._http.json_reader import Form, JsonReader

#: the message of record set changes that a zone sync made (docs/reference/vinyldns.md#1.6)
SYNC_MESSAGE = "Change applied via zone sync"
#: types of zone changes that transfer the zone (docs/reference/vinyldns.md#1.4)
TRANSFERRING = ("Create", "Sync", "AutomatedSync")

_ZONE: dict[str, Form] = {"id": "text", "name": "text"}
_ZONE_CHANGE: dict[str, Form] = {
    "id": "text",
    "status": "text",
    "changeType": "text",
    "created": "text",
    "systemMessage": "text_or_null",
    "zone": "object",
}
_RECORD_SET: dict[str, Form] = {"id": "text", "name": "text", "type": "text"}
_RECORD_SET_CHANGE: dict[str, Form] = {
    "id": "text",
    "created": "text",
    "changeType": "text_or_null",
    "zone": "object",
    "recordSet": "object_or_null",
    "updates": "object_or_null",
}
_CHANGED_SET: dict[str, Form] = {"name": "text", "type": "text"}


@dataclasses.dataclass(frozen=True)
class Zone:
    """A zone.

    :param access_level: of the account; ``Delete`` allows to sync. Older servers do not send it with each response.
    :param latest_sync: date of the last successful sync.
    :param updated: date of the last change of the zone itself, which every sync is, whether it succeeds or not.
    """

    id: str
    name: str
    status: str | None = None
    access_level: str | None = None
    latest_sync: str | None = None
    admin_group_id: str | None = None
    admin_group_name: str | None = None
    updated: str | None = None

    @classmethod
    def from_json(cls, row: Json) -> Zone:
        return cls(
            row["id"],
            row["name"],
            _text(row, "status"),
            _text(row, "accessLevel"),
            _text(row, "latestSync"),
            _text(row, "adminGroupId"),
            _text(row, "adminGroupName"),
            _text(row, "updated"),
        )

    @property
    def admin_group(self) -> str | None:
        """The name of its admin group, or the id if the server does not name it."""
        return self.admin_group_name or self.admin_group_id

    @property
    def synced_at(self) -> dt.datetime | None:
        """When its last successful sync ended."""
        return parse_iso(self.latest_sync)


@dataclasses.dataclass(frozen=True)
class ZoneChange:
    """A change of a zone, such as a sync, and the zone as it was then.

    :param kind: ``Sync`` and the like.
    :param created: when it was accepted, cut to whole seconds.
    :param message: the server's; empty if it has none.
    :param zone_updated: identifies the sync among the changes of record sets (docs/reference/vinyldns.md#1.6).
    """

    id: str
    status: str
    kind: str
    created: str
    message: str = ""
    zone_status: str | None = None
    zone_latest_sync: str | None = None
    zone_updated: str | None = None

    @classmethod
    def from_json(cls, row: Json) -> ZoneChange:
        zone = row["zone"]
        return cls(
            row["id"],
            row["status"],
            row["changeType"],
            row["created"],
            row.get("systemMessage") or "",
            _text(zone, "status"),
            _text(zone, "latestSync"),
            _text(zone, "updated"),
        )

    @property
    def created_at(self) -> dt.datetime | None:
        return parse_iso(self.created)

    @property
    def transfers(self) -> bool:
        """Whether it transfers the zone from its DNS server."""
        return self.kind in TRANSFERRING


class RecordSetChange(t.NamedTuple):
    """A change of a record set.

    :param kind: ``Create``, ``Update`` or ``Delete``, if the server says it.
    :param zone_updated: of the zone change that it belongs to.
    :param change: what a sync did; ``None`` for all other changes.
    """

    id: str
    created: str
    kind: str | None
    by_sync: bool
    zone_updated: str | None
    change: RecordChange | None

    @classmethod
    def from_json(cls, row: Json) -> RecordSetChange:
        by_sync = row.get("systemMessage") == SYNC_MESSAGE
        change = recorded_change(row) if by_sync else None
        return cls(row["id"], row["created"], row.get("changeType"), by_sync, _text(row["zone"], "updated"), change)


class Accepted(t.NamedTuple):
    """A sync that the server has accepted.

    :param id: of its zone change.
    :param zone_updated: what ``updated`` of the zone is from the moment on at which the server works on it.
    """

    id: str
    created: str
    zone_updated: str | None = None


def zone_in(body: JsonReader) -> Zone:
    return Zone.from_json(body.object_at("zone", **_ZONE))


def zones_in(body: JsonReader) -> list[Zone]:
    return [Zone.from_json(row) for row in body.rows_at("zones", **_ZONE)]


def zone_changes_in(body: JsonReader) -> list[ZoneChange]:
    return [ZoneChange.from_json(row) for row in body.rows_at("zoneChanges", **_ZONE_CHANGE)]


def accepted_in(body: JsonReader) -> Accepted:
    row = body.object_at(id="text", created="text")
    zone = row.get("zone")
    return Accepted(row["id"], row["created"], _text(zone, "updated") if isinstance(zone, dict) else None)


#: record sets, each with its id
RecordSets = list[tuple[str, StoredSet]]


def record_sets_in(body: JsonReader) -> RecordSets:
    """The record sets of a page."""
    return [(row["id"], checked_set(row)) for row in body.rows_at("recordSets", **_RECORD_SET)]


def soa_serial_in(body: JsonReader) -> int | None:
    """The serial of the first SOA in a page of record sets."""
    for index, row in enumerate(body.rows_at("recordSets", **_RECORD_SET)):
        if row["type"] == "SOA" and row.get("records"):
            records = body.check_rows(row["records"], f"recordSets[{index}].records", serial="number")
            return int(records[0]["serial"])
    return None


def record_set_changes_in(body: JsonReader) -> list[RecordSetChange]:
    rows = body.rows_at("recordSetChanges", **_RECORD_SET_CHANGE)
    for row in rows:
        if row.get("systemMessage") == SYNC_MESSAGE:
            for part in ("recordSet", "updates"):
                if row.get(part) is not None:
                    body.check(row[part], f"recordSetChanges.{part}", **_CHANGED_SET)
    return [RecordSetChange.from_json(row) for row in rows]


def next_start_in(body: JsonReader) -> object:
    """The ``startFrom`` of the next page of a list, if the server names one."""
    return body.object_at().get("nextId")


def processing_disabled_in(body: JsonReader) -> bool:
    return body.object_at().get("processingDisabled") is True


def _text(row: Json, name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) else None
