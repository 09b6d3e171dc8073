# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The verdict of a reconciliation, and its report. Pure functions on the state."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import coded_text, sentence
from ...module_utils._core.vocabulary import RECONCILIATION_VERDICTS, Action, InterruptedOutcome, ReconciliationVerdict, State
from ...module_utils._dns.drift import serial_compare
from ...module_utils._lifecycle.interruption import interrupted_text
from .._reports.files import syncs_folder
from .state import DriftEntry, FailureEntry, GuardEntry, ReconciliationState, ZoneRecord

#: verdicts of zones whose plan was not carried out
_PENDING = ("drift", "refused")

#: of how many zones the message says what became of an interrupted sync
_NAMED = 3

_OF_CODE: t.Mapping[str, ReconciliationVerdict] = {"guard_refused": "refused", "timed_out": "timed_out"}


class ZoneReport(t.TypedDict):
    """One zone in the report."""

    zone: str
    verdict: ReconciliationVerdict
    reason: str
    action: Action
    state: State
    changed: bool
    drift: DriftEntry
    effect: t.Mapping[str, object] | None
    fidelity: str | None
    residual: t.Sequence[t.Mapping[str, object]] | None
    guards: t.Sequence[GuardEntry]
    failure: FailureEntry | None
    handle: t.Mapping[str, object] | None
    started_at: str | None
    finished_at: str | None
    elapsed: float
    requests: int


class SentSync(t.TypedDict):
    """A sync that was triggered or joined; ``state`` is ``unknown`` while it is not known whether it was."""

    zone: str
    state: State
    handle: t.Mapping[str, object] | None


class Unfinished(t.TypedDict):
    """How far a run was that had not ended. ``details`` is a directory with what is known of syncs at work."""

    phase: str
    sent: list[SentSync]
    details: str | None


class InterruptedSync(t.TypedDict):
    """A sync that an earlier run left unfinished, and what became of it."""

    zone: str
    intended_at: str
    outcome: InterruptedOutcome


class ReconciliationReport(t.TypedDict):
    """The report. ``digests`` has those of the plans that were not carried out, by the name of the zone; ``traceback`` is that of
    an error of the collection itself; ``explanation`` is ``message`` without the verdict.
    """

    verdict: ReconciliationVerdict
    ok: bool
    check_mode: bool
    started_at: str
    finished_at: str
    error: str | None
    error_code: str | None
    traceback: str | None
    batch_refusal: str | None
    summary: dict[str, int]
    digests: dict[str, str]
    unfinished: Unfinished | None
    interrupted: list[InterruptedSync]
    zones: list[ZoneReport]
    message: str
    explanation: str


def build_report(state: ReconciliationState, finished_at: str) -> ReconciliationReport:
    """The report of a run."""
    # of several records for one zone the first: that one did the work
    synced = {record["target"]: record for record in reversed(state.syncs.records)}
    left = {record["target"]: record for record in reversed(state.residuals.records)}
    plans = _distinct(state.plans.records)
    zones = [_zone(state, plan, synced.get(plan["target"]), left.get(plan["target"])) for plan in plans]
    error, code = next(((source.error, source.error_code) for source in (state, *state.passes) if source.error), ("", ""))
    verdict: ReconciliationVerdict = "failed" if error else _worst(zones)
    if state.unfinished:
        verdict, error, code = "unknown", _unfinished_text(state.unfinished), ""
    ok = verdict in ("in_sync", "reconciled") or (verdict == "drift" and state.check_mode and not state.fail_on_drift)
    report: ReconciliationReport = {
        "verdict": verdict,
        "ok": ok,
        "check_mode": state.check_mode,
        "started_at": state.started_at,
        "finished_at": finished_at,
        "error": error or None,
        "error_code": code or None,
        "traceback": state.traceback or next((done.traceback for done in state.passes if done.traceback), None),
        "batch_refusal": state.batch_refusal or None,
        "summary": _summary(zones, sum(done.requests for done in state.passes)),
        "digests": _digests(zones, left),
        "unfinished": _unfinished(state, zones) if state.unfinished else None,
        "interrupted": _interrupted(plans, synced),
        "zones": zones,
        "message": "",
        "explanation": "",
    }
    explanation = _explanation(report, state.report_path)
    return {**report, "message": f"{verdict}: {explanation}", "explanation": explanation}


