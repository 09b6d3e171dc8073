# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What the page and the Markdown of a promotion show, read from its JSON report. Pure functions, without any markup."""

from __future__ import annotations

import dataclasses
import typing as t

from . import formats
from .fields import Fields, ReportedFailure
from .promotion_advice import Advice, advice_of
from .promotion_probes import PROBE_STAGES, ProbeRow, probe_rows
from .promotion_steps import StepView, steps_of

VERDICTS = ("succeeded", "planned", "refused", "failed", "rolled_back", "rollback_failed", "unknown", "not_started")


@dataclasses.dataclass(frozen=True)
class PhaseView:
    """A row of the timeline. ``elapsed`` is in seconds."""

    phase: str
    wave: str
    target: str
    state: str
    reason: str
    started_at: str
    elapsed: float | None


@dataclasses.dataclass(frozen=True)
class CheckView:
    """A preflight check; ``ok`` is None if its result is not known."""

    name: str
    ok: bool | None
    text: str


@dataclasses.dataclass(frozen=True)
class TargetView:
    """A target, with all that was found and done.

    :param resumed: run, phase and start of the interrupted run that was continued.
    :param stages: key and title of the columns of ``probes`` that have any probe.
    """

    name: str
    provider: str
    target: str
    wave: str
    verdict: str
    changed: str
    reason: str
    failure: ReportedFailure | None
    resumed: tuple[str, str, str] | None
    steps: tuple[StepView, ...]
    checks: tuple[CheckView, ...]
    probes: tuple[ProbeRow, ...]
    stages: tuple[tuple[str, str], ...]


@dataclasses.dataclass(frozen=True)
class PromotionView:
    """A promotion.

    :param elapsed: in seconds.
    :param counts: number of targets by verdict; empty for a single target, whose verdict is that of the promotion.
    :param summary: name and value of each count in the report.
    """

    verdict: str
    explanation: str
    check_mode: bool
    release: str
    run: str
    digest: str
    started_at: str
    finished_at: str
    elapsed: float | None
    actor: str
    error: str
    override_reason: str
    lifted_hold: str
    warnings: tuple[str, ...]
    counts: tuple[tuple[str, int], ...]
    summary: tuple[tuple[str, str], ...]
    requests: str
    advice: tuple[Advice, ...]
    phases: tuple[PhaseView, ...]
    targets: tuple[TargetView, ...]


def promotion_view(report: t.Mapping[str, object]) -> PromotionView:
    """The view model of a report.

    :param report: as role ``staging_promotion`` writes it; any of its members may be missing.
    """
    fields = Fields(report)
    started_at, finished_at = fields.text("started_at"), fields.text("finished_at")
    elapsed = fields.number("elapsed")
    summary = fields.child("summary")
    return PromotionView(
        verdict=fields.text("verdict"),
        explanation=fields.text("explanation"),
        check_mode=fields.flag("check_mode"),
        release=fields.text("release"),
        run=fields.text("run"),
        digest=fields.text("digest"),
        started_at=started_at,
        finished_at=finished_at,
        elapsed=formats.duration(started_at, finished_at) if elapsed is None else elapsed,
        actor=_actor(fields.child("actor")),
        error=fields.text("error"),
        override_reason=fields.text("override_reason"),
        lifted_hold=fields.text("lifted_hold"),
        warnings=fields.texts("warnings"),
        counts=_counts(summary),
        summary=tuple(summary.entries()),
        requests=summary.text("requests"),
        advice=tuple(advice_of(fields)),
        phases=tuple(map(_phase, fields.children("phases"))),
        targets=tuple(_target(target, fields.flag("check_mode")) for target in fields.children("targets")),
    )


def _actor(actor: Fields) -> str:
    """``user on host, job 17``."""
    where = " on ".join(actor.text(name) for name in ("user", "host") if actor.text(name))
    return where + (f", job {actor.text('job')}" if actor.text("job") else "")


def _counts(summary: Fields) -> tuple[tuple[str, int], ...]:
    if summary.count("targets") < 2:
        return ()
    return tuple((verdict, summary.count(verdict)) for verdict in VERDICTS if summary.count(verdict))


def _phase(phase: Fields) -> PhaseView:
    return PhaseView(
        phase=phase.text("phase"),
        wave=phase.text("wave"),
        target=phase.text("target"),
        state=phase.text("state"),
        reason=phase.text("reason"),
        started_at=phase.text("started_at"),
        elapsed=phase.number("elapsed"),
    )


def _check(check: Fields) -> CheckView:
    return CheckView(check.text("name"), check.known_flag("ok"), check.text("text"))


def _target(target: Fields, check_mode: bool) -> TargetView:
    resumed = target.child("resumed")
    probes = tuple(probe_rows(target))
    return TargetView(
        name=target.text("name"),
        provider=target.text("provider"),
        target=target.text("target"),
        wave=target.text("wave"),
        verdict=target.text("verdict"),
        changed=formats.changed_text(target.flag("changed"), check_mode),
        reason=target.text("reason"),
        failure=ReportedFailure.read(target.child("failure")),
        resumed=(resumed.text("run"), resumed.text("phase"), resumed.text("started_at")) if resumed else None,
        steps=tuple(steps_of(target)),
        checks=tuple(map(_check, target.children("checks"))),
        probes=probes,
        stages=tuple((key, title) for key, title in PROBE_STAGES if any(key in row.probes for row in probes)),
    )
