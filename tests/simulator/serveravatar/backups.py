# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups: made, listed, restored (by a GET) and deleted."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from aiohttp import web

from ..framework import MUTATE, Call, Route, json_answer
from . import texts
from .catalog import ORGANIZATION, SERVER
from .forms import FALSE, TRUE, Errors, fields, missing, spoken
from .gate import Gate, number
from .knobs import ServerAvatarKnobs
from .paging import paginate
from .restores import Restores
from .world import Application, Backup, CloudProvider, Server, World, next_id, timestamp

TYPES = ("filesystem", "database", "application")
PROVIDERS = ("gdrive", "amazon_s3", "dropbox", "serveravatar", "wasabi", "custom_s3")
RETENTIONS = ("1 Month", "2 Months", "3 Months", "6 Months", "12 Months", "24 Months")
REQUIRED = ("provider", "cloud_storage_provider_id", "automatic_backup", "type", "application_id")
#: which backups have a file of this kind, and what its name may end with
EXTENSIONS = {
    "application_extension": (("application", "filesystem"), (".tar", ".tar.gz")),
    "database_extension": (("application", "database"), (".sql", ".sql.gz")),
}
CHOICES = {"provider": PROVIDERS, "type": TYPES, "automatic_backup": (*TRUE, *FALSE)}


