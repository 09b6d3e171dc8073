# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Short forms of what the tests of the promotion store do most often, and what is in a store by itself."""

from __future__ import annotations

import dataclasses

from ansible_collections.lockstep.sync.plugins.module_utils._state.process import ProcessIdentity
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion import holds as hold_rows, journal as rows
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.holds import ReleaseBlock
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.journal import BegunPromotion, Promotion, PromotionStore
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.owner import Owner

from .promotion_users import KEY

_OF_TARGET = "provider = ? AND address = ? AND target = ? ORDER BY id DESC LIMIT ?"


def elsewhere(owner: Owner) -> Owner:
    """As if it were on another machine."""
    return dataclasses.replace(owner, process=dataclasses.replace(owner.process, boot="another kernel", host="pod-2"))


def look(store: PromotionStore, key: Key = KEY) -> Promotion:
    """The unfinished promotion of ``key``, which there has to be."""
    found = store.look(key)
    assert found is not None
    return found


def begin(store: PromotionStore, run: str, owner: Owner, release: str | None = "1", key: Key = KEY) -> BegunPromotion:
    """Begin a promotion of one target."""
    return store.begin(run, {key: "shop"}, release, owner)[key]


def history(store: PromotionStore, key: Key, limit: int) -> list[Promotion]:
    """At most ``limit`` promotions of ``key``, an unfinished one included, newest first."""
    statement = f"{rows._PROMOTION} WHERE {_OF_TARGET}"
    return store._store.read(lambda db: [rows._promotion(row) for row in db.query(statement, *key.columns, limit)])


def last(store: PromotionStore, key: Key, verdict: str | None = None) -> Promotion | None:
    """The promotion of ``key`` that was begun last among the finished ones (with ``verdict``, if given)."""
    ended = [item for item in history(store, key, 1000) if item.verdict is not None]
    return next((item for item in ended if verdict in (None, item.verdict)), None)


def holds(store: PromotionStore, key: Key, limit: int) -> list[ReleaseBlock]:
    """At most ``limit`` holds on ``key``, lifted ones included, newest first."""
    statement = f"{hold_rows._HOLD} ORDER BY id DESC LIMIT ?"
    return store._store.read(lambda db: [hold_rows._hold(row) for row in db.query(statement, *key.columns, limit)])


def give_to(store: PromotionStore, key: Key, owner: Owner) -> None:
    """Have the unfinished promotion of ``key`` belong to another process, such as one that is gone."""
    statement = "UPDATE promotions SET owner = ? WHERE provider = ? AND address = ? AND target = ? AND verdict IS NULL"
    assert store._store.write(lambda db: db.execute(statement, owner.process.to_json(), *key.columns)) == 1


def hand_over(store: PromotionStore, old: ProcessIdentity, new: ProcessIdentity) -> int:
    """Have the promotions of one process, finished ones included, belong to another one; their number."""
    statement = "UPDATE promotions SET owner = ? WHERE owner = ?"
    return store._store.write(lambda db: db.execute(statement, new.to_json(), old.to_json()))
