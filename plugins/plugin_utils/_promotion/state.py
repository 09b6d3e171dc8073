# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What is known of a promotion while it runs, as values: each step returns a new state.

Each step of the role runs in a process of its own, so the state goes from one to the next as JSON.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ...module_utils._core.vocabulary import PromotionVerdict
from ...module_utils._state.run_ledger import Key
from .._actions.codec import JsonState
from .module_result import BackupId, Failure, ProbeResult, SyncResult
from .settings import PromotionSettings, PromotionTarget
from .vocabulary import OVERWRITING, CheckName, PhaseName, PhaseState

#: verdicts of a target, the worst last; the worst one is the verdict of the run
VERDICTS: tuple[PromotionVerdict, ...] = (
    "not_started",
    "succeeded",
    "planned",
    "refused",
    "rolled_back",
    "failed",
    "unknown",
    "rollback_failed",
)

#: reason of a phase, or of a rollback, that has begun and not ended
OPEN = "it was not brought to an end"
#: the same in a report that is written before the run has ended
NOT_ENDED = "it had not ended when this was written"

BackupState = t.Literal["none", "planned", "made", "found", "failed"]
RollbackState = t.Literal["succeeded", "failed", "manual", "impossible"]

#: what fields of a report and of a kept state may hold, beyond the words of modules and providers
STATE_WORDS: frozenset[str] = frozenset(
    word for kind in (PhaseName, PhaseState, CheckName, BackupState, RollbackState) for word in t.get_args(kind)
)


@dataclasses.dataclass(frozen=True)
class Actor(JsonState):
    """Who runs the promotion; ``job`` is that of AWX."""

    user: str
    host: str
    job: str | None


@dataclasses.dataclass(frozen=True)
class PhaseRecord(JsonState):
    """One phase in the report.

    :param began: monotonic time; not reported.
    """

    phase: PhaseName
    wave: int | None
    target: str | None
    state: PhaseState
    reason: str
    started_at: str
    finished_at: str
    elapsed: float = 0.0
    began: float = 0.0

    @property
    def is_open(self) -> bool:
        return self.reason in (OPEN, NOT_ENDED)

    def report(self) -> dict[str, object]:
        return {name: value for name, value in self.to_json().items() if name != "began"}


@dataclasses.dataclass(frozen=True)
class Check(JsonState):
    """One thing that was checked before the promotion; ``ok`` is null where it is not known or does not decide."""

    name: CheckName
    ok: bool | None
    text: str


@dataclasses.dataclass(frozen=True)
class ResumedFrom(JsonState):
    """The interrupted run that this one goes on with."""

    run: str
    phase: str
    started_at: str

    @property
    def has_overwritten(self) -> bool:
        return self.phase in OVERWRITING


@dataclasses.dataclass(frozen=True)
class TargetPlan(JsonState):
    """What the sync module would do."""

    action: str
    reason: str
    failure: Failure | None = None


@dataclasses.dataclass(frozen=True)
class BackupResult(JsonState):
    state: BackupState
    reason: str
    id: BackupId | None = None
    name: str | None = None
    size: str | int | None = None
    status: str | None = None
    elapsed: float = 0.0
    failure: Failure | None = None


@dataclasses.dataclass(frozen=True)
class VerifyResult(JsonState):
    """What the probes of a target saw.

    :param regressions: names of those that fail and did not fail before.
    :param already_failing: names of those that failed before the promotion, too.
    """

    ok: bool
    elapsed: float
    reason: str
    probes: tuple[ProbeResult, ...] = ()
    regressions: tuple[str, ...] = ()
    already_failing: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class RollbackResult(JsonState):
    state: RollbackState
    reason: str
    backup: BackupId | None
    elapsed: float = 0.0
    verify: VerifyResult | None = None

    @property
    def is_open(self) -> bool:
        return self.reason == OPEN


@dataclasses.dataclass(frozen=True)
class TargetKey(JsonState):
    """The identity of a target in ledger and promotion store, whatever name it was given."""

    provider: str
    address: str
    target: str

    def as_key(self) -> Key:
        return Key(self.provider, self.address, self.target)


