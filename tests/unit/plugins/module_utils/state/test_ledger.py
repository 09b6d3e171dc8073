# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this controller remembers of its runs, across processes and their deaths."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import sqlite3
import stat

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._state import process, sqlite
from ansible_collections.lockstep.sync.plugins.module_utils._state.location import default_path
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key, LeaseConflict, RunLedger
from ansible_collections.lockstep.sync.plugins.module_utils._state.schema import SCHEMA_VERSION
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.ledger_users import KEY, intend_and_die, intend_and_hold, write_many
from tests.unit.plugins.support.processes import Process

HANDLE = {"provider": "fifth", "run": 7}

#: no process has it: above the limit that Linux knows
UNUSED_PID = 2**22 + 1


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "state" / "lockstep" / "ledger.sqlite3"


@pytest.fixture
def ledger(path: pathlib.Path, clock: FakeClock) -> RunLedger:
    return RunLedger(str(path), clock)


def files(path: pathlib.Path) -> list[str]:
    return sorted(item.name for item in path.parent.iterdir())


# -- the file ---------------------------------------------------------------------------------------------------------


def test_the_default_is_below_the_state_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/operator")
    assert default_path({"XDG_STATE_HOME": "/state"}) == "/state/lockstep/ledger.sqlite3"
    assert default_path({}) == "/home/operator/.local/state/lockstep/ledger.sqlite3"


def test_the_file_is_for_its_owner_alone(ledger: RunLedger, path: pathlib.Path) -> None:
    old = os.umask(0)
    try:
        ledger.intend(KEY, None, {})
        assert [stat.S_IMODE(item.stat().st_mode) for item in path.parent.iterdir()] == [0o600] * len(files(path))
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    finally:
        os.umask(old)


def test_readers_do_not_wait_for_writers(ledger: RunLedger, path: pathlib.Path) -> None:
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()


def test_a_newer_schema_is_refused(ledger: RunLedger, path: pathlib.Path, clock: FakeClock) -> None:
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    for read_only in (False, True):
        with pytest.raises(SyncError, match=r"option ledger: .*newer version") as caught:
            RunLedger(str(path), clock, read_only).open_entry(KEY)
        assert caught.value.code == "invalid_option"


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_is_no_ledger_is_refused(path: pathlib.Path, clock: FakeClock, read_only: bool) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("# my diary\n" * 100)
    with pytest.raises(SyncError, match=r"option ledger: .*ledger\.sqlite3") as caught:
        RunLedger(str(path), clock, read_only).open_entry(KEY)
    assert caught.value.code == "invalid_option"
    assert path.read_text().startswith("# my diary")


@pytest.mark.parametrize("place", ["file/ledger.sqlite3", "directory"])
def test_an_impossible_place_is_refused_with_a_remedy(tmp_path: pathlib.Path, clock: FakeClock, place: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "directory").mkdir()
    with pytest.raises(SyncError, match="option ledger") as caught:
        RunLedger(str(tmp_path / place), clock)
    assert caught.value.code == "invalid_option"
    assert "LOCKSTEP_LEDGER" in caught.value.hint


def test_a_file_that_stays_locked_is_an_error_and_no_traceback(
    ledger: RunLedger, path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.01)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SyncError, match="locked"):
        ledger.intend(KEY, None, {})
    holder.close()


# -- check mode -------------------------------------------------------------------------------------------------------


def test_check_mode_creates_nothing(path: pathlib.Path, clock: FakeClock) -> None:
    ledger = RunLedger(str(path), clock, read_only=True)
    assert (ledger.open_entry(KEY), ledger.last_success(KEY), ledger.release_done(KEY, "1")) == (None, None, None)
    assert not path.parent.exists()


def test_check_mode_reads_a_ledger_and_leaves_it_as_it_is(ledger: RunLedger, path: pathlib.Path, clock: FakeClock) -> None:
    ledger.started(ledger.intend(KEY, "1", {}), HANDLE)
    before, content = files(path), path.read_bytes()
    entry = RunLedger(str(path), clock, read_only=True).open_entry(KEY)
    assert entry is not None
    assert entry.handle == HANDLE
    assert (files(path), path.read_bytes()) == (before, content)


