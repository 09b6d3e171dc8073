# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation site as people see it, in a browser. ``make docs`` builds it before."""

from __future__ import annotations

import collections.abc
import pathlib

import pytest

from scripts.docs.site import SITE
from tests.module.chromium import Browser, running

HTML = SITE / "html"

#: pages of each kind, with their titles and how many tables they have at least
ESSENTIALS = {
    "index.html": ("lockstep.sync", 1),
    "README.html": ("lockstep.sync", 1),
    "docs/errors.html": ("Troubleshooting by failure code", 20),
    "docs/guards.html": ("Guards", 1),
    "docs/playbooks.html": ("Playbooks", 0),
    "collection/index.html": ("Reference", 0),
    "collection/vinyldns_zone_sync_module.html": ("lockstep.sync.vinyldns_zone_sync module", 2),
    "collection/dns_reconciliation_role.html": ("lockstep.sync.dns_reconciliation role", 1),
    "roles/staging_promotion/README.html": ("lockstep.sync.staging_promotion", 3),
}


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> collections.abc.Iterator[Browser]:
    with running(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.mark.parametrize("page", ESSENTIALS)
def test_a_page_has_its_title_navigation_and_tables(browser: Browser, page: str) -> None:
    title, tables = ESSENTIALS[page]
    browser.look(1280, 900, "light")
    browser.open(HTML / page)

    assert browser.evaluate("document.querySelector('h1').innerText").startswith(title)
    assert browser.evaluate("document.title").startswith(title)
    assert browser.evaluate("[...document.querySelectorAll('nav .caption')].map(part => part.textContent.trim())") == [
        "Begin here",
        "Guides",
        "Reference",
        "How far to trust it",
        "Internals",
    ]
    assert browser.evaluate("document.querySelector('nav a.reference').checkVisibility()")
    shown = "[...document.querySelectorAll('[role=main] table')].filter(table => table.offsetHeight > 40).length"
    assert browser.evaluate(shown) >= tables


def test_a_page_loads_nothing_from_elsewhere(browser: Browser) -> None:
    browser.open(HTML / "docs" / "errors.html")

    assert [address for address in browser.requested if not address.startswith(("file:", "data:"))] == []
    assert browser.complaints == []


def test_nothing_hangs_out_of_a_telephone(browser: Browser) -> None:
    browser.look(390, 844, "light")
    browser.open(HTML / "docs" / "errors.html")

    assert browser.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("page", ["README.html", "docs/errors.html", "docs/lifecycle.html"])
def test_sentences_in_tables_need_no_scrolling_on_a_telephone(browser: Browser, page: str) -> None:
    """They are broken into lines; what may still be wider has long names in several columns."""
    browser.look(390, 844, "light")
    browser.open(HTML / page)
    tables = "[...document.querySelectorAll('[role=main] .wy-table-responsive')]"

    browser.until(f"{tables}.length >= 1")
    assert browser.evaluate(f"{tables}.filter(box => box.scrollWidth > 2 * box.clientWidth).length") == 0
    cells = "[...document.querySelectorAll('[role=main] .wy-table-responsive td')]"
    assert browser.evaluate(f"{cells}.filter(cell => getComputedStyle(cell).whiteSpace != 'normal').length") == 0


def test_every_failure_code_is_an_anchor(browser: Browser) -> None:
    browser.open(HTML / "docs" / "errors.html")

    assert browser.evaluate("document.getElementById('guard_refused').nextElementSibling.innerText").startswith("guard_refused")


def test_internals_are_apart(browser: Browser) -> None:
    browser.open(HTML / "collection" / "index.html")
    of = "[...document.querySelectorAll('#{} a.reference.internal')].map(link => link.getAttribute('href'))"

    assert browser.evaluate(of.format("internals")) == ["promotion_module.html", "reconciliation_module.html"]
    modules = browser.evaluate(of.format("modules"))
    assert "vinyldns_zone_sync_module.html" in modules
    assert "promotion_module.html" not in modules


def test_the_picture_is_not_empty(browser: Browser, tmp_path: pathlib.Path) -> None:
    """Without its style a page is white, with black text."""
    browser.look(1280, 900, "light")
    browser.open(HTML / "docs" / "errors.html")
    (tmp_path / "errors.png").write_bytes(browser.screenshot())
    navigation = browser.pixels().colours(0, 300, 200, 800)

    assert max(navigation, key=lambda colour: navigation[colour]) != "#ffffff"