@dataclasses.dataclass(frozen=True)
class TargetState(JsonState):
    """One target.

    :param target: the name that the provider has for it.
    :param locked: whether this run holds its lock.
    :param overwritten: whether this run may have begun to overwrite it.
    :param superseded: whether it takes the place of another release whose sync may still be in flight.
    :param awaited: whether another run is promoting it. What is to be done for it is known once that run has ended.
    :param abandoned: the interrupted run of another release whose place this one takes.
    """

    index: int
    name: str
    provider: str
    target: str
    wave: int
    key: TargetKey | None = None
    locked: bool = False
    overwritten: bool = False
    superseded: bool = False
    awaited: bool = False
    abandoned: ResumedFrom | None = None
    verdict: PromotionVerdict = "not_started"
    changed: bool = False
    reason: str = ""
    resumed: ResumedFrom | None = None
    plan: TargetPlan | None = None
    checks: tuple[Check, ...] = ()
    staging: tuple[ProbeResult, ...] = ()
    before: tuple[ProbeResult, ...] = ()
    backup: BackupResult | None = None
    sync: SyncResult | None = None
    verify: VerifyResult | None = None
    rollback: RollbackResult | None = None
    failure: Failure | None = None
    requests: int = 0

    @property
    def has_work(self) -> bool:
        """Whether something is to be done for it."""
        if self.verdict == "refused":
            return False
        return bool(self.resumed) or self.awaited or bool(self.plan and self.plan.action in ("would_trigger", "would_join"))

    @property
    def is_resumed(self) -> bool:
        """Whether an earlier run may already have begun to overwrite it."""
        return self.resumed is not None and self.resumed.has_overwritten

    @property
    def was_promoted(self) -> bool:
        """Whether this promotion, in this run or in one that it resumes, began to overwrite it."""
        return self.is_resumed or bool(self.sync and self.sync.action in ("triggered", "joined"))

    @property
    def failed_checks(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.ok is False)

    def identity(self) -> Key:
        if self.key is None:
            raise ValueError(f"{self.name} was not found")
        return self.key.as_key()

    def with_check(self, name: CheckName, ok: bool | None, text: str) -> TargetState:
        return dataclasses.replace(self, checks=(*self.checks, Check(name, ok, text)))

    def with_verdict(self, verdict: PromotionVerdict, reason: str) -> TargetState:
        return dataclasses.replace(self, verdict=verdict, reason=reason)

    def with_requests(self, count: int) -> TargetState:
        return dataclasses.replace(self, requests=self.requests + count)

    def report(self) -> dict[str, object]:
        internal = ("index", "key", "locked", "overwritten", "superseded", "awaited", "abandoned")
        return {name: value for name, value in self.to_json().items() if name not in internal}


@dataclasses.dataclass(frozen=True)
class RunState(JsonState):
    """One run of the role.

    :param stopped: nothing more is begun.
    :param began: monotonic time.
    :param hooks: paths of task files by moment.
    :param path: of the JSON report; empty for none.
    :param error_code: of what ended the run early; empty if that is a task which is not of the collection.
    :param traceback: of an error of the collection itself.
    :param unfinished: the phase that the run is in, for a report that is written before it has ended.
    """

    run: str
    release: str | None
    check_mode: bool
    started_at: str
    actor: Actor
    began: float = 0.0
    hooks: t.Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    path: str = ""
    unfinished: str = ""
    digest: str = ""
    error: str | None = None
    error_code: str | None = None
    traceback: str = ""
    stopped: bool = False
    override_reason: str | None = None
    lifted_hold: str | None = None
    held: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    phases: tuple[PhaseRecord, ...] = ()
    targets: tuple[TargetState, ...] = ()

    @property
    def starts_something(self) -> bool:
        """Whether any target is going to be overwritten that is not so already: what windows and approvals are about."""
        return any(target.has_work and not target.is_resumed for target in self.targets)

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why the run may not go on after its preflight, one sentence for each check that failed.

        A promotion that is resumed has to be brought to an end, whatever its checks say.
        """
        return tuple(
            f"{target.name}: {check.name}: {check.text}"
            for target in self.targets
            if not target.is_resumed
            for check in target.failed_checks
        )

    def of_wave(self, wave: int) -> tuple[TargetState, ...]:
        return tuple(target for target in self.targets if target.wave == wave)

    def with_target(self, target: TargetState) -> RunState:
        """With a newer state of one target."""
        targets = [target if entry.index == target.index else entry for entry in self.targets]
        return dataclasses.replace(self, targets=tuple(targets))

    def with_targets(self, *targets: TargetState) -> RunState:
        newer = {target.index: target for target in targets}
        return dataclasses.replace(self, targets=tuple(newer.get(entry.index, entry) for entry in self.targets))

    def with_warnings(self, *warnings: str) -> RunState:
        return dataclasses.replace(self, warnings=(*self.warnings, *warnings))

    def stop(self, verdict: PromotionVerdict, reason: str) -> RunState:
        """Begin nothing more.

        :param verdict: of the targets that have none yet.
        """
        targets = [entry.with_verdict(verdict, reason) if entry.verdict == "not_started" else entry for entry in self.targets]
        return dataclasses.replace(self, stopped=True, targets=tuple(targets))

    def refuse(self, reason: str) -> RunState:
        """Start nothing. What an earlier run began to overwrite is brought to an end all the same."""
        targets = tuple(
            entry.with_verdict("refused", reason) if entry.verdict == "not_started" and not entry.is_resumed else entry
            for entry in self.targets
        )
        return dataclasses.replace(self, targets=targets, stopped=all(entry.verdict != "not_started" for entry in targets))

    def with_opened(self, phase: PhaseName, now: str, began: float, wave: int | None, target: str | None) -> RunState:
        """Note that a phase begins; it counts as failed until it ends."""
        entry = PhaseRecord(phase, wave, target, "failed", OPEN, now, now, began=began)
        return dataclasses.replace(self, phases=(*self.phases, entry))

    def with_closed(self, result: PhaseState, reason: str, now: str, monotonic: float) -> RunState:
        """End the phase that was opened last."""
        last = self.phases[-1]
        ended = dataclasses.replace(last, state=result, reason=reason, finished_at=now, elapsed=round(monotonic - last.began, 3))
        return dataclasses.replace(self, phases=(*self.phases[:-1], ended))


def new_targets(settings: PromotionSettings) -> tuple[TargetState, ...]:
    """The targets at the beginning of a run."""
    waves = {index: number for number, wave in enumerate(settings.waves, 1) for index in wave}
    return tuple(_new_target(target, waves[target.index]) for target in settings.targets)


def _new_target(target: PromotionTarget, wave: int) -> TargetState:
    return TargetState(target.index, target.name, target.provider, target.name, wave)
