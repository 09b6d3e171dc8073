# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A promotion from its begin to its verdict, and the history of a target."""

from __future__ import annotations

import datetime as dt

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._state.lease import LEASE_SECONDS
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.journal import (
    KEPT,
    LOCKED,
    VERDICTS,
    LockHeld,
    PromotionStore,
)
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.owner import Owner
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.databases import Database
from tests.unit.plugins.support.promotion_users import KEY, OTHER
from tests.unit.plugins.support.promotions import begin, give_to, history, holds, last, look


def test_a_promotion_from_begin_to_end(store: PromotionStore, clock: FakeClock, me: Owner) -> None:
    begun_at = clock.now()
    begun = begin(store, "r1", me, "1.2")
    assert (begun.resumed, begun.abandoned, begun.promotion) == (None, None, look(store))
    promotion = begun.promotion
    assert (promotion.run, promotion.holder, promotion.key, promotion.name) == ("r1", "r1", KEY, "shop")
    assert (promotion.release, promotion.phase, promotion.data, promotion.owner) == ("1.2", LOCKED, {}, me)
    assert (promotion.begun_at, promotion.updated_at) == (begun_at, begun_at)
    assert promotion.expires_at == begun_at + dt.timedelta(seconds=LEASE_SECONDS)
    assert (promotion.verdict, promotion.finished_at) == (None, None)
    assert store.is_held(promotion)

    clock.sleep(30)
    store.advance("r1", KEY, "backup", {"backup": {"state": "made"}, "before": [1]})
    advanced = store.advance("r1", KEY, "sync", {"backup": {"state": "found"}})
    assert advanced == look(store)
    assert (advanced.phase, advanced.data) == ("sync", {"backup": {"state": "found"}, "before": [1]})
    assert (advanced.begun_at, advanced.updated_at) == (begun_at, clock.now())
    assert advanced.expires_at == clock.now() + dt.timedelta(seconds=LEASE_SECONDS)

    store.finish("r1", KEY, "succeeded")
    assert store.look(KEY) is None
    ended = last(store, KEY)
    assert ended is not None
    assert (ended.id, ended.phase, ended.data) == (promotion.id, "sync", advanced.data)
    assert (ended.verdict, ended.finished_at) == ("succeeded", clock.now())
    assert not store.is_held(ended)


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_finished_promotion_is_not_taken_up_again(store: PromotionStore, me: Owner, verdict: str) -> None:
    begin(store, "r1", me)
    store.finish("r1", KEY, verdict)
    begun = begin(store, "r2", me)
    assert (begun.resumed, begun.abandoned, begun.promotion.run) == (None, None, "r2")


def test_a_verdict_that_does_not_exist_is_a_programming_error(store: PromotionStore, me: Owner) -> None:
    begin(store, "r1", me)
    with pytest.raises(ValueError, match="exploded"):
        store.finish("r1", KEY, "exploded")
    assert look(store).verdict is None


def test_all_targets_are_locked_or_none(store: PromotionStore, database: Database, me: Owner, dead: Owner) -> None:
    third = Key("sixth", "https://sixth.example.com", "7")
    begin(store, "r1", dead, "1", KEY)
    begin(store, "r2", me, "1", third)
    content = database.content()
    with pytest.raises(LockHeld) as caught:
        store.begin("r3", {KEY: "shop", OTHER: "blog", third: "wiki"}, "2", me)
    assert caught.value.key == third
    assert database.content() == content
    assert (look(store).run, store.look(OTHER), look(store, third).run) == ("r1", None, "r2")
    store.finish("r2", third, "failed")
    begun = store.begin("r3", {KEY: "shop", OTHER: "blog", third: "wiki"}, "2", me)
    assert [(key, item.promotion.name, item.promotion.run) for key, item in begun.items()] == [
        (KEY, "shop", "r3"),
        (OTHER, "blog", "r3"),
        (third, "wiki", "r3"),
    ]


@pytest.mark.parametrize("release", ["1", None, ""])
def test_what_a_dead_run_left_is_resumed_by_the_same_release(
    store: PromotionStore, clock: FakeClock, me: Owner, dead: Owner, release: str | None
) -> None:
    left = begin(store, "r1", me, release).promotion
    store.advance("r1", KEY, "backup", {"backup": {"id": 5}})
    give_to(store, KEY, dead)
    clock.sleep(10)
    begun = store.begin("r2", {KEY: "store"}, release, me)[KEY]
    assert (begun.resumed, begun.abandoned) == ("backup", None)
    promotion = begun.promotion
    assert (promotion.id, promotion.run, promotion.holder, promotion.owner) == (left.id, "r1", "r2", me)
    assert (promotion.name, promotion.phase, promotion.data) == ("store", "backup", {"backup": {"id": 5}})
    assert promotion.release == (release or None)
    assert (promotion.begun_at, promotion.updated_at) == (left.begun_at, clock.now())
    assert promotion.expires_at == clock.now() + dt.timedelta(seconds=LEASE_SECONDS)


