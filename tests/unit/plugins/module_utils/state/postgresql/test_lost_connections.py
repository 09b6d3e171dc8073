# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections to the database get lost at any moment: no intent is lost, none is there twice, and a target is triggered once."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._state import postgresql
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import LeaseConflict, RunLedger
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.journal import PromotionStore
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.owner import Owner
from tests.conftest import Repeats
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.databases import PostgresqlDatabase, cluster
from tests.unit.plugins.support.lab import Lab, code, only
from tests.unit.plugins.support.ledger_users import KEY
from tests.unit.plugins.support.lossy_proxy import Cut, Loss, LossyProxy

LOSSES: tuple[Loss, ...] = ("request", "reply")


def runs(database: PostgresqlDatabase) -> list[tuple[t.Any, ...]]:
    return database.query("SELECT target, state FROM runs ORDER BY id")


@pytest.fixture
def ledger(through_proxy: str, clock: FakeClock) -> RunLedger:
    """By way of the proxy."""
    return RunLedger(through_proxy, clock)


@pytest.mark.parametrize("lose", LOSSES)
def test_an_intent_is_there_once_if_its_commit_or_the_reply_to_it_is_lost(
    ledger: RunLedger, database: PostgresqlDatabase, proxy: LossyProxy, clock: FakeClock, lose: Loss
) -> None:
    proxy.cuts.append(Cut(lose, b"COMMIT"))
    entry_id = ledger.intend(KEY, "1.2", {"last": 3})
    assert proxy.cuts == []
    assert runs(database) == [(KEY.target, "intended")]
    with pytest.raises(LeaseConflict) as caught:
        RunLedger(database.location, clock).intend(KEY, None, {})
    assert caught.value.entry is not None
    assert caught.value.entry.id == entry_id
    # that of the tables, and those of the intent: sent again only where it was not found
    assert sum(b"COMMIT" in message for message in proxy.messages) == (3 if lose == "request" else 2)


