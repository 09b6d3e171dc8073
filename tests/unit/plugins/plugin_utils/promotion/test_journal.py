# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What promotions remember, across runs, processes and their deaths."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import pathlib
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import typing as t

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import isoformat
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._state import sqlite
from ansible_collections.lockstep.sync.plugins.module_utils._state.lease import LEASE_SECONDS
from ansible_collections.lockstep.sync.plugins.module_utils._state.process import ProcessIdentity
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key, RunLedger
from ansible_collections.lockstep.sync.plugins.module_utils._state.schema import SCHEMA_VERSION
from ansible_collections.lockstep.sync.plugins.module_utils._state.sqlite import use_wal
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.holds import ReleaseBlock
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.journal import (
    KEPT,
    LOCKED,
    PRUNED_AT_ONCE,
    VERDICTS,
    BegunPromotion,
    LockHeld,
    Promotion,
    PromotionStore,
)
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.owner import Owner, this_user
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.journal_rows import give_to, history, holds, last
from tests.unit.plugins.support.journal_users import (
    KEY,
    OTHER,
    advance_halfway,
    begin_and_hold,
    begin_and_wait,
    name_owner_in_worker,
    outlive_parent,
    use_both,
)
from tests.unit.plugins.support.processes import Process

SECRET = "s3cr3t-token"

#: no process has it: above the limit that Linux knows
UNUSED_PID = 2**22 + 1


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "state" / "lockstep" / "ledger.sqlite3"


@pytest.fixture
def journal(path: pathlib.Path, clock: FakeClock) -> PromotionStore:
    return PromotionStore(str(path), clock)


@pytest.fixture
def me() -> Owner:
    return Owner.current(label="operator")


@pytest.fixture
def dead() -> Owner:
    return Owner(ProcessIdentity.of(UNUSED_PID), "ghost")


def elsewhere(owner: Owner) -> Owner:
    """As if it were on another machine."""
    return dataclasses.replace(owner, process=dataclasses.replace(owner.process, boot="another kernel", host="pod-2"))


def files(path: pathlib.Path) -> list[str]:
    return sorted(item.name for item in path.parent.iterdir())


def look(journal: PromotionStore, key: Key = KEY) -> Promotion:
    found = journal.look(key)
    assert found is not None
    return found


def begin(journal: PromotionStore, run: str, owner: Owner, release: str | None = "1", key: Key = KEY) -> BegunPromotion:
    return journal.begin(run, {key: "shop"}, release, owner)[key]


# -- the file ---------------------------------------------------------------------------------------------------------


def test_the_file_is_for_its_owner_alone(journal: PromotionStore, path: pathlib.Path, me: Owner) -> None:
    old = os.umask(0)
    try:
        begin(journal, "r1", me)
        assert [stat.S_IMODE(item.stat().st_mode) for item in path.parent.iterdir()] == [0o600] * len(files(path))
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    finally:
        os.umask(old)


def test_readers_do_not_wait_for_writers(journal: PromotionStore, path: pathlib.Path, me: Owner) -> None:
    begin(journal, "r1", me)
    writer = sqlite3.connect(path, isolation_level=None)
    assert writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE promotions SET phase = 'sync'")
    assert look(journal).phase == LOCKED
    writer.execute("COMMIT")
    writer.close()
    assert look(journal).phase == "sync"


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_schema_is_refused(journal: PromotionStore, path: pathlib.Path, clock: FakeClock, read_only: bool) -> None:
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    with pytest.raises(SyncError, match=r"option staging_promotion_ledger_path: .*newer version") as caught:
        PromotionStore(str(path), clock, read_only, option="staging_promotion_ledger_path").look(KEY)
    assert caught.value.code == "invalid_option"


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_is_no_ledger_is_refused(path: pathlib.Path, clock: FakeClock, read_only: bool) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("# my diary\n" * 100)
    with pytest.raises(SyncError, match=r"option ledger: .*ledger\.sqlite3") as caught:
        PromotionStore(str(path), clock, read_only).look(KEY)
    assert caught.value.code == "invalid_option"
    assert path.read_text() == "# my diary\n" * 100


@pytest.mark.parametrize("place", ["file/ledger.sqlite3", "directory"])
def test_an_impossible_place_is_refused_with_a_remedy(tmp_path: pathlib.Path, clock: FakeClock, place: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "directory").mkdir()
    with pytest.raises(SyncError, match="option staging_promotion_ledger_path") as caught:
        PromotionStore(str(tmp_path / place), clock, option="staging_promotion_ledger_path")
    assert caught.value.code == "invalid_option"
    assert "LOCKSTEP_LEDGER" in caught.value.hint


