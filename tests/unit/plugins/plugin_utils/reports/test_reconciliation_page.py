# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the page of a reconciliation shows."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.reconciliation_page import reconciliation_page
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.reconciliation_view import BrokenRule, reconciliation_view
from tests.unit.plugins.plugin_utils.reports.pages import heading_tone, main_text, parse, text_of
from tests.unit.plugins.plugin_utils.reports.reconciliation_reports import EMPTY_TEXT, PERCENT_TEXT, plan, reconciliation, result
from tests.unit.plugins.plugin_utils.reports.values import RECONCILIATION_VERDICTS


@pytest.mark.parametrize("verdict", RECONCILIATION_VERDICTS)
def test_the_page_of_a_reconciliation_has_all_facts(verdict: str) -> None:
    report = reconciliation(verdict)
    page = reconciliation_page(report)
    shown = main_text(page)
    for zone in report["zones"]:
        assert zone["zone"] in shown
        for record in zone["drift"].get("records", []):
            assert record["name"] in shown
            for side in filter(None, (record["before"], record["after"])):
                assert all(value in shown for value in side["records"])
                assert f"{side['records'][-1]} TTL {side['ttl']}" in shown
        if zone["failure"]:
            assert zone["failure"]["hint"] in shown
    for word in ("creates", "updates", "deletes"):
        if report["summary"][word]:
            assert f"{report['summary'][word]} {word}" in shown
    tones = ("ok", "ok", "info", "warn", "unsure", "bad")
    assert heading_tone(parse(page)) == dict(zip(RECONCILIATION_VERDICTS, tones, strict=True))[verdict]


def test_drift_that_is_a_failure_is_a_warning() -> None:
    assert heading_tone(parse(reconciliation_page({**reconciliation("drift"), "ok": False}))) == "warn"


def test_the_worst_zone_comes_first() -> None:
    root = parse(reconciliation_page(reconciliation("failed")))
    order = [text_of(heading) for heading in root.iter("h2")]
    assert order == [
        *("Zones that differ or are in trouble", "Zones in sync"),
        *("noserver.example.", "slow.example.", "lost.example.", "drifted.example.", "also-drifted.example."),
    ]


def test_each_broken_guard_is_named_with_its_message() -> None:
    report = reconciliation("refused")
    zone = next(item for item in report["zones"] if item["verdict"] == "refused")
    view = next(item for item in reconciliation_view(report).zones if item.verdict == "refused")
    # a message may have a semicolon or a colon of its own
    assert view.guards == (BrokenRule("allow_empty", EMPTY_TEXT), BrokenRule("max_delete_percent", PERCENT_TEXT))
    shown = main_text(reconciliation_page(report))
    assert "Refused by 2 guards" in shown
    assert f"allow_empty: {EMPTY_TEXT}" in shown
    assert f"max_delete_percent: {PERCENT_TEXT}" in shown
    assert f'dns_reconciliation_approve: {{"lost.example.": "{zone["drift"]["digest"]}"}}' in shown
    assert "does not lift the other guards" in shown


def test_a_guard_that_no_approval_lifts_shows_none() -> None:
    report = reconciliation("refused")
    zone = next(item for item in report["zones"] if item["verdict"] == "refused")
    zone["guards"] = [{"rule": "allow_empty", "message": EMPTY_TEXT}]
    assert "dns_reconciliation_approve" not in reconciliation_page(report)


def test_a_refusal_without_guards_shows_its_message() -> None:
    report = reconciliation("refused")
    zone = next(item for item in report["zones"] if item["verdict"] == "refused")
    zone.update(guards=[], failure={"code": "guard_refused", "message": "the plan is refused", "hint": ""})
    assert "guard_refused: the plan is refused" in main_text(reconciliation_page(report))


def test_a_refused_batch_and_an_early_end_are_shown() -> None:
    batch = "the plans of 2 zones together delete 16 of 40 record sets (40.0 %)"
    assert batch in main_text(reconciliation_page(reconciliation("drift", batch=batch)))
    early = {**reconciliation("in_sync", plans=[], error="no zones to reconcile")}
    assert (early["verdict"], early["zones"]) == ("failed", [])
    assert "no zones to reconcile" in main_text(reconciliation_page(early))


def test_a_zone_without_a_dns_server_has_unknown_changes() -> None:
    report = reconciliation("drift", plans=result(plan("blind.example.", zone_drift={})))
    assert "not known" in main_text(reconciliation_page(report))
