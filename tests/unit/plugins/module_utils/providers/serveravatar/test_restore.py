# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A restore of a backup: what may be restored, what it invalidates and what its row means."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Run
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.restore import ServerAvatarRestore
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key
from tests.unit.plugins.module_utils.providers.serveravatar.service import (
    APP,
    BACKUPS,
    DEFAULT,
    OPTIONS,
    Service,
    refused,
    row,
    services,
    status,
    sync,
)

DATE = "2026-11-20 09:30:00"
UNMOVED = {"status": "Completed", "updated_at": DATE}


def restorable(state: str = "Completed", updated_at: str = DATE, **more: t.Any) -> dict[str, t.Any]:
    application = {"id": 88, "system_user_id": 1, "name": "shop"}
    return {**row(313, "before", state, updated_at=updated_at, server_id=None), "application": application, **more}


def restore(
    rows: list[dict[str, t.Any]], responses: dict[str, t.Any] | None = None, **options: t.Any
) -> tuple[ServerAvatarRestore, Service]:
    provider = ServerAvatarRestore({**OPTIONS, **options}, services())
    responses = {
        BACKUPS: {"data": rows, "last_page": 1},
        f"GET {APP}": {"application": {"id": 88, "name": "shop"}, "server": {"redis_password": "x"}},
        f"GET {APP}/status": status(),
        "GET /organizations/5/servers/15": {"server": {"id": 15, "name": "production", "agent_status": "1"}},
        "GET /organizations/5/backups/313/restore": {"message": "Application backup restored in progress."},
        **(responses or {}),
    }
    return provider, Service(provider, responses)


def restored_by(before: t.Any = DEFAULT, **more: t.Any) -> dict[str, t.Any]:
    before = UNMOVED if before is DEFAULT else before
    place = {"organization": 5, "server": 15, "application": 88, "name": "shop"}
    address = {"provider": "serveravatar_restore", "address": "https://api.example.com"}
    return {**address, **place, "backup": 313, "before": before, **more}


def refusal_of(provider: ServerAvatarRestore, service: Service) -> SyncError | None:
    return provider.observe(provider.resolve("313", service.channel), service.channel).obstacle


def test_the_restore_is_a_get_that_goes_the_way_of_triggers() -> None:
    provider, service = restore([row(314), restorable()])
    target = provider.resolve("313", service.channel)
    observation = provider.observe(target, service.channel)
    assert (target.id, target.name, observation.obstacle, observation.running) == ("5/15/88/313", "shop", None, None)
    assert provider.still_valid(target, observation, service.channel)
    assert not any(asked.endswith("/restore") for asked, _body in service.asked)
    run = provider.trigger(target, observation, service.channel)
    assert service.asked[-1][0] == "GET /organizations/5/backups/313/restore"
    assert service.sessions[-1] is provider.client.triggers
    assert run.handle == restored_by()
    assert provider.from_handle(run.handle) == target


def test_a_restore_invalidates_what_syncs_and_other_restores_brought_and_a_sync_what_restores_brought() -> None:
    provider, service = restore([restorable()])
    target = provider.resolve("313", service.channel)
    address = "https://api.example.com"
    assert list(provider.invalidates(target)) == [
        Key("serveravatar", address, "5/15/88"),
        Key("serveravatar_restore", address, "5/15/88"),
    ]
    syncing, _service, application = sync()
    assert (syncing.name, application.id) == ("serveravatar", "5/15/88")
    assert list(syncing.invalidates(application)) == [Key(provider.name, address, application.id)]
    assert target.id.startswith(f"{application.id}/")


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (refused(500, "Restore is already in progress."), "busy"),
        (refused(404, "Backup not found."), "not_found"),
        (refused(500, "Something went wrong."), "outcome_unknown"),
        (refused(500, "An unknown text"), "outcome_unknown"),
        ((200, b"<html>Log in</html>"), "outcome_unknown"),
        (refused(429, "Too Many Attempts."), "rate_limited"),
    ],
)
def test_refused_restores(response: t.Any, code: str) -> None:
    provider, service = restore([restorable()], {"GET /organizations/5/backups/313/restore": response})
    target = provider.resolve("313", service.channel)
    observation = provider.observe(target, service.channel)
    with pytest.raises(SyncError) as caught:
        provider.trigger(target, observation, service.channel)
    assert caught.value.code == code
    assert [asked for asked, _body in service.asked].count("GET /organizations/5/backups/313/restore") == 1


