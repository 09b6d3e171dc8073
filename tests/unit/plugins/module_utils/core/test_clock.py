# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dates, durations and deadlines."""

from __future__ import annotations

import datetime as dt

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import (
    LONGEST_PAUSE,
    SystemClock,
    isoformat,
    parse_http_date,
    parse_iso,
    parse_retry_after,
)
from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._core.stop import Stopped, StopSignal
from tests.unit.plugins.support.clocks import FakeClock

NOON = dt.datetime(2026, 3, 1, 12, 0, 0, tzinfo=dt.timezone.utc)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("Sun Mar  1 12:00:30 2026", 30.0),
        ("9" * 400, LONGEST_PAUSE),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_PAUSE),
        ("", None),
        (None, None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("Sun, 01 Mar 2026 12:00:30 +99999999999999999999", None),
    ],
)
def test_both_forms_of_retry_after_are_understood_and_nothing_else(text: str | None, seconds: float | None) -> None:
    assert parse_retry_after(text, NOON) == seconds


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-03-01T12:00:00Z", 12),
        ("2026-03-01T12:00:00", 12),
        ("2026-03-01T12:00:00+02:00", 10),
        ("2026-03-01T12:00:00.123456Z", 12),
    ],
)
def test_iso_dates_are_in_utc_unless_they_say_otherwise(text: str, hour: int) -> None:
    moment = parse_iso(text)
    assert moment is not None
    assert moment.astimezone(dt.timezone.utc).hour == hour


@pytest.mark.parametrize("text", [None, 17, "", "yesterday", "2026-13-01T00:00:00Z"])
def test_what_is_no_iso_date_is_none(text: object) -> None:
    assert parse_iso(text) is None


@pytest.mark.parametrize("text", [None, "", "yesterday", "Sun, 99 Mar 2026 12:00:00 GMT"])
def test_what_is_no_http_date_is_none(text: str | None) -> None:
    assert parse_http_date(text) is None


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"])
def test_a_date_at_the_end_of_time_can_be_shown(text: str) -> None:
    assert isoformat(parse_iso(text)) is None or isinstance(isoformat(parse_iso(text)), str)


def test_dates_are_shown_in_utc() -> None:
    assert isoformat(NOON.astimezone(dt.timezone(dt.timedelta(hours=5)))) == "2026-03-01T12:00:00Z"
    assert isoformat(None) is None


def test_a_deadline_cuts_pauses(clock: FakeClock) -> None:
    deadline = Deadline(clock, 10)
    deadline.sleep(4)
    assert deadline.remaining() == 6
    deadline.sleep(60)
    assert (clock.elapsed, deadline.remaining()) == (10, 0)


def test_a_deadline_allows_only_what_ends_before_it(clock: FakeClock) -> None:
    deadline = Deadline(clock, 10)
    assert deadline.allows(9.9)
    assert not deadline.allows(10)


def test_a_stopped_clock_ends_pauses_at_once() -> None:
    stop = StopSignal()
    stop.set()
    with pytest.raises(Stopped):
        SystemClock(stop).sleep(60)


def test_a_pause_of_no_time_is_none_even_when_stopped() -> None:
    stop = StopSignal()
    stop.set()
    SystemClock(stop).sleep(0)
    SystemClock(stop).sleep(-1)
