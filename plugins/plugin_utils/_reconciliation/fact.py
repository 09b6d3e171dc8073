# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The report as a fact: AWX keeps the event of a task only if it is not too long."""

from __future__ import annotations

import json
import typing as t

from ...module_utils._core.vocabulary import RECONCILIATION_VERDICTS
from ...module_utils._dns.guard import SHORT_DIGEST
from .report import ReconciliationReport, ZoneReport
from .state import DriftEntry, FailureEntry

#: characters that the fact may have as JSON
MAX_FACT = 95_000
#: of them, those of the digests, which a workflow needs more than anything else
MAX_DIGESTS = 60_000
MAX_REASON = 160
#: interrupted syncs that are listed
MAX_INTERRUPTED = 50

#: what is left of the drift of a zone
_COUNTS = ("creates", "updates", "deletes", "serial", "digest")


class ReportFact(ReconciliationReport):
    """The report as far as there is room. ``zones_left_out`` counts zones that are in the files of the report only."""

    zones_left_out: int


def report_fact(report: ReconciliationReport) -> ReportFact:
    """The report as a fact of at most :data:`MAX_FACT` characters: without the records of each zone if it is too long, then
    with the essentials of each zone, and then without the zones that are left when the worst ones have taken the room.
    """
    whole: ReportFact = {**report, "traceback": None, "zones_left_out": 0}
    if _size(whole) <= MAX_FACT:
        return whole
    head: ReportFact = {
        **whole,
        "digests": _digests(report),
        "interrupted": report["interrupted"][:MAX_INTERRUPTED],
        "message": _clip(report["message"], 2000),
        "explanation": _clip(report["explanation"], 2000),
        "zones": [],
    }
    room = MAX_FACT - _size(head)
    for shorten in (_without_records, _essentials):
        zones = [shorten(zone) for zone in report["zones"]]
        if sum(_size(zone) + 2 for zone in zones) <= room:
            return {**head, "zones": zones}
    kept = _worst_first([_essentials(zone) for zone in report["zones"]], room)
    return {**head, "zones": kept, "zones_left_out": len(report["zones"]) - len(kept)}


def _digests(report: ReconciliationReport) -> dict[str, str]:
    """Those of all zones, shortened if they would be too long; none if they are too long even so."""
    for length in (None, SHORT_DIGEST):
        digests = {zone: digest[:length] for zone, digest in report["digests"].items()}
        if _size(digests) <= MAX_DIGESTS:
            return digests
    return {}


def _worst_first(zones: t.Sequence[ZoneReport], room: int) -> list[ZoneReport]:
    kept: list[ZoneReport] = []
    for zone in sorted(zones, key=lambda zone: -RECONCILIATION_VERDICTS.index(zone["verdict"])):
        room -= _size(zone) + 2
        if room < 0:
            break
        kept.append(zone)
    return kept


def _without_records(zone: ZoneReport) -> ZoneReport:
    drift: DriftEntry = {**zone["drift"]}
    if drift.pop("records", None):
        drift["truncated"] = True
    # an empty list says that nothing is left
    return {**zone, "drift": drift, "residual": None if zone["residual"] else zone["residual"]}


def _essentials(zone: ZoneReport) -> ZoneReport:
    whole, failure = zone["drift"], zone["failure"]
    drift = t.cast("DriftEntry", {key: value for key, value in whole.items() if key in _COUNTS})
    return {
        **zone,
        "reason": _clip(zone["reason"], MAX_REASON),
        "drift": drift,
        "effect": None,
        "residual": None if zone["residual"] else zone["residual"],
        "guards": [],
        "failure": _shortened(failure) if failure else None,
        "handle": zone["handle"] if zone["state"] in ("running", "unknown") else None,
    }


def _shortened(failure: FailureEntry) -> FailureEntry:
    message = _clip(failure["message"], MAX_REASON)
    return {"code": failure["code"], "message": message, "http_status": failure["http_status"], "hint": ""}


def _clip(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _size(value: object) -> int:
    return len(json.dumps(value))
