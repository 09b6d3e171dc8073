# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that answers and cannot show any run is tolerated as long as one that does not answer."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.poll import PollAgain, PollPolicy, Reading, Settled, Waiter

OUTAGE = SyncError("server_error", "its database is down", "Start it.", 200)
HIDDEN = Reading("pending", "error, as every run is", outage=OUTAGE)
UNREACHABLE = SyncError("connection_failed", "refused")
RUNNING = Reading("running", "Running")
FAILED = Reading("failed", "Failed")
DONE = Reading("succeeded")


def look(waiter: Waiter, *seen: tuple[float, Reading | SyncError]) -> t.Any:
    """The verdict after these looks, each at its moment."""
    verdict: t.Any = None
    for at, reading in seen:
        assert not isinstance(verdict, Settled)
        verdict = waiter.after(at, at, reading)
    return verdict


def waiter(deadline: float = 900.0, **policy: t.Any) -> Waiter:
    return Waiter(PollPolicy(**policy), 0.0, deadline, lambda: 0.5)


def test_it_is_tolerated_for_the_grace_of_an_outage_and_no_longer() -> None:
    watch = waiter(outage_grace=60)
    assert isinstance(look(watch, (1, RUNNING), (2, HIDDEN), (61.9, HIDDEN)), PollAgain)
    settled = look(watch, (62, HIDDEN))
    assert (settled.outcome, settled.error, settled.reading) == ("error", OUTAGE, HIDDEN)


def test_the_look_that_decides_is_not_put_off() -> None:
    assert look(waiter(outage_grace=60), (2, HIDDEN), (60, HIDDEN)) == PollAgain(62)


def test_both_kinds_of_outage_are_one() -> None:
    assert isinstance(look(waiter(outage_grace=60), (2, UNREACHABLE), (40, HIDDEN), (61, UNREACHABLE)), PollAgain)
    settled = look(waiter(outage_grace=60), (2, HIDDEN), (40, UNREACHABLE), (62, HIDDEN))
    assert (settled.outcome, settled.error) == ("error", OUTAGE)
    settled = look(waiter(outage_grace=60), (2, HIDDEN), (62, UNREACHABLE))
    assert (settled.outcome, settled.error) == ("error", UNREACHABLE)


@pytest.mark.parametrize("good", [RUNNING, Reading("absent"), Reading("pending")])
def test_a_good_reading_ends_it(good: Reading) -> None:
    assert isinstance(
        look(waiter(outage_grace=60, absent_grace=900), (2, HIDDEN), (61, good), (62, HIDDEN), (121, HIDDEN)), PollAgain
    )


def test_a_deadline_before_the_end_of_the_grace_is_a_time_out() -> None:
    settled = look(waiter(deadline=30, outage_grace=60), (1, RUNNING), (2, HIDDEN), (30, HIDDEN))
    assert (settled.outcome, settled.reading) == ("timed_out", HIDDEN)


def test_a_failure_before_it_has_to_be_confirmed_anew_after_it() -> None:
    watch = waiter(failed_reads=3, failed_for=2.0)
    assert isinstance(look(watch, (1, FAILED), (2, FAILED), (3, HIDDEN), (4, FAILED), (6, FAILED)), PollAgain)
    assert look(watch, (7, FAILED)).outcome == "failed"


def test_success_is_believed_at_once() -> None:
    assert look(waiter(), (2, HIDDEN), (3, DONE)).outcome == "succeeded"
