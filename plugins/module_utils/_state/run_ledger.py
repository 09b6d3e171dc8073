# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The ledger: what this controller intended, started and saw end, so that a killed run is found again.

One SQLite file in WAL mode, shared by concurrent processes. An intent is committed before the trigger is sent and
the outcome after it, so whatever happens in between leaves a trace. It never holds a secret.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
import os
import socket
import sqlite3
import typing as t

from .._core.clock import Clock, isoformat, parse_iso
from .sqlite import BUSY_TIMEOUT, connect, create, transaction, usable, use_wal

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    address TEXT NOT NULL,
    target TEXT NOT NULL,
    release TEXT,
    state TEXT NOT NULL,
    handle TEXT,
    snapshot TEXT NOT NULL,
    intended_at TEXT NOT NULL,
    finished_at TEXT,
    owner_host TEXT NOT NULL,
    owner_pid INTEGER NOT NULL,
    expires_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS runs_by_target ON runs (provider, address, target, state, id);
"""

#: id and state of the newest run of a target
Revision = tuple[int, str]
NO_REVISION: Revision = (0, "")

#: ``intended``: about to be triggered. ``started``: accepted by the server. The others are outcomes.
OPEN_STATES = ("intended", "started")
OUTCOMES = ("succeeded", "failed", "unknown", "void")
#: no run, but a mark: whatever was brought to the target before it, and to all targets below it, may be gone
INVALIDATED = "undone"


@dataclasses.dataclass(frozen=True)
class Key:
    """A target in the ledger: the same one under whatever name it was given.

    :param provider: name of the provider.
    :param address: canonical API address.
    :param target: canonical id of the target at that address.
    """

    provider: str
    address: str
    target: str


@dataclasses.dataclass(frozen=True)
class Entry:
    """One run in the ledger."""

    id: int
    state: str
    release: str | None
    handle: dict[str, t.Any] | None
    snapshot: dict[str, t.Any]
    intended_at: dt.datetime
    finished_at: dt.datetime | None
    expires_at: dt.datetime
    owner_host: str
    owner_pid: int

    def is_held(self, now: dt.datetime) -> bool:
        """Whether the process that wrote the entry may still be at work on it."""
        if self.state not in OPEN_STATES or now >= self.expires_at:
            return False
        return self.owner_host != socket.gethostname() or _alive(self.owner_pid)


class LeaseConflict(Exception):
    """Another process is about to trigger the same target, or has just done so."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(f"held by process {entry.owner_pid} on {entry.owner_host}")
        self.entry = entry


def default_path(environ: t.Mapping[str, str]) -> str:
    """``lockstep/ledger.sqlite3`` below the XDG state directory."""
    state = environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(state, "lockstep", "ledger.sqlite3")


