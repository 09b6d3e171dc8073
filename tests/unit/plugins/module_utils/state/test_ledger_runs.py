# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a controller remembers of its runs: intents, handles, outcomes and the releases they satisfy."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key, RunLedger
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.ledger_users import HANDLE, KEY


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


def test_a_later_release_does_not_invalidate_an_earlier_one(ledger: RunLedger) -> None:
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
