# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The journal: how far each promotion came, who is at work on it, and which releases are not to be promoted.

A promotion is longer than a run of the ledger: it begins with the lock and ends after the verification or the rollback.
The journal lives in the ledger's file, in tables of its own. It never holds a secret.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import getpass
import json
import os
import socket
import sqlite3
import typing as t

from ...module_utils._core.clock import Clock, isoformat, parse_iso
from ...module_utils._core.errors import SyncError
from ...module_utils._state.run_ledger import Key, _alive, _version
from ...module_utils._state.sqlite import BUSY_TIMEOUT, connect, create, transaction, usable, use_wal

#: how a promotion may end; ``abandoned``: one that was left behind, when another release took its place
VERDICTS = ("succeeded", "failed", "refused", "rolled_back", "rollback_failed", "unknown", "not_started", "abandoned")

#: the phase of a promotion that has only begun
LOCKED = "lock"

#: finished promotions and lifted holds are kept so long, and this many of each are removed at once
KEPT = dt.timedelta(days=90)
PRUNED_AT_ONCE = 100

_SCHEMA = """
CREATE TABLE IF NOT EXISTS promotions (
    id INTEGER PRIMARY KEY,
    run TEXT NOT NULL,
    holder TEXT NOT NULL,
    provider TEXT NOT NULL,
    address TEXT NOT NULL,
    target TEXT NOT NULL,
    name TEXT NOT NULL,
    release TEXT NOT NULL,
    phase TEXT NOT NULL,
    data TEXT NOT NULL,
    owner_host TEXT NOT NULL,
    owner_pid INTEGER NOT NULL,
    owner_started TEXT,
    owner_label TEXT NOT NULL,
    begun_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    verdict TEXT,
    finished_at TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS promotions_unfinished ON promotions (provider, address, target) WHERE verdict IS NULL;
CREATE INDEX IF NOT EXISTS promotions_by_target ON promotions (provider, address, target, id);
CREATE INDEX IF NOT EXISTS promotions_finished ON promotions (finished_at) WHERE finished_at IS NOT NULL;
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

_PROMOTION = (
    "SELECT id, run, holder, provider, address, target, name, release, phase, data, owner_host, owner_pid, owner_started,"
    " owner_label, begun_at, updated_at, expires_at, verdict, finished_at FROM promotions"
    " WHERE provider = ? AND address = ? AND target = ?"
)
_HOLD = (
    "SELECT id, provider, address, target, release, run, reason, held_by, held_at, lift_reason, lifted_by, lifted_at"
    " FROM holds WHERE provider = ? AND address = ? AND target = ?"
)

#: process id -> what tells a process from a later one of the same id, ``""`` if it has ended, ``None`` if nobody can tell
Started = t.Callable[[int], t.Optional[str]]


def process_started(pid: int) -> str | None:
    """When a process was started, in the kernel's own unit.

    :return: ``""`` if it has ended and only waits to be collected, ``None`` if nobody can tell (no ``/proc``).
    """
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            # the name before, in parentheses, may hold anything
            fields = file.read().rpartition(")")[2].split()
        return "" if fields[0] in ("Z", "X") else fields[19]
    except (OSError, IndexError):
        return None


def this_host() -> str:
    """Name of the place in which process ids have their meaning: this host, or the container on it."""
    with contextlib.suppress(OSError):
        space = os.readlink("/proc/self/ns/pid").strip("pid:[]")
        # the number of the host's own is a constant of the kernel (PROC_PID_INIT_INO)
        if space != str(0xEFFFFFFC):
            return f"{socket.gethostname()}/{space}"
    return socket.gethostname()


def this_user() -> str:
    """``user@host``, for people."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # a container may run as a user that has no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


