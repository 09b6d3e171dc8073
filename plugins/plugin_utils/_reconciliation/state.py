# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What role dns_reconciliation makes of the results of its passes. Pure functions on plain data."""

from __future__ import annotations

import typing as t

from ...module_utils._core.vocabulary import RECONCILIATION_VERDICTS

Json = dict[str, t.Any]

#: batches with fewer record sets than this in VinylDNS are too small for a percentage
MIN_RECORDS = 10


def canonical(zone: str) -> str:
    """A zone name as it is compared: lower case, with its dot."""
    name = str(zone).strip().lower()
    return name if name.endswith(".") else name + "."


def backend_groups(zones: t.Sequence[str], backends: t.Mapping[str, t.Any], approve: t.Mapping[str, str]) -> list[Json]:
    """Zones that can share one task: those without anything of their own, then one group each for the others.

    :param backends: DNS servers by the name of the zone.
    :param approve: digests by the name of the zone.
    :returns: groups with ``zones``, ``key`` (the entry in ``backends``, or empty) and ``approve``. No secrets.
    """
    keys = {canonical(name): name for name in backends}
    digests = {canonical(name): digest for name, digest in approve.items()}
    common = [zone for zone in zones if canonical(zone) not in keys and canonical(zone) not in digests]
    own = [zone for zone in zones if zone not in common]
    groups = [{"zones": common, "key": "", "approve": ""}] if common else []
    for zone in own:
        groups.append({"zones": [zone], "key": keys.get(canonical(zone), ""), "approve": digests.get(canonical(zone), "")})
    return groups


def records_of(results: t.Iterable[Json]) -> list[Json]:
    """All records of several results of the sync module."""
    return [record for result in results for record in result.get("syncs", [])]


def zones_to_sync(plans: t.Iterable[Json]) -> list[str]:
    """The zones whose plan is to sync, or to wait for a sync in flight."""
    return [record["target"] for record in records_of(plans) if record["action"] in ("would_trigger", "would_join")]


def zones_to_verify(syncs: t.Iterable[Json]) -> list[str]:
    """The zones that were synced, and whose drift can be told."""
    return [record["target"] for record in records_of(syncs) if record["state"] == "succeeded"]


def batch_refusal(plans: t.Iterable[Json], max_delete_percent: float, approved: t.Iterable[str]) -> str:
    """Why no zone of the batch may be synced, or an empty text.

    A wrong DNS server rarely hits a single zone. Only what would be synced counts: not the zones that their own guards refuse.
    Zones with an approved plan are left out too, and a single zone is left to its own guards.
    """
    exempt = {canonical(name) for name in approved}
    drifts = [
        record["detail"]["drift"]
        for record in records_of(plans)
        if record["action"] != "refused"
        and "record_sets" in record["detail"].get("drift", {})
        and canonical(record["target"]) not in exempt
    ]
    deletes = sum(drift["deletes"] for drift in drifts)
    stored = sum(drift["record_sets"] for drift in drifts)
    if len(drifts) < 2 or stored < MIN_RECORDS or deletes * 100 <= max_delete_percent * stored:
        return ""
    share = f"{deletes} of {stored} record sets ({100 * deletes / stored:.1f} %)"
    return (
        f"the plans of {len(drifts)} zones together delete {share}, more than dns_reconciliation_batch_max_delete_percent"
        f" {max_delete_percent:g}. Look at the plans; if they are right, raise it, approve the plans or reconcile fewer zones at"
        " once"
    )


def build_report(run: Json, check_mode: bool, fail_on_drift: bool, finished_at: str, path: str) -> Json:
    """The report of a run.

    :param run: what the role noted: ``started_at``, ``plans``, ``syncs``, ``residuals`` (results of the sync module),
        ``batch`` (why the whole batch is refused) and ``error`` (what ended the role early).
    """
    plans, syncs, residuals = (records_of(run[key]) for key in ("plans", "syncs", "residuals"))
    # of several for one zone the first: that one did the work
    synced = {record["target"]: record for record in reversed(syncs)}
    left = {record["target"]: record for record in reversed(residuals)}
    zones = [_zone(plan, synced.get(plan["target"]), left.get(plan["target"]), run["batch"]) for plan in _distinct(plans)]
    error = run["error"] or _task_failure(run)
    verdict = "failed" if error else max((zone["verdict"] for zone in zones), key=RECONCILIATION_VERDICTS.index, default="failed")
    ok = verdict in ("in_sync", "reconciled") or (verdict == "drift" and check_mode and not fail_on_drift)
    report = {
        "verdict": verdict,
        "ok": ok,
        "check_mode": check_mode,
        "started_at": run["started_at"],
        "finished_at": finished_at,
        "error": error or None,
        "batch_refusal": run["batch"] or None,
        "summary": _summary(zones, run),
        "zones": zones,
    }
    return {**report, "message": _message(report, path)}


