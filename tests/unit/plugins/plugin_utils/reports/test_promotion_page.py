# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the page of a promotion shows."""

from __future__ import annotations

import json

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.fields import Fields
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.promotion_advice import LIFT_HOLD
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.promotion_page import PhaseBar, promotion_page, timeline
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.promotion_steps import steps_of
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.promotion_view import promotion_view
from tests.unit.plugins.plugin_utils.reports.pages import main_text, parse, text_of
from tests.unit.plugins.plugin_utils.reports.promotion_reports import phase, promotion, sync, target
from tests.unit.plugins.plugin_utils.reports.values import PROMOTION_VERDICTS, Json


@pytest.mark.parametrize("verdict", PROMOTION_VERDICTS)
def test_the_page_of_a_promotion_has_all_facts(verdict: str) -> None:
    report = promotion(verdict)
    shown = main_text(promotion_page(report))
    for fact in (
        report["message"].partition(": ")[2],
        report["run"],
        report["release"],
        report["digest"],
        "deploy on awx-7, job 1917",
    ):
        assert fact in shown
    assert "2026-11-20 21:45:12" in shown
    for item in report["targets"]:
        parts = [item["plan"], item["backup"], item["sync"], item["verify"], item["rollback"], item["failure"]]
        for part in filter(None, parts):
            for key in ("reason", "message", "hint"):
                assert str(part.get(key) or "") in shown
        for check in item["checks"]:
            assert check["text"] in shown
        for probe in [*item["staging"], *item["before"], *((item["verify"] or {}).get("probes") or [])]:
            assert probe["url"] in shown
            for problem in probe["problems"]:
                assert problem in shown
        if item["sync"] and item["sync"]["handle"]:
            assert json.dumps(item["sync"]["handle"]) in shown
    assert ("check mode" in shown) == report["check_mode"]


def test_probes_stand_side_by_side() -> None:
    root = parse(promotion_page(promotion("rolled_back")))
    table = next(item for item in root.iter("table") if text_of(item[0]).startswith("What was found"))
    assert [text_of(head) for head in table.findall("thead/tr/th")] == ["Probe", "Staging", "Before", "After", "After rollback"]
    front, cart = ([text_of(cell) for cell in row] for row in table.findall("tbody/tr"))
    assert front[0] == "front https://www.example.com/front ✕ was ok before"
    assert front[1] == "✓ ok 200 · 142 ms · 3 in a row · certificate 61 days"
    assert front[3].startswith("✕ failed 502 · 1.83 s · 3 attempts · certificate 61 days status: expected 200, found 502")
    assert front[4].startswith("✓ ok 200")
    assert cart[0].endswith("! was failing before")
    assert "certificate ends in 5 days" in cart[2]
    assert cart[3] == "✕ failed no answer · 3 attempts no answer within 10 s"


def test_what_was_never_probed_has_no_column() -> None:
    page = promotion_page(promotion("refused"))
    table = next(item for item in parse(page).iter("table") if text_of(item[0]).startswith("What was found"))
    assert [text_of(head) for head in table.findall("thead/tr/th")] == ["Probe", "Staging"]


def test_an_unknown_outcome_says_how_to_go_on() -> None:
    report = promotion("unknown")
    root = parse(promotion_page(report))
    (code,) = (text_of(item) for item in root.findall("./body/main/section/ul//pre"))
    assert code.startswith("- lockstep.sync.sync_wait: handles: - {")
    assert json.loads(code[code.index("{") :]) == report["targets"][0]["sync"]["handle"]
    assert "Do not start another one. Run the same promotion again" in text_of(root)


def test_a_release_that_is_held_back_says_how_to_lift_that() -> None:
    held = main_text(promotion_page(promotion("rolled_back", held=["shop", "blog"])))
    assert "shop, blog: This release is held back" in held
    assert f"-e '{LIFT_HOLD}=" in held
    assert LIFT_HOLD not in promotion_page(promotion("rolled_back", held=[]))


def test_a_failed_or_manual_rollback_names_the_backup() -> None:
    assert "Restore backup 4711 by hand" in main_text(promotion_page(promotion("rollback_failed")))
    assert "Restore backup 4711 if it must not stay" in main_text(promotion_page(promotion("failed")))
    report = promotion("failed")
    report["targets"][0]["rollback"].update(state="impossible", backup=None)
    assert "there is no backup to go back to" in main_text(promotion_page(report))


def test_overrides_lifted_holds_and_warnings_are_shown() -> None:
    shown = main_text(promotion_page(promotion("succeeded", error="the notification could not be sent")))
    for text in (
        "urgent fix of the checkout",
        "cause of yesterday's rollback",
        "ends in 13 days",
        "the notification could not be sent",
    ):
        assert text in shown
    assert "Resumed: continues p-20261120-213000-77aa01 at verify" in shown


def test_hints_are_what_to_do() -> None:
    page = promotion_page(promotion("failed"))
    first = parse(page).find("./body/main/section")
    assert first is not None
    assert text_of(first).startswith("What to do now shop: Look at the error log of the application.")
    # where waiting is what to do, no other hint is shown
    assert main_text(promotion_page(promotion("unknown"))).count("Run the promotion again; it joins the run.") == 1


def test_the_verdict_stands_above_the_message_only() -> None:
    for message in ("rolled_back: it did", "rolled_back. it did", "rolled back: it did", "it did"):
        page = promotion_page(promotion("rolled_back", message=message, explanation="it did"))
        assert text_of(next(item for item in parse(page).iter("p") if item.get("class") == "message")) == "it did"


def test_a_plan_that_became_a_sync_is_shown_once() -> None:
    synced = target(sync=sync(reason="due"), plan={"action": "would_trigger", "reason": "due"})
    assert [step.name for step in steps_of(Fields(synced))] == ["Backup", "Sync", "Verify"]
    assert [step.name for step in steps_of(Fields(target()))] == ["Plan", "Backup", "Sync", "Verify"]


def test_check_mode_claims_no_change() -> None:
    shown = main_text(promotion_page(promotion("planned")))
    assert "would be changed" in shown
    assert "· changed" not in shown


def bars_of(report: Json) -> tuple[list[PhaseBar], float]:
    return timeline(promotion_view(report).phases)


def test_bars_are_on_one_scale() -> None:
    phases, scale = bars_of({"phases": [phase("sync", 10, 30), phase("verify", 40, 10), phase("report", 50, 0)]})
    assert scale == 40
    assert [(item.left, item.width) for item in phases] == [(0, 75), (75, 25), (99.3, 0.7)]


@pytest.mark.parametrize(
    "odd", [{"started_at": None}, {"started_at": "yesterday"}, {"elapsed": None}, {"elapsed": float("nan")}, {"state": "skipped"}]
)
def test_a_phase_without_times_has_no_bar(odd: Json) -> None:
    phases, scale = bars_of({"phases": [phase("sync", 0, 10), {**phase("verify", 10, 10), **odd}]})
    assert phases[1].width == 0
    assert phases[0].width == 100 * 10 / scale


def test_bars_never_leave_their_track() -> None:
    phases, dummy = bars_of({"phases": [phase(str(number), number * 7, 100 / (number + 1)) for number in range(40)]})
    assert all(min(item.left, 100.01 - item.left - item.width) >= 0 for item in phases)


def test_a_single_target_needs_no_overview() -> None:
    one = promotion("succeeded", targets=[target()])
    assert "Targets" not in [text_of(heading) for heading in parse(promotion_page(one)).iter("h2")]
    assert "Targets" in [text_of(heading) for heading in parse(promotion_page(promotion("succeeded"))).iter("h2")]
