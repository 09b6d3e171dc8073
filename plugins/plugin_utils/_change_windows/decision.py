# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Change windows of role staging_promotion: whether a change is allowed now, and when that changes."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from .syntax import parse
from .times import DAYS, Span, Window, WindowRules, union, without

OPTION = "staging_promotion_windows"

#: how far ahead the next change is searched for: first nearby, because most are, and a long search takes longer
HORIZONS = (dt.timedelta(days=8), dt.timedelta(days=366))


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Whether a change may be made now.

    :param reason: the window that decided, with times in its zone, and when that changes.
    :param window: name of that window (``allow[0]`` and the like if it has none); ``None`` where no single one decided.
    :param next_change: when it closes or opens next, in UTC; ``None`` if that does not happen within about a year.
    """

    open: bool
    reason: str
    window: str | None
    next_change: dt.datetime | None


def check(windows: object, option: str = OPTION) -> None:
    """Refuse invalid windows, before anything happens.

    :param windows: ``{"allow": [window, ...], "deny": [window, ...]}``, as the user wrote it.
    :raises SyncError: ``invalid_option`` that names the entry, such as ``staging_promotion_windows.allow[0].days``.
    """
    parse(windows, option)


def judge(windows: object, now: dt.datetime, option: str = OPTION) -> Verdict:
    """Whether a change is allowed at ``now`` (with a time zone). Deny wins, and without allow windows it is always allowed.

    :raises SyncError: as :func:`check`.
    """
    if now.tzinfo is None:
        raise ValueError("a time without a zone")
    rules = parse(windows, option)
    # all windows begin and end at whole seconds
    instant = now.astimezone(dt.timezone.utc).replace(microsecond=0)
    outlook = _outlook(rules, instant, HORIZONS[0])
    if outlook.change is None:
        outlook = _outlook(rules, instant, HORIZONS[1])
    return _verdict(rules, outlook)


@dataclasses.dataclass(frozen=True)
class _Outlook:
    """The windows from now on.

    :param reach: the end of the time that is considered.
    :param allow: windows with their spans.
    """

    now: dt.datetime
    reach: dt.datetime
    allow: list[tuple[Window, list[Span]]]
    deny: list[tuple[Window, list[Span]]]
    open: bool
    change: dt.datetime | None


def _outlook(rules: WindowRules, now: dt.datetime, horizon: dt.timedelta) -> _Outlook:
    reach = now + horizon
    lists: list[list[tuple[Window, list[Span]]]] = []
    for windows in (rules.allow, rules.deny):
        lists.append([])
        for window in windows:
            spans, known = window.spans(now, reach)
            reach = min(reach, known)
            lists[-1].append((window, spans))
    allow, deny = lists
    allowed = union(span for _window, spans in allow for span in spans) if rules.allow else [(now, reach)]
    denied = union(span for _window, spans in deny for span in spans)
    begin, end = next(without(allowed, denied), (reach, reach))
    is_open = begin <= now
    change = end if is_open else begin
    return _Outlook(now, reach, allow, deny, is_open, change if change < reach else None)


def _at(windows: list[tuple[Window, list[Span]]], moment: dt.datetime) -> Window | None:
    """The first window that contains a moment."""
    return next((window for window, spans in windows if any(begin <= moment < end for begin, end in spans)), None)


def _verdict(rules: WindowRules, outlook: _Outlook) -> Verdict:
    allow, deny = _at(outlook.allow, outlook.now), _at(outlook.deny, outlook.now)
    if outlook.open:
        return _opened(rules, outlook, allow)
    return _closed(rules, outlook, deny)


def _opened(rules: WindowRules, outlook: _Outlook, allow: Window | None) -> Verdict:
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


def _closed(rules: WindowRules, outlook: _Outlook, deny: Window | None) -> Verdict:
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


def _labels(windows: t.Sequence[Window]) -> str:
    shown = ", ".join(window.label for window in windows[:3])
    return shown if len(windows) <= 3 else f"{shown} and {len(windows) - 3} more"


def _moment(moment: dt.datetime, zone: dt.tzinfo) -> str:
    local = moment.astimezone(zone)
    # strftime would write names of days in the language of the locale
    seconds = f":{local.second:02}" if local.second else ""
    return f"{DAYS[local.weekday()].capitalize()} {local:%Y-%m-%d %H:%M}{seconds} {local.tzname()}"


def _day(moment: dt.datetime, zone: dt.tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d}"
