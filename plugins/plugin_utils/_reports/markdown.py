# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Text from elsewhere in Markdown, without a meaning of its own there (CommonMark and the tables of GitHub).

A line break or a pipe would end a cell of a table, and brackets, backticks, asterisks and angle brackets would make links, code,
emphasis and HTML.
"""

from __future__ import annotations

import re

from . import formats

#: What has a meaning in a line: within a word, an underscore has none, and number signs have one at the end of a heading alone.
_MARKUP = re.compile(r"[\\`\[\]|*~&<]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|#+$")
_ENTITIES = {"&": "&amp;", "<": "&lt;"}


def line(value: object) -> str:
    """Any text on one line of prose, in a heading, or in a cell of a table."""
    return _MARKUP.sub(_escape, _one_line(value))


def _escape(found: re.Match[str]) -> str:
    return _ENTITIES.get(found[0]) or f"\\{found[0]}"


def paragraph(value: object) -> str:
    """Any text as a paragraph of its own, even if it begins like a heading, a list or a quotation."""
    return re.sub(r"^(\d*)([-#>+=:.)])", r"\1\\\2", line(value))


def code(value: object) -> str:
    """Any text as code on one line, also in a cell of a table."""
    text = _one_line(value)
    if not text:
        return ""
    # a fence is longer than what it holds, and a pipe ends a cell even in code
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    space = " " if text[0] == "`" or text[-1] == "`" else ""
    return f"{fence}{space}{text}{space}{fence}".replace("|", "\\|")


def code_block(value: object) -> str:
    """Any text as a block of code within an item of a list."""
    text = formats.safe_text(value)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return "\n".join(f"  {row}" for row in [fence, *text.splitlines(), fence])


def _one_line(value: object) -> str:
    return " ".join(formats.safe_text(value).split())