@dataclasses.dataclass(frozen=True)
class Owner:
    """The process that a promotion is bound to.

    :param host: what :func:`this_host` says there.
    :param started: what :func:`process_started` said of it.
    :param label: who that is, for people.
    """

    host: str
    pid: int
    started: str | None
    label: str

    @classmethod
    def current(cls, pid: int | None = None, label: str | None = None, started: Started = process_started) -> Owner:
        """This process, or ``pid`` where this one is the helper of another (such as of ``ansible-playbook``)."""
        pid = os.getpid() if pid is None else pid
        return cls(this_host(), pid, started(pid), this_user() if label is None else label)

    def is_alive(self, started: Started = process_started) -> bool:
        """Whether it may still be at work: of another host nobody can tell; a process id may have a new bearer."""
        if self.host != this_host():
            return True
        if not _alive(self.pid):
            return False
        now = started(self.pid)
        return now is None or (now != "" and self.started in (None, now))


@dataclasses.dataclass(frozen=True)
class Promotion:
    """One promotion of one target.

    :param run: id of the run that began it.
    :param holder: id of the run that may go on with it, ``""`` once that one gave it up or finished it.
    :param name: what people call the target.
    :param phase: the newest phase that was begun.
    :param data: JSON facts known so far.
    :param verdict: ``None`` until it is finished, then one of :data:`VERDICTS`.
    """

    id: int
    run: str
    holder: str
    key: Key
    name: str
    release: str | None
    phase: str
    data: dict[str, t.Any]
    owner: Owner
    begun_at: dt.datetime
    updated_at: dt.datetime
    expires_at: dt.datetime
    verdict: str | None
    finished_at: dt.datetime | None

    def is_held(self, now: dt.datetime, started: Started = process_started) -> bool:
        """Whether a run may still be at work on it."""
        return self.verdict is None and self.holder != "" and now < self.expires_at and self.owner.is_alive(started)


@dataclasses.dataclass(frozen=True)
class BegunPromotion:
    """What to go on with.

    :param resumed: the phase in which an earlier run left it, ``None`` for a new promotion.
    :param abandoned: the unfinished promotion of another release whose place it took.
    """

    promotion: Promotion
    resumed: str | None = None
    abandoned: Promotion | None = None


@dataclasses.dataclass(frozen=True)
class ReleaseBlock:
    """A release that is not to be promoted to a target until somebody lifts that.

    :param run: id of the run that found it bad.
    """

    id: int
    key: Key
    release: str | None
    run: str
    reason: str
    held_by: str
    held_at: dt.datetime
    lift_reason: str | None
    lifted_by: str | None
    lifted_at: dt.datetime | None


class LockHeld(Exception):
    """Another run is at work on the promotion of the target."""

    def __init__(self, key: Key, promotion: Promotion) -> None:
        owner = promotion.owner
        super().__init__(
            f"{promotion.name}: run {promotion.holder} of {owner.label} (process {owner.pid} on {owner.host}) is promoting it,"
            f" phase {promotion.phase} since {isoformat(promotion.updated_at)}; it keeps others away until"
            f" {isoformat(promotion.expires_at)} at the latest"
        )
        self.key = key
        self.promotion = promotion


