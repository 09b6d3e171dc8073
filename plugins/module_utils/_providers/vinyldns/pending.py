# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Which pending changes of a zone are being worked on, and which are dead (docs/reference/vinyldns.md#1.5).

A change stays ``Pending`` for ever if the process that worked on it ended and its message in the queue is lost.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ..._core.clock import Clock
from .rows import Zone, ZoneChange

#: seconds; the server delivers the message of a process that ended again after an hour (docs/reference/vinyldns.md#1.5)
STALE_AFTER = 3900.0


@dataclasses.dataclass(frozen=True)
class ChangeList:
    """The changes of a zone at one moment.

    :param zone_status: of the zone itself; ``None`` if it is not known.
    :param changes: newest first.
    :param now: by the server's clock.
    :param stale_after: seconds after which a pending change is taken for dead.
    """

    zone_status: str | None
    changes: t.Sequence[ZoneChange]
    now: dt.datetime
    stale_after: float = STALE_AFTER

    @property
    def running(self) -> ZoneChange | None:
        """The newest transfer in flight."""
        return next((change for change in self.live if change.transfers), None)

    @property
    def updating(self) -> bool:
        """Whether an update of the zone itself is in flight."""
        return any(change.kind == "Update" for change in self.live)

    @property
    def live(self) -> list[ZoneChange]:
        """The pending changes that are being worked on, newest first."""
        return [change for change in self._pending() if not self.is_dead(change)]

    @property
    def dead(self) -> list[ZoneChange]:
        """The pending changes that nothing works on any more, newest first."""
        return [change for change in self._pending() if self.is_dead(change)]

    def newer_than(self, zone: Zone) -> bool:
        """Whether the zone was synced successfully after it was as given."""
        latest = zone.latest_sync or ""
        return any(
            change.transfers and change.status == "Synced" and (change.zone_latest_sync or "") > latest for change in self.changes
        )

    def is_dead(self, change: ZoneChange) -> bool:
        """Whether a pending change is dead: a newer transfer of a zone that is active has ended, or it is too old."""
        return self.is_old(change) or (self.zone_status == "Active" and self.newer_ended(change) is not None)

    def is_old(self, change: ZoneChange) -> bool:
        """Whether a change was accepted more than ``stale_after`` ago."""
        created = change.created_at
        return created is not None and (self.now - created).total_seconds() > self.stale_after

    def newer_ended(self, change: ZoneChange) -> ZoneChange | None:
        """The newest transfer that was accepted after ``change`` and has ended, if there is one."""
        for other in self.changes:
            if other.id == change.id:
                return None
            if other.transfers and other.status != "Pending":
                return other
        return None

    def _pending(self) -> t.Iterator[ZoneChange]:
        return (change for change in self.changes if change.status == "Pending")


class SteadyTime:
    """The server's clock without steps that it makes forwards while a task is at work.

    By such a step, a change accepted a moment ago would seem old. By one backwards it seems younger, which is harmless.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start: dt.datetime | None = None

    def now(self, server_now: dt.datetime | None) -> dt.datetime:
        """The time by which changes are old.

        :param server_now: what the server says; ``None`` if it does not, so that the clock of this machine has to do.
        """
        if server_now is None:
            return self._clock.now()
        elapsed = dt.timedelta(seconds=self._clock.monotonic())
        start = server_now - elapsed
        self._start = start if self._start is None else min(start, self._start)
        return self._start + elapsed
