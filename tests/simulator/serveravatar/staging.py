# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The five endpoints of a staging area."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from ..framework import MUTATE, Call, Route, json_answer
from . import texts
from .catalog import APPLICATION
from .forms import FALSE, TRUE, Errors, fields, missing, spoken
from .gate import Gate, number
from .knobs import ServerAvatarKnobs
from .runs import NewStaging, Runs
from .world import Application, StagingRow, World, timestamp

ALPHA_DASH = re.compile(r"[\w-]+")


class Staging:
    def __init__(self, world: World, knobs: ServerAvatarKnobs, gate: Gate, runs: Runs) -> None:
        self._world = world
        self._knobs = knobs
        self._gate = gate
        self._runs = runs

    def routes(self) -> list[Route]:
        return [
            Route("GET", APPLICATION + "/staging-area-detail", self.detail),
            Route("POST", APPLICATION + "/staging-area", self.create),
            Route("GET", APPLICATION + "/status", self.status),
            Route("GET", APPLICATION + "/sync", self.sync, kind=MUTATE),
            Route("DELETE", APPLICATION + "/remove-staging-area", self.remove),
        ]

    # Reading

    async def detail(self, call: Call) -> web.StreamResponse:
        application = self._gate.application(call)
        copy = self._world.staging_of(application.id)
        return json_answer(self._no_detail() if copy is None else self._detail_of(copy))

    def _detail_of(self, copy: Application) -> dict[str, Any]:
        return {
            "is_availabel_staging_area": True,  # spelt so by the service
            "migrationServer": self._world.servers[copy.server_id].ip,
            "application_name": copy.name,
            "application_domain": copy.primary_domain,
            "database_name": self._world.databases[copy.database_id].name,
        }

    def _no_detail(self) -> dict[str, Any]:
        if self._knobs.detail_without_staging == "not_found":
            raise self._gate.refuse(texts.CAN_NOT)
        names = ("migrationServer", "application_name", "application_domain", "database_name")
        rest = dict.fromkeys(names) if self._knobs.detail_without_staging == "nulls" else {}
        return {"is_availabel_staging_area": False, **rest}

    async def status(self, call: Call) -> web.StreamResponse:
        application = self._gate.application(call)
        row = self._world.rows.get(application.id)
        if row is None:
            raise self._gate.refuse(texts.CAN_NOT)
        return json_answer(
            {
                "configurationInPercentage": row.percentage(self._world.now),
                "displayText": row.display,
                "siteMigration": self._row(row),
            }
        )

    def _row(self, row: StagingRow) -> dict[str, Any]:
        return {
            "id": row.id,
            "server_id": row.server_id,
            "migration_server_id": row.migration_server_id,
            "application_id": row.application_id,
            "database_id": row.database_id,
            "migration_application_id": row.migration_application_id,
            "migration_database_id": None,
            "site_type": "staging_area",
            "type": "application",
            "size": 0,
            "key": row.key,
            "status": row.status,
            "created_at": timestamp(row.created + self._knobs.clock_offset),
            "updated_at": timestamp(row.updated + self._knobs.clock_offset),
        }

    # The sync

    async def sync(self, call: Call) -> web.StreamResponse:
        application = self._gate.application(call)
        answer = self._knobs.for_application(application.id).sync_answer
        self._check_permission(application, answer)
        self._check_free(application)
        if answer in texts.SYNC_REFUSALS:
            raise self._gate.refuse(texts.SYNC_REFUSALS[answer])
        if self._world.staging_of(application.id) is None:
            raise self._gate.refuse(texts.SYNC_REFUSALS["staging_application"])
        self._runs.begin_sync(application, "api")
        if answer == "error_after":
            raise self._gate.refuse(texts.WENT_WRONG)
        return json_answer({"message": texts.SYNC_STARTED})

    def _check_permission(self, application: Application, answer: str) -> None:
        if answer in texts.PERMISSION_REFUSALS:
            raise self._gate.refuse(texts.PERMISSION_REFUSALS[answer])
        if application.id not in self._world.rows:
            raise self._gate.refuse(texts.CANNOT)

    def _check_free(self, application: Application) -> None:
        if self._world.busy(application.id) is not None:
            raise self._gate.refuse(texts.BUSY)

    # Creating and removing

    async def create(self, call: Call) -> web.StreamResponse:
        application = self._gate.application(call)
        self._check_free(application)
        body = fields(call)
        errors = validate(body)
        if errors:
            raise self._gate.invalid(errors)
        if self._world.staging_of(application.id) is not None:
            raise self._gate.refuse(texts.CANNOT)
        order = self._order(application, body)
        answer = self._knobs.for_application(application.id).create_answer
        if answer in texts.CREATE_REFUSALS:
            raise self._gate.refuse(texts.CREATE_REFUSALS[answer])
        self._runs.begin_create(application, order)
        return json_answer({"message": texts.CREATE_STARTED})

    def _order(self, application: Application, body: dict[str, Any]) -> NewStaging:
        home = self._world.servers[application.server_id]
        server = self._world.servers.get(number(body["migration_server_id"]))
        if server is None or server.organization_id != home.organization_id:
            raise self._gate.refuse(texts.MIGRATION_SERVER_NOT_FOUND)
        database = self._world.databases.get(number(body["database_id"]))
        if database is None or database.server_id != home.id:
            raise self._gate.refuse(texts.DATABASE_NOT_FOUND)
        temporary = body["temp_domain"] in TRUE
        domain = f"{body['temp_sub_domain_name']}.temporary.test" if temporary else str(body["hostname"])
        order = NewStaging(body["staging_area_name"], domain, server.id, database.id)
        self._check_unique(order)
        return order

    def _check_unique(self, order: NewStaging) -> None:
        for other in self._world.on_server(order.server_id):
            if other.name == order.name:
                raise self._gate.refuse(texts.DUPLICATE_NAME)
            if other.primary_domain == order.domain:
                raise self._gate.refuse(texts.DUPLICATE_DOMAIN)

    async def remove(self, call: Call) -> web.StreamResponse:
        application = self._gate.application(call)
        self._check_permission(application, self._knobs.for_application(application.id).sync_answer)
        self._check_free(application)
        row = self._world.rows.pop(application.id)
        if row.migration_application_id is not None:
            self._world.applications.pop(row.migration_application_id, None)
        return json_answer({"message": texts.STAGING_DELETED})


def validate(body: dict[str, Any]) -> Errors:
    needed = ["staging_area_name", "migration_server_id", "database_id", "temp_domain", "wordpressUrlType"]
    needed.append("temp_sub_domain_name" if body.get("temp_domain") in TRUE else "hostname")
    errors = missing(body, needed)
    name = body.get("staging_area_name")
    if name and not ALPHA_DASH.fullmatch(str(name)):
        errors["staging_area_name"] = ["The staging area name must only contain letters, numbers, dashes and underscores."]
    for field in ("migration_server_id", "database_id"):
        if field not in errors and number(body[field]) < 0:
            errors[field] = [f"The {spoken(field)} must be a number."]
    for field in ("temp_domain", "wordpressUrlType"):
        if field not in errors and body[field] not in (*TRUE, *FALSE):
            errors[field] = [f"The {spoken(field)} field must be true or false."]
    return errors
