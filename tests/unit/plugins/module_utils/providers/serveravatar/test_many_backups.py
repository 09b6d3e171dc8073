# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many backups and restores at once: which pages of the list of backups are read, and what they decide."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Target
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.backup import ServerAvatarBackup
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.handles import BackupRequest
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.restore import ServerAvatarRestore
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.rows import ApplicationPath
from tests.unit.plugins.module_utils.providers.serveravatar.service import BACKUPS, OPTIONS, Service, refused, row, services
from tests.unit.plugins.support.clocks import StillClock

APPLICATIONS = [str(number) for number in range(101, 109)]
DATE = "2026-11-20 09:30:00"
Rows = list[dict[str, t.Any]]


def listed(rows: Rows) -> dict[str, t.Any]:
    """The pages of a list of backups, of ten rows each."""
    pages = [rows[at : at + 10] for at in range(0, len(rows), 10)] or [[]]
    numbered = enumerate(pages, start=1)
    return {
        f"{BACKUPS}{f'?page={number}' if number > 1 else ''}": {"data": page, "last_page": len(pages)}
        for number, page in numbered
    }


def old(first: int, last: int) -> Rows:
    """Backups for other purposes, newest first."""
    return [row(number, "nightly", application=7) for number in range(last, first - 1, -1)]


class Backups:
    """Backups of eight applications for a release."""

    def __init__(self, rows: Rows, clock: StillClock | None = None, **options: t.Any) -> None:
        self.clock = clock or StillClock()
        given = {**OPTIONS, "release": "r1", "applications": APPLICATIONS, "type": "filesystem", **options}
        self.provider = ServerAvatarBackup(given, services(self.clock))
        self.prefix = self.provider._prefix()
        self.service = Service(
            self.provider,
            {
                "GET /organizations/5/servers/15": {"server": {"id": 15, "name": "production", "agent_status": "1"}},
                "GET /organizations/5/servers/15/applications": {
                    "applications": [{"id": int(number), "name": f"app{number}"} for number in APPLICATIONS]
                },
                "GET /organizations/5/servers/15/applications/101": {"application": {"name": "app101"}},
                "GET /organizations/5/cloud-storage-providers?pagination=1": {
                    "data": [{"id": 7, "name": "Offsite S3", "provider": "amazon_s3"}]
                },
            },
        )
        self.show(rows)

    def show(self, rows: Rows) -> None:
        self.service.responses.update(listed(rows))

    def survey(self) -> None:
        self.provider.survey(APPLICATIONS, self.service.channel)

    def target(self, application: str) -> Target:
        return self.provider.resolve(application, self.service.channel)

    @property
    def pages(self) -> list[str]:
        """Pages of backups that were asked for since this was last looked at."""
        found = [path.removeprefix(BACKUPS) for path, _body in self.service.asked if path.startswith(BACKUPS)]
        self.service.asked.clear()
        return found

    def made(self, number: int, application: str, state: str = "Completed") -> dict[str, t.Any]:
        return row(number, f"{self.prefix}20261120-090000-abcdef", state, int(application))

    def handle(self, application: str, after: int) -> dict[str, t.Any]:
        request = BackupRequest(ApplicationPath(5, 15, int(application)), "filesystem", 7)
        place = {"organization": 5, "server": 15, "application": request.place.application, "name": f"app{application}"}
        wanted = {"type": "filesystem", "storage": 7, "database": None, "backup": f"mine-{application}", "after": after}
        return {"provider": "serveravatar_backup", "address": "https://api.example.com", **place, **wanted, "ordered_at": None}


def test_a_glance_takes_no_request_once_the_list_was_read() -> None:
    many = Backups([])
    many.show([*old(330, 345), *(many.made(320 - n, each) for n, each in enumerate(APPLICATIONS)), *old(1, 300)])
    many.survey()
    # reading ends with the last application of which there is a backup
    assert many.pages == ["", "?page=2", "?page=3"]
    for number, application in enumerate(APPLICATIONS):
        seen = many.provider.glance(many.target(application), many.service.channel)
        assert seen is not None and seen.in_sync and seen.detail["backup"]["id"] == 320 - number
    assert many.pages == []


