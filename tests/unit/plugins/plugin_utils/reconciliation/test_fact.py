# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a fact: below 100 kB whatever the run was about, and as much of it as there is room for."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.fact import MAX_FACT, report_fact
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.report import (
    ReconciliationReport,
    build_report,
)
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.state import (
    ReconciliationState,
    ZonePass,
    ZoneRecord,
)

LONG = "x" * 500


def record(number: int, records: int, failed: bool) -> ZoneRecord:
    changes = [{"name": f"host{item}", "type": "A", "action": "create"} for item in range(records)]
    drift = {
        "creates": records,
        "updates": 0,
        "deletes": 0,
        "digest": f"{number:032x}",
        "in_sync": not records,
        "records": changes,
    }
    failure = {"code": "not_found", "message": LONG, "http_status": 404, "hint": LONG} if failed else None
    filled: dict[str, Any] = {
        "target": f"zone{number:05d}.example.",
        "action": "would_trigger" if records else "skipped",
        "state": "not_started",
        "changed": bool(records),
        "reason": LONG,
        "handle": None,
        "started_at": None,
        "finished_at": None,
        "elapsed": 0.1,
        "requests": 4,
        "failure": failure,
        "detail": {"drift": drift},
    }
    return cast(ZoneRecord, filled)


def report(zones: int, records: int = 0, failed: int = 0) -> ReconciliationReport:
    plans = tuple(record(number, records, zones - number <= failed) for number in range(zones))
    return build_report(ReconciliationState(True, "then", plans=ZonePass(plans)), "now")


def size(value: object) -> int:
    return len(json.dumps(value))


def test_a_short_report_is_the_fact() -> None:
    whole = report(20, records=5)
    assert report_fact(whole) == {**whole, "zones_left_out": 0}
    assert len(whole["digests"]) == 20


def test_long_plans_go_first() -> None:
    whole = report(20, records=1000)
    assert size(whole) > MAX_FACT
    fact = report_fact(whole)
    assert size(fact) <= MAX_FACT
    assert [zone["drift"] for zone in fact["zones"]] == [
        {"creates": 1000, "updates": 0, "deletes": 0, "digest": f"{number:032x}", "in_sync": False, "truncated": True}
        for number in range(20)
    ]
    assert [zone["reason"] for zone in fact["zones"]] == [LONG] * 20
    assert fact["digests"] == whole["digests"]


@pytest.mark.parametrize(("zones", "records"), [(150, 0), (150, 3), (1000, 0), (1000, 3), (5_000, 3)])
def test_the_fact_is_never_too_long(zones: int, records: int) -> None:
    whole = report(zones, records, failed=10)
    fact = report_fact(whole)
    assert size(fact) <= MAX_FACT
    assert len(fact["zones"]) + fact["zones_left_out"] == zones
    assert {key: fact[key] for key in ("verdict", "ok", "summary", "error")} == {
        key: whole[key] for key in ("verdict", "ok", "summary", "error")
    }
    if fact["zones_left_out"]:
        # the worst ones are there
        assert [zone["verdict"] for zone in fact["zones"][:11]] == ["failed"] * 10 + ["drift" if records else "in_sync"]
    if zones <= 1000:
        assert fact["digests"] == whole["digests"]
