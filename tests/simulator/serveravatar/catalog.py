# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists and single objects: organizations, servers, applications, databases, storage providers; and the toggle.

Types differ between lists and single objects as they do in the documentation's examples.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from ..framework import MUTATE, Call, Route, json_answer
from . import texts
from .gate import Gate
from .knobs import ServerAvatarKnobs
from .paging import paginate, paginated_on_request
from .world import Application, Database, Organization, Server, World, timestamp

PHP_VERSIONS = ["8.0", "8.1", "8.2"]
ORGANIZATION = "/organizations/{organization}"
SERVER = ORGANIZATION + "/servers/{server}"
APPLICATION = SERVER + "/applications/{application}"


class Catalog:
    def __init__(self, world: World, knobs: ServerAvatarKnobs, gate: Gate, url: Callable[[], str]) -> None:
        self._world = world
        self._knobs = knobs
        self._gate = gate
        self._url = url

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/organizations", self.list_organizations),
            Route("GET", ORGANIZATION, self.show_organization),
            Route("GET", ORGANIZATION + "/servers", self.list_servers),
            Route("GET", SERVER, self.show_server),
            Route("GET", ORGANIZATION + "/applications", self.list_all_applications),
            Route("GET", SERVER + "/applications", self.list_applications),
            Route("GET", APPLICATION, self.show_application),
            Route("GET", APPLICATION + "/toggle", self.toggle, kind=MUTATE),
            Route("GET", SERVER + "/databases", self.list_databases),
            Route("GET", ORGANIZATION + "/cloud-storage-providers", self.list_providers),
        ]

    def _stamp(self, when: float) -> str:
        return timestamp(when + self._knobs.clock_offset)

    # Organizations

    async def list_organizations(self, call: Call) -> web.StreamResponse:
        rows = [self._organization_row(each) for each in self._world.organizations.values()]
        return json_answer({"organizations": rows})

    def _organization_row(self, organization: Organization) -> dict[str, Any]:
        members = [{"id": 1, "name": "Operator", "email": "ops@lockstep.test"}]
        return {"id": organization.id, "name": organization.name, "created_at": "2023-01-01 00:00:00", "members": members}

    async def show_organization(self, call: Call) -> web.StreamResponse:
        organization = self._gate.organization(call)
        body = {
            "id": organization.id,
            "user_id": 1,
            "name": organization.name,
            "description": None,
            "logo": None,
            "main": 1,
            "created_at": "2023-01-01 00:00:00",
            "updated_at": "2023-01-01 00:00:00",
            "deleted_at": None,
            "admin": {"id": 1, "name": "Operator"},
        }
        return json_answer({"organization": body})

    # Servers

    async def list_servers(self, call: Call) -> web.StreamResponse:
        organization = self._gate.organization(call)
        rows = [self._server_row(each) for each in self._world.servers.values() if each.organization_id == organization.id]
        return json_answer({"servers": paginated_on_request(call, self._url(), rows, self._knobs.servers_per_page)})

    def _server_row(self, server: Server) -> dict[str, Any]:
        return {
            "id": server.id,
            "organization_id": server.organization_id,
            "provider_name": "other",
            "ip": server.ip,
            "name": server.name,
            "hostname": f"{server.name}.lockstep.test",
            "operating_system": "ubuntu",
            "version": "22.04",
            "arch": "x86_64",
            "cores": 2,
            "web_server": "nginx",
            "ssh_status": "1",
            "php_cli_version": 8,
            "database_type": "mysql",
            "ssh_port": 22,
            "agent_status": "0" if server.id in self._knobs.disconnected_servers else "1",
            "agent_version": "3.0",
            "php_versions": json.dumps(PHP_VERSIONS),
            "timezone": "UTC",
            "health_status": "good",
            "health_message": None,
            "tags": [],
            "latest_monitor_log": {"id": server.id, "disk_usage": self._knobs.disk_usage},
        }

    async def show_server(self, call: Call) -> web.StreamResponse:
        server = self._gate.server(call)
        body = {
            **self._server_row(server),
            "php_cli_version": "8.0",
            "php_versions": PHP_VERSIONS,
            "redis_password": server.redis_password,
        }
        return json_answer({"server": body})

    # Applications

    async def list_applications(self, call: Call) -> web.StreamResponse:
        server = self._gate.server(call)
        rows = [self._application_row(each) for each in self._world.on_server(server.id)]
        return json_answer({"applications": paginate(call, self._url(), rows, self._knobs.applications_per_page)})

    async def list_all_applications(self, call: Call) -> web.StreamResponse:
        organization = self._gate.organization(call)
        rows = [
            {**self._application_row(each), "ssl_type": "automatic", "php_version": "8.0"}
            for each in self._world.applications.values()
            if self._world.servers[each.server_id].organization_id == organization.id
        ]
        return json_answer({"applications": paginate(call, self._url(), rows, self._knobs.applications_per_page)})

    def _application_row(self, application: Application) -> dict[str, Any]:
        return {
            "id": application.id,
            "name": application.name,
            "primary_domain": application.primary_domain,
            "framework": "wordpress",
            "active": int(application.active),
            "size": 52428800,
            "ssl": 1,
            "created_at": self._stamp(application.created),
            "updated_at": self._stamp(application.updated),
            "server_id": application.server_id,
            "created_by_humans": "30 days ago",
        }

    async def show_application(self, call: Call) -> web.StreamResponse:
        application = self._gate.application(call)
        body = {
            **self._application_row(application),
            "active": "1" if application.active else "0",
            "webroot": "",
            "php_version": "8.0",
            "pm_type": "ondemand",
            "pm_max_children": 20,
            "memory_limit": 256,
        }
        server = self._server_row(self._world.servers[application.server_id])
        return json_answer({"application": body, "gitDeployment": None, "server": server})

    async def toggle(self, call: Call) -> web.StreamResponse:
        application = self._gate.application(call)
        application.active = not application.active
        return json_answer({"message": texts.TOGGLED})

    # Databases and storage providers

    async def list_databases(self, call: Call) -> web.StreamResponse:
        server = self._gate.server(call)
        wanted = call.query.get("search", "")
        rows = [
            _database_row(each) for each in self._world.databases.values() if each.server_id == server.id and wanted in each.name
        ]
        return json_answer({"databases": paginated_on_request(call, self._url(), rows, self._knobs.databases_per_page)})

    async def list_providers(self, call: Call) -> web.StreamResponse:
        organization = self._gate.organization(call)
        rows = [
            {"id": each.id, "name": each.name, "provider": each.provider, "email": each.email}
            for each in self._world.providers.values()
            if each.organization_id == organization.id
        ]
        return json_answer(paginated_on_request(call, self._url(), rows, self._knobs.providers_per_page))


def _database_row(database: Database) -> dict[str, Any]:
    return {"id": database.id, "server_id": database.server_id, "name": database.name, "size": 1048576}
