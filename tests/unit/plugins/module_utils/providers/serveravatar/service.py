# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for ServerAvatar, and the sync, backup and restore of one application. Nothing is sent anywhere."""

from __future__ import annotations

import json
import random
import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel, RequestCount
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Provider, Services, Target
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.provider import ServerAvatar
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.rows import ApplicationPath
from tests.unit.plugins.support.clocks import StillClock

TOKEN = "canary-t0ken"
APP = "/organizations/5/servers/15/applications/88"
BEFORE = {"id": 42, "status": "Completed", "updated_at": "2026-11-12 23:09:35", "percentage": 100}
STAGING = {"is_availabel_staging_area": True, "migrationServer": "192.0.2.15", "application_name": "shop-staging"}
OPTIONS: dict[str, t.Any] = {
    "api_url": "https://api.example.com",
    "api_token": TOKEN,
    "auth_scheme": "raw",
    "validate_certs": True,
    "request_timeout": 5.0,
    "organization": "5",
    "server": "15",
    "applications": ["88"],
    "require_staging": True,
    "if_unobservable": "warn",
    "backups": ["313"],
    "if_running": "join",
    "storage": "7",
    "type": "application",
    "retention_period": "1 Month",
    "application_extension": ".tar.gz",
    "database_extension": ".sql.gz",
}


class Service:
    """Answers by path, and remembers what was asked.

    :param responses: by ``METHOD path``: a body, or a status and a body.
    """

    def __init__(self, provider: Provider, responses: dict[str, t.Any]) -> None:
        self.responses = responses
        self.asked: list[tuple[str, t.Any]] = []
        self.sessions: list[t.Any] = []
        provider.client.send = self.send  # type: ignore[method-assign]
        self.channel: Channel = provider.client.channel(Deadline(provider.services.clock, 5000), RequestCount())

    def send(self, session: t.Any, method: str, url: str, timeout: t.Any, **kwargs: t.Any) -> Response:
        path = url.removeprefix("https://api.example.com")
        self.asked.append((f"{method} {path}", kwargs.get("json")))
        self.sessions.append(session)
        assert (kwargs["headers"]["Accept"], kwargs["headers"]["Content-Type"]) == ("application/json", "application/json")
        given = self.responses[f"{method} {path}"]
        status, body = given if isinstance(given, tuple) else (200, given)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Response(method, url, status, {"Date": "Fri, 20 Nov 2026 10:00:05 GMT"}, raw)


def services(clock: StillClock | None = None) -> Services:
    return Services(clock or StillClock(), Redactor(), random.Random(1), lambda text: None)


def status(percentage: t.Any = 100, text: str = "", **row: t.Any) -> dict[str, t.Any]:
    migration = {"id": 42, "status": "Completed", "updated_at": "2026-11-12 23:09:35", "key": "hidden", "database_id": 48, **row}
    return {"configurationInPercentage": percentage, "displayText": text, "siteMigration": migration}


def refused(code: int, text: str) -> tuple[int, t.Any]:
    return code, {"message": text}


def sync(responses: dict[str, t.Any] | None = None, **options: t.Any) -> tuple[ServerAvatar, Service, Target]:
    provider = ServerAvatar({**OPTIONS, **options}, services())
    responses = {
        f"GET {APP}/status": status(),
        f"GET {APP}/staging-area-detail": STAGING,
        "GET /organizations/5/servers/15": {
            "server": {"id": 15, "name": "production", "agent_status": "1", "redis_password": "x"}
        },
        **(responses or {}),
    }
    return provider, Service(provider, responses), Target("5/15/88", "shop", ApplicationPath(5, 15, 88))


DEFAULT = object()


def handle(before: t.Any = DEFAULT, **more: t.Any) -> dict[str, t.Any]:
    place = {"organization": 5, "server": 15, "application": 88, "name": "shop"}
    before = BEFORE if before is DEFAULT else before
    return {"provider": "serveravatar", "address": "https://api.example.com", **place, "before": before, **more}


BACKUPS = "GET /organizations/5/backups"


def row(number: int, name: str = "", state: str = "Completed", application: int = 88, **more: t.Any) -> dict[str, t.Any]:
    configuration = {"id": number + 200, "name": name} if name else None
    ids = {"id": number, "application_id": application, "cloud_storage_provider_id": 7, "backup_hash": "f"}
    return {**ids, "status": state, "totalSize": "51 MB", "backup_configuration": configuration, **more}
