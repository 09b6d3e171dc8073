# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any windows at any moment, compared with a simple model of the clock."""

from __future__ import annotations

import contextlib
import datetime as dt
import zoneinfo
from typing import Any

from hypothesis import given, settings, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.plugin_utils._change_windows import syntax as _window_syntax, times as _window_time
from ansible_collections.lockstep.sync.plugins.plugin_utils._change_windows.decision import judge
from tests.properties import thorough
from tests.unit.plugins.plugin_utils.change_windows.windows import BERLIN, MINUTE, Json, utc

ZONES = ("UTC", BERLIN, "America/New_York", "America/Havana", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu")

#: around changes of clocks, in UTC
MOMENTS = (
    "2026-03-29 01:00",  # Berlin
    "2026-10-25 01:00",
    "2026-03-08 07:00",  # New York
    "2026-11-01 06:00",
    "2026-03-08 05:00",  # Havana
    "2026-11-01 05:00",
    "2026-04-04 15:00",  # Lord Howe: half an hour
    "2026-10-03 15:30",
    "2026-02-15 02:00",  # Casablanca: the month of fasting
    "2026-03-22 02:00",
    "2026-06-15 00:00",
)


def is_it(window: Json, moment: dt.datetime) -> bool:
    """The rule for weekly windows in other words: a window began today or yesterday, by the clock, and has not ended."""
    wall = moment.astimezone(zoneinfo.ZoneInfo(window["timezone"])).replace(tzinfo=None)
    for day in (wall.date(), wall.date() - dt.timedelta(days=1)):
        midnight = dt.datetime.combine(day, dt.time())
        begin, end = (midnight + window[key] * MINUTE for key in ("from", "to"))
        end += dt.timedelta(days=1) if end < begin else dt.timedelta()
        if f"{day:%a}".lower() in window["days"] and begin <= wall < end:
            return True
    return False


weekly = (
    st.fixed_dictionaries(
        {
            "days": st.lists(st.sampled_from(_window_time.DAYS), min_size=1, unique=True),
            "from": st.integers(0, 1439),
            "to": st.integers(0, 1440),
            "timezone": st.sampled_from(ZONES),
        }
    )
    .filter(lambda window: window["from"] != window["to"])
)  # fmt: skip


@thorough(60)
@given(
    allowed=st.lists(weekly, max_size=2),
    denied=st.lists(weekly, max_size=2),
    around=st.sampled_from(MOMENTS),
    shift=st.integers(-36 * 60, 36 * 60),
)
def test_like_a_look_at_the_clock_every_minute(allowed: list[Json], denied: list[Json], around: str, shift: int) -> None:
    def is_open(moment: dt.datetime) -> bool:
        within = not allowed or any(is_it(window, moment) for window in allowed)
        return within and not any(is_it(window, moment) for window in denied)

    now = utc(around) + shift * MINUTE
    verdict = judge({"allow": allowed, "deny": denied}, now)

    assert verdict.open == is_open(now)
    ahead = (now + minutes * MINUTE for minutes in range(1, 2 * 24 * 60))
    change = next((moment for moment in ahead if is_open(moment) != verdict.open), None)
    if change is not None:
        assert verdict.next_change == change
    else:
        assert verdict.next_change is None or verdict.next_change >= now + 2 * 24 * 60 * MINUTE


@settings(max_examples=40, deadline=None)
@given(windows=st.lists(weekly, min_size=1, max_size=3), shift=st.integers(0, 400 * 24 * 60))
def test_what_comes_next_is_true_when_it_comes(windows: list[Json], shift: int) -> None:
    now = utc("2026-01-01") + shift * MINUTE
    verdict = judge({"allow": windows}, now)
    if verdict.next_change is None:
        assert {judge({"allow": windows}, now + hours * 60 * MINUTE).open for hours in (1, 25, 2000)} == {verdict.open}
        return
    before = verdict.next_change - dt.timedelta(seconds=1)
    assert judge({"allow": windows}, verdict.next_change).open != verdict.open
    assert (judge({"allow": windows}, before).open, judge({"allow": windows}, before).next_change) == (
        verdict.open,
        verdict.next_change,
    )


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.dates() | st.floats(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(("allow", "deny", *_window_syntax.KEYS)), inner, max_size=4)
        ),
        max_leaves=8,
    )
)
def test_anything_is_understood_or_refused(windows: Any) -> None:
    """With no other exception than the one for users."""
    for value in (windows, {"allow": [windows]}):
        with contextlib.suppress(SyncError):
            judge(value, utc("2026-11-20"))
