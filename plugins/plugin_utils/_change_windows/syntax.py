# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Change windows: the notation of users, and the text that describes a window."""

from __future__ import annotations

import datetime as dt
import difflib
import re
import typing as t
import zoneinfo

from ...module_utils._core.errors import invalid_option
from .times import DAY, DAYS, Calendar, Cron, Window, WindowRules, cronsim_library

LONG_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY_MINUTES = 24 * 60
MAX_DURATION = 31 * 24 * 3600

_CALENDAR_KEYS = ("days", "from", "to", "start", "end")
_CRON_KEYS = ("cron", "duration")
_COMMON_KEYS = ("name", "timezone")
KEYS = _CALENDAR_KEYS + _CRON_KEYS + _COMMON_KEYS
_DURATION = re.compile(r"(?:(\d+)\s*d)?\s*(?:(\d+)\s*h)?\s*(?:(\d+)\s*m)?\s*(?:(\d+)\s*s?)?", re.IGNORECASE)

#: The entries of a mapping that the user wrote.
Given = t.Mapping[str, object]


def parse(windows: object, option: str) -> WindowRules:
    """The windows of a setting.

    :param windows: ``{"allow": [window, ...], "deny": [window, ...]}``, as the user wrote it; None for no windows.

    :raises SyncError: ``invalid_option`` that names the entry.
    """
    if windows is None:
        return WindowRules((), ())
    if not isinstance(windows, t.Mapping):
        raise invalid_option(
            option, windows, "is not a mapping", _quoted(windows) + "Write lists of windows under allow and deny."
        )
    unknown = [key for key in windows if key not in ("allow", "deny")]
    if unknown:
        raise invalid_option(option, unknown[0], "is not a key of it", "Write lists of windows under allow and deny.")
    return WindowRules(_parse_list(windows, "allow", option), _parse_list(windows, "deny", option))


def _parse_list(windows: Given, key: str, option: str) -> tuple[Window, ...]:
    entries = windows.get(key)
    if entries is None:
        return ()
    if isinstance(entries, (str, bytes)) or not isinstance(entries, t.Sequence):
        raise invalid_option(
            f"{option}.{key}", entries, "is not a list", _quoted(entries) + "Write a list of windows, even for a single one."
        )
    return tuple(_parse_window(entry, f"{option}.{key}[{index}]", f"{key}[{index}]") for index, entry in enumerate(entries))


def _quoted(value: object) -> str:
    """An additional remedy: templates of ansible-core 2.18 turn everything that contains dates into text."""
    return "Put dates and times into quotes. " if isinstance(value, str) and "datetime.date" in value else ""


def _parse_window(entry: object, path: str, place: str) -> Window:
    if not isinstance(entry, t.Mapping):
        raise invalid_option(path, entry, "is not a mapping", "Write days, from, to; or cron, duration; or start, end.")
    for key in entry:
        if key not in KEYS:
            raise invalid_option(path, key, "is not a key of a window", f"Use some of {', '.join(KEYS)}.")
    # a role's argument specification sets what was left out to null
    given = {key: value for key, value in entry.items() if value is not None}
    name = place
    if "name" in given:
        name = str(given["name"]).strip()
        if not name or isinstance(given["name"], (dict, list, bool)):
            raise invalid_option(f"{path}.name", given["name"], "is not a name", "Leave it out, or give the window a name.")
    zone, zone_name = _parse_zone(given.get("timezone", "UTC"), f"{path}.timezone")
    if any(key in given for key in _CRON_KEYS):
        return _parse_cron(given, path, name, zone, zone_name)
    if not any(key in given for key in _CALENDAR_KEYS):
        raise invalid_option(
            path,
            dict(given),
            "gives no days, times, dates or cron",
            'Give days, times, dates or cron; always is days: "mon-sun".',
        )
    return _parse_calendar(given, path, name, zone, zone_name)


def _parse_zone(value: object, path: str) -> tuple[dt.tzinfo, str]:
    remedy = "Use a name of the IANA time zone database such as Europe/Berlin."
    if not isinstance(value, str) or not value.strip():
        raise invalid_option(path, value, "is not the name of a time zone", remedy)
    name = value.strip()
    if name.upper() in ("UTC", "ETC/UTC"):
        # works without a time zone database
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


