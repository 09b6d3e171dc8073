# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The promotion store: how far each promotion came, which run is at work on it, and which releases are not to be promoted.

A promotion is longer than a run of the ledger: it begins with the lock and ends after the verification or the rollback. What is
known of it is in the ledger's database, in tables of its own. It never contains a secret.

The lock of a promotion is a lease (see ``_state/lease.py``): its holder is the id of the run, and its owner the process of
``ansible-playbook``. What beats for it is in ``heartbeat.py``.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import typing as t

from ...module_utils._core.clock import Clock, isoformat
from ...module_utils._core.errors import SyncError
from ...module_utils._state.lease import HEARTBEAT_SECONDS, LEASE_SECONDS, Lease, expiry
from ...module_utils._state.location import OPTION, open_store
from ...module_utils._state.process import ProcessIdentity
from ...module_utils._state.run_ledger import Key
from ...module_utils._state.store import (
    Row,
    Store,
    Transaction,
    as_date,
    as_facts,
    as_number,
    as_optional_date,
    as_text,
    date,
    reading_row,
)
from .holds import ReleaseBlock, active_hold, add_hold, lift_hold
from .owner import Owner, this_user

#: how a promotion may end; ``abandoned``: one that was left behind, when another release took its place
VERDICTS = ("succeeded", "failed", "refused", "rolled_back", "rollback_failed", "unknown", "not_started", "abandoned")

#: the phase of a promotion that has only begun
LOCKED = "lock"

#: finished promotions and lifted holds are kept so long, and this many of each are removed at once
KEPT = dt.timedelta(days=90)
PRUNED_AT_ONCE = 100

#: seconds between two attempts to take a lock that is held
LOCK_INTERVAL = 1.0

Facts = t.Mapping[str, t.Any]
Scrub = t.Callable[[t.Any], t.Any]

_PROMOTION = (
    "SELECT id, run, provider, address, target, name, release, phase, data, begun_at, updated_at, verdict, finished_at, holder,"
    " owner, owner_label, expires_at FROM promotions"
)
#: why a run took over what another one had left
TakeOverReason = t.Literal["unlocked", "gone", "expired"]


@dataclasses.dataclass(frozen=True)
class Promotion:
    """One promotion of one target.

    :param run: id of the run that began it.
    :param name: what people call the target.
    :param phase: the newest phase that was begun.
    :param data: JSON facts known so far.
    :param verdict: ``None`` until it is finished, then one of :data:`VERDICTS`.
    :param lease: its holder is the id of the run that may go on with it.
    :param owner: the owner of the lease.
    """

    id: int
    run: str
    key: Key
    name: str
    release: str | None
    phase: str
    data: dict[str, t.Any]
    begun_at: dt.datetime
    updated_at: dt.datetime
    verdict: str | None
    finished_at: dt.datetime | None
    lease: Lease
    owner: Owner

    @property
    def holder(self) -> str:
        return self.lease.holder

    @property
    def expires_at(self) -> dt.datetime:
        return self.lease.expires_at

    def is_held(self, now: dt.datetime) -> bool:
        """Whether a run may still be at work on it."""
        return self.verdict is None and self.lease.is_held(now)


@dataclasses.dataclass(frozen=True)
class TakeOver:
    """A promotion that an earlier run left unfinished, and why another one may have it.

    :param left: as the earlier run left it.
    :param reason: ``unlocked``: that run gave it up. ``gone``: its process has provably ended. ``expired``: it was not heard of
        for longer than a lease lasts.
    """

    left: Promotion
    reason: TakeOverReason

    def __str__(self) -> str:
        last = self.left.expires_at - dt.timedelta(seconds=LEASE_SECONDS)
        why = {
            "unlocked": "which gave it up",
            "gone": "whose process has ended",
            "expired": f"which was last heard of at {isoformat(last)}",
        }[self.reason]
        return f"run {self.left.holder or self.left.run} of {self.left.owner}, {why}"


