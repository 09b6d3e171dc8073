# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Tables of plain text for consoles and the output pane of AWX. Pure functions."""

from __future__ import annotations

import dataclasses
import typing as t
import unicodedata

#: lines of a table, the header and what is below its rows included
MAX_LINES = 60
#: Columns of a terminal. The default callback of Ansible indents the lines of a result and puts them in quotes, so that they stay
#: within 120 columns.
MAX_WIDTH = 108

_GAP = "  "
_REPLACEMENT = "\ufffd"
#: what must not get to a terminal as it is: control characters, formatting, surrogates, line separators
_UNSAFE = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))


@dataclasses.dataclass(frozen=True)
class Column:
    """A column.

    :param numeric: aligned to the right.
    :param narrowest: columns of the terminal that its texts keep, if the table has to be made narrower; None for all of them.
    """

    title: str
    numeric: bool = False
    narrowest: int | None = None


def text_table(
    columns: t.Sequence[Column],
    rows: t.Sequence[t.Sequence[object]],
    footer: t.Sequence[object] = (),
    max_lines: int = MAX_LINES,
    max_width: int = MAX_WIDTH,
) -> list[str]:
    """The lines of a table, at most ``max_lines`` of them, each at most ``max_width`` columns of a terminal wide.

    Rows for which there is no room are counted in a line of their own.

    :param rows: a value for each column; None is shown as a dash.
    :param footer: lines below the rows.
    """
    room = max_lines - 1 - len(footer)
    kept = rows if len(rows) <= room else rows[: max(0, room - 1)]
    cells = [[one_line("-" if value is None else value) for value in row] for row in kept]
    titles = [column.title for column in columns]
    widths = _widths(columns, [titles, *cells], max_width)
    lines = [_line(columns, row, widths) for row in [titles, *cells]]
    if len(kept) < len(rows):
        lines.append(f"… and {len(rows) - len(kept)} more")
    return [clip(line, max_width) for line in (*lines, *map(one_line, footer))]


def fitting_table(
    columns: t.Sequence[Column], rows: t.Sequence[t.Sequence[object]], footer: t.Sequence[object], max_width: int
) -> list[str]:
    """A table as :func:`text_table` makes it or, on a terminal where it is too wide, with each name on a line above its row."""
    whole = text_table(columns, rows, footer)
    if max_width >= MAX_WIDTH or max(map(width, whole)) <= max_width:
        return whole
    kept = rows[: (MAX_LINES - len(footer) - 3) // 2]
    below = text_table(columns[1:], [row[1:] for row in kept], (), max_width=max_width - len(_GAP))
    lines = []
    for name, line in zip([columns[0].title, *(row[0] for row in kept)], below):
        lines += [one_line(name), f"{_GAP}{line}"]
    if len(kept) < len(rows):
        lines.append(f"… and {len(rows) - len(kept)} more")
    return [clip(line, max_width) for line in (*lines, *map(one_line, footer))]


def one_line(value: object) -> str:
    """The text of a value on one line, with U+FFFD for each character that a terminal would not show as it is."""
    words = " ".join(str(value).split())
    return "".join(_REPLACEMENT if unicodedata.category(character) in _UNSAFE else character for character in words)


def width(text: str) -> int:
    """Columns of a terminal that a text takes (UAX #11: wide characters take two; combining ones none)."""
    return sum(map(_columns, text))


def clip(text: str, limit: int) -> str:
    """A text of at most ``limit`` columns; an ellipsis ends one that was wider."""
    if width(text) <= limit:
        return text
    kept, used = "", 1
    for character in text:
        used += _columns(character)
        if used > limit:
            break
        kept += character
    return f"{kept}…"


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _widths(columns: t.Sequence[Column], rows: t.Sequence[t.Sequence[str]], max_width: int) -> list[int]:
    """The width of each column. Those that may be narrower give what is missing, the widest one first."""
    widths = [max(width(row[number]) for row in rows) for number in range(len(columns))]
    floors = [
        wanted if column.narrowest is None else min(wanted, max(column.narrowest, width(column.title)))
        for column, wanted in zip(columns, widths)
    ]
    excess = sum(widths) + len(_GAP) * (len(columns) - 1) - max_width
    for dummy in range(max(0, excess)):
        spare = [wanted - floor for wanted, floor in zip(widths, floors)]
        number = max(range(len(columns)), key=lambda column: (spare[column] > 0, widths[column]))
        if not spare[number]:
            break
        widths[number] -= 1
    return widths


def _line(columns: t.Sequence[Column], row: t.Sequence[str], widths: t.Sequence[int]) -> str:
    return _GAP.join(_cell(column, text, size) for column, text, size in zip(columns, row, widths)).rstrip()


def _cell(column: Column, text: str, size: int) -> str:
    shown = clip(text, size)
    padding = " " * (size - width(shown))
    return padding + shown if column.numeric else shown + padding
