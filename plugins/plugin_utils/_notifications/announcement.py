# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What a notification says: the result of a role, in short."""

from __future__ import annotations

import dataclasses
import typing as t

from ...module_utils._core.texts import one_line
from .._reports.fields import Fields
from .._reports.formats import safe_text

#: lines of targets in a text for people
MAX_LINES = 50

_MEMBERS = ("verdict", "ok", "changed", "message", "run", "release", "started_at", "finished_at", "summary")
_TARGET_MEMBERS = ("name", "verdict", "reason")


@dataclasses.dataclass(frozen=True)
class TargetResult:
    name: str
    verdict: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Announcement:
    """The result of a role.

    :param targets: those that people want to know of.
    :param facts: further lines for people, by their labels; empty ones are left out.
    :param qualifier: what the subject of a mail has in parentheses; may be empty.
    :param name: of the file that the report is attached as, without its suffix.
    :param brief: the report without its details, as JSON.
    :param report: all of it.
    """

    verdict: str
    ok: bool
    changed: bool
    check_mode: bool
    message: str
    targets: tuple[TargetResult, ...]
    facts: tuple[tuple[str, str], ...]
    qualifier: str
    name: str
    brief: t.Mapping[str, object]
    report: t.Mapping[str, object]


def announcement(report: t.Mapping[str, object]) -> Announcement:
    """What to say about the report of a promotion; any of its members may be missing."""
    fields = Fields(report)
    targets = fields.children("targets")
    brief = {name: fields.get(name) for name in _MEMBERS}
    return Announcement(
        verdict=one_line(fields.text("verdict")),
        ok=fields.flag("ok"),
        changed=fields.flag("changed"),
        check_mode=fields.flag("check_mode"),
        message=safe_text(fields.text("message")),
        targets=tuple(map(_target, targets)),
        facts=facts(fields, "run", "release", "started_at", "finished_at"),
        qualifier=one_line(fields.text("release")),
        name=f"promotion-{fields.text('run') or 'report'}",
        brief={**brief, "targets": [{name: item.get(name) for name in _TARGET_MEMBERS} for item in targets]},
        report=report,
    )


def facts(fields: Fields, *names: str) -> tuple[tuple[str, str], ...]:
    """Members of a report by their labels: ``Started`` for ``started_at``."""
    return tuple((name.removesuffix("_at").capitalize(), one_line(fields.text(name))) for name in names)


def target_lines(about: Announcement, bullet: str) -> list[str]:
    """A line for each target; many are cut."""
    lines = [f"{bullet}{target.name}: {target.verdict}. {target.reason}".strip() for target in about.targets]
    if len(lines) > MAX_LINES:
        return [*lines[:MAX_LINES], f"{bullet}and {len(lines) - MAX_LINES} more"]
    return lines


def _target(target: Fields) -> TargetResult:
    return TargetResult(one_line(target.text("name")), one_line(target.text("verdict")), safe_text(target.text("reason")))
