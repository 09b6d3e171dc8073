# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""What the row of a zone in the list says of one of its syncs (docs/reference/vinyldns.md#1.4).

As soon as the server works on a sync, ``updated`` of the zone is what the response to the trigger has. At the end the zone is
``Active`` again, and ``latestSync`` has moved if the sync has succeeded. These dates are whole seconds, so what is not clear
from them is left to be read from the change itself, and so is a failure.
"""

from __future__ import annotations

import dataclasses
import threading
import typing as t

from ..._core.clock import parse_iso
from ..._lifecycle.poll import Reading
from .rows import Zone, ZoneChange


@dataclasses.dataclass(frozen=True)
class ListedRun:
    """A sync, as far as it takes to recognise it in the list.

    :param zone: its name.
    :param updated: ``updated`` of the zone from the start of the sync on.
    :param latest_sync: of the zone, before it.
    """

    change_id: str
    zone: str
    created: str
    updated: str
    latest_sync: str | None

    def read(self, zone: Zone) -> Reading | None:
        """The state of the sync; ``None`` if the row of the zone does not show it for certain."""
        if zone.updated == self.updated:
            if zone.status == "Syncing":
                return Reading("running", "Pending", progress="Pending")
            if zone.status == "Active" and self._moved(zone):
                return Reading("succeeded", "Synced", "", "Synced", zone.synced_at, data=self._change(zone))
            return None
        before = parse_iso(zone.updated) if zone.updated else None
        own = parse_iso(self.updated)
        # not begun: the last change of the zone is an older one
        waits = zone.status == "Active" and own is not None and (before is None or before < own)
        return Reading("pending", "queued") if waits else None

    def _moved(self, zone: Zone) -> bool:
        """Whether the zone was synced after this sync was accepted."""
        latest, accepted = zone.synced_at, parse_iso(self.created)
        return latest is not None and accepted is not None and latest >= accepted and zone.latest_sync != self.latest_sync

    def _change(self, zone: Zone) -> ZoneChange:
        return ZoneChange(
            self.change_id, "Synced", "Sync", self.created, "", zone.status, zone.latest_sync, zone_updated=self.updated
        )


class ListedRuns:
    """The syncs of a task that the list can show. Threads may use it at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[str, ListedRun] = {}

    def add(self, run: ListedRun) -> None:
        with self._lock:
            self._runs[run.change_id] = run

    def of(self, handle: t.Mapping[str, t.Any]) -> ListedRun | None:
        """The sync of a handle, if the list can show it."""
        return self._runs.get(handle["change_id"])
