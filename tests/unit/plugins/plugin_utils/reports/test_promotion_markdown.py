# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Markdown of a promotion, read by a Markdown parser."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.markdown import code, line
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.promotion_markdown import promotion_markdown
from tests.unit.plugins.plugin_utils.reports.commonmark import EVIL, headings, inline_html, links, parse, shape, texts
from tests.unit.plugins.plugin_utils.reports.pages import changed_leaves
from tests.unit.plugins.plugin_utils.reports.promotion_reports import promotion
from tests.unit.plugins.plugin_utils.reports.values import PROMOTION_VERDICTS


@pytest.mark.parametrize("verdict", PROMOTION_VERDICTS)
def test_it_has_all_facts(verdict: str) -> None:
    report = promotion(verdict)
    markdown = promotion_markdown(report)
    shown = texts(markdown)
    assert headings(markdown)[0] == f"Promotion: {verdict.replace('_', ' ')}"
    for fact in (
        report["message"].partition(": ")[2],
        report["run"],
        report["release"],
        report["digest"],
        "deploy on awx-7, job 1917",
    ):
        assert fact in shown
    for target in report["targets"]:
        assert target["name"] in headings(markdown)
        assert target["reason"] in shown
        parts = [target["plan"], target["backup"], target["sync"], target["verify"], target["rollback"], target["failure"]]
        for part in filter(None, parts):
            for key in ("reason", "message"):
                assert str(part.get(key) or "") in shown
        assert all(check["text"] in shown for check in target["checks"])
        for probe in [*target["before"], *((target["verify"] or {}).get("probes") or [])]:
            assert probe["url"] in shown and all(problem in shown for problem in probe["problems"])
    # each phase has its row
    assert all(phase["reason"] in shown for phase in report["phases"])


def test_it_says_what_to_do() -> None:
    assert "lockstep.sync.sync_wait" in promotion_markdown(promotion("unknown"))
    assert "staging_promotion_lift_hold" in promotion_markdown(promotion("rolled_back"))
    assert "What to do now" not in promotion_markdown(promotion("succeeded"))


@pytest.mark.parametrize("verdict", PROMOTION_VERDICTS)
def test_texts_of_servers_change_no_block(verdict: str) -> None:
    plain = promotion(verdict)
    evil = changed_leaves(plain, lambda text: f"{text}{EVIL}")
    assert [kind for kind in shape(promotion_markdown(evil)) if kind != "html_block"] == shape(promotion_markdown(plain))
    assert set(inline_html(promotion_markdown(evil))) <= {"<br>"}
    assert links(promotion_markdown(evil)) == []


@pytest.mark.parametrize(
    "begin", ["# ", "- ", "* ", "+ ", "1. ", "2) ", "> ", "--- ", "=== ", "~~~ ", "``` ", "    ", "| ", "[a]: "]
)
def test_texts_that_begin_like_a_block_are_none(begin: str) -> None:
    plain = promotion("rolled_back")
    evil = changed_leaves(plain, lambda text: f"{begin}{text}")
    assert shape(promotion_markdown(evil)) == shape(promotion_markdown(plain))


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40))
def test_any_text_stays_in_its_cell(text: str) -> None:
    for cell in (line(text), code(text)):
        tokens = parse(f"| a | b |\n|---|---|\n| {cell} | x |\n")
        assert [token.type for token in tokens].count("td_open") == 2
        assert tokens[-5].content == "x" or "x" in [token.content for token in tokens if token.type == "inline"]


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab`|\\ <&[]", max_size=12))
def test_code_in_a_cell_reads_as_it_was(text: str) -> None:
    wanted = " ".join(text.split())
    if not wanted or "\\" in wanted:
        # GitHub and CommonMark do not agree on a backslash before a pipe in code
        return
    tokens = parse(f"| a | b |\n|---|---|\n| {code(text)} | x |\n")
    cell = [token for token in tokens if token.type == "inline"][2]
    assert [child.content for child in cell.children or [] if child.type == "code_inline"] == [wanted]


@pytest.mark.parametrize("text", ["*a* b", "_a_", "a _b_ c", "~~a~~", "~a~", "a ##", "#", "snake_case_name", "*.example."])
def test_prose_reads_as_it_was(text: str) -> None:
    assert texts(f"x {line(text)}") == f"x {text}"
    assert texts(f"## {line(text)}") == text
