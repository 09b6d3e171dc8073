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
from ..._core.options import ArgumentSpec, Options, list_of_names
from ..._core.vocabulary import Json
from ..._http.client import Channel
from ..._lifecycle.poll import Reading
from ..._lifecycle.provider import Capabilities, Effect, Observation, Provider, Run, Services, Target
from ..._state.run_ledger import Key
from . import api
from .api import ApplicationPath, StatusRow
from .common import (
    CONNECTION_SPEC,
    PATTERNS_SPEC,
    PLACE_SPEC,
    RESTORE,
    SYNC,
    UNOBSERVABLE_SPEC,
    Directory,
    Patterns,
    bad_handle,
    disconnected,
    new_client,
    place_in,
    place_of,
)

HANDLE_SPEC = PATTERNS_SPEC + UNOBSERVABLE_SPEC

SYNC_SPEC = (
    PLACE_SPEC
    + HANDLE_SPEC
    + ArgumentSpec(
        {
            "applications": {"type": "list", "elements": "str", "required": True, "aliases": ["application"]},
            "require_staging": {"type": "bool", "default": True},
        },
        ids=("applications",),
    )
)


class ServerAvatar(Provider):
    """Applications with a staging area on one server."""

    name = SYNC
    capabilities = Capabilities(run_id=False)
    connection_spec = CONNECTION_SPEC
    sync_spec = SYNC_SPEC
    handle_spec = HANDLE_SPEC

    def __init__(self, options: Options, services: Services) -> None:
        super().__init__(options, services)
        self.patterns = Patterns(options)
        self.directory = Directory(options)
        self.client = new_client(options, services)
        self.address = self.client.settings.base_url

    def names(self) -> list[str]:
        return list_of_names(self.options, "applications")

    def resolve(self, name: str, channel: Channel) -> Target:
        found = self.directory.application(name, channel)
        return _target(found.place, found.name)

    def from_handle(self, handle: t.Mapping[str, t.Any]) -> Target:
        place = place_in(handle)
        if not isinstance(handle.get("before"), (dict, type(None))):
            raise bad_handle(handle)
        return _target(place, handle["name"])

    # -- evidence ----------------------------------------------------------------------------------------------------

    def observe(self, target: Target, channel: Channel) -> Observation:
        place = place_of(target)
        row = api.get_status(channel, place)
        before = row.snapshot if row else None
        observation = Observation(
            reason="the API does not show whether production is up to date", snapshot={"before": before}, data=row
        )
        observation.detail = {"ids": dataclasses.asdict(place), "staging": None, "status": _shown(row)}
        staging = api.get_staging(channel, place) if self.options["require_staging"] else None
        if staging is not None:
            observation.detail["staging"] = dataclasses.asdict(staging)
        running = row is not None and self.patterns.of(row) == "running"
        if staging is not None and not staging.available:
            observation.obstacle = _no_staging(target, running)
        elif running:
            observation.running = self._run(target, before)
        else:
            server = self.directory.server(channel)
            observation.obstacle = None if server.connected else disconnected(server)
            observation.detail["disk_usage"] = server.disk_usage
        return observation

    def _run(self, target: Target, before: Json | None) -> Run:
        place = place_of(target)
        handle = {
            "provider": self.name,
            "address": self.address,
            "organization": place.organization,
            "server": place.server,
            "application": place.application,
            "name": target.name,
            "before": before,
        }
        return Run(handle)

    def invalidates(self, target: Target) -> t.Sequence[Key]:
        return [Key(RESTORE, self.address, target.id)]

    def still_valid(self, target: Target, observation: Observation, channel: Channel) -> bool:
        row = t.cast("StatusRow | None", observation.data)
        if row is None or not row.seconds_until_distinguishable:
            return True
        # a run that ends within the second of the last change would not change the row
        channel.deadline.sleep(row.seconds_until_distinguishable)
        now = api.get_status(channel, place_of(target))
        return now is not None and now.snapshot == observation.snapshot["before"]

    # -- the run -----------------------------------------------------------------------------------------------------

    def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
        response = api.start_sync(channel, place_of(target))
        return dataclasses.replace(self._run(target, observation.snapshot["before"]), started_at=response.server_now)

    def find(self, target: Target, snapshot: t.Mapping[str, t.Any], channel: Channel) -> Run | None:
        row = api.get_status(channel, place_of(target))
        moved = row is not None and row.snapshot != snapshot.get("before")
        return self._run(target, snapshot.get("before")) if moved else None

    def read(self, handle: t.Mapping[str, t.Any], channel: Channel) -> Reading:
        row = api.get_status(channel, place_in(handle))
        if row is None:
            return Reading("absent", "no status row")
        state = self.patterns.of(row)
        if state != "running" and row.snapshot == handle.get("before"):
            # unchanged since the trigger: not begun, or begun and not observable
            return Reading("absent", f"{row.status} (unmoved)")
        return Reading(state, row.status or row.text, row.text, row.snapshot, data=row)

    def verify(self, target: Target, observation: Observation | None, run: Run, reading: Reading, channel: Channel) -> Effect:
        detail = {"status": _shown(reading.data)}
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

    def lost(self, target: Target, run: Run) -> Effect:
        what = "started; completion not observable: the status row did not change within settle_grace"
        remedy = "Check the production site. Raise settle_grace if the row is known to change later."
        if self.options["if_unobservable"] == "fail":
            return Effect(True, "assumed", failure=SyncError("outcome_unknown", what, remedy))
        return Effect(True, "assumed", what, warnings=(f"{target.name}: {what}. {remedy}",))

    def explain_timeout(self, target: Target, reading: Reading | None, channel: Channel) -> str:
        if reading is None or reading.state == "absent":
            return "The status row has not changed since the trigger."
        return "If the panel shows that nothing is running, this status is not a known one: set status_patterns."


def _target(place: ApplicationPath, name: str) -> Target:
    return Target(place.id, name, place)


def _shown(row: StatusRow | None) -> Json | None:
    if row is None:
        return None
    return {"text": row.text, "percent": row.percentage, "state": row.status, "updated_at": row.updated_at}


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
