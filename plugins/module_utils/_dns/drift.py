# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""What a sync would change: the records of the backend compared with the stored record sets (docs/reference/vinyldns.md#2.5)."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import typing as t

from .._core.errors import SyncError
from .._core.vocabulary import RecordAction
from . import rdata, records
from .records import Packed, StoredSet
from .wire import Malformed, ResourceRecord

CREATE: t.Final = "create"
UPDATE: t.Final = "update"
DELETE: t.Final = "delete"

#: action of a change, and the record set before and after
RecordEffect = tuple[str, t.Optional[records.Identity], t.Optional[records.Identity]]

#: hexadecimal digits of a plan's digest
DIGEST_LENGTH = 32


class RecordChange(t.NamedTuple):
    """One record set that a sync creates, updates or deletes.

    :param name: relative to the zone; the name of the zone with its dot for the apex.
    :param stored: the record set in VinylDNS, unless it is created.
    :param wanted: the record set in the backend, unless it is deleted.
    :param owner_group_id: owner of the stored record set, lost when it is deleted.
    :param ignored: does not count as drift, although a sync applies it.
    """

    name: str
    type: str
    action: RecordAction
    stored: Packed | None = None
    wanted: Packed | None = None
    owner_group_id: str | None = None
    ignored: bool = False

    @property
    def before(self) -> dict[str, t.Any] | None:
        """``{ttl, records}`` of the stored record set in presentation format."""
        return None if self.stored is None else records.present(self.type, self.stored)

    @property
    def after(self) -> dict[str, t.Any] | None:
        """``{ttl, records}`` of the backend's record set in presentation format."""
        return None if self.wanted is None else records.present(self.type, self.wanted)

    @property
    def is_soa(self) -> bool:
        return self.type == "SOA"

    def to_record(self) -> dict[str, t.Any]:
        """The drift record of results; it contains ``ignored`` only if that is true."""
        record = {"name": self.name, "type": self.type, "action": self.action, "before": self.before, "after": self.after}
        return {**record, "ignored": True} if self.ignored else record

    def effect(self) -> RecordEffect:
        """A value that two descriptions of the same change share, however their records are spelled."""
        stored = None if self.stored is None else records.identity(self.type, self.stored)
        wanted = None if self.wanted is None else records.identity(self.type, self.wanted)
        return self.action, stored, wanted


