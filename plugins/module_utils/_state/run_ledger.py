# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The run ledger: what this controller intended, started and saw end, so that a killed run is found again.

An intent is committed before the trigger is sent and the outcome after it, so whatever happens in between leaves a trace. While a
controller is at work on a run, it holds a lease on it, see ``lease.py``. The ledger never contains a secret.

A run that has ended is removed after :data:`KEPT`, once there is a newer one of the same target, release and outcome: what says
that a release was brought to a target, or that it was undone, stays.
"""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import json
import typing as t

from .._core.clock import Clock
from .._core.deadline import Deadline
from .._core.vocabulary import LedgerState
from . import runs
from .lease import HEARTBEAT_SECONDS, Heartbeat, expiry, new_holder
from .location import OPTION, open_store
from .process import own_identity
from .runs import NO_REVISION, OF_TARGET, Entry, Key, Knowledge, Revision
from .store import LAST_MOMENT, PATIENCE, Result, Store, Transaction, Work, damaged, date

__all__ = ["KEPT", "NO_REVISION", "PRUNED_AT_ONCE", "Entry", "Key", "Knowledge", "LeaseConflict", "Revision", "RunLedger"]

#: how long runs are kept that later ones have replaced, and how many are removed at once
KEPT = dt.timedelta(days=90)
PRUNED_AT_ONCE = 100

Facts = t.Mapping[str, t.Any]
Scrub = t.Callable[[t.Any], t.Any]

#: how a run ends; ``void`` means that it never started
OUTCOMES: tuple[LedgerState, ...] = ("succeeded", "failed", "unknown", "void")
_INSERT = (
    "INSERT INTO runs (provider, address, target, release, state, handle, snapshot, intended_at, finished_at, holder, owner,"
    " expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_PRUNE = (
    f"DELETE FROM runs WHERE id IN (SELECT id FROM runs AS old WHERE {OF_TARGET} AND finished_at < ? AND EXISTS (SELECT 1"  # nosec B608
    " FROM runs AS newer WHERE newer.provider = old.provider AND newer.address = old.address AND newer.target = old.target"
    " AND newer.state = old.state AND newer.release = old.release AND newer.id > old.id) ORDER BY id LIMIT ?)"
)


class LeaseConflict(Exception):
    """Another process is about to trigger the same target, or has just done so.

    :param entry: its run.
    """

    def __init__(self, entry: Entry | None) -> None:
        super().__init__(f"held by {entry.lease.owner}" if entry else "changed meanwhile")
        self.entry = entry


class RunLedger:
    """The ledger; every operation is one transaction.

    :param location: the path of an SQLite file, created at once (mode 0600).
    :param read_only: never create nor change the file (check mode); writing then is a programming error.
    :param scrub: hides secrets in what is written.
    :raises SyncError: ``invalid_option`` naming ``ledger`` if the file cannot be used.
    """

    def __init__(
        self, location: str, clock: Clock, read_only: bool = False, scrub: Scrub = lambda value: value, option: str = OPTION
    ) -> None:
        self._store: Store = open_store(location, clock, read_only, option)
        self._read_only = read_only
        self._scrub = scrub
        self._holder = new_holder()
        self._deadline: Deadline | None = None

    def within(self, deadline: Deadline) -> RunLedger:
        """The same ledger, whose operations take no longer than until a deadline."""
        bounded = copy.copy(self)
        bounded._deadline = deadline
        return bounded

    def close(self) -> None:
        """End its connections. It can still be used, and connects again."""
        self._store.close()

    # -- what is known ------------------------------------------------------------------------------------------------

    def knowledge(self, key: Key, release: str | None = None) -> Knowledge:
        """All that a decision about ``key`` is made by, in one read.

        :param release: that it is to get. An empty one is none.
        """
        return self._read(lambda db: runs.knowledge(db, key, release))

    def now(self) -> dt.datetime:
        """The time that the dates of the ledger are in."""
        return self._read(lambda db: db.now())

    def revision(self, key: Key) -> Revision:
        """Something that differs once a further run of ``key`` was recorded, or one of them has ended."""
        return self._read(lambda db: runs.revision(db, key))

    def open_entry(self, key: Key) -> Entry | None:
        """The newest run of ``key`` whose outcome is not known yet."""
        return self._read(lambda db: runs.open_entry(db, key))

    def is_held(self, entry: Entry) -> bool:
        """Whether a process may still be at work on a run."""
        return self._read(lambda db: entry.is_held(db.now()))

    def last_success(self, key: Key) -> Entry | None:
        """The newest succeeded run of ``key`` that nothing has invalidated."""
        return self._read(lambda db: runs.last_success(db, key))

    def release_done(self, key: Key, release: str) -> Entry | None:
        """The newest run that brought ``release`` to ``key``, and that nothing has invalidated. An empty release is none."""
        return self._read(lambda db: runs.release_done(db, key, release)) if release else None

    def is_invalidated(self, key: Key, entry_id: int) -> bool:
        """Whether something has undone, or may have, what this run of ``key`` brought."""
        return self._read(lambda db: entry_id < runs.invalidated_until(db, key))

    # -- a run --------------------------------------------------------------------------------------------------------

    def intend(
        self,
        key: Key,
        release: str | None,
        snapshot: Facts,
        since: Revision | None = None,
        invalidates: t.Sequence[Key] = (),
    ) -> int:
        """Record that ``key`` is about to be triggered, and lease it.

        :param snapshot: JSON facts by which a newer run is distinguished from older ones.
        :param since: the revision of ``key`` when the decision to trigger was made.
        :param invalidates: what earlier runs brought to these does not count from now on, whatever the outcome of this run,
            unless it is retracted: should this process die, it could not be known whether the run was accepted.
        :raises LeaseConflict: another live process has an open entry for ``key``, or had one after ``since``.
        """

        def work(db: Transaction) -> int:
            newest = runs.revision(db, key)
            for entry in runs.open_entries(db, key) if newest != NO_REVISION else ():
                if entry.is_held(db.now()):
                    raise LeaseConflict(entry)
            if since is not None and newest != since:
                # none if what was newest then was retracted
                raise LeaseConflict(runs.newest(db, key))
            # before the entry itself, which it may be about as well
            marks = self._mark_invalidated(db, invalidates)
            entry_id = self._insert(db, key, "intended", release=release, snapshot=snapshot, holder=self._holder)
            for mark in marks:
                db.execute("UPDATE runs SET snapshot = ? WHERE id = ?", _caused_by(entry_id), mark)
            return entry_id

        return self._write(work)

    def retract(self, entry_id: int) -> None:
        """Record that an intended run certainly never started, so that it has invalidated nothing either.

        One that another process has taken over is for that process to close.
        """

        def work(db: Transaction) -> None:
            if db.query("SELECT id FROM runs WHERE id = ? AND holder = ?", entry_id, self._holder):
                _close(db, entry_id, "void", db.now())
                db.execute("DELETE FROM runs WHERE state = 'invalidated' AND snapshot = ?", _caused_by(entry_id))

        self._write(work)

    def sending(self, entry_id: int) -> bool:
        """Record that an intended run is about to be sent: from now on, only the server knows whether it started.

        :returns: whether it is still ours; if not, it must not be sent.
        """
        return self._keep(entry_id, "sending")

    def started(self, entry_id: int, handle: Facts) -> None:
        """Record that the server accepted the trigger.

        :raises SyncError: ``ledger_damaged`` if the entry is not there any more.
        """
        statement = "UPDATE runs SET state = 'started', handle = ? WHERE id = ?"
        self._write(lambda db: _expect(db.execute(statement, self._json(handle), entry_id)))

    def finish(self, entry_id: int, outcome: str, finished_at: dt.datetime | None = None) -> None:
        """Record how a run ended: one of :data:`OUTCOMES`.

        :raises SyncError: ``ledger_damaged`` if the entry is not there any more.
        """
        _check_outcome(outcome)
        self._write(lambda db: _close(db, entry_id, outcome, finished_at or db.now()))

    def reopen(self, entry_id: int, handle: Facts) -> None:
        """Record that a run whose outcome was not known when its task gave it up has been found.

        One that has been found before stays as it is.
        """
        statement = "UPDATE runs SET state = 'started', handle = ?, finished_at = NULL WHERE id = ? AND state = 'unknown'"
        self._write(lambda db: db.execute(statement, self._json(handle), entry_id))

    def seen(self, key: Key, handle: Facts, outcome: str, finished_at: dt.datetime | None, was_over: bool = False) -> None:
        """Record the outcome of a run that was triggered elsewhere, or that an entry here knows, once.

        :param finished_at: when it ended, if that is shown.
        :param was_over: whether it had ended before it was looked at, so that it may be of any age.
        """
        _check_outcome(outcome)

        def work(db: Transaction) -> None:
            known = runs.entry_of(db, key, self._json(handle))
            if known is None:
                self._insert(db, key, outcome, handle=handle, finished_at=finished_at or db.now())
            elif known.state in runs.OPEN_STATES or known.state == "unknown":
                _close(db, known.id, outcome, finished_at or (known.intended_at if was_over else db.now()))
            elif known.state != outcome:
                self._insert(db, key, outcome, handle=handle, finished_at=finished_at or db.now())

        self._write(work)

    def invalidate(self, key: Key, handle: Facts, invalidates: t.Sequence[Key]) -> None:
        """Record what a run of ``key`` invalidates that was not triggered from here; one that was has done so already."""

        def work(db: Transaction) -> None:
            if runs.entry_of(db, key, self._json(handle)) is None:
                self._mark_invalidated(db, invalidates)

        self._write(work)

    # -- leases -------------------------------------------------------------------------------------------------------

    def adopt(self, entry_id: int) -> bool:
        """Take over an open entry of a process that is gone; ``False`` if another one is at work on it, or it has ended."""

        def work(db: Transaction) -> bool:
            lease = runs.lease_of(db, entry_id)
            if lease is None or (lease.holder != self._holder and lease.is_held(db.now())):
                return False
            db.execute("UPDATE runs SET holder = ?, owner = ?, expires_at = ? WHERE id = ?", *self._own_lease(db.now()), entry_id)
            return True

        return self._write(work)

    @contextlib.contextmanager
    def heartbeat(self) -> t.Iterator[None]:
        """Be used a lot, and keep the leases that are held here, for as long as the ``with`` statement lasts."""
        with self._store.keeping_connections(), contextlib.nullcontext() if self._read_only else Heartbeat(self.renew):
            yield

    def renew(self) -> int:
        """Renew all leases that are held here, and return how many."""
        # the second condition is that of the index
        statement = "UPDATE runs SET expires_at = ? WHERE holder = ? AND holder <> ''"
        return self._write(lambda db: db.execute(statement, date(expiry(db.now())), self._holder), HEARTBEAT_SECONDS)

    def still_holds(self, entry_id: int) -> bool:
        """Whether a run that was not sent is still ours, renewed and intended again; perhaps not after this process was stopped
        for longer than a lease lasts.
        """
        return self._keep(entry_id, "intended")

    def _keep(self, entry_id: int, state: LedgerState) -> bool:
        statement = "UPDATE runs SET state = ?, expires_at = ? WHERE id = ? AND holder = ? AND state IN ('intended', 'sending')"
        return self._write(lambda db: db.execute(statement, state, date(expiry(db.now())), entry_id, self._holder)) == 1

    def drop_lease(self, entry_id: int) -> None:
        """Stop keeping others away while the run goes on without us (no wait, or timed out)."""
        statement = "UPDATE runs SET holder = '' WHERE id = ? AND holder = ?"
        self._write(lambda db: db.execute(statement, entry_id, self._holder))

    # -- inside -------------------------------------------------------------------------------------------------------

    def _read(self, work: Work[Result]) -> Result:
        return self._store.read(work, self._patience())

    def _write(self, work: Work[Result], seconds: float = PATIENCE) -> Result:
        return self._store.write(work, min(seconds, self._patience()))

    def _patience(self) -> float:
        """Seconds that an operation may take: until the deadline, and a moment at it, since what is known has to be written."""
        return PATIENCE if self._deadline is None else max(LAST_MOMENT, min(PATIENCE, self._deadline.remaining()))

    def _own_lease(self, now: dt.datetime) -> tuple[str, str, str]:
        return self._holder, own_identity(), date(expiry(now))

    def _json(self, facts: Facts) -> str:
        # equal facts are equal texts
        return json.dumps(self._scrub(dict(facts)), sort_keys=True)

    def _insert(
        self,
        db: Transaction,
        key: Key,
        state: str,
        release: str | None = None,
        handle: Facts | None = None,
        snapshot: Facts | None = None,
        finished_at: dt.datetime | None = None,
        holder: str = "",
    ) -> int:
        now = db.now()
        if runs.revision(db, key) != NO_REVISION:
            db.execute(_PRUNE, *key.columns, date(now - KEPT), PRUNED_AT_ONCE)
        dates = date(now), None if finished_at is None else date(finished_at)
        facts = None if handle is None else self._json(handle), self._json(snapshot or {})
        return db.insert(_INSERT, *key.columns, release or "", state, *facts, *dates, holder, *self._own_lease(now)[1:])

    def _mark_invalidated(self, db: Transaction, keys: t.Sequence[Key]) -> list[int]:
        """Mark targets; returns the ids of the marks. A mark is no run: it says that those before it do not count any more."""
        return [self._insert(db, key, "invalidated", finished_at=db.now()) for key in keys]


def _check_outcome(outcome: str) -> None:
    if outcome not in OUTCOMES:
        raise ValueError(f"unknown outcome {outcome!r}")


def _close(db: Transaction, entry_id: int, outcome: str, finished_at: dt.datetime) -> None:
    statement = "UPDATE runs SET state = ?, finished_at = ?, holder = '' WHERE id = ?"
    _expect(db.execute(statement, outcome, date(finished_at), entry_id))


def _expect(changed: int) -> None:
    """
    :param changed: how many rows were, when an entry of ours was to be.
    :raises SyncError: none.
    """
    if not changed:
        raise damaged("the entry of this run is not there any more, so the ledger was replaced or changed by hand")


def _caused_by(entry_id: int) -> str:
    """What a mark says about the run that it was made for."""
    return json.dumps({"by": entry_id})
