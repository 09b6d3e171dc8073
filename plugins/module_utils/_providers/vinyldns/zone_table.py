# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Many zones at once: pages of the list of zones have 100 of them, with status, last sync and last change.

The list is sorted by name, and may begin after any name. So the pages that are read are those with zones that are wanted, and
there are never more of them than of such zones. In what order the server sorts is not known exactly
(docs/reference/vinyldns.md#4.1): a zone that is not where it was looked for is left to be looked at by itself.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
import typing as t

from ..._core.clock import Clock
from ..._http.client import Channel
from . import api
from .rows import Zone

#: fewer zones than that are looked at one by one
MANY = 8
#: pages after which reading on has to be worth it
TRIAL = 4
#: zones that pages must then have had on average
WORTH = 2
#: seconds for which the row of a zone counts
LISTED_FOR = 60.0


@dataclasses.dataclass(frozen=True)
class SeenZone:
    """A zone as it was when it was seen.

    :param server_now: by the server's clock.
    :param seen_at: by the monotonic clock.
    """

    zone: Zone
    server_now: dt.datetime | None
    seen_at: float

    def server_time(self, clock: Clock) -> dt.datetime | None:
        """The time by the server's clock now."""
        since = dt.timedelta(seconds=clock.monotonic() - self.seen_at)
        return None if self.server_now is None else self.server_now + since


class ZoneTable:
    """What pages of the list have shown. Threads may use it at the same time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._by_name: dict[str, SeenZone] = {}
        self._by_id: dict[str, SeenZone] = {}

    def read(self, names: t.Iterable[str], channel: Channel) -> dict[str, SeenZone]:
        """Look at zones by their names, as far as that is worth it.

        :returns: those that were found, by id.
        :raises SyncError: the server cannot be read.
        """
        wanted = sorted({_key(name) for name in names if not api.is_id(name)})
        found: dict[str, SeenZone] = {}
        cursor, pages = "", 0
        for name in wanted:
            if name <= cursor:
                continue
            if pages >= TRIAL and len(found) < WORTH * pages:
                break
            # without its final dot, it comes before itself
            page = api.zones_after(channel, name[:-1])
            pages += 1
            found.update(self.note(page, set(wanted)))
            if not page.next_start or not page.zones:
                break
            cursor = _key(page.zones[-1].name)
        return found

    def by_name(self, name: str) -> SeenZone | None:
        """The zone of that name, if it was seen not long ago."""
        return self._if_new(self._by_name.get(_key(name)))

    def by_id(self, zone_id: str) -> SeenZone | None:
        """The zone with that id, if it was seen not long ago."""
        return self._if_new(self._by_id.get(zone_id))

    def take(self, zone_id: str) -> SeenZone | None:
        """The zone with that id, if it was seen not long ago; from now on it no longer counts, until it is seen again."""
        with self._lock:
            seen = self._by_id.pop(zone_id, None)
        return self._if_new(seen)

    def note(self, page: api.ZonePage, wanted: t.Collection[str] | None = None) -> dict[str, SeenZone]:
        """Remember the zones of a page that was read just now.

        :param wanted: the names of those that matter; ``None`` if all do.
        :returns: them, by id.
        """
        now = self._clock.monotonic()
        rows = [zone for zone in page.zones if wanted is None or _key(zone.name) in wanted]
        seen = {zone.id: SeenZone(zone, page.server_now, now) for zone in rows}
        with self._lock:
            self._by_id.update(seen)
            self._by_name.update((_key(each.zone.name), each) for each in seen.values())
        return seen

    def _if_new(self, seen: SeenZone | None) -> SeenZone | None:
        return seen if seen is not None and self._clock.monotonic() - seen.seen_at <= LISTED_FOR else None


def _key(name: str) -> str:
    return api.absolute(name.strip()).lower()