@pytest.mark.parametrize(
    ("backup_row", "code"),
    [
        (restorable(), None),
        (restorable("Restored"), None),
        (restorable("Restore Failed"), None),
        (restorable(expires_at="2026-12-20 09:30:00"), None),
        # somewhere on earth it still is the day before
        (restorable(expires_at="2026-11-19 23:00:00"), None),
        (restorable(expires_at="2026-11-19 21:00:00"), "not_found"),
        (restorable("Failed"), "invalid_option"),
        (restorable("In Progress"), "busy"),
        (restorable("Whatever"), "busy"),
        (restorable(""), "busy"),
    ],
)
def test_what_can_be_restored(backup_row: dict[str, t.Any], code: str | None) -> None:
    obstacle = refusal_of(*restore([backup_row]))
    assert (obstacle and obstacle.code) == code


@pytest.mark.parametrize("mode", ["join", "fail", "queue"])
def test_a_sync_in_flight_is_waited_for_only_where_that_is_wanted(mode: str) -> None:
    provider, service = restore([restorable()], {f"GET {APP}/status": status(40, status="in_progress")}, if_running=mode)
    observation = provider.observe(provider.resolve("313", service.channel), service.channel)
    assert observation.obstacle is not None
    assert observation.obstacle.code == "busy"
    assert (observation.running is not None) == (mode == "queue")
    if observation.running is not None:
        assert provider.read(observation.running.handle, service.channel).state == "running"
        for now in (status(), refused(404, "You can not perform this action!")):
            service.responses[f"GET {APP}/status"] = now
            assert provider.read(observation.running.handle, service.channel).state == "succeeded"


def test_a_restore_in_flight_is_a_run_to_join() -> None:
    provider, service = restore([restorable("Restoring")])
    running = provider.observe(provider.resolve("313", service.channel), service.channel).running
    assert running is not None
    assert provider.read(running.handle, service.channel).state == "running"
    service.responses[BACKUPS] = {"data": [restorable()]}
    reading = provider.read(running.handle, service.channel)
    effect = provider.verify(provider.from_handle(running.handle), None, running, reading, service.channel)
    assert (reading.state, effect.basis) == ("succeeded", "observed")


@pytest.mark.parametrize(
    ("before", "now", "state"),
    [
        (UNMOVED, restorable(), "absent"),
        (UNMOVED, None, "absent"),
        (UNMOVED, restorable("Restoring"), "running"),
        (UNMOVED, restorable("Some new word"), "running"),
        (UNMOVED, restorable(updated_at="2026-11-20 10:00:06"), "succeeded"),
        (UNMOVED, restorable("Restored"), "succeeded"),
        (UNMOVED, restorable("Restore failed"), "failed"),
        # the failure of an earlier one is not the failure of this one
        ({**UNMOVED, "status": "Restore failed"}, restorable("Restore failed"), "absent"),
        ({**UNMOVED, "status": "Restore failed"}, restorable("Restore failed", "2026-11-20 10:00:06"), "failed"),
    ],
)
def test_readings_of_a_restore(before: dict[str, t.Any], now: dict[str, t.Any] | None, state: str) -> None:
    provider, service = restore([row(314), *([now] if now else []), row(12)])
    assert provider.read(restored_by(before), service.channel).state == state


