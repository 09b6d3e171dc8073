# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones, record sets and their changes, and how each of them looks in JSON.

Times are epoch milliseconds inside and whole seconds outside, as in the original.  Optional fields that are None are left
out of the JSON, never null.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from .acl import AclRule

Json = dict[str, Any]

ACTIVE, SYNCING, DELETED = "Active", "Syncing", "Deleted"
PENDING, FAILED, SYNCED, COMPLETE = "Pending", "Failed", "Synced", "Complete"
CREATE, UPDATE, DELETE, SYNC, AUTOMATED_SYNC = "Create", "Update", "Delete", "Sync", "AutomatedSync"

NO_OWNERSHIP_TRANSFER = {"ownershipTransferStatus": "None"}

# Codes of the paging key, and the order of types within a name.
TYPE_CODES = {
    "A": 1, "AAAA": 2, "CNAME": 3, "MX": 4, "NS": 5, "PTR": 6, "SPF": 7, "SRV": 8, "SSHFP": 9, "TXT": 10, "SOA": 11, "DS": 12,
    "NAPTR": 13,
}  # fmt: skip


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def new_id() -> str:
    return str(uuid.uuid4())


def timestamp(ms: int) -> str:
    """``YYYY-MM-DDTHH:MM:SSZ``, truncated."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def without_none(data: Mapping[str, Any]) -> Json:
    return {name: value for name, value in data.items() if value is not None}


@dataclass(frozen=True)
class Connection:
    """How to reach the DNS server of a zone, with its TSIG key."""

    name: str
    key_name: str
    key: str
    primary_server: str
    algorithm: str = "HMAC-MD5"

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Connection:
        algorithm = data.get("algorithm", "HMAC-MD5")
        return cls(data["name"], data["keyName"], data["key"], data["primaryServer"], algorithm)

    def to_json(self, expose_key: bool) -> Json:
        return {
            "name": self.name,
            "keyName": self.key_name,
            "key": self.key if expose_key else _encrypted(self.key),
            "primaryServer": self.primary_server,
            "algorithm": self.algorithm,
        }

    @property
    def address(self) -> tuple[str, int]:
        host, _colon, port = self.primary_server.partition(":")
        return host, int(port or 53)


def _encrypted(secret: str) -> str:
    """What a key looks like with encryption at rest: of the same shape, and of no use."""
    return "ENC:" + hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class Zone:
    name: str
    email: str
    admin_group_id: str
    status: str = ACTIVE
    created: int = 0
    updated: int | None = None
    id: str = ""
    connection: Connection | None = None
    transfer_connection: Connection | None = None
    account: str = "system"
    shared: bool = False
    acl_rules: tuple[AclRule, ...] = ()
    recurrence_schedule: str | None = None
    schedule_requestor: str | None = None
    latest_sync: int | None = None
    is_test: bool = False
    backend_id: str | None = None

    @classmethod
    def from_stored(cls, data: Json) -> Zone:
        connections = {name: _stored_connection(data[name]) for name in ("connection", "transfer_connection")}
        return cls(**{**data, **connections, "acl_rules": tuple(AclRule.from_stored(rule) for rule in data["acl_rules"])})

    def to_stored(self) -> Json:
        return asdict(self)

    def to_json(self, expose_keys: bool) -> Json:
        """The raw zone, as it is embedded in changes."""
        connection, transfer = self.connection, self.transfer_connection
        return without_none(
            {
                "name": self.name,
                "email": self.email,
                "status": self.status,
                "created": timestamp(self.created),
                "updated": None if self.updated is None else timestamp(self.updated),
                "id": self.id,
                "connection": connection and connection.to_json(expose_keys),
                "transferConnection": transfer and transfer.to_json(expose_keys),
                "account": self.account,
                "shared": self.shared,
                "acl": {"rules": [rule.to_json() for rule in self.acl_rules]},
                "adminGroupId": self.admin_group_id,
                "recurrenceSchedule": self.recurrence_schedule,
                "scheduleRequestor": self.schedule_requestor,
                "latestSync": None if self.latest_sync is None else timestamp(self.latest_sync),
                "isTest": self.is_test,
                "backendId": self.backend_id,
            }
        )


def _stored_connection(data: Json | None) -> Connection | None:
    return None if data is None else Connection(**data)


@dataclass(frozen=True)
class ZoneChange:
    zone: Zone
    user_id: str
    change_type: str
    status: str = PENDING
    created: int = field(default_factory=now_ms)
    id: str = field(default_factory=new_id)
    system_message: str | None = None

    @classmethod
    def from_stored(cls, data: Json) -> ZoneChange:
        return cls(**{**data, "zone": Zone.from_stored(data["zone"])})

    def to_stored(self) -> Json:
        return asdict(self)

    def to_json(self, expose_keys: bool) -> Json:
        return without_none(
            {
                "zone": self.zone.to_json(expose_keys),
                "userId": self.user_id,
                "changeType": self.change_type,
                "status": self.status,
                "created": timestamp(self.created),
                "systemMessage": self.system_message,
                "id": self.id,
            }
        )


@dataclass(frozen=True)
class RecordSet:
    """All records of one name and type; ``name`` is relative to the zone, or the zone's name at the apex."""

    zone_id: str
    name: str
    type: str
    ttl: int
    records: tuple[Json, ...]
    status: str = ACTIVE
    created: int = field(default_factory=now_ms)
    updated: int | None = None
    id: str = field(default_factory=new_id)
    account: str = "system"
    owner_group_id: str | None = None
    group_change: Json | None = field(default_factory=lambda: dict(NO_OWNERSHIP_TRANSFER))

    @classmethod
    def from_stored(cls, data: Json) -> RecordSet:
        return cls(**{**data, "records": tuple(data["records"])})

    def to_stored(self) -> Json:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def to_json(self) -> Json:
        """The raw record set, as it is embedded in changes."""
        return without_none(
            {
                "type": self.type,
                "zoneId": self.zone_id,
                "name": self.name,
                "ttl": self.ttl,
                "status": self.status,
                "created": timestamp(self.created),
                "updated": None if self.updated is None else timestamp(self.updated),
                "records": list(self.records),
                "id": self.id,
                "account": self.account,
                "ownerGroupId": self.owner_group_id,
                "recordSetGroupChange": self.group_change,
            }
        )

    def fqdn(self, zone_name: str) -> str:
        return fqdn(self.name, zone_name)