@dataclasses.dataclass(frozen=True)
class Drift:
    """The plan of a sync.

    :param zone: its name with the trailing dot.
    :param changes: sorted by name and type, the apex first.
    :param serial: of the backend's SOA.
    :param stored_serial: of the stored SOA, if there is one.
    :param stored_total: record sets in VinylDNS.
    :param stored_content: those among them other than SOA and NS of the apex.
    :param backend_content: record sets of the backend other than SOA and NS of the apex.
    :param unsupported_types: number of records by type that the server leaves out.
    :param digest: identifies this plan; equal for equal zone, serial and changes. Empty if the changes are not listed in full.
    :param unlisted_deletes: record sets that are deleted too, although ``changes`` does not have them.
    """

    zone: str
    changes: tuple[RecordChange, ...]
    serial: int
    stored_serial: int | None
    stored_total: int
    stored_content: int
    backend_content: int
    unsupported_types: t.Mapping[str, int]
    digest: str
    unlisted_deletes: int = 0

    @property
    def creates(self) -> int:
        return self._count(CREATE)

    @property
    def updates(self) -> int:
        return self._count(UPDATE)

    @property
    def deletes(self) -> int:
        return self._count(DELETE) + self.unlisted_deletes

    @property
    def soa_only(self) -> bool:
        """Whether there are changes, all of them to the SOA."""
        return bool(self.changes) and not self.unlisted_deletes and all(change.is_soa for change in self.changes)

    @property
    def in_sync(self) -> bool:
        """Whether there are no changes except to the SOA and to ignored record sets."""
        return not self.unlisted_deletes and all(change.is_soa or change.ignored for change in self.changes)

    @property
    def empty(self) -> bool:
        """Whether the backend has nothing but SOA and NS at the apex."""
        return not self.backend_content

    def counted(self, action: RecordAction) -> int:
        """Number of changes with this action, without the SOA and without ignored ones."""
        listed = sum(change.action == action and not change.is_soa and not change.ignored for change in self.changes)
        return listed + self.unlisted_deletes if action == DELETE else listed

    def renames(self) -> list[RecordChange]:
        """The record sets to create of which one is deleted whose name differs in case only."""
        deleted = {(change.name.lower(), change.type) for change in self.changes if change.action == DELETE}
        return [change for change in self.changes if change.action == CREATE and (change.name.lower(), change.type) in deleted]

    def recurring(self) -> list[RecordChange]:
        """The changes that a sync makes and that are there again afterwards, without those that are ignored."""
        names = zone_names(self.zone)
        return [
            change
            for change in self.changes
            if change.wanted is not None and not change.ignored and records.recurs(names, change.name, change.wanted)
        ]

    def ignoring(self, ignores: t.Callable[[RecordChange], bool]) -> Drift:
        """The same plan, with the changes that do not count as drift flagged."""
        return dataclasses.replace(self, changes=tuple(change._replace(ignored=ignores(change)) for change in self.changes))

    def to_result(self, limit: int | None = None) -> dict[str, t.Any]:
        """The ``detail.drift`` of results.

        :param limit: maximum of listed changes; ``truncated`` says whether there are more.
        """
        return {
            "creates": self.creates,
            "updates": self.updates,
            "deletes": self.deletes,
            "ignored": sum(change.ignored for change in self.changes),
            "soa_only": self.soa_only,
            "unsupported_types": dict(self.unsupported_types),
            "serial": self.serial,
            "digest": self.digest,
            "records": [change.to_record() for change in self.changes[:limit]],
            "truncated": bool(self.unlisted_deletes) or (limit is not None and len(self.changes) > limit),
        }

    def to_diff(self, limit: int | None = None) -> dict[str, str]:
        """An Ansible diff with lines like those of a zone file, of the record sets that differ.

        :param limit: maximum of shown record sets; the number of others is added.
        """
        shown = self.changes[:limit]
        rest = len(self.changes) - len(shown) + self.unlisted_deletes
        more = [f"; and {rest} more record sets that differ"] if rest else []
        stored = "no SOA" if self.stored_serial is None else f"serial {self.stored_serial}"
        return {
            "before_header": f"{self.zone} in VinylDNS ({stored})",
            "after_header": f"{self.zone} in the DNS backend (serial {self.serial})",
            "before": _zone_lines([(change, change.before) for change in shown], more),
            "after": _zone_lines([(change, change.after) for change in shown], more),
        }

    def _count(self, action: RecordAction) -> int:
        return sum(change.action == action for change in self.changes)


class _Stored(t.NamedTuple):
    packed: Packed
    owner_group_id: str | None


