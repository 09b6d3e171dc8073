# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""ServerAvatar: a staging area overwrites its production application (docs/reference/serveravatar.md).

A run has no id. The API shows one status row for each staging area; a row that differs from the one before the trigger belongs to
the new run. Whether a sync changes the row at all is not documented.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..._core.errors import SyncError
from ..._core.options import ArgumentSpec
from ..._http.client import Channel
from ..._lifecycle.poll import Reading
from ..._lifecycle.provider import Effect, Observation, Run, Target
from ..._state.run_ledger import Key
from . import api
from .base import ROW_SPEC, RowProvider
from .common import PLACE_SPEC
from .handles import RESTORE, SYNC, NamedPlace, SyncHandle, mark_in_sync_snapshot, sync_snapshot
from .rows import ApplicationPath, StatusMark, StatusRow

SYNC_SPEC = (
    PLACE_SPEC
    + ROW_SPEC
    + ArgumentSpec(
        {
            "applications": {"type": "list", "elements": "str", "required": True, "aliases": ["application"]},
            "require_staging": {"type": "bool", "default": True},
        },
        ids=("applications",),
    )
)


class ServerAvatar(RowProvider):
    """Applications with a staging area on one server."""

    name = SYNC
    sync_spec = SYNC_SPEC
    row, overwritten = "the status row", "the production site"

    def resolve(self, name: str, channel: Channel) -> Target:
        found = self.directory.application(name, channel)
        return Target(found.place.id, found.name, found.place)

    def from_handle(self, handle: t.Mapping[str, t.Any]) -> Target:
        at = SyncHandle.from_json(handle).at
        return Target(at.place.id, at.name, at.place)

    # -- evidence ----------------------------------------------------------------------------------------------------

    def observe(self, target: Target, channel: Channel) -> Observation:
        place = _place(target)
        row = api.get_status(channel, place)
        before = row.mark if row else None
        observation = Observation(
            reason="the API does not show whether production is up to date", snapshot=sync_snapshot(before), data=row
        )
        observation.detail = {"ids": place.as_detail(), "staging": None, "status": row.as_detail() if row else None}
        staging = api.get_staging(channel, place) if self.options["require_staging"] else None
        if staging is not None:
            observation.detail["staging"] = staging.as_detail()
        running = row is not None and self.patterns.of(row) == "running"
        if staging is not None and not staging.available:
            observation.obstacle = _no_staging(target, running)
        elif running:
            observation.running = self._run(target, before)
        else:
            server, observation.obstacle = self.connected_server(channel)
            observation.detail["disk_usage"] = server.disk_usage
        return observation

    def _run(self, target: Target, before: StatusMark | None) -> Run:
        return Run(SyncHandle(NamedPlace(_place(target), target.name), before).to_json(self.address))

    def invalidates(self, target: Target) -> t.Sequence[Key]:
        return [Key(RESTORE, self.address, target.id)]

    def still_valid(self, target: Target, observation: Observation, channel: Channel) -> bool:
        row = t.cast("StatusRow | None", observation.data)
        if row is None or not row.seconds_until_distinguishable:
            return True
        # a run that ends within the second of the last change would not change the row
        channel.deadline.sleep(row.seconds_until_distinguishable)
        now = api.get_status(channel, _place(target))
        return now is not None and now.mark == row.mark

    # -- the run -----------------------------------------------------------------------------------------------------

    def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
        response = api.start_sync(channel, _place(target))
        run = self._run(target, mark_in_sync_snapshot(observation.snapshot))
        return dataclasses.replace(run, started_at=response.server_now)

    def find(self, target: Target, snapshot: t.Mapping[str, t.Any], channel: Channel) -> Run | None:
        row, before = api.get_status(channel, _place(target)), mark_in_sync_snapshot(snapshot)
        if row is None or row.mark == before:
            return None
        if before is not None and row.id != before.id and self.patterns.of(row) != "running":
            # as after the creation of a new staging area, whose end it may show: nothing proves that a sync was accepted
            return None
        return self._run(target, before)

    def read(self, handle: t.Mapping[str, t.Any], channel: Channel) -> Reading:
        sync = SyncHandle.from_json(handle)
        row = api.get_status(channel, sync.at.place)
        if row is None:
            return Reading("absent", "no status row")
        state = self.patterns.of(row)
        if state != "running" and row.mark == sync.before:
            # unchanged since the trigger: not begun, or begun and not observable
            return Reading("absent", f"{row.status} (unmoved)")
        return Reading(state, row.status or row.text, row.text, row.mark, data=row)

    def verify(self, target: Target, observation: Observation | None, run: Run, reading: Reading, channel: Channel) -> Effect:
        detail = {"status": t.cast(StatusRow, reading.data).as_detail()}
        if reading.state == "succeeded":
            # a sync overwrites production in any case, so its success is the effect
            return Effect(True, "observed", detail=detail)
        failure = SyncError(
            "run_failed",
            f"the sync of {target.name} failed: {reading.message or reading.raw}",
            "ServerAvatar gives no reason. Production may be partly overwritten: check it, and the disk space of both"
            " servers; restore a backup if it is damaged.",
        )
        return Effect(True, "assumed", detail=detail, failure=failure)


def _place(target: Target) -> ApplicationPath:
    return t.cast(ApplicationPath, target.data)


def _no_staging(target: Target, running: bool) -> SyncError:
    if running:
        return SyncError(
            "staging_disabled", f"the staging area of {target.name} is being created", "Run the task again when it is ready."
        )
    return SyncError(
        "staging_disabled",
        f"{target.name} has no staging area that the account can see",
        "Create one in the ServerAvatar panel (or by its API), and name the production application, not the staging copy.",
    )