@dataclasses.dataclass(frozen=True)
class BegunPromotion:
    """What to go on with.

    :param resumed: the phase in which an earlier run left it, ``None`` for a new promotion.
    :param abandoned: the unfinished promotion of another release whose place it took.
    :param taken_over: from whom that was, and why.
    :param awaited: the promotion that was waited for, as it is now. A plan that was made before may be void: its release may be
        the one that was to be promoted.
    """

    promotion: Promotion
    resumed: str | None = None
    abandoned: Promotion | None = None
    taken_over: TakeOver | None = None
    awaited: Promotion | None = None


class LockHeld(Exception):
    """Another run is at work on the promotion of the target."""

    def __init__(self, key: Key, promotion: Promotion) -> None:
        super().__init__(
            f"{promotion.name}: run {promotion.holder} of {promotion.owner} is promoting it, phase {promotion.phase} since"
            f" {isoformat(promotion.updated_at)}; its lock is renewed every {HEARTBEAT_SECONDS:g} s, and expires"
            f" {LEASE_SECONDS:g} s after its process has ended at the latest (now at {isoformat(promotion.expires_at)})"
        )
        self.key = key
        self.promotion = promotion


class PromotionStore:
    """The promotions in the ledger's database; every operation is one transaction.

    :param location: as the option ``ledger`` has it; a file is created on demand (mode 0600).
    :param read_only: never create nor change it (check mode); writing then is a programming error.
    :param scrub: hides secrets in what is written.
    :param option: name of the option that ``location`` comes from.
    :raises SyncError: ``invalid_option`` naming ``option`` if the database cannot be used.
    """

    def __init__(
        self, location: str, clock: Clock, read_only: bool = False, scrub: Scrub = lambda value: value, option: str = OPTION
    ) -> None:
        self._clock = clock
        self._store: Store = open_store(location, clock, read_only, option)
        self._scrub = scrub

    @property
    def location(self) -> str:
        """By which another process finds the same database."""
        return self._store.location

    # -- looking ------------------------------------------------------------------------------------------------------

    def look(self, key: Key) -> Promotion | None:
        """The unfinished promotion of ``key``."""
        return self._store.read(lambda db: _unfinished(db, key))

    def is_held(self, promotion: Promotion) -> bool:
        """Whether :meth:`begin` would find now that another run is at work on it."""
        return self._store.read(lambda db: promotion.is_held(db.now()))

    def held(self, key: Key, release: str | None) -> ReleaseBlock | None:
        """The hold on promoting ``release`` to ``key``; promotions without a release are one release of their own."""
        return self._store.read(lambda db: active_hold(db, key, release))

    def has_ended_within(self, key: Key, seconds: float) -> bool:
        """Whether a promotion of ``key`` has ended in the last so many seconds, by the clock of the store and in whole seconds.

        One that was abandoned does not count, since nothing was found out by it.
        """
        statement = (
            f"{_PROMOTION} WHERE provider = ? AND address = ? AND target = ? AND verdict <> 'abandoned' AND finished_at >= ?"
        )

        def work(db: Transaction) -> bool:
            return bool(db.query(statement, *key.columns, date(db.now() - dt.timedelta(seconds=seconds))))

        return self._store.read(work)

    # -- a promotion --------------------------------------------------------------------------------------------------

    def begin(
        self, run: str, targets: t.Mapping[Key, str], release: str | None, owner: Owner, *, wait: float = 0.0
    ) -> dict[Key, BegunPromotion]:
        """Lock all targets, or none, and take up what earlier runs left unfinished.

        What a run left that is gone is resumed by the same release, with its id and data, and abandoned by another one.

        :param run: id of this run, never used before.
        :param targets: what people call each.
        :param wait: seconds to wait while another live run is at work on one of them.
        :raises LockHeld: one still is after that.
        """
        until = self._clock.monotonic() + wait
        awaited: dict[Key, int] = {}

        def work(db: Transaction) -> dict[Key, BegunPromotion]:
            self._prune(db)
            begun = {key: self._begin(db, run, key, name, release, owner) for key, name in targets.items()}
            return {key: _with_awaited(db, item, awaited.get(key)) for key, item in begun.items()}

        while True:
            try:
                return self._store.write(work)
            except LockHeld as held:
                left = until - self._clock.monotonic()
                if left <= 0:
                    raise
                awaited[held.key] = held.promotion.id
                self._clock.sleep(min(LOCK_INTERVAL, left))

    def advance(self, run: str, key: Key, phase: str, data: Facts | None = None) -> Promotion:
        """Record that a phase begins, or what is known by now, and renew the lock.

        :param data: JSON facts; they replace those of the same names and leave the others.
        :raises SyncError: ``busy``: another run has taken over, or the process of this one has ended: this one must stop.
        """

        def work(db: Transaction) -> Promotion:
            mine = self._own_lease(db, run, key)
            if mine.owner.process.is_gone():
                raise _lost(run, mine.name, f"{mine.owner.process}, which it belongs to, has ended")
            known = {**mine.data, **self._scrub(dict(data or {}))}
            db.execute(
                "UPDATE promotions SET phase = ?, data = ?, updated_at = ?, expires_at = ? WHERE id = ?",
                phase,
                json.dumps(known),
                date(db.now()),
                date(expiry(db.now())),
                mine.id,
            )
            return self._own_lease(db, run, key)

        return self._store.write(work)

    def renew(self, run: str) -> int:
        """Renew all locks of a run, and return how many it has; a beat, see ``heartbeat.py``."""
        # the second condition is that of the index
        statement = "UPDATE promotions SET expires_at = ? WHERE holder = ? AND holder <> ''"
        return self._store.write(lambda db: db.execute(statement, date(expiry(db.now())), run), HEARTBEAT_SECONDS)

    def finish(self, run: str, key: Key, verdict: str) -> None:
        """Record how it ended, and unlock the target.

        :raises SyncError: ``busy``: another run has taken over.
        """
        if verdict not in VERDICTS:
            raise ValueError(f"unknown verdict {verdict!r}")
        self._store.write(lambda db: _close(db, self._own_lease(db, run, key), verdict))

    def unlock(self, run: str, key: Key) -> None:
        """Unlock the target while the promotion stays unfinished: the next run resumes it at once.

        :raises SyncError: ``busy``: another run has taken over.
        """
        statement = "UPDATE promotions SET holder = '', updated_at = ? WHERE id = ?"
        self._store.write(lambda db: db.execute(statement, date(db.now()), self._own_lease(db, run, key).id))

    # -- holds --------------------------------------------------------------------------------------------------------

    def hold(self, key: Key, release: str | None, reason: str, run: str, by: str | None = None) -> ReleaseBlock:
        """Keep ``release`` from being promoted to ``key``; a hold that is there already stays as it is.

        :param run: id of the run that found it bad.
        :param by: who that was (this user).
        """
        why, person = as_text(self._scrub(reason)), self._person(by)
        return self._store.write(lambda db: add_hold(db, key, release, why, run, person))

    def lift(self, key: Key, release: str | None, reason: str, by: str | None = None) -> ReleaseBlock | None:
        """End a hold, which stays as history.

        :param by: who did it (this user).
        :return: what was lifted, ``None`` if there was no hold.
        """
        why, person = as_text(self._scrub(reason)), self._person(by)
        return self._store.write(lambda db: lift_hold(db, key, release, why, person))

    # -- inside -------------------------------------------------------------------------------------------------------

    def _begin(self, db: Transaction, run: str, key: Key, name: str, release: str | None, owner: Owner) -> BegunPromotion:
        left, now = _unfinished(db, key), db.now()
        taken_over = _take_over(left, now) if left is not None else None
        if left is not None and taken_over is None:
            raise LockHeld(key, left)
        lock = {
            "holder": run,
            "name": as_text(self._scrub(name)),
            "owner": owner.process.to_json(),
            "owner_label": self._person(owner.label),
            "updated_at": date(now),
            "expires_at": date(expiry(now)),
        }
        if left is not None and left.release == (release or None):
            changes = ", ".join(f"{column} = ?" for column in lock)
            db.execute(f"UPDATE promotions SET {changes} WHERE id = ?", *lock.values(), left.id)  # nosec B608
            return BegunPromotion(_needed(_unfinished(db, key)), resumed=left.phase, taken_over=taken_over)
        if left is not None:
            _close(db, left, "abandoned")
        rest = {"run": run, "release": release or "", "phase": LOCKED, "data": "{}", "begun_at": date(now)}
        row = {**lock, **rest, **dict(zip(("provider", "address", "target"), key.columns))}
        marks = ", ".join("?" for dummy in row)
        db.insert(f"INSERT INTO promotions ({', '.join(row)}) VALUES ({marks})", *row.values())  # nosec B608
        return BegunPromotion(_needed(_unfinished(db, key)), abandoned=left, taken_over=taken_over)

    @staticmethod
    def _own_lease(db: Transaction, run: str, key: Key) -> Promotion:
        found = _unfinished(db, key)
        if found is not None and found.holder == run:
            return found
        if found is None or not found.holder:
            raise _lost(run, found.name if found else key.target, "its promotion was ended or given up meanwhile")
        raise _lost(run, found.name, f"run {found.holder} of {found.owner} has taken over")

    @staticmethod
    def _prune(db: Transaction) -> None:
        for table, ended in (("promotions", "finished_at"), ("holds", "lifted_at")):
            # bounded, since others wait
            db.execute(
                f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE {ended} < ? ORDER BY {ended} LIMIT ?)",  # nosec B608
                date(db.now() - KEPT),
                PRUNED_AT_ONCE,
            )

    def _person(self, by: str | None) -> str:
        return str(self._scrub(this_user() if by is None else by))


