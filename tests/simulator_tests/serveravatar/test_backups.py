# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.client import wait_until
from tests.simulator_tests.serveravatar.client import INSTANT, ORG_BACKUPS, SERVER, Api, done, newest, refused


def test_an_instant_backup(api: Api) -> None:
    api.knob(backup_seconds=0.4)
    before = newest(api)["id"]
    done(api.post(SERVER + "/backups", INSTANT), "Backup Process has been started successfully!")
    row = newest(api)
    assert (row["id"] > before, row["status"], row["application_size"]) == (True, "In Progress", 0)
    row = wait_until(lambda: newest(api) if newest(api)["status"] == "Completed" else None)
    assert (row["application"]["name"], row["database"]["name"], row["provider"]) == ("shop", "shop", "amazon_s3")
    assert row["backup_configuration"]["name"] == "before promotion"
    assert row["application_size"] > 0
    assert set(row) == {
        *("id", "backup_config_id", "organization_id", "server_id", "cloud_storage_provider_id", "application_id"),
        *("database_id", "backup_hash", "application_size", "database_size", "status", "expires_at", "created_at"),
        *("updated_at", "provider", "totalSize", "database", "application", "backup_configuration"),
    }


def test_a_backup_may_fail(api: Api) -> None:
    api.knob(backup_seconds=0, backup_outcome="failure")
    done(api.post(SERVER + "/backups", INSTANT), "Backup Process has been started successfully!")
    assert newest(api)["status"] == "Failed"
    refused(api.get(f"{ORG_BACKUPS}/{newest(api)['id']}/restore"), 404, "Backup not found!")


def test_a_backup_may_be_listed_only_when_it_has_ended(api: Api) -> None:
    api.knob(backup_seconds=0.4, backup_row_appears="at_end")
    before = newest(api)["id"]
    api.post(SERVER + "/backups", INSTANT)
    assert newest(api)["id"] == before
    assert wait_until(lambda: newest(api)["id"] > before)
    assert newest(api)["status"] == "Completed"


def test_a_backup_may_never_end(api: Api) -> None:
    api.knob(backup_seconds=0, backup_outcome="never")
    api.post(SERVER + "/backups", INSTANT)
    assert newest(api)["status"] == "In Progress"


def test_the_order_of_backups_is_unknown(api: Api) -> None:
    ids = [row["id"] for row in api.ok(ORG_BACKUPS)["data"]]
    assert ids == sorted(ids, reverse=True)
    api.knob(backup_order="oldest_first")
    ids = [row["id"] for row in api.ok(ORG_BACKUPS)["data"]]
    assert ids == sorted(ids)
    assert 312 not in ids  # the latest is on the second page


@pytest.mark.parametrize(
    ("change", "status", "text"),
    [
        ({"cloud_storage_provider_id": 99}, 404, "Cloud storage Provider not found!"),
        ({"cloud_storage_provider_id": 8}, 404, "Cloud storage Provider not found!"),  # a Google Drive
        ({"application_id": 120}, 404, "Application not found!"),
        ({"database_id": 9999}, 404, "Database not found!"),
        ({"automatic_backup": 1}, 500, "Invalid schedule!"),
        (
            {"automatic_backup": 1, "schedule": "daily", "start_backup": "2020-01-01 00:00"},
            500,
            "Start from choose future date!",
        ),
        (
            {"provider": "serveravatar", "cloud_storage_provider_id": 9, "retention_period": "a while"},
            500,
            "Invalid retention period!",
        ),
    ],
)
def test_a_refused_backup(api: Api, change: dict[str, Any], status: int, text: str) -> None:
    before = api.ok(ORG_BACKUPS)["total"]
    refused(api.post(SERVER + "/backups", {**INSTANT, **change}), status, text)
    assert api.ok(ORG_BACKUPS)["total"] == before


def test_a_backup_needs_space(api: Api) -> None:
    api.knob(backup_disk_full=True)
    text = "Instant Backup is failed because you do not have enough disk space available on your server."
    refused(api.post(SERVER + "/backups", INSTANT), 500, text)


def test_a_scheduled_backup_is_only_planned(api: Api) -> None:
    before = api.ok(ORG_BACKUPS)["total"]
    body = {**INSTANT, "automatic_backup": True, "schedule": "daily", "start_backup": "2999-01-01 00:00"}
    done(api.post(SERVER + "/backups", body), "Backup plan created successfully.")
    assert api.ok(ORG_BACKUPS)["total"] == before


@pytest.mark.parametrize("field", ["provider", "cloud_storage_provider_id", "automatic_backup", "type", "application_id"])
def test_fields_of_a_backup_are_required(api: Api, field: str) -> None:
    answer = api.post(SERVER + "/backups", {name: value for name, value in INSTANT.items() if name != field})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])


def test_fields_of_a_backup_are_validated(api: Api) -> None:
    answer = api.post(SERVER + "/backups", {**INSTANT, "type": "everything", "provider": "tape"})
    assert answer.json()["errors"] == {
        "provider": ["The selected provider is invalid."],
        "type": ["The selected type is invalid."],
    }
    answer = api.post(SERVER + "/backups", {**INSTANT, "provider": "serveravatar"})
    text = "The retention period field is required when provider is serveravatar."
    assert answer.json()["errors"] == {"retention_period": [text]}


def test_backups_are_deleted_together_or_not_at_all(api: Api) -> None:
    refused(api.post(ORG_BACKUPS + "/destroy", {"ids": [301, 999]}), 404, "Backup not found!")
    assert api.ok(ORG_BACKUPS)["total"] == 12
    assert api.post(ORG_BACKUPS + "/destroy", {"ids": [301, 302]}).status_code == 200
    assert api.ok(ORG_BACKUPS)["total"] == 10
    assert api.post(ORG_BACKUPS + "/destroy", {}).status_code == 422
