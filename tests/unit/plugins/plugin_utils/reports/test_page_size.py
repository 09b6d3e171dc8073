# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A page stays small, however much there is to show."""

from __future__ import annotations

import re

from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.reconciliation_page import reconciliation_page
from tests.unit.plugins.plugin_utils.reports.pages import main_text, parse
from tests.unit.plugins.plugin_utils.reports.reconciliation_reports import (
    drift,
    plan,
    reconciliation,
    record_set,
    refused,
    result,
)

BOUND = 2_000_000


def size_of(page: str) -> int:
    parse(page)
    return len(page.encode())


def test_a_thousand_zones_have_a_small_page() -> None:
    report = reconciliation("failed", zones=1000)
    page = reconciliation_page(report)
    assert size_of(page) < BOUND / 3
    shown = main_text(page)
    # zones in sync are counted and listed, but have no section of their own
    assert "1000 zones need nothing" in shown
    assert all(zone["zone"] in shown for zone in report["zones"])
    assert len(list(parse(page).iter("h2"))) == 7


def test_a_thousand_zones_in_trouble_are_all_explained() -> None:
    plans = result(*(refused(f"lost{number:04d}.example.") for number in range(1000)))
    page = reconciliation_page(reconciliation("refused", plans=plans, syncs=[], residuals=[]))
    assert size_of(page) < BOUND
    shown = main_text(page)
    assert all(f"lost{number:04d}.example." in shown for number in range(1000))
    note = re.search(r"The details of (\d+) more zones are in the JSON report only", shown)
    explained = shown.count("Refused by 2 guards")
    assert explained + (int(note[1]) if note else 0) == 1000
    assert explained >= 200


def test_a_huge_plan_is_cut_with_a_note() -> None:
    many = drift(*(record_set(f"host{number}", "delete") for number in range(20_000)), record_sets=20_000)
    page = reconciliation_page(reconciliation("drift", plans=result(plan("huge.example.", zone_drift=many))))
    assert size_of(page) < BOUND
    assert "+0 ~0 −20000" in page
    assert "19700 more record sets that differ are in the JSON report only" in page


def test_nothing_that_a_server_says_makes_a_page_too_large() -> None:
    long = "<&\"'" * 5000
    wide = drift(*(record_set(f"{number}{long}", "update", "TXT", (long,) * 500) for number in range(30)))
    records = []
    for number in range(3000):
        record = plan(f"{number}{'<' * 240}.example.", reason=long, zone_drift=wide if number < 30 else None)
        if number % 2:
            record["failure"] = {"code": "run_failed", "message": long, "http_status": None, "hint": long}
        records.append(record)
    report = reconciliation("drift", plans=result(*records))
    report["message"] = report["explanation"] = "x" * 1000
    page = reconciliation_page(report)
    assert size_of(page) < BOUND
    left = re.search(r"(\d+) more of these zones are in the JSON report only", page)
    rows = [row for row in parse(page).iter("th") if row.get("class") == "zone"]
    assert left and int(left[1]) + len(rows) == 3000
    cut = re.search(r"The details of (\d+) more zones", page)
    assert cut and int(cut[1]) > 0