def test_a_file_that_may_not_be_written_is_refused(
    journal: PromotionStore, path: pathlib.Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the tests may run as root, who may write anything
    monkeypatch.setattr(os, "access", lambda *arguments: False)
    with pytest.raises(SyncError, match="Permission denied") as caught:
        PromotionStore(str(path), clock)
    assert caught.value.code == "invalid_option"


def test_a_file_that_stays_locked_is_an_error_and_no_traceback(
    journal: PromotionStore, path: pathlib.Path, me: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.01)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(SyncError, match="locked"):
        begin(journal, "r1", me)
    holder.close()
    begin(journal, "r1", me)


def test_opening_the_file_again_leaves_the_locks_of_open_connections(
    journal: PromotionStore, path: pathlib.Path, clock: FakeClock
) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN")
    db.execute("SELECT * FROM promotions").fetchall()
    PromotionStore(str(path), clock)
    RunLedger(str(path), clock)
    # locks are of a process, so that only another one can tell
    script = (
        "import sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)\n"
        "db.execute('PRAGMA locking_mode = EXCLUSIVE')\n"
        "print(db.execute('PRAGMA journal_mode = DELETE').fetchone()[0])\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False)
    db.close()
    assert "locked" in done.stderr


# -- in one file with the ledger --------------------------------------------------------------------------------------


@pytest.mark.parametrize("journal_first", [True, False])
def test_either_makes_a_file_that_serves_both(path: pathlib.Path, clock: FakeClock, me: Owner, journal_first: bool) -> None:
    journal: PromotionStore | None = PromotionStore(str(path), clock) if journal_first else None
    ledger = RunLedger(str(path), clock)
    journal = journal or PromotionStore(str(path), clock)
    entry = ledger.intend(KEY, "1", {})
    begin(journal, "r1", me)
    ledger.finish(entry, "succeeded")
    journal.finish("r1", KEY, "succeeded")
    assert ledger.release_done(KEY, "1") is not None
    assert last(journal, KEY) is not None
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def test_each_takes_a_file_of_the_other_as_empty_in_check_mode(tmp_path: pathlib.Path, clock: FakeClock, me: Owner) -> None:
    ledgers, journals = tmp_path / "ledger", tmp_path / "journal"
    RunLedger(str(ledgers), clock).intend(KEY, "1", {})
    begin(PromotionStore(str(journals), clock), "r1", me)
    before = (ledgers.read_bytes(), journals.read_bytes(), files(ledgers))
    reader = PromotionStore(str(ledgers), clock, read_only=True)
    assert (reader.look(KEY), last(reader, KEY), reader.held(KEY, None), history(reader, KEY, 9)) == (None, None, None, [])
    assert RunLedger(str(journals), clock, read_only=True).open_entry(KEY) is None
    assert (ledgers.read_bytes(), journals.read_bytes(), files(ledgers)) == before


def test_processes_that_create_and_use_both_at_the_same_time_lose_nothing(path: pathlib.Path, clock: FakeClock) -> None:
    users = [Process(use_both, str(path), str(number), 8) for number in range(3)]
    assert [user.line() for user in users] == ["ready"] * 3
    for user in users:
        user.go_on()
    assert [user.end() for user in users] == [0] * 3
    db = sqlite3.connect(path)
    for table in ("runs WHERE state = 'succeeded'", "promotions WHERE verdict = 'succeeded'"):
        assert db.execute(f"SELECT count(*), count(DISTINCT target) FROM {table}").fetchone() == (24, 3)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def test_a_file_that_others_are_switching_to_wal_is_tried_again() -> None:
    class Refusing:
        left = 2

        def execute(self, statement: str) -> None:
            self.left -= 1
            if self.left >= 0:
                raise sqlite3.OperationalError("database is locked")

    refusing = Refusing()
    use_wal(t.cast(sqlite3.Connection, refusing), 30)
    assert refusing.left == -1
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        use_wal(t.cast(sqlite3.Connection, Refusing()), 0)


# -- check mode -------------------------------------------------------------------------------------------------------


def test_check_mode_creates_nothing(path: pathlib.Path, clock: FakeClock) -> None:
    journal = PromotionStore(str(path), clock, read_only=True)
    assert (journal.look(KEY), last(journal, KEY), journal.held(KEY, "1")) == (None, None, None)
    assert (history(journal, KEY, 9), holds(journal, KEY, 9)) == ([], [])
    assert not path.parent.exists()


def test_check_mode_reads_and_leaves_all_as_it_is(
    journal: PromotionStore, path: pathlib.Path, clock: FakeClock, me: Owner
) -> None:
    begin(journal, "r1", me)
    journal.hold(KEY, "1", "slow", "r0")
    before, content = files(path), path.read_bytes()
    reader = PromotionStore(str(path), clock, read_only=True)
    assert look(reader).run == "r1"
    assert reader.is_held(look(reader))
    assert reader.held(KEY, "1") is not None
    assert (files(path), path.read_bytes()) == (before, content) == (["ledger.sqlite3"], content)


def test_check_mode_reads_with_the_remains_of_a_killed_run(path: pathlib.Path, clock: FakeClock) -> None:
    process = Process(begin_and_wait, str(path), "r1", "backup")
    assert process.line() == "ready"
    keeper = sqlite3.connect(path)
    keeper.execute("SELECT * FROM promotions").fetchall()
    PromotionStore(str(path), clock).hold(KEY, "1", "slow", "r0")
    process.kill()
    before, content = files(path), path.read_bytes()
    assert "ledger.sqlite3-wal" in before
    reader = PromotionStore(str(path), clock, read_only=True)
    assert look(reader).data == {"backup": {"id": 5}}
    assert reader.held(KEY, "1") is not None
    assert (files(path), path.read_bytes()) == (before, content)
    keeper.close()


def test_check_mode_takes_an_empty_file_as_empty(path: pathlib.Path, clock: FakeClock) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    assert PromotionStore(str(path), clock, read_only=True).look(KEY) is None
    assert (path.read_bytes(), files(path)) == (b"", ["ledger.sqlite3"])


@pytest.mark.parametrize(
    "write",
    [
        lambda journal: begin(journal, "r1", Owner.current()),
        lambda journal: journal.advance("r1", KEY, "sync"),
        lambda journal: journal.finish("r1", KEY, "failed"),
        lambda journal: journal.unlock("r1", KEY),
        lambda journal: journal.hold(KEY, "1", "slow", "r1"),
        lambda journal: journal.lift(KEY, "1", "fast"),
    ],
)
def test_writing_in_check_mode_is_a_programming_error(
    path: pathlib.Path, clock: FakeClock, write: t.Callable[[PromotionStore], t.Any]
) -> None:
    with pytest.raises(ValueError, match="reading only"):
        write(PromotionStore(str(path), clock, read_only=True))
    assert not path.parent.exists()


# -- owners -----------------------------------------------------------------------------------------------------------


def test_the_owner_is_this_process_or_the_one_that_it_works_for() -> None:
    assert Owner.current() == Owner.of_playbook() == Owner(ProcessIdentity.current(), this_user())
    assert Owner.of_playbook("job 17").label == "job 17"


def test_the_owner_of_a_worker_is_the_process_that_started_it() -> None:
    process = Process(name_owner_in_worker)
    assert json.loads(process.line()) == json.loads(ProcessIdentity.of(process.pid).to_json())
    process.end()


def test_a_worker_whose_parent_was_killed_owns_nothing() -> None:
    process = Process(outlive_parent)
    assert process.line() == "waiting"
    os.kill(process.pid, signal.SIGKILL)
    assert process.line() == "busy"
    process.end()


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", missing)
    monkeypatch.setattr("socket.gethostname", lambda: "here")
    assert this_user() == f"{os.getuid()}@here"


# -- promotions -------------------------------------------------------------------------------------------------------


def test_a_promotion_from_begin_to_end(journal: PromotionStore, clock: FakeClock, me: Owner) -> None:
    begun_at = clock.now()
    begun = begin(journal, "r1", me, "1.2")
    assert (begun.resumed, begun.abandoned, begun.promotion) == (None, None, look(journal))
    promotion = begun.promotion
    assert (promotion.run, promotion.holder, promotion.key, promotion.name) == ("r1", "r1", KEY, "shop")
    assert (promotion.release, promotion.phase, promotion.data, promotion.owner) == ("1.2", LOCKED, {}, me)
    assert (promotion.begun_at, promotion.updated_at) == (begun_at, begun_at)
    assert promotion.expires_at == begun_at + dt.timedelta(seconds=LEASE_SECONDS)
    assert (promotion.verdict, promotion.finished_at) == (None, None)
    assert journal.is_held(promotion)

    clock.sleep(30)
    journal.advance("r1", KEY, "backup", {"backup": {"state": "made"}, "before": [1]})
    advanced = journal.advance("r1", KEY, "sync", {"backup": {"state": "found"}})
    assert advanced == look(journal)
    assert (advanced.phase, advanced.data) == ("sync", {"backup": {"state": "found"}, "before": [1]})
    assert (advanced.begun_at, advanced.updated_at) == (begun_at, clock.now())
    assert advanced.expires_at == clock.now() + dt.timedelta(seconds=LEASE_SECONDS)

    journal.finish("r1", KEY, "succeeded")
    assert journal.look(KEY) is None
    ended = last(journal, KEY)
    assert ended is not None
    assert (ended.id, ended.phase, ended.data) == (promotion.id, "sync", advanced.data)
    assert (ended.verdict, ended.finished_at) == ("succeeded", clock.now())
    assert not journal.is_held(ended)


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_finished_promotion_is_not_taken_up_again(journal: PromotionStore, me: Owner, verdict: str) -> None:
    begin(journal, "r1", me)
    journal.finish("r1", KEY, verdict)
    begun = begin(journal, "r2", me)
    assert (begun.resumed, begun.abandoned, begun.promotion.run) == (None, None, "r2")


def test_a_verdict_that_does_not_exist_is_a_programming_error(journal: PromotionStore, me: Owner) -> None:
    begin(journal, "r1", me)
    with pytest.raises(ValueError, match="exploded"):
        journal.finish("r1", KEY, "exploded")
    assert look(journal).verdict is None


@pytest.mark.parametrize("release", ["1", "2", None])
def test_a_live_run_keeps_others_away(journal: PromotionStore, me: Owner, release: str | None) -> None:
    begin(journal, "r1", me)
    with pytest.raises(LockHeld, match=r"shop: run r1 of operator \(process \d+ on .*\) .*phase lock") as caught:
        begin(journal, "r2", me, release)
    assert (caught.value.key, caught.value.promotion) == (KEY, look(journal))
    assert look(journal).holder == "r1"


def test_a_live_run_is_waited_for_and_no_longer_than_asked(journal: PromotionStore, clock: FakeClock, me: Owner) -> None:
    begin(journal, "r1", me)
    for beat in range(10, 100, 10):
        clock.at(beat, lambda: assert_one(journal.renew("r1")))
    with pytest.raises(LockHeld):
        journal.begin("r2", {KEY: "shop"}, "1", me, wait=90)
    assert clock.elapsed == 90
    assert look(journal).holder == "r1"


def assert_one(count: int) -> None:
    assert count == 1


def test_a_run_that_ends_while_it_is_waited_for_is_named(journal: PromotionStore, clock: FakeClock, me: Owner) -> None:
    first = begin(journal, "r1", me).promotion
    clock.at(30, lambda: journal.finish("r1", KEY, "succeeded"))
    begun = journal.begin("r2", {OTHER: "blog", KEY: "shop"}, "1", me, wait=90)
    awaited = begun[KEY].awaited
    assert awaited is not None
    assert (awaited.id, awaited.verdict, begun[KEY].resumed, begun[KEY].taken_over) == (first.id, "succeeded", None, None)
    assert begun[OTHER].awaited is None
    assert clock.elapsed == 30


def test_a_run_that_is_not_heard_of_is_taken_over_after_a_minute(
    journal: PromotionStore, clock: FakeClock, me: Owner, dead: Owner
) -> None:
    begin(journal, "r1", elsewhere(dead))
    clock.sleep(5)
    assert journal.renew("r1") == 1
    last = clock.now()
    begun = journal.begin("r2", {KEY: "shop"}, "1", me, wait=900)[KEY]
    assert clock.elapsed == 5 + LEASE_SECONDS
    assert begun.taken_over is not None
    assert (begun.taken_over.reason, begun.resumed) == ("expired", LOCKED)
    assert str(begun.taken_over) == f"run r1 of {elsewhere(dead)}, which was last heard of at {isoformat(last)}"
    assert begun.awaited == begun.promotion


def test_a_run_that_gave_up_is_said_to_have_done_so(journal: PromotionStore, me: Owner) -> None:
    begin(journal, "r1", me)
    journal.unlock("r1", KEY)
    begun = begin(journal, "r2", me, "2")
    assert begun.taken_over is not None
    assert (begun.taken_over.reason, str(begun.taken_over)) == ("unlocked", f"run r1 of {me}, which gave it up")


def test_all_targets_are_locked_or_none(journal: PromotionStore, path: pathlib.Path, me: Owner, dead: Owner) -> None:
    third = Key("sixth", "https://sixth.example.com", "7")
    begin(journal, "r1", dead, "1", KEY)
    begin(journal, "r2", me, "1", third)
    content = path.read_bytes()
    with pytest.raises(LockHeld) as caught:
        journal.begin("r3", {KEY: "shop", OTHER: "blog", third: "wiki"}, "2", me)
    assert caught.value.key == third
    assert path.read_bytes() == content
    assert (look(journal).run, journal.look(OTHER), look(journal, third).run) == ("r1", None, "r2")
    journal.finish("r2", third, "failed")
    begun = journal.begin("r3", {KEY: "shop", OTHER: "blog", third: "wiki"}, "2", me)
    assert [(key, item.promotion.name, item.promotion.run) for key, item in begun.items()] == [
        (KEY, "shop", "r3"),
        (OTHER, "blog", "r3"),
        (third, "wiki", "r3"),
    ]


@pytest.mark.parametrize("release", ["1", None, ""])
def test_what_a_dead_run_left_is_resumed_by_the_same_release(
    journal: PromotionStore, clock: FakeClock, me: Owner, dead: Owner, release: str | None
) -> None:
    left = begin(journal, "r1", me, release).promotion
    journal.advance("r1", KEY, "backup", {"backup": {"id": 5}})
    give_to(journal, KEY, dead)
    clock.sleep(10)
    begun = journal.begin("r2", {KEY: "store"}, release, me)[KEY]
    assert (begun.resumed, begun.abandoned) == ("backup", None)
    promotion = begun.promotion
    assert (promotion.id, promotion.run, promotion.holder, promotion.owner) == (left.id, "r1", "r2", me)
    assert (promotion.name, promotion.phase, promotion.data) == ("store", "backup", {"backup": {"id": 5}})
    assert promotion.release == (release or None)
    assert (promotion.begun_at, promotion.updated_at) == (left.begun_at, clock.now())
    assert promotion.expires_at == clock.now() + dt.timedelta(seconds=LEASE_SECONDS)


def test_an_orphan_of_a_run_that_is_gone_has_to_stop(journal: PromotionStore, me: Owner, dead: Owner) -> None:
    left = begin(journal, "r1", me).promotion
    give_to(journal, KEY, dead)
    with pytest.raises(SyncError, match=r"run r1 lost its lock on shop: process .* has ended") as caught:
        journal.advance("r1", KEY, "sync", {"sync": {}})
    assert caught.value.code == "busy"
    assert (look(journal).phase, look(journal).data, look(journal).expires_at) == (LOCKED, {}, left.expires_at)


@pytest.mark.parametrize(("left", "now"), [("1", "2"), ("1", None), (None, "1"), ("1", "1.0")])
def test_what_a_dead_run_left_is_abandoned_by_another_release(
    journal: PromotionStore, clock: FakeClock, me: Owner, dead: Owner, left: str | None, now: str | None
) -> None:
    before = begin(journal, "r1", me, left).promotion
    journal.advance("r1", KEY, "backup", {"backup": {"id": 5}})
    give_to(journal, KEY, dead)
    begun = begin(journal, "r2", me, now)
    assert begun.resumed is None
    assert begun.abandoned is not None
    assert (begun.abandoned.id, begun.abandoned.phase) == (before.id, "backup")
    assert (begun.promotion.run, begun.promotion.release, begun.promotion.data) == ("r2", now, {})
    ended = last(journal, KEY)
    assert ended is not None
    assert (ended.id, ended.verdict, ended.finished_at) == (before.id, "abandoned", clock.now())


def test_a_lock_expires_and_the_run_that_lost_it_has_to_stop(journal: PromotionStore, clock: FakeClock, me: Owner) -> None:
    begin(journal, "r1", me)
    clock.sleep(59)
    with pytest.raises(LockHeld):
        begin(journal, "r2", me)
    clock.sleep(1)
    assert begin(journal, "r2", dataclasses.replace(me, label="colleague")).resumed == LOCKED
    taken = look(journal)
    for attempt in (
        lambda: journal.advance("r1", KEY, "sync"),
        lambda: journal.finish("r1", KEY, "succeeded"),
        lambda: journal.unlock("r1", KEY),
    ):
        with pytest.raises(SyncError, match=r"run r1 lost its lock on shop: run r2 of colleague .* has taken over") as caught:
            attempt()
        assert caught.value.code == "busy"
        assert caught.value.hint
    assert look(journal) == taken


def test_a_run_whose_promotion_was_abandoned_has_to_stop(journal: PromotionStore, clock: FakeClock, me: Owner) -> None:
    begin(journal, "r1", me)
    clock.sleep(60)
    begin(journal, "r2", me, "2")
    journal.finish("r2", KEY, "succeeded")
    with pytest.raises(SyncError, match="ended or given up") as caught:
        journal.advance("r1", KEY, "sync")
    assert caught.value.code == "busy"
    assert [(item.run, item.verdict) for item in history(journal, KEY, 9)] == [("r2", "succeeded"), ("r1", "abandoned")]


def test_an_expired_lock_that_was_not_taken_is_renewed(journal: PromotionStore, clock: FakeClock, me: Owner) -> None:
    begin(journal, "r1", me)
    clock.sleep(3600)
    journal.advance("r1", KEY, "sync")
    with pytest.raises(LockHeld):
        begin(journal, "r2", me)


def test_a_promotion_that_was_given_up_is_resumed_at_once(journal: PromotionStore, clock: FakeClock, me: Owner) -> None:
    begin(journal, "r1", me)
    journal.advance("r1", KEY, "sync", {"sync": {"state": "running"}})
    journal.unlock("r1", KEY)
    assert not journal.is_held(look(journal))
    with pytest.raises(SyncError, match="given up") as caught:
        journal.advance("r1", KEY, "verify")
    assert caught.value.code == "busy"
    begun = begin(journal, "r2", me)
    assert (begun.resumed, begun.promotion.run, begun.promotion.data) == ("sync", "r1", {"sync": {"state": "running"}})


def test_a_run_of_another_host_keeps_others_away_until_it_expires(
    journal: PromotionStore, clock: FakeClock, me: Owner, dead: Owner
) -> None:
    begin(journal, "r1", elsewhere(dead))
    with pytest.raises(LockHeld, match="on pod-2"):
        begin(journal, "r2", me)
    clock.sleep(60)
    assert begin(journal, "r2", me).resumed == LOCKED


def test_a_reused_process_id_blocks_no_other_run(journal: PromotionStore, me: Owner) -> None:
    begin(journal, "r1", me)
    with pytest.raises(LockHeld):
        begin(journal, "r2", me)
    journal.finish("r1", KEY, "failed")
    begin(journal, "r3", dataclasses.replace(me, process=dataclasses.replace(me.process, started="1")))
    begun = begin(journal, "r4", me)
    assert (begun.resumed, begun.taken_over and begun.taken_over.reason) == (LOCKED, "gone")


@pytest.mark.parametrize(
    "other",
    [
        Key("sixth", KEY.address, KEY.target),
        Key(KEY.provider, "https://other.example.com", KEY.target),
        Key(KEY.provider, KEY.address, "8"),
    ],
)
def test_targets_do_not_mix(journal: PromotionStore, me: Owner, other: Key) -> None:
    begin(journal, "r1", me)
    journal.finish("r1", KEY, "succeeded")
    begin(journal, "r2", me)
    journal.hold(KEY, "1", "slow", "r1")
    assert (journal.look(other), last(journal, other), history(journal, other, 9)) == (None, None, [])
    assert (journal.held(other, "1"), holds(journal, other, 9), journal.lift(other, "1", "fast")) == (None, [], None)
    with pytest.raises(SyncError):
        journal.advance("r2", other, "sync")
    begin(journal, "r3", me, key=other)


def test_the_file_itself_allows_one_unfinished_promotion(journal: PromotionStore, path: pathlib.Path, me: Owner) -> None:
    begin(journal, "r1", me)
    db = sqlite3.connect(path)
    columns = "run, holder, provider, address, target, name, release, phase, data, owner, owner_label, begun_at, updated_at"
    columns += ", expires_at"
    with pytest.raises(sqlite3.IntegrityError):
        db.execute(f"INSERT INTO promotions ({columns}) SELECT {columns} FROM promotions")
    db.close()


def test_history_is_newest_first_and_limited(journal: PromotionStore, me: Owner) -> None:
    for number in range(4):
        begin(journal, f"r{number}", me)
        journal.finish(f"r{number}", KEY, "failed" if number % 2 else "succeeded")
    begin(journal, "r4", me)
    assert [item.run for item in history(journal, KEY, 9)] == ["r4", "r3", "r2", "r1", "r0"]
    assert [item.run for item in history(journal, KEY, 2)] == ["r4", "r3"]
    newest, succeeded = last(journal, KEY), last(journal, KEY, "succeeded")
    assert newest is not None
    assert succeeded is not None
    assert (newest.run, succeeded.run, last(journal, KEY, "rolled_back")) == ("r3", "r2", None)


# -- holds ------------------------------------------------------------------------------------------------------------


def test_a_hold_from_begin_to_end(journal: PromotionStore, clock: FakeClock) -> None:
    held_at = clock.now()
    hold = journal.hold(KEY, "1.2", "the shop was slow", "r1", "alice")
    assert hold == ReleaseBlock(hold.id, KEY, "1.2", "r1", "the shop was slow", "alice", held_at, None, None, None)
    assert journal.held(KEY, "1.2") == hold
    assert journal.held(KEY, "1.20") is None
    clock.sleep(60)
    lifted = journal.lift(KEY, "1.2", "cache warmed", "bob")
    assert lifted == dataclasses.replace(hold, lift_reason="cache warmed", lifted_by="bob", lifted_at=clock.now())
    assert journal.held(KEY, "1.2") is None
    assert journal.lift(KEY, "1.2", "again") is None
    again = journal.hold(KEY, "1.2", "still slow", "r2")
    assert again.held_by == this_user()
    assert holds(journal, KEY, 9) == [again, lifted]
    assert holds(journal, KEY, 1) == [again]


def test_promotions_without_a_release_are_one_release_of_their_own(journal: PromotionStore) -> None:
    hold = journal.hold(KEY, None, "slow", "r1")
    assert hold.release is None
    assert journal.held(KEY, None) == journal.held(KEY, "") == hold
    assert journal.held(KEY, "1") is None
    assert journal.lift(KEY, "1", "no") is None
    assert journal.lift(KEY, None, "yes") is not None


def test_a_second_hold_leaves_the_first(journal: PromotionStore) -> None:
    first = journal.hold(KEY, "1", "slow", "r1")
    assert journal.hold(KEY, "1", "broken", "r2") == first
    assert holds(journal, KEY, 9) == [first]


def test_a_hold_is_independent_of_promotions(journal: PromotionStore, me: Owner) -> None:
    begin(journal, "r1", me)
    journal.hold(KEY, "1", "slow", "r1")
    journal.finish("r1", KEY, "rolled_back")
    begin(journal, "r2", me)
    assert journal.held(KEY, "1") is not None


# -- secrets ----------------------------------------------------------------------------------------------------------


def test_no_secret_reaches_the_file(path: pathlib.Path, clock: FakeClock, me: Owner) -> None:
    keeper = PromotionStore(str(path), clock, scrub=Redactor([SECRET]).scrub)
    db = sqlite3.connect(path)
    owner = dataclasses.replace(me, label=f"job {SECRET}")
    keeper.begin("r1", {KEY: f"shop {SECRET}"}, "1", owner)
    keeper.advance("r1", KEY, "sync", {"url": f"https://{SECRET}@shop", SECRET: [{"deep": SECRET}]})
    keeper.hold(KEY, "1", f"answer {SECRET}", "r1", f"who {SECRET}")
    keeper.lift(KEY, "1", f"because {SECRET}", f"who {SECRET}")
    for name in files(path):
        assert SECRET.encode() not in (path.parent / name).read_bytes()
    assert look(keeper).data["url"] == "https://********@shop"
    db.close()


# -- pruning ----------------------------------------------------------------------------------------------------------


def test_what_ended_long_ago_is_removed_when_something_begins(journal: PromotionStore, clock: FakeClock, me: Owner) -> None:
    begin(journal, "r1", me)
    journal.finish("r1", KEY, "succeeded")
    journal.hold(KEY, "1", "slow", "r1")
    journal.lift(KEY, "1", "fast")
    journal.hold(KEY, "2", "broken", "r1")
    begin(journal, "r2", me, key=OTHER)
    clock.sleep(KEPT.total_seconds())
    begin(journal, "r3", me)
    assert [item.run for item in history(journal, KEY, 9)] == ["r3", "r1"]
    assert len(holds(journal, KEY, 9)) == 2
    journal.finish("r3", KEY, "failed")
    clock.sleep(1)
    begin(journal, "r4", me)
    assert [item.run for item in history(journal, KEY, 9)] == ["r4", "r3"]
    # an active hold and an unfinished promotion stay, however old
    assert [item.release for item in holds(journal, KEY, 9)] == ["2"]
    assert look(journal, OTHER).run == "r2"


def test_little_is_removed_at_once(journal: PromotionStore, path: pathlib.Path, clock: FakeClock, me: Owner) -> None:
    begin(journal, "r1", me)
    journal.finish("r1", KEY, "succeeded")
    db = sqlite3.connect(path)
    columns = [row[1] for row in db.execute("PRAGMA table_info(promotions)") if row[1] != "id"]
    for _copy in range(8):
        db.execute(f"INSERT INTO promotions ({', '.join(columns)}) SELECT {', '.join(columns)} FROM promotions")
    db.commit()
    clock.sleep(KEPT.total_seconds() + 1)
    begin(journal, "r2", me)
    assert db.execute("SELECT count(*) FROM promotions").fetchone() == (2**8 - PRUNED_AT_ONCE + 1,)
    plans = db.execute("EXPLAIN QUERY PLAN SELECT id FROM promotions WHERE finished_at < 'x' ORDER BY finished_at LIMIT 9")
    assert "promotions_finished" in plans.fetchone()[3]
    db.close()


# -- processes --------------------------------------------------------------------------------------------------------


def test_of_many_processes_exactly_one_begins_while_it_lives(path: pathlib.Path, clock: FakeClock, me: Owner) -> None:
    # none of them finds a file
    racers = [Process(begin_and_hold, str(path), str(number)) for number in range(4)]
    assert [racer.line() for racer in racers] == ["ready"] * 4
    for racer in racers:
        racer.go_on()
    said = [racer.line() for racer in racers]
    assert sorted(said) == ["lost"] * 3 + ["won"]
    number = said.index("won")
    journal = PromotionStore(str(path), clock)
    with pytest.raises(LockHeld) as caught:
        begin(journal, "me", me)
    assert (caught.value.promotion.holder, caught.value.promotion.owner.process.pid) == (str(number), racers[number].pid)
    assert look(journal, OTHER).holder == str(number)
    racers[number].kill()
    assert begin(journal, "me", me).promotion.run == str(number)
    for racer in racers:
        racer.end()


@pytest.mark.parametrize(("phase", "data"), [(None, {}), ("backup", {"backup": {"id": 5}})])
def test_what_a_killed_run_knew_is_there_and_resumed_at_once(
    path: pathlib.Path, clock: FakeClock, me: Owner, phase: str | None, data: dict[str, t.Any]
) -> None:
    process = Process(begin_and_wait, str(path), "r1", phase)
    assert process.line() == "ready"
    journal = PromotionStore(str(path), clock)
    with pytest.raises(LockHeld):
        begin(journal, "r2", me)
    process.kill()
    begun = begin(journal, "r2", me)
    assert (begun.resumed, begun.promotion.data, begun.promotion.run) == (phase or LOCKED, data, "r1")


def test_a_run_killed_while_it_writes_leaves_what_was_there_before(path: pathlib.Path, clock: FakeClock, me: Owner) -> None:
    process = Process(advance_halfway, str(path), "r1")
    assert process.line() == "looking"
    process.kill()
    begun = begin(PromotionStore(str(path), clock), "r2", me)
    assert (begun.resumed, begun.promotion.data) == (LOCKED, {})


# -- any sequence of events -------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Row:
    """What the model knows of a promotion."""

    run: str
    holder: str
    pid: int
    release: str | None
    phase: str
    data: dict[str, int]
    expires: float
    verdict: str | None = None


KEYS = (KEY, OTHER)
keys = st.sampled_from(KEYS)
releases = st.sampled_from([None, "1", "2"])


class Promotions(RuleBasedStateMachine):
    """A journal against a list in memory; processes are live or dead as the model says."""

    @initialize()
    def start(self) -> None:
        self.place = tempfile.TemporaryDirectory()
        self.clock = FakeClock()
        self.path = os.path.join(self.place.name, "ledger.sqlite3")
        self.rows: dict[Key, list[Row]] = {key: [] for key in KEYS}
        self.holds: dict[tuple[Key, str | None], str] = {}
        self.lifted = 0
        self.runs: list[str] = ["r0"]
        self.dead: set[int] = set()

    def teardown(self) -> None:
        if hasattr(self, "place"):
            self.place.cleanup()

    def journal(self, read_only: bool = False) -> PromotionStore:
        return PromotionStore(self.path, self.clock, read_only)

    def unfinished(self, key: Key) -> Row | None:
        return next((row for row in self.rows[key] if row.verdict is None), None)

    def is_held(self, row: Row) -> bool:
        return row.holder != "" and row.pid not in self.dead and self.clock.elapsed < row.expires

    def mine(self, run: str, key: Key) -> Row | None:
        row = self.unfinished(key)
        return row if row is not None and row.holder == run else None

    @rule(chosen=st.lists(keys, unique=True, min_size=1), release=releases)
    def begin(self, chosen: list[Key], release: str | None) -> None:
        number = len(self.runs)
        run = f"r{number}"
        self.runs.append(run)
        # a dead owner has an unused process id; a live one is of another host, where its process cannot be checked
        owner = Owner(ProcessIdentity("another kernel", "space", number, "", "pod"), run)
        held = [key for key in chosen for row in [self.unfinished(key)] if row is not None and self.is_held(row)]
        targets = dict.fromkeys(chosen, "shop")
        if held:
            with pytest.raises(LockHeld) as caught:
                self.journal().begin(run, targets, release, owner)
            assert caught.value.key == held[0]
            return
        begun = self.journal().begin(run, targets, release, owner)
        for key in chosen:
            row = self.unfinished(key)
            if row is not None and row.release == release:
                assert begun[key].resumed == row.phase
                row.holder, row.pid, row.expires = run, number, self.clock.elapsed + LEASE_SECONDS
                continue
            assert (begun[key].resumed, begun[key].abandoned is None) == (None, row is None)
            if row is not None:
                row.verdict, row.holder = "abandoned", ""
            self.rows[key].append(Row(run, run, number, release, LOCKED, {}, self.clock.elapsed + LEASE_SECONDS))

    @rule(key=keys)
    def die(self, key: Key) -> None:
        """The owner turns out to be gone: its place becomes this kernel, where no such process is."""
        row = self.unfinished(key)
        if row is None or row.pid in self.dead:
            return
        self.dead.add(row.pid)
        db = sqlite3.connect(self.path)
        gone, alive = ProcessIdentity.of(UNUSED_PID), ProcessIdentity("another kernel", "space", row.pid, "", "pod")
        db.execute("UPDATE promotions SET owner = ? WHERE owner = ?", (gone.to_json(), alive.to_json()))
        db.commit()
        db.close()

    @rule(data=st.data(), key=keys, phase=st.sampled_from(["backup", "sync"]), fact=st.integers(0, 3))
    def advance(self, data: st.DataObject, key: Key, phase: str, fact: int) -> None:
        run = data.draw(st.sampled_from(self.runs))
        row = self.mine(run, key)
        if row is None or row.pid in self.dead:
            with pytest.raises(SyncError) as caught:
                self.journal().advance(run, key, phase, {str(fact): fact})
            assert caught.value.code == "busy"
            return
        self.journal().advance(run, key, phase, {str(fact): fact})
        row.phase, row.expires = phase, self.clock.elapsed + LEASE_SECONDS
        row.data = {**row.data, str(fact): fact}

    @rule(data=st.data())
    def beat(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from(self.runs))
        rows = [row for key in KEYS for row in [self.mine(run, key)] if row is not None]
        assert self.journal().renew(run) == len(rows)
        for row in rows:
            row.expires = self.clock.elapsed + LEASE_SECONDS

    @rule(data=st.data(), key=keys, verdict=st.sampled_from([None, "succeeded", "failed"]))
    def end(self, data: st.DataObject, key: Key, verdict: str | None) -> None:
        row = self.unfinished(key)
        holder = [row.holder] if row is not None and row.holder else []
        run = data.draw(st.sampled_from(holder * 3 + self.runs))
        row = self.mine(run, key)
        journal = self.journal()
        if row is None:
            with pytest.raises(SyncError) as caught:
                journal.finish(run, key, verdict) if verdict else journal.unlock(run, key)
            assert caught.value.code == "busy"
        elif verdict:
            journal.finish(run, key, verdict)
            row.verdict, row.holder = verdict, ""
        else:
            journal.unlock(run, key)
            row.holder = ""

    @rule(key=keys, release=releases, reason=st.sampled_from(["slow", "broken"]))
    def hold(self, key: Key, release: str | None, reason: str) -> None:
        self.holds.setdefault((key, release), reason)
        assert self.journal().hold(key, release, reason, "r0").reason == self.holds[key, release]

    @rule(key=keys, release=releases)
    def lift(self, key: Key, release: str | None) -> None:
        lifted = self.journal().lift(key, release, "enough")
        assert (lifted.reason if lifted else None) == self.holds.pop((key, release), None)
        self.lifted += lifted is not None

    @rule(seconds=st.integers(1, 40))
    def wait(self, seconds: int) -> None:
        self.clock.sleep(seconds)

    @invariant()
    def agree(self) -> None:
        if not hasattr(self, "path"):
            return
        reader = self.journal(read_only=True)
        for key in KEYS:
            found = history(reader, key, 1000)
            assert [(i.run, i.holder, i.release, i.phase, i.data, i.verdict) for i in found] == [
                (row.run, row.holder, row.release, row.phase, row.data, row.verdict) for row in reversed(self.rows[key])
            ]
            row, newest = self.unfinished(key), reader.look(key)
            assert (newest is None) == (row is None)
            if newest is not None and row is not None:
                assert reader.is_held(newest) == self.is_held(row)
            for release in (None, "1", "2"):
                hold = reader.held(key, release)
                assert (hold.reason if hold else None) == self.holds.get((key, release))
        assert sum(len(holds(reader, key, 1000)) for key in KEYS) == len(self.holds) + self.lifted


TestPromotions = Promotions.TestCase
TestPromotions.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
