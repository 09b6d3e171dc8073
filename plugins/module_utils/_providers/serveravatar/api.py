# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The calls to ServerAvatar (docs/reference/serveravatar.md#2 to #5 and #7)."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._core.errors import SyncError
from ..._core.vocabulary import Json
from ..._http.client import Channel
from ..._http.response import Response
from .responses import accepted, definite, read_json
from .rows import ApplicationPath, ApplicationRow, BackupRow, ListedRow, NamedRow, Server, Staging, StatusRow, StorageRow

#: longer than any list of this service; bounds the requests to a server that ignores ``page``
MAX_PAGES = 1000

#: the parameter without which some lists are not paginated
PAGINATED: t.Mapping[str, int | str] = {"pagination": 1}

Row = t.TypeVar("Row")


# -- lists -----------------------------------------------------------------------------------------------------------------


def page_of(response: Response, key: str, of: t.Callable[[Json], Row]) -> tuple[list[Row], int]:
    """The rows of one page and the number of pages.

    The paginator is under a key or is the body itself; without paging there is a plain list (docs/reference/serveravatar.md#2.5).

    :param of: makes a value of a row, which has an id.
    """
    reader = read_json(response)
    found = reader.body.get(key, reader.body) if isinstance(reader.body, dict) else reader.body
    last = 1
    if isinstance(found, dict) and "data" in found:
        last = int(reader.check(found, key, last_page="number_or_null").get("last_page") or 1)
        # PHP encodes a list with gaps as an object
        found = list(found["data"].values()) if isinstance(found["data"], dict) else found["data"]
    return [of(row) for row in reader.check_rows(found, key, id="number")], min(last, MAX_PAGES)


def pages(
    channel: Channel, path: str, key: str, of: t.Callable[[Json], Row], params: t.Mapping[str, int | str] | None = None
) -> t.Iterator[tuple[list[Row], int]]:
    """The pages of a list, each with the number of those that follow it, see :func:`page_of`."""
    page, last = 1, 1
    while page <= last:
        rows, last = page_of(channel.observe(path, {**(params or {}), "page": page if page > 1 else None}), key, of)
        yield rows, last - page
        page += 1


def list_all(
    channel: Channel, path: str, key: str, of: t.Callable[[Json], Row], params: t.Mapping[str, int | str] | None = None
) -> list[Row]:
    """All rows of a list, see :func:`page_of`."""
    return [row for rows, _left in pages(channel, path, key, of, params) for row in rows]


def list_organizations(channel: Channel) -> list[NamedRow]:
    return list_all(channel, "/organizations", "organizations", NamedRow.from_json)


def list_servers(channel: Channel, organization: int) -> list[Server]:
    return list_all(channel, f"/organizations/{organization}/servers", "servers", Server.from_json, PAGINATED)


def list_applications(channel: Channel, organization: int, server: int) -> list[ApplicationRow]:
    return list_all(channel, _applications(organization, server), "applications", ApplicationRow.from_json)


def find_applications(channel: Channel, organization: int, server: int, wanted: t.Iterable[int]) -> list[ApplicationRow]:
    """The applications with some ids, and others, as far as pages of the list take fewer requests than one for each."""
    found: list[ApplicationRow] = []
    missing = set(wanted)
    for rows, left in pages(channel, _applications(organization, server), "applications", ApplicationRow.from_json):
        found += rows
        missing.difference_update(row.id for row in rows)
        if left >= len(missing):
            break
    return found


def _applications(organization: int, server: int) -> str:
    return f"/organizations/{organization}/servers/{server}/applications"


def list_databases(channel: Channel, organization: int, server: int, name: str) -> list[NamedRow]:
    """The databases whose names contain ``name``."""
    path = f"/organizations/{organization}/servers/{server}/databases"
    return list_all(channel, path, "databases", NamedRow.from_json, {**PAGINATED, "search": name})


def list_storages(channel: Channel, organization: int) -> list[StorageRow]:
    """The storage providers for backups."""
    path = f"/organizations/{organization}/cloud-storage-providers"
    return list_all(channel, path, "storage providers", StorageRow.from_json, PAGINATED)


def newest_backups(channel: Channel, organization: int) -> t.Iterator[BackupRow]:
    """The backups of an organization, newest (by id) first; pages are fetched as they are needed."""
    return (listed.backup for listed in newest_listed(channel, organization))


def newest_listed(channel: Channel, organization: int) -> t.Iterator[ListedRow]:
    """As :func:`newest_backups`, with where and when each was found."""
    return (listed for rows in newest_pages(channel, organization) for listed in rows)


def find_backup(channel: Channel, organization: int, backup: int, page: int = 1) -> ListedRow | None:
    """One backup of an organization.

    :param page: where it was found before.
    """
    if page > 1:
        listed = next((item for item in backups_on(channel, organization, page) if item.backup.id == backup), None)
        if listed is not None:
            return listed
    listed = next((item for item in newest_listed(channel, organization) if item.backup.id <= backup), None)
    return listed if listed is not None and listed.backup.id == backup else None


