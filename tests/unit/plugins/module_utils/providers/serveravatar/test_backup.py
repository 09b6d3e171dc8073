# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A backup on demand: what is ordered, and which row of the list is the one that was made."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Run, Target
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.backup import ServerAvatarBackup
from tests.unit.plugins.module_utils.providers.serveravatar.service import (
    APP,
    BACKUPS,
    OPTIONS,
    Service,
    refused,
    row,
    services,
    status,
)
from tests.unit.plugins.support.clocks import StillClock


def backup(
    rows: list[dict[str, t.Any]], clock: StillClock | None = None, responses: dict[str, t.Any] | None = None, **options: t.Any
) -> tuple[ServerAvatarBackup, Service, Target]:
    provider = ServerAvatarBackup({**OPTIONS, **options}, services(clock))
    responses = {
        BACKUPS: {"data": rows, "last_page": 1},
        f"GET {APP}": {"application": {"id": 88, "name": "shop"}, "server": {"redis_password": "x"}},
        f"GET {APP}/status": status(),
        "GET /organizations/5/servers/15": {"server": {"id": 15, "name": "production", "agent_status": "1"}},
        "GET /organizations/5/cloud-storage-providers?pagination=1": {
            "data": [
                {"id": 7, "name": "Offsite S3", "provider": "amazon_s3"},
                {"id": 9, "name": "At home", "provider": "serveravatar"},
            ]
        },
        "POST /organizations/5/servers/15/backups": {"message": "Backup Process has been started successfully!"},
        **(responses or {}),
    }
    service = Service(provider, responses)
    return provider, service, provider.resolve("88", service.channel)


def ordered(provider: ServerAvatarBackup, service: Service, target: Target) -> tuple[Run, dict[str, t.Any]]:
    run = provider.trigger(target, provider.observe(target, service.channel), service.channel)
    return run, service.asked[-1][1]


def test_what_is_ordered() -> None:
    provider, service, target = backup([row(312)])
    run, body = ordered(provider, service, target)
    name = body.pop("name")
    assert body == {
        "provider": "amazon_s3",
        "cloud_storage_provider_id": 7,
        "automatic_backup": 0,
        "type": "application",
        "application_id": 88,
        "database_id": 48,
        "application_extension": ".tar.gz",
        "database_extension": ".sql.gz",
    }
    assert name.startswith("lockstep-application-20261120-100000-")
    assert (run.handle["after"], run.handle["backup"]) == (312, name)
    assert service.sessions[-1] is provider.client.triggers


@pytest.mark.parametrize(
    ("options", "more", "less"),
    [
        ({"type": "filesystem"}, {"application_extension"}, {"database_id", "database_extension", "retention_period"}),
        ({"type": "database"}, {"database_id", "database_extension"}, {"application_extension", "retention_period"}),
        ({"storage": "At home"}, {"retention_period"}, set()),
    ],
)
def test_what_belongs_to_each_kind(options: dict[str, t.Any], more: set[str], less: set[str]) -> None:
    provider, service, target = backup([], **options)
    _run, body = ordered(provider, service, target)
    assert more <= set(body)
    assert not less & set(body)


def test_kinds_places_and_databases_are_different_targets() -> None:
    ids = {
        backup([], **options)[2].id
        for options in ({}, {"type": "filesystem"}, {"type": "database"}, {"storage": "9"}, {"database": "49"})
    }
    assert len(ids) == 5


def test_a_database_backup_needs_a_database() -> None:
    with pytest.raises(SyncError, match="database"):
        backup([], type="database", responses={f"GET {APP}/status": refused(404, "You can not perform this action!")})


def test_an_application_backup_without_a_known_database_is_a_warning() -> None:
    provider, service, target = backup([], responses={f"GET {APP}/status": refused(404, "You can not perform this action!")})
    observation = provider.observe(target, service.channel)
    run, body = ordered(provider, service, target)
    assert "database_id" not in body
    service.responses[BACKUPS] = {"data": [row(313, run.handle["backup"])]}
    reading = provider.read(run.handle, service.channel)
    effect = provider.verify(target, observation, run, reading, service.channel)
    assert "database" in effect.warnings[0]


@pytest.mark.parametrize(
    ("rows", "state", "number"),
    [
        ([row(312)], "pending", None),
        ([row(313, "NAME", "In Progress"), row(312)], "running", 313),
        ([row(313, "NAME"), row(312)], "succeeded", 313),
        ([row(313, "NAME", "Failed"), row(312)], "failed", 313),
        # others appear meanwhile
        ([row(315, "nightly shop"), row(314, "NAME"), row(313, "other", application=90), row(312)], "succeeded", 314),
        ([row(314, "nightly shop"), row(313, "another"), row(312)], "pending", None),
        ([row(313, "NAME", application=90), row(312)], "pending", None),
        ([row(313, "NAME", cloud_storage_provider_id=8), row(312)], "pending", None),
        # names are not kept: the only new one has to be it
        ([row(313), row(312)], "succeeded", 313),
        ([row(314), row(313), row(312)], "pending", None),
        # a name that was used before
        ([row(312, "NAME"), row(311, "NAME")], "pending", None),
        ([row(313, "NAME", "In Progress"), row(312, "NAME")], "running", 313),
    ],
)
def test_the_ordered_backup_is_found(rows: list[dict[str, t.Any]], state: str, number: int | None) -> None:
    provider, service, target = backup([row(312)])
    run, _body = ordered(provider, service, target)
    for each in rows:
        configuration = each["backup_configuration"]
        if configuration and configuration["name"] == "NAME":
            each["backup_configuration"] = {**configuration, "name": run.handle["backup"]}
    service.responses[BACKUPS] = {"data": rows, "last_page": 1}
    reading = provider.read(run.handle, service.channel)
    assert reading.state == state
    assert (reading.data and reading.data.id) == number


