# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTML pages of all verdicts, and what is read from a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.promotion_page import promotion_page
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.reconciliation_page import reconciliation_page
from tests.unit.plugins.plugin_utils.reports.promotion_reports import promotion
from tests.unit.plugins.plugin_utils.reports.reconciliation_reports import reconciliation
from tests.unit.plugins.plugin_utils.reports.values import PROMOTION_VERDICTS, RECONCILIATION_VERDICTS, Json

Element = ElementTree.Element
EVIL = '<script>alert("x")</script>&amp; \'"><img src=x onerror=alert(1)> {{ 7 * 7 }} {% x %} | `'
PAGES: list[tuple[Callable[[Any], str], Json]] = [
    *((promotion_page, promotion(verdict)) for verdict in PROMOTION_VERDICTS),
    *((reconciliation_page, reconciliation(verdict)) for verdict in RECONCILIATION_VERDICTS),
]
NAMES = [*(f"promotion {verdict}" for verdict in PROMOTION_VERDICTS), *(f"dns {verdict}" for verdict in RECONCILIATION_VERDICTS)]
every_page = pytest.mark.parametrize(("page", "report"), PAGES, ids=NAMES)
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "section", "footer", "div", "span", "p", "br"),
    *("h1", "h2", "h3", "dl", "dt", "dd", "ul", "li", "strong", "code", "pre", "a", "details", "summary", "svg", "rect"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td"),
}


def parse(page: str) -> Element:
    """The page by a parser that forgives nothing."""
    assert page.startswith("<!DOCTYPE html>\n")
    return ElementTree.fromstring(page)


def text_of(element: Element) -> str:
    """What a reader sees, with single spaces."""
    return " ".join("".join(element.itertext()).split())


def main_text(page: str) -> str:
    body = parse(page).find("body")
    assert body is not None
    return text_of(body)


def changed_leaves(value: Any, change: Callable[[str], str]) -> Any:
    """The report with each text changed, but for those that the code understands."""
    known = {"verdict", "state", "action", "phase", "provider", "started_at", "finished_at", "checked_at", "code"}
    if isinstance(value, dict):
        return {
            key: item if key in known and isinstance(item, str) else changed_leaves(item, change) for key, item in value.items()
        }
    if isinstance(value, list):
        return [changed_leaves(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


def heading_tone(root: Element) -> str:
    verdict = root.find(".//div[@class]")
    assert verdict is not None
    name, tone = str(verdict.get("class")).split()
    assert name == "verdict"
    return tone
