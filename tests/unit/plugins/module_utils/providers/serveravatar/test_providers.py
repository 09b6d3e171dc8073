# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The providers for ServerAvatar: what they send, and what they make of each response. Nothing is sent anywhere."""

from __future__ import annotations

import datetime as dt
import json
import random
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import Ambiguous, SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel, RequestCount
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Provider, Run, Services, Target
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.api import ApplicationPath
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.backup import ServerAvatarBackup
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.common import new_client
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.provider import ServerAvatar
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.restore import ServerAvatarRestore
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key

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


class StillClock:
    """Time that passes only when it is advanced."""

    def __init__(self) -> None:
        self.elapsed = 0.0

    def monotonic(self) -> float:
        return self.elapsed

    def now(self) -> dt.datetime:
        return dt.datetime(2026, 11, 20, 10, tzinfo=dt.timezone.utc) + dt.timedelta(seconds=self.elapsed)

    def sleep(self, seconds: float) -> None:
        self.elapsed += seconds


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


# -- the evidence ----------------------------------------------------------------------------------------------------


def test_observing_sends_nothing_that_changes_anything() -> None:
    provider, service, target = sync()
    observation = provider.observe(target, service.channel)
    assert observation.snapshot == {"before": BEFORE}
    assert observation.running is None
    assert observation.obstacle is None
    assert not any(asked.endswith("/sync") for asked, _body in service.asked)
    assert "hidden" not in json.dumps(observation.detail)


def test_a_row_in_progress_is_a_run_in_flight() -> None:
    provider, service, target = sync({f"GET {APP}/status": status(40, status="in_progress")})
    running = provider.observe(target, service.channel).running
    assert running is not None
    assert running.handle["before"]["percentage"] == 40
    assert provider.from_handle(running.handle) == target


def test_a_row_in_progress_without_a_staging_area_is_one_in_the_making() -> None:
    responses = {
        f"GET {APP}/status": status(40, status="in_progress"),
        f"GET {APP}/staging-area-detail": {"is_availabel_staging_area": False},
    }
    provider, service, target = sync(responses)
    observation = provider.observe(target, service.channel)
    assert observation.running is None
    assert observation.obstacle is not None
    assert (observation.obstacle.code, "being created" in observation.obstacle.message) == ("staging_disabled", True)


@pytest.mark.parametrize(
    "detail",
    [
        {"is_availabel_staging_area": False},
        {"is_availabel_staging_area": 0, "migrationServer": None},
        {"is_availabel_staging_area": "0"},
        {"is_available_staging_area": False},
        refused(404, "You can not perform this action!"),
    ],
)
def test_no_staging_area(detail: t.Any) -> None:
    responses = {f"GET {APP}/staging-area-detail": detail, f"GET {APP}/status": refused(404, "You can not perform this action!")}
    provider, service, target = sync(responses)
    observation = provider.observe(target, service.channel)
    assert observation.obstacle is not None
    assert observation.obstacle.code == "staging_disabled"
    assert observation.snapshot == {"before": None}


@pytest.mark.parametrize("value", [True, 1, "1", "true"])
def test_a_staging_area_in_any_form_of_truth(value: t.Any) -> None:
    provider, service, target = sync({f"GET {APP}/staging-area-detail": {"is_availabel_staging_area": value}})
    assert provider.observe(target, service.channel).obstacle is None


def test_details_that_do_not_tell_are_not_guessed() -> None:
    provider, service, target = sync({f"GET {APP}/staging-area-detail": {"migrationServer": "192.0.2.15"}})
    with pytest.raises(SyncError) as caught:
        provider.observe(target, service.channel)
    assert caught.value.code == "bad_response"
    assert "require_staging" in caught.value.hint


def test_without_require_staging_the_staging_area_is_not_queried() -> None:
    provider, service, target = sync(require_staging=False)
    observation = provider.observe(target, service.channel)
    assert observation.obstacle is None
    assert observation.detail["staging"] is None
    assert not any("staging-area-detail" in asked for asked, _body in service.asked)


def test_a_disconnected_server_is_an_obstacle() -> None:
    provider, service, target = sync(
        {"GET /organizations/5/servers/15": {"server": {"id": 15, "name": "production", "agent_status": "0"}}}
    )
    obstacle = provider.observe(target, service.channel).obstacle
    assert obstacle is not None
    assert (obstacle.code, "production" in obstacle.message) == ("connection_failed", True)


