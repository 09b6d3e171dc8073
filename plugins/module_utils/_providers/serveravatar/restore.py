# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""ServerAvatar: a backup overwrites the application that it is of (docs/reference/serveravatar.md#7).

A restore has no id, and the documentation does not say how to observe it. Only the row of the backup in the list of backups may
show it; a row that differs from the one before the trigger belongs to the new restore.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import itertools
import re
import threading
import typing as t

from ..._core.clock import parse_iso
from ..._core.errors import SyncError, invalid_option
from ..._core.options import ArgumentSpec, Options
from ..._core.vocabulary import ReadingState
from ..._http.client import Channel
from ..._lifecycle.poll import Reading
from ..._lifecycle.provider import Effect, Observation, Run, Services, Target
from ..._state.run_ledger import Key
from . import api
from .base import ROW_SPEC, RowProvider
from .common import MANY, PLACE_SPEC, Application, pick
from .handles import (
    RESTORE,
    SYNC,
    WAITS_FOR_STAGING,
    BackupRef,
    NamedPlace,
    RestoreHandle,
    mark_in_restore_snapshot,
    restore_snapshot,
)
from .rows import BackupMark, BackupRow, ListedRow, is_id
from .seen_backups import SeenBackups

#: how many of the newest backups of the organization are searched for a name
SEARCHED = 200
#: dates have no time zone; read as UTC, one may be this much too early
WESTERNMOST = dt.timedelta(hours=12)

RESTORE_SPEC = (
    PLACE_SPEC
    + ROW_SPEC
    + ArgumentSpec(
        {
            "backups": {"type": "list", "elements": "str", "required": True, "aliases": ["backup"]},
            "application": {"type": "str"},
        },
        ids=("backups", "application"),
    )
)


