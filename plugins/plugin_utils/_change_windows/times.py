# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Change windows: their spans of time. No I/O except for the time zone database.

Windows by days, times and dates use the local time of their zone. A time that is skipped when the clock is set forward moves to
the end of the gap; an hour that occurs twice counts twice. Windows by cron begin when Debian's cron would start a job, and have a
fixed duration.
"""

from __future__ import annotations

import abc
import dataclasses
import datetime as dt
import types
import typing as t

from ...module_utils._core.errors import SyncError
from ...module_utils._core.libraries import missing_library

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

#: starts of one cron window that are computed (some tenths of a second); the time after them is not considered
MAX_STARTS = 20_000
#: the shortest time between two changes of the offset of a zone
PROBE = dt.timedelta(hours=6)

SECOND = dt.timedelta(seconds=1)
DAY = dt.timedelta(days=1)

#: its first instant (UTC, whole seconds), and the first one after it
Span = tuple[dt.datetime, dt.datetime]


@dataclasses.dataclass(frozen=True)
class Window(abc.ABC):
    """A window of any kind.

    :param name: given by the user, or the place in the settings.
    :param text: its times, as shown to users.
    """

    name: str
    text: str
    zone: dt.tzinfo

    @property
    def label(self) -> str:
        return f"{self.name} ({self.text})"

    @abc.abstractmethod
    def spans(self, low: dt.datetime, high: dt.datetime) -> tuple[list[Span], dt.datetime]:
        """Its spans between two instants, sorted and disjoint, and the end of the time for which they are known."""


@dataclasses.dataclass(frozen=True)
class Calendar(Window):
    """Days of the week, between two times, within a period.

    :param days: 0 for Monday.
    :param begin: minutes since midnight.
    :param end: likewise; greater than ``begin``, and beyond 1440 for a time of the next day.
    :param start: a date is the first day on which a window begins; a date-time cuts windows off. With a zone it is an instant,
        without one it is local time.
    :param stop: the first date-time after the period, or its last date.
    """

    days: frozenset[int]
    begin: int
    end: int
    start: dt.date | None
    stop: dt.date | None

    def spans(self, low: dt.datetime, high: dt.datetime) -> tuple[list[Span], dt.datetime]:
        found: list[Span] = []
        for since, until, offset in _segments(self.zone, low, high):
            local_low, local_high = ((moment + offset).replace(tzinfo=None) for moment in (since, until))
            for begin, end in self._local_spans(local_low, local_high):
                utc_begin, utc_end = ((moment - offset).replace(tzinfo=dt.timezone.utc) for moment in (begin, end))
                found.append((utc_begin, utc_end))
        return union(filter(None, map(self._cut, found))), high

    def _local_spans(self, low: dt.datetime, high: dt.datetime) -> t.Iterator[Span]:
        """Spans in local time, between whose ends the offset of the zone is constant."""
        first, last = self.start, self.stop
        # a window of the previous day may end in this one
        day = low.date() - DAY
        while day <= high.date():
            midnight = dt.datetime.combine(day, dt.time())
            begin = max(midnight + dt.timedelta(minutes=self.begin), low)
            end = min(midnight + dt.timedelta(minutes=self.end), high)
            wanted = day.weekday() in self.days
            if isinstance(first, dt.datetime):
                begin = begin if first.tzinfo else max(begin, first)
            elif first is not None:
                wanted = wanted and day >= first
            if isinstance(last, dt.datetime):
                end = end if last.tzinfo else min(end, last)
            elif last is not None:
                wanted = wanted and day <= last
            if wanted and begin < end:
                yield begin, end
            day += DAY

    def _cut(self, span: Span) -> Span | None:
        """The part of a span within those ends of the period that are instants."""
        begin, end = span
        if isinstance(self.start, dt.datetime) and self.start.tzinfo:
            begin = max(begin, self.start)
        if isinstance(self.stop, dt.datetime) and self.stop.tzinfo:
            end = min(end, self.stop)
        return (begin, end) if begin < end else None


@dataclasses.dataclass(frozen=True)
class Cron(Window):
    """A fixed duration from each time of a cron expression."""

    expression: str
    duration: dt.timedelta

    def spans(self, low: dt.datetime, high: dt.datetime) -> tuple[list[Span], dt.datetime]:
        found: list[Span] = []
        times = cronsim_library().CronSim(self.expression, (low - self.duration).astimezone(self.zone))
        ahead = 0
        for moment in times:
            begin = moment.astimezone(dt.timezone.utc)
            ahead += begin >= low
            if begin >= high:
                break
            if ahead > MAX_STARTS:
                return union(found), begin
            if begin + self.duration > low:
                found.append((max(begin, low), min(begin + self.duration, high)))
        return union(found), high


@dataclasses.dataclass(frozen=True)
class WindowRules:
    allow: tuple[Window, ...]
    deny: tuple[Window, ...]


def _segments(zone: dt.tzinfo, low: dt.datetime, high: dt.datetime) -> t.Iterator[tuple[dt.datetime, dt.datetime, dt.timedelta]]:
    """The time from ``low`` to ``high`` in parts with a constant offset of the zone, which is the last item."""
    start = known = low
    while known < high:
        probe = min(known + PROBE, high)
        if _offset(zone, probe) == _offset(zone, known):
            known = probe
            continue
        while probe - known > SECOND:
            middle = known + (probe - known) // SECOND // 2 * SECOND
            known, probe = (middle, probe) if _offset(zone, middle) == _offset(zone, known) else (known, middle)
        yield start, probe, _offset(zone, known)
        start = known = probe
    if start < high:
        yield start, high, _offset(zone, start)


def _offset(zone: dt.tzinfo, moment: dt.datetime) -> dt.timedelta:
    return moment.astimezone(zone).utcoffset() or dt.timedelta()


def union(spans: t.Iterable[Span]) -> list[Span]:
    """The spans, sorted, with overlapping and adjacent ones merged."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined


def without(spans: list[Span], others: list[Span]) -> t.Iterator[Span]:
    """The time in ``spans`` that is not in ``others``; both as :func:`union` returns them."""
    for begin, end in spans:
        for other_begin, other_end in others:
            if other_end <= begin:
                continue
            if other_begin >= end:
                break
            if begin < other_begin:
                yield begin, other_begin
            begin = max(begin, other_end)
        if begin < end:
            yield begin, end


def cronsim_library() -> types.ModuleType:
    """The module ``cronsim``.

    :raises SyncError: it is not installed.
    """
    try:
        import cronsim
    except ImportError:
        message = missing_library("cronsim", reason="for change windows by cron")
        raise SyncError("invalid_option", message, "Install cronsim, or write the windows with days, from and to.") from None
    return cronsim