def test_check_mode_sees_what_a_writer_at_work_has_written(ledger: RunLedger, path: pathlib.Path, clock: FakeClock) -> None:
    writer = sqlite3.connect(path)
    writer.execute("SELECT * FROM runs").fetchall()
    ledger.intend(KEY, "1", {})
    assert "ledger.sqlite3-wal" in files(path)
    assert RunLedger(str(path), clock, read_only=True).open_entry(KEY) is not None
    writer.close()


def test_check_mode_takes_an_empty_file_as_an_empty_ledger(path: pathlib.Path, clock: FakeClock) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    assert RunLedger(str(path), clock, read_only=True).open_entry(KEY) is None
    assert path.read_bytes() == b""


@pytest.mark.parametrize("name", ["a ledger#1.sqlite3", "50%.sqlite3", "what?.sqlite3"])
def test_check_mode_reads_a_file_of_any_name(tmp_path: pathlib.Path, clock: FakeClock, name: str) -> None:
    RunLedger(str(tmp_path / name), clock).intend(KEY, None, {})
    assert RunLedger(str(tmp_path / name), clock, read_only=True).open_entry(KEY) is not None


# -- runs -------------------------------------------------------------------------------------------------------------


def test_an_intent_is_there_before_anything_else_is_known(ledger: RunLedger, clock: FakeClock) -> None:
    entry_id = ledger.intend(KEY, "1.2", {"last": 3})
    entry = ledger.open_entry(KEY)
    assert entry is not None
    assert (entry.id, entry.state, entry.release) == (entry_id, "intended", "1.2")
    assert (entry.handle, entry.snapshot, entry.intended_at) == (None, {"last": 3}, clock.now())


def test_a_started_run_keeps_its_handle(ledger: RunLedger) -> None:
    ledger.started(ledger.intend(KEY, None, {}), HANDLE)
    entry = ledger.open_entry(KEY)
    assert entry is not None
    assert (entry.state, entry.handle) == ("started", HANDLE)


@pytest.mark.parametrize("outcome", ["succeeded", "failed", "unknown", "void"])
def test_a_finished_run_is_not_open(ledger: RunLedger, outcome: str) -> None:
    ledger.finish(ledger.intend(KEY, None, {}), outcome)
    assert ledger.open_entry(KEY) is None


def test_an_outcome_that_does_not_exist_is_a_programming_error(ledger: RunLedger) -> None:
    with pytest.raises(ValueError, match="exploded"):
        ledger.finish(1, "exploded")


def test_a_success_satisfies_its_release_and_no_other(ledger: RunLedger) -> None:
    ledger.finish(ledger.intend(KEY, "1.2", {}), "succeeded")
    assert ledger.release_done(KEY, "1.2") is not None
    assert ledger.release_done(KEY, "1.20") is None


@pytest.mark.parametrize("outcome", ["failed", "unknown", "void"])
def test_anything_but_a_success_satisfies_no_release(ledger: RunLedger, outcome: str) -> None:
    ledger.finish(ledger.intend(KEY, "1.2", {}), outcome)
    assert ledger.release_done(KEY, "1.2") is None
    assert ledger.last_success(KEY) is None


def test_a_later_release_does_not_undo_an_earlier_one(ledger: RunLedger) -> None:
    for release in ("1.1", "1.2"):
        ledger.finish(ledger.intend(KEY, release, {}), "succeeded")
    assert ledger.release_done(KEY, "1.1") is not None


def test_the_newest_success_counts(ledger: RunLedger, clock: FakeClock) -> None:
    for _run in range(2):
        clock.sleep(100)
        ledger.finish(ledger.intend(KEY, None, {}), "succeeded")
    ledger.finish(ledger.intend(KEY, None, {}), "failed")
    entry = ledger.last_success(KEY)
    assert entry is not None
    assert entry.finished_at == clock.now()


@pytest.mark.parametrize(
    "other",
    [
        Key("sixth", KEY.address, KEY.target),
        Key(KEY.provider, "https://other.example.com", KEY.target),
        Key(KEY.provider, KEY.address, "8"),
    ],
)
def test_targets_do_not_mix(ledger: RunLedger, other: Key) -> None:
    ledger.finish(ledger.intend(KEY, "1.2", {}), "succeeded")
    ledger.intend(KEY, "1.2", {})
    assert (ledger.open_entry(other), ledger.last_success(other), ledger.release_done(other, "1.2")) == (None, None, None)
    ledger.intend(other, None, {})


