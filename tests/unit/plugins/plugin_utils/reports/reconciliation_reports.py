# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports of reconciliations as the role makes them, of each verdict, with every field and with what tests look for."""

from __future__ import annotations

from typing import Any, cast

from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.report import build_report
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.state import (
    ModuleAnswer,
    ReconciliationState,
    ZonePass,
)
from tests.unit.plugins.plugin_utils.reports.values import Json, at, failure

COUNTS = ("creates", "updates", "deletes")


def record_set(name: str, action: str, type: str = "A", values: tuple[str, ...] = ("192.0.2.10",), **more: Any) -> Json:
    sides = {
        "before": None if action == "create" else {"ttl": 300, "records": list(values)},
        "after": None if action == "delete" else {"ttl": 600, "records": [value + "1" for value in values]},
    }
    return {"name": name, "type": type, "action": action, **sides, **more}


def drift(*records: Json, record_sets: int = 100) -> Json:
    counts = {f"{action}s": sum(item["action"] == action for item in records) for action in ("create", "update", "delete")}
    return {
        **counts,
        "soa_only": False,
        "in_sync": not records,
        "record_sets": record_sets,
        "unsupported_types": {},
        "serial": 2026112003,
        "digest": "1f0c1b4ff0a24b6b8f0e6a2c9d3e5a71",
        "records": list(records),
        "truncated": False,
    }


DRIFTED = drift(
    record_set("@", "update", "SOA", ("ns1.example.net. hostmaster.example.net. 2026112001 7200 900 1209600 86400",)),
    record_set("new", "create"),
    record_set("www", "update", "A", ("192.0.2.10", "192.0.2.11")),
    record_set("_dmarc", "update", "TXT", ('"v=DMARC1; p=reject; rua=mailto:dmarc@example.com"',), ignored=True),
    record_set("host02", "delete"),
)


def plan(zone: str, action: str = "would_trigger", zone_drift: Json | None = None, **more: Any) -> Json:
    """A record of module vinyldns_zone_sync."""
    filled: Json = {
        "target": zone,
        "provider": "vinyldns",
        "action": action,
        "state": "not_started",
        "changed": action == "would_trigger",
        "changed_basis": "predicted",
        "reason": "1 record set to create, 3 to update, 1 to delete" if action == "would_trigger" else "in sync with DNS",
        "handle": None,
        "started_at": at(1),
        "finished_at": at(2),
        "elapsed": 0.42,
        "polls": 0,
        "requests": 4,
        "timed_out": False,
        "failure": None,
        "detail": {"drift": zone_drift if zone_drift is not None else (DRIFTED if action == "would_trigger" else drift())},
    }
    return {**filled, **more}


def synced(zone: str, **more: Any) -> Json:
    detail = {"effect": {"creates": 1, "updates": 3, "deletes": 1}, "fidelity": "exact"}
    done: Json = {"state": "succeeded", "changed_basis": "observed", "polls": 3, "elapsed": 2.4, "detail": detail}
    handle = {"provider": "vinyldns", "zone_id": "9cbdd3ac", "change_id": "0f2ba4a5"}
    return plan(zone, "triggered", **{"changed": True, "reason": "synced", "handle": handle, **done, **more})


EMPTY_TEXT = (
    "the backend has nothing but SOA and NS at the apex, and the sync would leave none of 98 other record sets. Check the"
    " backend; set guard.allow_empty if the zone is to be empty"
)
PERCENT_TEXT = "would delete 40 of 100 record sets (40.0 %), more than max_delete_percent 30. Raise guard.max_delete_percent"


def refused(zone: str) -> Json:
    lost = drift(*(record_set(f"host{number:02d}", "delete") for number in range(40)))
    guards = [{"rule": "allow_empty", "message": EMPTY_TEXT}, {"rule": "max_delete_percent", "message": PERCENT_TEXT}]
    problem = failure(
        "guard_refused",
        f"refused by guard: allow_empty: {EMPTY_TEXT}; max_delete_percent: {PERCENT_TEXT}",
        "Look at the plan (--check --diff) before you permit it.",
    )
    detail = {"drift": lost, "guards": guards}
    return plan(zone, "refused", reason=problem["message"], failure={**problem, "guards": guards}, detail=detail, changed=False)


def broken(zone: str) -> Json:
    problem = failure(
        "connection_failed",
        f"{zone}: the transfer from ns1.example.net port 53 failed: connection refused",
        "Check backend.server and backend.port.",
    )
    return plan(zone, "refused", reason=problem["message"], failure=problem, detail={}, changed=False)


def late(zone: str) -> Json:
    problem = failure(
        "timed_out",
        "the sync had not ended after 900 s",
        "The server has not begun yet: its queue may be long. Run again to join it.",
    )
    return synced(zone, state="running", changed_basis="assumed", failure=problem, timed_out=True, reason="triggered")


def result(*records: Json) -> list[Json]:
    return [{"syncs": list(records), "summary": {"requests": sum(item["requests"] for item in records)}}] if records else []


def reconciliation(verdict: str = "reconciled", zones: int = 0, **more: Any) -> Json:
    """A report of a reconciliation with this verdict, made by the code of the role.

    :param zones: further zones that are in sync.
    """
    in_sync = [plan(f"calm{number:04d}.example.", "skipped") for number in range(zones or 3)]
    drifted = [plan("drifted.example."), plan("also-drifted.example.")]
    done = [synced(item["target"]) for item in drifted]
    plans, syncs = {
        "in_sync": (in_sync, []),
        "reconciled": ([*drifted, *in_sync], done),
        "drift": ([*drifted, *in_sync], []),
        "refused": ([*drifted, refused("lost.example."), *in_sync], done),
        "timed_out": ([*drifted, plan("slow.example."), *in_sync], [*done, late("slow.example.")]),
        "failed": (
            [*drifted, refused("lost.example."), broken("noserver.example."), plan("slow.example."), *in_sync],
            [*done, late("slow.example.")],
        ),
    }[verdict]
    residuals = [plan(item["target"], "skipped") for item in syncs if item["state"] == "succeeded"]
    passes = {"plans": result(*plans), "syncs": result(*syncs), "residuals": result(*residuals), **more}
    state = ReconciliationState(
        check_mode=verdict == "drift",
        started_at=at(0),
        report_path="reports/zones.json",
        plans=_pass(passes["plans"]),
        syncs=_pass(passes["syncs"]),
        residuals=_pass(passes["residuals"]),
        batch_refusal=more.get("batch", ""),
        error=more.get("error", ""),
    )
    return cast(Json, build_report(state, finished_at=at(8)))


def _pass(results: list[Json]) -> ZonePass:
    return sum((ZonePass.of(cast(ModuleAnswer, item)) for item in results), ZonePass())
