# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The tables of the ledger, and how those of earlier versions of the collection become them.

Dates are texts in UTC ISO 8601. ``holder``, ``owner`` and ``expires_at`` are those of the lease, see ``lease.py``. Every query
has an index that finds its rows without looking at others, however many runs a target has.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import typing as t

from .._core.clock import parse_iso
from .process import ProcessIdentity
from .store import date

#: ``PRAGMA user_version`` of the file. 1: versions 1.0 to 1.2 of the collection, 2: since version 2.0
SCHEMA_VERSION = 2

_RUNS = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    address TEXT NOT NULL,
    target TEXT NOT NULL,
    release TEXT NOT NULL,
    state TEXT NOT NULL,
    handle TEXT,
    snapshot TEXT NOT NULL,
    intended_at TEXT NOT NULL,
    finished_at TEXT,
    holder TEXT NOT NULL,
    owner TEXT NOT NULL,
    expires_at TEXT NOT NULL
);
CREATE INDEX runs_by_target ON runs (provider, address, target, id);
CREATE INDEX runs_by_state ON runs (provider, address, target, state, id);
CREATE INDEX runs_by_release ON runs (provider, address, target, state, release, id);
CREATE INDEX runs_by_handle ON runs (provider, address, target, handle) WHERE handle IS NOT NULL;
CREATE INDEX runs_open ON runs (provider, address, target, id) WHERE state IN ('intended', 'sending', 'started');
CREATE INDEX runs_leased ON runs (holder) WHERE holder <> '';
CREATE INDEX runs_invalidated ON runs (snapshot) WHERE state = 'invalidated';
"""

_PROMOTIONS = """
CREATE TABLE promotions (
    id INTEGER PRIMARY KEY,
    run TEXT NOT NULL,
    provider TEXT NOT NULL,
    address TEXT NOT NULL,
    target TEXT NOT NULL,
    name TEXT NOT NULL,
    release TEXT NOT NULL,
    phase TEXT NOT NULL,
    data TEXT NOT NULL,
    begun_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    verdict TEXT,
    finished_at TEXT,
    holder TEXT NOT NULL,
    owner TEXT NOT NULL,
    owner_label TEXT NOT NULL,
    expires_at TEXT NOT NULL
);
CREATE UNIQUE INDEX promotions_unfinished ON promotions (provider, address, target) WHERE verdict IS NULL;
CREATE INDEX promotions_by_target ON promotions (provider, address, target, id);
CREATE INDEX promotions_finished ON promotions (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX promotions_leased ON promotions (holder) WHERE holder <> '';
"""

_HOLDS = """
CREATE TABLE IF NOT EXISTS holds (
    id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    address TEXT NOT NULL,
    target TEXT NOT NULL,
    release TEXT NOT NULL,
    run TEXT NOT NULL,
    reason TEXT NOT NULL,
    held_by TEXT NOT NULL,
    held_at TEXT NOT NULL,
    lift_reason TEXT,
    lifted_by TEXT,
    lifted_at TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS holds_active ON holds (provider, address, target, release) WHERE lifted_at IS NULL;
CREATE INDEX IF NOT EXISTS holds_by_target ON holds (provider, address, target, id);
CREATE INDEX IF NOT EXISTS holds_lifted ON holds (lifted_at) WHERE lifted_at IS NOT NULL;
"""

#: all tables of this version, as SQLite has them
TABLES = f"{_RUNS}{_PROMOTIONS}{_HOLDS}"

#: states of version 1 that have another name now. It did not record that a trigger is being sent, so any may have been
_STATES = {"undone": "invalidated", "intended": "sending"}
#: what holds a lease of version 1, which had no holders
_UNKNOWN_HOLDER = "schema 1"


def version(db: sqlite3.Connection) -> int:
    """The version of the tables in a file, 0 if it has none.

    :raises sqlite3.DatabaseError: they are newer than this version of the collection.
    """
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    if found > SCHEMA_VERSION:
        raise sqlite3.DatabaseError(f"written by a newer version of this collection (schema {found})")
    # before version 2, the promotions had tables and no version of their own
    return found or int(_has_table(db, "promotions"))


def create_tables(db: sqlite3.Connection) -> None:
    """Have the tables of this version, with the rows that are there. The caller has begun a transaction."""
    if version(db) == SCHEMA_VERSION:
        return
    runs, promotions = _runs_of_version_1(db), _promotions_of_version_1(db)
    for statement in TABLES.split(";"):
        # executescript would commit first
        db.execute(statement)
    _insert(db, "runs", runs)
    _insert(db, "promotions", promotions)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


# -- version 1 --------------------------------------------------------------------------------------------------------

Column = t.Union[str, int, None]
_Rows = list[dict[str, Column]]


def _runs_of_version_1(db: sqlite3.Connection) -> _Rows:
    rows = _take(db, "runs")
    for row in rows:
        _take_lease(row, is_open=row["state"] in ("intended", "started"))
        row["release"] = row["release"] or ""
        row["state"] = _STATES.get(str(row["state"]), row["state"])
        if row["handle"]:
            # handles are found by their text
            row["handle"] = json.dumps(json.loads(str(row["handle"])), sort_keys=True)
            # its end may have been seen, without the effect that it must have: it must not count when it is looked at again
            row["state"] = "failed" if row["state"] == "unknown" else row["state"]
    return rows


def _promotions_of_version_1(db: sqlite3.Connection) -> _Rows:
    rows = _take(db, "promotions")
    for row in rows:
        holder = row["holder"]
        _take_lease(row, is_open=False)
        row["holder"] = holder
        # what it was is known by its namespace, and not by the boot
        row.pop("owner_started")
    return rows


def _take_lease(row: dict[str, Column], is_open: bool) -> None:
    """The lease as it is now. It lasts as long as it would have, since version 1 knows too little of its owner for more."""
    host, pid = str(row.pop("owner_host")), int(row.pop("owner_pid") or 0)
    row["holder"] = _UNKNOWN_HOLDER if is_open else ""
    row["owner"] = ProcessIdentity("", "", pid, "", host).to_json()
    row["expires_at"] = date(parse_iso(row["expires_at"]) or dt.datetime.now(dt.timezone.utc))


def _take(db: sqlite3.Connection, table: str) -> _Rows:
    """All rows of a table of version 1, which is dropped, with its indexes."""
    if not _has_table(db, table):
        return []
    cursor = db.execute(f"SELECT * FROM {table}")  # nosec B608
    names = [column[0] for column in cursor.description]
    if not {"owner_host", "owner_pid", "expires_at"} <= set(names):
        raise sqlite3.DatabaseError(f"table {table} is not one of this collection")
    rows = [dict(zip(names, row)) for row in cursor]
    db.execute(f"DROP TABLE {table}")
    return rows


def _insert(db: sqlite3.Connection, table: str, rows: _Rows) -> None:
    for row in rows:
        names, marks = ", ".join(row), ", ".join("?" for dummy in row)
        db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))  # nosec B608


def _has_table(db: sqlite3.Connection, table: str) -> bool:
    return db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone() is not None