def _unfinished_text(phase: str) -> str:
    return (
        f"the run had not ended when this was written, in phase {phase}. If it is not at work any more, run the role again: it"
        " joins syncs in flight, and triggers none twice"
    )


def _is_open(state: ReconciliationState, plan: ZoneRecord, sync: ZoneRecord | None, residual: ZoneRecord | None) -> bool:
    """Whether it is not known yet what a run that is at work does for a zone."""
    if sync is not None:
        return not sync["failure"] and sync["state"] == "succeeded" and residual is None
    return state.unfinished == "sync" and plan["action"] in ("would_trigger", "would_join")


def _unfinished(state: ReconciliationState, zones: t.Sequence[ZoneReport]) -> Unfinished:
    sent: list[SentSync] = []
    for zone in zones:
        if zone["action"] in ("triggered", "joined"):
            sent.append({"zone": zone["zone"], "state": zone["state"], "handle": zone["handle"]})
        elif zone["verdict"] == "unknown":
            sent.append({"zone": zone["zone"], "state": "unknown", "handle": None})
    at_work = state.unfinished == "sync" and not state.syncs.records and state.report_path
    return {"phase": state.unfinished, "sent": sent, "details": syncs_folder(state.report_path) if at_work else None}


def _interrupted(plans: t.Sequence[ZoneRecord], synced: t.Mapping[str, ZoneRecord]) -> list[InterruptedSync]:
    found: list[InterruptedSync] = []
    for plan in plans:
        # a later record knows better
        for record in (synced.get(plan["target"]), plan):
            if record is not None and "interrupted" in record["detail"]:
                found.append({"zone": plan["target"], **record["detail"]["interrupted"]})
                break
    return found


def _found_text(found: t.Sequence[InterruptedSync]) -> str:
    if not found:
        return ""
    named = "; ".join(f"{item['zone']}: {interrupted_text(item['outcome'])}" for item in found[:_NAMED])
    more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return f" An earlier run was interrupted: {named}{more}."


def _worst(zones: t.Iterable[ZoneReport]) -> ReconciliationVerdict:
    return max((zone["verdict"] for zone in zones), key=RECONCILIATION_VERDICTS.index, default="failed")


def _distinct(plans: t.Sequence[ZoneRecord]) -> list[ZoneRecord]:
    """The plans without those that were skipped because the same zone is named earlier, by its name or its id."""
    first: dict[str, ZoneRecord] = {}
    return [plan for plan in plans if first.setdefault(plan["target"], plan) is plan or plan["action"] != "skipped"]


def _zone(state: ReconciliationState, plan: ZoneRecord, sync: ZoneRecord | None, residual: ZoneRecord | None) -> ZoneReport:
    record = sync or plan
    verdict, reason = _judge(plan, sync, residual, state.batch_refusal)
    if state.unfinished and _is_open(state, plan, sync, residual):
        known = f"{sync['reason']}; not compared again" if sync else "the sync may have begun"
        verdict, reason = "unknown", f"{known} when this was written"
    done = [item for item in (plan, sync, residual) if item]
    return {
        "zone": plan["target"],
        "verdict": verdict,
        "reason": reason,
        "action": record["action"],
        "state": record["state"],
        "changed": record["changed"],
        "drift": plan["detail"].get("drift") or {},
        "effect": record["detail"].get("effect"),
        "fidelity": record["detail"].get("fidelity"),
        "residual": (residual["detail"].get("drift") or {}).get("records") if residual else None,
        "guards": plan["detail"].get("guards") or record["detail"].get("guards") or [],
        "failure": record["failure"] or (residual["failure"] if residual else None),
        "handle": record["handle"],
        "started_at": record["started_at"],
        "finished_at": record["finished_at"],
        "elapsed": round(sum(item["elapsed"] for item in done), 3),
        "requests": sum(item["requests"] for item in done),
    }


