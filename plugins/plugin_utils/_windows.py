# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Change windows of role staging_promotion: whether it is open now, and when that changes. No I/O but the time zone database.

Windows by days, times and dates go by the clock on the wall of their zone: what it shows decides. A time that is skipped when
the clock goes forward is not missed, the window begins or ends with the jump; in an hour that comes twice, both count.
Windows by cron begin when Debian's cron would start a job, and last as long as they say, whatever the clock does.
"""

from __future__ import annotations

import abc
import dataclasses
import datetime as dt
import difflib
import re
import typing as t
import zoneinfo

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError, invalid_option

OPTION = "staging_promotion_windows"

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONG_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY_MINUTES = 24 * 60
MAX_DURATION = 31 * 24 * 3600

#: how far ahead to look for the next change: most are near, and looking far takes longer
HORIZONS = (dt.timedelta(days=8), dt.timedelta(days=366))
#: starts of one cron window to go through (some tenths of a second); beyond them nothing is said
MAX_STARTS = 20_000
#: no zone changes its offset to and fro within less
PROBE = dt.timedelta(hours=6)

SECOND = dt.timedelta(seconds=1)
DAY = dt.timedelta(days=1)

_CALENDAR_KEYS = ("days", "from", "to", "start", "end")
_CRON_KEYS = ("cron", "duration")
_COMMON_KEYS = ("name", "timezone")
_KEYS = _CALENDAR_KEYS + _CRON_KEYS + _COMMON_KEYS
_DURATION = re.compile(r"(?:(\d+)\s*d)?\s*(?:(\d+)\s*h)?\s*(?:(\d+)\s*m)?\s*(?:(\d+)\s*s?)?", re.IGNORECASE)

#: from its first instant (UTC, whole seconds) up to the first one after it
Span = tuple[dt.datetime, dt.datetime]
Mapping = t.Mapping[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Whether a change may be made now.

    :param reason: names the window that decided, with times in its zone, and says when it changes.
    :param window: name of that window (``allow[0]`` and the like if it has none); ``None`` where no single one decided.
    :param next_change: when it closes or opens next, in UTC; ``None`` if that does not happen within about a year.
    """

    open: bool
    reason: str
    window: str | None
    next_change: dt.datetime | None


def check(windows: t.Any, option: str = OPTION) -> None:
    """Refuse windows that cannot be understood, before anything happens.

    :param windows: ``{"allow": [window, ...], "deny": [window, ...]}``, as the user wrote it.
    :raises SyncError: ``invalid_option`` that names the entry, such as ``staging_promotion_windows.allow[0].days``.
    """
    _parse(windows, option)


def judge(windows: t.Any, now: dt.datetime, option: str = OPTION) -> Verdict:
    """Whether it is open at ``now`` (with a time zone). Deny wins, and no allow windows means always allowed.

    :raises SyncError: as :func:`check`.
    """
    if now.tzinfo is None:
        raise ValueError("a time without a zone")
    rules = _parse(windows, option)
    # all windows begin and end at whole seconds, so that this is the same
    instant = now.astimezone(dt.timezone.utc).replace(microsecond=0)
    outlook = _look(rules, instant, HORIZONS[0])
    if outlook.change is None:
        outlook = _look(rules, instant, HORIZONS[1])
    return _verdict(rules, outlook)


# --- windows


@dataclasses.dataclass(frozen=True)
class _Window(abc.ABC):
    """What all kinds of windows have.

    :param name: as the user calls it, or where it stands.
    :param text: when it is, for people.
    """

    name: str
    text: str
    zone: dt.tzinfo

    @property
    def label(self) -> str:
        return f"{self.name} ({self.text})"

    @abc.abstractmethod
    def spans(self, low: dt.datetime, high: dt.datetime) -> tuple[list[Span], dt.datetime]:
        """When it is between two instants, in order and apart from each other, and up to when that is known."""


