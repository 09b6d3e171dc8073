# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The steps that a promotion took for a target."""

from __future__ import annotations

import dataclasses
import typing as t

from . import formats
from .fields import Fields, ReportedFailure


@dataclasses.dataclass(frozen=True)
class StepView:
    """A step.

    :param elapsed: in seconds; None where the step took no time.
    :param handle: of the run, as JSON.
    """

    name: str
    state: str
    reason: str
    elapsed: float | None
    facts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    failure: ReportedFailure | None = None
    handle: str = ""


def steps_of(target: Fields) -> t.Iterator[StepView]:
    """The steps in the order in which they are taken."""
    plan, sync = target.child("plan"), target.child("sync")
    # the reason of a sync is that of its plan, which then need not be shown twice
    if plan and not (sync and sync.text("reason") == plan.text("reason")):
        yield _step("Plan", plan, plan.text("action"), failure=ReportedFailure.read(plan.child("failure")))
    makers = (("backup", _backup), ("sync", _sync), ("verify", _verify), ("rollback", _rollback))
    for name, make in makers:
        part = target.child(name)
        if part:
            yield make(part)


def _step(
    name: str,
    part: Fields,
    state: str,
    facts: t.Iterable[str] = (),
    notes: t.Iterable[str] = (),
    failure: ReportedFailure | None = None,
    handle: str = "",
) -> StepView:
    elapsed = part.number("elapsed") or None
    return StepView(name, state, part.text("reason"), elapsed, tuple(filter(None, facts)), tuple(notes), failure, handle)


def _backup(backup: Fields) -> StepView:
    named = [f"{name} {backup.text(name)}" for name in ("id", "name", "status") if backup.text(name)]
    return _step("Backup", backup, backup.text("state"), facts=[*named, formats.size(backup.get("size"))])


def _sync(sync: Fields) -> StepView:
    facts = [
        formats.humanize(sync.text("action")),
        f"{'changed' if sync.flag('changed') else 'not changed'} ({sync.text('changed_basis')})",
        formats.plural(sync.get("polls"), "poll"),
        formats.plural(sync.get("requests"), "request"),
        "timed out" if sync.flag("timed_out") else "",
    ]
    state = sync.text("action") if sync.text("state") == "not_started" else sync.text("state")
    return _step("Sync", sync, state, facts, failure=ReportedFailure.read(sync.child("failure")), handle=sync.json("handle"))


def _verify(verify: Fields) -> StepView:
    probes = verify.children("probes")
    passed = sum(probe.flag("ok") for probe in probes)
    facts = [f"{passed} of {formats.plural(len(probes), 'probe')} ok"] if probes else []
    return _step("Verify", verify, "passed" if verify.flag("ok") else "failed", facts, _verify_notes(verify))


def _rollback(rollback: Fields) -> StepView:
    after = rollback.child("verify")
    notes = []
    if after:
        reason = f": {after.text('reason')}" if after.text("reason") else ""
        notes = [f"Verification after it {'passed' if after.flag('ok') else 'failed'}{reason}", *_verify_notes(after)]
    backup = rollback.text("backup")
    facts = [f"backup {backup}"] if backup and backup not in rollback.text("reason") else []
    return _step("Rollback", rollback, rollback.text("state"), facts, notes)


def _verify_notes(verify: Fields) -> list[str]:
    labels = {"regressions": "Worse than before", "already_failing": "Was failing before"}
    return [f"{label}: {', '.join(verify.texts(name))}" for name, label in labels.items() if verify.texts(name)]
