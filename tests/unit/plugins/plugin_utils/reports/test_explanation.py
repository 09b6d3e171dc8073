# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The message of a report is its verdict and an explanation. Pages show both, each once."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.report import build_report as build_promotion_report
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.state import Actor, RunState, TargetState
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.report import build_report
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.state import ReconciliationState
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.promotion_markdown import promotion_markdown
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.promotion_page import promotion_page
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.reconciliation_markdown import reconciliation_markdown
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.reconciliation_page import reconciliation_page

SHOP = TargetState(0, "shop", "serveravatar", "shop.example.com", 1, verdict="succeeded")
BLOG = TargetState(1, "blog", "serveravatar", "blog.example.com", 1, verdict="failed", reason="a probe fails")
RUN = RunState("p-1", None, False, "2026-11-28T10:00:00Z", Actor("deploy", "awx-7", None), 0.0)


@pytest.mark.parametrize(
    ("state", "message", "explanation"),
    [
        (dataclasses.replace(RUN, targets=(SHOP,)), "succeeded.", ""),
        (dataclasses.replace(RUN, targets=(SHOP,), path="r.json"), "succeeded. Report: r.json", "Report: r.json"),
        (dataclasses.replace(RUN, targets=(BLOG,)), "failed. blog: a probe fails.", "blog: a probe fails."),
        (
            dataclasses.replace(RUN, targets=(SHOP, BLOG)),
            "failed: 1 succeeded, 1 failed. blog: a probe fails.",
            "1 succeeded, 1 failed. blog: a probe fails.",
        ),
        (dataclasses.replace(RUN, error="failed: no"), "failed: failed: no.", "failed: no."),
    ],
)
def test_of_a_promotion(state: RunState, message: str, explanation: str) -> None:
    report = build_promotion_report(state, "2026-11-28T10:01:00Z", 60.0)
    assert (report["message"], report["explanation"]) == (message, explanation)
    page, markdown = promotion_page(report), promotion_markdown(report)
    assert page.count('<p class="message">') == (1 if explanation else 0)
    for shown in (page, markdown):
        assert explanation in shown
        assert message not in shown


@pytest.mark.parametrize(
    ("error", "message", "explanation"),
    [("", "failed: 0 zones.", "0 zones."), ("failed: no", "failed: failed: no.", "failed: no.")],
)
def test_of_a_reconciliation(error: str, message: str, explanation: str) -> None:
    report = build_report(ReconciliationState(False, "2026-11-28T10:00:00Z", error=error), "2026-11-28T10:01:00Z")
    assert (report["message"], report["explanation"]) == (message, explanation)
    for shown in (reconciliation_page(report), reconciliation_markdown(report)):
        assert explanation in shown
        assert message not in shown
