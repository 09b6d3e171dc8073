# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The calls to ServerAvatar (docs/reference/serveravatar.md#2 to #5 and #7)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ..._core.clock import parse_iso
from ..._core.errors import SyncError
from ..._core.vocabulary import Json
from ..._http.client import Channel
from ..._http.response import Response
from .responses import accepted, definite, read_json

#: seconds; the last is the largest assumed difference between the clocks of ``Date`` and of the dates of rows
DAY, QUARTER, MAX_SKEW = 86400.0, 900.0, 3.0
#: longer than any list of this service; bounds the requests to a server that ignores ``page``
MAX_PAGES = 1000


# -- lists -----------------------------------------------------------------------------------------------------------------


def page_of(response: Response, key: str) -> tuple[list[Json], int]:
    """The rows of one page and the number of pages.

    The paginator is under a key or is the body itself; without paging there is a plain list (docs/reference/serveravatar.md#2.5).
    """
    reader = read_json(response)
    found = reader.body.get(key, reader.body) if isinstance(reader.body, dict) else reader.body
    last = 1
    if isinstance(found, dict) and "data" in found:
        last = int(reader.check(found, key, last_page="number_or_null").get("last_page") or 1)
        # PHP encodes a list with gaps as an object
        found = list(found["data"].values()) if isinstance(found["data"], dict) else found["data"]
    return reader.check_rows(found, key, id="number"), min(last, MAX_PAGES)


def get_page(channel: Channel, path: str, key: str, page: int, params: Json | None = None) -> tuple[list[Json], int]:
    """One page of a list, see :func:`page_of`."""
    return page_of(channel.observe(path, {**(params or {}), "page": page if page > 1 else None}), key)


def list_all(channel: Channel, path: str, key: str, params: Json | None = None) -> list[Json]:
    """All rows of a list."""
    found: list[Json] = []
    page, last = 1, 1
    while page <= last:
        rows, last = get_page(channel, path, key, page, params)
        found += rows
        page += 1
    return found


def list_organizations(channel: Channel) -> list[Json]:
    return list_all(channel, "/organizations", "organizations")


def list_servers(channel: Channel, organization: int) -> list[Json]:
    return list_all(channel, f"/organizations/{organization}/servers", "servers", {"pagination": 1})


def list_applications(channel: Channel, organization: int, server: int) -> list[Json]:
    return list_all(channel, f"/organizations/{organization}/servers/{server}/applications", "applications")


def list_databases(channel: Channel, organization: int, server: int, name: str) -> list[Json]:
    """The databases whose names contain ``name``."""
    path = f"/organizations/{organization}/servers/{server}/databases"
    return list_all(channel, path, "databases", {"pagination": 1, "search": name})


def list_storages(channel: Channel, organization: int) -> list[Json]:
    """The storage providers for backups."""
    path = f"/organizations/{organization}/cloud-storage-providers"
    return list_all(channel, path, "storage providers", {"pagination": 1})


@dataclasses.dataclass(frozen=True)
class BackupRow:
    """A backup in the list of backups; it cannot be read in any other way.

    :param page: where it was found.
    :param read_at: the clock of the server when it returned the row.
    """

    row: Json
    page: int
    read_at: dt.datetime | None

    @property
    def id(self) -> int:
        return int(self.row["id"])


def newest_backups(channel: Channel, organization: int) -> t.Iterator[Json]:
    """The backups of an organization, newest (by id) first; pages are fetched as they are needed.

    The order of the list is not documented, so it is determined from the first page.
    """
    return (listed.row for listed in _newest_listed(channel, organization))


def find_backup(channel: Channel, organization: int, backup: int, page: int = 1) -> BackupRow | None:
    """One backup of an organization.

    :param page: where it was found before.
    """
    if page > 1:
        listed = next((item for item in _backups_on(channel, organization, page)[0] if item.id == backup), None)
        if listed is not None:
            return listed
    listed = next((item for item in _newest_listed(channel, organization) if item.id <= backup), None)
    return listed if listed is not None and listed.id == backup else None


def _backups_on(channel: Channel, organization: int, page: int) -> tuple[list[BackupRow], int]:
    """The backups on a page, and the number of pages."""
    response = channel.observe(f"/organizations/{organization}/backups", {"page": page if page > 1 else None})
    rows, last = page_of(response, "backups")
    return [BackupRow(row, page, response.server_now) for row in rows], last


