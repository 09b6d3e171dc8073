# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run locks its targets: others wait, take over what expired or ended, and the run that lost a lock stops."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import isoformat
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._state.lease import LEASE_SECONDS
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.journal import LOCKED, LockHeld, PromotionStore
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.owner import Owner
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.databases import Database
from tests.unit.plugins.support.processes import Process
from tests.unit.plugins.support.promotion_users import KEY, OTHER, advance_halfway, begin_and_hold, begin_and_wait
from tests.unit.plugins.support.promotions import begin, elsewhere, give_to, history, look


@pytest.mark.parametrize("release", ["1", "2", None])
def test_a_live_run_keeps_others_away(store: PromotionStore, me: Owner, release: str | None) -> None:
    begin(store, "r1", me)
    with pytest.raises(LockHeld, match=r"shop: run r1 of operator \(process \d+ on .*\) .*phase lock") as caught:
        begin(store, "r2", me, release)
    assert (caught.value.key, caught.value.promotion) == (KEY, look(store))
    assert look(store).holder == "r1"


def assert_one(count: int) -> None:
    assert count == 1


def test_a_live_run_is_waited_for_and_no_longer_than_asked(store: PromotionStore, clock: FakeClock, me: Owner) -> None:
    begin(store, "r1", me)
    for beat in range(10, 100, 10):
        clock.at(beat, lambda: assert_one(store.renew("r1")))
    with pytest.raises(LockHeld):
        store.begin("r2", {KEY: "shop"}, "1", me, wait=90)
    assert clock.elapsed == 90
    assert look(store).holder == "r1"


def test_a_run_that_ends_while_it_is_waited_for_is_named(store: PromotionStore, clock: FakeClock, me: Owner) -> None:
    first = begin(store, "r1", me).promotion
    clock.at(30, lambda: store.finish("r1", KEY, "succeeded"))
    begun = store.begin("r2", {OTHER: "blog", KEY: "shop"}, "1", me, wait=90)
    awaited = begun[KEY].awaited
    assert awaited is not None
    assert (awaited.id, awaited.verdict, begun[KEY].resumed, begun[KEY].taken_over) == (first.id, "succeeded", None, None)
    assert begun[OTHER].awaited is None
    assert clock.elapsed == 30


def test_a_run_that_is_not_heard_of_is_taken_over_after_a_minute(
    store: PromotionStore, clock: FakeClock, me: Owner, dead: Owner
) -> None:
    begin(store, "r1", elsewhere(dead))
    clock.sleep(5)
    assert store.renew("r1") == 1
    last = clock.now()
    begun = store.begin("r2", {KEY: "shop"}, "1", me, wait=900)[KEY]
    assert clock.elapsed == 5 + LEASE_SECONDS
    assert begun.taken_over is not None
    assert (begun.taken_over.reason, begun.resumed) == ("expired", LOCKED)
    assert str(begun.taken_over) == f"run r1 of {elsewhere(dead)}, which was last heard of at {isoformat(last)}"
    assert begun.awaited == begun.promotion


def test_what_has_ended_lately(store: PromotionStore, clock: FakeClock, me: Owner) -> None:
    assert not store.has_ended_within(KEY, 1e6)
    begin(store, "r1", me)
    assert not store.has_ended_within(KEY, 1e6)
    store.finish("r1", KEY, "refused")
    assert (store.has_ended_within(KEY, 0), store.has_ended_within(OTHER, 1e6)) == (True, False)
    clock.sleep(30)
    assert (store.has_ended_within(KEY, 29), store.has_ended_within(KEY, 30)) == (False, True)
    begin(store, "r2", me)
    store.unlock("r2", KEY)
    begin(store, "r3", me, "2")
    # r2 was abandoned just now
    assert not store.has_ended_within(KEY, 29)


def test_a_run_that_gave_up_is_said_to_have_done_so(store: PromotionStore, me: Owner) -> None:
    begin(store, "r1", me)
    store.unlock("r1", KEY)
    begun = begin(store, "r2", me, "2")
    assert begun.taken_over is not None
    assert (begun.taken_over.reason, str(begun.taken_over)) == ("unlocked", f"run r1 of {me}, which gave it up")


def test_an_orphan_of_a_run_that_is_gone_has_to_stop(store: PromotionStore, me: Owner, dead: Owner) -> None:
    left = begin(store, "r1", me).promotion
    give_to(store, KEY, dead)
    with pytest.raises(SyncError, match=r"run r1 lost its lock on shop: process .* has ended") as caught:
        store.advance("r1", KEY, "sync", {"sync": {}})
    assert caught.value.code == "busy"
    assert (look(store).phase, look(store).data, look(store).expires_at) == (LOCKED, {}, left.expires_at)