class PromotionStore:
    """The journal in the ledger's file; every operation is one transaction on a connection of its own.

    No connection outlives an operation, so that a journal may be used in several threads and across a fork.

    :param path: the file, created on demand (mode 0600).
    :param read_only: never create nor change the file (check mode); writing then is a programming error.
    :param scrub: hides secrets in what is written.
    :param option: name of the option that ``path`` comes from.
    :param started: tells a process from a later one of the same id.
    :raises SyncError: ``invalid_option`` naming ``option`` if the file cannot be used.
    """

    def __init__(
        self,
        path: str,
        clock: Clock,
        read_only: bool = False,
        scrub: t.Callable[[t.Any], t.Any] = lambda value: value,
        option: str = "ledger_path",
        started: Started = process_started,
    ) -> None:
        self.path = os.path.abspath(os.path.expanduser(path))
        self._clock = clock
        self._read_only = read_only
        self._scrub = scrub
        self._option = option
        self._started = started
        if not read_only:
            self._prepare()

    # -- looking ------------------------------------------------------------------------------------------------------

    def look(self, key: Key) -> Promotion | None:
        """The unfinished promotion of ``key``."""
        return next(self._promotions(" AND verdict IS NULL", key), None)

    def last(self, key: Key, verdict: str | None = None) -> Promotion | None:
        """The promotion of ``key`` that was begun last among the finished ones (with ``verdict``, if given)."""
        if verdict is None:
            return next(self._promotions(" AND verdict IS NOT NULL ORDER BY id DESC LIMIT 1", key), None)
        return next(self._promotions(" AND verdict = ? ORDER BY id DESC LIMIT 1", key, verdict), None)

    def history(self, key: Key, limit: int) -> list[Promotion]:
        """At most ``limit`` promotions of ``key``, an unfinished one included, newest first."""
        return list(self._promotions(" ORDER BY id DESC LIMIT ?", key, limit))

    def is_held(self, promotion: Promotion) -> bool:
        """Whether :meth:`begin` would say now that another run is at work on it."""
        return promotion.is_held(self._clock.now(), self._started)

    def held(self, key: Key, release: str | None) -> ReleaseBlock | None:
        """The hold on promoting ``release`` to ``key``; promotions without a release are one release of their own."""
        return next(self._holds(" AND release = ? AND lifted_at IS NULL", key, release or ""), None)

    def holds(self, key: Key, limit: int) -> list[ReleaseBlock]:
        """At most ``limit`` holds on ``key``, lifted ones included, newest first."""
        return list(self._holds(" ORDER BY id DESC LIMIT ?", key, limit))

    # -- a promotion --------------------------------------------------------------------------------------------------

    def begin(
        self, run: str, targets: t.Mapping[Key, str], release: str | None, owner: Owner, expires_in: float
    ) -> dict[Key, BegunPromotion]:
        """Lock all targets, or none, and take up what earlier runs left unfinished.

        What a dead or late run left is resumed by the same release, with its id and data, and abandoned by another one.

        :param run: id of this run, never used before.
        :param targets: what people call each.
        :param expires_in: seconds until others need not respect the lock any more, unless it is renewed.
        :raises LockHeld: another live run is at work on one of them.
        """
        with self._transaction() as db:
            now = self._clock.now()
            self._prune(db, now)
            return {key: self._begin(db, now, run, key, name, release, owner, expires_in) for key, name in targets.items()}

    def advance(self, run: str, key: Key, phase: str, expires_in: float, data: t.Mapping[str, t.Any] | None = None) -> Promotion:
        """Record that a phase begins, or what is known by now, and renew the lock.

        :param data: JSON facts; they replace those of the same names and leave the others.
        :raises SyncError: ``busy``: another run has taken over, this one must stop.
        """
        with self._transaction() as db:
            mine = self._own_lease(db, run, key)
            now = self._clock.now()
            known = {**mine.data, **self._scrub(dict(data or {}))}
            db.execute(
                "UPDATE promotions SET phase = ?, data = ?, updated_at = ?, expires_at = ? WHERE id = ?",
                (phase, json.dumps(known), isoformat(now), _expiry(now, expires_in), mine.id),
            )
            return self._own_lease(db, run, key)

    def finish(self, run: str, key: Key, verdict: str) -> None:
        """Record how it ended, and unlock the target.

        :raises SyncError: ``busy``: another run has taken over.
        """
        if verdict not in VERDICTS:
            raise ValueError(f"unknown verdict {verdict!r}")
        with self._transaction() as db:
            _close(db, self._own_lease(db, run, key), verdict, self._clock.now())

    def release(self, run: str, key: Key) -> None:
        """Unlock the target while the promotion stays unfinished: the next run resumes it at once.

        :raises SyncError: ``busy``: another run has taken over.
        """
        with self._transaction() as db:
            mine = self._own_lease(db, run, key)
            now = isoformat(self._clock.now())
            db.execute("UPDATE promotions SET holder = '', updated_at = ?, expires_at = ? WHERE id = ?", (now, now, mine.id))

    # -- holds --------------------------------------------------------------------------------------------------------

    def hold(self, key: Key, release: str | None, reason: str, run: str, by: str | None = None) -> ReleaseBlock:
        """Keep ``release`` from being promoted to ``key``; a hold that is there already stays as it is.

        :param run: id of the run that found it bad.
        :param by: who that was (this user).
        """
        with self._transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO holds (provider, address, target, release, run, reason, held_by, held_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*_columns(key), release or "", run, self._scrub(reason), self._person(by), isoformat(self._clock.now())),
            )
            row = db.execute(_HOLD + " AND release = ? AND lifted_at IS NULL", (*_columns(key), release or "")).fetchone()
            return _hold(row)

    def lift(self, key: Key, release: str | None, reason: str, by: str | None = None) -> ReleaseBlock | None:
        """End a hold, which stays as history.

        :param by: who did it (this user).
        :return: what was lifted, ``None`` if there was no hold.
        """
        with self._transaction() as db:
            found = db.execute(_HOLD + " AND release = ? AND lifted_at IS NULL", (*_columns(key), release or "")).fetchone()
            if found is None:
                return None
            db.execute(
                "UPDATE holds SET lift_reason = ?, lifted_by = ?, lifted_at = ? WHERE id = ?",
                (self._scrub(reason), self._person(by), isoformat(self._clock.now()), found[0]),
            )
            return _hold(db.execute(_HOLD + " AND id = ?", (*_columns(key), found[0])).fetchone())

    # -- inside -------------------------------------------------------------------------------------------------------

    def _begin(
        self,
        db: sqlite3.Connection,
        now: dt.datetime,
        run: str,
        key: Key,
        name: str,
        release: str | None,
        owner: Owner,
        expires_in: float,
    ) -> BegunPromotion:
        left = _unfinished(db, key)
        if left is not None and left.is_held(now, self._started):
            raise LockHeld(key, left)
        lock = (run, self._scrub(name), *self._owner_columns(owner), isoformat(now), _expiry(now, expires_in))
        if left is not None and left.release == (release or None):
            db.execute(
                "UPDATE promotions SET holder = ?, name = ?, owner_host = ?, owner_pid = ?, owner_started = ?, owner_label = ?,"
                " updated_at = ?, expires_at = ? WHERE id = ?",
                (*lock, left.id),
            )
            return BegunPromotion(t.cast(Promotion, _unfinished(db, key)), resumed=left.phase)
        if left is not None:
            _close(db, left, "abandoned", now)
        db.execute(
            "INSERT INTO promotions (holder, name, owner_host, owner_pid, owner_started, owner_label, updated_at, expires_at,"
            " provider, address, target, run, release, phase, data, begun_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '{}', ?)",
            (*lock, *_columns(key), run, release or "", LOCKED, isoformat(now)),
        )
        return BegunPromotion(t.cast(Promotion, _unfinished(db, key)), abandoned=left)

    def _own_lease(self, db: sqlite3.Connection, run: str, key: Key) -> Promotion:
        found = _unfinished(db, key)
        if found is not None and found.holder == run:
            return found
        if found is None or not found.holder:
            whose = "its promotion was ended or given up meanwhile"
        else:
            whose = f"run {found.holder} of {found.owner.label} (process {found.owner.pid} on {found.owner.host}) has taken over"
        raise SyncError(
            "busy",
            f"run {run} lost its lock on {found.name if found else key.target}: {whose}",
            "Nothing more is done for this target here. See what the other run reports before starting another one.",
        )

    @staticmethod
    def _prune(db: sqlite3.Connection, now: dt.datetime) -> None:
        before = isoformat(now - KEPT)
        for table, ended in (("promotions", "finished_at"), ("holds", "lifted_at")):
            # bounded, since others wait
            db.execute(
                f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE {ended} < ? ORDER BY {ended} LIMIT ?)",
                (before, PRUNED_AT_ONCE),
            )

    def _person(self, by: str | None) -> str:
        return str(self._scrub(this_user() if by is None else by))

    def _owner_columns(self, owner: Owner) -> tuple[str, int, str | None, str]:
        return owner.host, owner.pid, owner.started, self._person(owner.label)

    def _promotions(self, condition: str, key: Key, *values: t.Any) -> t.Iterator[Promotion]:
        return map(_promotion, self._rows(_PROMOTION + condition, (*_columns(key), *values)))

    def _holds(self, condition: str, key: Key, *values: t.Any) -> t.Iterator[ReleaseBlock]:
        return map(_hold, self._rows(_HOLD + condition, (*_columns(key), *values)))

    def _rows(self, query: str, values: t.Sequence[t.Any]) -> list[t.Sequence[t.Any]]:
        if not os.path.exists(self.path):
            return []
        with self._connect() as db:
            return db.execute(query, values).fetchall() if _has_tables(db) else []

    def _prepare(self) -> None:
        with usable(self.path, self._option):
            create(self.path)
            with self._connect() as db:
                if _has_tables(db):
                    return
                use_wal(db, BUSY_TIMEOUT)
                with transaction(db):
                    # executescript would commit first
                    for statement in _SCHEMA.split(";"):
                        db.execute(statement)

    @contextlib.contextmanager
    def _connect(self) -> t.Iterator[sqlite3.Connection]:
        with usable(self.path, self._option), connect(self.path, self._read_only, BUSY_TIMEOUT) as db:
            yield db

    @contextlib.contextmanager
    def _transaction(self) -> t.Iterator[sqlite3.Connection]:
        if self._read_only:
            raise ValueError("the journal was opened for reading only")
        with self._connect() as db, transaction(db):
            yield db