def test_the_outcome_of_a_run_that_others_started_is_recorded(ledger: RunLedger, clock: FakeClock) -> None:
    ledger.seen(KEY, HANDLE, "succeeded", None)
    entry = ledger.last_success(KEY)
    assert entry is not None
    assert (entry.handle, entry.finished_at) == (HANDLE, clock.now())


def test_the_outcome_of_a_run_that_is_known_closes_its_entry(ledger: RunLedger) -> None:
    entry_id = ledger.intend(KEY, "1.2", {})
    ledger.started(entry_id, HANDLE)
    ledger.seen(KEY, HANDLE, "succeeded", None)
    entry = ledger.release_done(KEY, "1.2")
    assert entry is not None
    assert (entry.id, ledger.open_entry(KEY)) == (entry_id, None)


def test_the_outcome_of_another_run_leaves_an_open_entry_alone(ledger: RunLedger) -> None:
    ledger.started(ledger.intend(KEY, "1.2", {}), HANDLE)
    ledger.seen(KEY, {**HANDLE, "run": 8}, "succeeded", None)
    assert ledger.open_entry(KEY) is not None
    assert ledger.release_done(KEY, "1.2") is None


# -- holding ----------------------------------------------------------------------------------------------------------


def test_an_open_entry_keeps_others_away(ledger: RunLedger) -> None:
    entry_id = ledger.intend(KEY, None, {})
    with pytest.raises(LeaseConflict) as caught:
        ledger.intend(KEY, None, {})
    assert caught.value.entry is not None
    assert caught.value.entry.id == entry_id


def test_a_finished_one_does_not(ledger: RunLedger) -> None:
    ledger.finish(ledger.intend(KEY, None, {}), "failed")
    ledger.intend(KEY, None, {})


def test_a_hold_expires(ledger: RunLedger, clock: FakeClock) -> None:
    ledger.intend(KEY, None, {})
    clock.sleep(60)
    ledger.intend(KEY, None, {})


def test_a_hold_can_be_given_up_while_the_run_stays_open(ledger: RunLedger) -> None:
    entry_id = ledger.intend(KEY, None, {})
    ledger.drop_lease(entry_id)
    assert ledger.open_entry(KEY) is not None
    ledger.intend(KEY, None, {})


