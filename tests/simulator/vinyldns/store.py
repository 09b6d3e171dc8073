# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SQLite storage.

One connection writes, under a lock; the event loop reads through another one and never waits for a writer (WAL); workers
read through connections of their own.  Entities are stored as JSON, with columns for what queries need.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal

from .access import accessors
from .diff import StoredView
from .knobs import VinylKnobs
from .model import DELETED, FAILED, TYPE_CODES, Json, RecordSet, RecordSetChange, Zone, ZoneChange
from .records import comparable

SCHEMA = """
CREATE TABLE zone (
    id TEXT PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE, status TEXT NOT NULL, admin_group_id TEXT NOT NULL,
    data TEXT NOT NULL);
CREATE INDEX zone_name ON zone (name);
CREATE TABLE zone_access (zone_id TEXT NOT NULL, accessor TEXT NOT NULL, PRIMARY KEY (accessor, zone_id)) WITHOUT ROWID;
CREATE TABLE zone_change (
    id TEXT PRIMARY KEY, zone_id TEXT NOT NULL, created INTEGER NOT NULL, status TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX zone_change_created ON zone_change (zone_id, created);
CREATE INDEX zone_change_status ON zone_change (status, created);
CREATE TABLE record_set (
    id TEXT PRIMARY KEY, zone_id TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE, type TEXT NOT NULL, type_code INTEGER NOT NULL,
    fqdn TEXT NOT NULL COLLATE NOCASE, owner_group_id TEXT, unique_name TEXT NOT NULL, form TEXT, data TEXT NOT NULL);
CREATE UNIQUE INDEX record_set_key ON record_set (zone_id, unique_name, type);
CREATE INDEX record_set_page ON record_set (zone_id, fqdn, type_code, name);
CREATE TABLE record_set_change (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL, zone_id TEXT NOT NULL, created INTEGER NOT NULL, status TEXT NOT NULL,
    fqdn TEXT NOT NULL COLLATE NOCASE, type TEXT NOT NULL, zone_copy_id INTEGER NOT NULL, data TEXT NOT NULL);
CREATE INDEX record_set_change_created ON record_set_change (zone_id, created);
CREATE TABLE zone_copy (id INTEGER PRIMARY KEY, data TEXT NOT NULL);
"""
TABLES = ("zone", "zone_access", "zone_change", "record_set", "record_set_change", "zone_copy")

Direction = Literal["ASC", "DESC"]
TypeSort = Literal["NONE", "ASC", "DESC"]


class Stale(Exception):
    """The store was cleared since the work began, so its result must not be written."""