@dataclasses.dataclass(frozen=True)
class _Calendar(_Window):
    """Days of the week, between two times, within a period.

    :param days: 0 for Monday.
    :param begin: minutes since midnight.
    :param end: likewise; greater than ``begin``, and beyond 1440 for a time of the next day.
    :param start: a date means the days that windows begin on; a date-time cuts windows off. With a zone it is an instant, without
        one it is what the clock shows.
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
            wall_low, wall_high = ((moment + offset).replace(tzinfo=None) for moment in (since, until))
            for begin, end in self._on_the_wall(wall_low, wall_high):
                utc_begin, utc_end = ((moment - offset).replace(tzinfo=dt.timezone.utc) for moment in (begin, end))
                found.append((utc_begin, utc_end))
        return _union(filter(None, map(self._cut, found))), high

    def _on_the_wall(self, low: dt.datetime, high: dt.datetime) -> t.Iterator[Span]:
        """Spans in terms of the clock, which goes steadily from ``low`` to ``high``."""
        first, last = self.start, self.stop
        # a window of the day before may reach into this one
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
        """What of a span lies between those ends of the period that are instants."""
        begin, end = span
        if isinstance(self.start, dt.datetime) and self.start.tzinfo:
            begin = max(begin, self.start)
        if isinstance(self.stop, dt.datetime) and self.stop.tzinfo:
            end = min(end, self.stop)
        return (begin, end) if begin < end else None


@dataclasses.dataclass(frozen=True)
class _Cron(_Window):
    """From each time that a cron expression names, for a duration of real time."""

    expression: str
    duration: dt.timedelta

    def spans(self, low: dt.datetime, high: dt.datetime) -> tuple[list[Span], dt.datetime]:
        found: list[Span] = []
        times = _cronsim().CronSim(self.expression, (low - self.duration).astimezone(self.zone))
        ahead = 0
        for moment in times:
            begin = moment.astimezone(dt.timezone.utc)
            ahead += begin >= low
            if begin >= high:
                break
            if ahead > MAX_STARTS:
                return _union(found), begin
            if begin + self.duration > low:
                found.append((max(begin, low), min(begin + self.duration, high)))
        return _union(found), high


@dataclasses.dataclass(frozen=True)
class _Rules:
    allow: tuple[_Window, ...]
    deny: tuple[_Window, ...]


def _segments(zone: dt.tzinfo, low: dt.datetime, high: dt.datetime) -> t.Iterator[tuple[dt.datetime, dt.datetime, dt.timedelta]]:
    """The time from ``low`` to ``high`` in parts in which the offset of the zone stays the same."""
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


def _union(spans: t.Iterable[Span]) -> list[Span]:
    """In order, with those that touch made one."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined


def _without(spans: list[Span], others: list[Span]) -> t.Iterator[Span]:
    """What is in ``spans`` and not in ``others``; both as :func:`_union` makes them."""
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


# --- the decision


@dataclasses.dataclass(frozen=True)
class _Outlook:
    """What is known about the time from now on.

    :param reach: up to when.
    :param allow: windows with their spans.
    """

    now: dt.datetime
    reach: dt.datetime
    allow: list[tuple[_Window, list[Span]]]
    deny: list[tuple[_Window, list[Span]]]
    open: bool
    change: dt.datetime | None


def _look(rules: _Rules, now: dt.datetime, horizon: dt.timedelta) -> _Outlook:
    reach = now + horizon
    lists: list[list[tuple[_Window, list[Span]]]] = []
    for windows in (rules.allow, rules.deny):
        lists.append([])
        for window in windows:
            spans, known = window.spans(now, reach)
            reach = min(reach, known)
            lists[-1].append((window, spans))
    allow, deny = lists
    allowed = _union(span for _window, spans in allow for span in spans) if rules.allow else [(now, reach)]
    denied = _union(span for _window, spans in deny for span in spans)
    begin, end = next(_without(allowed, denied), (reach, reach))
    is_open = begin <= now
    change = end if is_open else begin
    return _Outlook(now, reach, allow, deny, is_open, change if change < reach else None)


def _at(windows: list[tuple[_Window, list[Span]]], moment: dt.datetime) -> _Window | None:
    """The first window that it is at a moment."""
    return next((window for window, spans in windows if any(begin <= moment < end for begin, end in spans)), None)


def _verdict(rules: _Rules, outlook: _Outlook) -> Verdict:
    allow, deny = _at(outlook.allow, outlook.now), _at(outlook.deny, outlook.now)
    if outlook.open:
        return _opened(rules, outlook, allow)
    return _closed(rules, outlook, deny)


def _opened(rules: _Rules, outlook: _Outlook, allow: _Window | None) -> Verdict:
    if allow is None and not rules.deny:
        return Verdict(True, "no change windows are set", None, None)
    reason = f"within change window {allow.label}" if allow else "no change window denies it now"
    zone = (allow or rules.deny[0]).zone
    if outlook.change is None:
        reason += f"; nothing changes that before {_day(outlook.reach, zone)}"
    else:
        blocker = _at(outlook.deny, outlook.change)
        reason += f", until {_moment(outlook.change, (allow or blocker or rules.deny[0]).zone)}"
        reason += f", when {blocker.label} denies it" if blocker else ""
    return Verdict(True, reason, allow.name if allow else None, outlook.change)


