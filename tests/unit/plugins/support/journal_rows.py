# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is in a promotion store, by itself."""

from __future__ import annotations

from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion import holds as hold_rows, journal as rows
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.holds import ReleaseBlock
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.journal import Promotion, PromotionStore
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.owner import Owner

_OF_TARGET = "provider = ? AND address = ? AND target = ? ORDER BY id DESC LIMIT ?"


def history(store: PromotionStore, key: Key, limit: int) -> list[Promotion]:
    """At most ``limit`` promotions of ``key``, an unfinished one included, newest first."""
    with store._store.reading() as db:
        return [rows._promotion(row) for row in db.query(f"{rows._PROMOTION} WHERE {_OF_TARGET}", *key.columns, limit)]


def last(store: PromotionStore, key: Key, verdict: str | None = None) -> Promotion | None:
    """The promotion of ``key`` that was begun last among the finished ones (with ``verdict``, if given)."""
    ended = [item for item in history(store, key, 1000) if item.verdict is not None]
    return next((item for item in ended if verdict in (None, item.verdict)), None)


def holds(store: PromotionStore, key: Key, limit: int) -> list[ReleaseBlock]:
    """At most ``limit`` holds on ``key``, lifted ones included, newest first."""
    with store._store.reading() as db:
        return [hold_rows._hold(row) for row in db.query(f"{hold_rows._HOLD} ORDER BY id DESC LIMIT ?", *key.columns, limit)]


def give_to(store: PromotionStore, key: Key, owner: Owner) -> None:
    """Have the unfinished promotion of ``key`` belong to another process, such as one that is gone."""
    statement = "UPDATE promotions SET owner = ? WHERE provider = ? AND address = ? AND target = ? AND verdict IS NULL"
    with store._store.transaction() as db:
        assert db.execute(statement, owner.process.to_json(), *key.columns) == 1
