# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Markdown of a reconciliation, read by a Markdown parser."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.reconciliation_markdown import reconciliation_markdown
from tests.unit.plugins.plugin_utils.reports.commonmark import EVIL, headings, inline_html, links, shape, texts
from tests.unit.plugins.plugin_utils.reports.pages import changed_leaves
from tests.unit.plugins.plugin_utils.reports.reconciliation_reports import drift, plan, reconciliation, record_set, result
from tests.unit.plugins.plugin_utils.reports.values import RECONCILIATION_VERDICTS


@pytest.mark.parametrize("verdict", RECONCILIATION_VERDICTS)
def test_it_has_all_facts(verdict: str) -> None:
    report = reconciliation(verdict)
    markdown = reconciliation_markdown(report)
    shown = texts(markdown)
    assert headings(markdown)[0] == f"DNS reconciliation: {verdict.replace('_', ' ')}"
    assert report["message"].partition(": ")[2] in shown
    for zone in report["zones"]:
        assert f"{zone['zone']} {zone['verdict'].replace('_', ' ')}" in shown
        if zone["failure"]:
            assert zone["failure"]["message"] in shown and zone["failure"]["hint"] in shown
        for guard in zone["guards"]:
            assert f"{guard['rule']} {guard['message']}" in shown
        for record in zone["drift"].get("records", []):
            for side in filter(None, (record["before"], record["after"])):
                assert all(value in shown for value in side["records"]) and f"TTL {side['ttl']}" in shown
    assert ("(ignored)" in shown) == (verdict != "in_sync")


def test_a_refused_batch_is_shown() -> None:
    batch = "the plans of 2 zones together delete 16 of 40 record sets (40.0 %)"
    assert f"No zone was synced : {batch}" in texts(reconciliation_markdown(reconciliation("drift", batch=batch)))


def test_changes_that_are_not_known_are_no_zeros() -> None:
    markdown = reconciliation_markdown(reconciliation("drift", plans=result(plan("blind.example.", zone_drift={}))))
    assert "| blind.example. | drift |  |  |  | 0.42 |" in markdown


@pytest.mark.parametrize("verdict", RECONCILIATION_VERDICTS)
def test_texts_of_servers_change_no_block(verdict: str) -> None:
    plain = reconciliation(verdict)
    made = reconciliation_markdown(changed_leaves(plain, lambda text: f"{text}{EVIL}"))
    assert shape(made) == shape(reconciliation_markdown(plain))
    assert inline_html(made) == []
    assert links(made) == []


NAMES = ["a|b.example.", "a\n| b |\n# c", "<img src=x onerror=y>.example.", "[a](https://b)", "`a`|`b`", "*a*", "a\\"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_stays_in_its_cell(name: str) -> None:
    records = drift(record_set(name, "update", "TXT", (name,)))
    odd = reconciliation_markdown(reconciliation("drift", plans=result(plan(name, zone_drift=records, reason=name))))
    plain = drift(record_set("www", "update", "TXT", ("www",)))
    usual = reconciliation_markdown(reconciliation("drift", plans=result(plan("www", zone_drift=plain, reason="www"))))
    assert shape(odd) == shape(usual)
    assert inline_html(odd) == links(odd) == []
    assert " ".join(name.split()) in "".join(texts(odd).split("  "))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(RECONCILIATION_VERDICTS), st.text(max_size=30))
def test_whatever_servers_say_the_blocks_are_the_same(verdict: str, added: str) -> None:
    plain = reconciliation(verdict)
    made = reconciliation_markdown(changed_leaves(plain, lambda text: f"{added}{text}"))
    assert shape(made) == shape(reconciliation_markdown(plain))
