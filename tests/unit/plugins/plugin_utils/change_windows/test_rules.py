# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several windows together: what is allowed, denied, and refused as no valid rule."""

from __future__ import annotations

import datetime as dt
import sys
import zoneinfo
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.plugin_utils._change_windows.decision import Verdict, check, judge
from tests.unit.plugins.plugin_utils.change_windows.windows import BERLIN, Json, allow, refused, refused_entry, utc


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