class Backups:
    def __init__(self, world: World, knobs: ServerAvatarKnobs, gate: Gate, restores: Restores, url: Callable[[], str]) -> None:
        self._restores = restores
        self._world = world
        self._knobs = knobs
        self._gate = gate
        self._url = url

    def routes(self) -> list[Route]:
        return [
            Route("POST", SERVER + "/backups", self.create),
            Route("GET", ORGANIZATION + "/backups", self.index),
            Route("GET", ORGANIZATION + "/backups/{backup}/restore", self.restore, kind=MUTATE),
            Route("POST", ORGANIZATION + "/backups/destroy", self.destroy),
        ]

    # Making

    async def create(self, call: Call) -> web.StreamResponse:
        server = self._gate.server(call)
        body = fields(call)
        errors = validate(body)
        if errors:
            raise self._gate.invalid(errors)
        application = self._world.applications.get(number(body["application_id"]))
        if application is None or application.server_id != server.id:
            raise self._gate.refuse(texts.APPLICATION_NOT_FOUND)
        provider = self._provider(server, body)
        self._check_database(server, body)
        if provider.provider == "serveravatar" and body["retention_period"] not in RETENTIONS:
            raise self._gate.refuse(texts.INVALID_RETENTION)
        if body["automatic_backup"] in TRUE:
            return self._plan(body)
        if self._knobs.for_application(application.id).backup_disk_full:
            raise self._gate.refuse(texts.BACKUP_DISK)
        self._begin(server, application, provider, body)
        return json_answer({"message": texts.BACKUP_STARTED})

    def _provider(self, server: Server, body: dict[str, Any]) -> CloudProvider:
        provider = self._world.providers.get(number(body["cloud_storage_provider_id"]))
        if provider is None or (provider.organization_id, provider.provider) != (server.organization_id, body["provider"]):
            raise self._gate.refuse(texts.PROVIDER_NOT_FOUND)
        return provider

    def _check_database(self, server: Server, body: dict[str, Any]) -> None:
        wanted = body.get("database_id")
        if wanted is None:
            return
        database = self._world.databases.get(number(wanted))
        if database is None or database.server_id != server.id:
            raise self._gate.refuse(texts.DATABASE_NOT_FOUND)

    def _plan(self, body: dict[str, Any]) -> web.Response:
        """A schedule is checked and otherwise forgotten: nothing here waits for days."""
        if not body.get("schedule"):
            raise self._gate.refuse(texts.INVALID_SCHEDULE)
        start = body.get("start_backup")
        if start is not None and str(start) <= time.strftime("%Y-%m-%d %H:%M", time.gmtime()):
            raise self._gate.refuse(texts.START_IN_THE_PAST)
        return json_answer({"message": texts.BACKUP_PLANNED})

    def _begin(self, server: Server, application: Application, provider: CloudProvider, body: dict[str, Any]) -> None:
        knobs, world = self._knobs.for_application(application.id), self._world
        number_ = next_id(world.backups)
        backup = Backup(
            id=number_,
            config_id=number_ + 200,
            organization_id=server.organization_id,
            server_id=server.id,
            provider=provider,
            application_id=application.id,
            database_id=None if body.get("database_id") is None else number(body["database_id"]),
            type=body["type"],
            name=str(body.get("name") or f"instant {application.name}"),
            content=application.content,
            status=knobs.backup_running,
            created=world.now,
            updated=world.now,
            visible=knobs.backup_row_appears == "at_start",
        )
        world.backups[backup.id] = backup
        if knobs.backup_outcome != "never":
            done = knobs.backup_outcome == "success"
            status = knobs.backup_success if done else knobs.backup_failure
            world.agenda.at(backup.created + knobs.backup_seconds, lambda when: _end_backup(backup, done, status, when))
        world.advance()

    # Listing

    async def index(self, call: Call) -> web.StreamResponse:
        organization = self._gate.organization(call)
        rows = [
            self._row(each) for each in self._world.backups.values() if each.organization_id == organization.id and each.visible
        ]
        if self._knobs.backup_order == "newest_first":
            rows.reverse()
        page = paginate(call, self._url(), rows, self._knobs.backups_per_page)
        for row in page["data"]:
            self._restores.shown(self._world.backups[row["id"]])
        return json_answer(page)

    def _row(self, backup: Backup) -> dict[str, Any]:
        application = self._world.applications.get(backup.application_id)
        database = self._world.databases.get(backup.database_id or -1)
        offset = self._knobs.clock_offset
        return {
            "id": backup.id,
            "backup_config_id": backup.config_id,
            "organization_id": backup.organization_id,
            "server_id": None if self._knobs.backup_rows_without_server else backup.server_id,
            "cloud_storage_provider_id": backup.provider.id,
            "application_id": backup.application_id,
            "database_id": backup.database_id,
            "backup_hash": f"{backup.id:032x}",
            "application_size": 52428800 if backup.done else 0,
            "database_size": 1048576 if backup.done else 0,
            "status": backup.status,
            "expires_at": None if backup.expires is None else timestamp(backup.expires + offset),
            "created_at": timestamp(backup.created + offset),
            "updated_at": timestamp(backup.updated + offset),
            "provider": backup.provider.provider,
            "totalSize": "51 MB" if backup.done else "0 MB",
            "database": database and {"id": database.id, "server_id": database.server_id, "name": database.name},
            "application": application and {"id": application.id, "system_user_id": 1, "name": application.name},
            "backup_configuration": {"id": backup.config_id, "name": backup.name},
        }

    # Restoring and deleting

    async def restore(self, call: Call) -> web.StreamResponse:
        organization = self._gate.organization(call)
        backup = self._world.backups.get(number(call.params["backup"]))
        expired = backup is not None and backup.expires is not None and backup.expires <= self._world.now
        if backup is None or backup.organization_id != organization.id or not backup.done or expired:
            raise self._gate.refuse(texts.BACKUP_NOT_FOUND)
        application = self._world.applications.get(backup.application_id)
        if application is None:
            raise self._gate.refuse(texts.APPLICATION_NOT_FOUND)
        if self._world.restoring(application.id) is not None:
            raise self._gate.refuse(texts.RESTORING)
        answer = self._knobs.for_application(application.id).restore_answer
        if answer in texts.RESTORE_REFUSALS:
            raise self._gate.refuse(texts.RESTORE_REFUSALS[answer])
        self._restores.begin(backup, application, "api")
        if answer == "error_after":
            raise self._gate.refuse(texts.WENT_WRONG)
        return json_answer({"message": texts.RESTORE_STARTED})

    async def destroy(self, call: Call) -> web.StreamResponse:
        organization = self._gate.organization(call)
        ids = fields(call).get("ids")
        if not isinstance(ids, list) or not ids:
            raise self._gate.invalid({"ids": ["The ids field is required."]})
        for each in ids:
            backup = self._world.backups.get(number(each))
            if backup is None or backup.organization_id != organization.id:
                raise self._gate.refuse(texts.BACKUP_NOT_FOUND)
        for each in ids:
            self._world.backups.pop(number(each), None)
        return json_answer({"message": texts.BACKUPS_DELETED})


def _end_backup(backup: Backup, done: bool, status: str, when: float) -> None:
    backup.done, backup.status, backup.updated, backup.visible = done, status, when, True


def validate(body: dict[str, Any]) -> Errors:
    errors = missing(body, REQUIRED)
    if body.get("provider") == "serveravatar" and not body.get("retention_period"):
        errors["retention_period"] = ["The retention period field is required when provider is serveravatar."]
    for name, choices in CHOICES.items():
        if name not in errors and body[name] not in choices:
            errors[name] = [f"The selected {spoken(name)} is invalid."]
    for name, (types, endings) in EXTENSIONS.items():
        if body.get(name) is not None and body.get("type") in types and body[name] not in endings:
            errors[name] = [f"The selected {spoken(name)} is invalid."]
    return errors
