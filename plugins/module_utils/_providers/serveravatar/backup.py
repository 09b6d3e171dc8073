# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""ServerAvatar: an instant backup of an application (docs/reference/serveravatar.md#7).

The response does not identify the backup. So it is requested with a unique name, and found as the row with this name
and an id greater than that of any earlier backup.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import itertools
import re
import typing as t

from ..._core.errors import SyncError, invalid_option
from ..._core.options import ArgumentSpec, Options
from ..._core.vocabulary import ReadingState
from ..._http.client import Channel
from ..._lifecycle.poll import Reading
from ..._lifecycle.provider import Effect, Observation, Run, Services, Target
from . import api
from .base import ServerAvatarProvider
from .common import MANY, PATTERNS_SPEC, PLACE_SPEC
from .handles import BACKUP, BACKUP_TYPES, BackupHandle, BackupRequest, ExpectedBackup
from .rows import ApplicationPath, BackupRow, ListedRow, is_id
from .seen_backups import SeenBackups

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
            "type": {"type": "str", "choices": list(BACKUP_TYPES), "default": "application"},
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


class ServerAvatarBackup(ServerAvatarProvider):
    """Instant backups of applications on one server."""

    name = BACKUP
    sync_spec = BACKUP_SPEC

    def __init__(self, options: Options, services: Services) -> None:
        name = options.get("name")
        if name is not None and not name.strip():
            raise invalid_option("name", name, "is empty", "Leave the option out to have a name generated.")
        super().__init__(options, services)
        #: the newest backups, as they were listed before the first application was looked at
        self._seen: SeenBackups | None = None

    @property
    def _may_skip(self) -> bool:
        """Whether the options allow to make no backup."""
        return self.options.get("release") is not None or self.options.get("max_age") is not None

    def survey(self, names: t.Sequence[str], channel: Channel) -> None:
        super().survey(names, channel)
        if len(names) < MANY or not self._may_skip:
            return
        organization = self.directory.organization(channel)
        storage = self.directory.storage(self.options["storage"].strip(), channel).id
        missing, started = self._ids(names, channel), self.services.clock.monotonic()
        seen: list[ListedRow] = []
        for listed in itertools.islice(api.newest_listed(channel, organization), SEARCHED):
            seen.append(listed)
            row = listed.backup
            if self._is_for(row) and self._state(row) != "failed":
                missing.difference_update(number for number in (row.application or 0,) if row.is_of(number, storage))
            if not missing:
                break
        self._seen = SeenBackups(seen, started)

    def _ids(self, names: t.Sequence[str], channel: Channel) -> set[int]:
        """The ids of applications, as far as they are known without a request for each."""
        found: set[int] = set()
        for name in names:
            with contextlib.suppress(SyncError):
                found.add(int(name) if is_id(name) else self.directory.application(name, channel).place.application)
        return found

    def resolve(self, name: str, channel: Channel) -> Target:
        found = self.directory.application(name, channel)
        storage = self.directory.storage(self.options["storage"].strip(), channel)
        database = self._database(found.place, channel)
        request = BackupRequest(found.place, self.options["type"], storage.id, storage.provider, database)
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
        backup = BackupHandle.from_json(handle)
        return Target(backup.request.id, backup.name, backup.request)

    # -- evidence ----------------------------------------------------------------------------------------------------

    def glance(self, target: Target, channel: Channel) -> Observation | None:
        seen = self._seen
        if seen is None or not seen.is_new(self.services.clock):
            return None
        observation = Observation(reason="no such backup is known", detail={"backup": None})
        self._search(target, (row.backup for row in seen.rows), observation)
        return None if observation.running is not None else observation

    def _newest(self, organization: int, channel: Channel) -> t.Iterator[BackupRow]:
        seen = self._seen
        if seen is None or not seen.is_new(self.services.clock):
            return api.newest_backups(channel, organization)
        return seen.brought_up_to_date(api.newest_pages(channel, organization), self._state)

    def _state(self, row: BackupRow) -> ReadingState:
        return self.patterns.state(row.status or "")

    def observe(self, target: Target, channel: Channel) -> Observation:
        request = _request(target)
        rows = self._newest(request.place.organization, channel)
        newest = next(rows, None)
        expected = ExpectedBackup(self._new_name(), newest.id if newest else 0)
        observation = Observation(reason="no such backup is known", snapshot=expected.to_json())
        observation.detail = {"backup": None}
        if newest is not None:
            self._search(target, itertools.chain([newest], rows), observation)
        _server, observation.obstacle = self.connected_server(channel)
        return observation

    def _search(self, target: Target, rows: t.Iterator[BackupRow], observation: Observation) -> None:
        """Search for a running or finished backup that was requested for the same purpose."""
        request, release = _request(target), self.options.get("release")
        for row in itertools.islice(rows, SEARCHED if self._may_skip else SEARCHED_FOR_RUNNING):
            if not row.is_of(request.place.application, request.storage) or not self._is_for(row):
                continue
            state = self._state(row)
            if state == "running":
                observation.running = self._run(target, ExpectedBackup(row.name, row.id - 1))
                return
            if state == "succeeded" and self._may_skip:
                observation.detail = {"backup": row.as_detail()}
                if release is not None and not self.options.get("name"):
                    observation.in_sync, observation.reason = True, f"backup {row.id} was made for release {release}"
                return

    def _is_for(self, row: BackupRow) -> bool:
        """Whether a backup was requested for the purpose of this task, by its name."""
        named = self.options.get("name")
        return row.name == named.strip() if named else row.name.startswith(self._prefix())

    def _prefix(self) -> str:
        """The beginning of generated names for one purpose."""
        kind, release = self.options["type"], self.options.get("release")
        if release is None:
            return f"lockstep-{kind}-"
        # the digest distinguishes releases whose shortened names are equal
        digest = hashlib.sha256(release.encode("utf-8", "surrogateescape")).hexdigest()[:8]
        return f"lockstep-{kind}-{re.sub('[^A-Za-z0-9]+', '-', release).strip('-')[:24]}-{digest}-"

    def _new_name(self) -> str:
        if self.options.get("name"):
            return str(self.options["name"]).strip()
        stamp = self.services.clock.now().strftime("%Y%m%d-%H%M%S")
        return f"{self._prefix()}{stamp}-{self.services.rng.randrange(16**6):06x}"

    def _run(
        self,
        target: Target,
        expected: ExpectedBackup,
        ordered_at: dt.datetime | None = None,
        started_at: dt.datetime | None = None,
    ) -> Run:
        return Run(BackupHandle(_request(target), target.name, expected, ordered_at).to_json(self.address), started_at)

    # -- the run -----------------------------------------------------------------------------------------------------

    def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
        request, expected, options = _request(target), ExpectedBackup.from_json(observation.snapshot), self.options
        wanted = api.InstantBackup(
            name=expected.name,
            type=request.type,
            storage=request.storage,
            storage_type=request.storage_type,
            database=request.database,
            retention_period=options["retention_period"] if request.storage_type == "serveravatar" else None,
            application_extension=options["application_extension"] if request.type != "database" else None,
            database_extension=options["database_extension"] if request.type != "filesystem" else None,
        )
        response = api.start_backup(channel, request.place, wanted)
        return self._run(target, expected, self.services.clock.now(), response.server_now)

    def find(self, target: Target, snapshot: t.Mapping[str, t.Any], channel: Channel) -> Run | None:
        expected = ExpectedBackup.from_json(snapshot)
        request = _request(target)
        row = _row(request, expected, api.newest_backups(channel, request.place.organization))
        # another backup may have begun at the same time, so only the name identifies it
        return self._run(target, expected) if row is not None and row.name == expected.name else None

    def read(self, handle: t.Mapping[str, t.Any], channel: Channel) -> Reading:
        backup = BackupHandle.from_json(handle)
        return self._reading(backup, api.newest_backups(channel, backup.request.place.organization))

    def read_many(self, handles: t.Sequence[t.Mapping[str, t.Any]], channel: Channel) -> list[Reading | None]:
        if len(handles) < 2:
            return [None] * len(handles)
        backups = [BackupHandle.from_json(handle) for handle in handles]
        listed: dict[int, list[BackupRow]] = {}
        for organization in sorted(set(map(_organization, backups))):
            since = min(each.expected.after for each in backups if _organization(each) == organization)
            listed[organization] = _newer_than(since, api.newest_backups(channel, organization))
        return [self._reading(each, listed[_organization(each)]) for each in backups]

    def _reading(self, backup: BackupHandle, rows: t.Iterable[BackupRow]) -> Reading:
        """The state of a requested backup.

        :param rows: the newest backups of its organization.
        """
        row = _row(backup.request, backup.expected, rows)
        if row is None:
            ordered_at = backup.ordered_at
            fresh = ordered_at is not None and self.services.clock.now() - ordered_at < UNLISTED_FOR
            return Reading("pending" if fresh else "absent", "not listed")
        status = row.status or ""
        return Reading(self.patterns.state(status), status, status, data=row)

    def verify(self, target: Target, observation: Observation | None, run: Run, reading: Reading, channel: Channel) -> Effect:
        row = t.cast(BackupRow, reading.data)
        detail = {"backup": row.as_detail()}
        if reading.state != "succeeded":
            failure = SyncError(
                "run_failed",
                f"the backup of {target.name} failed: {reading.message}",
                "ServerAvatar gives no reason. Check the disk space of the server and the access to the storage provider.",
            )
            return Effect(False, "observed", detail=detail, failure=failure)
        warnings = []
        if row.name != BackupHandle.from_json(run.handle).expected.name:
            warnings.append(f"{target.name}: backup {row.id} was identified by its id only, as none has the name that was sent")
        if observation is not None and _request(target).type == "application" and _request(target).database is None:
            warnings.append(f"{target.name}: backup {row.id} may hold no database, as none is known; set the option database")
        return Effect(True, "observed", detail=detail, compact_detail=detail, warnings=tuple(warnings))


def _request(target: Target) -> BackupRequest:
    return t.cast(BackupRequest, target.data)


def _organization(backup: BackupHandle) -> int:
    return backup.request.place.organization


def _newer_than(number: int, rows: t.Iterable[BackupRow]) -> list[BackupRow]:
    """Those of ``rows``, which are sorted, with an id above a number."""
    return list(itertools.takewhile(lambda row: row.id > number, rows))


def _row(request: BackupRequest, expected: ExpectedBackup, rows: t.Iterable[BackupRow]) -> BackupRow | None:
    """The row of a requested backup: by its name, or the only new one if no name matches.

    :param rows: newest first.
    """
    newer = _newer_than(expected.after, rows)
    found = [row for row in newer if row.is_of(request.place.application, request.storage)]
    named = [row for row in found if row.name == expected.name]
    if named or len(found) != 1:
        return named[-1] if named else None
    return found[0]
