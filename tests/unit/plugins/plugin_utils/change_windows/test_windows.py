# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Change windows: whether it is open, when that changes, and what is refused."""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
import zoneinfo
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
import yaml
from hypothesis import given, settings, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.plugin_utils._change_windows import (
    syntax as _window_syntax,
    times as _window_time,
)
from ansible_collections.lockstep.sync.plugins.plugin_utils._change_windows.decision import Verdict, check, judge

Json = dict[str, Any]

UTC = dt.timezone.utc
MINUTE = dt.timedelta(minutes=1)
BERLIN = "Europe/Berlin"


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=UTC)


def allow(now: str, **window: Any) -> Verdict:
    """With one allow window; ``from_`` stands for ``from``."""
    return judge({"allow": [{key.rstrip("_"): value for key, value in window.items()}]}, utc(now))


def states(window: Json, start: str, hours: int, step: int = 30) -> str:
    """``#`` for each step of so many minutes at whose beginning it is open, ``.`` for the others."""
    moments = (utc(start) + index * step * MINUTE for index in range(hours * 60 // step))
    return "".join(".#"[judge({"allow": [window]}, moment).open] for moment in moments)


def refused(windows: Any) -> SyncError:
    with pytest.raises(SyncError) as caught:
        check(windows)
    with pytest.raises(SyncError) as again:
        judge(windows, utc("2026-11-20"))
    assert caught.value.code == "invalid_option"
    assert caught.value.hint
    assert str(again.value) == str(caught.value)
    return caught.value


def refused_entry(**window: Any) -> SyncError:
    return refused({"deny": [{"days": "mon"}, {key.rstrip("_"): value for key, value in window.items()}]})


OFFICE: Json = {"name": "office", "days": "mon-fri", "from": "08:00", "to": "18:00", "timezone": BERLIN}


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


class TestCron:
    def test_begins_with_the_time_and_lasts(self) -> None:
        night = {"name": "night", "cron": "0 22 * * fri", "duration": "10h", "timezone": BERLIN}
        assert allow("2026-11-20 20:59:59", **night).next_change == utc("2026-11-20 21:00")
        verdict = allow("2026-11-21 06:59:59", **night)
        assert (verdict.open, verdict.next_change) == (True, utc("2026-11-21 07:00"))
        assert verdict.reason == (
            "within change window night (cron 0 22 * * fri for 10h, Europe/Berlin), until Sat 2026-11-21 08:00 CET"
        )
        assert allow("2026-11-21 07:00", **night).next_change == utc("2026-11-27 21:00")

    @pytest.mark.parametrize(
        ("duration", "end"),
        [
            (5400, "01:30"),
            ("5400", "01:30"),
            ("90m", "01:30"),
            ("1h30m", "01:30"),
            ("1h 30m", "01:30"),
            ("60s", "00:01"),
            ("2H", "02:00"),
        ],
    )
    def test_durations(self, duration: Any, end: str) -> None:
        assert allow("2026-11-20 00:00", cron="0 0 * * *", duration=duration).next_change == utc(f"2026-11-20 {end}")

    def test_lasts_in_real_time(self) -> None:
        night = {"cron": "0 1 * * *", "duration": "4h", "timezone": BERLIN}
        # 01:00 CET to 06:00 CEST, and 01:00 CEST to 04:00 CET
        assert allow("2026-03-29 00:00", **night).next_change == utc("2026-03-29 04:00")
        assert allow("2026-10-25 00:00", **night).next_change == utc("2026-10-25 03:00")

    def test_a_time_that_does_not_exist_comes_with_the_jump(self) -> None:
        assert allow("2026-03-29 00:30", cron="30 2 * * *", duration="10m", timezone=BERLIN).next_change == utc(
            "2026-03-29 01:00"
        )

    def test_a_time_that_comes_twice_counts_once(self) -> None:
        window = {"cron": "30 2 * * *", "duration": "10m", "timezone": BERLIN}
        assert allow("2026-10-25 00:00", **window).next_change == utc("2026-10-25 00:30")
        assert allow("2026-10-25 00:40", **window).next_change == utc("2026-10-26 01:30")

    def test_windows_that_touch_are_one(self) -> None:
        assert allow("2026-11-20 12:00", cron="0 8-11,12 * * *", duration="1h").next_change == utc("2026-11-20 13:00")

    def test_a_long_one_that_began_long_ago(self) -> None:
        assert allow("2026-11-20 12:00", cron="0 0 1 * *", duration="30d").next_change == utc("2026-12-31")

    def test_a_rare_one(self) -> None:
        assert allow("2026-11-20", cron="0 0 1 11 *", duration="1h").next_change == utc("2027-11-01")
        assert allow("2026-11-20", cron="0 0 29 2 *", duration="1h").next_change is None

    def test_one_that_never_comes(self) -> None:
        """The last Monday of a month, if it is the first or the 21st as well."""
        assert allow("2026-11-20", cron="0 0 */20 * 1L", duration="1h").next_change is None

    def test_looking_ahead_has_an_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_window_time, "MAX_STARTS", 1000)
        verdict = judge({"deny": [{"cron": "* * * * *", "duration": 60}]}, utc("2026-11-20"))
        assert (verdict.open, verdict.next_change) == (False, None)
        assert verdict.reason.endswith("it does not open before 2026-11-20")
        # nothing is said about what comes after, by other windows either
        both = judge({"allow": [{"start": "2026-11-22"}], "deny": [{"cron": "* * * * *", "duration": 60}]}, utc("2026-11-20"))
        assert (both.open, both.next_change) == (False, None)

    def test_without_the_library(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "cronsim", None)
        error = refused_entry(cron="0 22 * * fri", duration="10h")
        assert "(cronsim) on " in error.message and "for change windows by cron" in error.message
        assert "Install cronsim" in error.hint
        assert allow("2026-11-20", days="fri").open


class TestRules:
    OFFICE: ClassVar[Json] = {"name": "office", "days": "mon-fri", "from": "08:00", "to": "18:00"}
    FREEZE: ClassVar[Json] = {"name": "freeze", "start": "2026-11-20 12:00", "end": "2026-11-23 09:00"}

    @pytest.mark.parametrize("windows", [None, {}, {"allow": []}, {"allow": None, "deny": []}])
    def test_none_at_all(self, windows: Any) -> None:
        check(windows)
        assert judge(windows, utc("2026-11-20")) == Verdict(True, "no change windows are set", None, None)

    def test_deny_wins(self) -> None:
        windows = {"allow": [self.OFFICE], "deny": [self.FREEZE]}
        before = judge(windows, utc("2026-11-20 10:00"))
        assert (before.open, before.window, before.next_change) == (True, "office", utc("2026-11-20 12:00"))
        assert before.reason.endswith(
            "until Fri 2026-11-20 12:00 UTC, when freeze (from 2026-11-20 12:00 to 2026-11-23 09:00, UTC) denies it"
        )
        within = judge(windows, utc("2026-11-20 12:00"))
        # on Monday the office opens at 8, but the freeze ends at 9
        assert (within.open, within.window, within.next_change) == (False, "freeze", utc("2026-11-23 09:00"))
        assert within.reason.endswith("opens next Mon 2026-11-23 09:00 UTC with office (mon-fri 08:00-18:00, UTC)")
        assert judge(windows, utc("2026-11-23 09:00")).open

    def test_deny_alone(self) -> None:
        verdict = judge({"deny": [self.FREEZE]}, utc("2026-11-20 10:00"))
        assert (verdict.open, verdict.window, verdict.next_change) == (True, None, utc("2026-11-20 12:00"))
        assert verdict.reason.startswith("no change window denies it now, until Fri 2026-11-20 12:00 UTC, when freeze (")
        assert "nothing changes that before 2027-11-2" in judge({"deny": [self.FREEZE]}, utc("2026-11-24")).reason

    def test_denied_without_end(self) -> None:
        verdict = judge({"allow": [self.OFFICE], "deny": [{"days": "mon-sun"}]}, utc("2026-11-20 10:00"))
        assert (verdict.open, verdict.window, verdict.next_change) == (False, "deny[0]", None)

    def test_one_window_takes_over_from_another(self) -> None:
        late = {"from": "17:00", "to": "20:00"}
        verdict = judge({"allow": [self.OFFICE, late]}, utc("2026-11-20 10:00"))
        assert (verdict.window, verdict.next_change) == ("office", utc("2026-11-20 20:00"))
        closed = judge({"allow": [self.OFFICE, late]}, utc("2026-11-21 10:00"))
        assert "opens next Sat 2026-11-21 17:00 UTC with allow[1] (17:00-20:00, UTC)" in closed.reason

    def test_the_window_that_begins_counts_and_not_the_one_that_ends(self) -> None:
        verdict = judge({"allow": [{"to": "12:00"}, {"from": "12:00"}]}, utc("2026-11-20 12:00"))
        assert (verdict.window, verdict.next_change) == ("allow[1]", None)

    def test_many_windows_are_not_all_named(self) -> None:
        windows = [{"days": "sun", "from": f"{hour}:00", "to": f"{hour}:30"} for hour in range(10, 15)]
        assert "allow[2] (sun 12:00-12:30, UTC) and 2 more; it is" in judge({"allow": windows}, utc("2026-11-20")).reason

    def test_what_a_role_fills_in_counts_as_left_out(self) -> None:
        filled = dict.fromkeys(("name", "days", "from", "to", "cron", "duration", "start", "end", "timezone"))
        assert allow("2026-11-20 12:00", **{**filled, "days": "fri"}).next_change == utc("2026-11-21")


class TestRefused:
    @pytest.mark.parametrize(
        ("window", "key", "part"),
        [
            ({"days": "mon-foo"}, "days", "'mon-foo' is not the name of a day"),
            ({"days": "mon-wed-fri"}, "days", "more than two ends"),
            ({"days": []}, "days", "[] names no day"),
            ({"days": " , "}, "days", "names no day"),
            ({"days": [1, 2]}, "days", "1 is not the name of a day"),
            ({"days": 5}, "days", "5 is not a list of days"),
            ({"from": "8"}, "from", "'8' is not a time of day"),
            ({"from": "25:00"}, "from", "'25:00' is not a time of day"),
            ({"from": "08:60"}, "from", "'08:60' is not a time of day"),
            ({"from": 1441}, "from", "1441 is not a time of day"),
            ({"from": -1}, "from", "-1 is not a time of day"),
            ({"from": True}, "from", "True is not a time of day"),
            ({"from": 8.5}, "from", "8.5 is not a time of day"),
            ({"from": "24:00"}, "from", "is the end of a day"),
            ({"to": "24:01"}, "to", "'24:01' is not a time of day"),
            ({"from": "08:00", "to": 480}, "to", "480 is the same time as from"),
            ({"days": "mon", "timezone": "Europe/Berlim"}, "timezone", "'Europe/Berlim' is not a known time zone"),
            ({"days": "mon", "timezone": "../UTC"}, "timezone", "'../UTC' is not a known time zone"),
            ({"days": "mon", "timezone": "Europe"}, "timezone", "'Europe' is not a known time zone"),
            ({"days": "mon", "timezone": 1}, "timezone", "1 is not the name of a time zone"),
            ({"days": "mon", "timezone": ""}, "timezone", "'' is not the name of a time zone"),
            ({"start": "2026-13-01"}, "start", "'2026-13-01' is not a date"),
            ({"start": "24.12.2026"}, "start", "'24.12.2026' is not a date"),
            ({"end": 20261224}, "end", "20261224 is not a date"),
            ({"start": "2026-12-24", "end": "2026-12-23"}, "end", "'2026-12-23' is not after start, 2026-12-24"),
            ({"start": "2026-12-24 12:00", "end": "2026-12-24 12:00"}, "end", "is not after start"),
            ({"start": "2026-12-24T12:00Z", "end": "2026-12-24 13:00", "timezone": BERLIN}, "end", "is not after start"),
            ({"cron": "0 22 * *", "duration": 60}, "cron", "'0 22 * *' is not a cron expression"),
            ({"cron": "0 0 22 * * *", "duration": 60}, "cron", "is not a cron expression"),
            ({"cron": "61 22 * * *", "duration": 60}, "cron", "is not a cron expression (bad minute)"),
            ({"cron": "0 0 31 2 *", "duration": 60}, "cron", "is not a cron expression (bad day-of-month)"),
            ({"cron": "0 0 * * 1#2/3", "duration": 60}, "cron", "is not a cron expression"),
            ({"cron": "@daily", "duration": 60}, "cron", "'@daily' is not a cron expression"),
            ({"cron": 5, "duration": 60}, "cron", "5 is not a cron expression"),
            ({"cron": "0 22 * * *"}, "cron", "is without duration"),
            ({"duration": "1h"}, "duration", "'1h' is without cron"),
            ({"cron": "0 22 * * *", "duration": "soon"}, "duration", "'soon' is not a duration"),
            ({"cron": "0 22 * * *", "duration": ""}, "duration", "'' is not a duration"),
            ({"cron": "0 22 * * *", "duration": True}, "duration", "True is not a duration"),
            ({"cron": "0 22 * * *", "duration": 59}, "duration", "59 is out of range"),
            ({"cron": "0 22 * * *", "duration": "32d"}, "duration", "'32d' is out of range"),
            ({"cron": "0 22 * * *", "duration": 60, "days": "mon"}, "days", "'mon' cannot be combined with cron"),
            ({"days": "mon", "name": " "}, "name", "' ' is not a name"),
        ],
    )
    def test_names_option_and_value(self, window: Json, key: str, part: str) -> None:
        message = refused_entry(**window).message
        assert message.startswith(f"option staging_promotion_windows.deny[1].{key}: ")
        assert part in message

    @pytest.mark.parametrize(
        ("windows", "option", "part"),
        [
            ([], "staging_promotion_windows", "[] is not a mapping"),
            ("mon-fri", "staging_promotion_windows", "'mon-fri' is not a mapping"),
            ({"alow": []}, "staging_promotion_windows", "'alow' is not a key of it"),
            ({"allow": {"days": "mon"}}, "staging_promotion_windows.allow", "is not a list"),
            ({"allow": "mon"}, "staging_promotion_windows.allow", "'mon' is not a list"),
            ({"allow": ["mon"]}, "staging_promotion_windows.allow[0]", "'mon' is not a mapping"),
            ({"allow": [{"day": "mon"}]}, "staging_promotion_windows.allow[0]", "'day' is not a key of a window"),
            ({"allow": [{}]}, "staging_promotion_windows.allow[0]", "{} gives no days, times, dates or cron"),
            ({"allow": [{"name": "x", "days": None}]}, "staging_promotion_windows.allow[0]", "gives no days, times,"),
        ],
    )
    def test_other_forms(self, windows: Any, option: str, part: str) -> None:
        message = refused(windows).message
        assert message.startswith(f"option {option}: ")
        assert part in message

    def test_dates_that_a_template_made_a_text_of(self) -> None:
        """As ansible-core 2.18 does where a whole variable stands in a template."""
        windows = {"deny": [{"start": dt.date(2026, 12, 20)}]}
        for broken in (str(windows), {"deny": str(windows["deny"])}):
            assert refused(broken).hint.startswith("Put dates and times into quotes. ")
        assert "quotes" not in refused("mon-fri").hint

    def test_suggests_a_zone(self) -> None:
        assert "The nearest is Europe/Berlin." in refused_entry(days="mon", timezone="europe/berlin").hint
        assert "The nearest is America/New_York." in refused_entry(days="mon", timezone="America/New York").hint

    def test_the_name_of_the_option_can_be_another(self) -> None:
        with pytest.raises(SyncError, match=r"option gate\.allow: 1 is not a list"):
            check({"allow": 1}, option="gate")


class TestNoDatabase:
    @pytest.fixture(autouse=True)
    def _no_database(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        for name in ["tzdata", *(name for name in sys.modules if name.startswith("tzdata."))]:
            monkeypatch.setitem(sys.modules, name, None)
        zoneinfo.reset_tzpath(to=[])
        zoneinfo.ZoneInfo.clear_cache()
        yield
        zoneinfo.reset_tzpath()
        zoneinfo.ZoneInfo.clear_cache()

    def test_says_what_to_install(self) -> None:
        error = refused_entry(days="mon", timezone=BERLIN)
        assert "'Europe/Berlin' cannot be looked up: this machine has no time zone database" in error.message
        assert "tzdata" in error.hint

    @pytest.mark.parametrize("zone", [{}, {"timezone": "UTC"}, {"timezone": "Etc/UTC"}])
    def test_utc_needs_none(self, zone: Json) -> None:
        assert allow("2026-11-20 12:00", days="fri", **zone).next_change == utc("2026-11-21")


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


@settings(max_examples=60, deadline=None)
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