class DriftBuilder:
    """Builds the plan from both sides as they are read: first the whole backend, then the record sets of the API.

    Of a record set that matches, only the name is kept, which limits the memory for large zones.

    :param zone: name of the zone as the API gives it.
    :raises SyncError: ``invalid_option`` if it is not a domain name.
    """

    def __init__(self, zone: str) -> None:
        self._names = zone_names(zone)
        self._backend: dict[str, dict[str, Packed]] = {}
        self._unsupported: dict[str, int] = {}
        #: by type and name; None for those that match
        self._stored: dict[str, dict[str, _Stored | None]] = {}
        self._stored_total = 0
        self._spellings: dict[tuple[str, str], set[str]] = {}
        self._serial: int | None = None
        self._stored_serial: int | None = None

    @property
    def apex(self) -> str:
        """Name of the record sets of the zone itself."""
        return self._names.apex

    @property
    def backend_sets(self) -> int:
        """Record sets of the backend, without those of types that the server leaves out."""
        return sum(map(len, self._backend.values()))

    @property
    def backend_content(self) -> int:
        """Those among them other than SOA and NS of the apex."""
        return self.backend_sets - self._apex_sets(self._backend)

    def add_backend_rr(self, record: ResourceRecord) -> None:
        """Add one record of the transfer.

        :raises RuntimeError: if record sets of the API have been fed already.
        """
        if self._stored:
            raise RuntimeError("the backend must be complete before the first record set of the API")
        owner, ttl, rdtype, octets = record
        rtype = rdata.TYPE_NAMES.get(rdtype)
        if rtype is None:
            other = rdata.type_name(rdtype)
            self._unsupported[other] = self._unsupported.get(other, 0) + 1
            return
        name, dotted = self._names.of_owner(owner)
        packed = records.pack_transferred(rtype, ttl, octets, dotted)
        sets = self._backend.get(rtype)
        if sets is None:
            sets = self._backend[rtype] = {}
        sets[name] = records.merge(sets[name], packed) if name in sets else packed
        if rtype == "SOA" and name == self._names.apex:
            self._serial = records.soa_serial(packed)

    def add_backend(self, transferred: t.Iterable[ResourceRecord]) -> None:
        """Add all records of a transfer. After an exception of the iterator the builder must not be used."""
        for record in transferred:
            self.add_backend_rr(record)

    def feed(self, record_set: StoredSet) -> bool:
        """Add one record set of the API.

        :returns: ``False`` if it has been fed before, as overlapping lists do.
        """
        spelling, rtype, packed, owner = record_set
        name = self._names.of_stored(spelling)
        stored = self._stored.get(rtype)
        if stored is None:
            stored = self._stored[rtype] = {}
        if spelling != name or name in stored:
            if not self._is_new_spelling(rtype, name, spelling):
                return False
            if name in stored:
                previous = stored[name]
                packed = records.merge(previous.packed if previous else self._backend[rtype][name], packed)
                owner = previous.owner_group_id if previous and previous.owner_group_id else owner
        self._stored_total += 1
        backend = self._backend.get(rtype)
        wanted = None if backend is None else backend.get(name)
        matches = wanted is not None and records.same(rtype, wanted, packed)
        stored[name] = None if matches else _Stored(packed, owner)
        if rtype == "SOA" and name == self._names.apex:
            self._stored_serial = records.soa_serial(packed)
        return True

    def feed_all(self, record_sets: t.Iterable[StoredSet]) -> int:
        """Add record sets of the API; returns how many of them are new."""
        return sum(self.feed(record_set) for record_set in record_sets)

    def sample_names(self, size: int) -> list[str]:
        """About ``size`` names of record sets of the backend, from all parts of the zone."""
        step = max(1, self.backend_sets // size)
        return list(itertools.islice(itertools.chain.from_iterable(self._backend.values()), 0, None, step))

    def not_fed(self) -> t.Iterator[tuple[str, str]]:
        """Name and type of the record sets of the backend that the API has not shown so far."""
        for rtype, backend in self._backend.items():
            stored = self._stored.get(rtype, {})
            yield from ((name, rtype) for name in backend if name not in stored)

    def finish(self, count: int | None = None) -> Drift:
        """The plan.

        :param count: record sets of the API, if not all have been fed: the backend has none of those that are left.
        :raises SyncError: ``bad_response`` if the backend has no SOA, and therefore is no zone.
        """
        if self._serial is None:
            raise SyncError(
                "bad_response",
                f"zone {self._names.apex}: the backend has no SOA record",
                "Check that backend.server serves this zone.",
            )
        changes = sort_changes(self._names.apex, [*self._updates_and_deletes(), *self._creates()])
        unlisted = 0 if count is None else max(0, count - self._stored_total)
        return Drift(
            zone=self._names.apex,
            changes=changes,
            serial=self._serial,
            stored_serial=self._stored_serial,
            stored_total=self._stored_total + unlisted,
            stored_content=self._stored_total + unlisted - self._apex_sets(self._stored),
            backend_content=self.backend_content,
            unsupported_types=dict(sorted(self._unsupported.items())),
            digest="" if unlisted else plan_digest(self._names.apex, self._serial, changes),
            unlisted_deletes=unlisted,
        )

    def _is_new_spelling(self, rtype: str, name: str, spelling: str) -> bool:
        # the server stores each spelling once, and merges those that mean the same name (docs/reference/vinyldns.md#2.5)
        seen = {name} if name in self._stored[rtype] else set()
        known = self._spellings.setdefault((rtype, name), seen)
        if spelling in known:
            return False
        known.add(spelling)
        return True

    def _updates_and_deletes(self) -> t.Iterator[RecordChange]:
        for rtype, stored in self._stored.items():
            backend = self._backend.get(rtype, {})
            for name, row in stored.items():
                if row is not None:
                    wanted = backend.get(name)
                    yield RecordChange(name, rtype, UPDATE if wanted else DELETE, row.packed, wanted, row.owner_group_id)

    def _creates(self) -> t.Iterator[RecordChange]:
        for rtype, backend in self._backend.items():
            stored = self._stored.get(rtype, {})
            for name, wanted in backend.items():
                if name not in stored:
                    yield RecordChange(name, rtype, CREATE, None, wanted)

    def _apex_sets(self, side: t.Mapping[str, t.Mapping[str, t.Any]]) -> int:
        return sum(self._names.apex in side.get(rtype, {}) for rtype in ("SOA", "NS"))


def serial_compare(one: int, other: int) -> int | None:
    """Order of two SOA serials by RFC 1982 section 3.2.

    :returns: -1, 0 or 1 if ``one`` is older, equal or newer; ``None`` where the RFC leaves the order undefined.
    """
    ahead = (one - other) % 2**32
    if ahead == 2**31:
        return None
    return 0 if not ahead else 1 if ahead < 2**31 else -1


def zone_names(zone: str) -> records.ZoneNames:
    """How record sets of ``zone`` are named.

    :raises SyncError: ``invalid_option`` if it is not a domain name.
    """
    try:
        return records.ZoneNames(zone)
    except Malformed as error:
        raise SyncError("invalid_option", f"zone {zone!r}: {error}", "Give the name of the zone as VinylDNS has it.") from None


def sort_changes(apex: str, changes: t.Iterable[RecordChange]) -> tuple[RecordChange, ...]:
    """Changes in the order of reports: the apex first, then by name without regard to case, then by type."""
    return tuple(sorted(changes, key=lambda change: (change.name != apex, change.name.lower(), change.name, change.type)))


def plan_digest(zone: str, serial: int, changes: t.Iterable[RecordChange]) -> str:
    """An identifier of a plan that does not depend on the order or spelling of records.

    :param changes: in the order of :attr:`Drift.changes`.
    """
    digest = hashlib.sha256()
    for field in _digest_fields(zone, serial, changes):
        digest.update(len(field).to_bytes(4, "big"))
        digest.update(field)
    return digest.hexdigest()[:DIGEST_LENGTH]


def _digest_fields(zone: str, serial: int, changes: t.Iterable[RecordChange]) -> t.Iterator[bytes]:
    yield zone.lower().encode("utf-8", "surrogatepass")
    yield str(serial).encode("ascii")
    for change in changes:
        for text in (change.name, change.type, change.action):
            yield text.encode("utf-8", "surrogatepass")
        for side in change.effect()[1:]:
            if side is None:
                yield b"-"
            else:
                ttl, octets = side
                yield f"{ttl} {len(octets)}".encode("ascii")
                yield from sorted(octets)


def _zone_lines(sides: t.Iterable[tuple[RecordChange, t.Mapping[str, t.Any] | None]], more: t.Sequence[str]) -> str:
    lines = [
        f"{change.name} {side['ttl']} IN {change.type} {record}"
        for change, side in sides
        if side is not None
        for record in side["records"]
    ]
    return "".join(line + "\n" for line in [*lines, *more])
