# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists at the start.

The ids of the documentation's examples are used: organization 5, server 15, application 88 with staging application 89.
Server 15 is on the second page of servers and application 88 on the second page of applications, so that a name is only
found by paging, and names repeat in another organization, so that a lookup has to stay inside its own.
"""

from __future__ import annotations

import secrets

from .knobs import ServerAvatarKnobs
from .world import Application, Backup, CloudProvider, Database, Organization, Server, StagingRow, World, next_id, release

ORGANIZATION, OTHER_ORGANIZATION = 5, 6
SERVER, SECOND_SERVER, OTHER_SERVER = 15, 16, 40
APPLICATION, STAGING_APPLICATION = 88, 89
WITHOUT_STAGING = 77
WITH_STAGING = (88, 90, 92, 79)
BACKUP_PROVIDER = 7

OLD_RELEASE, NEW_RELEASE = "release-1", "release-2"
DAY = 86400.0

_PLAIN_NAMES = ("status-page", "handbook", "wiki", "forum", "newsletter", "jobs", "press", "partners", "careers")


def build(knobs: ServerAvatarKnobs) -> World:
    world = World()
    _add_servers(world)
    _add_applications(world, knobs)
    _add_backups(world, knobs)
    return world


def _add_servers(world: World) -> None:
    world.organizations = {
        ORGANIZATION: Organization(ORGANIZATION, "Lockstep Demo"),
        OTHER_ORGANIZATION: Organization(OTHER_ORGANIZATION, "Somebody Else"),
    }
    for number in range(3, 17):
        name = "production" if number == SERVER else f"web-{number:02d}"
        ip = "54.90.174.225" if number == SERVER else f"192.0.2.{number}"
        _add_server(world, number, ORGANIZATION, name, ip)
    _add_server(world, OTHER_SERVER, OTHER_ORGANIZATION, "production", "198.51.100.40")


def _add_server(world: World, number: int, organization: int, name: str, ip: str) -> None:
    world.servers[number] = Server(number, organization, name, ip, redis_password=f"redis-{secrets.token_hex(8)}")


def _add_applications(world: World, knobs: ServerAvatarKnobs) -> None:
    add_application(world, WITHOUT_STAGING, SERVER, "landing")
    numbers = (78, *range(80, 88))
    for number, name in zip(numbers, _PLAIN_NAMES, strict=True):
        add_application(world, number, SERVER, name)
    shop = add_application(world, APPLICATION, SERVER, "shop", database_id=48)
    staged = add_application(world, STAGING_APPLICATION, SERVER, "stagingareatest", "siteexample.tk", "wordpressite_staging")
    add_staging(world, knobs, shop, staged, row_id=42)
    for number, name, copy, copy_server in (
        (90, "blog", 91, SERVER),
        (92, "support", 93, SERVER),
        (79, "intranet", 121, SECOND_SERVER),
    ):
        production = add_application(world, number, SERVER, name)
        add_staging(world, knobs, production, add_application(world, copy, copy_server, f"{name}-staging"))
    add_application(world, 120, SECOND_SERVER, "reports")
    add_application(world, 400, OTHER_SERVER, "shop", "shop.somebody-else.test")
    world.applications = dict(sorted(world.applications.items()))


def add_application(
    world: World,
    number: int,
    server: int,
    name: str,
    domain: str | None = None,
    database: str | None = None,
    database_id: int | None = None,
) -> Application:
    database_id = number + 1000 if database_id is None else database_id
    world.databases[database_id] = Database(database_id, server, database or name.replace("-", "_"))
    born = world.now - 30 * DAY
    application = Application(
        id=number,
        server_id=server,
        name=name,
        primary_domain=domain or f"{name}.test",
        database_id=database_id,
        content=release(OLD_RELEASE),
        created=born,
        updated=born,
    )
    world.applications[number] = application
    return application


def add_staging(
    world: World, knobs: ServerAvatarKnobs, production: Application, copy: Application, row_id: int | None = None
) -> StagingRow:
    """Declare ``copy`` the staging area of ``production``, finished long ago and one release ahead."""
    copy.production_id = production.id
    copy.content = release(NEW_RELEASE)
    created = world.now - 10 * DAY
    row = StagingRow(
        id=row_id or max((existing.id for existing in world.rows.values()), default=0) + 1,
        server_id=production.server_id,
        migration_server_id=copy.server_id,
        application_id=production.id,
        database_id=production.database_id,
        key=secrets.token_hex(16),
        status=knobs.status_success,
        display=knobs.display_success,
        percent=knobs.percent_success,
        created=created,
        updated=created + 2,
        migration_application_id=copy.id,
    )
    world.rows[production.id] = row
    return row


def _add_backups(world: World, knobs: ServerAvatarKnobs) -> None:
    """Old ones enough for two pages."""
    for provider in (
        CloudProvider(BACKUP_PROVIDER, ORGANIZATION, "Offsite S3", "amazon_s3", "ops@lockstep.test"),
        CloudProvider(8, ORGANIZATION, "Team Drive", "gdrive", "drive@lockstep.test"),
        CloudProvider(9, ORGANIZATION, "ServerAvatar Storage", "serveravatar", "ops@lockstep.test"),
        CloudProvider(11, OTHER_ORGANIZATION, "Offsite S3", "amazon_s3", "ops@somebody-else.test"),
    ):
        world.providers[provider.id] = provider
    for number, application_id in enumerate((88, 90, 92, 79) * 3):
        application = world.applications[application_id]
        when = world.now - (14 - number) * DAY
        backup = Backup(
            id=301 + number,
            config_id=501 + number,
            organization_id=ORGANIZATION,
            server_id=SERVER,
            provider=world.providers[BACKUP_PROVIDER],
            application_id=application_id,
            database_id=application.database_id,
            type="application",
            name=f"nightly {application.name}",
            content=release("release-0"),
            status=knobs.backup_success,
            created=when,
            updated=when + 60,
            done=True,
        )
        world.backups[backup.id] = backup


def add_bulk(world: World, knobs: ServerAvatarKnobs, count: int, server: int, prefix: str) -> list[Application]:
    """Many applications with a staging area each, for tests with many targets."""
    made = []
    for number in range(1, count + 1):
        production = add_application(world, next_id(world.applications), server, f"{prefix}-{number}")
        copy = add_application(world, next_id(world.applications), server, f"{prefix}-{number}-staging")
        add_staging(world, knobs, production, copy)
        made.append(production)
    return made
