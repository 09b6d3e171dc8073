# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Time, injected everywhere: durations by the monotonic clock, dates by the wall clock."""

from __future__ import annotations

import datetime as dt
import email.utils
import time
import typing as t

from .stop import Stopped, StopSignal


class Clock(t.Protocol):
    """The only source of time for code that waits."""

    def monotonic(self) -> float:
        """Seconds on a clock that never jumps."""

    def now(self) -> dt.datetime:
        """The wall clock, in UTC. Only for dates in results, never for durations."""

    def sleep(self, seconds: float) -> None:
        """Pause for ``seconds``."""


class SystemClock:
    """The clock of this machine.

    :param stop: ends all pauses, present and future, once the task is to stop.
    """

    def __init__(self, stop: StopSignal | None = None) -> None:
        self.stop = stop or StopSignal()

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.timezone.utc)

    def sleep(self, seconds: float) -> None:
        if seconds > 0 and self.stop.pause(seconds):
            raise Stopped


def isoformat(moment: dt.datetime | None) -> str | None:
    """UTC ISO 8601 with whole seconds, the form used in every result."""
    if moment is None:
        return None
    return moment.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_iso(text: t.Any) -> dt.datetime | None:
    """An ISO 8601 date in UTC (a date without a zone is taken as UTC), or ``None`` for anything else."""
    if not isinstance(text, str):
        return None
    try:
        # Python 3.9 does not know the suffix Z
        return _in_utc(dt.datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text))
    except (ValueError, OverflowError):
        return None


def parse_http_date(text: str | None) -> dt.datetime | None:
    """An HTTP date (RFC 9110 section 5.6.7), or ``None``."""
    if not text:
        return None
    try:
        return _in_utc(email.utils.parsedate_to_datetime(text))
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _in_utc(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.timezone.utc) if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)


#: seconds of ten years: a longer pause is none that anyone waits for, and a number of this size can be shown
LONGEST_PAUSE = 315_360_000.0


def parse_retry_after(text: str | None, now: dt.datetime) -> float | None:
    """Seconds to pause, at most :data:`LONGEST_PAUSE`, from either form of Retry-After (RFC 9110 section 10.2.3).

    :param text: value of the header.
    :param now: time of the server (its Date header) where known, so that a skewed clock does no harm.
    """
    if not text:
        return None
    if text.strip().isdecimal():
        # of very many digits, it is infinite
        return min(float(text.strip()), LONGEST_PAUSE)
    moment = parse_http_date(text)
    return None if moment is None else min(max(0.0, (moment - now).total_seconds()), LONGEST_PAUSE)
