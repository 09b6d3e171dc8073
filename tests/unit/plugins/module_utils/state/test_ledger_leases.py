# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An open entry keeps other runs and processes away until it is finished, given up, expired or its process is gone."""

from __future__ import annotations

import os

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._state import process
from ansible_collections.lockstep.sync.plugins.module_utils._state.process import ProcessIdentity
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import LeaseConflict, RunLedger
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.databases import Database
from tests.unit.plugins.support.ledger_users import HANDLE, KEY, intend_and_die, intend_and_hold, write_many
from tests.unit.plugins.support.processes import UNUSED_PID, Process


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
        elsewhere.setattr(ProcessIdentity, "current", lambda: ProcessIdentity.of(UNUSED_PID))
        ledger.intend(KEY, None, {})
    # there is no such process here, but that says nothing
    with pytest.raises(LeaseConflict):
        ledger.intend(KEY, None, {})
    clock.sleep(61)
    ledger.intend(KEY, None, {})


# -- processes --------------------------------------------------------------------------------------------------------


def test_of_many_processes_exactly_one_may_trigger_while_it_lives(database: Database, ledger: RunLedger) -> None:
    racers = [Process(intend_and_hold, database.location) for _racer in range(4)]
    assert [racer.line() for racer in racers] == ["ready"] * 4
    for racer in racers:
        racer.go_on()
    lines = [racer.line() for racer in racers]
    assert sorted(lines) == ["lost"] * 3 + ["won"]
    winner = racers[lines.index("won")]
    with pytest.raises(LeaseConflict) as caught:
        ledger.intend(KEY, None, {})
    assert caught.value.entry is not None
    assert caught.value.entry.lease.owner.pid == winner.pid
    winner.kill()
    ledger.intend(KEY, None, {})
    for racer in racers:
        if racer is not winner:
            racer.end()


def test_a_process_that_dies_frees_its_target_and_leaves_what_it_knew(database: Database, ledger: RunLedger) -> None:
    assert Process(intend_and_die, database.location, HANDLE).end() == 9
    entry = ledger.open_entry(KEY)
    assert entry is not None
    assert (entry.handle, entry.snapshot) == (HANDLE, {"last": 3})
    ledger.intend(KEY, None, {})


def test_processes_that_create_and_use_one_file_at_the_same_time_lose_nothing(database: Database, clock: FakeClock) -> None:
    writers = [Process(write_many, database.location, str(number), 10) for number in range(3)]
    assert [writer.line() for writer in writers] == ["ready"] * 3
    for writer in writers:
        writer.go_on()
    assert [writer.end() for writer in writers] == [0] * 3
    statement = "SELECT count(*), count(DISTINCT target) FROM runs WHERE state = 'succeeded'"
    assert database.query(statement) == [(30, 3)]


def test_a_process_that_was_taken_over_does_not_hold_any_more(database: Database, ledger: RunLedger, clock: FakeClock) -> None:
    Process(intend_and_die, database.location, HANDLE).end()
    entry = ledger.open_entry(KEY)
    assert entry is not None
    assert ledger.adopt(entry.id)
    adopted = ledger.open_entry(KEY)
    assert adopted is not None
    assert (adopted.lease.owner.pid, adopted.is_held(clock.now())) == (os.getpid(), True)