@pytest.mark.parametrize(
    ("updated_at", "pause"),
    [
        # the server says that it is 10:00:05
        ("2026-11-20 10:00:05", 1.0),
        ("2026-11-20 15:30:05", 1.0),
        ("2026-11-20 02:15:06", 2.0),
        ("2026-11-20 10:00:04", 0.0),
        ("2026-11-20 10:00:30", 0.0),
        ("2026-11-18 10:00:05", 0.0),
        ("2026-11-12 23:09:35", 0.0),
        ("not a date", 0.0),
        (None, 0.0),
    ],
)
def test_a_run_is_never_started_within_the_second_of_the_last_change(updated_at: str | None, pause: float) -> None:
    provider, service, target = sync({f"GET {APP}/status": status(updated_at=updated_at)})
    observation = provider.observe(target, service.channel)
    assert provider.still_valid(target, observation, service.channel)
    assert provider.services.clock.monotonic() == pause
    service.responses[f"GET {APP}/status"] = status(0, status="in_progress")
    assert provider.still_valid(target, observation, service.channel) == (pause == 0)


# -- the trigger -----------------------------------------------------------------------------------------------------


def test_the_trigger_is_a_get_that_goes_the_way_of_triggers() -> None:
    provider, service, target = sync({f"GET {APP}/sync": {"message": "Sync staging to production started."}})
    observation = provider.observe(target, service.channel)
    run = provider.trigger(target, observation, service.channel)
    assert service.asked[-1][0] == f"GET {APP}/sync"
    assert service.sessions[-1] is provider.client.triggers
    assert all(session is provider.client.reads for session in service.sessions[:-1])
    assert run.handle == handle()
    assert run.started_at == dt.datetime(2026, 11, 20, 10, 0, 5, tzinfo=dt.timezone.utc)


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><title>Log in</title>", b"", b"[]", b"{}", b'"started"'])
def test_a_success_that_the_service_did_not_write_proves_nothing(body: bytes) -> None:
    provider, service, target = sync({f"GET {APP}/sync": (200, body)})
    observation = provider.observe(target, service.channel)
    with pytest.raises(Ambiguous):
        provider.trigger(target, observation, service.channel)


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (refused(500, "Please wait another process already running!"), "busy"),
        (refused(404, "You cannot perform this action!"), "permission_denied"),
        (refused(500, "Something went really wrong!"), "outcome_unknown"),
        (refused(503, "Service Unavailable"), "outcome_unknown"),
        ((502, b"<html>Bad Gateway</html>"), "outcome_unknown"),
        (refused(429, "Too Many Attempts."), "rate_limited"),
        ((302, b""), "redirect_refused"),
    ],
)
def test_refused_triggers(response: t.Any, code: str) -> None:
    provider, service, target = sync({f"GET {APP}/sync": response})
    observation = provider.observe(target, service.channel)
    with pytest.raises(SyncError) as caught:
        provider.trigger(target, observation, service.channel)
    assert caught.value.code == code
    assert [asked for asked, _body in service.asked].count(f"GET {APP}/sync") == 1


# -- looking at a run ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "now", "state"),
    [
        # it never moved: to be lost after the grace, and never a success
        (BEFORE, status(), "absent"),
        (None, refused(404, "You can not perform this action!"), "absent"),
        (BEFORE, refused(404, "You can not perform this action!"), "absent"),
        # it moves
        (BEFORE, status(0, status="in_progress"), "running"),
        (BEFORE, status(100, status="in_progress"), "running"),
        # it has ended, as every single fact may tell
        (BEFORE, status(updated_at="2026-11-20 10:00:06"), "succeeded"),
        (BEFORE, status(id=43), "succeeded"),
        (BEFORE, status(status="staging_area_completed"), "succeeded"),
        (BEFORE, status(0), "succeeded"),
        (None, status(), "succeeded"),
        (BEFORE, status(0, status="staging_area_failed", updated_at="2026-11-20 10:00:06"), "failed"),
        (BEFORE, status(100, "Sync failed", updated_at="2026-11-20 10:00:06"), "failed"),
        # a run that was joined while it was in progress
        ({**BEFORE, "status": "in_progress", "percentage": 40}, status(40, status="in_progress"), "running"),
        ({**BEFORE, "status": "in_progress", "percentage": 40}, status(), "succeeded"),
        # a failure from before is not the failure of this run
        ({**BEFORE, "status": "failed", "percentage": 0}, status(0, status="failed"), "absent"),
        # types drift
        (BEFORE, status("100", id="42"), "absent"),
    ],
)
def test_readings(before: t.Any, now: t.Any, state: str) -> None:
    provider, service, _target = sync({f"GET {APP}/status": now})
    assert provider.read(handle(before), service.channel).state == state


def test_a_status_without_a_row_is_readable() -> None:
    provider, service, _target = sync({f"GET {APP}/status": {"configurationInPercentage": 30, "displayText": "Copying"}})
    reading = provider.read(handle(), service.channel)
    assert (reading.state, reading.raw) == ("running", "Copying")


