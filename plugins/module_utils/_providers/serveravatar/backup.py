# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""ServerAvatar: an instant backup of an application (docs/reference/serveravatar.md#7).

The response does not identify the backup. So it is requested with a unique name, and found as the row with this name
and an id greater than that of any earlier backup.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import itertools
import re
import typing as t

from ..._core.clock import isoformat, parse_iso
from ..._core.errors import SyncError, invalid_option
from ..._core.options import ArgumentSpec, Options, list_of_names
from ..._core.vocabulary import Json
from ..._http.client import Channel
from ..._lifecycle.poll import Reading
from ..._lifecycle.provider import Capabilities, Effect, Observation, Provider, Run, Services, Target
from . import api
from .api import ApplicationPath
from .common import (
    CONNECTION_SPEC,
    PATTERNS_SPEC,
    PLACE_SPEC,
    Directory,
    Patterns,
    as_ids,
    bad_handle,
    disconnected,
    new_client,
    place_in,
)

TYPES = ("application", "filesystem", "database")
RETENTIONS = ("1 Month", "2 Months", "3 Months", "6 Months", "12 Months", "24 Months")
#: how many of the newest backups of the organization are searched for a usable one, and for a running one only
SEARCHED, SEARCHED_FOR_RUNNING = 200, 10
#: how long a backup may be missing from the list: whether a running one is listed is not documented
UNLISTED_FOR = dt.timedelta(hours=1)

BACKUP_SPEC = (
    PLACE_SPEC
    + PATTERNS_SPEC
    + ArgumentSpec(
        {
            "applications": {"type": "list", "elements": "str", "required": True, "aliases": ["application"]},
            "storage": {"type": "str", "required": True},
            "type": {"type": "str", "choices": list(TYPES), "default": "application"},
            "database": {"type": "str"},
            "name": {"type": "str"},
            "retention_period": {"type": "str", "choices": list(RETENTIONS), "default": RETENTIONS[0]},
            "application_extension": {"type": "str", "choices": [".tar", ".tar.gz"], "default": ".tar.gz"},
            "database_extension": {"type": "str", "choices": [".sql", ".sql.gz"], "default": ".sql.gz"},
        },
        texts=("name",),
        ids=("applications", "storage", "database"),
    )
)


@dataclasses.dataclass(frozen=True)
class BackupRequest:
    """What is to be backed up, and to which storage."""

    place: ApplicationPath
    type: str
    storage: int
    storage_type: str = ""
    database: int | None = None

    @property
    def id(self) -> str:
        """Identity of the request: a backup of another type or in another storage does not satisfy it."""
        place = self.place
        return f"{place.organization}/{place.server}/{place.application}/{self.type}/{self.database or '-'}/{self.storage}"


