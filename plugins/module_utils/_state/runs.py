# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Runs in the ledger, and the queries that find them. What is recorded, and when, is in ``run_ledger.py``."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from .._core.vocabulary import LedgerState
from .lease import Lease
from .process import ProcessIdentity
from .store import Row, Transaction, as_date, as_facts, as_number, as_optional_date, as_text, reading_row


class Revision(t.NamedTuple):
    """Differs once a further run of a target was recorded, or one of them has ended.

    :param newest: id of the newest run, 0 if there is none.
    :param state: of that run.
    :param still_open: how many runs are open; one may end before a newer one, which somebody else has triggered.
    """

    newest: int
    state: str
    still_open: int


NO_REVISION = Revision(0, "", 0)

#: ``intended``: about to be triggered. ``sending``: the trigger may have been sent. ``started``: accepted by the server
OPEN = "state IN ('intended', 'sending', 'started')"
OPEN_STATES = ("intended", "sending", "started")
#: all that a row may have; ``invalidated`` is that of marks, which are no runs
_STATES = frozenset((*t.get_args(LedgerState), "invalidated"))
OF_TARGET = "provider = ? AND address = ? AND target = ?"
_ENTRY = (
    "SELECT id, state, release, handle, snapshot, intended_at, finished_at, holder, owner, expires_at FROM runs"  # nosec B608
    f" WHERE {OF_TARGET}"
)
_NEWEST = f"SELECT id, state FROM runs WHERE {OF_TARGET} ORDER BY id DESC LIMIT 1"  # nosec B608
_STILL_OPEN = f"SELECT id FROM runs WHERE {OF_TARGET} AND {OPEN} ORDER BY id DESC"  # nosec B608


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

    @property
    def columns(self) -> tuple[str, str, str]:
        """Its values in the columns of the tables."""
        return self.provider, self.address, self.target


@dataclasses.dataclass(frozen=True)
class Entry:
    """One run in the ledger."""

    id: int
    state: LedgerState
    release: str | None
    handle: dict[str, t.Any] | None
    snapshot: dict[str, t.Any]
    intended_at: dt.datetime
    finished_at: dt.datetime | None
    lease: Lease

    def is_held(self, now: dt.datetime) -> bool:
        """Whether a process may still be at work on it."""
        return self.state in OPEN_STATES and self.lease.is_held(now)


@dataclasses.dataclass(frozen=True)
class Knowledge:
    """What is known of a target, at one moment.

    :param now: that moment, in the time of the ledger.
    :param revision: see :class:`Revision`.
    :param entry: the newest run whose outcome is not known yet.
    :param unresolved: the newest run, if its task gave it up without having seen its end; one without a handle may not have been
        started at all.
    :param last_success: the newest succeeded run that nothing has invalidated.
    :param release_done: the newest of those that brought the release in question.
    """

    now: dt.datetime
    revision: Revision = NO_REVISION
    entry: Entry | None = None
    unresolved: Entry | None = None
    last_success: Entry | None = None
    release_done: Entry | None = None

    @property
    def is_held(self) -> bool:
        """Whether a process may still be at work on :attr:`entry`."""
        return self.entry is not None and self.entry.is_held(self.now)


def knowledge(db: Transaction, key: Key, release: str | None) -> Knowledge:
    """
    :param release: that is in question. An empty one is none.
    """
    latest = revision(db, key)
    if latest == NO_REVISION:
        return Knowledge(db.now())
    success = last_success(db, key)
    done = release_done(db, key, release) if release and success is not None else None
    return Knowledge(db.now(), latest, open_entry(db, key), _unresolved(db, key, latest), success, done)


def _unresolved(db: Transaction, key: Key, latest: Revision) -> Entry | None:
    return newest(db, key) if latest.state == "unknown" else None


def revision(db: Transaction, key: Key) -> Revision:
    rows = db.query(_NEWEST, *key.columns)
    if not rows:
        return NO_REVISION
    return Revision(as_number(rows[0][0]), as_text(rows[0][1]), len(db.query(_STILL_OPEN, *key.columns)))


def newest(db: Transaction, key: Key) -> Entry | None:
    """The newest run, or mark, of a target."""
    return _first(db.query(f"{_ENTRY} ORDER BY id DESC LIMIT 1", *key.columns))


def open_entry(db: Transaction, key: Key) -> Entry | None:
    return _first(db.query(f"{_ENTRY} AND {OPEN} ORDER BY id DESC LIMIT 1", *key.columns))


def open_entries(db: Transaction, key: Key) -> list[Entry]:
    """The newest first."""
    return [_entry(row) for row in db.query(f"{_ENTRY} AND {OPEN} ORDER BY id DESC", *key.columns)]


def entry_of(db: Transaction, key: Key, handle: str) -> Entry | None:
    """The newest run that has a handle, given as its text."""
    return _first(db.query(f"{_ENTRY} AND handle = ? ORDER BY id DESC LIMIT 1", *key.columns, handle))


def last_success(db: Transaction, key: Key) -> Entry | None:
    statement = f"{_ENTRY} AND state = 'succeeded' AND id > ? ORDER BY id DESC LIMIT 1"
    return _first(db.query(statement, *key.columns, invalidated_until(db, key)))


def release_done(db: Transaction, key: Key, release: str) -> Entry | None:
    statement = f"{_ENTRY} AND state = 'succeeded' AND release = ? AND id > ? ORDER BY id DESC LIMIT 1"
    return _first(db.query(statement, *key.columns, release, invalidated_until(db, key)))


def invalidated_until(db: Transaction, key: Key) -> int:
    """Id of the newest mark on a target, or on one above it (``7`` is above ``7/301``); runs with a lower one do not count."""
    parts = key.target.split("/")
    newest_mark = 0
    for length in range(1, len(parts) + 1):
        rows = db.query(
            f"SELECT id FROM runs WHERE {OF_TARGET} AND state = 'invalidated' ORDER BY id DESC LIMIT 1",  # nosec B608
            key.provider,
            key.address,
            "/".join(parts[:length]),
        )
        newest_mark = max(newest_mark, as_number(rows[0][0]) if rows else 0)
    return newest_mark


def lease_of(db: Transaction, entry_id: int) -> Lease | None:
    """The lease on an open run; ``None`` if it has ended."""
    rows = db.query(f"SELECT id, holder, owner, expires_at FROM runs WHERE id = ? AND {OPEN}", entry_id)  # nosec B608
    if not rows:
        return None
    with reading_row("runs", rows[0]):
        return _lease(rows[0][1:])


def _first(rows: t.Sequence[Row]) -> Entry | None:
    return _entry(rows[0]) if rows else None


def _entry(row: Row) -> Entry:
    with reading_row("runs", row):
        if row[1] not in _STATES:
            raise ValueError(f"state {row[1]!r} is not one of this collection")
        return Entry(
            id=as_number(row[0]),
            state=t.cast(LedgerState, row[1]),
            release=as_text(row[2]) or None,
            handle=as_facts(row[3]) if row[3] else None,
            snapshot=as_facts(row[4]),
            intended_at=as_date(row[5]),
            finished_at=as_optional_date(row[6]),
            lease=_lease(row[7:10]),
        )


def _lease(row: Row) -> Lease:
    return Lease(as_text(row[0]), ProcessIdentity.from_json(as_text(row[1])), as_date(row[2]))