def test_a_backup_that_is_never_listed_is_given_up_on_in_the_end() -> None:
    clock = StillClock()
    provider, service, target = backup([row(312)], clock)
    run, _body = ordered(provider, service, target)
    clock.elapsed = 3500
    assert provider.read(run.handle, service.channel).state == "pending"
    clock.elapsed = 3700
    assert provider.read(run.handle, service.channel).state == "absent"


def test_the_result_names_the_backup() -> None:
    provider, service, target = backup([row(312)])
    run, _body = ordered(provider, service, target)
    service.responses[BACKUPS] = {"data": [row(313, run.handle["backup"]), row(312)]}
    effect = provider.verify(target, None, run, provider.read(run.handle, service.channel), service.channel)
    assert effect.detail == {"backup": {"id": 313, "name": run.handle["backup"], "size": "51 MB", "status": "Completed"}}
    assert effect.compact_detail == effect.detail
    assert effect.warnings == ()


def test_a_backup_found_by_its_id_only_is_a_warning() -> None:
    provider, service, target = backup([row(312)])
    run, _body = ordered(provider, service, target)
    service.responses[BACKUPS] = {"data": [row(313, "renamed"), row(312)]}
    effect = provider.verify(target, None, run, provider.read(run.handle, service.channel), service.channel)
    assert "by its id only" in effect.warnings[0]


def test_a_lost_reply_is_adopted_by_name_only() -> None:
    provider, service, target = backup([row(312)])
    snapshot = provider.observe(target, service.channel).snapshot
    service.responses[BACKUPS] = {"data": [row(313, "nightly shop"), row(312)]}
    assert provider.find(target, snapshot, service.channel) is None
    service.responses[BACKUPS] = {"data": [row(314, snapshot["backup"], "In Progress"), row(313, "nightly shop"), row(312)]}
    run = provider.find(target, snapshot, service.channel)
    assert run is not None
    assert provider.from_handle(run.handle) == Target(target.id, "shop", provider.from_handle(run.handle).data)


def test_a_backup_for_a_release_is_known_by_its_name() -> None:
    provider, service, target = backup([], release="v1.0/rc 1")
    _run, body = ordered(provider, service, target)
    assert body["name"].startswith("lockstep-application-v1-0-rc-1-")
    service.responses[BACKUPS] = {"data": [row(313, body["name"])]}
    observation = provider.observe(target, service.channel)
    assert observation.in_sync is True
    assert observation.detail["backup"]["id"] == 313
    for other in ("v1.0/rc-1", "v1.0", "v1.0/rc 1 "):
        another, its_service, its_target = backup([row(313, body["name"])], release=other)
        assert another.observe(its_target, its_service.channel).in_sync is None


@pytest.mark.parametrize("state", ["Failed", "In Progress"])
def test_a_backup_that_is_not_done_does_not_do(state: str) -> None:
    provider, service, target = backup([], release="v1")
    _run, body = ordered(provider, service, target)
    service.responses[BACKUPS] = {"data": [row(313, body["name"], state)]}
    observation = provider.observe(target, service.channel)
    assert observation.in_sync is None
    assert (observation.running is not None) == (state == "In Progress")


def test_backups_of_others_are_neither_joined_nor_counted() -> None:
    provider, service, target = backup([row(314, "nightly shop", "In Progress"), row(313, "by hand")], release="v1", max_age=60)
    observation = provider.observe(target, service.channel)
    assert observation.running is None
    assert observation.in_sync is None
    assert observation.detail == {"backup": None}


def test_a_given_name_is_sent_as_it_is_and_is_no_evidence() -> None:
    provider, service, target = backup([row(312, "before the sale")], name="before the sale", release="v1")
    observation = provider.observe(target, service.channel)
    assert observation.in_sync is None
    _run, body = ordered(provider, service, target)
    assert body["name"] == "before the sale"


@pytest.mark.parametrize("more", [{"type": "everything"}, {"storage": "x"}, {"after": None}, {"backup": 5}, {"database": "x"}])
def test_handles_of_backups_are_checked(more: dict[str, t.Any]) -> None:
    provider, service, target = backup([])
    run, _body = ordered(provider, service, target)
    with pytest.raises(SyncError) as caught:
        provider.from_handle({**run.handle, **more})
    assert caught.value.code == "invalid_option"
