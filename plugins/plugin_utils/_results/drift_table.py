# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The drift in results as tables of text or Markdown. Pure functions."""

from __future__ import annotations

import typing as t

from .._reports import markdown
from .._reports.fields import Fields
from .._reports.table import Column, clip, one_line, text_table
from .outcomes import TargetOutcome

#: columns of a terminal
WIDTH = 80
#: narrower tables have no room for their columns
NARROWEST = 50

_TITLES = ("action", "name", "type", "before", "after")
_COLUMNS = (
    Column("action"),
    Column("name", narrowest=10),
    Column("type"),
    Column("before", narrowest=8),
    Column("after", narrowest=8),
)


def drift_text(targets: t.Sequence[TargetOutcome], limit: int | None = None, width: int = WIDTH) -> str:
    """A table for each target, one below the other.

    :param limit: the most record sets that are shown of one target.
    :param width: columns of a terminal that a line may have.
    """
    parts = []
    for target in targets:
        rows = _rows(target.drift, limit)
        lines = [clip(one_line(f"{target.name}: {_summary(target)}" if target.name else _summary(target)), width)]
        if rows:
            lines += text_table(_COLUMNS, rows, _more(target.drift, len(rows)), len(rows) + 2, width)
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def drift_markdown(targets: t.Sequence[TargetOutcome], limit: int | None = None) -> str:
    """A heading and a table for each target.

    :param limit: see :func:`drift_text`.
    """
    parts = []
    for target in targets:
        heading = [f"### {markdown.line(target.name)}"] if target.name else []
        rows = _rows(target.drift, limit)
        table = [f"| {' | '.join(_TITLES)} |", f"|{' --- |' * len(_TITLES)}"] if rows else []
        for action, name, kind, before, after in rows:
            cells = (markdown.line(action), markdown.code(name), markdown.line(kind), markdown.code(before), markdown.code(after))
            table.append(f"| {' | '.join(cells)} |")
        more = _more(target.drift, len(rows)) if rows else []
        blocks = [heading, [markdown.paragraph(_summary(target))], table, more]
        parts.append("\n\n".join("\n".join(block) for block in blocks if block))
    return "\n\n".join(parts)


def _summary(target: TargetOutcome) -> str:
    drift = target.drift
    if "creates" not in drift:
        known = {True: "in sync", False: "differs, and it is not known in what"}
        return known.get(target.in_sync, "drift is not known") if target.in_sync is not None else "drift is not known"
    counts = ", ".join(f"{drift.count(f'{action}s')} to {action}" for action in ("create", "update", "delete"))
    differs = any(drift.count(name) for name in ("creates", "updates", "deletes"))
    if not differs:
        return "in sync"
    return f"{counts} (in sync: only what does not count differs)" if drift.known_flag("in_sync") is True else counts


def _rows(drift: Fields, limit: int | None) -> list[tuple[str, str, str, str, str]]:
    return [
        (
            f"{each.text('action')} (ignored)" if each.flag("ignored") else each.text("action"),
            each.text("name"),
            each.text("type"),
            _record_set(each.child("before")),
            _record_set(each.child("after")),
        )
        for each in drift.children("records")[:limit]
    ]


def _record_set(side: Fields) -> str:
    """TTL and records on one line, or a dash if there is none."""
    return f"{side.text('ttl')} {', '.join(side.texts('records'))}" if side else "-"


def _more(drift: Fields, shown: int) -> list[str]:
    rest = sum(drift.count(name) for name in ("creates", "updates", "deletes")) - shown
    return [f"… and {rest} more"] if rest > 0 else []