def _closed(rules: _Rules, outlook: _Outlook, deny: _Window | None) -> Verdict:
    opener = _at(outlook.allow, outlook.change) if outlook.change else None
    zone = (opener or deny or rules.allow[0]).zone
    reason = f"denied by change window {deny.label}" if deny else f"outside the change windows {_labels(rules.allow)}"
    reason += f"; it is {_moment(outlook.now, (deny or opener or rules.allow[0]).zone)}"
    if outlook.change is None:
        reason += f", and it does not open before {_day(outlook.reach, zone)}"
    else:
        reason += f", and opens next {_moment(outlook.change, zone)}"
        reason += f" with {opener.label}" if opener and (deny or len(rules.allow) > 1) else ""
    return Verdict(False, reason, deny.name if deny else None, outlook.change)


def _labels(windows: t.Sequence[_Window]) -> str:
    shown = ", ".join(window.label for window in windows[:3])
    return shown if len(windows) <= 3 else f"{shown} and {len(windows) - 3} more"


def _moment(moment: dt.datetime, zone: dt.tzinfo) -> str:
    local = moment.astimezone(zone)
    # the names of days must not depend on the locale
    seconds = f":{local.second:02}" if local.second else ""
    return f"{DAYS[local.weekday()].capitalize()} {local:%Y-%m-%d %H:%M}{seconds} {local.tzname()}"


def _day(moment: dt.datetime, zone: dt.tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d}"


# --- reading what the user wrote


def _parse(windows: t.Any, option: str) -> _Rules:
    if windows is None:
        return _Rules((), ())
    if not isinstance(windows, t.Mapping):
        raise invalid_option(
            option, windows, "is not a mapping", _quoted(windows) + "Write lists of windows under allow and deny."
        )
    unknown = [key for key in windows if key not in ("allow", "deny")]
    if unknown:
        raise invalid_option(option, unknown[0], "is not a key of it", "Write lists of windows under allow and deny.")
    return _Rules(_parse_list(windows, "allow", option), _parse_list(windows, "deny", option))


def _parse_list(windows: Mapping, key: str, option: str) -> tuple[_Window, ...]:
    entries = windows.get(key)
    if entries is None:
        return ()
    if isinstance(entries, (str, bytes)) or not isinstance(entries, t.Sequence):
        raise invalid_option(
            f"{option}.{key}", entries, "is not a list", _quoted(entries) + "Write a list of windows, if only of one."
        )
    return tuple(_parse_window(entry, f"{option}.{key}[{index}]", f"{key}[{index}]") for index, entry in enumerate(entries))


def _quoted(value: t.Any) -> str:
    """A further remedy: templates of ansible-core 2.18 make a text of everything that holds dates."""
    return "Put dates and times into quotes. " if isinstance(value, str) and "datetime.date" in value else ""


def _parse_window(entry: t.Any, path: str, place: str) -> _Window:
    if not isinstance(entry, t.Mapping):
        raise invalid_option(path, entry, "is not a mapping", "Write days, from, to; or cron, duration; or start, end.")
    for key in entry:
        if key not in _KEYS:
            raise invalid_option(path, key, "is not a key of a window", f"Use some of {', '.join(_KEYS)}.")
    # a role's argument specification fills in what was left out
    given = {key: value for key, value in entry.items() if value is not None}
    name = place
    if "name" in given:
        name = str(given["name"]).strip()
        if not name or isinstance(given["name"], (dict, list, bool)):
            raise invalid_option(f"{path}.name", given["name"], "is no name", "Leave it out, or give the window a name.")
    zone, zone_name = _parse_zone(given.get("timezone", "UTC"), f"{path}.timezone")
    if any(key in given for key in _CRON_KEYS):
        return _parse_cron(given, path, name, zone, zone_name)
    if not any(key in given for key in _CALENDAR_KEYS):
        raise invalid_option(
            path, dict(given), "does not say when it is", 'Give days, times, dates or cron; always is days: "mon-sun".'
        )
    return _parse_calendar(given, path, name, zone, zone_name)


