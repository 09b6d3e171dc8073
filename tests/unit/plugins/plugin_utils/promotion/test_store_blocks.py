# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases that are blocked on a target until somebody lifts the block."""

from __future__ import annotations

import dataclasses

from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.holds import ReleaseBlock
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.journal import PromotionStore
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.owner import Owner, this_user
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.promotion_users import KEY
from tests.unit.plugins.support.promotions import begin, holds


def test_a_hold_from_begin_to_end(store: PromotionStore, clock: FakeClock) -> None:
    held_at = clock.now()
    hold = store.hold(KEY, "1.2", "the shop was slow", "r1", "alice")
    assert hold == ReleaseBlock(hold.id, KEY, "1.2", "r1", "the shop was slow", "alice", held_at, None, None, None)
    assert store.held(KEY, "1.2") == hold
    assert store.held(KEY, "1.20") is None
    clock.sleep(60)
    lifted = store.lift(KEY, "1.2", "cache warmed", "bob")
    assert lifted == dataclasses.replace(hold, lift_reason="cache warmed", lifted_by="bob", lifted_at=clock.now())
    assert store.held(KEY, "1.2") is None
    assert store.lift(KEY, "1.2", "again") is None
    again = store.hold(KEY, "1.2", "still slow", "r2")
    assert again.held_by == this_user()
    assert holds(store, KEY, 9) == [again, lifted]
    assert holds(store, KEY, 1) == [again]


def test_promotions_without_a_release_are_one_release_of_their_own(store: PromotionStore) -> None:
    hold = store.hold(KEY, None, "slow", "r1")
    assert hold.release is None
    assert store.held(KEY, None) == store.held(KEY, "") == hold
    assert store.held(KEY, "1") is None
    assert store.lift(KEY, "1", "no") is None
    assert store.lift(KEY, None, "yes") is not None


def test_a_second_hold_leaves_the_first(store: PromotionStore) -> None:
    first = store.hold(KEY, "1", "slow", "r1")
    assert store.hold(KEY, "1", "broken", "r2") == first
    assert holds(store, KEY, 9) == [first]


def test_a_hold_is_independent_of_promotions(store: PromotionStore, me: Owner) -> None:
    begin(store, "r1", me)
    store.hold(KEY, "1", "slow", "r1")
    store.finish("r1", KEY, "rolled_back")
    begin(store, "r2", me)
    assert store.held(KEY, "1") is not None