def _lost(run: str, name: str, whose: str) -> SyncError:
    return SyncError(
        "busy",
        f"run {run} lost its lock on {name}: {whose}",
        "Nothing more is done for this target here. See what the other run reports before starting another one.",
    )


def _take_over(promotion: Promotion, now: dt.datetime) -> TakeOver | None:
    """What another run may have, ``None`` where this one is at work on it, or it is finished."""
    state = promotion.lease.state(now)
    if promotion.verdict is not None or state == "held":
        return None
    return TakeOver(promotion, "unlocked" if state == "free" else state)


def _with_awaited(db: Transaction, begun: BegunPromotion, awaited: int | None) -> BegunPromotion:
    if awaited is None:
        return begun
    return dataclasses.replace(begun, awaited=_promotion(db.query(f"{_PROMOTION} WHERE id = ?", awaited)[0]))


def _unfinished(db: Transaction, key: Key) -> Promotion | None:
    rows = db.query(f"{_PROMOTION} WHERE provider = ? AND address = ? AND target = ? AND verdict IS NULL", *key.columns)
    return _promotion(rows[0]) if rows else None


def _needed(promotion: Promotion | None) -> Promotion:
    if promotion is None:
        raise ValueError("the promotion that was just written is not there")
    return promotion


def _close(db: Transaction, promotion: Promotion, verdict: str) -> None:
    now = date(db.now())
    statement = "UPDATE promotions SET verdict = ?, holder = '', updated_at = ?, finished_at = ? WHERE id = ?"
    db.execute(statement, verdict, now, now, promotion.id)


def _promotion(row: Row) -> Promotion:
    texts = [as_text(value) for value in row]
    with reading_row("promotions", row):
        process = ProcessIdentity.from_json(texts[14])
        return Promotion(
            id=as_number(row[0]),
            run=texts[1],
            key=Key(*texts[2:5]),
            name=texts[5],
            release=texts[6] or None,
            phase=texts[7],
            data=as_facts(row[8]),
            begun_at=as_date(row[9]),
            updated_at=as_date(row[10]),
            verdict=texts[11] or None,
            finished_at=as_optional_date(row[12]),
            lease=Lease(texts[13], process, as_date(row[16])),
            owner=Owner(process, texts[15]),
        )