def fqdn(name: str, zone_name: str) -> str:
    if is_apex(name, zone_name):
        return zone_name
    return f"{name.rstrip('.')}.{zone_name}"


def is_apex(name: str, zone_name: str) -> bool:
    """All the ways to say apex.  A host called like its zone (``ok.ok.``) is caught too: a quirk of the original."""
    return name in ("@", zone_name, zone_name.rstrip("."))


@dataclass(frozen=True)
class RecordSetChange:
    zone: Zone
    record_set: RecordSet
    user_id: str
    change_type: str
    status: str = PENDING
    created: int = field(default_factory=now_ms)
    system_message: str | None = None
    updates: RecordSet | None = None
    id: str = field(default_factory=new_id)

    def to_json(self, expose_keys: bool, zone_json: Json | None = None) -> Json:
        """``zone_json`` saves rendering the same zone again for each of many changes."""
        return without_none(
            {
                "zone": zone_json or self.zone.to_json(expose_keys),
                "recordSet": self.record_set.to_json(),
                "userId": self.user_id,
                "changeType": self.change_type,
                "status": self.status,
                "created": timestamp(self.created),
                "systemMessage": self.system_message,
                "updates": self.updates and self.updates.to_json(),
                "id": self.id,
                "singleBatchChangeIds": [],
            }
        )
