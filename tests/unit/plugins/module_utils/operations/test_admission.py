# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many targets may be under way at once."""

from __future__ import annotations

import heapq

import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._operations.admission import FixedLimit, PacedLimit


@given(st.integers(1, 100), st.integers(0, 200))
def test_a_number_that_is_given(limit: int, under_way: int) -> None:
    assert FixedLimit(limit).allows(under_way, 0.0) is (under_way < limit)


def longest(number: int, seconds: float, workers: int, time: float, limited: bool) -> tuple[float, float]:
    """The longest time that a run takes from its trigger on, and the whole time, where a server does a few at a time."""
    limit, now, free, ends, started = PacedLimit(time), 0.0, [0.0] * workers, [], []
    under_way = begun = 0
    while begun < number or ends:
        while begun < number and (limit.allows(under_way, now) or not limited):
            begun, under_way = begun + 1, under_way + 1
            end = max(now, heapq.heappop(free)) + seconds
            heapq.heappush(free, end)
            heapq.heappush(ends, (end, now))
        now, began = heapq.heappop(ends)
        started.append(now - began)
        under_way -= 1
        limit.note_run(now)
    return max(started), now


@pytest.mark.parametrize("seconds", [0.01, 0.25, 1.0, 5.0])
@pytest.mark.parametrize("workers", [1, 4, 12])
def test_no_run_is_queued_for_most_of_its_time_and_the_server_is_never_idle(seconds: float, workers: int) -> None:
    number = 3000
    floor = -(-number // workers) * seconds
    queued, whole = longest(number, seconds, workers, 900, limited=True)
    assert whole == pytest.approx(floor, rel=0.01)
    assert queued <= max(900 * 0.3, PacedLimit.AT_LEAST * seconds / workers + 2 * seconds)
    if floor > 1000:
        assert longest(number, seconds, workers, 900, limited=False)[0] > 900


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=50))
def test_there_is_always_room_for_so_many(events: list[tuple[float, bool]]) -> None:
    limit, now = PacedLimit(900), 0.0
    for seconds, ended in events:
        now += seconds
        if ended:
            limit.note_run(now)
        assert limit.allows(PacedLimit.AT_LEAST - 1, now)
