# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Templates of reports as HTML and as Markdown, read once from the files in ``templates``.

All values are escaped for the format of their template unless a filter marks them as finished. Much of what reports show came
from servers.
"""

from __future__ import annotations

import pathlib
import re
import typing as t

import jinja2
import markupsafe

from . import formats, markdown

FOLDER = pathlib.Path(__file__).parent / "templates"


def style() -> str:
    """The CSS of all pages, without its comments."""
    return re.sub(r"/\*.*?\*/\s*", "", (FOLDER / "style.css").read_text(encoding="utf-8"), flags=re.DOTALL)


def _html(value: object) -> str:
    """What an expression in a page writes; it is escaped afterwards unless it is Markup."""
    return value if isinstance(value, markupsafe.Markup) else formats.safe_text(value)


def _markdown(value: object) -> str:
    """What an expression in a Markdown report writes."""
    return value if isinstance(value, markupsafe.Markup) else markupsafe.Markup(markdown.line(value))  # nosec B704


def _lines(values: t.Iterable[object]) -> markupsafe.Markup:
    """Values below each other in a cell of a table, without those that are empty."""
    return markupsafe.Markup("<br>").join(text for text in map(_markdown, values) if text)


def _environment(finalize: t.Callable[[object], str], keep_trailing_newline: bool = False) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=keep_trailing_newline,
        finalize=finalize,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
    )
    environment.filters.update(
        mark=formats.MARKS.__getitem__,
        tone=formats.tone,
        humanize=formats.humanize,
        seconds=formats.seconds,
        date_time=formats.date_time,
        clock_time=formats.clock_time,
    )
    return environment


HTML = _environment(_html)
MARKDOWN = _environment(_markdown, keep_trailing_newline=True)
MARKDOWN.filters.update(
    lines=_lines,
    strong=lambda value: markupsafe.Markup(f"**{markdown.line(value)}**"),  # nosec B704
    code=lambda value: markupsafe.Markup(markdown.code(value)),  # nosec B704
    code_block=lambda value: markupsafe.Markup(markdown.code_block(value)),  # nosec B704
    paragraph=lambda value: markupsafe.Markup(markdown.paragraph(value)),  # nosec B704
)


def page_template(name: str) -> jinja2.Template:
    """A template of a page. To be called when a module is imported: the processes of tasks are forked after that."""
    for shared in ("frame.html.j2", "parts.html.j2"):
        HTML.get_template(shared)
    return HTML.get_template(name)


def markdown_template(name: str) -> jinja2.Template:
    """A template of a Markdown report; see :func:`page_template`."""
    MARKDOWN.get_template("parts.md.j2")
    return MARKDOWN.get_template(name)
