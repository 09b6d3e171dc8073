# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""How values are written in reports for people: words, durations, sizes, times. Pure functions."""

from __future__ import annotations

import datetime as dt

from ...module_utils._core.texts import harmless

#: The tones, each with the sign in front of its words, so that nothing depends on colours alone.
MARKS = {"ok": "✓", "info": "›", "warn": "!", "bad": "✕", "unsure": "?", "none": "–"}

_WORDS = {
    "ok": "succeeded passed in_sync reconciled made found ok",
    "info": "planned would_trigger would_join triggered joined",
    "warn": "refused rolled_back drift manual",
    "bad": "failed rollback_failed impossible",
    "unsure": "unknown running timed_out",
}
_TONE_OF = {word: tone for tone, words in _WORDS.items() for word in words.split()}


def tone(word: object) -> str:
    """The tone of a verdict, state or action: one of :data:`MARKS`."""
    return _TONE_OF.get(str(word), "none")


def humanize(value: object) -> str:
    """A verdict, state or action as people write it: with blanks instead of underscores."""
    return str(value).replace("_", " ")


def safe_text(value: object) -> str:
    """The text of a value, empty for None, with U+FFFD for each character that no report may contain."""
    return "" if value is None else harmless(str(value))


def clip(value: object, limit: int) -> str:
    """A text of at most ``limit`` characters; an ellipsis ends one that was longer."""
    text = str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def plural(number: object, noun: str) -> str:
    """A number with its noun, such as ``1 poll`` or ``3 polls``."""
    return f"{number} {noun}" if number == 1 else f"{number or 0} {noun}s"


def seconds(value: object) -> str:
    """A duration in seconds as text, such as ``1 min 01 s``; empty if it is not a finite number from 0 up."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or value < 0:
        return ""
    if value < 9.95:
        return f"{value:.1f} s"
    # neither infinity nor NaN is below the limit
    if not value < 1e9:
        return ""
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def milliseconds(value: object) -> str:
    """A latency in seconds as text, such as ``142 ms``; empty if it is not a number from 0 to a million."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < 1e6:
        return ""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def size(value: object) -> str:
    """A number of bytes in binary units; any other value as it is, because some servers send sizes as text."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return "" if value is None else str(value)
    number, units = float(value), ["B", "KiB", "MiB", "GiB", "TiB"]
    while number >= 1024 and len(units) > 1:
        number /= 1024
        units.pop(0)
    return f"{number:.0f} B" if units[0] == "B" else f"{number:.1f} {units[0]}"


def moment(value: object) -> dt.datetime | None:
    """A point in time in ISO 8601 as an aware datetime (UTC where no zone is given); None if it is not one."""
    try:
        # Python 3.10 and older do not accept Z
        found = dt.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.timezone.utc)


def date_time(value: object) -> str:
    """``2026-11-20 21:45:12``, or the text unchanged if it is not a point in time."""
    found = moment(value)
    return f"{found:%Y-%m-%d %H:%M:%S}" if found else str(value or "")


def clock_time(value: object) -> str:
    """``21:45:12``, or the text unchanged if it is not a point in time."""
    found = moment(value)
    return f"{found:%H:%M:%S}" if found else str(value or "")


def duration(started_at: str, finished_at: str) -> float | None:
    """Seconds between two points in time, at least 0; None if one of them is not known."""
    start, end = moment(started_at), moment(finished_at)
    return max(0.0, (end - start).total_seconds()) if start and end else None


def changed_text(changed: bool, check_mode: bool) -> str:
    """Whether something was changed, or would be in check mode."""
    if check_mode:
        return "would be changed" if changed else "would not be changed"
    return "changed" if changed else "not changed"