def _judge(
    plan: ZoneRecord, sync: ZoneRecord | None, residual: ZoneRecord | None, batch_refusal: str
) -> tuple[ReconciliationVerdict, str]:
    """Verdict and reason for one zone."""
    record = sync or plan
    if record["failure"]:
        return _OF_CODE.get(record["failure"]["code"], "failed"), record["failure"]["message"]
    if residual is not None and residual["failure"]:
        return "failed", f"synced, but then: {residual['failure']['message']}"
    if residual is not None and residual["action"] != "skipped" and "drift" in residual["detail"]:
        later = _later_updates(sync or plan, residual)
        return ("reconciled", f"{record['reason']}; {later}") if later else ("drift", f"synced, and yet: {residual['reason']}")
    if record["action"] == "skipped":
        # the server may refuse for another reason than that there is nothing to do
        if (record["detail"].get("drift") or {}).get("in_sync") is False:
            return "drift", f"not synced: {record['reason']}"
        return "in_sync", record["reason"]
    if sync is None:
        return ("refused", f"not synced: {batch_refusal}") if batch_refusal else ("drift", record["reason"])
    if residual is None:
        return "failed", "the drift that is left was not looked at"
    return "reconciled", record["reason"]


def _later_updates(sync: ZoneRecord, residual: ZoneRecord) -> str:
    """What was updated in DNS since the sync, if that explains all drift that is left; otherwise an empty text.

    It does if VinylDNS has the serial that was planned or a later one, the DNS server has one that is later still, and none of
    the planned changes is left. A sync that took over exactly the planned serial must have done what was planned.
    """
    planned, left = sync["detail"].get("drift") or {}, residual["detail"].get("drift") or {}
    serial, stored, now = planned.get("serial"), left.get("stored_serial"), left.get("serial")
    if serial is None or stored is None or now is None or serial_compare(now, stored) != 1:
        return ""
    taken = serial_compare(stored, serial)
    if taken not in (0, 1) or (taken == 0 and sync["detail"].get("fidelity") != "exact"):
        return ""
    wanted = [_wanted(change) for change in planned.get("records", ())]
    if any(_wanted(change) in wanted for change in left.get("records", ())):
        return ""
    return f"the DNS server was updated since, from serial {stored} to {now}: {residual['reason']}"


def _wanted(change: t.Mapping[str, object]) -> tuple[object, object, object]:
    """The record set that a change leads to, whatever it was before."""
    return change.get("name"), change.get("type"), change.get("after")


def _digests(zones: t.Sequence[ZoneReport], residuals: t.Mapping[str, ZoneRecord]) -> dict[str, str]:
    found = {}
    for zone in zones:
        residual = residuals.get(zone["zone"])
        drift = (residual["detail"].get("drift") or {}) if residual else zone["drift"]
        digest = drift.get("digest")
        if digest and drift.get("in_sync") is False and zone["verdict"] in _PENDING:
            found[zone["zone"]] = digest
    return found


def _summary(zones: t.Sequence[ZoneReport], requests: int) -> dict[str, int]:
    counts = {verdict: sum(zone["verdict"] == verdict for zone in zones) for verdict in RECONCILIATION_VERDICTS}
    changes = {
        "creates": sum(zone["drift"].get("creates", 0) for zone in zones),
        "updates": sum(zone["drift"].get("updates", 0) for zone in zones),
        "deletes": sum(zone["drift"].get("deletes", 0) for zone in zones),
    }
    return {"zones": len(zones), **counts, **changes, "requests": requests}


def _explanation(report: ReconciliationReport, path: str) -> str:
    """What there is to say of the verdict."""
    where = _found_text(report["interrupted"]) + (f" Report: {path}" if path else "")
    if report["error"]:
        return f"{sentence(report['error'])}{where}"
    summary = report["summary"]
    counts = ", ".join(
        f"{summary[verdict]} {verdict.replace('_', ' ')}" for verdict in RECONCILIATION_VERDICTS if summary[verdict]
    )
    worst = next((zone for zone in report["zones"] if zone["verdict"] == report["verdict"]), None)
    zones = "1 zone" if summary["zones"] == 1 else f"{summary['zones']} zones"
    text = f"{zones}, {counts}." if summary["zones"] > 1 else f"{zones}."
    if report["verdict"] not in ("in_sync", "reconciled") and worst:
        failure, reason = worst["failure"], worst["reason"]
        explained = coded_text(failure["code"], reason, failure["hint"]) if failure else sentence(reason)
        text += f" {worst['zone']}: {explained}"
    return text + where
