# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables for the console: their size whatever is in them, and what they say of each role's report."""

from __future__ import annotations

import typing as t
import unicodedata

import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.vocabulary import RECONCILIATION_VERDICTS
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.promotion_table import promotion_table
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.reconciliation_table import reconciliation_table
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.table import (
    MAX_LINES,
    MAX_WIDTH,
    Column,
    clip,
    one_line,
    text_table,
    width,
)
from tests.properties import thorough

Json = dict[str, t.Any]

#: names as a hostile server would choose them
names = st.text(max_size=300) | st.sampled_from(
    ["a\x1b[31mb", "a\nb", "\u202eabc", "\ud800", "漢字" * 90, "e\u0301" * 200, "|", ""]
)
verdicts = st.sampled_from([*RECONCILIATION_VERDICTS, "other"]) | names
guards = st.lists(st.fixed_dictionaries({"rule": names, "message": names}), max_size=3)
counts = st.integers(0, 10**9)
drifts = st.just({}) | st.fixed_dictionaries(
    {"creates": counts, "updates": counts, "deletes": counts, "digest": names, "in_sync": st.sampled_from([True, False, None])}
)
zones = st.fixed_dictionaries({"zone": names, "action": names, "verdict": verdicts, "guards": guards, "drift": drifts})


def check_lines(lines: t.Sequence[str]) -> None:
    """What a console shows as it is, within its size."""
    assert 1 <= len(lines) <= MAX_LINES
    for line in lines:
        assert width(line) <= MAX_WIDTH
        assert len(line) <= MAX_WIDTH or any(unicodedata.category(character) in ("Mn", "Me") for character in line)
        assert line == one_line(line) or "  " in line
        assert not [character for character in line if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
        # UTF-8 has it
        line.encode()


@thorough(100)
@given(st.lists(zones, max_size=5), st.integers(0, 80))
def test_the_table_of_a_reconciliation_keeps_its_size(some: list[Json], more: int) -> None:
    report = {"zones": [*some, *({"zone": f"z{number}.", "verdict": "in_sync"} for number in range(more))], "summary": {}}
    lines = reconciliation_table(report)
    check_lines(lines)
    total = len(report["zones"])
    if total > MAX_LINES - 2:
        assert lines[-2] == f"… and {total - (MAX_LINES - 3)} more"
        assert len(lines) == MAX_LINES
    elif total:
        assert len(lines) == total + 2


targets = st.fixed_dictionaries(
    {"name": names, "provider": names, "verdict": verdicts},
    optional={
        "plan": st.fixed_dictionaries({"action": names}),
        "sync": st.fixed_dictionaries({"action": names}),
        "backup": st.fixed_dictionaries({"state": names}),
        "verify": st.fixed_dictionaries({"ok": st.booleans()}),
        "checks": st.lists(st.fixed_dictionaries({"name": names, "ok": st.sampled_from([True, False, None])}), max_size=4),
    },
)


@thorough(100)
@given(st.lists(targets, max_size=5), st.integers(0, 80), names, names)
def test_the_table_of_a_promotion_keeps_its_size(some: list[Json], more: int, release: str, digest: str) -> None:
    listed = [*some, *({"name": f"t{number}", "verdict": "succeeded"} for number in range(more))]
    check_lines(promotion_table({"targets": listed, "release": release, "digest": digest}))


@given(st.lists(st.lists(names, min_size=3, max_size=3), max_size=6), st.integers(4, 10), st.integers(20, 120))
def test_any_table_is_as_small_as_it_has_to_be(rows: list[list[str]], max_lines: int, max_width: int) -> None:
    columns = (Column("name", narrowest=8), Column("n", numeric=True), Column("what", narrowest=4))
    lines = text_table(columns, rows, ["below"], max_lines, max_width)
    assert len(lines) <= max_lines
    assert all(width(line) <= max_width for line in lines)
    assert lines[-1] == "below"


@given(names, st.integers(1, 40))
def test_a_text_is_clipped_by_its_columns(text: str, limit: int) -> None:
    line = one_line(text)
    clipped = clip(line, limit)
    assert width(clipped) <= limit
    assert clipped == line or (clipped.endswith("…") and line.startswith(clipped[:-1]))


@pytest.mark.parametrize(
    "report", [{}, {"zones": None, "targets": None}, {"zones": [None], "targets": [7]}, {"zones": "x", "targets": {}}]
)
def test_whatever_is_missing_the_table_is_there(report: Json) -> None:
    check_lines(reconciliation_table(report))
    check_lines(promotion_table(report))


def zone(name: str, verdict: str, **more: t.Any) -> Json:
    drift = {"creates": 1, "updates": 0, "deletes": 12, "digest": "8875298edb7112292492b689371e4386", "in_sync": False}
    return {"zone": name, "verdict": verdict, "action": "would_trigger", "guards": [], "drift": drift, **more}


def test_the_worst_zones_come_first_with_a_digest_for_their_approval() -> None:
    same = zone("same.example.", "in_sync", action="skipped", drift={"creates": 0, "updates": 0, "deletes": 0, "in_sync": True})
    refused = zone("refused.example.", "refused", action="refused", guards=[{"rule": "max_delete_percent", "message": "…"}])
    lost = zone("lost.example.", "failed", action="refused", drift={})
    report = {
        "zones": [same, zone("drift.example.", "drift"), refused, lost, zone("many.example.", "refused")],
        "summary": {"creates": 3, "updates": 0, "deletes": 36},
    }
    assert reconciliation_table(report) == [
        "zone              action         +  ~   -  guard               digest        verdict",
        "lost.example.     refused        -  -   -  -                   -             failed",
        "refused.example.  refused        1  0  12  max_delete_percent  8875298edb71  refused",
        "many.example.     would_trigger  1  0  12  batch               8875298edb71  refused",
        "drift.example.    would_trigger  1  0  12  ok                  8875298edb71  drift",
        "same.example.     skipped        0  0   0  ok                  -             in_sync",
        "5 zones: 3 creates, 0 updates, 36 deletes",
    ]


def test_a_promotion_in_the_order_of_its_targets() -> None:
    checks = [{"name": "target", "ok": True}, {"name": "disk", "ok": False}, {"name": "memory", "ok": False}]
    plan = {"action": "would_trigger"}
    shop = {"name": "shop", "provider": "serveravatar", "verdict": "refused", "checks": checks, "plan": plan}
    done = {"plan": plan, "backup": {"state": "made"}, "sync": {"action": "triggered"}, "verify": {"ok": True}}
    media = {"name": "media", "provider": "plm", "verdict": "succeeded", "checks": checks[:1], **done}
    report = {"targets": [shop, media], "release": "2026.11", "digest": "11e01a477b43477b"}
    assert promotion_table(report) == [
        "target  provider      action         backup  guard        verify  verdict",
        "shop    serveravatar  would_trigger  -       disk,memory  -       refused",
        "media   plm           triggered      made    ok           ok      succeeded",
        "2 targets, release 2026.11, digest 11e01a477b43477b",
    ]


def test_of_many_targets_those_in_trouble_come_first() -> None:
    listed = [{"name": f"t{number}", "verdict": "succeeded"} for number in range(100)]
    listed[70]["verdict"], listed[80]["verdict"] = "unknown", "not_started"
    lines = promotion_table({"targets": listed})
    assert [line.split()[0] for line in lines[1:4]] == ["t70", "t80", "t0"]
    assert lines[-2:] == ["… and 43 more", "100 targets"]