def _newest_listed(channel: Channel, organization: int) -> t.Iterator[BackupRow]:
    found, last = _backups_on(channel, organization, 1)
    ids = [item.id for item in found]
    ordered = len(ids) > 1 or last == 1
    if ordered and ids == sorted(ids, reverse=True):
        yield from found
        for page in range(2, last + 1):
            yield from _backups_on(channel, organization, page)[0]
    elif ordered and ids == sorted(ids):
        for page in range(last, 1, -1):
            yield from reversed(_backups_on(channel, organization, page)[0])
        yield from reversed(found)
    else:
        for page in range(2, last + 1):
            found += _backups_on(channel, organization, page)[0]
        yield from sorted(found, key=lambda item: item.id, reverse=True)


def backup_name(row: Json) -> str:
    """The name of a backup; empty if it has none."""
    configuration = row.get("backup_configuration")
    return str(configuration.get("name") or "") if isinstance(configuration, dict) else ""


def application_name(row: Json) -> str | None:
    """The name of the application that a backup is of, if the row has it."""
    application = row.get("application")
    name = application.get("name") if isinstance(application, dict) else None
    return None if name is None else str(name)


def shown_backup(row: Json) -> Json:
    """A backup as records show it."""
    return {"id": row["id"], "name": backup_name(row), "size": row.get("totalSize"), "status": row.get("status")}


# -- single objects --------------------------------------------------------------------------------------------------------


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

    @property
    def snapshot(self) -> Json:
        """The fields that differ as soon as the row has changed."""
        return {"id": self.id, "status": self.status, "updated_at": self.updated_at, "percentage": self.percentage}

    @property
    def seconds_until_distinguishable(self) -> float:
        """See :func:`seconds_until_distinguishable`."""
        return seconds_until_distinguishable(self.updated_at, self.read_at)


@dataclasses.dataclass(frozen=True)
class Staging:
    """The staging area of an application, as the service describes it."""

    available: bool
    server: str | None = None
    application: str | None = None
    domain: str | None = None
    database: str | None = None


def get_server(channel: Channel, organization: int, server: int) -> Json:
    return read_json(channel.observe(f"/organizations/{organization}/servers/{server}")).object_at("server", id="number")


def get_application(channel: Channel, place: ApplicationPath) -> Json:
    return read_json(channel.observe(place.path)).object_at("application")


def get_staging(channel: Channel, place: ApplicationPath) -> Staging:
    """The staging area of an application; one that has none may be answered with a refusal."""
    try:
        body = read_json(channel.observe(f"{place.path}/staging-area-detail")).object_at()
    except SyncError as error:
        if error.code != "permission_denied" or error.http_status != 404:
            raise
        return Staging(False)
    available = body.get("is_availabel_staging_area", body.get("is_available_staging_area"))  # the service spells it so
    if available is None:
        raise SyncError(
            "bad_response",
            "the details of the staging area do not say whether there is one",
            "The API may have changed. Set require_staging to false to go on without this check.",
        )
    names = ("migrationServer", "application_name", "application_domain", "database_name")
    return Staging(is_true(available), *(body.get(name) for name in names))


def get_status(channel: Channel, place: ApplicationPath) -> StatusRow | None:
    """The status row, or ``None`` where there is none (or none that the account may see)."""
    try:
        response = channel.observe(f"{place.path}/status")
    except SyncError as error:
        if error.code != "permission_denied" or error.http_status != 404:
            raise
        return None
    body = read_json(response).object_at()
    row = body.get("siteMigration")
    row = row if isinstance(row, dict) else {}
    return StatusRow(
        id=_id(row.get("id")),
        status=str(row.get("status") or ""),
        text=str(body.get("displayText") or ""),
        percentage=_number(body.get("configurationInPercentage")),
        updated_at=row.get("updated_at"),
        database=_id(row.get("database_id")),
        read_at=response.server_now,
    )


def start_sync(channel: Channel, place: ApplicationPath) -> Response:
    """Overwrite production with staging: the one mutating call, although it is a GET."""
    return accepted(channel.trigger("GET", f"{place.path}/sync", definite=definite))


def start_backup(channel: Channel, place: ApplicationPath, body: Json) -> Response:
    """Start a backup. The response does not identify it."""
    path = f"/organizations/{place.organization}/servers/{place.server}/backups"
    return accepted(channel.trigger("POST", path, body, definite=definite))


def start_restore(channel: Channel, organization: int, backup: int) -> Response:
    """Overwrite an application with a backup of it: a mutating call, although it is a GET."""
    return accepted(channel.trigger("GET", f"/organizations/{organization}/backups/{backup}/restore", definite=definite))


def is_id(text: str) -> bool:
    """Whether a text is an id rather than a name."""
    return text.isascii() and text.isdigit()


def is_true(value: t.Any) -> bool:
    """Whether a value is true in one of the forms of the service: ``true``, 1 and ``"1"``."""
    return str(value).lower() in ("true", "1")


def _id(value: t.Any) -> int | None:
    return int(value) if value is not None and is_id(str(value)) else None


def _number(value: t.Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return int(number) if number.is_integer() else number
