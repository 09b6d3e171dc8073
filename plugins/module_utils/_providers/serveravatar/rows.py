# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""What ServerAvatar returns, as typed values. The JSON of the service is read here and nowhere else."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ..._core.clock import parse_iso
from ..._core.vocabulary import Json

#: seconds; the last is the largest assumed difference between the clocks of ``Date`` and of the dates of rows
DAY, QUARTER, MAX_SKEW = 86400.0, 900.0, 3.0


@dataclasses.dataclass(frozen=True)
class ApplicationPath:
    """Path to an application. Ids are numbers, so they need no encoding."""

    organization: int
    server: int
    application: int

    @property
    def path(self) -> str:
        return f"/organizations/{self.organization}/servers/{self.server}/applications/{self.application}"

    @property
    def id(self) -> str:
        """The id of the application in targets and ledger entries."""
        return f"{self.organization}/{self.server}/{self.application}"

    def as_detail(self) -> Json:
        return dataclasses.asdict(self)


# -- rows of lists -----------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class NamedRow:
    """A row of which only the name matters: an organization or a database."""

    id: int
    name: str | None

    @classmethod
    def from_json(cls, row: Json) -> NamedRow:
        return cls(int(row["id"]), _text(row.get("name")))


@dataclasses.dataclass(frozen=True)
class Server:
    """The needed facts about a server.

    :param disk_usage: percent of the disk in use, as last measured by the server (docs/reference/serveravatar.md#6).
    """

    id: int
    name: str
    ip: str | None
    connected: bool
    disk_usage: float | None = None

    @classmethod
    def from_json(cls, row: Json) -> Server:
        status = row.get("agent_status")
        connected = status is None or is_true(status)
        name = str(row.get("name") or row["id"])
        return cls(int(row["id"]), name, _text(row.get("ip")), connected, _percent(row.get("latest_monitor_log")))


@dataclasses.dataclass(frozen=True)
class ApplicationRow:
    """An application in the list of those on a server."""

    id: int
    name: str | None
    primary_domain: str | None

    @classmethod
    def from_json(cls, row: Json) -> ApplicationRow:
        return cls(int(row["id"]), _text(row.get("name")), _text(row.get("primary_domain")))


@dataclasses.dataclass(frozen=True)
class StorageRow:
    """A storage provider for backups."""

    id: int
    name: str | None
    provider: str

    @classmethod
    def from_json(cls, row: Json) -> StorageRow:
        return cls(int(row["id"]), _text(row.get("name")), str(row.get("provider")))


@dataclasses.dataclass(frozen=True)
class BackupMark:
    """The fields of the row of a backup that differ as soon as it has changed.

    :param updated_at: to the second, and without a time zone.
    """

    status: str
    updated_at: str | None

    @classmethod
    def from_json(cls, mark: Json) -> BackupMark:
        return cls(str(mark.get("status")), _text(mark.get("updated_at")))

    def to_json(self) -> Json:
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class BackupRow:
    """A backup in the list of backups; it cannot be read in any other way. Rows do not show the type of a backup.

    :param name: empty if it has none.
    :param size: as the service writes it.
    :param expires_at: without a time zone, as ``updated_at``.
    :param storage: ``None`` if the row names none.
    :param shows_storage: whether the row has a field for the storage at all.
    """

    id: int
    name: str
    status: str | None
    size: object
    updated_at: str | None
    expires_at: str | None
    server: int | None
    application: int | None
    application_name: str | None
    storage: int | None
    shows_storage: bool

    @classmethod
    def from_json(cls, row: Json) -> BackupRow:
        configuration, application = row.get("backup_configuration"), row.get("application")
        name = configuration.get("name") if isinstance(configuration, dict) else None
        return cls(
            id=int(row["id"]),
            name=str(name or ""),
            status=_text(row.get("status")),
            size=row.get("totalSize"),
            updated_at=_text(row.get("updated_at")),
            expires_at=_text(row.get("expires_at")),
            server=_id(row.get("server_id")),
            application=_id(row.get("application_id")),
            application_name=_text(application.get("name")) if isinstance(application, dict) else None,
            storage=_id(row.get("cloud_storage_provider_id")),
            shows_storage="cloud_storage_provider_id" in row,
        )

    @property
    def mark(self) -> BackupMark:
        return BackupMark(self.status or "", self.updated_at)

    def is_of(self, application: int, storage: int) -> bool:
        """Whether it is of this application and in this storage."""
        return self.application == application and (not self.shows_storage or self.storage == storage)

    def as_detail(self) -> Json:
        return {"id": self.id, "name": self.name, "size": self.size, "status": self.status}


