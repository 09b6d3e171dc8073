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

    :param verdict: ``exact`` or ``differs``.
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


def fidelity(drift: Drift, observed: t.Iterable[RecordChange]) -> Fidelity:
    """Compare the plan with the changes that the server recorded, the SOA included."""
    planned = {(change.name, change.type): change for change in drift.changes}
    differences = []
    seen = set()
    for change in observed:
        plan = planned.get((change.name, change.type))
        seen.add((change.name, change.type))
        if plan is None:
            differences.append(f"{_title(change)}: {_describe(change)}, which was not planned")
        elif plan.effect() != change.effect():
            differences.append(f"{_title(change)}: {_describe(change)}, but planned was: {_describe(plan)}")
    for key, plan in planned.items():
        if key not in seen:
            differences.append(f"{_title(plan)}: planned was: {_describe(plan)}, but the server recorded no change")
    return Fidelity("differs" if differences else "exact", differences)


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
