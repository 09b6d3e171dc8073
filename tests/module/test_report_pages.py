# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTML pages of the reports as people see them: in a browser, light and dark, on a desk and on a phone, and on paper.

One browser shows all of them. It may run scripts on a page for the tests, though the pages have none.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._reports import formats, page as _page
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.promotion_page import promotion_page
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.reconciliation_page import reconciliation_page
from tests.module.chromium import Browser, running
from tests.unit.plugins.plugin_utils.reports.pages import changed_leaves
from tests.unit.plugins.plugin_utils.reports.promotion_reports import promotion
from tests.unit.plugins.plugin_utils.reports.reconciliation_reports import reconciliation
from tests.unit.plugins.plugin_utils.reports.values import PROMOTION_VERDICTS, RECONCILIATION_VERDICTS, themes

DESK, PHONE = (1280, 900), (390, 844)
THEMES = themes(_page.STYLE)

#: What a page looks like, by the browser's own account. Text that is there for screen readers only is left out.
AUDIT = """
(() => {
  const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, index) => sum + v * [0.2126, 0.7152, 0.0722][index], 0);
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const unreadable = [], outside = [], small = [];
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, element = node.parentElement, text = node.data.trim();
    if (!text || element.closest('.hidden, thead') || !element.checkVisibility({contentVisibilityAuto: true})) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (!box.width) continue;
    seen += 1;
    const style = getComputedStyle(element);
    const [high, low] = [luminance(numbers(style.color)), luminance(ground(element))].sort((a, b) => b - a);
    if ((high + 0.05) / (low + 0.05) < 4.5) unreadable.push([text, style.color, ground(element)]);
    if (box.left < 0 || box.right > innerWidth + 0.5) outside.push([text, box.left, box.right]);
    if (parseFloat(style.fontSize) < 11) small.push(text);
  }
  const heading = document.querySelector('h1'), box = heading.getBoundingClientRect();
  return {seen, unreadable, outside, small, width: document.documentElement.scrollWidth, verdict: heading.innerText,
          top: box.top, bottom: box.bottom, scripts: document.scripts.length};
})()
"""

#: the names of all elements
NAMES = "[...document.querySelectorAll('*')].map(element => element.localName)"