@pytest.mark.parametrize(("left", "now"), [("1", "2"), ("1", None), (None, "1"), ("1", "1.0")])
def test_what_a_dead_run_left_is_abandoned_by_another_release(
    store: PromotionStore, clock: FakeClock, me: Owner, dead: Owner, left: str | None, now: str | None
) -> None:
    before = begin(store, "r1", me, left).promotion
    store.advance("r1", KEY, "backup", {"backup": {"id": 5}})
    give_to(store, KEY, dead)
    begun = begin(store, "r2", me, now)
    assert begun.resumed is None
    assert begun.abandoned is not None
    assert (begun.abandoned.id, begun.abandoned.phase) == (before.id, "backup")
    assert (begun.promotion.run, begun.promotion.release, begun.promotion.data) == ("r2", now, {})
    ended = last(store, KEY)
    assert ended is not None
    assert (ended.id, ended.verdict, ended.finished_at) == (before.id, "abandoned", clock.now())


def test_a_promotion_that_was_given_up_is_resumed_at_once(store: PromotionStore, clock: FakeClock, me: Owner) -> None:
    begin(store, "r1", me)
    store.advance("r1", KEY, "sync", {"sync": {"state": "running"}})
    store.unlock("r1", KEY)
    assert not store.is_held(look(store))
    with pytest.raises(SyncError, match="given up") as caught:
        store.advance("r1", KEY, "verify")
    assert caught.value.code == "busy"
    begun = begin(store, "r2", me)
    assert (begun.resumed, begun.promotion.run, begun.promotion.data) == ("sync", "r1", {"sync": {"state": "running"}})


@pytest.mark.parametrize(
    "other",
    [
        Key("sixth", KEY.address, KEY.target),
        Key(KEY.provider, "https://other.example.com", KEY.target),
        Key(KEY.provider, KEY.address, "8"),
    ],
)
def test_targets_do_not_mix(store: PromotionStore, me: Owner, other: Key) -> None:
    begin(store, "r1", me)
    store.finish("r1", KEY, "succeeded")
    begin(store, "r2", me)
    store.hold(KEY, "1", "slow", "r1")
    assert (store.look(other), last(store, other), history(store, other, 9)) == (None, None, [])
    assert (store.held(other, "1"), holds(store, other, 9), store.lift(other, "1", "fast")) == (None, [], None)
    with pytest.raises(SyncError):
        store.advance("r2", other, "sync")
    begin(store, "r3", me, key=other)


def test_history_is_newest_first_and_limited(store: PromotionStore, me: Owner) -> None:
    for number in range(4):
        begin(store, f"r{number}", me)
        store.finish(f"r{number}", KEY, "failed" if number % 2 else "succeeded")
    begin(store, "r4", me)
    assert [item.run for item in history(store, KEY, 9)] == ["r4", "r3", "r2", "r1", "r0"]
    assert [item.run for item in history(store, KEY, 2)] == ["r4", "r3"]
    newest, succeeded = last(store, KEY), last(store, KEY, "succeeded")
    assert newest is not None
    assert succeeded is not None
    assert (newest.run, succeeded.run, last(store, KEY, "rolled_back")) == ("r3", "r2", None)


# -- pruning ----------------------------------------------------------------------------------------------------------


def test_what_ended_long_ago_is_removed_when_something_begins(store: PromotionStore, clock: FakeClock, me: Owner) -> None:
    begin(store, "r1", me)
    store.finish("r1", KEY, "succeeded")
    store.hold(KEY, "1", "slow", "r1")
    store.lift(KEY, "1", "fast")
    store.hold(KEY, "2", "broken", "r1")
    begin(store, "r2", me, key=OTHER)
    clock.sleep(KEPT.total_seconds())
    begin(store, "r3", me)
    assert [item.run for item in history(store, KEY, 9)] == ["r3", "r1"]
    assert len(holds(store, KEY, 9)) == 2
    store.finish("r3", KEY, "failed")
    clock.sleep(1)
    begin(store, "r4", me)
    assert [item.run for item in history(store, KEY, 9)] == ["r4", "r3"]
    # an active hold and an unfinished promotion stay, however old
    assert [item.release for item in holds(store, KEY, 9)] == ["2"]
    assert look(store, OTHER).run == "r2"
