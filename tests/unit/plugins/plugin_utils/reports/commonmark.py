# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Markdown as a parser of CommonMark with tables reads it."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.links import ERRORS

EVIL = "a|b\\|c\n# d\n\n| e | `f|g``h` [i](javascript:j) ![l](https://m) <img src=x> <script>k</script> &lt; <https://n> \\"


def parse(markdown: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(markdown)


def headings(markdown: str) -> list[str]:
    tokens = parse(markdown)
    return [after.content for token, after in zip(tokens, tokens[1:], strict=False) if token.type == "heading_open"]


def shape(markdown: str) -> list[str]:
    """The blocks of a text, without what is in them."""
    return [token.type for token in parse(markdown)]


def texts(markdown: str) -> str:
    """What a reader sees, with single spaces."""
    found = []
    for token in parse(markdown):
        found += [child.content if child.type != "html_inline" else " " for child in token.children or [token]]
    return " ".join(" ".join(found).split())


def _inline(markdown: str) -> list[Token]:
    return [child for token in parse(markdown) for child in token.children or []]


def inline_html(markdown: str) -> list[str]:
    return [child.content for child in _inline(markdown) if child.type == "html_inline"]


def links(markdown: str) -> list[Token]:
    """Links and pictures, but for links to the documentation of failure codes."""
    found = [child for child in _inline(markdown) if child.type in ("link_open", "image")]
    return [child for child in found if not str(child.attrs.get("href", "")).startswith(f"{ERRORS}#")]
