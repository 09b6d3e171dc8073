# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue behind the API, and what its workers do.

An accepted request only puts a message on the queue.  Workers look at the queue every so often, take up to ten messages
and work them off one after the other; four such batches run at the same time.  What a client can see meanwhile is the
point of this emulator, so the order of writes follows the original:

===================== ================================ ==========================
moment                zone                             zone change
===================== ================================ ==========================
accepted              as before                        absent
work begins           Syncing, ``updated`` = accepted  then Pending
record sets written   Syncing                          Pending
success               Active, new ``latest_sync``      then Synced
failure               Active, old ``latest_sync``      then Failed
===================== ================================ ==========================

Nothing keeps two syncs of a zone from running at once.  The zone is saved as it was when the request was accepted, so a
change of the zone in between is lost, as in the original.
"""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from ..framework import in_daemon_thread
from .backend import Backends, load_zone
from .diff import change_for, differences
from .knobs import VinylKnobs
from .model import (
    ACTIVE,
    AUTOMATED_SYNC,
    COMPLETE,
    CREATE,
    DELETE,
    DELETED,
    FAILED,
    SYNC,
    SYNCED,
    Json,
    RecordSetChange,
    Zone,
    ZoneChange,
    now_ms,
)
from .record_writer import RecordWriter
from .store import Store

SYNC_TYPES = (CREATE, SYNC, AUTOMATED_SYNC)

Message = ZoneChange | RecordSetChange
Spawn = Callable[[Coroutine[Any, Any, Any]], object]


class SyncFailure(Exception):
    """Made to fail by a knob."""


@dataclass(frozen=True)
class Accepted:
    """One accepted sync, for tests."""

    change_id: str
    zone_id: str
    zone: str
    user_id: str
    change_type: str
    accepted_ms: int

    def to_json(self) -> Json:
        return dict(vars(self))


class Engine:
    """Queue and workers."""

    def __init__(self, store: Store, backends: Backends, knobs: VinylKnobs, spawn: Spawn) -> None:
        self._store = store
        self._backends = backends
        self._knobs = knobs
        self._spawn = spawn
        self._writer = RecordWriter(backends, store)
        self._queue: deque[tuple[float, Message]] = deque()
        self.running = 0  # batches
        self.accepted: list[Accepted] = []
        self.syncs_run = 0  # since the process started, well or badly

    def enqueue(self, message: Message) -> None:
        visible = asyncio.get_running_loop().time() + self._knobs.queue_latency
        self._queue.append((visible, message))
        if isinstance(message, ZoneChange) and message.change_type in SYNC_TYPES:
            zone = message.zone
            self.accepted.append(Accepted(message.id, zone.id, zone.name, message.user_id, message.change_type, message.created))

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def clear(self) -> None:
        """Forget everything; tasks must already have been cancelled."""
        self._queue.clear()
        self.accepted.clear()
        self.running = self.syncs_run = 0

    async def run(self) -> None:
        """Look at the queue until cancelled."""
        while True:
            await asyncio.sleep(self._knobs.poll_interval)
            if self._knobs.processing_disabled or self.running >= self._knobs.workers:
                continue
            batch = self._take()
            if batch:
                self.running += 1
                self._spawn(self._work_off(batch))

    def _take(self) -> list[Message]:
        now = asyncio.get_running_loop().time()
        batch: list[Message] = []
        while self._queue and self._queue[0][0] <= now and len(batch) < self._knobs.batch_size:
            batch.append(self._queue.popleft()[1])
        return batch

    async def _work_off(self, batch: list[Message]) -> None:
        try:
            for message in batch:
                try:
                    await self._process(message)
                except Exception:  # noqa: BLE001 (one message must not take the others with it)
                    traceback.print_exc(file=sys.stderr)
        finally:
            self.running -= 1

    async def _process(self, message: Message) -> None:
        if isinstance(message, RecordSetChange):
            await self._change_record_set(message)
        elif message.change_type in SYNC_TYPES:
            await self._sync(message)
        else:
            await self._change_zone(message)

    # -- zones -------------------------------------------------------------------------------------------------------

    async def _change_zone(self, change: ZoneChange) -> None:
        generation = self._store.generation
        zone = replace(change.zone, status=DELETED if change.change_type == DELETE else ACTIVE)
        if change.change_type == DELETE:
            await in_daemon_thread(self._store.delete_record_sets, zone.id)
        await self._save(zone, replace(change, zone=zone, status=SYNCED), generation)

    async def _save(self, zone: Zone, change: ZoneChange, generation: int) -> None:
        await in_daemon_thread(self._store.save_zone, zone, generation)
        await asyncio.sleep(self._knobs.write_gap)
        await in_daemon_thread(self._store.save_zone_change, change, generation)

    # -- syncs -------------------------------------------------------------------------------------------------------

    async def _sync(self, change: ZoneChange) -> None:
        generation = self._store.generation
        await self._save(change.zone, change, generation)
        if self._knobs.stuck_syncing:
            return
        try:
            await asyncio.sleep(self._knobs.sync_duration)
            await in_daemon_thread(self._pull, change, generation)
        except Exception as error:  # noqa: BLE001 (whatever goes wrong fails the sync)
            done = replace(change, status=FAILED, system_message=self._failure_message(error))
            latest_sync = change.zone.latest_sync
        else:
            done = replace(change, status=SYNCED)
            latest_sync = now_ms()
        self.syncs_run += 1
        zone = replace(change.zone, status=ACTIVE, latest_sync=latest_sync)
        await self._save(zone, replace(done, zone=zone), generation)

    def _failure_message(self, error: Exception) -> str | None:
        return (str(error) or "Zone synchronization failed") if self._knobs.failed_with_message else None

    def _pull(self, change: ZoneChange, generation: int) -> None:
        """Transfer, compare, and write the differences in one transaction.  Runs in a thread."""
        if self._knobs.fail_syncs is not None:
            raise SyncFailure(self._knobs.fail_syncs)
        zone = change.zone
        connection = self._backends.resolve(zone, transfer=True)
        fresh = load_zone(connection, zone, self._knobs.max_zone_size, self._knobs.transfer_timeout)
        found = list(differences(zone.name, self._store.stored_views(zone.id), fresh))
        if not found:
            return
        stored = self._store.record_sets_by_id([item.stored.id for item in found if item.stored])
        # one change after the other is made, so a large sync spans some milliseconds, each shared by many changes
        changes = [change_for(item, stored, zone, change.user_id, now_ms()) for item in found]
        self._store.apply_changes(zone, changes, generation)

    # -- record sets -------------------------------------------------------------------------------------------------

    async def _change_record_set(self, change: RecordSetChange) -> None:
        generation = self._store.generation
        done = await in_daemon_thread(self._writer.carry_out, change)
        if done.status == COMPLETE:
            await in_daemon_thread(self._store.apply_changes, change.zone, [done], generation)
        else:
            await in_daemon_thread(self._store.log_changes, change.zone, [done], generation)