class Store:
    """Everything the emulated server remembers."""

    def __init__(self, path: Path, knobs: VinylKnobs) -> None:
        self._path = path
        self._knobs = knobs
        self._lock = threading.Lock()
        self._writer = self._connect()
        self._writer.executescript("PRAGMA journal_mode=WAL;" + SCHEMA)
        # its statements are prepared once for all threads, and may not be used by two at once
        self._reading = threading.Lock()
        self._reader = self._connect()
        self.generation = 0  # workers know which one they began in

    def close(self) -> None:
        with self._lock:
            self._writer.close()
        with self._reading:
            self._reader.close()

    def clear(self) -> None:
        with self._write() as cursor:
            self.generation += 1
            for table in TABLES:
                cursor.execute(f"DELETE FROM {table}")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        connection.execute("PRAGMA synchronous=OFF")
        connection.row_factory = sqlite3.Row
        return connection

    @contextmanager
    def _write(self, generation: int | None = None) -> Iterator[sqlite3.Cursor]:
        with self._lock:
            if generation not in (None, self.generation):
                raise Stale
            self._writer.execute("BEGIN")
            try:
                yield self._writer.cursor()
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[sqlite3.Row]:
        with self._reading:
            return self._reader.execute(sql, parameters).fetchall()

    # -- zones -------------------------------------------------------------------------------------------------------

    def save_zones(self, zones: Iterable[Zone], generation: int | None = None) -> None:
        with self._write(generation) as cursor:
            for zone in zones:
                row = (zone.id, zone.name, zone.status, zone.admin_group_id, json.dumps(zone.to_stored()))
                cursor.execute("REPLACE INTO zone VALUES (?, ?, ?, ?, ?)", row)
                cursor.execute("DELETE FROM zone_access WHERE zone_id = ?", (zone.id,))
                if zone.status != DELETED:
                    pairs = [(zone.id, accessor) for accessor in accessors(zone)]
                    cursor.executemany("INSERT INTO zone_access VALUES (?, ?)", pairs)

    def save_zone(self, zone: Zone, generation: int | None = None) -> None:
        self.save_zones([zone], generation)

    def delete_zone(self, zone_id: str) -> None:
        """Without a trace; the API's delete saves a zone that is Deleted."""
        with self._write() as cursor:
            for table in ("zone_access", "zone_change", "record_set_change"):
                cursor.execute(f"DELETE FROM {table} WHERE zone_id = ?", (zone_id,))
            cursor.execute("DELETE FROM zone WHERE id = ?", (zone_id,))

    def zone(self, zone_id: str) -> Zone | None:
        return self._one_zone("id = ?", zone_id)

    def zone_by_name(self, name: str) -> Zone | None:
        return self._one_zone("name = ?", name if name.endswith(".") else name + ".")

    def _one_zone(self, condition: str, value: str) -> Zone | None:
        rows = self._rows(f"SELECT data FROM zone WHERE {condition} AND status != ?", (value, DELETED))
        return Zone.from_stored(json.loads(rows[0]["data"])) if rows else None

    def list_zones(
        self,
        *,
        accessors: Sequence[str] | None = None,
        name_like: str | None = None,
        group_ids: Sequence[str] | None = None,
        after: str | None = None,
        reverse: bool = True,
        limit: int = -1,
    ) -> list[Zone]:
        """Connected zones by name; ``accessors`` None means all of them."""
        where, values = ["status != ?"], [DELETED]
        if accessors is not None:
            where.append(f"id IN (SELECT zone_id FROM zone_access WHERE accessor IN ({_marks(accessors)}))")
            values += accessors
        if name_like is not None:
            where.append("name LIKE ?")
            values.append(name_like)
        if group_ids is not None:
            where.append(f"admin_group_id IN ({_marks(group_ids)})")
            values += group_ids
        if after is not None:
            where.append("name > ?")
            values.append(after)
        if not reverse:
            where.append("name NOT LIKE '%in-addr.arpa.' AND name NOT LIKE '%ip6.arpa.'")
        sql = f"SELECT data FROM zone WHERE {' AND '.join(where)} ORDER BY name LIMIT ?"
        return [Zone.from_stored(json.loads(row["data"])) for row in self._rows(sql, [*values, limit])]

    # -- zone changes ------------------------------------------------------------------------------------------------

    def save_zone_change(self, change: ZoneChange, generation: int | None = None) -> None:
        row = (change.id, change.zone.id, change.created, change.status, json.dumps(change.to_stored()))
        with self._write(generation) as cursor:
            cursor.execute("REPLACE INTO zone_change VALUES (?, ?, ?, ?, ?)", row)

    def zone_changes(self, zone_id: str, *, not_after: int | None = None, limit: int = -1) -> list[ZoneChange]:
        """Newest first."""
        sql = "SELECT data FROM zone_change WHERE zone_id = ? AND created <= ? ORDER BY created DESC, rowid DESC LIMIT ?"
        return _zone_changes(self._rows(sql, (zone_id, 2**62 if not_after is None else not_after, limit)))

    def failed_zone_changes(self, offset: int, limit: int) -> list[ZoneChange]:
        sql = (
            "SELECT c.data FROM zone_change c JOIN zone z ON z.id = c.zone_id "
            "WHERE c.status = ? AND z.status != ? ORDER BY c.created DESC LIMIT ? OFFSET ?"
        )
        return _zone_changes(self._rows(sql, (FAILED, DELETED, limit, offset)))

    def deletions(self) -> list[ZoneChange]:
        """The latest change of each zone that is gone and whose name is not connected again."""
        sql = (
            "SELECT c.data FROM zone z JOIN zone_change c ON c.zone_id = z.id WHERE z.status = ? "
            "AND z.name NOT IN (SELECT name FROM zone WHERE status != ?) "
            "AND c.created = (SELECT max(created) FROM zone_change WHERE zone_id = z.id) ORDER BY z.name, z.id"
        )
        return _zone_changes(self._rows(sql, (DELETED, DELETED)))

    # -- record sets -------------------------------------------------------------------------------------------------

    def stored_views(self, zone_id: str) -> list[StoredView]:
        """All record sets of a zone for a comparison; for workers outside of the event loop."""
        with closing(self._connect()) as connection:
            rows = connection.execute("SELECT id, name, type, form FROM record_set WHERE zone_id = ?", (zone_id,))
            return [StoredView(*row) for row in rows]

    def record_sets_by_id(self, ids: Sequence[str]) -> dict[str, RecordSet]:
        """For workers, too."""
        found: dict[str, RecordSet] = {}
        with closing(self._connect()) as connection:
            for start in range(0, len(ids), 500):
                some = ids[start : start + 500]
                rows = connection.execute(f"SELECT data FROM record_set WHERE id IN ({_marks(some)})", some)
                record_sets = (RecordSet.from_stored(json.loads(row["data"])) for row in rows)
                found.update({record_set.id: record_set for record_set in record_sets})
        return found

    def record_set(self, record_set_id: str) -> RecordSet | None:
        """Of any zone."""
        found = _record_sets(self._rows("SELECT data FROM record_set WHERE id = ?", (record_set_id,)))
        return found[0] if found else None

    def record_sets_named(self, zone_id: str, name: str) -> list[RecordSet]:
        """All types; letter case does not matter."""
        return _record_sets(self._rows("SELECT data FROM record_set WHERE zone_id = ? AND name = ?", (zone_id, name)))

    def has_full_name(self, fqdn: str, rdtype: str) -> bool:
        """In any zone."""
        return bool(self._rows("SELECT 1 FROM record_set WHERE fqdn = ? AND type = ? LIMIT 1", (fqdn, rdtype)))

    def has_wildcard(self, zone_id: str, rdtype: str) -> bool:
        """One that answers for this type; for workers, too."""
        with closing(self._connect()) as connection:
            sql = "SELECT 1 FROM record_set WHERE zone_id = ? AND name = '*' AND type IN (?, 'CNAME') LIMIT 1"
            return connection.execute(sql, (zone_id, rdtype)).fetchone() is not None

    def first_owned_record_set(self, group_id: str) -> str | None:
        rows = self._rows("SELECT id FROM record_set WHERE owner_group_id = ? LIMIT 1", (group_id,))
        return str(rows[0]["id"]) if rows else None

    def count_record_sets(self, zone_id: str) -> int:
        return int(self._rows("SELECT count(*) FROM record_set WHERE zone_id = ?", (zone_id,))[0][0])

    def list_record_sets(
        self,
        zone_id: str | None,
        *,
        after: tuple[str, int] | None = None,
        name_like: str | None = None,
        types: Sequence[str] = (),
        owner_group_id: str | None = None,
        name_sort: Direction = "ASC",
        type_sort: TypeSort = "NONE",
        limit: int = -1,
        lossy: bool = True,
    ) -> list[RecordSet]:
        """Record sets in the order of full names, continued after a (name, type code); of all zones without an id.

        The original orders by full name but continues by relative name, and so loses rows whose order differs between
        the two.  ``lossy`` False continues by what it orders by.
        """
        where, values = (["1"], []) if zone_id is None else (["zone_id = ?"], [zone_id])
        name = "fqdn" if zone_id is None else "name"
        if after is not None:
            column = name if lossy else "fqdn"
            sign = ">" if name_sort == "ASC" else "<"
            where.append(f"({column} {sign} ? OR ({column} = ? AND type_code > ?))")
            values += [after[0], after[0], after[1]]  # type: ignore[list-item]
        if name_like is not None:
            where.append(f"{name} LIKE ?")
            values.append(name_like)
        if types:
            where.append(f"type IN ({_marks(types)})")
            values += types
        if owner_group_id is not None:
            where.append("owner_group_id = ?")
            values.append(owner_group_id)
        order = f"fqdn {name_sort}, type_code ASC" if type_sort == "NONE" else f"type {type_sort}, fqdn {name_sort}"
        sql = f"SELECT data FROM record_set WHERE {' AND '.join(where)} ORDER BY {order} LIMIT ?"
        return _record_sets(self._rows(sql, [*values, limit]))

    def insert_record_sets(self, zone: Zone, record_sets: Iterable[RecordSet]) -> None:
        """Put record sets straight into the store; one of the same name and type is replaced."""
        with self._write() as cursor:
            cursor.executemany(_insert("REPLACE"), (self._record_set_row(zone, record_set) for record_set in record_sets))

    def delete_record_sets(self, zone_id: str, ids: Sequence[str] | None = None) -> None:
        """Remove some record sets, or all of a zone, without a trace."""
        with self._write() as cursor:
            if ids is None:
                cursor.execute("DELETE FROM record_set WHERE zone_id = ?", (zone_id,))
            else:
                cursor.executemany("DELETE FROM record_set WHERE id = ?", [(record_set_id,) for record_set_id in ids])

    def _record_set_row(self, zone: Zone, item: RecordSet) -> tuple[Any, ...]:
        unique_name = item.name if self._knobs.collation == "binary" else item.name.lower()
        form = comparable(item.type, item.ttl, item.records)
        fqdn, data = item.fqdn(zone.name), json.dumps(item.to_stored())
        code = TYPE_CODES.get(item.type, 0)
        return item.id, zone.id, item.name, item.type, code, fqdn, item.owner_group_id, unique_name, form, data

    # -- record set changes ------------------------------------------------------------------------------------------

    def apply_changes(self, zone: Zone, changes: Sequence[RecordSetChange], generation: int) -> None:
        """Record changes and their effect in one transaction, as a sync does.

        Insertions come first and ignore duplicates, deletions last: with a case-insensitive index this makes names that
        differ in case only flap, as in the original.
        """
        by_type: dict[str, list[RecordSet]] = {"Create": [], "Update": [], "Delete": []}
        for change in changes:
            by_type[change.change_type].append(change.record_set)
        with self._write(generation) as cursor:
            self._log_changes(cursor, zone, changes)
            cursor.executemany(_insert("INSERT OR IGNORE"), (self._record_set_row(zone, item) for item in by_type["Create"]))
            for item in by_type["Update"]:
                cursor.execute("DELETE FROM record_set WHERE id = ?", (item.id,))
                cursor.execute(_insert("INSERT OR IGNORE"), self._record_set_row(zone, item))
            cursor.executemany("DELETE FROM record_set WHERE id = ?", [(item.id,) for item in by_type["Delete"]])

    def log_changes(self, zone: Zone, changes: Sequence[RecordSetChange], generation: int) -> None:
        with self._write(generation) as cursor:
            self._log_changes(cursor, zone, changes)

    def _log_changes(self, cursor: sqlite3.Cursor, zone: Zone, changes: Sequence[RecordSetChange]) -> None:
        """All changes of a transaction share one copy of the zone."""
        cursor.execute("INSERT INTO zone_copy (data) VALUES (?)", (json.dumps(zone.to_stored()),))
        copy = cursor.lastrowid
        rows = (_change_row(zone, change, copy) for change in changes)
        columns = "id, zone_id, created, status, fqdn, type, zone_copy_id, data"
        cursor.executemany(f"INSERT INTO record_set_change ({columns}) VALUES ({_marks(range(8))})", rows)

    def record_set_changes(
        self,
        zone_id: str | None,
        *,
        offset: int = 0,
        limit: int = -1,
        fqdn: str | None = None,
        rdtype: str | None = None,
        failed: bool = False,
    ) -> list[RecordSetChange]:
        """Newest first, by time alone: rows of one moment have no order of their own, and come in another one on each page."""
        where, values = ["1"], []
        for column, value in (("zone_id", zone_id), ("fqdn", fqdn), ("type", rdtype), ("status", FAILED if failed else None)):
            if value is not None:
                where.append(f"r.{column} = ?")
                values.append(value)
        sql = (
            "SELECT r.data, c.data AS zone FROM record_set_change r JOIN zone_copy c ON c.id = r.zone_copy_id "
            f"WHERE {' AND '.join(where)} ORDER BY r.created DESC, {self._order_of_ties(offset, limit)} LIMIT ? OFFSET ?"
        )
        parse_zone = _remembering(lambda text: Zone.from_stored(json.loads(text)))
        return [
            _change_from_stored(parse_zone(row["zone"]), json.loads(row["data"]))
            for row in self._rows(sql, [*values, limit, offset])
        ]

    def record_set_change(self, zone_id: str, change_id: str) -> RecordSetChange | None:
        sql = (
            "SELECT r.data, c.data AS zone FROM record_set_change r JOIN zone_copy c ON c.id = r.zone_copy_id "
            "WHERE r.zone_id = ? AND r.id = ?"
        )
        rows = self._rows(sql, (zone_id, change_id))
        if not rows:
            return None
        return _change_from_stored(Zone.from_stored(json.loads(rows[0]["zone"])), json.loads(rows[0]["data"]))

    def _order_of_ties(self, offset: int, limit: int) -> str:
        """An order of rows that depends on the page, unless the knob says otherwise."""
        if not self._knobs.shuffled_ties:
            return "r.position DESC"
        return f"(r.position * {(offset * 7919 + limit * 104_729) % 999_983 + 1}) % 1000003"


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


