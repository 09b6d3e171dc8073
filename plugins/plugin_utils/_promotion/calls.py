# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The calls of modules that several phases make."""

from __future__ import annotations

import dataclasses
import typing as t

from ...module_utils._core.errors import SyncError
from ...module_utils._operations.descriptor import ModuleCall, ProviderWorkflow
from ...module_utils._providers.registry import WORKFLOWS
from .module_result import BackupId, ModuleResult, ProbeResult
from .phase import PhaseContext
from .settings import PREFIX, ModuleOptions, PromotionTarget
from .state import RunState, TargetState


def workflow_of(target: PromotionTarget | TargetState) -> ProviderWorkflow:
    return WORKFLOWS[target.provider]


def release_for(state: RunState, target: TargetState) -> str:
    """The release to promote. A run without one is a release of its own, also for the runs that resume it."""
    return state.release or run_of(state, target)


def run_of(state: RunState, target: TargetState) -> str:
    """The run that began the promotion of a target."""
    return target.resumed.run if target.resumed else state.run


def call_sync(context: PhaseContext, state: RunState, target: TargetState, check_mode: bool = False) -> ModuleResult:
    wanted = context.settings.targets[target.index]
    arguments = {**wanted.options, "release": release_for(state, target), **_common(context)}
    if target.superseded:
        # what is in flight is another release
        arguments.setdefault("if_running", "queue")
    return context.services.call(workflow_of(wanted).sync.module, arguments, check_mode or state.check_mode)


def call_backup(
    context: PhaseContext, state: RunState, target: TargetState, step: ModuleCall, check_mode: bool = False
) -> ModuleResult:
    wanted = context.settings.targets[target.index]
    arguments = {**step.takes(wanted.options), **wanted.backup, "release": run_of(state, target), **_common(context)}
    return context.services.call(step.module, arguments, check_mode or state.check_mode)


def call_restore(
    context: PhaseContext, state: RunState, target: TargetState, step: ModuleCall, backup: BackupId | None
) -> ModuleResult:
    wanted = context.settings.targets[target.index]
    arguments = {**step.takes(wanted.options), "backups": [str(backup)], "release": run_of(state, target), **_common(context)}
    # a sync that is still in flight would overwrite what is restored
    arguments["if_running"] = "queue"
    return context.services.call(step.module, arguments, state.check_mode)


def _common(context: PhaseContext) -> ModuleOptions:
    ledger: ModuleOptions = {"ledger_path": context.settings.ledger} if context.settings.ledger else {}
    return {"wait": True, "on_timeout": "fail", **ledger}


@dataclasses.dataclass(frozen=True)
class TargetProbe:
    """A probe of a target.

    :param variable: where its options come from, for messages.
    """

    owner: int
    variable: str
    options: ModuleOptions


@dataclasses.dataclass(frozen=True)
class ProbeSchedule:
    """When probes count as green, in seconds; see ``http_probe``."""

    timeout: float
    successes: int = 1
    interval: float = 1.0
    soak: float = 0.0

    def as_options(self) -> ModuleOptions:
        return dict(dataclasses.asdict(self))


def probes_of(target: PromotionTarget, kind: t.Literal["verify", "verify_staging"]) -> list[TargetProbe]:
    where = f"{PREFIX}targets[{target.index}].{kind}"
    found = target.verify if kind == "verify" else target.verify_staging
    return [TargetProbe(target.index, f"{where}[{number}]", options) for number, options in enumerate(found)]


def run_probes(
    context: PhaseContext, state: RunState, wanted: t.Sequence[TargetProbe], schedule: ProbeSchedule
) -> tuple[tuple[ProbeResult, ...], float]:
    """Request web sites.

    :returns: a result for each, and seconds.
    :raises SyncError: ``invalid_option``, naming the variable of the role.
    """
    if not wanted:
        return (), 0.0
    probes = [{**probe.options, "name": f"{number:04d}"} for number, probe in enumerate(wanted)]
    options: ModuleOptions = {"probes": probes, "fail": False, **schedule.as_options()}
    result = context.services.call("http_probe", options, state.check_mode)
    if result.probes is None or len(result.probes) != len(wanted):
        raise _invalid_probe(result, wanted)
    found = tuple(
        dataclasses.replace(found, name=str(probe.options.get("name") or found.url))
        for found, probe in zip(result.probes, wanted)
    )
    return found, result.elapsed


def _invalid_probe(result: ModuleResult, wanted: t.Sequence[TargetProbe]) -> SyncError:
    message = result.task_failure.message if result.task_failure else result.message
    for number, probe in enumerate(wanted):
        message = message.replace(f"probes[{number}]", probe.variable).replace(f"'{number:04d}'", probe.variable)
    return SyncError("invalid_option", message, result.task_failure.hint if result.task_failure else "")