class RunLedger:
    """The ledger file; every operation is one transaction on a connection of its own.

    :param path: the file, created on the first write (mode 0600).
    :param read_only: never create nor change the file (check mode); writing then is a programming error.
    :param scrub: hides secrets in what is written.
    :raises SyncError: ``invalid_option`` naming ``ledger_path`` if the file cannot be used.
    """

    def __init__(
        self, path: str, clock: Clock, read_only: bool = False, scrub: t.Callable[[t.Any], t.Any] = lambda value: value
    ) -> None:
        self.path = os.path.abspath(os.path.expanduser(path))
        self._clock = clock
        self._read_only = read_only
        self._scrub = scrub
        if not read_only:
            self._prepare()

    def mark(self, key: Key) -> Revision:
        """Something that differs once a further run of ``key`` was recorded or the newest one ended."""
        if not os.path.exists(self.path):
            return NO_REVISION
        with self._connect() as db:
            return _revision(db, key) if _version(db) else NO_REVISION

    def intend(
        self,
        key: Key,
        release: str | None,
        snapshot: t.Mapping[str, t.Any],
        expires_in: float,
        since: Revision | None = None,
        invalidates: t.Sequence[Key] = (),
    ) -> int:
        """Record that ``key`` is about to be triggered.

        :param snapshot: JSON facts by which a newer run is told from older ones.
        :param expires_in: seconds after which the entry no longer keeps others away.
        :param since: the mark of ``key`` when the decision to trigger was made.
        :param undoes: what earlier runs brought to these is undone from now on, whatever becomes of this run, unless it is
            retracted: from now on, nobody could tell whether it was accepted if this process died.
        :raises HeldElsewhere: another live process has an open entry for ``key``, or had one after ``since``.
        """
        now = self._clock.now()
        with self._transaction() as db:
            for entry in self._select(db, key, OPEN_STATES):
                if entry.is_held(now):
                    raise LeaseConflict(entry)
            if since is not None and _revision(db, key) != since:
                raise LeaseConflict(self._select(db, key, (*OPEN_STATES, *OUTCOMES, INVALIDATED))[0])
            # before the entry itself, which it may be about as well
            marks = self._invalidate(db, invalidates)
            cursor = db.execute(
                "INSERT INTO runs (provider, address, target, release, state, snapshot, intended_at,"
                " owner_host, owner_pid, expires_at) VALUES (?, ?, ?, ?, 'intended', ?, ?, ?, ?, ?)",
                (
                    key.provider,
                    key.address,
                    key.target,
                    release,
                    json.dumps(self._scrub(snapshot)),
                    isoformat(now),
                    socket.gethostname(),
                    os.getpid(),
                    isoformat(now + dt.timedelta(seconds=expires_in)),
                ),
            )
            entry_id = int(t.cast(int, cursor.lastrowid))
            db.executemany("UPDATE runs SET snapshot = ? WHERE id = ?", [(_caused_by(entry_id), mark) for mark in marks])
            return entry_id

    def retract(self, entry_id: int) -> None:
        """Record that an intended run certainly never started, so that it has undone nothing either."""
        with self._transaction() as db:
            db.execute("UPDATE runs SET state = 'void', finished_at = ? WHERE id = ?", (isoformat(self._clock.now()), entry_id))
            db.execute("DELETE FROM runs WHERE state = ? AND snapshot = ?", (INVALIDATED, _caused_by(entry_id)))

    def invalidate(self, key: Key, handle: t.Mapping[str, t.Any], invalidates: t.Sequence[Key]) -> None:
        """Record what a run of ``key`` undoes that was not triggered from here; one that was has done so already."""
        handle = self._scrub(handle)
        with self._transaction() as db:
            if all(entry.handle != dict(handle) for entry in self._select(db, key, OPEN_STATES + OUTCOMES)):
                self._invalidate(db, invalidates)

    def started(self, entry_id: int, handle: t.Mapping[str, t.Any]) -> None:
        """Record that the server accepted the trigger."""
        with self._transaction() as db:
            db.execute("UPDATE runs SET state = 'started', handle = ? WHERE id = ?", (json.dumps(self._scrub(handle)), entry_id))

    def adopt(self, entry_id: int, expires_in: float) -> None:
        """Take over the open entry of a process that is gone."""
        expires = isoformat(self._clock.now() + dt.timedelta(seconds=expires_in))
        with self._transaction() as db:
            db.execute(
                "UPDATE runs SET owner_host = ?, owner_pid = ?, expires_at = ? WHERE id = ?",
                (socket.gethostname(), os.getpid(), expires, entry_id),
            )

    def finish(self, entry_id: int, outcome: str, finished_at: dt.datetime | None = None) -> None:
        """Record how a run ended; ``void`` means that it never started."""
        if outcome not in OUTCOMES:
            raise ValueError(f"unknown outcome {outcome!r}")
        finished = isoformat(finished_at or self._clock.now())
        with self._transaction() as db:
            db.execute("UPDATE runs SET state = ?, finished_at = ? WHERE id = ?", (outcome, finished, entry_id))

    def drop_lease(self, entry_id: int) -> None:
        """Stop keeping others away while the run goes on without us (no wait, or timed out)."""
        with self._transaction() as db:
            db.execute("UPDATE runs SET expires_at = ? WHERE id = ?", (isoformat(self._clock.now()), entry_id))

    def seen(self, key: Key, handle: t.Mapping[str, t.Any], outcome: str, finished_at: dt.datetime | None) -> None:
        """Record the outcome of a run that somebody else triggered (or that an open entry here knows)."""
        handle = self._scrub(handle)
        with self._transaction() as db:
            for entry in self._select(db, key, OPEN_STATES):
                if entry.handle == dict(handle):
                    db.execute(
                        "UPDATE runs SET state = ?, finished_at = ? WHERE id = ?",
                        (outcome, isoformat(finished_at or self._clock.now()), entry.id),
                    )
                    return
            now = isoformat(self._clock.now())
            db.execute(
                "INSERT INTO runs (provider, address, target, state, handle, snapshot, intended_at, finished_at,"
                " owner_host, owner_pid, expires_at) VALUES (?, ?, ?, ?, ?, '{}', ?, ?, ?, ?, ?)",
                (
                    key.provider,
                    key.address,
                    key.target,
                    outcome,
                    json.dumps(handle),
                    now,
                    isoformat(finished_at) or now,
                    socket.gethostname(),
                    os.getpid(),
                    now,
                ),
            )

    def open_entry(self, key: Key) -> Entry | None:
        """The newest run of ``key`` whose outcome is not known yet."""
        return self._newest(key, OPEN_STATES)

    def last_success(self, key: Key) -> Entry | None:
        """The newest succeeded run of ``key`` that nothing has undone."""
        return self._newest(key, ("succeeded",))

    def release_done(self, key: Key, release: str) -> Entry | None:
        """The newest run that brought ``release`` to ``key``, and that nothing has undone."""
        return self._newest(key, ("succeeded",), release)

    def is_invalidated(self, key: Key, entry_id: int) -> bool:
        """Whether something has undone, or may have, what this run of ``key`` brought."""
        if not os.path.exists(self.path):
            return False
        with self._connect() as db:
            return entry_id < _invalidated_at(db, key) if _version(db) else False

    def _newest(self, key: Key, states: t.Sequence[str], release: str | None = None) -> Entry | None:
        if not os.path.exists(self.path):
            return None
        with self._connect() as db:
            entries = self._select(db, key, states) if _version(db) else []
            invalidated_at = _invalidated_at(db, key) if entries and entries[0].state == "succeeded" else 0
        found = (entry for entry in entries if release is None or entry.release == release)
        return next((entry for entry in found if entry.id > invalidated_at), None)

    def _invalidate(self, db: sqlite3.Connection, keys: t.Sequence[Key]) -> list[int]:
        """Mark targets; returns the ids of the marks."""
        now, host, pid = isoformat(self._clock.now()), socket.gethostname(), os.getpid()
        insert = (
            "INSERT INTO runs (provider, address, target, state, snapshot, intended_at, finished_at, owner_host, owner_pid,"
            " expires_at) VALUES (?, ?, ?, ?, '{}', ?, ?, ?, ?, ?)"
        )
        rows = [(key.provider, key.address, key.target, INVALIDATED, now, now, host, pid, now) for key in keys]
        return [int(t.cast(int, db.execute(insert, row).lastrowid)) for row in rows]

    @staticmethod
    def _select(db: sqlite3.Connection, key: Key, states: t.Sequence[str]) -> list[Entry]:
        marks = ", ".join("?" for dummy in states)
        rows = db.execute(
            "SELECT id, state, release, handle, snapshot, intended_at, finished_at, expires_at, owner_host, owner_pid"
            f" FROM runs WHERE provider = ? AND address = ? AND target = ? AND state IN ({marks}) ORDER BY id DESC",
            (key.provider, key.address, key.target, *states),
        )
        return [_entry(row) for row in rows]

    def _prepare(self) -> None:
        with usable(self.path, "ledger_path"):
            create(self.path)
            with self._connect() as db:
                if _version(db) < SCHEMA_VERSION:
                    use_wal(db, BUSY_TIMEOUT)
                    db.executescript(_SCHEMA)
                    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextlib.contextmanager
    def _connect(self) -> t.Iterator[sqlite3.Connection]:
        with usable(self.path, "ledger_path"), connect(self.path, self._read_only, BUSY_TIMEOUT) as db:
            yield db

    @contextlib.contextmanager
    def _transaction(self) -> t.Iterator[sqlite3.Connection]:
        with self._connect() as db, transaction(db):
            yield db


