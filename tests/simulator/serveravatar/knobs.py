# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that can be set while the part runs: PUT /parts/serveravatar/knobs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..framework import KnobError, Knobs

Outcome = Literal["success", "failure", "never"]
SyncAnswer = Literal[
    "auto",
    "permission",
    "permission_support",
    "busy",
    "staging_server",
    "staging_application",
    "staging_database",
    "disk_staging",
    "disk_production",
    "error_before",
    "error_after",
]
RestoreAnswer = Literal["auto", "permission", "busy", "disk", "not_connected", "error_before", "error_after"]
CreateAnswer = Literal[
    "auto",
    "database_exists",
    "database_user_exists",
    "disk_server",
    "disk_new_server",
    "application_user",
    "openlitespeed",
    "application",
    "database",
    "database_user",
    "error",
]


@dataclass
class ServerAvatarKnobs(Knobs):
    """One flat list; ``applications`` overrides any of it for single production applications."""

    # A sync run.  "auto" decides as documented; every other answer is forced.  "error_after" answers 500 and runs all the same.
    sync_answer: SyncAnswer = "auto"
    sync_seconds: float = 0.3  # 0: over before the first poll, only updated_at betrays it
    sync_outcome: Outcome = "success"
    sync_damages_on_failure: bool = False  # a failed run leaves the files of production replaced and its database not

    # The status row.  Whether and how a sync moves it is not documented.
    status_row: Literal["moves", "frozen", "stamp_only"] = "moves"
    status_row_delay: float = 0.0  # the row keeps its old, finished look for this long after the start
    status_running: str = "staging_area_in_progress"
    status_success: str = "staging_area_completed"
    status_failure: str = "staging_area_failed"
    display_running: str = "Staging area in progress"
    display_success: str = "Staging area completed"
    display_failure: str = "Staging area failed"
    percent_running: int | None = None  # None: rises with time from 0 to 99
    percent_success: int = 100
    percent_failure: int = 0

    # Creating a staging area
    create_answer: CreateAnswer = "auto"
    create_seconds: float = 0.3
    create_outcome: Outcome = "success"
    detail_without_staging: Literal["false", "nulls", "not_found"] = "false"

    # Backups and restores
    backup_seconds: float = 0.3
    backup_outcome: Outcome = "success"
    backup_disk_full: bool = False
    backup_row_appears: Literal["at_start", "at_end"] = "at_start"
    backup_order: Literal["newest_first", "oldest_first"] = "newest_first"
    backup_running: str = "In Progress"
    backup_success: str = "Completed"
    backup_failure: str = "Failed"
    backup_rows_without_server: bool = False  # server_id is null, as in an example of the documentation

    # A restore.  Its answers are documented ("auto" decides, "error_after" answers 500 and restores all the same); whether it
    # shows in the row of its backup is not, nor are the words: inferred.
    restore_answer: RestoreAnswer = "auto"
    restore_seconds: float = 0.3
    restore_until_seen: int = 0  # instead of for restore_seconds, a restore lasts until its row was shown in progress so often
    restore_outcome: Outcome = "success"
    restore_damages_on_failure: bool = False  # a failed restore has replaced the files and not the database
    restore_row: Literal["moves", "frozen", "stamp_only"] = "moves"
    restore_row_delay: float = 0.0  # the row keeps its old look for this long after the start
    restore_running: str = "Restoring"
    restore_success: str = "Completed"
    restore_failure: str = "Restore Failed"

    # The web sites themselves, /sites/<application>
    broken_release: str | None = None  # production answers 500 while it runs this release; staging works with it
    site_during_sync: Literal["up", "down"] = "up"
    site_warmup_seconds: float = 0.0  # production answers 503 for this long after it was overwritten or restored

    # Transport
    rate_limit: int | None = None  # requests per rate_window, by token bucket; None: no limit
    rate_window: float = 60.0
    rate_retry_after: str | None = None  # sent instead of the computed seconds
    auth_failure_without_accept: Literal["json", "redirect", "html"] = "json"
    head_runs_get: bool = True  # as Laravel does; False: 405
    drifted_texts: bool = False  # the spellings of other pages of the same documentation
    clock_offset: float = 0.0  # seconds between the clock of the service and ours
    servers_per_page: int = 12
    applications_per_page: int = 10
    databases_per_page: int = 10
    backups_per_page: int = 10
    providers_per_page: int = 8

    # Servers
    disconnected_servers: list[int] = field(default_factory=list)
    disk_usage: float = 41.0

    # {"88": {"sync_outcome": "failure"}}
    applications: dict[str, Any] = field(default_factory=dict)

    def update(self, values: Mapping[str, object]) -> None:
        overrides = values.get("applications")
        if isinstance(overrides, Mapping):
            for settings in overrides.values():
                self._overridden(settings)  # only to refuse wrong ones here, where the one who sets them sees it
        super().update(values)

    def for_application(self, application_id: int) -> ServerAvatarKnobs:
        """The settings in force for one production application."""
        return self._overridden(self.applications.get(str(application_id), {}))

    def _overridden(self, settings: object) -> ServerAvatarKnobs:
        if not isinstance(settings, Mapping) or "applications" in settings:
            raise KnobError("knob 'applications' maps application ids to mappings of other knobs")
        copy = dataclasses.replace(self, applications={})
        Knobs.update(copy, settings)
        return copy
