# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The report of a promotion as an HTML page. Pure functions on the report."""

from __future__ import annotations

import dataclasses
import typing as t

from . import formats, page, rendering
from .fields import ReportedFailure
from .links import FileLinks
from .promotion_steps import StepView
from .promotion_view import PhaseView, PromotionView, TargetView, promotion_view

#: the smallest share of the time scale, in per cent, that is still visible
LEAST_BAR = 0.7

_TEMPLATE = rendering.page_template("promotion.html.j2")


@dataclasses.dataclass(frozen=True)
class PhaseBar:
    """A phase with its bar: ``left`` and ``width`` are in per cent of the time scale. ``width`` is 0 where there is no bar."""

    phase: PhaseView
    left: float
    width: float


@dataclasses.dataclass(frozen=True)
class TargetSection:
    """The section of a target.

    :param reason: of the target, unless the section shows it elsewhere.
    :param checks_failed: number of checks that failed.
    """

    target: TargetView
    reason: str
    steps: tuple[StepView, ...]
    checks_failed: int


@dataclasses.dataclass(frozen=True)
class PromotionPage:
    """What the template shows.

    :param counts: verdict, number of targets and tone.
    :param notes: label, text and tone of each warning.
    :param scale: the length of the timeline in seconds.
    """

    promotion: PromotionView
    counts: tuple[tuple[str, int, str], ...]
    notes: tuple[tuple[str, str, str], ...]
    phases: tuple[PhaseBar, ...]
    scale: float
    targets: tuple[TargetSection, ...]


def promotion_page(report: t.Mapping[str, object], path: str = "") -> str:
    """The report of a promotion as one HTML page that needs nothing else.

    :param report: as role ``staging_promotion`` writes it.
    :param path: of its JSON, next to which this is going to be; empty if it is not.
    """
    view = promotion_view(report)
    facts = (
        ("Release", view.release),
        ("Started", formats.date_time(view.started_at)),
        ("Finished", formats.date_time(view.finished_at)),
        ("Took", formats.seconds(view.elapsed)),
        ("Run by", view.actor),
        ("Requests sent", view.requests),
        ("Run", view.run),
        ("Digest of the plan", view.digest),
    )
    frame = page.PageFrame(
        kind="Promotion of staging to production",
        title=f"Promotion {formats.humanize(view.verdict)}: {view.release or view.run}",
        verdict=view.verdict,
        tone=formats.tone(view.verdict),
        message=view.explanation,
        check_mode=view.check_mode,
        files=FileLinks.of(path),
        facts=facts,
    )
    phases, scale = timeline(view.phases)
    shown = PromotionPage(
        promotion=view,
        counts=tuple((verdict, number, formats.tone(verdict)) for verdict, number in view.counts),
        notes=tuple(_notes(view)),
        phases=tuple(phases),
        scale=scale,
        targets=tuple(map(_section, view.targets)),
    )
    return page.render(_TEMPLATE, frame, shown)


def timeline(phases: t.Sequence[PhaseView]) -> tuple[list[PhaseBar], float]:
    """The phases with their bars, and the length of the time scale in seconds.

    A phase has no bar where its times are not known, and where it was skipped.
    """
    spans = [_span(phase) for phase in phases]
    known = [span for span in spans if span]
    origin = min((start for start, _length in known), default=0.0)
    scale = max((start + length - origin for start, length in known), default=0.0)
    bars = []
    for phase, span in zip(phases, spans):
        left = width = 0.0
        if span and scale and phase.state != "skipped":
            start, length = span
            width = max(LEAST_BAR, 100 * length / scale)
            left = min(100 * (start - origin) / scale, 100 - width)
        bars.append(PhaseBar(phase, round(left, 2), round(width, 2)))
    return bars, scale


def _span(phase: PhaseView) -> tuple[float, float] | None:
    """Start in seconds since the epoch, and length in seconds."""
    start = formats.moment(phase.started_at)
    if start is None or phase.elapsed is None or not 0 <= phase.elapsed < 1e9:
        return None
    return start.timestamp(), float(phase.elapsed)


def _notes(view: PromotionView) -> t.Iterator[tuple[str, str, str]]:
    if view.override_reason:
        yield "Override", view.override_reason, "warn"
    if view.lifted_hold:
        yield "Hold lifted", view.lifted_hold, "warn"
    if view.error and view.error not in view.explanation:
        yield "Error", view.error, "bad"
    for text in view.warnings:
        yield "Warning", text, "warn"


def _section(target: TargetView) -> TargetSection:
    shown = [target.failure.message if target.failure else "", *(step.reason for step in target.steps)]
    return TargetSection(
        target=target,
        reason="" if target.reason in shown else target.reason,
        steps=tuple(_without_repeated_failure(step, target.failure) for step in target.steps),
        checks_failed=sum(check.ok is False for check in target.checks),
    )


def _without_repeated_failure(step: StepView, failure: ReportedFailure | None) -> StepView:
    """The failure of the target stands above its steps already."""
    repeated = step.failure and failure and step.failure.message == failure.message
    return dataclasses.replace(step, failure=None) if repeated else step
