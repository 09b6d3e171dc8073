# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A model of VinylDNS with one zone, by docs/reference/vinyldns.md#1 and #2.5: queue, changes, delay between syncs, serials."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import isoformat
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.options import Options
from ansible_collections.lockstep.sync.plugins.module_utils._dns.backend import Backend
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Provider, Services, Target
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.evidence import DriftEvaluator
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.provider import VinylDNS

from .system import System, TrueRun
from .wire import Answered, Asked
from .world import World

ZONE, ZONE_ID = "example.com.", "00000000-0000-4000-8000-000000000001"
#: seconds for which an accepted sync may wait in the queue; less than settle_grace, as the provider assumes
LONGEST_QUEUE = 8.0
SERIALS = 2**32


@dataclasses.dataclass
class Change:
    """A change of the zone, which is visible from the moment on at which it leaves the queue."""

    run: TrueRun
    created: dt.datetime
    status: str = "Queued"
    latest_sync: dt.datetime | None = None


class ZoneSystem(System):
    """:param with_serial: whether tasks compare the serials of the zone and its DNS server."""

    provider = VinylDNS

    def __init__(self, world: World, with_serial: bool | None = None, **kwargs: t.Any) -> None:
        super().__init__(world, **kwargs)
        chance = world.chance
        self.with_serial = chance.random() < 0.5 if with_serial is None else with_serial
        self.sync_delay: float = chance.choice((0.0, 10.0, 600.0))
        self.synced_at = world.server_now() - dt.timedelta(days=1)
        self.updated_at = self.synced_at
        self.changes: list[Change] = []
        # near the point where serials wrap around (RFC 1982)
        self.serial: int = chance.choice((1, SERIALS - 1, SERIALS - 2, 2**31 - 1))
        self.stored_serial = (self.serial - 1) % SERIALS
        #: the serial that each controller was last given
        self.answered: dict[int, int] = {}

    def options(self) -> dict[str, t.Any]:
        base: dict[str, t.Any] = {"api_url": "https://vinyldns.trial", "access_key": "a", "secret_key": "canary", "zones": [ZONE]}
        if self.with_serial:
            base["backend"], base["drift"] = {"server": "192.0.2.1"}, "serial"
        return base

    def new_provider(self, options: Options, services: Services) -> Provider:
        provider = VinylDNS(options, services)
        provider.evaluator.__class__ = _TrialEvaluator
        return provider

    def query_serial(self) -> int:
        """What the DNS server answers a controller."""
        controller = self.world.at_work[-1]
        controller.burn()
        self.answered[controller.number] = self.serial
        return self.serial

    def move_serial(self, steps: int) -> None:
        """The zone is changed at its DNS server, or goes back to an older state."""
        self.serial = (self.serial + steps) % SERIALS

    def change(self) -> None:
        self.move_serial(1)

    def make_peace(self) -> None:
        if self.serial != self.stored_serial:
            self.serial = (self.stored_serial + 1) % SERIALS

    # -- the API -----------------------------------------------------------------------------------------------------

    def observe(self, asked: Asked) -> Answered:
        parts = asked.path.strip("/").split("/")
        if parts[-1] == "changes":
            shown = [change for change in reversed(self.changes) if change.status != "Queued"]
            # by its own clock, which may have jumped
            shown.sort(key=lambda change: change.created, reverse=True)
            return Answered(body={"zoneChanges": [self._change(change) for change in shown], "maxItems": 100})
        if parts[-1] == "recordsets":
            soa = {"id": "soa", "name": "@", "type": "SOA", "records": [{"serial": self.stored_serial}], "ttl": 1}
            return Answered(body={"recordSets": [soa], "maxItems": 100})
        if parts[-1] == "recordsetchanges":
            return Answered(body={"recordSetChanges": [], "maxItems": 100})
        if parts[0] == "zones":
            return Answered(body={"zone": {**self._zone(), "accessLevel": "Delete"}})
        return Answered(body={"processingDisabled": False})

    def trigger(self, asked: Asked | None) -> Answered:
        age = (self.world.server_now() - self.synced_at).total_seconds()
        if age < self.sync_delay:
            return Answered(403, f"Zone {ZONE} was recently synced. Cannot complete sync")
        if asked is not None and self.with_serial:
            self._check_serial(asked)
        change = Change(self.start(asked), self.world.server_now())
        self.changes.append(change)
        self.world.at(self.world.chance.uniform(0, LONGEST_QUEUE), lambda: self._work(change))
        return Answered(202, {**self._change(change), "status": "Pending"})

    def _check_serial(self, asked: Asked) -> None:
        known = self.answered.get(asked.controller.number)
        if known is None or (self.stored_serial - known) % SERIALS in range(1, SERIALS // 2):
            self.world.violated(f"unsafe sync: serial {known} is older than {self.stored_serial} in VinylDNS")

    def _zone(self, change: Change | None = None) -> dict[str, t.Any]:
        busy = any(each.status == "Pending" for each in self.changes)
        return {
            "id": ZONE_ID,
            "name": ZONE,
            "status": "Syncing" if busy else "Active",
            "latestSync": isoformat((change and change.latest_sync) or self.synced_at),
            "updated": isoformat(change.created if change else self.updated_at),
            "adminGroupId": "g",
        }

    def _change(self, change: Change) -> dict[str, t.Any]:
        return {
            "id": f"c{change.run.id}",
            "status": change.status,
            "changeType": "Sync",
            "created": isoformat(change.created),
            "zone": {**self._zone(change), "status": "Active" if change.status in ("Synced", "Failed") else "Syncing"},
        }

    # -- what happens ------------------------------------------------------------------------------------------------

    def _work(self, change: Change) -> None:
        change.status = "Pending"
        self.updated_at = change.created
        self.world.at(self.duration(), lambda: self._end(change))

    def _work_again(self, change: Change) -> None:
        change.run.state = "running"
        self._end(change)

    def _end(self, change: Change) -> None:
        if change.status != "Pending":
            return
        ending = self.ending()
        if ending == "succeeded":
            self.synced_at = change.latest_sync = self.world.server_now()
            self.stored_serial = self.serial
        change.status = "Synced" if ending == "succeeded" else "Failed"
        self.end(change.run, ending)

    def restart(self) -> None:
        """What is at work stays Pending; its message is delivered again after an hour, or never. The queue itself is kept."""
        self.world.forget_events()
        for change in self.changes:
            if change.status == "Queued":
                self.world.at(1.0, lambda change=change: self._work(change))  # type: ignore[misc]
            elif change.status == "Pending":
                self.end(change.run, "lost")
                if self.world.chance.random() < 0.5:
                    self.world.at(3600.0, lambda change=change: self._work_again(change))  # type: ignore[misc]

    # -- the truth ---------------------------------------------------------------------------------------------------

    def shows(self, run: TrueRun) -> bool:
        return any(change.run is run and change.status != "Queued" for change in self.changes)

    def named(self, handle: t.Mapping[str, t.Any]) -> list[TrueRun]:
        return [run for run in self.runs if handle.get("change_id") == f"c{run.id}"]


class _TrialEvaluator(DriftEvaluator):
    """Asks the DNS server of the trial."""

    def _serial(self, target: Target, channel: Channel, backend: Backend) -> int:
        world = World.current
        assert world is not None
        assert isinstance(world.system, ZoneSystem)
        if world.system.is_offline:
            raise SyncError("connection_failed", "the DNS server does not answer")
        return world.system.query_serial()
