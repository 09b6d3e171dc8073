# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control routes, below /parts/serveravatar: the truth, and what other people and processes do.

================================ ==========================================================================================
GET /truth                       ``{"syncs_accepted", "overwritten", "applications": {id: …}}`` of every production application
GET /applications/{app}          one of them
POST /applications               add ``count`` applications with staging areas (``server``, ``prefix``): ``{"applications": […]}``
PUT /applications/{app}/content  ``production`` and ``staging``: the release each of them serves from now on
PUT /applications/{app}/row      ``status``, ``display``, ``percent``, ``updated_ago``: how the status row looks from now on
POST /applications/{app}/sync    somebody presses the button in the panel (not in the request log)
POST /applications/{app}/busy    another process holds the lock for ``seconds`` (1)
POST /applications/{app}/finish  whatever holds the lock ends now with ``outcome`` (success)
PUT /backups/{backup}            ``status``, ``done``, ``expires_in`` (seconds): how a backup is from now on
POST /backups/{backup}/restore   somebody restores it in the panel (not in the request log)
POST /backups/{backup}/finish    its restore ends now with ``outcome`` (success)
POST /key                        somebody makes a new key in the panel, which ends the old one: ``{"api_token"}``
DELETE /key                      somebody disables API access in the panel: no key is accepted
================================ ==========================================================================================
"""

from __future__ import annotations

import secrets
from typing import Any

from aiohttp import web

from ..framework import Abort, Call, Route, json_answer
from . import seed
from .gate import Gate, number
from .knobs import ServerAvatarKnobs
from .restores import Restores
from .runs import Runs
from .world import Application, Backup, Restore, Run, World, release


class Controls:
    def __init__(self, world: World, knobs: ServerAvatarKnobs, gate: Gate, runs: Runs, restores: Restores) -> None:
        self._gate = gate
        self._world = world
        self._knobs = knobs
        self._runs = runs
        self._restores = restores

    def routes(self) -> list[Route]:
        one = "/applications/{application}"
        return [
            Route("GET", "/truth", self.truth),
            Route("POST", "/applications", self.add),
            Route("GET", one, self.show),
            Route("PUT", one + "/content", self.set_content),
            Route("PUT", one + "/row", self.set_row),
            Route("POST", one + "/sync", self.sync),
            Route("POST", one + "/busy", self.busy),
            Route("POST", one + "/finish", self.finish),
            Route("PUT", "/backups/{backup}", self.set_backup),
            Route("POST", "/backups/{backup}/restore", self.restore),
            Route("POST", "/backups/{backup}/finish", self.finish_restore),
            Route("POST", "/key", self.make_key),
            Route("DELETE", "/key", self.disable),
        ]

    async def make_key(self, call: Call) -> web.StreamResponse:
        token = secrets.token_hex(30)
        self._gate.replace_token(token)
        return json_answer({"api_token": token})

    async def disable(self, call: Call) -> web.StreamResponse:
        self._gate.replace_token(None)
        return json_answer({})

    def _application(self, call: Call) -> Application:
        application = self._world.applications.get(number(call.params["application"]))
        if application is None:
            raise Abort(json_answer({"error": f"no application {call.params['application']!r}"}, status=404))
        return application

    async def truth(self, call: Call) -> web.StreamResponse:
        world = self._world
        return json_answer(
            {
                "syncs_accepted": sum(run.kind == "sync" and run.source == "api" for run in world.runs),
                "overwritten": sum(len(times) for times in world.overwritten.values()),
                "applications": {
                    str(each.id): self._facts(each) for each in world.applications.values() if each.production_id is None
                },
            }
        )

    async def show(self, call: Call) -> web.StreamResponse:
        return json_answer(self._facts(self._application(call)))

    def _facts(self, application: Application) -> dict[str, Any]:
        world, copy = self._world, self._world.staging_of(application.id)
        return {
            "id": application.id,
            "name": application.name,
            "server": application.server_id,
            "active": application.active,
            "production": application.content.marker,
            "staging": None if copy is None else copy.content.marker,
            "staging_application": None if copy is None else copy.id,
            "busy": world.busy(application.id) is not None,
            "restoring": world.restoring(application.id) is not None,
            "runs": [_run(each) for each in world.runs if each.application_id == application.id],
            "overwritten": world.overwritten.get(application.id, []),
            "restores": [_restore(each) for each in world.restores if each.application_id == application.id],
            "backups": [each.id for each in world.backups.values() if each.application_id == application.id],
            "backup_status": {
                str(each.id): each.status for each in world.backups.values() if each.application_id == application.id
            },
        }

    async def add(self, call: Call) -> web.StreamResponse:
        body = call.json() or {}
        server = int(body.get("server", seed.SERVER))
        if server not in self._world.servers:
            raise ValueError(f"no server {server}")
        made = seed.add_bulk(self._world, self._knobs, int(body.get("count", 1)), server, str(body.get("prefix", "bulk")))
        return json_answer({"applications": [{"id": each.id, "name": each.name} for each in made]}, status=201)

    async def set_content(self, call: Call) -> web.StreamResponse:
        application, body = self._application(call), call.json()
        if "staging" in body:
            copy = self._world.staging_of(application.id)
            if copy is None:
                raise ValueError(f"application {application.id} has no staging area")
            copy.content = release(body["staging"])
        if "production" in body:
            application.content = release(body["production"])
        return json_answer(self._facts(application))

    async def set_row(self, call: Call) -> web.StreamResponse:
        body = call.json()
        row = self._world.rows[self._application(call).id]
        row.progress = None
        row.status = body.get("status", row.status)
        row.display = body.get("display", row.display)
        row.percent = body.get("percent", row.percent)
        if "updated_ago" in body:
            row.updated = self._world.now - float(body["updated_ago"])
        return json_answer({})

    async def sync(self, call: Call) -> web.StreamResponse:
        application = self._application(call)
        if self._world.busy(application.id) or self._world.staging_of(application.id) is None:
            raise ValueError("busy, or without a staging area")
        return json_answer(_run(self._runs.begin_sync(application, "control")))

    async def busy(self, call: Call) -> web.StreamResponse:
        return json_answer(_run(self._runs.occupy(self._application(call), float((call.json() or {}).get("seconds", 1)))))

    async def finish(self, call: Call) -> web.StreamResponse:
        run = self._world.busy(self._application(call).id)
        if run is None:
            raise ValueError("nothing is running")
        run.end(str((call.json() or {}).get("outcome", "success")), self._world.now)
        return json_answer(_run(run))

    def _backup(self, call: Call) -> Backup:
        backup = self._world.backups.get(number(call.params["backup"]))
        if backup is None:
            raise Abort(json_answer({"error": f"no backup {call.params['backup']!r}"}, status=404))
        return backup

    async def set_backup(self, call: Call) -> web.StreamResponse:
        backup, body = self._backup(call), call.json()
        backup.status, backup.done = body.get("status", backup.status), bool(body.get("done", backup.done))
        if "expires_in" in body:
            backup.expires = self._world.now + float(body["expires_in"])
        return json_answer({})

    async def restore(self, call: Call) -> web.StreamResponse:
        backup = self._backup(call)
        application = self._world.applications[backup.application_id]
        return json_answer(_restore(self._restores.begin(backup, application, "control")))

    async def finish_restore(self, call: Call) -> web.StreamResponse:
        restore = self._restores.of(self._backup(call))
        if restore is None:
            raise ValueError("it is not being restored")
        restore.end(str((call.json() or {}).get("outcome", "success")), self._world.now)
        return json_answer(_restore(restore))


def _run(run: Run) -> dict[str, Any]:
    return {
        "number": run.number,
        "kind": run.kind,
        "source": run.source,
        "started_at": run.started,
        "finished_at": run.finished,
        "outcome": run.outcome,
    }


def _restore(restore: Restore) -> dict[str, Any]:
    return {
        "backup": restore.backup_id,
        "source": restore.source,
        "started_at": restore.started,
        "finished_at": restore.finished,
        "outcome": restore.outcome,
    }
