# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing that a server says gets out of its place in a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings, strategies as st

from tests.properties import thorough
from tests.unit.plugins.plugin_utils.reports.pages import EVIL, PAGES, TAGS, changed_leaves, every_page, parse, text_of
from tests.unit.plugins.plugin_utils.reports.values import Json


@every_page
def test_texts_of_servers_stay_texts(page: Callable[[Any], str], report: Json) -> None:
    plain, evil = parse(page(report)), parse(page(changed_leaves(report, lambda text: f"{text}{EVIL}")))
    # all that differs is text: not one element more or less
    assert {element.tag for element in evil.iter()} <= TAGS
    assert not list(evil.iter("script")) and not list(evil.iter("img"))
    assert [element.tag for element in plain.iter("section")] == [element.tag for element in evil.iter("section")]
    assert len(list(plain.iter("tr"))) == len(list(evil.iter("tr")))
    assert '<script>alert("x")</script>&amp;' in text_of(evil)
    assert "{{ 7 * 7 }}" in text_of(evil)


@every_page
def test_no_character_spoils_a_page(page: Callable[[Any], str], report: Json) -> None:
    bad = "\x00\x1b\x85\ud800\udfff\ufffe\U0001ffff\u202e\u2066"
    made = page(changed_leaves(report, lambda text: f"{text}{bad}"))
    parse(made)
    made.encode("utf-8")
    assert not [character for character in bad if character in made]
    assert "\ufffd" in made


def contents() -> st.SearchStrategy[Callable[[str], str]]:
    return st.text(max_size=40).map(lambda added: lambda text: added + text)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(PAGES), contents())
def test_whatever_servers_say_the_page_is_well_formed(
    case: tuple[Callable[[Any], str], Json], change: Callable[[str], str]
) -> None:
    page, report = case
    made = parse(page(changed_leaves(report, change)))
    assert {element.tag for element in made.iter()} <= TAGS


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@thorough(150)
@given(st.sampled_from(PAGES), st.data())
def test_a_report_that_lacks_something_still_has_a_page(case: tuple[Callable[[Any], str], Json], data: st.DataObject) -> None:
    """It is written on every exit, so it must not be the next thing that fails."""
    page, report = case
    key = data.draw(st.sampled_from(sorted(report)))
    lacking = {name: value for name, value in report.items() if name != key}
    parse(page(lacking))
    item = data.draw(st.sampled_from(["targets", "zones"]))
    if report.get(item):
        first = report[item][0]
        gone = data.draw(st.sampled_from(sorted(first)))
        parse(page({**report, item: [{name: value for name, value in first.items() if name != gone}]}))


@thorough(150)
@given(st.sampled_from(PAGES), st.data())
def test_values_of_other_types_still_make_a_page(case: tuple[Callable[[Any], str], Json], data: st.DataObject) -> None:
    page, report = case
    key = data.draw(st.sampled_from(sorted(report)))
    parse(page({**report, key: data.draw(VALUES)}))
    item = "targets" if "targets" in report else "zones"
    first = report[item][0]
    odd = data.draw(st.sampled_from(sorted(first)))
    parse(page({**report, item: [{**first, odd: data.draw(VALUES)}, data.draw(VALUES)]}))