def _parse_calendar(given: Given, path: str, name: str, zone: dt.tzinfo, zone_name: str) -> Calendar:
    days = _parse_days(given["days"], f"{path}.days") if "days" in given else frozenset(range(7))
    begin = _parse_time(given["from"], f"{path}.from") if "from" in given else 0
    end = _parse_time(given["to"], f"{path}.to") if "to" in given else DAY_MINUTES
    if begin == DAY_MINUTES:
        raise invalid_option(f"{path}.from", given["from"], "is the end of a day", 'Write "00:00" and the next day.')
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
    return Calendar(name, text, zone, days, begin, end if end > begin else end + DAY_MINUTES, start, stop)


def _parse_days(value: object, path: str) -> frozenset[int]:
    remedy = "Use mon, tue, wed, thu, fri, sat, sun, and ranges such as mon-fri."
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, (list, tuple)):
        raise invalid_option(path, value, "is not a list of days", remedy)
    days: set[int] = set()
    for entry in entries:
        if not isinstance(entry, str):
            raise invalid_option(path, entry, "is not the name of a day", remedy)
        for word in re.split(r"[,\s]+", re.sub(r"\s*-\s*", "-", entry.strip().lower())):
            # an extra comma is ignored
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
    # fri-mon crosses the end of the week
    return [(first + step) % 7 for step in range((last - first) % 7 + 1)]


def _parse_time(value: object, path: str) -> int:
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


def _parse_date(value: object, path: str) -> dt.date:
    """A date, or a date-time of whole seconds. YAML creates such objects from what is not in quotes."""
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
    """Local time at a date-time, or at the beginning of a date, or ``later`` days after it."""
    if isinstance(moment, dt.datetime):
        try:
            return (moment.astimezone(zone) if moment.tzinfo else moment).replace(tzinfo=None)
        except OverflowError:  # the last representable time, in a zone further east
            return moment.replace(tzinfo=None)
    midnight = dt.datetime.combine(moment, dt.time())
    return midnight + later * DAY if moment < dt.date.max else midnight


def _parse_cron(given: Given, path: str, name: str, zone: dt.tzinfo, zone_name: str) -> Cron:
    for key in _CALENDAR_KEYS:
        if key in given:
            raise invalid_option(f"{path}.{key}", given[key], "cannot be combined with cron", "Write two windows.")
    for key, other in (("cron", "duration"), ("duration", "cron")):
        if key not in given:
            remedy = f"Give {key} as well: five fields of cron say when the window begins, and duration how long it lasts."
            raise invalid_option(f"{path}.{other}", given[other], f"is without {key}", remedy)
    expression, duration = given["cron"], _parse_duration(given["duration"], f"{path}.duration")
    remedy = 'Write five fields in quotes: minute, hour, day of the month, month, day of the week, such as "0 22 * * fri".'
    if not isinstance(expression, str) or len(expression.split()) != 5:
        raise invalid_option(f"{path}.cron", expression, "is not a cron expression", remedy)
    expression = " ".join(expression.split())
    cronsim = cronsim_library()
    try:
        cronsim.CronSim(expression, dt.datetime.now(dt.timezone.utc))
    except (cronsim.CronSimError, AssertionError, ValueError, TypeError, IndexError) as exc:
        # only cronsim's own errors have texts for users
        detail = str(exc) if isinstance(exc, cronsim.CronSimError) else ""
        problem = "is not a cron expression" + (f" ({detail[:1].lower()}{detail[1:]})" if detail else "")
        raise invalid_option(f"{path}.cron", expression, problem, remedy) from None
    text = f"cron {expression} for {_duration_text(duration)}, {zone_name}"
    return Cron(name, text, zone, expression, dt.timedelta(seconds=duration))


def _parse_duration(value: object, path: str) -> int:
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


def _days_text(days: frozenset[int]) -> str:
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    # two consecutive days are written one by one
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
