# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of the emulated installation as tests arrange it: DNS server and VinylDNS side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from ..bind import TRANSFERS_OUT, BindServer
from ..dns_embedded import EmbeddedServer, Fault
from ..dns_server import DnsServer, ZoneSpec, absolute, apex_lines, zone_text
from .acl import AclRule
from .groups import OK_GROUP
from .http import Context
from .model import AUTOMATED_SYNC, CREATE, SYNC, SYNCED, SYNCING, Connection, Json, RecordSet, Zone, ZoneChange, now_ms
from .seed import AGE_MS, SEED, SEED_SERIAL, make_zone, record_sets_from_lines, seed_texts
from .users import USERS

Where = Literal["both", "dns", "vinyldns"]


class UnknownZone(ValueError):
    """No such zone on the VinylDNS side."""


@dataclass(frozen=True)
class ZoneOrder:
    """One zone to add.  ``records`` are master file lines
    (``owner [ttl] type rdata``) for both sides; ``dns`` and ``vinyldns`` override one side.

    A side that is ``[]`` holds only SOA and NS, one that is None does not have the zone.  When the sides differ, so do
    their serials.
    """

    name: str
    records: Sequence[str] = ()
    dns: Sequence[str] | Literal["same"] | None = "same"
    vinyldns: Sequence[str] | Literal["same"] | None = "same"
    serial: int = 1
    group: str = OK_GROUP
    shared: bool = False
    connection: bool = False
    backend_id: str | None = None
    age: float | None = AGE_MS / 1000  # seconds since the last sync; None: never synced
    apex_ns: bool = True  # BIND does not load a zone without
    transfer: Sequence[str] | None = None
    update: Sequence[str] | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ZoneOrder:
        return cls(**{**data, "name": absolute(data["name"])})

    @property
    def dns_text(self) -> str | None:
        lines = self.records if self.dns == "same" else self.dns
        if lines is None:
            return None
        moved = self.dns != "same" or self.vinyldns != "same"
        return zone_text(lines, self.serial + 1 if moved else self.serial, self.apex_ns)

    @property
    def vinyldns_lines(self) -> list[str] | None:
        lines = self.records if self.vinyldns == "same" else self.vinyldns
        return None if lines is None else [*apex_lines(self.serial), *lines]

    def zone(self, dns_server: DnsServer) -> Zone:
        return make_zone(
            dns_server,
            self.name,
            group=self.group,
            shared=self.shared,
            connection=self.connection,
            backend_id=self.backend_id,
            age_ms=None if self.age is None else int(self.age * 1000),
        )


