# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""So many requests a second, and no more."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.rate_limit import RateLimit


@given(st.floats(0.01, 1000), st.lists(st.floats(0, 2), min_size=2, max_size=100))
def test_no_second_has_more(rate: float, pauses: list[float]) -> None:
    limit, now, taken = RateLimit(rate), 1000.0, []
    for pause in pauses:
        now += pause
        at = limit.take(now, float("inf"))
        assert at is not None
        assert at >= now
        taken.append(at)
    assert all(later - earlier >= 1 / rate - 1e-6 for earlier, later in zip(taken, taken[1:]))


@given(st.floats(0.01, 1000))
def test_what_comes_late_enough_does_not_wait(rate: float) -> None:
    limit = RateLimit(rate)
    assert limit.take(5.0, 5.0) == 5.0
    now = 5.0 + 1.001 / rate
    assert limit.take(now, now) == now


def test_what_is_of_no_use_takes_nothing() -> None:
    limit = RateLimit(0.5)
    assert limit.take(10, 10) == 10
    assert limit.take(10, 11) is None
    assert limit.take(11, 11.5) is None
    assert limit.take(11, 12) == pytest.approx(12)
