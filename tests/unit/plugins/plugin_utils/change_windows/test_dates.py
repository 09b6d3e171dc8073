# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Windows between dates."""

from __future__ import annotations

import datetime as dt

import pytest
import yaml

from ansible_collections.lockstep.sync.plugins.plugin_utils._change_windows.decision import judge
from tests.unit.plugins.plugin_utils.change_windows.windows import BERLIN, allow, states, utc


class TestDates:
    def test_pure_dates_include_the_last(self) -> None:
        freeze = {"name": "freeze", "start": "2026-12-20", "end": "2027-01-06", "timezone": BERLIN}
        for now, is_open in (
            ("2026-12-19 22:59:59", True),
            ("2026-12-19 23:00", False),
            ("2027-01-06 22:59:59", False),
            ("2027-01-06 23:00", True),
        ):
            assert judge({"deny": [freeze]}, utc(now)).open is is_open
        verdict = judge({"deny": [freeze]}, utc("2026-12-24"))
        assert (verdict.window, verdict.next_change) == ("freeze", utc("2027-01-06 23:00"))
        assert verdict.reason == (
            "denied by change window freeze (from 2026-12-20 through 2027-01-06, Europe/Berlin);"
            " it is Thu 2026-12-24 01:00 CET, and opens next Thu 2027-01-07 00:00 CET"
        )

    def test_one_day(self) -> None:
        assert allow("2026-12-24 12:00", start="2026-12-24", end="2026-12-24").next_change == utc("2026-12-25")

    def test_date_times_exclude_the_end(self) -> None:
        window = {"start": "2026-12-20 18:00", "end": "2026-12-21T06:00:30", "timezone": BERLIN}
        assert allow("2026-12-20 16:59:59", **window).next_change == utc("2026-12-20 17:00")
        assert allow("2026-12-20 17:00", **window).next_change == utc("2026-12-21 05:00:30")
        assert "until Mon 2026-12-21 06:00:30 CET" in allow("2026-12-20 17:00", **window).reason
        assert not allow("2026-12-21 05:00:30", **window).open

    def test_date_times_with_an_offset_are_instants(self) -> None:
        window = {"start": "2026-12-20T18:00:00Z", "end": "2026-12-20T22:00:00+01:00", "timezone": "Asia/Tokyo"}
        assert allow("2026-12-20 17:00", **window).next_change == utc("2026-12-20 18:00")
        assert allow("2026-12-20 18:00", **window).next_change == utc("2026-12-20 21:00")

    def test_open_on_one_side(self) -> None:
        assert allow("2026-12-20", start="2026-12-24").next_change == utc("2026-12-24")
        assert allow("2026-12-24", start="2026-12-24").next_change is None
        assert allow("2026-12-20", end="2026-12-24").next_change == utc("2026-12-25")
        assert not allow("2026-12-25", end="2026-12-24").open

    def test_yaml_makes_objects_of_them(self) -> None:
        text = "[{start: 2026-12-20, end: 2026-12-24}, {start: 2026-12-20 18:00:00, end: 2026-12-20T20:00:00Z}]"
        dates, times = yaml.safe_load(text)
        assert isinstance(dates["start"], dt.date) and isinstance(times["end"], dt.datetime)
        assert allow("2026-12-24 12:00", **dates).next_change == utc("2026-12-25")
        assert allow("2026-12-20 19:00", **times).next_change == utc("2026-12-20 20:00")

    def test_weekly_within_a_period(self) -> None:
        window = {"days": "mon-fri", "from": "08:00", "to": "18:00", "start": "2026-11-23", "end": "2026-11-24"}
        assert allow("2026-11-20 12:00", **window).next_change == utc("2026-11-23 08:00")
        assert allow("2026-11-23 20:00", **window).next_change == utc("2026-11-24 08:00")
        verdict = allow("2026-11-24 20:00", **window)
        assert verdict.next_change is None
        assert verdict.reason.endswith("it is Tue 2026-11-24 20:00 UTC, and it does not open before 2027-11-25")

    def test_dates_mean_the_day_that_a_window_starts_on(self) -> None:
        night = {"from": "22:00", "to": "02:00", "start": "2026-11-20", "end": "2026-11-21"}
        assert states(night, "2026-11-20 00:00", 54, 60) == "." * 22 + "####" + "." * 20 + "####" + "...."

    def test_date_times_cut_a_window(self) -> None:
        night = {"from": "22:00", "to": "02:00", "start": "2026-11-20 23:00", "end": "2026-11-22 01:00"}
        assert states(night, "2026-11-20 20:00", 32, 60) == "...###" + "." * 20 + "###" + "..."

    @pytest.mark.parametrize("end", ["9999-12-31", "9999-12-31 23:59", "9999-12-31T23:59:59Z"])
    @pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
    def test_for_ever(self, end: str, zone: str) -> None:
        assert allow("2026-11-20", start="2026-01-01", end=end, timezone=zone).next_change is None
