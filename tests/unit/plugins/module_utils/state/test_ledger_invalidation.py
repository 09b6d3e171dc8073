# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that brings something else to a target invalidates what was there."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key, LeaseConflict, RunLedger
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.databases import Database
from tests.unit.plugins.support.ledger_users import HANDLE, KEY

#: brings something else to the target, and so invalidates what was there
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
def test_an_intent_invalidates_what_was_brought_before_whatever_its_outcome(ledger: RunLedger, outcome: str | None) -> None:
    brought(ledger)
    assert holds(ledger)
    entry_id = ledger.intend(OTHER, "back", {}, invalidates=[KEY])
    assert not holds(ledger)
    if outcome is not None:
        ledger.finish(entry_id, outcome)
    assert not holds(ledger)
    brought(ledger)
    assert holds(ledger)


def test_a_retracted_intent_has_invalidated_nothing(ledger: RunLedger) -> None:
    brought(ledger)
    entry_id = ledger.intend(OTHER, None, {}, invalidates=[KEY])
    ledger.retract(entry_id)
    assert holds(ledger)
    assert ledger.open_entry(OTHER) is None
    # the record of another run stays
    ledger.intend(OTHER, None, {}, invalidates=[KEY])
    ledger.retract(entry_id)
    assert not holds(ledger)


def test_a_run_that_ends_after_it_was_invalidated_does_not_count(ledger: RunLedger) -> None:
    entry_id = ledger.intend(KEY, "1.2", {})
    ledger.started(entry_id, HANDLE)
    ledger.intend(OTHER, None, {}, invalidates=[KEY])
    assert ledger.is_invalidated(KEY, entry_id)
    assert ledger.open_entry(KEY) is not None
    ledger.seen(KEY, HANDLE, "succeeded", None)
    assert not holds(ledger)
    assert not ledger.is_invalidated(KEY, entry_id + 2)


def test_targets_below_are_invalidated_and_others_are_not(ledger: RunLedger) -> None:
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


def test_a_run_does_not_invalidate_itself(ledger: RunLedger) -> None:
    for _run in range(2):
        ledger.finish(ledger.intend(KEY, "1.2", {}, invalidates=[KEY]), "succeeded")
        assert holds(ledger)


def test_a_decision_made_before_something_was_invalidated_is_void(ledger: RunLedger) -> None:
    brought(ledger)
    revision = ledger.revision(KEY)
    entry_id = ledger.intend(OTHER, None, {}, invalidates=[KEY])
    assert ledger.revision(KEY) != revision
    with pytest.raises(LeaseConflict):
        ledger.intend(KEY, None, {}, revision)
    ledger.retract(entry_id)
    ledger.intend(KEY, None, {}, revision)


def test_a_decision_made_before_something_was_retracted_is_void(ledger: RunLedger) -> None:
    entry_id = ledger.intend(OTHER, None, {}, invalidates=[KEY])
    revision = ledger.revision(KEY)
    ledger.retract(entry_id)
    with pytest.raises(LeaseConflict, match="changed meanwhile"):
        ledger.intend(KEY, None, {}, revision)
    ledger.intend(KEY, None, {}, ledger.revision(KEY))


def test_a_decision_about_a_target_without_any_run_is_void_too(ledger: RunLedger) -> None:
    revision = ledger.revision(KEY)
    ledger.intend(OTHER, None, {}, invalidates=[KEY])
    with pytest.raises(LeaseConflict):
        ledger.intend(KEY, None, {}, revision)


def test_a_decision_made_before_an_older_run_ended_is_void(ledger: RunLedger) -> None:
    entry_id = ledger.intend(KEY, "1.2", {})
    # another task has seen it in flight and does not know that it is this one
    ledger.seen(KEY, {"seen": "in flight"}, "succeeded", None)
    revision = ledger.revision(KEY)
    ledger.finish(entry_id, "succeeded")
    with pytest.raises(LeaseConflict):
        ledger.intend(KEY, "1.2", {}, revision)


def test_a_run_of_somebody_else_invalidates_once(ledger: RunLedger) -> None:
    brought(ledger)
    ledger.invalidate(OTHER, HANDLE, [KEY])
    assert not holds(ledger)
    ledger.seen(OTHER, HANDLE, "succeeded", None)
    brought(ledger)
    ledger.invalidate(OTHER, HANDLE, [KEY])
    assert holds(ledger)


def test_check_mode_sees_what_is_invalidated(
    ledger: RunLedger, database: Database, tmp_path: pathlib.Path, clock: FakeClock
) -> None:
    entry_id = brought(ledger)
    reader = RunLedger(database.location, clock, read_only=True)
    assert not reader.is_invalidated(KEY, entry_id)
    ledger.intend(OTHER, None, {}, invalidates=[KEY])
    assert not holds(reader)
    assert reader.is_invalidated(KEY, entry_id)
    unused = type(database)(tmp_path / "unused")
    assert not RunLedger(unused.location, clock, read_only=True).is_invalidated(KEY, entry_id)