class ServerAvatarRestore(RowProvider):
    """Backups of applications on one server, to be restored there."""

    name = RESTORE
    sync_spec = RESTORE_SPEC
    words = frozenset({WAITS_FOR_STAGING})
    targets_option = "backups"
    row, overwritten = "the row of the backup", "the application"

    def __init__(self, options: Options, services: Services) -> None:
        application = options.get("application")
        if application is not None and not application.strip():
            raise invalid_option("application", application, "is empty", "Leave the option out, or name an application.")
        super().__init__(options, services)
        self._lock = threading.Lock()
        #: for the names that are looked for before the first restore
        self._naming = threading.Lock()
        #: the row that a name denotes, or ``None`` where it denotes none
        self._meant: dict[str, BackupRow | None] = {}
        #: the page on which a backup was last found
        self._pages: dict[int, int] = {}
        #: backups whose row was seen to be in progress
        self._seen: set[int] = set()
        #: the newest backups, as they were listed before the first one was looked for
        self._listing: SeenBackups | None = None

    def survey(self, names: t.Sequence[str], channel: Channel) -> None:
        if len(names) < MANY:
            return
        oldest = min((int(name) for name in names if is_id(name)), default=None)
        number = 0 if all(map(is_id, names)) else SEARCHED
        organization, started = self.directory.organization(channel), self.services.clock.monotonic()
        rows: list[ListedRow] = []
        for listed in api.newest_listed(channel, organization):
            rows.append(listed)
            if len(rows) >= number and (oldest is None or listed.backup.id <= oldest):
                break
        self._listing = SeenBackups(rows, started)
        if self.options.get("application") is None:
            backups = [listed.backup for listed in rows if {str(listed.backup.id), listed.backup.name}.intersection(names)]
            self.directory.survey(sorted({str(row.application) for row in backups if row.application is not None}), channel)

    def _new_listing(self) -> SeenBackups | None:
        listing = self._listing
        return listing if listing is not None and listing.is_new(self.services.clock) else None

    def resolve(self, name: str, channel: Channel) -> Target:
        row = self._named(name, channel)
        found = self._application_of(row, channel)
        self._meant[name] = row
        source = BackupRef(found.place, row.id)
        return Target(source.id, found.name, source)

    def _named(self, wanted: str, channel: Channel) -> BackupRow:
        """The row of the backup that an entry of the options names."""
        organization = self.directory.organization(channel)
        listing = self._new_listing()
        if is_id(wanted):
            # of which application it is does not change; all else is read again before the restore
            listed = listing.of(int(wanted)) if listing else None
            if listed is not None:
                self._pages[listed.backup.id] = listed.page
                return listed.backup
            row = self._row(organization, int(wanted), channel)
            if row is None:
                raise _unlisted(wanted)
            return row
        newest = api.newest_backups(channel, organization)
        if listing is not None:
            newest = listing.brought_up_to_date(api.newest_pages(channel, organization), lambda _row: "succeeded")
        rows = list(itertools.islice(newest, SEARCHED))
        of_application = self._wanted_application(channel)
        if of_application is not None:
            rows = [row for row in rows if row.application == of_application.place.application]
        return pick(rows, wanted, "backups", "name")

    def _wanted_application(self, channel: Channel) -> Application | None:
        wanted = self.options.get("application")
        return None if wanted is None else self.directory.application(wanted.strip(), channel)

    def _application_of(self, row: BackupRow, channel: Channel) -> Application:
        """The application of a backup: the one that the options name, or one on their server."""
        number = row.application
        whose = f"backup {row.id} is of application {row.application_name or number}"
        wanted = self._wanted_application(channel)
        if wanted is not None and number != wanted.place.application:
            problem = f"{whose} ({number}), not of {wanted.name} ({wanted.place.application})"
            raise SyncError("invalid_option", f"option backups: {problem}", "Name a backup of that application.")
        server = self.directory.server(channel)
        elsewhere = f"option backups: {whose}, which is not on server {server.name}"
        if number is None or (row.server or server.id) != server.id:
            raise SyncError("not_found", elsewhere, "Name the server of the backup; it can be restored there only.")
        if wanted is not None:
            return wanted
        try:
            return self.directory.application(str(number), channel)
        except SyncError as error:
            if error.code != "not_found":
                raise
            remedy = "Name the server that the application is on. If it was deleted, restore the backup in the panel."
            raise SyncError("not_found", elsewhere, remedy, error.http_status) from None

    def from_handle(self, handle: t.Mapping[str, t.Any]) -> Target:
        restore = RestoreHandle.from_json(handle)
        return Target(restore.source.id, restore.at.name, restore.source)

    def _row(self, organization: int, backup: int, channel: Channel) -> BackupRow | None:
        listed = self._listed(organization, backup, channel)
        return listed.backup if listed else None

    def _listed(self, organization: int, backup: int, channel: Channel) -> ListedRow | None:
        listed = api.find_backup(channel, organization, backup, self._pages.get(backup, 1))
        if listed is not None:
            self._pages[backup] = listed.page
        return listed

    # -- evidence ----------------------------------------------------------------------------------------------------

    def observe(self, target: Target, channel: Channel) -> Observation:
        source = _source(target)
        listed = self._listed(source.place.organization, source.backup, channel)
        if listed is None:
            raise _unlisted(str(source.backup))
        row, before = listed.backup, listed.backup.mark
        observation = Observation(
            reason="the API does not show whether the application is as in the backup", snapshot=restore_snapshot(before)
        )
        observation.data = listed
        observation.detail = {"backup": _shown(row)}
        observation.compact_detail = observation.detail
        running = self.patterns.state(before.status) == "running"
        if running and _is_about_restore(before.status):
            observation.running = self._run(target, before)
            return observation
        observation.obstacle = self._several(source, channel) or self._unfit(row, running)
        if observation.obstacle is None:
            self._check_surroundings(target, before, observation, channel)
        return observation

    def _several(self, source: BackupRef, channel: Channel) -> SyncError | None:
        """The failure if several backups of one application were named: the order of their restores would be random."""
        asked = sorted({row.id for row in self._all_meant(channel) if row.application == source.place.application})
        if len(asked) < 2:
            return None
        backups = " and ".join(map(str, asked))
        return SyncError(
            "invalid_option",
            f"option backups: {backups} are of the same application, and each would overwrite the other",
            "Restore one backup of an application in a task.",
        )

    def _all_meant(self, channel: Channel) -> list[BackupRow]:
        """The rows that all names denote, those included that are not looked at yet: none is restored before all are known."""
        names = self.names()
        if len(names) > 1:
            with channel.deadline.holding(self._naming):
                for name in names:
                    if name not in self._meant:
                        self._meant[name] = self._row_meant(name, channel)
        return [row for row in self._meant.values() if row is not None]

    def _row_meant(self, name: str, channel: Channel) -> BackupRow | None:
        try:
            return self._named(name, channel)
        except SyncError as error:
            # what is wrong with it is said where it is a target by itself
            if error.code in ("not_found", "invalid_option"):
                return None
            raise

    def _unfit(self, row: BackupRow, running: bool) -> SyncError | None:
        """Why a backup cannot be restored."""
        backup, status = f"backup {row.id}", row.status or ""
        if running:
            return SyncError(
                "busy",
                f"{backup} is not completed yet (status {status!r})",
                "Run the task again when it is. If the panel shows that it is, this status is unknown here: set status_patterns.",
            )
        # a failed restore does not damage the backup
        if self.patterns.state(status) == "failed" and not _is_about_restore(status):
            message = f"option backups: {backup} is not completed (status {status!r})"
            return SyncError("invalid_option", message, "Name a backup that was completed.")
        expires_at = parse_iso(row.expires_at)
        if expires_at is not None and self.services.clock.now() > expires_at + WESTERNMOST:
            message = f"option backups: {backup} expired at {row.expires_at}"
            return SyncError("not_found", message, "Name a backup that is still kept.")
        return None

    def _check_surroundings(self, target: Target, before: BackupMark, observation: Observation, channel: Channel) -> None:
        """Add what else prevents a restore: a running sync (each would overwrite the other), or a disconnected server."""
        place = _source(target).place
        status = api.get_status(channel, place)
        if status is not None and self.patterns.of(status) == "running":
            observation.obstacle = _staging_runs(target, status.status or status.text)
            if self.options.get("if_running") == "queue":
                observation.running = self._run(target, before, waits_for_staging=True)
            return
        _server, observation.obstacle = self.connected_server(channel)

    def still_valid(self, target: Target, observation: Observation, channel: Channel) -> bool:
        listed = t.cast(ListedRow, observation.data)
        seconds = listed.seconds_until_distinguishable
        if not seconds:
            return True
        # a restore that ends within the second of the last change would not change the row
        channel.deadline.sleep(seconds)
        source = _source(target)
        row = self._row(source.place.organization, source.backup, channel)
        return row is not None and row.mark == listed.backup.mark

    def invalidates(self, target: Target) -> t.Sequence[Key]:
        # restores of other backups of the application, too: only the last restored one is in effect
        place = _source(target).place
        return [Key(SYNC, self.address, place.id), Key(RESTORE, self.address, place.id)]

    def _run(self, target: Target, before: BackupMark, waits_for_staging: bool = False) -> Run:
        source = _source(target)
        at = NamedPlace(source.place, target.name)
        return Run(RestoreHandle(at, source.backup, before, waits_for_staging).to_json(self.address))

    # -- the run -----------------------------------------------------------------------------------------------------

    def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
        source = _source(target)
        response = api.start_restore(channel, source.place.organization, source.backup)
        run = self._run(target, mark_in_restore_snapshot(observation.snapshot))
        return dataclasses.replace(run, started_at=response.server_now)

    def find(self, target: Target, snapshot: t.Mapping[str, t.Any], channel: Channel) -> Run | None:
        source, before = _source(target), mark_in_restore_snapshot(snapshot)
        row = self._row(source.place.organization, source.backup, channel)
        if row is None or row.mark == before:
            return None
        self._state(row)
        return self._run(target, before)

    def read(self, handle: t.Mapping[str, t.Any], channel: Channel) -> Reading:
        restore = RestoreHandle.from_json(handle)
        if restore.waits_for_staging:
            status = api.get_status(channel, restore.at.place)
            state = "succeeded" if status is None else self.patterns.of(status)
            return Reading(state, status.status if status else "")
        row = self._row(restore.at.place.organization, restore.backup, channel)
        return Reading("absent", "not listed") if row is None else self._reading(restore, row)

    def read_many(self, handles: t.Sequence[t.Mapping[str, t.Any]], channel: Channel) -> list[Reading | None]:
        restores = [RestoreHandle.from_json(handle) for handle in handles]
        pages = [(each.at.place.organization, self._pages.get(each.backup, 1)) for each in restores if not each.waits_for_staging]
        rows = {
            (organization, listed.backup.id): listed.backup
            for organization, page in sorted(page for page, number in collections.Counter(pages).items() if number > 1)
            for listed in api.backups_on(channel, organization, page)
        }
        found = [None if each.waits_for_staging else rows.get((each.at.place.organization, each.backup)) for each in restores]
        return [None if row is None else self._reading(each, row) for each, row in zip(restores, found)]

    def _reading(self, restore: RestoreHandle, row: BackupRow) -> Reading:
        """The state of a restore, by the row of its backup."""
        now, state = row.mark, self._state(row)
        if state != "running" and now == restore.before:
            # unchanged since the trigger: not begun, or begun and not observable
            return Reading("absent", f"{now.status} (unmoved)")
        return Reading(state, now.status, now.status, now, data=row)

    def _state(self, row: BackupRow) -> ReadingState:
        """The state that a row shows. A running one is remembered."""
        state = self.patterns.state(row.mark.status)
        if state == "running":
            with self._lock:
                self._seen.add(row.id)
        return state

    def verify(self, target: Target, observation: Observation | None, run: Run, reading: Reading, channel: Channel) -> Effect:
        row = t.cast(BackupRow, reading.data)
        detail = {"backup": _shown(row)}
        if reading.state != "succeeded":
            failure = SyncError(
                "run_failed",
                f"the restore of backup {row.id} to {target.name} failed: {reading.message}",
                "ServerAvatar gives no reason. The application may be partly overwritten: check it, the disk space of the"
                " server and the access to the storage provider; then restore again.",
            )
            return Effect(True, "assumed", detail=detail, compact_detail=detail, failure=failure)
        before = RestoreHandle.from_json(run.handle).before.status
        if _source(target).backup in self._seen or before != reading.raw:
            return Effect(True, "observed", detail=detail, compact_detail=detail)
        # that this date is the end of the restore is not documented
        what = f"backup {row.id} has a new date, and was never seen in progress: assumed to be the end of its restore"
        return Effect(True, "assumed", what, detail, detail, warnings=(f"{target.name}: {what}. Look at the application.",))


def _source(target: Target) -> BackupRef:
    return t.cast(BackupRef, target.data)


def _shown(row: BackupRow) -> dict[str, object]:
    return {**row.as_detail(), "updated_at": row.updated_at}


def _is_about_restore(status: str) -> bool:
    """Whether a status is about a restore of the backup, not about its creation."""
    return re.search("restor", status, re.IGNORECASE) is not None


def _unlisted(backup: str) -> SyncError:
    return SyncError(
        "not_found",
        f"option backups: no backup {backup} is listed in the organization",
        "Its retention period may be over, or it was deleted. Name one that the panel lists.",
    )


def _staging_runs(target: Target, status: str) -> SyncError:
    return SyncError(
        "busy",
        f"the staging area of {target.name} is being synced or created (status {status!r}), which would overwrite the restore",
        "Set if_running to queue, or run the task again later. If the panel shows that nothing runs, set status_patterns.",
    )