def test_a_backup_that_runs_is_no_matter_of_a_glance() -> None:
    many = Backups([])
    many.show([many.made(320, APPLICATIONS[0], "In Progress"), *old(1, 30)])
    many.survey()
    assert many.provider.glance(many.target(APPLICATIONS[0]), many.service.channel) is None


def test_what_decides_on_a_trigger_is_read_anew() -> None:
    many = Backups([])
    many.show(old(1, 345))
    many.survey()
    assert len(many.pages) == 20
    target = many.target(APPLICATIONS[0])
    many.show([many.made(346, APPLICATIONS[0], "In Progress"), *old(1, 345)])
    observation = many.provider.observe(target, many.service.channel)
    assert observation.running is not None and observation.snapshot["after"] == 346
    assert many.pages == [""]


def test_more_new_backups_than_a_page_has_are_all_read() -> None:
    many = Backups([])
    many.show(old(1, 100))
    many.survey()
    target = many.target(APPLICATIONS[0])
    many.show([*old(102, 125), many.made(101, APPLICATIONS[0]), *old(1, 100)])
    many.service.asked.clear()
    assert many.provider.observe(target, many.service.channel).in_sync
    assert many.pages == ["", "?page=2", "?page=3"]


def test_a_backup_that_ran_is_read_anew() -> None:
    many = Backups([])
    many.show([*old(330, 345), many.made(320, APPLICATIONS[0], "In Progress"), *old(1, 300)])
    many.survey()
    target = many.target(APPLICATIONS[0])
    many.show([*old(330, 345), many.made(320, APPLICATIONS[0]), *old(1, 300)])
    many.service.asked.clear()
    observation = many.provider.observe(target, many.service.channel)
    assert observation.running is None and observation.in_sync
    assert many.pages == ["", "?page=2"]


def test_the_list_counts_for_a_minute() -> None:
    many = Backups([])
    many.show([*old(330, 345), *(many.made(320 - n, each) for n, each in enumerate(APPLICATIONS)), *old(1, 300)])
    many.survey()
    target = many.target(APPLICATIONS[-1])
    many.clock.sleep(61)
    assert many.provider.glance(target, many.service.channel) is None
    many.service.asked.clear()
    assert many.provider.observe(target, many.service.channel).in_sync and many.pages == ["", "?page=2", "?page=3"]


@pytest.mark.parametrize("options", [{"release": None}, {"applications": APPLICATIONS[:1]}])
def test_what_cannot_be_skipped_or_is_few_is_not_listed_ahead(options: dict[str, t.Any]) -> None:
    many = Backups(old(1, 30), **options)
    many.provider.survey(many.provider.names(), many.service.channel)
    assert many.pages == []
    assert many.provider.glance(many.target(APPLICATIONS[0]), many.service.channel) is None


def test_runs_are_read_by_one_reading_of_the_list() -> None:
    many = Backups([])
    rows = [
        row(400 - n, f"mine-{each}", ("Completed", "Failed", "In Progress")[n % 3], int(each))
        for n, each in enumerate(APPLICATIONS)
    ]
    many.show([*rows, *old(1, 300)])
    handles = [many.handle(each, 300) for each in APPLICATIONS]
    together = many.provider.read_many(handles, many.service.channel)
    assert many.pages == [""]
    assert [reading and reading.state for reading in together] == (["succeeded", "failed", "running"] * 3)[:8]
    assert together == [many.provider.read(handle, many.service.channel) for handle in handles]
    assert many.pages == [""] * 8


def test_one_run_is_read_by_itself() -> None:
    many = Backups(old(1, 30))
    assert many.provider.read_many([many.handle(APPLICATIONS[0], 20)], many.service.channel) == [None]
    assert many.pages == []


# -- restores --------------------------------------------------------------------------------------------------------


def restorable(number: int, state: str = "Completed", updated_at: str = DATE) -> dict[str, t.Any]:
    found = row(number, f"before-{number}", state, number, updated_at=updated_at, server_id=None)
    return {**found, "application": {"id": number, "name": f"app{number}"}}