def test_a_hold_of_another_host_lasts_until_it_expires(
    ledger: RunLedger, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(process, "_boot", lambda: "another kernel")
        elsewhere.setattr("os.getpid", lambda: UNUSED_PID)
        ledger.intend(KEY, None, {})
    # there is no such process here, but that says nothing
    with pytest.raises(LeaseConflict):
        ledger.intend(KEY, None, {})
    clock.sleep(61)
    ledger.intend(KEY, None, {})


def test_of_many_processes_exactly_one_may_trigger_while_it_lives(path: pathlib.Path, ledger: RunLedger) -> None:
    racers = [Process(intend_and_hold, str(path)) for _racer in range(4)]
    assert [racer.line() for racer in racers] == ["ready"] * 4
    for racer in racers:
        racer.go_on()
    said = [racer.line() for racer in racers]
    assert sorted(said) == ["lost"] * 3 + ["won"]
    winner = racers[said.index("won")]
    with pytest.raises(LeaseConflict) as caught:
        ledger.intend(KEY, None, {})
    assert caught.value.entry is not None
    assert caught.value.entry.lease.owner.pid == winner.pid
    winner.kill()
    ledger.intend(KEY, None, {})
    for racer in racers:
        if racer is not winner:
            racer.end()


def test_a_process_that_dies_frees_its_target_and_leaves_what_it_knew(path: pathlib.Path, ledger: RunLedger) -> None:
    assert Process(intend_and_die, str(path), HANDLE).end() == 9
    entry = ledger.open_entry(KEY)
    assert entry is not None
    assert (entry.handle, entry.snapshot) == (HANDLE, {"last": 3})
    ledger.intend(KEY, None, {})


def test_processes_that_create_and_use_one_file_at_the_same_time_lose_nothing(path: pathlib.Path, clock: FakeClock) -> None:
    writers = [Process(write_many, str(path), str(number), 10) for number in range(3)]
    assert [writer.line() for writer in writers] == ["ready"] * 3
    for writer in writers:
        writer.go_on()
    assert [writer.end() for writer in writers] == [0] * 3
    db = sqlite3.connect(path)
    assert db.execute("SELECT count(*), count(DISTINCT target) FROM runs WHERE state = 'succeeded'").fetchone() == (30, 3)
    db.close()


def test_a_process_that_was_taken_over_does_not_hold_any_more(path: pathlib.Path, ledger: RunLedger, clock: FakeClock) -> None:
    Process(intend_and_die, str(path), HANDLE).end()
    entry = ledger.open_entry(KEY)
    assert entry is not None
    assert ledger.adopt(entry.id)
    adopted = ledger.open_entry(KEY)
    assert adopted is not None
    assert (adopted.lease.owner.pid, adopted.is_held(clock.now())) == (os.getpid(), True)


# -- what is undone ---------------------------------------------------------------------------------------------------

#: brings something else to the target, and so undoes what was there
OTHER = Key("sixth", KEY.address, KEY.target)


def brought(ledger: RunLedger, key: Key = KEY) -> int:
    entry_id = ledger.intend(key, "1.2", {})
    ledger.finish(entry_id, "succeeded")
    return entry_id


def holds(ledger: RunLedger, key: Key = KEY) -> bool:
    """Whether the release counts, which the age has to agree with."""
    done = ledger.release_done(key, "1.2")
    assert done == ledger.last_success(key)
    return done is not None


@pytest.mark.parametrize("outcome", [None, "succeeded", "failed", "unknown", "void"])
def test_an_intent_undoes_what_was_brought_before_whatever_becomes_of_it(ledger: RunLedger, outcome: str | None) -> None:
    brought(ledger)
    assert holds(ledger)
    entry_id = ledger.intend(OTHER, "back", {}, invalidates=[KEY])
    assert not holds(ledger)
    if outcome is not None:
        ledger.finish(entry_id, outcome)
    assert not holds(ledger)
    brought(ledger)
    assert holds(ledger)


def test_a_retracted_intent_has_undone_nothing(ledger: RunLedger) -> None:
    brought(ledger)
    entry_id = ledger.intend(OTHER, None, {}, invalidates=[KEY])
    ledger.retract(entry_id)
    assert holds(ledger)
    assert ledger.open_entry(OTHER) is None
    # the mark of another run stays
    ledger.intend(OTHER, None, {}, invalidates=[KEY])
    ledger.retract(entry_id)
    assert not holds(ledger)


def test_a_run_that_ends_after_it_was_undone_does_not_count(ledger: RunLedger) -> None:
    entry_id = ledger.intend(KEY, "1.2", {})
    ledger.started(entry_id, HANDLE)
    ledger.intend(OTHER, None, {}, invalidates=[KEY])
    assert ledger.is_invalidated(KEY, entry_id)
    assert ledger.open_entry(KEY) is not None
    ledger.seen(KEY, HANDLE, "succeeded", None)
    assert not holds(ledger)
    assert not ledger.is_invalidated(KEY, entry_id + 2)


def test_targets_below_are_undone_and_others_are_not(ledger: RunLedger) -> None:
    below, sibling = (dataclasses.replace(OTHER, target=target) for target in ("7/301", "70"))
    elsewhere, theirs = dataclasses.replace(OTHER, address="https://other.example.com"), dataclasses.replace(OTHER, provider="x")
    for key in (OTHER, below, sibling, elsewhere, theirs, KEY):
        brought(ledger, key)
    ledger.intend(below, "1.2", {}, invalidates=[OTHER])
    assert [holds(ledger, key) for key in (OTHER, below, sibling, elsewhere, theirs, KEY)] == [
        False,
        False,
        True,
        True,
        True,
        True,
    ]


def test_a_run_does_not_undo_itself(ledger: RunLedger) -> None:
    for _run in range(2):
        ledger.finish(ledger.intend(KEY, "1.2", {}, invalidates=[KEY]), "succeeded")
        assert holds(ledger)


def test_a_decision_made_before_something_was_undone_is_void(ledger: RunLedger) -> None:
    brought(ledger)
    mark = ledger.revision(KEY)
    entry_id = ledger.intend(OTHER, None, {}, invalidates=[KEY])
    assert ledger.revision(KEY) != mark
    with pytest.raises(LeaseConflict):
        ledger.intend(KEY, None, {}, mark)
    ledger.retract(entry_id)
    ledger.intend(KEY, None, {}, mark)


def test_a_decision_made_before_something_was_retracted_is_void(ledger: RunLedger) -> None:
    entry_id = ledger.intend(OTHER, None, {}, invalidates=[KEY])
    revision = ledger.revision(KEY)
    ledger.retract(entry_id)
    with pytest.raises(LeaseConflict, match="changed meanwhile"):
        ledger.intend(KEY, None, {}, revision)
    ledger.intend(KEY, None, {}, ledger.revision(KEY))


def test_a_decision_about_a_target_without_any_run_is_void_too(ledger: RunLedger) -> None:
    mark = ledger.revision(KEY)
    ledger.intend(OTHER, None, {}, invalidates=[KEY])
    with pytest.raises(LeaseConflict):
        ledger.intend(KEY, None, {}, mark)


def test_a_run_of_somebody_else_undoes_once(ledger: RunLedger) -> None:
    brought(ledger)
    ledger.invalidate(OTHER, HANDLE, [KEY])
    assert not holds(ledger)
    ledger.seen(OTHER, HANDLE, "succeeded", None)
    brought(ledger)
    ledger.invalidate(OTHER, HANDLE, [KEY])
    assert holds(ledger)


def test_check_mode_sees_what_is_undone(ledger: RunLedger, path: pathlib.Path, clock: FakeClock) -> None:
    entry_id = brought(ledger)
    reader = RunLedger(str(path), clock, read_only=True)
    assert not reader.is_invalidated(KEY, entry_id)
    ledger.intend(OTHER, None, {}, invalidates=[KEY])
    assert not holds(reader)
    assert reader.is_invalidated(KEY, entry_id)
    assert not RunLedger(f"{path}.none", clock, read_only=True).is_invalidated(KEY, entry_id)


def test_what_is_undone_is_a_state_of_its_own(ledger: RunLedger, path: pathlib.Path) -> None:
    brought(ledger)
    ledger.intend(OTHER, None, {}, invalidates=[KEY])
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert db.execute("SELECT state FROM runs ORDER BY id").fetchall() == [("succeeded",), ("invalidated",), ("intended",)]
    db.close()


# -- users without a home directory -----------------------------------------------------------------------------------


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user id without an entry in passwd, and no HOME, as in a container with any user id."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)


@pytest.mark.usefixtures("homeless")
@pytest.mark.parametrize("environ", [{}, {"XDG_STATE_HOME": ""}, {"XDG_STATE_HOME": "state"}])
def test_without_a_home_there_is_no_default(environ: dict[str, str]) -> None:
    with pytest.raises(SyncError, match=r"option ledger: the default .*: HOME is not set, and user id") as caught:
        default_path(environ)
    assert caught.value.code == "invalid_option"
    assert all(name in caught.value.hint for name in ("ledger", "ledger_path", "LOCKSTEP_LEDGER", "HOME"))


@pytest.mark.usefixtures("homeless")
def test_without_a_home_a_state_directory_will_do() -> None:
    assert default_path({"XDG_STATE_HOME": "/state"}) == "/state/lockstep/ledger.sqlite3"


@pytest.mark.usefixtures("homeless")
@pytest.mark.parametrize("path", ["~/ledger.sqlite3", "~", "~no-such-user/ledger.sqlite3"])
@pytest.mark.parametrize("read_only", [False, True])
def test_a_home_that_is_not_there_is_refused(
    path: str, read_only: bool, tmp_path: pathlib.Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pwd.getpwnam", {}.__getitem__)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SyncError, match=r"option ledger: .* no such home directory") as caught:
        RunLedger(path, clock, read_only)
    assert caught.value.code == "invalid_option"
    assert "LOCKSTEP_LEDGER" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_file_whose_name_begins_with_a_tilde_is_named_by_its_path(
    tmp_path: pathlib.Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    RunLedger("./~ledger", clock).intend(KEY, None, {})
    assert (tmp_path / "~ledger").exists()