def test_a_vanished_application_is_an_error() -> None:
    provider, service, _target = sync({f"GET {APP}/status": refused(404, "Application not found!")})
    with pytest.raises(SyncError) as caught:
        provider.read(handle(), service.channel)
    assert caught.value.code == "not_found"


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (status(), False),
        (status(0, status="in_progress"), True),
        (status(updated_at="2026-11-20 10:00:06"), True),
        (refused(404, "You can not perform this action!"), False),
    ],
)
def test_a_lost_reply_is_adopted_only_if_the_row_moved(now: t.Any, found: bool) -> None:
    provider, service, target = sync({f"GET {APP}/status": now})
    run = provider.find(target, {"before": BEFORE}, service.channel)
    assert (run and run.handle) == (handle() if found else None)


def test_a_success_counts_as_observed() -> None:
    provider, service, target = sync({f"GET {APP}/status": status(updated_at="2026-11-20 10:00:06")})
    reading = provider.read(handle(), service.channel)
    effect = provider.verify(target, None, Run(handle()), reading, service.channel)
    assert (effect.changed, effect.basis, effect.failure) == (True, "observed", None)
    assert effect.detail["status"]["updated_at"] == "2026-11-20 10:00:06"


def test_a_failure_may_have_changed_production() -> None:
    provider, service, target = sync({f"GET {APP}/status": status(0, "Sync failed", status="failed")})
    reading = provider.read(handle(), service.channel)
    effect = provider.verify(target, None, Run(handle()), reading, service.channel)
    assert (effect.changed, effect.basis) == (True, "assumed")
    assert effect.failure is not None
    assert (effect.failure.code, "Sync failed" in effect.failure.message) == ("run_failed", True)


def test_a_run_that_never_shows_is_a_warning_or_a_failure_and_no_success() -> None:
    provider, _service, target = sync()
    effect = provider.lost(target, Run(handle()))
    assert (effect.changed, effect.basis, effect.failure) == (True, "assumed", None)
    assert "completion not observable" in effect.reason
    assert "completion not observable" in effect.warnings[0]
    provider, _service, target = sync(if_unobservable="fail")
    failure = provider.lost(target, Run(handle())).failure
    assert failure is not None
    assert failure.code == "outcome_unknown"


@pytest.mark.parametrize(
    "more",
    [
        {"application": "88/../../1"},
        {"server": None},
        {"organization": -5},
        {"organization": "²"},
        {"before": "x"},
        {"name": None},
        {"application": {"id": 88}},
    ],
)
def test_handles_are_data_and_not_paths(more: dict[str, t.Any]) -> None:
    provider, _service, _target = sync()
    with pytest.raises(SyncError) as caught:
        provider.from_handle(handle(**more))
    assert caught.value.code == "invalid_option"


def test_ids_in_a_handle_may_have_become_text() -> None:
    provider, _service, target = sync()
    assert provider.from_handle(handle(organization="5", server="15", application="88")) == target


# -- the token -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [TOKEN, f"  {TOKEN}\n", f"Bearer {TOKEN}", f"bearer  {TOKEN}"])
@pytest.mark.parametrize(("scheme", "sent"), [("raw", TOKEN), ("bearer", f"Bearer {TOKEN}")])
def test_how_the_token_is_sent(given: str, scheme: str, sent: str) -> None:
    wanted = services()
    client = new_client({**OPTIONS, "api_token": given, "auth_scheme": scheme}, wanted)

    class Request:
        headers: t.ClassVar[dict[str, str]] = {}

    for session in (client.reads, client.triggers):
        session.auth(Request)
        assert Request.headers == {"Authorization": sent}
    assert wanted.redactor.text(f"it is {TOKEN}!") == "it is ********!"


@pytest.mark.parametrize("token", ["", "  ", "Bearer ", "two words", "line\nbreak", "tökén"])
def test_what_is_no_token_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(SyncError) as caught:
        new_client({**OPTIONS, "api_token": token}, services())
    assert caught.value.code == "invalid_option"
    assert not token.strip() or token not in f"{caught.value.message} {caught.value.hint}"


# -- backups ---------------------------------------------------------------------------------------------------------

BACKUPS = "GET /organizations/5/backups"


def row(number: int, name: str = "", state: str = "Completed", application: int = 88, **more: t.Any) -> dict[str, t.Any]:
    configuration = {"id": number + 200, "name": name} if name else None
    ids = {"id": number, "application_id": application, "cloud_storage_provider_id": 7, "backup_hash": "f"}
    return {**ids, "status": state, "totalSize": "51 MB", "backup_configuration": configuration, **more}


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
    assert (reading.data and reading.data["id"]) == number


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


# -- restores --------------------------------------------------------------------------------------------------------

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


def test_a_restore_undoes_what_syncs_and_other_restores_brought_and_a_sync_what_restores_brought() -> None:
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
