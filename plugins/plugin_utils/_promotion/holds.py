# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Holds: releases that are not to be promoted to a target until somebody lifts that, in the promotion store's database."""

from __future__ import annotations

import dataclasses
import datetime as dt

from ...module_utils._state.run_ledger import Key
from ...module_utils._state.store import Row, Transaction, as_date, as_number, as_optional_date, as_text, date, reading_row

_HOLD = (
    "SELECT id, provider, address, target, release, run, reason, held_by, held_at, lift_reason, lifted_by, lifted_at"
    " FROM holds WHERE provider = ? AND address = ? AND target = ?"
)


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


def active_hold(db: Transaction, key: Key, release: str | None) -> ReleaseBlock | None:
    """The hold on promoting ``release`` to ``key``; promotions without a release are one release of their own."""
    rows = db.query(f"{_HOLD} AND release = ? AND lifted_at IS NULL", *key.columns, release or "")
    return _hold(rows[0]) if rows else None


def add_hold(db: Transaction, key: Key, release: str | None, reason: str, run: str, by: str) -> ReleaseBlock:
    """A new hold, or the one that is there already."""
    found = active_hold(db, key, release)
    if found is not None:
        return found
    statement = (
        "INSERT INTO holds (provider, address, target, release, run, reason, held_by, held_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    )
    return _by_id(db, key, db.insert(statement, *key.columns, release or "", run, reason, by, date(db.now())))


def lift_hold(db: Transaction, key: Key, release: str | None, reason: str, by: str) -> ReleaseBlock | None:
    """End a hold, which stays as history; ``None`` if there is none."""
    found = active_hold(db, key, release)
    if found is None:
        return None
    statement = "UPDATE holds SET lift_reason = ?, lifted_by = ?, lifted_at = ? WHERE id = ?"
    db.execute(statement, reason, by, date(db.now()), found.id)
    return _by_id(db, key, found.id)


def _by_id(db: Transaction, key: Key, hold_id: int) -> ReleaseBlock:
    return _hold(db.query(f"{_HOLD} AND id = ?", *key.columns, hold_id)[0])


def _hold(row: Row) -> ReleaseBlock:
    texts = [as_text(value) for value in row]
    with reading_row("holds", row):
        return ReleaseBlock(
            id=as_number(row[0]),
            key=Key(*texts[1:4]),
            release=texts[4] or None,
            run=texts[5],
            reason=texts[6],
            held_by=texts[7],
            held_at=as_date(row[8]),
            lift_reason=texts[9] or None,
            lifted_by=texts[10] or None,
            lifted_at=as_optional_date(row[11]),
        )
