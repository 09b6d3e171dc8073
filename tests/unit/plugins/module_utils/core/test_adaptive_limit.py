# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much a server is asked at once: additive increase, multiplicative decrease."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.adaptive_limit import ONE_OVERLOAD, AdaptiveLimit

#: seconds since the one before, and whether it is a refusal
EVENTS = st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=200)


def test_it_begins_with_its_ceiling() -> None:
    assert AdaptiveLimit(8).value == 8


@given(st.integers(1, 64), EVENTS)
def test_it_stays_between_one_and_its_ceiling(ceiling: int, events: list[tuple[float, bool]]) -> None:
    limit, now = AdaptiveLimit(ceiling), 0.0
    for seconds, refused in events:
        now += seconds
        before = limit.value
        if refused:
            limit.overloaded(now)
            assert limit.value in (before, max(1, before // 2))
        else:
            limit.succeeded()
            assert limit.value in (before, before + 1)
        assert 1 <= limit.value <= ceiling


@given(st.integers(2, 64), st.integers(1, 20))
def test_what_is_refused_all_together_counts_once(ceiling: int, refusals: int) -> None:
    limit = AdaptiveLimit(ceiling)
    for number in range(refusals):
        limit.overloaded(100 + number * ONE_OVERLOAD / 40)
    assert limit.value == ceiling // 2
    limit.overloaded(100 + ONE_OVERLOAD)
    assert limit.value == max(1, ceiling // 4)


@given(st.integers(2, 64))
def test_a_round_of_good_answers_raises_it_by_one(ceiling: int) -> None:
    limit = AdaptiveLimit(ceiling)
    limit.overloaded(0)
    while limit.value < ceiling:
        before = limit.value
        for _answer in range(before - 1):
            limit.succeeded()
        assert limit.value == before
        limit.succeeded()
        assert limit.value == before + 1


@pytest.mark.parametrize("capacity", [1, 3, 10])
def test_it_comes_to_rest_near_what_a_server_can_take(capacity: int) -> None:
    """A server that refuses what exceeds its capacity, asked in rounds of a second."""
    limit, seen = AdaptiveLimit(64), t.cast("list[int]", [])
    for second in range(300):
        asked = limit.value
        seen.append(asked)
        for number in range(asked):
            if number < capacity:
                limit.succeeded()
            else:
                limit.overloaded(float(second))
    assert max(seen[20:]) <= capacity + 1
    assert sum(seen[100:]) / 200 >= 0.6 * capacity
