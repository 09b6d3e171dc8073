# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of ServerAvatar: what is read from its JSON, and the form of handles and snapshots, which ledgers keep for long."""

from __future__ import annotations

import datetime as dt
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.handles import (
    BackupHandle,
    ExpectedBackup,
    RestoreHandle,
    SyncHandle,
    mark_in_restore_snapshot,
    mark_in_sync_snapshot,
)
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.rows import (
    BackupMark,
    BackupRow,
    Server,
    Staging,
    StatusMark,
    StatusRow,
)

ADDRESS = "https://api.example.com"
PLACE = {"address": ADDRESS, "organization": 5, "server": 15, "application": 88, "name": "shop"}
STATUS = {"id": 42, "status": "Completed", "updated_at": "2026-11-12 23:09:35", "percentage": 100}
BACKUP = {"status": "Completed", "updated_at": "2026-11-20 09:30:00"}

Handle = t.Union[SyncHandle, RestoreHandle, BackupHandle]

#: as ledgers and reports have them
KEPT: list[tuple[type[Handle], dict[str, t.Any]]] = [
    (SyncHandle, {"provider": "serveravatar", **PLACE, "before": STATUS}),
    (SyncHandle, {"provider": "serveravatar", **PLACE, "before": None}),
    (RestoreHandle, {"provider": "serveravatar_restore", **PLACE, "backup": 313, "before": BACKUP}),
    (RestoreHandle, {"provider": "serveravatar_restore", **PLACE, "backup": 313, "before": BACKUP, "waits_for": "staging"}),
    (
        BackupHandle,
        {
            "provider": "serveravatar_backup",
            **PLACE,
            "type": "application",
            "storage": 7,
            "database": 48,
            "backup": "lockstep-application-20261120-100000-0a1b2c",
            "after": 312,
            "ordered_at": "2026-11-20T10:00:00Z",
        },
    ),
    (
        BackupHandle,
        {
            "provider": "serveravatar_backup",
            **PLACE,
            "type": "filesystem",
            "storage": 7,
            "database": None,
            "backup": "x",
            "after": 0,
            "ordered_at": None,
        },
    ),
]


@pytest.mark.parametrize(("kind", "kept"), KEPT)
def test_a_kept_handle_is_written_as_it_was_read(kind: type[Handle], kept: dict[str, t.Any]) -> None:
    written = kind.from_json(kept).to_json(ADDRESS)
    assert list(written.items()) == list(kept.items())


@pytest.mark.parametrize(("kind", "kept"), KEPT)
@pytest.mark.parametrize("field", ["organization", "server", "application", "name"])
def test_a_handle_without_its_place_is_refused(kind: type[Handle], kept: dict[str, t.Any], field: str) -> None:
    with pytest.raises(SyncError) as caught:
        kind.from_json({**kept, field: {"x": "../1"}})
    assert caught.value.code == "invalid_option"


def test_kept_snapshots() -> None:
    assert mark_in_sync_snapshot({"before": STATUS}) == StatusMark(42, "Completed", "2026-11-12 23:09:35", 100)
    assert mark_in_sync_snapshot({"before": None}) is None
    assert mark_in_restore_snapshot({"before": BACKUP}) == BackupMark("Completed", "2026-11-20 09:30:00")
    kept = {"backup": "x", "after": 312}
    assert ExpectedBackup.from_json(kept).to_json() == kept


@pytest.mark.parametrize("percentage", [100, "100", 100.0])
def test_a_status_row_equals_the_mark_of_it_that_was_kept(percentage: t.Any) -> None:
    row = {"id": "42", "status": "Completed", "updated_at": "2026-11-12 23:09:35", "database_id": "48"}
    body = {"configurationInPercentage": percentage, "displayText": None, "siteMigration": row}
    found = StatusRow.from_json(body, dt.datetime(2026, 11, 20, tzinfo=dt.timezone.utc))
    assert (found.mark, found.database, found.text) == (StatusMark.from_json(STATUS), 48, "")
    assert found.mark.to_json() == STATUS


@pytest.mark.parametrize(
    ("storage", "fits"),
    [({}, True), ({"cloud_storage_provider_id": 7}, True), ({"cloud_storage_provider_id": "7"}, True)]
    + [({"cloud_storage_provider_id": other}, False) for other in (8, None, "x")],
)
def test_a_backup_is_in_a_storage_unless_its_row_says_otherwise(storage: dict[str, t.Any], fits: bool) -> None:
    assert BackupRow.from_json({"id": 1, "application_id": "88", **storage}).is_of(88, 7) is fits


def test_a_backup_without_any_details() -> None:
    row = BackupRow.from_json({"id": "313", "backup_configuration": None, "application": None})
    assert row.as_detail() == {"id": 313, "name": "", "size": None, "status": None}
    assert row.mark == BackupMark("", None)
    assert (row.application, row.application_name, row.server) == (None, None, None)


@pytest.mark.parametrize(
    ("log", "usage"),
    [
        ({"disk_usage": "81.5%"}, 81.5),
        ({"disk_usage": 60}, 60.0),
        ({"disk_usage": "?"}, None),
        ({}, None),
        (None, None),
        ("x", None),
    ],
)
def test_the_disk_usage_of_a_server(log: t.Any, usage: float | None) -> None:
    assert Server.from_json({"id": 15, "latest_monitor_log": log}) == Server(15, "15", None, True, usage)


def test_a_staging_area_under_either_spelling() -> None:
    names = {"migrationServer": "192.0.2.15", "application_domain": None}
    expected = Staging(True, "192.0.2.15")
    assert Staging.from_json({"is_availabel_staging_area": 1, **names}) == expected
    assert Staging.from_json({"is_available_staging_area": "1", **names}) == expected
    assert Staging.from_json(names) is None
