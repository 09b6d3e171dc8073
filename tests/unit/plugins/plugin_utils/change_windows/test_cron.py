# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Windows that begin by a cron expression."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._change_windows import times as _window_time
from ansible_collections.lockstep.sync.plugins.plugin_utils._change_windows.decision import judge
from tests.unit.plugins.plugin_utils.change_windows.windows import BERLIN, allow, refused_entry, utc


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