def _distinct(plans: t.Sequence[Json]) -> list[Json]:
    """The plans without those that were skipped because the same zone is named earlier, by its name or its id."""
    first: dict[str, Json] = {}
    return [plan for plan in plans if first.setdefault(plan["target"], plan) is plan or plan["action"] != "skipped"]


def _zone(plan: Json, sync: Json | None, residual: Json | None, batch: str) -> Json:
    record = sync or plan
    verdict, reason = _judge(plan, sync, residual, batch)
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
        "failure": record["failure"] or (residual or {}).get("failure"),
        "handle": record["handle"],
        "started_at": record["started_at"],
        "finished_at": record["finished_at"],
        "elapsed": round(sum(item["elapsed"] for item in (plan, sync, residual) if item), 3),
        "requests": sum(item["requests"] for item in (plan, sync, residual) if item),
    }


def _judge(plan: Json, sync: Json | None, residual: Json | None, batch: str) -> tuple[str, str]:
    """Verdict and reason for one zone."""
    record = sync or plan
    if record["failure"]:
        codes = {"guard_refused": "refused", "timed_out": "timed_out"}
        return codes.get(record["failure"]["code"], "failed"), record["failure"]["message"]
    if residual is not None and residual["failure"]:
        return "failed", f"synced, but then: {residual['failure']['message']}"
    if residual is not None and residual["action"] != "skipped" and "drift" in residual["detail"]:
        return "drift", f"synced, and yet: {residual['reason']}"
    if record["action"] == "skipped":
        # the server may refuse for another reason than that there is nothing to do
        if (record["detail"].get("drift") or {}).get("in_sync") is False:
            return "drift", f"not synced: {record['reason']}"
        return "in_sync", record["reason"]
    if sync is None:
        return ("refused", f"not synced: {batch}") if batch else ("drift", record["reason"])
    if residual is None:
        return "failed", "the drift that is left was not looked at"
    return "reconciled", record["reason"]


def _task_failure(run: Json) -> str:
    for key in ("plans", "syncs", "residuals"):
        for result in run[key]:
            if result.get("failure"):
                return f"{result['failure']['message']}. {result['failure']['hint']}".strip()
    return ""


def _summary(zones: t.Sequence[Json], run: Json) -> Json:
    counts = {verdict: sum(zone["verdict"] == verdict for zone in zones) for verdict in RECONCILIATION_VERDICTS}
    requests = sum(result["summary"]["requests"] for key in ("plans", "syncs", "residuals") for result in run[key])
    changes = {key: sum((zone["drift"] or {}).get(key, 0) for zone in zones) for key in ("creates", "updates", "deletes")}
    return {"zones": len(zones), **counts, **changes, "requests": requests}


def _message(report: Json, path: str) -> str:
    where = f" Report: {path}" if path else ""
    if report["error"]:
        return f"failed: {report['error']}{where}"
    summary = report["summary"]
    counts = ", ".join(
        f"{summary[verdict]} {verdict.replace('_', ' ')}" for verdict in RECONCILIATION_VERDICTS if summary[verdict]
    )
    worst = next((zone for zone in report["zones"] if zone["verdict"] == report["verdict"]), None)
    zones = "1 zone" if summary["zones"] == 1 else f"{summary['zones']} zones"
    text = f"{report['verdict']}: {zones}, {counts}." if summary["zones"] > 1 else f"{report['verdict']}: {zones}."
    if report["verdict"] not in ("in_sync", "reconciled") and worst:
        text += f" {worst['zone']}: {worst['reason']}."
    return text.replace("..", ".") + where