def _parse_zone(value: t.Any, path: str) -> tuple[dt.tzinfo, str]:
    remedy = "Use a name of the IANA time zone database such as Europe/Berlin."
    if not isinstance(value, str) or not value.strip():
        raise invalid_option(path, value, "is not the name of a time zone", remedy)
    name = value.strip()
    if name.upper() in ("UTC", "ETC/UTC"):
        # needs no database
        return dt.timezone.utc, "UTC"
    try:
        return zoneinfo.ZoneInfo(name), name
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        pass
    known = zoneinfo.available_timezones()
    if not known:
        problem = "cannot be looked up: this machine has no time zone database"
        remedy = "Install the system's package tzdata, or the Python package tzdata, where ansible-playbook runs."
        raise invalid_option(path, name, problem, remedy)
    folded = {zone.lower(): zone for zone in sorted(known)}
    close = difflib.get_close_matches(name.lower().replace(" ", "_"), folded, n=1)
    hint = f" The nearest is {folded[close[0]]}." if close else ""
    raise invalid_option(path, name, "is not a known time zone", remedy + hint)


def _parse_calendar(given: Mapping, path: str, name: str, zone: dt.tzinfo, zone_name: str) -> _Calendar:
    days = _parse_days(given["days"], f"{path}.days") if "days" in given else frozenset(range(7))
    begin = _parse_time(given["from"], f"{path}.from") if "from" in given else 0
    end = _parse_time(given["to"], f"{path}.to") if "to" in given else DAY_MINUTES
    if begin == DAY_MINUTES:
        raise invalid_option(f"{path}.from", given["from"], "is the end of a day", 'Write "00:00", and the day that it begins.')
    if begin == end:
        problem = "is the same time as from"
        raise invalid_option(
            f"{path}.to", given["to"], problem, 'Leave both out for the whole day, or write "24:00" for its end.'
        )
    start, stop = (_parse_date(given[key], f"{path}.{key}") if key in given else None for key in ("start", "end"))
    if start is not None and stop is not None and _wall(start, zone, 0) >= _wall(stop, zone, 1):
        raise invalid_option(
            f"{path}.end", str(given["end"]), f"is not after start, {given['start']}", "Set end to a later date."
        )
    parts = [] if len(days) == 7 else [_days_text(days)]
    if (begin, end) != (0, DAY_MINUTES):
        parts.append(f"{_time_text(begin)}-{_time_text(end)}")
    parts += [f"from {_date_text(start)}"] if start is not None else []
    parts += [f"{'to' if isinstance(stop, dt.datetime) else 'through'} {_date_text(stop)}"] if stop is not None else []
    text = f"{' '.join(parts) or 'always'}, {zone_name}"
    return _Calendar(name, text, zone, days, begin, end if end > begin else end + DAY_MINUTES, start, stop)


def _parse_days(value: t.Any, path: str) -> frozenset[int]:
    remedy = "Use mon, tue, wed, thu, fri, sat, sun, and ranges such as mon-fri."
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, (list, tuple)):
        raise invalid_option(path, value, "is not a list of days", remedy)
    days: set[int] = set()
    for entry in entries:
        if not isinstance(entry, str):
            raise invalid_option(path, entry, "is not the name of a day", remedy)
        for word in re.split(r"[,\s]+", re.sub(r"\s*-\s*", "-", entry.strip().lower())):
            # a comma too much does no harm
            days.update(_day_range(word, path, remedy) if word else ())
    if not days:
        raise invalid_option(path, value, "names no day", remedy)
    return frozenset(days)


def _day_range(word: str, path: str, remedy: str) -> list[int]:
    numbers = []
    for name in word.split("-"):
        number = next((index for index, names in enumerate(zip(DAYS, LONG_DAYS)) if name in names), None)
        if number is None:
            raise invalid_option(path, word, "is not the name of a day", remedy)
        numbers.append(number)
    if len(numbers) > 2:
        raise invalid_option(path, word, "is a range with more than two ends", remedy)
    first, last = numbers[0], numbers[-1]
    # fri-mon goes over the end of the week
    return [(first + step) % 7 for step in range((last - first) % 7 + 1)]


def _parse_time(value: t.Any, path: str) -> int:
    """Minutes since midnight. YAML reads ``8:00`` without quotes as 480, in base 60."""
    remedy = 'Write hours and minutes in quotes, "00:00" to "24:00".'
    if isinstance(value, int) and not isinstance(value, bool):
        if 0 <= value <= DAY_MINUTES:
            return int(value)
    elif isinstance(value, str) and (match := re.fullmatch(r"(\d{1,2}):(\d\d)", value.strip(), re.ASCII)):
        hours, minutes = int(match[1]), int(match[2])
        if minutes < 60 and hours * 60 + minutes <= DAY_MINUTES:
            return hours * 60 + minutes
    raise invalid_option(path, value, "is not a time of day", remedy)


