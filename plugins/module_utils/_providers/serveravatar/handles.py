# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""What the three providers know their runs by, and the form of that in results and in the ledger."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ..._core.clock import isoformat, parse_iso
from ..._core.errors import SyncError, invalid_option
from ..._core.vocabulary import Json
from .rows import ApplicationPath, BackupMark, StatusMark, is_id

#: the names of the providers; the first two overwrite each other's result
SYNC, RESTORE, BACKUP = "serveravatar", "serveravatar_restore", "serveravatar_backup"

#: what a handle of a restore has where a sync has to end first
WAITS_FOR_STAGING = "staging"
BACKUP_TYPES = ("application", "filesystem", "database")


@dataclasses.dataclass(frozen=True)
class NamedPlace:
    """An application, as all handles name it."""

    place: ApplicationPath
    name: str

    @classmethod
    def from_json(cls, handle: t.Mapping[str, t.Any]) -> NamedPlace:
        """
        :raises SyncError: ``invalid_option`` if it is not a handle of ServerAvatar.
        """
        ids, name = _ids(handle, "organization", "server", "application"), handle.get("name")
        if ids is None or not isinstance(name, str):
            raise _bad_handle(handle)
        return cls(ApplicationPath(*ids), name)

    def to_json(self, provider: str, address: str) -> Json:
        return {"provider": provider, "address": address, **dataclasses.asdict(self.place), "name": self.name}


# -- syncs -------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class SyncHandle:
    """A sync of a staging area.

    :param before: the status row before it, ``None`` if there was none.
    """

    at: NamedPlace
    before: StatusMark | None

    @classmethod
    def from_json(cls, handle: t.Mapping[str, t.Any]) -> SyncHandle:
        """
        :raises SyncError: ``invalid_option`` if it is not a handle of a sync.
        """
        at, before = NamedPlace.from_json(handle), handle.get("before")
        if not isinstance(before, (dict, type(None))):
            raise _bad_handle(handle)
        return cls(at, None if before is None else StatusMark.from_json(before))

    def to_json(self, address: str) -> Json:
        return {**self.at.to_json(SYNC, address), **sync_snapshot(self.before)}


def sync_snapshot(before: StatusMark | None) -> Json:
    return {"before": None if before is None else before.to_json()}


def mark_in_sync_snapshot(snapshot: t.Mapping[str, t.Any]) -> StatusMark | None:
    before = snapshot.get("before")
    return None if before is None else StatusMark.from_json(before)


# -- restores ----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class BackupRef:
    """A backup, and the application that it overwrites."""

    place: ApplicationPath
    backup: int

    @property
    def id(self) -> str:
        return f"{self.place.id}/{self.backup}"


@dataclasses.dataclass(frozen=True)
class RestoreHandle:
    """A restore of a backup.

    :param before: the row of the backup before it.
    :param waits_for_staging: it is not the restore, but the sync that has to end first.
    """

    at: NamedPlace
    backup: int
    before: BackupMark
    waits_for_staging: bool = False

    @property
    def source(self) -> BackupRef:
        return BackupRef(self.at.place, self.backup)

    @classmethod
    def from_json(cls, handle: t.Mapping[str, t.Any]) -> RestoreHandle:
        """
        :raises SyncError: ``invalid_option`` if it is not a handle of a restore.
        """
        at, ids, before = NamedPlace.from_json(handle), _ids(handle, "backup"), handle.get("before")
        if ids is None or not isinstance(before, dict):
            raise _bad_handle(handle)
        return cls(at, ids[0], BackupMark.from_json(before), handle.get("waits_for") == WAITS_FOR_STAGING)

    def to_json(self, address: str) -> Json:
        more = {"waits_for": WAITS_FOR_STAGING} if self.waits_for_staging else {}
        return {**self.at.to_json(RESTORE, address), "backup": self.backup, **restore_snapshot(self.before), **more}


def restore_snapshot(before: BackupMark) -> Json:
    return {"before": before.to_json()}


def mark_in_restore_snapshot(snapshot: t.Mapping[str, t.Any]) -> BackupMark:
    return BackupMark.from_json(snapshot["before"])


# -- backups -----------------------------------------------------------------------------------------------------------


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


@dataclasses.dataclass(frozen=True)
class ExpectedBackup:
    """How a requested backup will be found: by the name that was sent, in a row with an id greater than ``after``."""

    name: str
    after: int

    @classmethod
    def from_json(cls, snapshot: t.Mapping[str, t.Any]) -> ExpectedBackup:
        return cls(snapshot["backup"], int(snapshot["after"]))

    def to_json(self) -> Json:
        return {"backup": self.name, "after": self.after}


@dataclasses.dataclass(frozen=True)
class BackupHandle:
    """A backup that was requested.

    :param name: that of the application.
    :param ordered_at: ``None`` for one that was found.
    """

    request: BackupRequest
    name: str
    expected: ExpectedBackup
    ordered_at: dt.datetime | None = None

    @classmethod
    def from_json(cls, handle: t.Mapping[str, t.Any]) -> BackupHandle:
        """
        :raises SyncError: ``invalid_option`` if it is not a handle of a backup.
        """
        at, ids, database = NamedPlace.from_json(handle), _ids(handle, "storage", "after"), _ids(handle, "database")
        known = handle.get("type") in BACKUP_TYPES and isinstance(handle.get("backup"), str)
        if ids is None or not known or (database is None and handle.get("database") is not None):
            raise _bad_handle(handle)
        request = BackupRequest(at.place, handle["type"], ids[0], database=database[0] if database else None)
        return cls(request, at.name, ExpectedBackup.from_json(handle), parse_iso(handle.get("ordered_at")))

    def to_json(self, address: str) -> Json:
        request = self.request
        return {
            **NamedPlace(request.place, self.name).to_json(BACKUP, address),
            "type": request.type,
            "storage": request.storage,
            "database": request.database,
            **self.expected.to_json(),
            "ordered_at": isoformat(self.ordered_at),
        }


def _ids(handle: t.Mapping[str, t.Any], *names: str) -> list[int] | None:
    """The ids under ``names`` in a handle, or ``None`` if one is not an id. Nothing else of a handle may get into a path."""
    values = [str(handle.get(name)) for name in names]
    return [int(value) for value in values] if all(map(is_id, values)) else None


def _bad_handle(handle: t.Mapping[str, t.Any]) -> SyncError:
    return invalid_option("handles", dict(handle), "is not a handle of ServerAvatar", "Pass the handle of a record unchanged.")