#: where the verdict is
BOX = """
(box => [box.left, box.top, box.right, box.bottom].map(Math.round))(document.querySelector('.verdict').getBoundingClientRect())
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with running(tmp_path_factory.mktemp("profile")) as started:
        yield started


def show(browser: Browser, folder: Path, page: str) -> None:
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    browser.open(path)
    assert browser.requested == [path.as_uri()]


def page_of(kind: str, verdict: str) -> str:
    return promotion_page(promotion(verdict)) if kind == "promotion" else reconciliation_page(reconciliation(verdict))


PAGES = [*(("promotion", verdict) for verdict in PROMOTION_VERDICTS), *(("dns", verdict) for verdict in RECONCILIATION_VERDICTS)]


@pytest.mark.parametrize(("kind", "verdict"), PAGES)
def test_a_page_fits_every_screen_and_can_be_read(browser: Browser, tmp_path: Path, kind: str, verdict: str) -> None:
    page = page_of(kind, verdict)
    browser.look(*DESK, "light")
    show(browser, tmp_path, page)
    # browsers read it as the parser of the unit tests does
    elements = collections.Counter(element.tag for element in ElementTree.fromstring(page).iter())
    assert collections.Counter(browser.evaluate(NAMES)) == elements
    seen = []
    for scheme in THEMES:
        for size in (DESK, PHONE):
            browser.look(*size, scheme)
            found = browser.evaluate(AUDIT)
            where = (scheme, size)
            assert found["unreadable"] == found["outside"] == found["small"] == [], where
            assert found["width"] <= size[0], where
            # the first thing that is seen is the verdict
            assert found["verdict"].endswith(formats.humanize(verdict).capitalize()), where
            assert 0 <= found["top"] < found["bottom"] < 200, where
            assert found["scripts"] == 0
            seen.append(found["seen"])
    assert min(seen) > 20
    assert browser.complaints == []


@pytest.mark.parametrize(("kind", "verdict"), [("promotion", "succeeded"), ("dns", "failed"), ("dns", "drift")])
def test_the_verdict_has_its_colour_in_both_themes(browser: Browser, tmp_path: Path, kind: str, verdict: str) -> None:
    tone = "info" if verdict == "drift" else formats.tone(verdict)
    show(browser, tmp_path, page_of(kind, verdict))
    for scheme, colours in THEMES.items():
        browser.look(390, 180, scheme)
        picture = browser.pixels()
        assert (picture.width, picture.height) == (390, 180)
        assert picture.colour(2, 2) == colours["page"]
        left, top, right, bottom = browser.evaluate(BOX)
        # the stripe at the left, the band, and the word on it
        assert picture.colour(left + 2, (top + bottom) // 2) == colours[tone]
        band = picture.colours(left + 10, top + 10, right - 10, min(bottom, 180) - 10)
        assert band[colours[f"{tone}-back"]] > 0.6
        assert band[colours[tone]] > 0.01
        assert len(band) > 10


def test_long_parts_open_with_a_click(browser: Browser, tmp_path: Path) -> None:
    browser.look(*PHONE, "light")
    show(browser, tmp_path, page_of("promotion", "rolled_back"))
    visible = "document.querySelector('details pre').checkVisibility({contentVisibilityAuto: true})"
    assert browser.evaluate(visible) is False
    browser.click("details summary")
    assert browser.evaluate(visible) is True
    assert "serveravatar" in browser.evaluate("document.querySelector('details pre').innerText")


def test_paper_is_light_and_shows_what_is_folded(browser: Browser, tmp_path: Path) -> None:
    browser.look(794, 1123, "dark", media="print")
    show(browser, tmp_path, page_of("dns", "failed"))
    folded = "[...document.querySelectorAll('details:not([open]) table')].map(table => table.checkVisibility())"
    assert browser.evaluate(folded) == [True] * 4
    assert browser.evaluate("getComputedStyle(document.body).color") == "rgb(27, 31, 36)"
    assert browser.evaluate(AUDIT)["width"] <= 794
    browser.look(794, 1123, "dark")
    assert browser.evaluate(folded) == [False] * 4


def test_a_thousand_zones_can_be_looked_through(browser: Browser, tmp_path: Path) -> None:
    browser.look(*PHONE, "dark")
    show(browser, tmp_path, reconciliation_page(reconciliation("failed", zones=1000)))
    found = browser.evaluate(AUDIT)
    assert (found["outside"], found["unreadable"]) == ([], [])
    assert found["width"] <= PHONE[0]
    # those in sync are folded away: the page is some screens long, not hundreds
    assert browser.evaluate("document.documentElement.scrollHeight") < 8 * PHONE[1]
    browser.click("a[href='#zone-3']")
    assert -1 < browser.evaluate("document.getElementById('zone-3').getBoundingClientRect().top") < PHONE[1]


ATTACK = (
    '"><script>document.title = "owned"</script><img src="https://evil.example/x" onerror="document.title=1">'
    '<b style="color:red">'
)


@pytest.mark.parametrize(("kind", "verdict"), [("promotion", "rolled_back"), ("dns", "failed")])
def test_nothing_that_a_server_says_is_run_or_loaded(browser: Browser, tmp_path: Path, kind: str, verdict: str) -> None:
    def attack(text: str) -> str:
        # very long words too, which may not push anything off the screen
        return f"{text}{ATTACK}{'x' * 300}"

    report = promotion(verdict) if kind == "promotion" else reconciliation(verdict)
    evil: dict[str, Any] = changed_leaves(report, attack)
    browser.look(*PHONE, "light")
    show(browser, tmp_path, promotion_page(evil) if kind == "promotion" else reconciliation_page(evil))
    assert browser.evaluate("document.scripts.length + document.images.length + document.querySelectorAll('b').length") == 0
    for size in (DESK, PHONE):
        browser.look(*size, "light")
        found = browser.evaluate(AUDIT)
        assert found["outside"] == [] and found["width"] <= size[0], size
    assert browser.complaints == []


def test_the_policy_stops_what_escaping_would_let_through(browser: Browser, tmp_path: Path) -> None:
    """The second line of defence, with the first one broken."""
    page = page_of("promotion", "succeeded").replace("</main>", f'<p id="hole">{ATTACK[2:]}</b></p></main>')
    browser.look(*DESK, "light")
    path = tmp_path / "broken.html"
    path.write_text(page)
    browser.open(path)
    assert browser.evaluate("document.scripts.length") == 1
    assert browser.evaluate("document.title").startswith("Promotion succeeded")
    assert browser.evaluate("getComputedStyle(document.querySelector('#hole b')).color") == "rgb(27, 31, 36)"
    assert len([text for text in browser.complaints if "Content Security Policy" in text]) >= 2
