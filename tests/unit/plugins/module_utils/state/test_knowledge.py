# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a decision about a target is made by: all of it from one read."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import NO_REVISION, Knowledge, RunLedger
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.databases import Database
from tests.unit.plugins.support.lab import Lab, only
from tests.unit.plugins.support.ledger_users import HANDLE, KEY


def test_of_a_new_target_nothing_is_known(ledger: RunLedger) -> None:
    known = ledger.knowledge(KEY, "1")
    assert dataclasses.replace(known, now=ledger.now()) == Knowledge(ledger.now())
    assert (known.revision, known.entry, known.is_held) == (NO_REVISION, None, False)


def test_it_is_what_single_reads_find(ledger: RunLedger, clock: FakeClock) -> None:
    above = dataclasses.replace(KEY, target="4")
    key = dataclasses.replace(KEY, target="4/7")
    steps: list[t.Callable[[], object]] = [
        lambda: ledger.finish(ledger.intend(key, "1", {}), "succeeded"),
        lambda: ledger.finish(ledger.intend(key, "2", {}), "failed"),
        lambda: ledger.started(ledger.intend(key, "3", {"last": 3}), HANDLE),
        lambda: ledger.seen(key, HANDLE, "succeeded", None),
        lambda: ledger.intend(above, None, {}, invalidates=[above]),
        lambda: ledger.finish(ledger.intend(key, "1", {}), "succeeded"),
        lambda: ledger.intend(key, "4", {}),
    ]
    for step in steps:
        step()
        clock.sleep(1)
        for release in ("1", "2", "3", ""):
            known = ledger.knowledge(key, release)
            assert (known.revision, known.entry) == (ledger.revision(key), ledger.open_entry(key))
            assert (known.last_success, known.release_done) == (ledger.last_success(key), ledger.release_done(key, release))
            assert known.is_held == (known.entry is not None and ledger.is_held(known.entry))
    assert known.is_held


@pytest.mark.parametrize("others", ["", "another"])
def test_others_are_not_known_of(ledger: RunLedger, others: str) -> None:
    ledger.intend(dataclasses.replace(KEY, address=others), "1", {})
    assert ledger.knowledge(KEY, "1").revision == NO_REVISION


def test_check_mode_reads_it_as_well(ledger: RunLedger, database: Database, clock: FakeClock) -> None:
    ledger.finish(ledger.intend(KEY, "1", {}), "succeeded")
    reader = RunLedger(database.location, clock, read_only=True)
    done = ledger.release_done(KEY, "1")
    assert done is not None and reader.knowledge(KEY, "1").release_done == done


def test_a_target_without_an_open_run_is_read_once_before_its_plan(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    read = RunLedger._read

    def note(ledger: RunLedger, work: t.Any) -> t.Any:
        reads.append("read")
        return read(ledger, work)

    monkeypatch.setattr(RunLedger, "_read", note)
    for _time in range(2):
        reads.clear()
        only(lab.run(release="1", max_age=60))
        assert reads == ["read"]
