# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The effect of one sync: the record set changes that the server recorded for it (docs/reference/vinyldns.md#1.6 and #2.2).

The server's pages of changes overlap: they repeat some rows and omit others, while the number of rows is exact. So rows are
compared with unique ids, the list is read again in other page sizes, and changes that were planned and not seen are looked up one
by one. Where that is not enough, the effect is called incomplete.
"""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ..._core.errors import SyncError
from ..._core.vocabulary import Basis
from ..._dns.drift import Drift, RecordChange
from ..._dns.fidelity import fidelity, observed_changes, unseen
from ..._http.client import Channel
from ..._lifecycle.provider import Effect, Target
from . import api
from .at_once import at_once
from .evidence import counts_of
from .record_sets import has_record_set
from .rows import RecordSetChange, ZoneChange
from .snapshots import newer_changes

#: sizes of pages, one listing after the other: what one size omits, another may show
PAGE_SIZES = (100, 99, 50)
#: pages, or single changes, that are read at once at most
WIDTH = 4
#: planned changes that are looked up one by one at most
MAX_LOOKUPS = 200

_LOST = "created under another case of its name and lost thereby, as VinylDNS does; run the task again to have it created"


@dataclasses.dataclass
class SyncRows:
    """The rows of one sync, as far as they were seen.

    :param by_id: each row once.
    :param total: rows of the longest listing, repeated ones included: as many as there are, if it was read to its end.
    :param kinds: how many of these rows had which ``changeType``.
    :param cut: whether the deadline came before the end of a listing.
    """

    by_id: dict[str, RecordSetChange] = dataclasses.field(default_factory=dict)
    total: int = 0
    kinds: t.Counter[str | None] = dataclasses.field(default_factory=collections.Counter)
    cut: bool = False

    @property
    def complete(self) -> bool:
        """Whether every row was seen."""
        return not self.cut and len(self.by_id) >= self.total

    def add_listing(self, rows: t.Sequence[RecordSetChange], cut: bool) -> None:
        """Add what one pass through the list showed."""
        self.by_id.update((row.id, row) for row in rows)
        self.cut = cut
        if len(rows) > self.total:
            self.total, self.kinds = len(rows), collections.Counter(row.kind for row in rows)

    def changes(self, zone: str) -> tuple[RecordChange, ...]:
        """The rows in the form of a plan."""
        return observed_changes(zone, (row.change for row in self.by_id.values() if row.change is not None))


class EffectReader:
    """Reads the rows of one sync.

    :param change: the zone change of the sync.
    :param width: requests at a time.
    """

    def __init__(self, channel: Channel, zone_id: str, change: ZoneChange, width: int = 1) -> None:
        self._channel = channel
        self._zone_id = zone_id
        self._since = change.created
        self._zone_updated = change.zone_updated
        self._width = max(1, min(width, WIDTH))

    def read(self, drift: Drift | None) -> SyncRows:
        """All rows of the sync, within the deadline.

        :param drift: the plan, whose changes are worth to be looked up one by one.
        :raises SyncError: the rows cannot be listed. Once they were, trouble leaves them incomplete.
        """
        found = SyncRows()
        for size in PAGE_SIZES:
            if found.total and not self._channel.deadline.remaining():
                found.cut = True
                break
            try:
                rows, cut = self._list(size)
            except SyncError:
                if not found.total:
                    raise
                # what an earlier listing showed is true all the same
                found.cut = not self._channel.deadline.remaining()
                break
            found.add_listing(rows, cut)
            if found.complete or cut:
                break
            missing = list(unseen(drift, found.changes(drift.zone))) if drift else []
            cheaper = len(missing) * size <= found.total or size == PAGE_SIZES[-1]
            if drift and cheaper and len(missing) <= MAX_LOOKUPS and self._look_up(drift.zone, missing, found):
                break
        return found

    def _list(self, size: int) -> tuple[list[RecordSetChange], bool]:
        """The rows of the sync in one listing, and whether the deadline cut it short."""
        rows: list[RecordSetChange] = []
        offset, width = 0, 1
        while not offset or self._channel.deadline.remaining():
            try:
                pages = self._pages([offset + number * size for number in range(width)], size)
            except SyncError:
                if offset and not self._channel.deadline.remaining():
                    break
                raise
            for page in pages:
                rows += filter(self._is_ours, page.rows)
                # rows are listed newest first, so one that is older than the sync ends the search
                if page.is_last or (page.rows and page.rows[-1].created < self._since):
                    return rows, False
            offset += width * size
            width = min(self._width, 2 * width)
        return rows, True

    def _pages(self, offsets: t.Sequence[int], size: int) -> list[api.ChangePage]:
        return at_once(lambda offset: api.record_set_changes(self._channel, self._zone_id, offset, size), offsets)

    def _look_up(self, zone: str, missing: t.Sequence[RecordChange], found: SyncRows) -> bool:
        """Look for the rows of single changes; returns whether that completed the rows."""
        for start in range(0, len(missing), self._width):
            if not self._channel.deadline.remaining():
                break
            try:
                for rows in at_once(lambda change: self._history(zone, change), missing[start : start + self._width]):
                    found.by_id.update((row.id, row) for row in rows if self._is_ours(row))
            except SyncError:
                # servers before 0.20 have no history of single names; after other trouble, what was listed is true all the same
                break
        return found.complete

    def _history(self, zone: str, change: RecordChange) -> list[RecordSetChange]:
        fqdn = zone if change.name == zone else f"{change.name}.{zone}"
        return api.record_set_history(self._channel, self._zone_id, fqdn, change.type)

    def _is_ours(self, row: RecordSetChange) -> bool:
        return row.by_sync and row.zone_updated == self._zone_updated


@dataclasses.dataclass(frozen=True)
class OtherSync:
    """Another sync of the same zone that ended after the plan was made."""

    change: ZoneChange
    rows: SyncRows

    @property
    def title(self) -> str:
        return f"{self.change.id} of {self.change.created}"


def other_syncs(channel: Channel, zone_id: str, own_id: str, snapshot: t.Mapping[str, t.Any], width: int) -> list[OtherSync]:
    """The other syncs of a zone that have succeeded since ``snapshot``, with their rows."""
    return [
        OtherSync(change, EffectReader(channel, zone_id, change, width).read(None))
        for change in newer_changes(api.list_changes(channel, zone_id), snapshot)
        if change.id != own_id and change.transfers and change.status == "Synced"
    ]


def lost_renames(channel: Channel, target: Target, drift: Drift) -> list[RecordChange]:
    """The record sets that changed the case of their name, and that VinylDNS lost thereby (docs/reference/vinyldns.md#2.5)."""
    renames = drift.renames()[:MAX_LOOKUPS]
    return [change for change in renames if not has_record_set(channel, target.id, change.name, change.type)]


def effect_of(
    target: Target,
    drift: Drift | None,
    rows: SyncRows,
    others: t.Sequence[OtherSync] = (),
    lost: t.Sequence[RecordChange] = (),
) -> Effect:
    """The effect of a sync that succeeded.

    :param drift: the plan, if there is one.
    :param others: the other syncs since the plan was made, if this one did not do everything.
    :param lost: record sets that were planned to be created, and that VinylDNS does not have.
    """
    observed = rows.changes(target.name)
    counts = counts_of(observed) if rows.complete else _counts_by_rows(rows)
    effect = {**counts, "complete": rows.complete}
    detail: dict[str, t.Any] = {"effect": effect}
    warnings = [] if rows.complete else [_incomplete(target, rows)]
    reason = f"synced: {counts['creates']} created, {counts['updates']} updated, {counts['deletes']} deleted"
    if drift is not None:
        elsewhere = [change for other in others for change in other.rows.changes(target.name)]
        complete = rows.complete and all(other.rows.complete for other in others)
        verdict, differences = fidelity(drift, observed, complete, elsewhere)
        differences += [f"{change.name}/{change.type}: {_LOST}" for change in lost]
        detail["fidelity"] = "differs" if lost else verdict
        since = ""
        if others:
            detail["other_syncs"] = [{"change_id": other.change.id, "created": other.change.created} for other in others]
            since = f"another sync of the zone ended since it was planned ({', '.join(other.title for other in others)})"
        if verdict == "other_sync":
            reason += f"; what else was planned had been done by then: {since}"
        if differences:
            detail["differences"] = differences
            more = f", and {len(differences) - 1} more" if len(differences) > 1 else ""
            text = f"{target.name}: the sync did not do exactly what was planned: {differences[0]}{more}"
            warnings.append(f"{text}; {since}" if since else text)
    kept = {key: detail[key] for key in (("fidelity",) if drift is not None else ("effect",))}
    changed = any(counts.values())
    basis: Basis = "observed" if changed or rows.complete else "assumed"
    return Effect(changed or not rows.complete, basis, reason, detail, kept, warnings=tuple(warnings))


def _counts_by_rows(rows: SyncRows) -> dict[str, int]:
    # the number of rows is exact where rows themselves are repeated and omitted
    return {"creates": rows.kinds["Create"], "updates": rows.kinds["Update"], "deletes": rows.kinds["Delete"]}


def _incomplete(target: Target, rows: SyncRows) -> str:
    if rows.cut:
        why = "wait_timeout ended while the server's list of its changes was read"
    else:
        why = f"the server's list of its changes showed only {len(rows.by_id)} of {rows.total}, in every way that was tried"
    return f"{target.name}: the sync succeeded, but its effect is known in part only: {why}"
