# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What is known of a reconciliation between its phases, as values that go to JSON and back."""

from __future__ import annotations

import dataclasses
import typing as t

from ...module_utils._core.errors import coded_text
from ...module_utils._core.vocabulary import Action, Basis, InterruptedOutcome, State
from ...module_utils._providers.vinyldns.api import absolute
from .._actions.codec import JsonState


class FailureEntry(t.TypedDict):
    """``failure`` of a record."""

    code: str
    message: str
    http_status: int | None
    hint: str
    traceback: t.NotRequired[str]


class GuardEntry(t.TypedDict):
    """A broken guard."""

    rule: str
    message: str


class DriftEntry(t.TypedDict, total=False):
    """``detail.drift`` of a record. Empty or without counts if the drift is not known."""

    creates: int
    updates: int
    deletes: int
    ignored: int
    soa_only: bool
    unsupported_types: t.Mapping[str, int]
    serial: int
    stored_serial: int | None
    digest: str
    records: t.Sequence[t.Mapping[str, object]]
    truncated: bool
    in_sync: bool | None
    record_sets: int


class InterruptedEntry(t.TypedDict):
    """``detail.interrupted`` of a record: a sync that a task left behind which was killed."""

    intended_at: str
    outcome: InterruptedOutcome


class ZoneDetail(t.TypedDict, total=False):
    """``detail`` of a record."""

    latest_sync: str | None
    serial_moved: bool
    drift: DriftEntry
    effect: t.Mapping[str, object]
    fidelity: str
    differences: t.Sequence[str]
    guards: t.Sequence[GuardEntry]
    interrupted: InterruptedEntry


class ZoneRecord(t.TypedDict):
    """A record in the result of the sync module."""

    target: str
    provider: str
    action: Action
    state: State
    changed: bool
    changed_basis: Basis
    reason: str
    handle: t.Mapping[str, object] | None
    started_at: str | None
    finished_at: str | None
    elapsed: float
    polls: int
    requests: int
    timed_out: bool
    failure: FailureEntry | None
    detail: ZoneDetail


class ModuleSummary(t.TypedDict):
    """The part of ``summary`` in the result of the sync module that the report adds up."""

    requests: int


class ModuleAnswer(t.TypedDict, total=False):
    """The result of the sync module. Without ``syncs``, the module could not begin."""

    syncs: t.Sequence[ZoneRecord]
    summary: ModuleSummary
    failure: FailureEntry
    traceback: str
    msg: str
    warnings: t.Sequence[str]
    diff: t.Sequence[t.Mapping[str, object]]


@dataclasses.dataclass(frozen=True)
class ZonePass(JsonState):
    """What one or several tasks of the sync module found or did.

    :param names: how each zone was given, by the ``target`` of its record.
    :param requests: all HTTP requests, also those that belong to no single zone.
    :param error: why a task failed as a whole.
    :param error_code: of that error.
    :param traceback: of that error, if it is one of the collection.
    """

    records: tuple[ZoneRecord, ...] = ()
    names: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    requests: int = 0
    error: str = ""
    error_code: str = ""
    traceback: str = ""

    @classmethod
    def of(cls, answer: ModuleAnswer, zones: t.Sequence[str] = ()) -> ZonePass:
        """The pass of one task.

        :param zones: what the task was given.
        """
        failure = answer.get("failure")
        error = coded_text(failure["code"], failure["message"], failure["hint"]) if failure else ""
        code = failure["code"] if failure else ""
        if not error and "syncs" not in answer:
            error = str(answer.get("msg") or "the module ended without a result").strip()
        records = tuple(answer.get("syncs", ()))
        names: dict[str, str] = {}
        for zone, record in zip(zones, records):
            names.setdefault(record["target"], zone)
        traceback = failure.get("traceback", "") if failure else ""
        return cls(records, names, answer["summary"]["requests"] if "summary" in answer else 0, error, code, traceback)

    def __add__(self, other: ZonePass) -> ZonePass:
        names = {**other.names, **self.names}
        first = self if self.error else other
        requests, traceback = self.requests + other.requests, self.traceback or other.traceback
        return ZonePass(self.records + other.records, names, requests, first.error, first.error_code, traceback)

    def given(self, record: ZoneRecord) -> str:
        """How the zone of a record was given."""
        return self.names.get(record["target"], record["target"])

    @property
    def changed(self) -> bool:
        return any(record["changed"] for record in self.records)


@dataclasses.dataclass(frozen=True)
class ReconciliationState(JsonState):
    """One run of the role.

    :param check_mode: nothing may be synced.
    :param report_path: where the report goes; empty for nowhere.
    :param zones: names or ids, as they were given or found.
    :param plans: what a sync would do.
    :param residuals: what differed after the syncs.
    :param batch_refusal: why no zone may be synced.
    :param error: what ended the run early.
    :param error_code: of that error; empty if it is one of a task that is not of the collection.
    :param traceback: of an error that is one of the collection.
    :param notify: somebody may have to be notified.
    :param unfinished: the phase that the run is in, for a report that is written before it has ended.
    """

    check_mode: bool
    started_at: str
    report_path: str = ""
    fail_on_drift: bool = False
    zones: tuple[str, ...] = ()
    plans: ZonePass = dataclasses.field(default_factory=ZonePass)
    syncs: ZonePass = dataclasses.field(default_factory=ZonePass)
    residuals: ZonePass = dataclasses.field(default_factory=ZonePass)
    batch_refusal: str = ""
    error: str = ""
    error_code: str = ""
    traceback: str = ""
    notify: bool = False
    unfinished: str = ""

    def with_error(self, error: str, code: str = "", traceback: str = "") -> ReconciliationState:
        """The same with what ended the run, unless that is known already."""
        known = self.error or any(done.error for done in self.passes)
        return self if known else dataclasses.replace(self, error=error, error_code=code, traceback=traceback)

    @property
    def passes(self) -> tuple[ZonePass, ZonePass, ZonePass]:
        return self.plans, self.syncs, self.residuals


def canonical(zone: str) -> str:
    """A zone name as it is compared: lower case, with its dot, and as the server has it, with A-labels."""
    return absolute(zone.strip()).lower()
