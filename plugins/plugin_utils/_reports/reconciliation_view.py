# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What the page and the Markdown of a DNS reconciliation show, read from its JSON report. Pure functions, without any markup."""

from __future__ import annotations

import dataclasses
import typing as t

from . import formats
from .fields import Fields, ReportedFailure


@dataclasses.dataclass(frozen=True)
class RecordSide:
    """A record set on one side of a difference."""

    records: tuple[str, ...]
    ttl: str


@dataclasses.dataclass(frozen=True)
class RecordView:
    """A record set that differs: ``before`` in VinylDNS, ``after`` in DNS; None where it does not exist."""

    name: str
    type: str
    action: str
    ignored: bool
    before: RecordSide | None
    after: RecordSide | None


@dataclasses.dataclass(frozen=True)
class DriftView:
    """The difference that a sync would remove.

    :param known: whether it is known; without it, the counts are 0.
    :param records: the record sets that differ; there may be fewer than the counts say.
    """

    known: bool
    creates: int
    updates: int
    deletes: int
    serial: str
    digest: str
    records: tuple[RecordView, ...]

    @property
    def changes(self) -> int:
        return self.creates + self.updates + self.deletes


@dataclasses.dataclass(frozen=True)
class BrokenRule:
    """A guard that the plan of a zone breaks; the message may be empty."""

    rule: str
    message: str


@dataclasses.dataclass(frozen=True)
class ZoneView:
    """A zone.

    :param elapsed: in seconds.
    :param residual: number of record sets that still differed after the sync.
    :param guards: the rules that a refused plan breaks.
    """

    zone: str
    verdict: str
    changed: bool
    reason: str
    elapsed: float | None
    requests: int
    fidelity: str
    residual: int
    guards: tuple[BrokenRule, ...]
    failure: ReportedFailure | None
    drift: DriftView


@dataclasses.dataclass(frozen=True)
class ReconciliationView:
    """A reconciliation.

    :param elapsed: in seconds.
    :param summary: each count in the report by its name.
    """

    verdict: str
    ok: bool
    explanation: str
    check_mode: bool
    started_at: str
    finished_at: str
    elapsed: float | None
    batch_refusal: str
    summary: t.Mapping[str, int]
    zones: tuple[ZoneView, ...]


def reconciliation_view(report: t.Mapping[str, object]) -> ReconciliationView:
    """The view model of a report.

    :param report: as role ``dns_reconciliation`` writes it; any of its members may be missing.
    """
    fields = Fields(report)
    started_at, finished_at = fields.text("started_at"), fields.text("finished_at")
    summary = fields.child("summary")
    return ReconciliationView(
        verdict=fields.text("verdict"),
        ok=fields.flag("ok"),
        explanation=fields.text("explanation"),
        check_mode=fields.flag("check_mode"),
        started_at=started_at,
        finished_at=finished_at,
        elapsed=formats.duration(started_at, finished_at),
        batch_refusal=fields.text("batch_refusal"),
        summary={name: summary.count(name) for name, _text in summary.entries()},
        zones=tuple(map(_zone, fields.children("zones"))),
    )


def _zone(zone: Fields) -> ZoneView:
    failure = ReportedFailure.read(zone.child("failure"))
    return ZoneView(
        zone=zone.text("zone"),
        verdict=zone.text("verdict"),
        changed=zone.flag("changed"),
        reason=zone.text("reason"),
        elapsed=zone.number("elapsed"),
        requests=zone.count("requests"),
        fidelity=zone.text("fidelity"),
        residual=len(zone.children("residual")),
        guards=_guards(zone, failure),
        failure=failure,
        drift=_drift(zone.child("drift")),
    )


def _guards(zone: Fields, failure: ReportedFailure | None) -> tuple[BrokenRule, ...]:
    if failure is None or failure.code != "guard_refused":
        return ()
    rules = [BrokenRule(rule.text("rule"), rule.text("message")) for rule in zone.children("guards") if rule]
    return tuple(rules) or (BrokenRule(failure.code, failure.message),)


def _drift(drift: Fields) -> DriftView:
    return DriftView(
        known="creates" in drift,
        creates=drift.count("creates"),
        updates=drift.count("updates"),
        deletes=drift.count("deletes"),
        serial=drift.text("serial"),
        digest=drift.text("digest"),
        records=tuple(map(_record, drift.children("records"))),
    )


def _record(record: Fields) -> RecordView:
    return RecordView(
        name=record.text("name"),
        type=record.text("type"),
        action=record.text("action"),
        ignored=record.flag("ignored"),
        before=_side(record.child("before")),
        after=_side(record.child("after")),
    )


def _side(side: Fields) -> RecordSide | None:
    return RecordSide(side.texts("records"), side.text("ttl")) if side else None