class ServerAvatarBackup(Provider):
    """Instant backups of applications on one server."""

    name = "serveravatar_backup"
    capabilities = Capabilities(run_id=False)
    connection_spec = CONNECTION_SPEC
    sync_spec = BACKUP_SPEC
    handle_spec = PATTERNS_SPEC

    def __init__(self, options: Options, services: Services) -> None:
        super().__init__(options, services)
        name = options.get("name")
        if name is not None and not name.strip():
            raise invalid_option("name", name, "is empty", "Leave the option out to have a name generated.")
        self.patterns = Patterns(options)
        self.directory = Directory(options)
        self.client = new_client(options, services)
        self.address = self.client.settings.base_url

    def names(self) -> list[str]:
        return list_of_names(self.options, "applications")

    def resolve(self, name: str, channel: Channel) -> Target:
        found = self.directory.application(name, channel)
        storage = self.directory.storage(self.options["storage"].strip(), channel)
        database = self._database(found.place, channel)
        request = BackupRequest(found.place, self.options["type"], int(storage["id"]), str(storage.get("provider")), database)
        return Target(request.id, found.name, request)

    def _database(self, place: ApplicationPath, channel: Channel) -> int | None:
        """The database to include: the one that was named, or else that of the staging area."""
        kind, named = self.options["type"], self.options.get("database")
        if kind == "filesystem":
            return None
        if named:
            return self.directory.database(named.strip(), channel)
        row = api.get_status(channel, place)
        database = row.database if row else None
        if database is None and kind == "database":
            message = "option database: the application has no staging area, which would show its database"
            raise SyncError("invalid_option", message, "Name the database to back up.")
        return database

    def from_handle(self, handle: t.Mapping[str, t.Any]) -> Target:
        place, ids = place_in(handle), as_ids(handle, "storage", "after")
        database = as_ids(handle, "database")
        known = handle.get("type") in TYPES and isinstance(handle.get("backup"), str)
        if ids is None or not known or (database is None and handle.get("database") is not None):
            raise bad_handle(handle)
        request = BackupRequest(place, handle["type"], ids[0], database=database[0] if database else None)
        return Target(request.id, handle["name"], request)

    # -- evidence ----------------------------------------------------------------------------------------------------

    def observe(self, target: Target, channel: Channel) -> Observation:
        request = _request(target)
        rows = api.newest_backups(channel, request.place.organization)
        newest = next(rows, None)
        after = int(newest["id"]) if newest else 0
        observation = Observation(reason="no such backup is known", snapshot={"after": after, "backup": self._new_name(request)})
        observation.detail = {"backup": None}
        if newest is not None:
            self._search(target, itertools.chain([newest], rows), observation)
        server = self.directory.server(channel)
        observation.obstacle = None if server.connected else disconnected(server)
        return observation

    def _search(self, target: Target, rows: t.Iterator[Json], observation: Observation) -> None:
        """Search for a running or finished backup that was requested for the same purpose."""
        request, release = _request(target), self.options.get("release")
        may_do = release is not None or self.options.get("max_age") is not None
        for row in itertools.islice(rows, SEARCHED if may_do else SEARCHED_FOR_RUNNING):
            if not _is_of(row, request) or not self._is_for(row, request):
                continue
            state = self.patterns.state(str(row.get("status") or ""))
            if state == "running":
                observation.running = Run(
                    self._handle(target, {"after": int(row["id"]) - 1, "backup": api.backup_name(row)}, None)
                )
                return
            if state == "succeeded" and may_do:
                observation.detail = {"backup": api.shown_backup(row)}
                if release is not None and not self.options.get("name"):
                    observation.in_sync, observation.reason = True, f"backup {row['id']} was made for release {release}"
                return

    def _is_for(self, row: Json, request: BackupRequest) -> bool:
        """Whether a backup was requested for the purpose of this task, by its name."""
        named = self.options.get("name")
        return api.backup_name(row) == named.strip() if named else api.backup_name(row).startswith(self._prefix(request))

    def _prefix(self, request: BackupRequest) -> str:
        """The beginning of generated names for one purpose."""
        release = self.options.get("release")
        if release is None:
            return f"lockstep-{request.type}-"
        # the digest distinguishes releases whose shortened names are equal
        digest = hashlib.sha256(release.encode("utf-8", "surrogateescape")).hexdigest()[:8]
        return f"lockstep-{request.type}-{re.sub('[^A-Za-z0-9]+', '-', release).strip('-')[:24]}-{digest}-"

    def _new_name(self, request: BackupRequest) -> str:
        if self.options.get("name"):
            return str(self.options["name"]).strip()
        stamp = self.services.clock.now().strftime("%Y%m%d-%H%M%S")
        return f"{self._prefix(request)}{stamp}-{self.services.rng.randrange(16**6):06x}"

    def _handle(self, target: Target, snapshot: t.Mapping[str, t.Any], ordered_at: dt.datetime | None) -> Json:
        request = _request(target)
        return {
            "provider": self.name,
            "address": self.address,
            "organization": request.place.organization,
            "server": request.place.server,
            "application": request.place.application,
            "name": target.name,
            "type": request.type,
            "storage": request.storage,
            "database": request.database,
            "backup": snapshot["backup"],
            "after": snapshot["after"],
            "ordered_at": isoformat(ordered_at),
        }

    # -- the run -----------------------------------------------------------------------------------------------------

    def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
        request, snapshot = _request(target), observation.snapshot
        body: Json = {
            "provider": request.storage_type,
            "cloud_storage_provider_id": request.storage,
            "automatic_backup": 0,
            "type": request.type,
            "application_id": request.place.application,
            "name": snapshot["backup"],
        }
        if request.database is not None:
            body["database_id"] = request.database
        if request.storage_type == "serveravatar":
            body["retention_period"] = self.options["retention_period"]
        for name, other in (("application_extension", "database"), ("database_extension", "filesystem")):
            if request.type != other:
                body[name] = self.options[name]
        response = api.start_backup(channel, request.place, body)
        return Run(self._handle(target, snapshot, self.services.clock.now()), response.server_now)

    def find(self, target: Target, snapshot: t.Mapping[str, t.Any], channel: Channel) -> Run | None:
        handle = self._handle(target, snapshot, None)
        row = self._row(handle, channel)
        # another backup may have begun at the same time, so only the name identifies it
        return Run(handle) if row is not None and api.backup_name(row) == handle["backup"] else None

    def read(self, handle: t.Mapping[str, t.Any], channel: Channel) -> Reading:
        row = self._row(handle, channel)
        if row is None:
            ordered_at = parse_iso(handle.get("ordered_at"))
            fresh = ordered_at is not None and self.services.clock.now() - ordered_at < UNLISTED_FOR
            return Reading("pending" if fresh else "absent", "not listed")
        status = str(row.get("status") or "")
        return Reading(self.patterns.state(status), status, status, data=row)

    def _row(self, handle: t.Mapping[str, t.Any], channel: Channel) -> Json | None:
        """The row of a requested backup: by its name, or the only new one if no name matches."""
        request = _request(self.from_handle(handle))
        rows = api.newest_backups(channel, request.place.organization)
        newer = itertools.takewhile(lambda row: int(row["id"]) > int(handle["after"]), rows)
        found = [row for row in newer if _is_of(row, request)]
        named = [row for row in found if api.backup_name(row) == handle["backup"]]
        if named or len(found) != 1:
            return named[-1] if named else None
        return found[0]

    def verify(self, target: Target, observation: Observation | None, run: Run, reading: Reading, channel: Channel) -> Effect:
        row: Json = reading.data
        detail = {"backup": api.shown_backup(row)}
        if reading.state != "succeeded":
            failure = SyncError(
                "run_failed",
                f"the backup of {target.name} failed: {reading.message}",
                "ServerAvatar gives no reason. Check the disk space of the server and the access to the storage provider.",
            )
            return Effect(False, "observed", detail=detail, failure=failure)
        warnings = []
        if api.backup_name(row) != run.handle["backup"]:
            warnings.append(
                f"{target.name}: backup {row['id']} was identified by its id only, as none has the name that was sent"
            )
        if observation is not None and _request(target).type == "application" and _request(target).database is None:
            warnings.append(f"{target.name}: backup {row['id']} may hold no database, as none is known; set the option database")
        return Effect(True, "observed", detail=detail, compact_detail=detail, warnings=tuple(warnings))


def _request(target: Target) -> BackupRequest:
    return t.cast(BackupRequest, target.data)


def _is_of(row: Json, request: BackupRequest) -> bool:
    """Whether a backup is of the application and in the storage of the request. Rows do not show their type."""
    return str(row.get("application_id")) == str(request.place.application) and str(
        row.get("cloud_storage_provider_id", request.storage)
    ) == str(request.storage)