class Restores:
    """Restores of backups that were made of eight applications at the same time; each has the id of its backup."""

    def __init__(self, backups: t.Sequence[str]) -> None:
        self.backups = backups
        self.provider = ServerAvatarRestore({**OPTIONS, "backups": list(backups)}, services())
        paths = [f"/organizations/5/servers/15/applications/{number}" for number in range(101, 141)]
        self.service = Service(
            self.provider,
            {
                "GET /organizations/5/servers/15": {"server": {"id": 15, "name": "production", "agent_status": "1"}},
                **{f"GET {path}": {"application": {"name": path[-3:]}} for path in paths},
                "GET /organizations/5/servers/15/applications": {
                    "applications": [{"id": number, "name": f"app{number}"} for number in range(101, 141)]
                },
                **{f"GET {path}/status": refused(404, "You can not perform this action!") for path in paths},
                **listed([restorable(number) for number in range(140, 100, -1)]),
            },
        )

    @property
    def pages(self) -> list[str]:
        found = [path.removeprefix(BACKUPS) for path, _body in self.service.asked if path.startswith(BACKUPS)]
        self.service.asked.clear()
        return found

    def handle(self, number: int) -> dict[str, t.Any]:
        place = {"organization": 5, "server": 15, "application": number, "name": str(number), "backup": number}
        mark = {"status": "Completed", "updated_at": DATE}
        return {"provider": "serveravatar_restore", "address": "https://api.example.com", **place, "before": mark}


@pytest.mark.parametrize("wanted", [["115", "116", "117", "118", "119"], ["before-115", "before-116", "117", "118", "119"]])
def test_backups_to_restore_are_listed_once(wanted: list[str]) -> None:
    many = Restores(wanted)
    many.provider.survey(wanted, many.service.channel)
    assert ("GET /organizations/5/servers/15/applications", None) in many.service.asked
    assert many.pages == ["", "?page=2", "?page=3", "?page=4"][: 3 if wanted[0].isdigit() else 4]
    targets = [many.provider.resolve(name, many.service.channel) for name in wanted]
    assert [target.data.backup for target in targets] == [115, 116, 117, 118, 119]
    assert not any(path.removeprefix("GET ").startswith("/organizations/5/servers") for path, _body in many.service.asked)
    # a name may have been given to a newer backup meanwhile
    assert many.pages == ["" for name in wanted if not name.isdigit()]


def test_a_newer_backup_of_the_same_name_is_noticed() -> None:
    wanted = ["before-115", "before-116", "117", "118", "119"]
    many = Restores(wanted)
    many.provider.survey(wanted, many.service.channel)
    rows = [{**restorable(141), "backup_configuration": {"id": 1, "name": "before-115"}}]
    many.service.responses.update(listed([*rows, *(restorable(number) for number in range(140, 100, -1))]))
    with pytest.raises(Exception, match="is the name of several"):
        many.provider.resolve("before-115", many.service.channel)


def test_restores_of_backups_on_one_page_are_read_together() -> None:
    many = Restores(["111", "112", "113", "135"])
    for number in (111, 112, 113, 135):
        many.provider._row(5, number, many.service.channel)
    handles = [many.handle(number) for number in (111, 112, 113, 135)]
    rows = {113: restorable(113, state="Restoring"), 112: restorable(112, updated_at="2026-11-20 10:30:00")}
    many.service.responses.update(listed([rows.get(number, restorable(number)) for number in range(140, 100, -1)]))
    many.service.asked.clear()
    readings = many.provider.read_many(handles, many.service.channel)
    assert many.pages == ["?page=3"]
    # the only one on its page is left to be read by itself
    assert [reading and reading.state for reading in readings] == ["absent", "succeeded", "running", None]
    assert readings[:3] == [many.provider.read(handle, many.service.channel) for handle in handles[:3]]


def test_a_backup_that_is_not_where_it_was_is_looked_for_by_itself() -> None:
    many = Restores(["111", "112"])
    handles = [many.handle(number) for number in (111, 112)]
    assert many.provider.read_many(handles, many.service.channel) == [None, None]
    assert many.pages == [""]
