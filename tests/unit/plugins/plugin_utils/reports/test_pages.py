# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTML pages of the reports: their form, what they show, and that nothing of a server gets out of its place."""

from __future__ import annotations

import base64
import copy
import hashlib
import itertools
import json
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import jinja2
import pytest
from hypothesis import given, settings, strategies as st

from ansible_collections.lockstep.sync.plugins.plugin_utils._reports import formats, page as _page, rendering
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.fields import Fields
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.promotion_advice import LIFT_HOLD
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.promotion_page import PhaseBar, promotion_page, timeline
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.promotion_steps import steps_of
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.promotion_view import promotion_view
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.reconciliation_page import reconciliation_page
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.reconciliation_view import BrokenRule, reconciliation_view
from tests.unit.plugins.plugin_utils.reports.reports import (
    EMPTY_TEXT,
    PERCENT_TEXT,
    PROMOTION_VERDICTS,
    RECONCILIATION_VERDICTS,
    at,
    drift,
    phase,
    plan,
    promotion,
    reconciliation,
    record_set,
    refused,
    result,
    sync,
    target,
    themes,
)

Json = dict[str, Any]
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
ATTRIBUTES = {
    *("lang", "charset", "http-equiv", "content", "name", "class", "id", "scope", "data-label", "aria-hidden", "aria-labelledby"),
    *("href", "open", "x", "width", "height"),
}


def test_a_name_that_no_view_has_is_a_mistake_in_a_template() -> None:
    assert {rendering.HTML.undefined, rendering.MARKDOWN.undefined} == {jinja2.StrictUndefined}


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


# -- form ----------------------------------------------------------------------------------------------------------------


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
    references += [str(link.get("href")).removeprefix("#") for link in root.iter("a")]
    assert set(references) <= set(ids)


def heading_tone(root: Element) -> str:
    verdict = root.find(".//div[@class]")
    assert verdict is not None
    name, tone = str(verdict.get("class")).split()
    assert name == "verdict"
    return tone


@every_page
def test_a_page_needs_nothing_from_elsewhere_and_runs_nothing(page: Callable[[Any], str], report: Json) -> None:
    root = parse(page(report))
    for element in root.iter():
        assert not set(element.keys()) & {"src", "srcset", "style", "action", "background", "data", "poster"}
        assert not [name for name in element.attrib if name.startswith("on")]
        assert str(element.get("href", "#")).startswith("#")
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


# -- escaping ------------------------------------------------------------------------------------------------------------


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


@settings(max_examples=150, deadline=None)
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


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PAGES), st.data())
def test_values_of_other_types_still_make_a_page(case: tuple[Callable[[Any], str], Json], data: st.DataObject) -> None:
    page, report = case
    key = data.draw(st.sampled_from(sorted(report)))
    parse(page({**report, key: data.draw(VALUES)}))
    item = "targets" if "targets" in report else "zones"
    first = report[item][0]
    odd = data.draw(st.sampled_from(sorted(first)))
    parse(page({**report, item: [{**first, odd: data.draw(VALUES)}, data.draw(VALUES)]}))


# -- contrast ------------------------------------------------------------------------------------------------------------


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


# -- promotion -----------------------------------------------------------------------------------------------------------


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
        page = promotion_page(promotion("rolled_back", message=message))
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


# -- reconciliation ------------------------------------------------------------------------------------------------------


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


# -- size ----------------------------------------------------------------------------------------------------------------

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
    many = drift(*(record_set(f"host{number}", "delete") for number in range(100_000)), record_sets=100_000)
    page = reconciliation_page(reconciliation("drift", plans=result(plan("huge.example.", zone_drift=many))))
    assert size_of(page) < BOUND
    assert "+0 ~0 −100000" in page
    assert "99700 more record sets that differ are in the JSON report only" in page


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
    report["message"] = "x" * 1000
    page = reconciliation_page(report)
    assert size_of(page) < BOUND
    left = re.search(r"(\d+) more of these zones are in the JSON report only", page)
    rows = [row for row in parse(page).iter("th") if row.get("class") == "zone"]
    assert left and int(left[1]) + len(rows) == 3000
    cut = re.search(r"The details of (\d+) more zones", page)
    assert cut and int(cut[1]) > 0


# -- how values are written ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *(
            (0, "0.0 s"),
            (0.04, "0.0 s"),
            (9.94, "9.9 s"),
            (9.96, "10 s"),
            (59.4, "59 s"),
            (59.6, "1 min 00 s"),
            (61, "1 min 01 s"),
        ),
        *((3599.7, "1 h 00 min"), (7260, "2 h 01 min"), (None, ""), (-1, ""), (True, ""), ("x", ""), (float("inf"), "")),
        (float("nan"), ""),
    ],
)
def test_durations(value: Any, text: str) -> None:
    assert formats.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1424, "142 ms"), (1.834, "1.83 s"), (None, ""), (-1, ""), (float("nan"), ""), (float("inf"), ""), ("x", "")],
)
def test_latencies(value: Any, text: str) -> None:
    assert formats.milliseconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (734003200, "700.0 MiB"), ("12 MB", "12 MB"), (None, "")]
)
def test_sizes(value: Any, text: str) -> None:
    assert formats.size(value) == text


def test_moments_with_and_without_milliseconds() -> None:
    assert formats.date_time("2026-11-20T21:45:12.345Z") == formats.date_time(at(0)) == "2026-11-20 21:45:12"
    assert formats.clock_time(at(0)) == "21:45:12"
    assert formats.date_time("soon") == "soon"
    assert formats.date_time(None) == ""
    assert formats.duration(at(0), at(7)) == 7
    assert formats.duration(at(0), "") is None


def test_pages_leave_their_report_alone() -> None:
    for page, report in PAGES:
        before = copy.deepcopy(report)
        page(report)
        assert report == before