def test_a_lock_expires_and_the_run_that_lost_it_has_to_stop(store: PromotionStore, clock: FakeClock, me: Owner) -> None:
    begin(store, "r1", me)
    clock.sleep(59)
    with pytest.raises(LockHeld):
        begin(store, "r2", me)
    clock.sleep(1)
    assert begin(store, "r2", dataclasses.replace(me, label="colleague")).resumed == LOCKED
    taken = look(store)
    for attempt in (
        lambda: store.advance("r1", KEY, "sync"),
        lambda: store.finish("r1", KEY, "succeeded"),
        lambda: store.unlock("r1", KEY),
    ):
        with pytest.raises(SyncError, match=r"run r1 lost its lock on shop: run r2 of colleague .* has taken over") as caught:
            attempt()
        assert caught.value.code == "busy"
        assert caught.value.hint
    assert look(store) == taken


def test_a_run_whose_promotion_was_abandoned_has_to_stop(store: PromotionStore, clock: FakeClock, me: Owner) -> None:
    begin(store, "r1", me)
    clock.sleep(60)
    begin(store, "r2", me, "2")
    store.finish("r2", KEY, "succeeded")
    with pytest.raises(SyncError, match="ended or given up") as caught:
        store.advance("r1", KEY, "sync")
    assert caught.value.code == "busy"
    assert [(item.run, item.verdict) for item in history(store, KEY, 9)] == [("r2", "succeeded"), ("r1", "abandoned")]


def test_an_expired_lock_that_was_not_taken_is_renewed(store: PromotionStore, clock: FakeClock, me: Owner) -> None:
    begin(store, "r1", me)
    clock.sleep(3600)
    store.advance("r1", KEY, "sync")
    with pytest.raises(LockHeld):
        begin(store, "r2", me)


def test_a_run_of_another_host_keeps_others_away_until_it_expires(
    store: PromotionStore, clock: FakeClock, me: Owner, dead: Owner
) -> None:
    begin(store, "r1", elsewhere(dead))
    with pytest.raises(LockHeld, match="on pod-2"):
        begin(store, "r2", me)
    clock.sleep(60)
    assert begin(store, "r2", me).resumed == LOCKED


def test_a_reused_process_id_blocks_no_other_run(store: PromotionStore, me: Owner) -> None:
    begin(store, "r1", me)
    with pytest.raises(LockHeld):
        begin(store, "r2", me)
    store.finish("r1", KEY, "failed")
    begin(store, "r3", dataclasses.replace(me, process=dataclasses.replace(me.process, started="1")))
    begun = begin(store, "r4", me)
    assert (begun.resumed, begun.taken_over and begun.taken_over.reason) == (LOCKED, "gone")


# -- processes --------------------------------------------------------------------------------------------------------


def test_of_many_processes_exactly_one_begins_while_it_lives(database: Database, clock: FakeClock, me: Owner) -> None:
    # none of them finds a file
    racers = [Process(begin_and_hold, database.location, str(number)) for number in range(4)]
    assert [racer.line() for racer in racers] == ["ready"] * 4
    for racer in racers:
        racer.go_on()
    lines = [racer.line() for racer in racers]
    assert sorted(lines) == ["lost"] * 3 + ["won"]
    number = lines.index("won")
    store = PromotionStore(database.location, clock)
    with pytest.raises(LockHeld) as caught:
        begin(store, "me", me)
    assert (caught.value.promotion.holder, caught.value.promotion.owner.process.pid) == (str(number), racers[number].pid)
    assert look(store, OTHER).holder == str(number)
    racers[number].kill()
    assert begin(store, "me", me).promotion.run == str(number)
    for racer in racers:
        racer.end()


@pytest.mark.parametrize(("phase", "data"), [(None, {}), ("backup", {"backup": {"id": 5}})])
def test_what_a_killed_run_knew_is_there_and_resumed_at_once(
    database: Database, clock: FakeClock, me: Owner, phase: str | None, data: dict[str, t.Any]
) -> None:
    process = Process(begin_and_wait, database.location, "r1", phase)
    assert process.line() == "ready"
    store = PromotionStore(database.location, clock)
    with pytest.raises(LockHeld):
        begin(store, "r2", me)
    process.kill()
    begun = begin(store, "r2", me)
    assert (begun.resumed, begun.promotion.data, begun.promotion.run) == (phase or LOCKED, data, "r1")


def test_a_run_killed_while_it_writes_leaves_what_was_there_before(database: Database, clock: FakeClock, me: Owner) -> None:
    process = Process(advance_halfway, database.location, "r1")
    assert process.line() == "looking"
    process.kill()
    begun = begin(PromotionStore(database.location, clock), "r2", me)
    assert (begun.resumed, begun.promotion.data) == (LOCKED, {})
