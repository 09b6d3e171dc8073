# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Whether a sync did what was planned."""

from __future__ import annotations

import typing as t

from .._core.vocabulary import FidelityVerdict, Json, RecordAction
from . import records
from .drift import CREATE, DELETE, UPDATE, Drift, RecordChange, name_and_type, sort_changes, zone_names

_ACTIONS: dict[str, RecordAction] = {"Create": CREATE, "Update": UPDATE, "Delete": DELETE}


class Fidelity(t.NamedTuple):
    """How the changes that the server made compare with the plan.

    :param verdict: ``exact``, ``differs``, ``other_sync`` if another sync made what this one did not, or ``incomplete`` if not
        all changes could be seen.
    :param differences: one sentence for each record set that differs.
    """

    verdict: FidelityVerdict
    differences: list[str]


def observed_changes(zone: str, items: t.Iterable[Json]) -> tuple[RecordChange, ...]:
    """The changes that the server recorded, in the form of a plan.

    :param zone: name of the zone as the API gives it.
    :param items: those of ``GET /zones/{id}/recordsetchanges`` that belong to one sync (docs/reference/vinyldns.md#1.6 and #2.2);
        repeated ones count once.
    :raises SyncError: ``bad_response`` if an item has no record set.
    """
    names = zone_names(zone)
    found: dict[t.Any, RecordChange] = {}
    for item in items:
        action = _ACTIONS.get(item.get("changeType", ""))
        if action is not None:
            change = _observed(names, action, item)
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


def _observed(names: records.ZoneNames, action: RecordAction, item: Json) -> RecordChange:
    record_set = item.get("recordSet")
    name, rtype = name_and_type(record_set)
    previous = item.get("updates") or (record_set if action == DELETE else None)
    stored = records.pack_stored(previous) if previous and action != CREATE else None
    wanted = records.pack_stored(t.cast(Json, record_set)) if action != DELETE else None
    return RecordChange(names.of_stored(name), rtype, action, stored, wanted, (previous or {}).get("ownerGroupId"))


def _title(change: RecordChange) -> str:
    return f"{change.name}/{change.type}"


def _describe(change: RecordChange) -> str:
    sides = [_compact(side) for side in (change.before, change.after) if side is not None]
    return f"{change.action} {' -> '.join(sides)}"


def _compact(side: t.Mapping[str, t.Any]) -> str:
    return f"{side['ttl']} " + ", ".join(side["records"])
