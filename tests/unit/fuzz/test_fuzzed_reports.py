# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever servers say, a report keeps its form: the same elements, no markup of theirs, no active content."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.promotion_markdown import promotion_markdown
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.reconciliation_markdown import reconciliation_markdown
from tests.fuzzing import Fuzzer
from tests.unit.plugins.plugin_utils.reports.commonmark import inline_html, links, shape
from tests.unit.plugins.plugin_utils.reports.pages import PAGES, TAGS, changed_leaves, parse
from tests.unit.plugins.plugin_utils.reports.promotion_reports import promotion
from tests.unit.plugins.plugin_utils.reports.reconciliation_reports import reconciliation
from tests.unit.plugins.plugin_utils.reports.values import PROMOTION_VERDICTS, RECONCILIATION_VERDICTS, Json

MARKS = (
    *(
        "<",
        ">",
        "&",
        "&lt;",
        '"',
        "'",
        "`",
        "``",
        "|",
        "\\",
        "*",
        "_",
        "#",
        "\n",
        "\n\n",
        "- ",
        "1. ",
        "[",
        "]",
        "(",
        ")",
        "!",
        "~~~",
    ),
    *("    ", "\t", "https://x", "www.x.y", "a@b.c", "javascript:", "<!--", "]]>", "{{", "{%", "\r", "\x00", "\x1b[2J", "\ud800"),
    *("\u202e", "a", "<script>", "</style>", "<br>", "\u2028", "\x0b", "<a href=x>"),
)
MARKUP = st.lists(st.sampled_from(MARKS), max_size=12).map("".join)
CHANGES = MARKUP | st.text(max_size=30)
MARKDOWNS: list[tuple[Callable[[Any], str], Json]] = [
    *((promotion_markdown, promotion(verdict)) for verdict in PROMOTION_VERDICTS),
    *((reconciliation_markdown, reconciliation(verdict)) for verdict in RECONCILIATION_VERDICTS),
]


def test_pages(fuzz: Fuzzer) -> None:
    def check(given: tuple[int, str]) -> None:
        number, added = given
        page, report = PAGES[number]
        made = page(changed_leaves(report, lambda text: text + added))
        made.encode("utf-8")
        root = parse(made)
        assert {element.tag for element in root.iter()} <= TAGS
        for element in root.iter():
            assert not [name for name in element.attrib if name.startswith("on")]
            assert element.get("href", "#").startswith(("#", "http://", "https://"))

    fuzz(st.tuples(st.integers(0, len(PAGES) - 1), CHANGES), check, 40)


def test_markdown(fuzz: Fuzzer) -> None:
    shapes = [shape(make(changed_leaves(report, lambda text: f"{text}x"))) for make, report in MARKDOWNS]

    def check(given: tuple[int, str]) -> None:
        number, added = given
        make, report = MARKDOWNS[number]
        made = make(changed_leaves(report, lambda text: f"{text}{added}x"))
        made.encode("utf-8")
        assert shape(made) == shapes[number]
        # a line break in a cell of a table is ours
        assert set(inline_html(made)) <= {"<br>"}
        assert links(made) == []

    fuzz(st.tuples(st.integers(0, len(MARKDOWNS) - 1), CHANGES), check, 40)
