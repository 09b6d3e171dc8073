# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""One pass over zones: what a sync would do, what it did, or what is left. Each is one or a few tasks of the sync module."""

from __future__ import annotations

import dataclasses
import typing as t

from ...module_utils._operations.result import fit_diffs
from .services import PhaseOutcome, ReconciliationServices
from .settings import Options, ReconciliationSettings
from .state import ModuleAnswer, ReconciliationState, ZonePass, canonical


@dataclasses.dataclass(frozen=True)
class ZoneGroup:
    """Zones that one task of the sync module can work on.

    :param backend: their DNS server, if it is not left to ``module_defaults``.
    :param digests: of their reviewed plans.
    :param reviewed: whether their plans need a review.
    """

    zones: tuple[str, ...]
    backend: Options | None
    digests: tuple[str, ...] = ()
    reviewed: bool = False


@dataclasses.dataclass(frozen=True)
class PassResult:
    """A pass, and what its tasks would have shown."""

    zones: ZonePass
    diff: tuple[t.Mapping[str, object], ...]
    warnings: tuple[str, ...]


def zone_groups(settings: ReconciliationSettings, zones: t.Iterable[str], approval: bool = True) -> list[ZoneGroup]:
    """The zones by their DNS server, those with a digest apart from the others.

    :param approval: whether plans need a review at all.
    """
    groups: list[ZoneGroup] = []
    for zone in zones:
        backend, digest = _own(settings, zone, approval)
        reviewed = approval and (settings.only_approved or digest is not None)
        alike = (number for number, group in enumerate(groups) if (group.backend, bool(group.digests)) == (backend, bool(digest)))
        number = next(alike, len(groups))
        group = groups[number] if number < len(groups) else ZoneGroup((), backend)
        digests = (*group.digests, *([digest] if digest else []))
        groups[number:] = [ZoneGroup((*group.zones, zone), backend, digests, reviewed), *groups[number + 1 :]]
    return groups


def run_pass(
    settings: ReconciliationSettings,
    zones: t.Sequence[str],
    services: ReconciliationServices,
    check_mode: bool,
    approval: bool = True,
) -> PassResult:
    """Have the sync module work on zones. The records are in the order of ``zones``.

    :raises SyncError: a result cannot be read.
    """
    found, answers = _run(settings, zones, services, check_mode, approval)
    # a zone that was given by its id may have settings by its name
    renamed = _renamed(settings, found, approval)
    if renamed:
        records = tuple(record for record in found.records if record["target"] not in renamed)
        again, more = _run(settings, renamed, services, check_mode, approval)
        found, answers = again + dataclasses.replace(found, records=records), [*answers, *more]
    order = {zone: number for number, zone in enumerate(zones)}
    records = tuple(sorted(found.records, key=lambda record: order.get(found.given(record), len(order))))
    diffs = [dict(diff) for answer in answers for diff in answer.get("diff", ())]
    warnings = dict.fromkeys(warning for answer in answers for warning in answer.get("warnings", ()))
    return PassResult(dataclasses.replace(found, records=records), tuple(fit_diffs(diffs)), tuple(warnings))


def _run(
    settings: ReconciliationSettings,
    zones: t.Sequence[str],
    services: ReconciliationServices,
    check_mode: bool,
    approval: bool,
) -> tuple[ZonePass, list[ModuleAnswer]]:
    groups = zone_groups(settings, zones, approval)
    answers = list(services.sync_zones([_options(settings, group) for group in groups], check_mode))
    found = ZonePass()
    for group, answer in zip(groups, answers):
        found += ZonePass.of(answer, group.zones)
    return found, answers


def _renamed(settings: ReconciliationSettings, found: ZonePass, approval: bool) -> list[str]:
    """Names of zones that were worked on without the DNS server or the digest that is set for their name."""
    names = [record["target"] for record in found.records if canonical(found.given(record)) != canonical(record["target"])]
    own = settings.backends if not approval else {**settings.backends, **settings.approve}
    return [name for name in dict.fromkeys(names) if canonical(name) in own]


def _own(settings: ReconciliationSettings, zone: str, approval: bool) -> tuple[Options | None, str | None]:
    """The DNS server of a zone, and the digest of its reviewed plan."""
    name = canonical(zone)
    return settings.backends.get(name, settings.backend), settings.approve.get(name) if approval else None


def _options(settings: ReconciliationSettings, group: ZoneGroup) -> Options:
    """Options of the sync module. What a reconciliation rests on is not left to ``module_defaults``."""
    options: dict[str, object] = {**settings.connection, **settings.syncing, "zones": list(group.zones), "wait": True}
    if group.backend is not None:
        options["backend"] = group.backend
    if settings.guard is not None:
        options["guard"] = settings.guard
    return {**options, "approve": list(group.digests), "only_approved": group.reviewed}


def outcome(state: ReconciliationState, result: PassResult, message: str, proceed: bool, shown: bool) -> PhaseOutcome:
    """The outcome of a phase that consists of one pass.

    :param shown: whether the changes are those of the phase, and not of one that follows or went before.
    """
    changed, diff = (result.zones.changed, result.diff) if shown else (False, ())
    return PhaseOutcome(state, result.zones.error or message, proceed, changed, diff, result.warnings)