def backups_on(channel: Channel, organization: int, page: int) -> list[ListedRow]:
    """The backups on a page, in the order of the server."""
    return _page_of_backups(channel, organization, page)[0]


def _page_of_backups(channel: Channel, organization: int, page: int) -> tuple[list[ListedRow], int]:
    """The backups on a page, and the number of pages."""
    response = channel.observe(f"/organizations/{organization}/backups", {"page": page if page > 1 else None})
    rows, last = page_of(response, "backups", BackupRow.from_json)
    return [ListedRow(row, page, response.server_now) for row in rows], last


def newest_pages(channel: Channel, organization: int) -> t.Iterator[list[ListedRow]]:
    """The backups of an organization, newest (by id) first, a page at a time.

    The order of the list is not documented, so it is determined from the first page. Without one, all pages are one.
    """
    found, last = _page_of_backups(channel, organization, 1)
    ids = [item.backup.id for item in found]
    ordered = len(ids) > 1 or last == 1
    if ordered and ids == sorted(ids, reverse=True):
        yield found
        for page in range(2, last + 1):
            yield backups_on(channel, organization, page)
    elif ordered and ids == sorted(ids):
        for page in range(last, 1, -1):
            yield list(reversed(backups_on(channel, organization, page)))
        yield list(reversed(found))
    else:
        for page in range(2, last + 1):
            found += backups_on(channel, organization, page)
        yield sorted(found, key=lambda item: item.backup.id, reverse=True)


# -- single objects --------------------------------------------------------------------------------------------------------


def get_server(channel: Channel, organization: int, server: int) -> Server:
    found = read_json(channel.observe(f"/organizations/{organization}/servers/{server}")).object_at("server", id="number")
    return Server.from_json(found)


def get_application_name(channel: Channel, place: ApplicationPath) -> str | None:
    """The name of an application that exists.

    :raises SyncError: ``not_found``.
    """
    name = read_json(channel.observe(place.path)).object_at("application").get("name")
    return None if name is None else str(name)


def get_staging(channel: Channel, place: ApplicationPath) -> Staging:
    """The staging area of an application; one that has none may be answered with a refusal."""
    try:
        body = read_json(channel.observe(f"{place.path}/staging-area-detail")).object_at()
    except SyncError as error:
        if error.code != "permission_denied" or error.http_status != 404:
            raise
        return Staging(False)
    staging = Staging.from_json(body)
    if staging is None:
        raise SyncError(
            "bad_response",
            "the details of the staging area do not say whether there is one",
            "The API may have changed. Set require_staging to false to go on without this check.",
        )
    return staging


def get_status(channel: Channel, place: ApplicationPath) -> StatusRow | None:
    """The status row, or ``None`` where there is none (or none that the account may see).

    :raises SyncError: ``bad_response`` for anything with neither a row nor a text (docs/reference/serveravatar.md#4.2): as all
        unknown words mean that something is running, it would pass for a run, and the next row for the end of that.
    """
    try:
        response = channel.observe(f"{place.path}/status")
    except SyncError as error:
        if error.code != "permission_denied" or error.http_status != 404:
            raise
        return None
    reader = read_json(response)
    body = reader.object_at()
    if not isinstance(body.get("displayText"), str):
        reader.object_at("siteMigration", id="number", status="text")
    return StatusRow.from_json(body, response.server_now)


# -- triggers --------------------------------------------------------------------------------------------------------------


def start_sync(channel: Channel, place: ApplicationPath) -> Response:
    """Overwrite production with staging: the one mutating call, although it is a GET."""
    return accepted(channel.trigger("GET", f"{place.path}/sync", definite=definite))


@dataclasses.dataclass(frozen=True)
class InstantBackup:
    """A backup to be made at once. What is ``None`` is not sent.

    :param type: ``application``, ``filesystem`` or ``database``.
    :param storage_type: the service that the storage is at.
    """

    name: str
    type: str
    storage: int
    storage_type: str
    database: int | None
    retention_period: str | None
    application_extension: str | None
    database_extension: str | None

    def to_json(self, application: int) -> Json:
        body: Json = {
            "provider": self.storage_type,
            "cloud_storage_provider_id": self.storage,
            "automatic_backup": 0,
            "type": self.type,
            "application_id": application,
            "name": self.name,
            "database_id": self.database,
            "retention_period": self.retention_period,
            "application_extension": self.application_extension,
            "database_extension": self.database_extension,
        }
        return {name: value for name, value in body.items() if value is not None}


def start_backup(channel: Channel, place: ApplicationPath, wanted: InstantBackup) -> Response:
    """Start a backup. The response does not identify it."""
    path = f"/organizations/{place.organization}/servers/{place.server}/backups"
    return accepted(channel.trigger("POST", path, wanted.to_json(place.application), definite=definite))


def start_restore(channel: Channel, organization: int, backup: int) -> Response:
    """Overwrite an application with a backup of it: a mutating call, although it is a GET."""
    return accepted(channel.trigger("GET", f"/organizations/{organization}/backups/{backup}/restore", definite=definite))
