# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Weekly windows: days, times and changes of the clock."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

import pytest
import yaml

from ansible_collections.lockstep.sync.plugins.plugin_utils._change_windows.decision import judge
from tests.unit.plugins.plugin_utils.change_windows.windows import BERLIN, OFFICE, allow, states, utc


class TestWeekly:
    # 2026-11-20 is a Friday, and Berlin one hour ahead
    @pytest.mark.parametrize(
        ("now", "is_open", "change"),
        [
            ("2026-11-20 06:59:59", False, "2026-11-20 07:00"),
            ("2026-11-20 07:00", True, "2026-11-20 17:00"),
            ("2026-11-20 16:59:59.999999", True, "2026-11-20 17:00"),
            ("2026-11-20 17:00", False, "2026-11-23 07:00"),
            ("2026-11-21 12:00", False, "2026-11-23 07:00"),
        ],
    )
    def test_begins_with_from_and_ends_before_to(self, now: str, is_open: bool, change: str) -> None:
        verdict = judge({"allow": [OFFICE]}, utc(now))
        assert (verdict.open, verdict.next_change) == (is_open, utc(change))

    def test_says_which_and_until_when_in_its_zone(self) -> None:
        verdict = judge({"allow": [OFFICE]}, utc("2026-11-20 10:00"))
        assert verdict.window == "office"
        assert verdict.reason == (
            "within change window office (mon-fri 08:00-18:00, Europe/Berlin), until Fri 2026-11-20 18:00 CET"
        )

    def test_says_when_it_opens(self) -> None:
        verdict = judge({"allow": [OFFICE]}, utc("2026-11-20 22:00"))
        assert verdict.window is None
        assert verdict.reason == (
            "outside the change windows office (mon-fri 08:00-18:00, Europe/Berlin);"
            " it is Fri 2026-11-20 23:00 CET, and opens next Mon 2026-11-23 08:00 CET"
        )

    def test_now_may_be_in_any_zone(self) -> None:
        now = dt.datetime(2026, 11, 20, 12, tzinfo=zoneinfo.ZoneInfo("Asia/Tokyo"))
        assert judge({"allow": [OFFICE]}, now).reason.startswith("outside the change windows office")
        with pytest.raises(ValueError, match="without a zone"):
            judge({}, now.replace(tzinfo=None))

    def test_over_midnight_belongs_to_the_day_it_starts_on(self) -> None:
        window = {"days": ["fri"], "from": "22:00", "to": "02:00"}
        assert states(window, "2026-11-19 21:00", 6, 60) == "......"
        assert states(window, "2026-11-20 21:00", 6, 60) == ".####."
        assert states(window, "2026-11-21 21:00", 6, 60) == "......"

    def test_sunday_night_reaches_into_the_next_week(self) -> None:
        assert states({"days": "sun", "from": "22:00", "to": "02:00"}, "2026-11-22 21:00", 6, 60) == ".####."

    @pytest.mark.parametrize("to", ["24:00", 1440, "00:00", 0])
    def test_until_midnight(self, to: Any) -> None:
        assert allow("2026-11-20 23:59", days="fri", from_="18:00", to=to).next_change == utc("2026-11-21")

    def test_days_that_follow_each_other_are_one_window(self) -> None:
        assert allow("2026-11-20 12:00", days="mon-fri").next_change == utc("2026-11-21")
        assert allow("2026-11-16 12:00", days="mon-fri").next_change == utc("2026-11-21")

    def test_only_one_end(self) -> None:
        assert allow("2026-11-20 12:00", to="13:00").next_change == utc("2026-11-20 13:00")
        assert allow("2026-11-20 12:00", from_="13:00").next_change == utc("2026-11-20 13:00")

    def test_always(self) -> None:
        verdict = allow("2026-11-20 12:00", days="mon-sun")
        assert (verdict.open, verdict.next_change) == (True, None)
        assert verdict.reason == "within change window allow[0] (always, UTC); nothing changes that before 2027-11-21"

    @pytest.mark.parametrize(
        ("days", "found"),
        [
            ("mon-fri", "mon-fri"),
            ("MON - WED, sunday", "mon-wed,sun"),
            ("fri-mon", "mon,fri-sun"),
            (["sat", "sun"], "sat,sun"),
            (["mon-tue", "thu, fri"], "mon,tue,thu,fri"),
            ("wed-wed", "wed"),
            ("sun-sat,", None),
            ("tue-mon", None),
            ("Saturday", "sat"),
        ],
    )
    def test_days(self, days: Any, found: str | None) -> None:
        reason = allow("2026-11-20 12:00", days=days, to="01:00").reason
        assert f"allow[0] ({found + ' ' if found else ''}00:00-01:00, UTC)" in reason

    def test_yaml_reads_times_in_base_60(self) -> None:
        window = yaml.safe_load("{from: 8:00, to: 18:30, days: [mon, fri]}")
        assert window["from"] == 480
        assert allow("2026-11-20 12:00", **window).next_change == utc("2026-11-20 18:30")


class TestClockChanges:
    """In 2026 the clocks of Berlin went from 02:00 to 03:00 on 29 March, and back on 25 October, both at 01:00 UTC."""

    @pytest.mark.parametrize(
        ("times", "spring", "autumn"),
        [
            # half hours, from 01:00 in Berlin on
            (("02:30", "04:00"), "..##....", "...#.###"),
            (("01:00", "02:30"), "##......", "###.#..."),
            (("02:00", "03:00"), "........", "..####.."),
            (("01:30", "03:30"), ".##.....", ".######."),
        ],
    )
    def test_times_that_do_not_exist_or_come_twice(self, times: tuple[str, str], spring: str, autumn: str) -> None:
        window = {"from": times[0], "to": times[1], "timezone": BERLIN}
        assert states(window, "2026-03-29 00:00", 4) == spring
        assert states(window, "2026-10-24 23:00", 4) == autumn

    def test_the_hour_that_comes_twice_is_distinguished(self) -> None:
        window = {"from": "02:00", "to": "02:30", "timezone": BERLIN}
        assert judge({"allow": [window]}, utc("2026-10-25 00:10")).reason.endswith("until Sun 2026-10-25 02:30 CEST")
        between = judge({"allow": [window]}, utc("2026-10-25 00:40")).reason
        assert between.endswith("it is Sun 2026-10-25 02:40 CEST, and opens next Sun 2026-10-25 02:00 CET")

    def test_the_offset_follows_the_season(self) -> None:
        window = {"days": "mon", "from": "08:00", "to": "18:00", "timezone": "America/New_York"}
        assert allow("2026-07-19", **window).next_change == utc("2026-07-20 12:00")
        assert allow("2026-12-06", **window).next_change == utc("2026-12-07 13:00")

    def test_a_day_that_begins_twice(self) -> None:
        """Havana went back from 01:00 to 00:00 on 1 November 2026 (05:00 UTC): that hour of Sunday comes twice."""
        window = {"days": "sun", "to": "01:00", "timezone": "America/Havana"}
        assert states(window, "2026-11-01 03:00", 4, 60) == ".##."

    def test_a_saturday_that_goes_on_after_sunday_began(self) -> None:
        """In St. John's it was 00:01 on Sunday when the clocks went back to 23:01 of Saturday (29 October 2006, 02:31 UTC)."""
        window = {"days": "sat", "timezone": "America/St_Johns"}
        assert states(window, "2006-10-29 02:27", 1, 1)[:10] == "###.######"
        assert judge({"allow": [window]}, utc("2006-10-29 02:31")).next_change == utc("2006-10-29 03:30")
