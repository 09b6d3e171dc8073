# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Whether a sync did what was planned."""

from __future__ import annotations

import typing as t

from .._core.vocabulary import FidelityVerdict
from .drift import Drift, RecordChange, RecordEffect, sort_changes, zone_names


class Fidelity(t.NamedTuple):
    """How the changes that the server made compare with the plan.

    :param verdict: ``exact``, ``differs``, ``other_sync`` if another sync made what this one did not, or ``incomplete`` if not
        all changes could be seen.
    :param differences: one sentence for each record set that differs.
    """

    verdict: FidelityVerdict
    differences: list[str]


def observed_changes(zone: str, recorded: t.Iterable[RecordChange]) -> tuple[RecordChange, ...]:
    """The changes that the server recorded, in the form of a plan.

    :param zone: name of the zone as the API gives it.
    :param recorded: those of one sync, under the names that the server has; repeated ones count once.
    """
    names = zone_names(zone)
    found: dict[tuple[str, str, RecordEffect], RecordChange] = {}
    for one in recorded:
        change = one._replace(name=names.of_stored(one.name))
        found.setdefault((change.name, change.type, change.effect()), change)
    return sort_changes(names.apex, found.values())


def unseen(drift: Drift, observed: t.Iterable[RecordChange]) -> t.Iterator[RecordChange]:
    """The planned changes of record sets of which no change was observed."""
    seen = {(change.name, change.type) for change in observed}
    return (change for change in drift.changes if (change.name, change.type) not in seen)


def fidelity(
    drift: Drift, observed: t.Sequence[RecordChange], complete: bool = True, elsewhere: t.Iterable[RecordChange] = ()
) -> Fidelity:
    """Compare the plan with the changes that the server recorded, the SOA included.

    :param complete: whether ``observed`` is all that there is. If not, nothing follows from what is not in it.
    :param elsewhere: what other syncs did since the plan was made.
    """
    differences = list(_deviations(drift, observed))
    missing = list(unseen(drift, observed)) if complete else []
    done = {(change.name, change.type, change.effect()) for change in elsewhere}
    lost = [plan for plan in missing if (plan.name, plan.type, plan.effect()) not in done]
    for plan in lost:
        differences.append(f"{_title(plan)}: planned was: {_describe(plan)}, but the server recorded no change")
    if differences:
        return Fidelity("differs", differences)
    if not complete:
        return Fidelity("incomplete", [])
    return Fidelity("other_sync" if missing else "exact", [])


def _deviations(drift: Drift, observed: t.Iterable[RecordChange]) -> t.Iterator[str]:
    """What was done, and not planned so."""
    planned = {(change.name, change.type): change for change in drift.changes}
    for change in observed:
        plan = planned.get((change.name, change.type))
        if plan is None:
            yield f"{_title(change)}: {_describe(change)}, which was not planned"
        elif plan.effect() != change.effect():
            yield f"{_title(change)}: {_describe(change)}, but planned was: {_describe(plan)}"


def _title(change: RecordChange) -> str:
    return f"{change.name}/{change.type}"


def _describe(change: RecordChange) -> str:
    sides = [_compact(side) for side in (change.before, change.after) if side is not None]
    return f"{change.action} {' -> '.join(sides)}"


def _compact(side: t.Mapping[str, t.Any]) -> str:
    return f"{side['ttl']} " + ", ".join(side["records"])