@dataclasses.dataclass(frozen=True)
class ListedRow:
    """Where and when a backup was found in the list.

    :param read_at: the clock of the server when it returned the row.
    """

    backup: BackupRow
    page: int
    read_at: dt.datetime | None

    @property
    def seconds_until_distinguishable(self) -> float:
        """See :func:`seconds_until_distinguishable`."""
        return seconds_until_distinguishable(self.backup.updated_at, self.read_at)


# -- staging areas -----------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class StatusMark:
    """The fields of a status row that differ as soon as it has changed.

    :param updated_at: to the second, and without a time zone.
    """

    id: int | None
    status: str
    updated_at: str | None
    percentage: float | None

    @classmethod
    def from_json(cls, mark: Json) -> StatusMark:
        return cls(_id(mark.get("id")), str(mark.get("status")), _text(mark.get("updated_at")), _number(mark.get("percentage")))

    def to_json(self) -> Json:
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class StatusRow:
    """The status row of a staging area.

    :param updated_at: to the second, and without a time zone.
    :param read_at: the clock of the server when it returned the row.
    """

    id: int | None
    status: str
    text: str
    percentage: float | None
    updated_at: str | None
    database: int | None = None
    read_at: dt.datetime | None = dataclasses.field(default=None, compare=False)

    @classmethod
    def from_json(cls, body: Json, read_at: dt.datetime | None) -> StatusRow:
        row = body.get("siteMigration")
        row = row if isinstance(row, dict) else {}
        return cls(
            id=_id(row.get("id")),
            status=str(row.get("status") or ""),
            text=str(body.get("displayText") or ""),
            percentage=_number(body.get("configurationInPercentage")),
            updated_at=_text(row.get("updated_at")),
            database=_id(row.get("database_id")),
            read_at=read_at,
        )

    @property
    def mark(self) -> StatusMark:
        return StatusMark(self.id, self.status, self.updated_at, self.percentage)

    @property
    def seconds_until_distinguishable(self) -> float:
        """See :func:`seconds_until_distinguishable`."""
        return seconds_until_distinguishable(self.updated_at, self.read_at)

    def as_detail(self) -> Json:
        return {"text": self.text, "percent": self.percentage, "state": self.status, "updated_at": self.updated_at}


@dataclasses.dataclass(frozen=True)
class Staging:
    """The staging area of an application, as the service describes it."""

    available: bool
    server: str | None = None
    application: str | None = None
    domain: str | None = None
    database: str | None = None

    @classmethod
    def from_json(cls, body: Json) -> Staging | None:
        """``None`` if the body does not say whether there is one."""
        # the service spells it so
        available = body.get("is_availabel_staging_area", body.get("is_available_staging_area"))
        if available is None:
            return None
        names = ("migrationServer", "application_name", "application_domain", "database_name")
        return cls(is_true(available), *(_text(body.get(name)) for name in names))

    def as_detail(self) -> Json:
        return dataclasses.asdict(self)


# -- values ------------------------------------------------------------------------------------------------------------


def seconds_until_distinguishable(date: str | None, read_at: dt.datetime | None) -> float:
    """Seconds until a new change of a row would have another date than the last one.

    The date has no time zone. Offsets from UTC are whole quarters of an hour and less than a day, so the remainder is the age.

    :param read_at: the clock of the server when it returned the date.
    """
    changed_at = parse_iso(date)
    if changed_at is None or read_at is None:
        return 0.0
    apart = (read_at - changed_at).total_seconds()
    age = (apart + QUARTER / 2) % QUARTER - QUARTER / 2
    return 1.0 - age if abs(apart) < DAY and -MAX_SKEW <= age < 1.0 else 0.0


def is_id(text: str) -> bool:
    """Whether a text is an id rather than a name."""
    return text.isascii() and text.isdigit()


def is_true(value: object) -> bool:
    """Whether a value is true in one of the forms of the service: ``true``, 1 and ``"1"``."""
    return str(value).lower() in ("true", "1")


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _id(value: object) -> int | None:
    return int(str(value)) if value is not None and is_id(str(value)) else None


def _number(value: t.Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return int(number) if number.is_integer() else number


def _percent(log: object) -> float | None:
    try:
        return float(str(log["disk_usage"]).rstrip("% ")) if isinstance(log, dict) else None
    except (KeyError, ValueError):
        return None