def _insert(verb: str) -> str:
    return f"{verb} INTO record_set VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def _record_sets(rows: Iterable[sqlite3.Row]) -> list[RecordSet]:
    return [RecordSet.from_stored(json.loads(row["data"])) for row in rows]


def _zone_changes(rows: Iterable[sqlite3.Row]) -> list[ZoneChange]:
    return [ZoneChange.from_stored(json.loads(row["data"])) for row in rows]


def _change_row(zone: Zone, change: RecordSetChange, copy: int | None) -> tuple[Any, ...]:
    item, data = change.record_set, json.dumps(_change_to_stored(change))
    return change.id, zone.id, change.created, change.status, item.fqdn(zone.name), item.type, copy, data


def _change_to_stored(change: RecordSetChange) -> Json:
    data = {name: getattr(change, name) for name in change.__dataclass_fields__ if name != "zone"}
    data["record_set"] = change.record_set.to_stored()
    data["updates"] = change.updates and change.updates.to_stored()
    return data


def _change_from_stored(zone: Zone, data: Json) -> RecordSetChange:
    updates = data["updates"] and RecordSet.from_stored(data["updates"])
    return RecordSetChange(**{**data, "zone": zone, "record_set": RecordSet.from_stored(data["record_set"]), "updates": updates})


def _remembering(parse: Callable[[str], Zone]) -> Callable[[str], Zone]:
    """One page of changes usually shares one copy of the zone."""
    known: dict[str, Zone] = {}

    def remembered(text: str) -> Zone:
        if text not in known:
            known[text] = parse(text)
        return known[text]

    return remembered