def _has_tables(db: sqlite3.Connection) -> bool:
    # refuses a file of a newer version; the ledger's version is none of ours otherwise
    _version(db)
    return db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'promotions'").fetchone() is not None


def _unfinished(db: sqlite3.Connection, key: Key) -> Promotion | None:
    row = db.execute(_PROMOTION + " AND verdict IS NULL", _columns(key)).fetchone()
    return _promotion(row) if row else None


def _close(db: sqlite3.Connection, promotion: Promotion, verdict: str, now: dt.datetime) -> None:
    db.execute(
        "UPDATE promotions SET verdict = ?, holder = '', updated_at = ?, finished_at = ? WHERE id = ?",
        (verdict, isoformat(now), isoformat(now), promotion.id),
    )


def _columns(key: Key) -> tuple[str, str, str]:
    return key.provider, key.address, key.target


def _expiry(now: dt.datetime, seconds: float) -> str | None:
    return isoformat(now + dt.timedelta(seconds=seconds))


def _promotion(row: t.Sequence[t.Any]) -> Promotion:
    return Promotion(
        id=row[0],
        run=row[1],
        holder=row[2],
        key=Key(*row[3:6]),
        name=row[6],
        release=row[7] or None,
        phase=row[8],
        data=json.loads(row[9]),
        owner=Owner(*row[10:14]),
        begun_at=t.cast(dt.datetime, parse_iso(row[14])),
        updated_at=t.cast(dt.datetime, parse_iso(row[15])),
        expires_at=t.cast(dt.datetime, parse_iso(row[16])),
        verdict=row[17],
        finished_at=parse_iso(row[18]),
    )


def _hold(row: t.Sequence[t.Any]) -> ReleaseBlock:
    return ReleaseBlock(
        id=row[0],
        key=Key(*row[1:4]),
        release=row[4] or None,
        run=row[5],
        reason=row[6],
        held_by=row[7],
        held_at=t.cast(dt.datetime, parse_iso(row[8])),
        lift_reason=row[9],
        lifted_by=row[10],
        lifted_at=parse_iso(row[11]),
    )