def _revision(db: sqlite3.Connection, key: Key) -> Revision:
    row = db.execute(
        "SELECT id, state FROM runs WHERE provider = ? AND address = ? AND target = ? ORDER BY id DESC LIMIT 1",
        (key.provider, key.address, key.target),
    ).fetchone()
    return (row[0], row[1]) if row else NO_REVISION


def _invalidated_at(db: sqlite3.Connection, key: Key) -> int:
    """The newest mark on a target, or on one above it; runs with a lower id do not count any more."""
    row = db.execute(
        "SELECT max(id) FROM runs WHERE provider = ? AND address = ? AND state = ?"
        " AND (target = ? OR target || '/' = substr(?, 1, length(target) + 1))",
        (key.provider, key.address, INVALIDATED, key.target, key.target),
    ).fetchone()
    return row[0] or 0


def _caused_by(entry_id: int) -> str:
    """What a mark says about the run that it was made for."""
    return json.dumps({"by": entry_id})


def _version(db: sqlite3.Connection) -> int:
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise sqlite3.DatabaseError(f"written by a newer version of this collection (schema {version})")
    return version


def _entry(row: t.Sequence[t.Any]) -> Entry:
    return Entry(
        id=row[0],
        state=row[1],
        release=row[2],
        handle=json.loads(row[3]) if row[3] else None,
        snapshot=json.loads(row[4]),
        intended_at=t.cast(dt.datetime, parse_iso(row[5])),
        finished_at=parse_iso(row[6]),
        expires_at=t.cast(dt.datetime, parse_iso(row[7])),
        owner_host=row[8],
        owner_pid=row[9],
    )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