def _parse_date(value: t.Any, path: str) -> dt.date:
    """A date, or a date-time of whole seconds. YAML makes such objects of what is not in quotes."""
    if isinstance(value, dt.datetime):
        return value.replace(microsecond=0)
    if isinstance(value, dt.date):
        return value
    if isinstance(value, str):
        try:
            if re.fullmatch(r"\d{4}-\d\d-\d\d", value.strip(), re.ASCII):
                return dt.date.fromisoformat(value.strip())
            return dt.datetime.fromisoformat(value.strip()).replace(microsecond=0)
        except ValueError:
            pass
    raise invalid_option(path, value, "is not a date", 'Write "2026-12-24" or "2026-12-24 18:00".')


def _wall(moment: dt.date, zone: dt.tzinfo, later: int) -> dt.datetime:
    """What the clock shows at a date-time, or at the beginning of a date or ``later`` days after it."""
    if isinstance(moment, dt.datetime):
        try:
            return (moment.astimezone(zone) if moment.tzinfo else moment).replace(tzinfo=None)
        except OverflowError:  # the end of all times, in a zone further east
            return moment.replace(tzinfo=None)
    midnight = dt.datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001 (what the clock shows)
    return midnight + later * DAY if moment < dt.date.max else midnight


def _parse_cron(given: Mapping, path: str, name: str, zone: dt.tzinfo, zone_name: str) -> _Cron:
    for key in _CALENDAR_KEYS:
        if key in given:
            raise invalid_option(f"{path}.{key}", given[key], "cannot be combined with cron", "Make two windows of it.")
    for key, other in (("cron", "duration"), ("duration", "cron")):
        if key not in given:
            remedy = f"Give {key} as well: five fields of cron say when the window begins, and duration how long it lasts."
            raise invalid_option(f"{path}.{other}", given[other], f"is without {key}", remedy)
    expression, duration = given["cron"], _parse_duration(given["duration"], f"{path}.duration")
    remedy = 'Write five fields in quotes: minute, hour, day of the month, month, day of the week, such as "0 22 * * fri".'
    if not isinstance(expression, str) or len(expression.split()) != 5:
        raise invalid_option(f"{path}.cron", expression, "is not a cron expression", remedy)
    expression = " ".join(expression.split())
    cronsim = _cronsim()
    try:
        cronsim.CronSim(expression, dt.datetime.now(dt.timezone.utc))
    except (cronsim.CronSimError, AssertionError, ValueError, TypeError, IndexError) as exc:
        # only its own errors are made for people
        told = str(exc) if isinstance(exc, cronsim.CronSimError) else ""
        problem = "is not a cron expression" + (f" ({told[:1].lower()}{told[1:]})" if told else "")
        raise invalid_option(f"{path}.cron", expression, problem, remedy) from None
    text = f"cron {expression} for {_duration_text(duration)}, {zone_name}"
    return _Cron(name, text, zone, expression, dt.timedelta(seconds=duration))


def _parse_duration(value: t.Any, path: str) -> int:
    """Seconds."""
    seconds: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        seconds = int(value)
    elif isinstance(value, str) and value.strip() and (match := _DURATION.fullmatch(value.strip())):
        days, hours, minutes, rest = (int(group or 0) for group in match.groups())
        seconds = ((days * 24 + hours) * 60 + minutes) * 60 + rest
    if seconds is None:
        raise invalid_option(path, value, "is not a duration", 'Write seconds, or a text such as "10h", "90m" or "1h30m".')
    if not 60 <= seconds <= MAX_DURATION:
        remedy = f'Write 60 to {MAX_DURATION} seconds, or a text such as "10h", "90m" or "1h30m".'
        raise invalid_option(path, value, "is out of range", remedy)
    return seconds


def _cronsim() -> t.Any:
    try:
        import cronsim
    except ImportError:
        message = missing_required_lib("cronsim", reason="for change windows by cron", url="https://github.com/cuu508/cronsim")
        raise SyncError("invalid_option", message, "Install cronsim, or write the windows with days, from and to.") from None
    return cronsim


# --- windows for people


def _days_text(days: frozenset[int]) -> str:
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    # two days in a row read better one by one
    return ",".join(f"{DAYS[run[0]]}-{DAYS[run[-1]]}" if len(run) > 2 else ",".join(DAYS[day] for day in run) for run in runs)


def _time_text(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _date_text(moment: dt.date) -> str:
    if isinstance(moment, dt.datetime):
        return moment.isoformat(sep=" ", timespec="seconds" if moment.second else "minutes")
    return f"{moment:%Y-%m-%d}"


def _duration_text(seconds: int) -> str:
    parts = ((seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count)