def test_a_commit_that_never_arrives_while_the_server_does_not_notice(
    ledger: RunLedger, database: PostgresqlDatabase, proxy: LossyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a network goes away. The server ends the transaction that waits for more, which is then done again."""
    monkeypatch.setattr(postgresql, "IDLE_SECONDS", 0.5)
    proxy.cuts.append(Cut("silence", b"COMMIT"))
    ledger.intend(KEY, "1.2", {})
    assert proxy.cuts == []
    assert runs(database) == [(KEY.target, "intended")]


def test_one_that_cannot_be_found_out_is_a_failure_that_says_so(
    ledger: RunLedger, proxy: LossyProxy, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.open_entry(KEY)

    def go_down(store: postgresql.PostgresqlStore, *arguments: t.Any) -> bool:
        proxy.down = True
        return was_committed(store, *arguments)

    was_committed = postgresql.PostgresqlStore._was_committed
    monkeypatch.setattr(postgresql.PostgresqlStore, "_was_committed", go_down)
    proxy.cuts.append(Cut("reply", b"COMMIT"))
    with pytest.raises(SyncError, match="it is not known whether an entry was written") as caught:
        ledger.within(Deadline(clock, 2)).intend(KEY, None, {})
    assert caught.value.code == "connection_failed"


def test_a_connection_lost_between_two_operations_is_made_again(ledger: RunLedger, proxy: LossyProxy) -> None:
    entry_id = ledger.intend(KEY, None, {})
    before = proxy.connections
    proxy.lose_all()
    ledger.started(entry_id, {"run": 1})
    ledger.finish(entry_id, "succeeded")
    # and then it is kept
    assert proxy.connections == before + 1


@pytest.mark.parametrize("lose", LOSSES)
def test_a_sync_ends_well_with_one_trigger_whichever_message_is_lost(
    lab: Lab, through_proxy: str, proxy: LossyProxy, database: PostgresqlDatabase, lose: Loss, repeats: Repeats
) -> None:
    lab.location = through_proxy
    release, number = 0, 0
    step = repeats(7, 1)
    while True:
        release, messages = release + 1, len(proxy.messages)
        proxy.cuts = [Cut(lose, number=messages + number)]
        result = only(lab.run(release=str(release)))
        assert (result["action"], result["state"], result["failure"], lab.posts) == ("triggered", "succeeded", None, release)
        if proxy.cuts:
            # there were fewer messages
            break
        number += step
    assert runs(database) == [("7", "succeeded")] * release
    assert number > 20


def test_a_connection_lost_between_intent_and_trigger_does_no_harm(
    lab: Lab, through_proxy: str, proxy: LossyProxy, database: PostgresqlDatabase
) -> None:
    lab.location = through_proxy
    lab.service.before["POST /mirrors/7/refresh"] = proxy.lose_all
    result = only(lab.run(release="1"))
    assert (result["action"], result["state"], lab.posts) == ("triggered", "succeeded", 1)
    assert runs(database) == [("7", "succeeded")]


def test_nothing_is_sent_once_the_ledger_is_out_of_reach(
    lab: Lab, through_proxy: str, proxy: LossyProxy, database: PostgresqlDatabase
) -> None:
    """It was there when the task began."""

    def go_away() -> None:
        proxy.down = True
        proxy.lose_all()

    lab.location = through_proxy
    lab.service.before["GET /mirrors/7"] = go_away
    result = lab.run(release="1", wait_timeout=1)
    assert (only(result)["action"], code(result), lab.posts) == ("refused", "connection_failed", 0)
    assert only(result)["changed"] is False
    proxy.down, lab.service.before = False, {}
    assert (only(lab.run(release="1"))["state"], lab.posts) == ("succeeded", 1)


def test_a_run_that_could_not_be_recorded_is_found_by_the_next_task(
    lab: Lab, through_proxy: str, proxy: LossyProxy, database: PostgresqlDatabase
) -> None:
    """The database goes away while the trigger is being sent."""

    def go_away() -> None:
        proxy.down = True
        proxy.lose_all()

    lab.location = through_proxy
    lab.service.before["POST /mirrors/7/refresh"] = go_away
    result = lab.run(release="1", wait_timeout=1)
    assert (only(result)["action"], only(result)["changed"], code(result)) == ("triggered", True, "timed_out")
    assert only(result)["handle"] is not None
    assert any("cannot be used as the ledger" in text for text in result["warnings"])
    proxy.down, lab.service.before = False, {}
    lab.clock.sleep(60)
    again = only(lab.run(release="1"))
    assert (again["state"], lab.posts) in [("succeeded", 1), ("not_started", 1)]
    assert runs(database) == [("7", "succeeded")]


@pytest.mark.parametrize("lose", LOSSES)
def test_promotions_lose_and_double_nothing_either(
    through_proxy: str, database: PostgresqlDatabase, proxy: LossyProxy, clock: FakeClock, lose: Loss
) -> None:
    number = 0
    while True:
        run, messages = f"p-{number}", len(proxy.messages)
        proxy.cuts = [Cut(lose, number=messages + number)]
        store = PromotionStore(through_proxy, clock)
        store.begin(run, {KEY: "shop"}, run, Owner.current())
        store.advance(run, KEY, "sync", {"number": number})
        store.hold(KEY, run, "slow", run)
        store.finish(run, KEY, "succeeded")
        if proxy.cuts:
            break
        number += 1
    names = [f"p-{each}" for each in range(number + 1)]
    assert database.query("SELECT run, verdict, phase FROM promotions ORDER BY id") == [
        (name, "succeeded", "sync") for name in names
    ]
    assert database.query("SELECT run FROM holds ORDER BY id") == [(name,) for name in names]
    assert number > 20


def test_the_server_is_restarted_in_the_middle_of_a_run(remote: Lab, database: PostgresqlDatabase) -> None:
    def restart() -> None:
        cluster().stop()
        cluster().start()

    remote.service.before["POST /mirrors/7/refresh"] = restart
    result = only(remote.run(release="1"))
    assert (result["action"], result["state"], remote.posts) == ("triggered", "succeeded", 1)
    assert (only(remote.run(release="1"))["action"], remote.posts) == ("skipped", 1)


def test_the_server_crashes_in_the_middle_of_a_run(remote: Lab, database: PostgresqlDatabase) -> None:
    def crash() -> None:
        cluster().crash()
        cluster().start()

    remote.service.before["POST /mirrors/7/refresh"] = crash
    result = only(remote.run(release="1"))
    assert (result["action"], result["state"], remote.posts) == ("triggered", "succeeded", 1)
    assert runs(database) == [("7", "succeeded")]