class World:
    """Everything here may block for a moment: call it outside of the event loop."""

    def __init__(self, context: Context, dns_server: DnsServer) -> None:
        self.context = context
        self.dns = dns_server
        self._store = context.store
        self._touched: set[str] = set()  # seeded zones whose DNS side was replaced, so that the serial proves nothing

    # -- start and reset ---------------------------------------------------------------------------------------------

    def fill(self) -> None:
        """Connect the seeded zones, in sync."""
        pairs = [
            (
                make_zone(
                    self.dns,
                    seed.name,
                    group=seed.group,
                    shared=seed.shared,
                    connection=seed.connection,
                    backend_id=seed.backend_id,
                ),
                seed.all_lines,
            )
            for seed in SEED
        ]
        self._connect(pairs)

    def _connect(self, pairs: Iterable[tuple[Zone, Sequence[str]]]) -> None:
        pairs = list(pairs)
        self._store.save_zones(zone for zone, _lines in pairs)
        for zone, lines in pairs:
            self._store.insert_record_sets(zone, record_sets_from_lines(zone, lines))
            if zone.latest_sync is not None:
                self._store.save_zone_change(ZoneChange(zone, USERS[0].id, CREATE, SYNCED, created=zone.created))

    def restore(self) -> None:
        """As at the start.  Only the zones that were changed are loaded again."""
        self._store.clear()
        self.context.directory.restore()
        self.clear_dns_faults()
        if isinstance(self.dns, BindServer):
            self.dns.limit_transfers(TRANSFERS_OUT)
            if self.dns.notifies:
                self.dns.notify(None)
        texts = seed_texts()
        served = set(self.dns.zone_names())
        extra = served - set(texts)
        if extra:
            self.dns.remove_zones(extra)
        changed = {name: text for name, text in texts.items() if name not in served or self._is_changed(name)}
        if changed:
            self.dns.add_zones(changed)
        self._touched.clear()
        self.fill()

    def _is_changed(self, name: str) -> bool:
        return name in self._touched or self.dns.loaded_serial(name) != SEED_SERIAL

    # -- zones -------------------------------------------------------------------------------------------------------

    def add_zones(self, orders: Sequence[ZoneOrder]) -> dict[str, str | None]:
        """Many zones at once; returns their ids (None where VinylDNS does not have the zone)."""
        specs = {
            order.name: ZoneSpec(order.dns_text, _names(order.transfer), _names(order.update))
            for order in orders
            if order.dns_text is not None
        }
        if specs:
            self.dns.add_zones(specs)
        self._touched.update(specs)
        pairs = [(order.zone(self.dns), order.vinyldns_lines) for order in orders]
        self._forget(order.name for order in orders)
        self._connect((zone, lines) for zone, lines in pairs if lines is not None)
        return {zone.name: None if lines is None else zone.id for zone, lines in pairs}

    def remove_zones(self, names: Sequence[str], where: Where) -> None:
        """Without a trace: this is not the API's delete."""
        names = [absolute(name) for name in names]
        if where in ("both", "dns"):
            self.dns.remove_zones(names)
            self._touched.update(names)
        if where in ("both", "vinyldns"):
            self._forget(names)

    def _forget(self, names: Iterable[str]) -> None:
        for name in names:
            zone = self._store.zone_by_name(name)
            if zone is not None:
                self._store.delete_record_sets(zone.id)
                self._store.delete_zone(zone.id)

    def zone(self, name: str) -> Zone:
        zone = self._store.zone_by_name(name)
        if zone is None:
            raise UnknownZone(f"VinylDNS has no zone {name}")
        return zone

    def state(self, name: str, records: bool = True) -> Json:
        """All that is stored about a zone, with times in milliseconds."""
        zone = self.zone(name)
        return {
            "zone": zone.to_stored(),
            "changes": [change.to_stored() for change in self._store.zone_changes(zone.id)],
            "record_sets": [item.to_stored() for item in self._store.list_record_sets(zone.id)] if records else None,
        }

    def patch_zone(self, name: str, values: Mapping[str, Any]) -> Json:
        """Set fields of the stored zone, by their names in ``model.Zone``; connections as in the API's JSON."""
        known = {field.name for field in fields(Zone)}
        unknown = set(values) - known
        if unknown:
            raise ValueError(f"unknown fields {sorted(unknown)}, known: {sorted(known)}")
        zone = replace(self.zone(name), **{field: _field_value(field, value) for field, value in values.items()})
        self._store.save_zone(zone)
        return zone.to_stored()

    def set_latest_sync(self, name: str, age: float | None) -> None:
        """``age`` seconds ago, or never."""
        latest = None if age is None else now_ms() - int(age * 1000)
        self._store.save_zone(replace(self.zone(name), latest_sync=latest))

    def automated_sync(self, name: str, requestor: str) -> ZoneChange:
        """What the scheduler of the original enqueues: no delay check, and a user *name* as user id."""
        zone = self.zone(name)
        return ZoneChange(replace(zone, status=SYNCING, updated=now_ms()), requestor, AUTOMATED_SYNC)

    def dead_sync(self, name: str, age: float) -> ZoneChange:
        """A sync that was accepted ``age`` seconds ago, and whose process ended in the middle."""
        created = now_ms() - int(age * 1000)
        zone = replace(self.zone(name), status=SYNCING, updated=created)
        change = ZoneChange(zone, USERS[0].id, SYNC, created=created)
        self._store.save_zone(zone)
        self._store.save_zone_change(change)
        return change

    # -- records -----------------------------------------------------------------------------------------------------

    def put_record_sets(self, name: str, items: Sequence[Json]) -> None:
        """Straight into VinylDNS: drift that no API call made.  Names and types are stored as given."""
        zone = self.zone(name)
        self._store.insert_record_sets(zone, [_record_set(zone, item) for item in items])

    def delete_record_sets(self, name: str, keys: Sequence[Json]) -> None:
        zone = self.zone(name)
        doomed = {(key["name"], key["type"]) for key in keys}
        ids = [item.id for item in self._store.list_record_sets(zone.id) if (item.name, item.type) in doomed]
        if len(ids) < len(doomed):
            raise ValueError(f"{name} does not have all of {sorted(doomed)}")
        self._store.delete_record_sets(zone.id, ids)

    # -- DNS ---------------------------------------------------------------------------------------------------------

    def update_dns(self, data: Mapping[str, Any]) -> int:
        """A dynamic update; returns the new serial."""
        changes = {name: [tuple(item) for item in data.get(name, ())] for name in ("add", "replace", "delete")}
        key = self.dns.keys[data["key"]] if "key" in data else None
        self.dns.update(data["zone"], **changes, key=key)
        return self.dns.serial(data["zone"])

    def set_dns_serial(self, name: str, serial: int) -> None:
        self.dns.set_serial(name, serial)
        self._touched.add(absolute(name))

    def set_dns_fault(
        self, fault: Fault, zone: str | None = None, on: Literal["transfer", "query", "update"] = "transfer"
    ) -> None:
        if not isinstance(self.dns, EmbeddedServer):
            raise ValueError("only the embedded DNS server misbehaves on demand: start with --dns embedded")
        self.dns.set_fault(fault, zone, on)

    def notify(self, port: int | None, signed: bool = False) -> None:
        if not isinstance(self.dns, BindServer):
            raise ValueError("only BIND sends NOTIFY")
        self.dns.notify(port, signed)

    def limit_transfers(self, number: int) -> None:
        self._bind().limit_transfers(number)

    def refused_transfers(self) -> int:
        return self._bind().refused_transfers

    def _bind(self) -> BindServer:
        if not isinstance(self.dns, BindServer):
            raise ValueError("only BIND limits transfers: start with --dns bind")
        return self.dns

    def clear_dns_faults(self) -> None:
        if isinstance(self.dns, EmbeddedServer):
            self.dns.clear_faults()


def _names(names: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


def _field_value(field: str, value: Any) -> Any:
    if field in ("connection", "transfer_connection") and value is not None:
        return Connection.from_json(value)
    return tuple(_rule(rule) for rule in value) if field == "acl_rules" else value


def _rule(data: Json) -> AclRule:
    """With read access, unless it says otherwise."""
    return AclRule.from_json({"accessLevel": "Read", **data})


def _record_set(zone: Zone, item: Json) -> RecordSet:
    """From JSON with the API's names."""
    record_set = RecordSet(
        zone_id=zone.id,
        name=item["name"],
        type=item["type"],
        ttl=item.get("ttl", 300),
        records=tuple(item["records"]),
        owner_group_id=item.get("ownerGroupId"),
        account=item.get("account", "system"),
        status=item.get("status", "Active"),
    )
    return replace(record_set, id=item["id"]) if "id" in item else record_set