@pytest.mark.parametrize("now", [restorable("Restoring"), restorable(updated_at="2026-11-20 10:00:06")])
def test_a_lost_reply_to_a_restore_is_adopted_if_the_row_moved(now: dict[str, t.Any]) -> None:
    provider, service = restore([restorable()])
    target = provider.resolve("313", service.channel)
    snapshot = provider.observe(target, service.channel).snapshot
    assert provider.find(target, snapshot, service.channel) is None
    service.responses[BACKUPS] = {"data": [now]}
    run = provider.find(target, snapshot, service.channel)
    assert run is not None
    assert run.handle == restored_by()
    service.responses[BACKUPS] = {"data": [row(12)]}
    assert provider.find(target, snapshot, service.channel) is None


def test_a_new_date_alone_is_not_an_observed_success() -> None:
    provider, service = restore([restorable(updated_at="2026-11-20 10:00:06")])
    run = Run(restored_by())
    effect = provider.verify(
        provider.from_handle(run.handle), None, run, provider.read(run.handle, service.channel), service.channel
    )
    assert (effect.changed, effect.basis, len(effect.warnings)) == (True, "assumed", 1)
    # but it is one if the row was seen to be in progress before
    service.responses[BACKUPS] = {"data": [restorable("Restoring")]}
    provider.read(run.handle, service.channel)
    service.responses[BACKUPS] = {"data": [restorable(updated_at="2026-11-20 10:00:06")]}
    effect = provider.verify(
        provider.from_handle(run.handle), None, run, provider.read(run.handle, service.channel), service.channel
    )
    assert (effect.changed, effect.basis, effect.warnings) == (True, "observed", ())


def test_a_restore_is_never_started_within_the_second_of_the_last_change() -> None:
    # the server says that it is 10:00:05
    provider, service = restore([restorable(updated_at="2026-11-20 15:30:05")])
    target = provider.resolve("313", service.channel)
    observation = provider.observe(target, service.channel)
    assert provider.still_valid(target, observation, service.channel)
    assert provider.services.clock.monotonic() == 1.0
    service.responses[BACKUPS] = {"data": [restorable("Restoring")]}
    assert not provider.still_valid(target, observation, service.channel)


@pytest.mark.parametrize("mode", ["warn", "fail"])
def test_a_restore_that_never_shows_is_no_success(mode: str) -> None:
    provider, _service = restore([], if_unobservable=mode)
    run = Run(restored_by())
    effect = provider.lost(provider.from_handle(run.handle), run)
    assert (effect.changed, effect.basis, len(effect.warnings)) == (True, "assumed", int(mode == "warn"))
    assert (effect.failure.code if effect.failure else None) == ("outcome_unknown" if mode == "fail" else None)


@pytest.mark.parametrize(
    "more", [{"backup": "313/../1"}, {"backup": None}, {"before": None}, {"before": "x"}, {"name": None}, {"server": "x"}]
)
def test_handles_of_restores_are_checked(more: dict[str, t.Any]) -> None:
    provider, _service = restore([])
    with pytest.raises(SyncError) as caught:
        provider.from_handle(restored_by(**more))
    assert caught.value.code == "invalid_option"


@pytest.mark.parametrize("application_id", [None, "x", "../1"])
def test_a_backup_of_no_application_is_refused(application_id: t.Any) -> None:
    provider, service = restore([{**restorable(), "application_id": application_id, "application": None}])
    with pytest.raises(SyncError) as caught:
        provider.resolve("313", service.channel)
    assert caught.value.code == "not_found"
    assert len(service.asked) <= 2


def test_two_backups_of_one_application_are_refused_whichever_comes_first() -> None:
    provider, service = restore([restorable(), {**restorable(), "id": 312}])
    targets = [provider.resolve(name, service.channel) for name in ("313", "312", "313")]
    for target in targets:
        obstacle = provider.observe(target, service.channel).obstacle
        assert obstacle is not None
        assert (obstacle.code, "312 and 313" in obstacle.message) == ("invalid_option", True)
