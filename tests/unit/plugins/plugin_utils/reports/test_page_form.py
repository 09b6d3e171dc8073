# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The form of each page: well-formed, self-contained, and readable in both themes."""

from __future__ import annotations

import base64
import copy
import hashlib
import itertools
import re
from collections.abc import Callable
from typing import Any

import jinja2
import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._reports import formats, page as _page, rendering
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.links import ERRORS
from tests.unit.plugins.plugin_utils.reports.pages import PAGES, TAGS, every_page, heading_tone, parse, text_of
from tests.unit.plugins.plugin_utils.reports.values import Json, themes

ATTRIBUTES = {
    *("lang", "charset", "http-equiv", "content", "name", "class", "id", "scope", "data-label", "aria-hidden", "aria-labelledby"),
    *("href", "open", "x", "width", "height"),
}


def test_a_name_that_no_view_has_is_a_mistake_in_a_template() -> None:
    assert {rendering.HTML.undefined, rendering.MARKDOWN.undefined} == {jinja2.StrictUndefined}


@every_page
def test_a_page_is_well_formed_and_for_everybody(page: Callable[[Any], str], report: Json) -> None:
    root = parse(page(report))
    assert root.get("lang") == "en"
    assert {element.tag for element in root.iter()} <= TAGS
    assert {name for element in root.iter() for name in element.attrib} <= ATTRIBUTES
    (title,) = root.iter("title")
    assert formats.humanize(report["verdict"]) in text_of(title)
    assert [text_of(heading) for heading in root.iter("h1")] == [
        f"{formats.MARKS[heading_tone(root)]} {formats.humanize(report['verdict']).capitalize()}"
    ]
    assert [element.tag for element in root.findall("body/*")] == ["header", "main", "footer"]
    viewport = root.find(".//meta[@name='viewport']")
    assert viewport is not None and viewport.get("content") == "width=device-width, initial-scale=1"

    for table in root.iter("table"):
        assert table[0].tag == "caption" and text_of(table[0])
        columns = len(table.findall("thead/tr/th"))
        assert all(head.get("scope") == "col" for head in table.findall("thead/tr/th"))
        for row in table.findall("tbody/tr"):
            assert row[0].tag == "th" and row[0].get("scope") == "row"
            assert len(row) == columns
            # a narrow screen shows no header, so each cell says what it is
            assert all(cell.get("data-label") for cell in row.findall("td"))
    for details in root.iter("details"):
        assert details[0].tag == "summary" and text_of(details[0])
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    references = [element.get("aria-labelledby") for element in root.iter("section")]
    links = [str(link.get("href")) for link in root.iter("a")]
    references += [link.removeprefix("#") for link in links if not link.startswith(f"{ERRORS}#")]
    assert set(references) <= set(ids)


@every_page
def test_a_page_needs_nothing_from_elsewhere_and_runs_nothing(page: Callable[[Any], str], report: Json) -> None:
    root = parse(page(report))
    for element in root.iter():
        assert not set(element.keys()) & {"src", "srcset", "style", "action", "background", "data", "poster"}
        assert not [name for name in element.attrib if name.startswith("on")]
        # nothing is loaded from where a link leads until somebody follows it
        assert str(element.get("href", "#")).startswith(("#", f"{ERRORS}#") if element.tag == "a" else "#")
    (style,) = root.iter("style")
    assert style.text is not None
    assert not re.search(r"@import|@font-face|url\s*\(|expression", style.text)
    policy = root.find(".//meta[@http-equiv='Content-Security-Policy']")
    assert policy is not None
    expected = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    rules = dict(rule.strip().split(" ", 1) for rule in str(policy.get("content")).split(";"))
    assert rules == {
        "default-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "style-src": f"'sha256-{expected}'",
    }


@every_page
def test_a_colour_never_stands_alone(page: Callable[[Any], str], report: Json) -> None:
    root = parse(page(report))
    badges = [element for element in root.iter("span") if "badge" in str(element.get("class")).split()]
    assert badges
    for badge in badges:
        assert re.search(r"[a-z]", text_of(badge))
    # bars are decoration of numbers that stand next to them
    assert all(drawing.get("aria-hidden") == "true" for drawing in root.iter("svg"))


def test_pages_leave_their_report_alone() -> None:
    for page, report in PAGES:
        before = copy.deepcopy(report)
        page(report)
        assert report == before


# -- contrast ---------------------------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2."""
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", themes(_page.STYLE).values(), ids=["light", "dark"])
def test_both_themes_can_be_read(theme: dict[str, str]) -> None:
    for text, back in itertools.product(("text", "muted"), ("page", "paper")):
        assert contrast(theme[text], theme[back]) >= 4.5, (text, back)
    for tone in formats.MARKS:
        # words on their own ground, and ordinary text in a note
        assert contrast(theme[tone], theme[f"{tone}-back"]) >= 4.5, tone
        assert contrast(theme["text"], theme[f"{tone}-back"]) >= 4.5, tone
        # bars on their track and on the paper
        assert contrast(theme[tone], theme["none-back"]) >= 3, tone
        assert contrast(theme[tone], theme["paper"]) >= 3, tone


def test_the_contrast_of_black_and_white_is_known() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_themes_have_the_same_colours() -> None:
    light, dark = themes(_page.STYLE).values()
    assert list(light) == list(dark)
    used = set(re.findall(r"var\(--([a-z-]+)\)", _page.STYLE))
    assert used == set(light)


def test_every_tone_has_its_colours() -> None:
    for tone in formats.MARKS:
        assert f".{tone} {{\n  color: var(--{tone});\n  background: var(--{tone}-back);\n}}" in _page.STYLE
        assert f"svg .{tone} {{ fill: var(--{tone}); }}" in _page.STYLE
