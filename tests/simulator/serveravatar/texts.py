# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts of the service, exactly as published, with their status."""

from __future__ import annotations

from typing import NamedTuple


class Refusal(NamedTuple):
    status: int
    text: str


ORGANIZATION_NOT_FOUND = Refusal(404, "Organization not found!")
SERVER_NOT_FOUND = Refusal(404, "Server not found!")
APPLICATION_NOT_FOUND = Refusal(404, "Application not found!")
DATABASE_NOT_FOUND = Refusal(404, "Database not found!")
WENT_WRONG = Refusal(500, "Something went really wrong!")
BUSY = Refusal(500, "Please wait another process already running!")
CANNOT = Refusal(404, "You cannot perform this action!")
CANNOT_SUPPORT = Refusal(404, "You cannot perform this action, Please contact support!")
CAN_NOT = Refusal(404, "You can not perform this action!")  # the status page spells it so

SYNC_STARTED = "Sync staging to production started."
CREATE_STARTED = "Staging site process started."
STAGING_DELETED = "Staging site deleted successfully."
TOGGLED = "Application enabled/disabled successfully!"  # the same text both ways

_SYNC_DISK = "Staging site sync is failed because you do not have enough disk space available on your {} server!"
PERMISSION_REFUSALS = {"permission": CANNOT, "permission_support": CANNOT_SUPPORT}
SYNC_REFUSALS = {
    "busy": BUSY,
    "staging_server": Refusal(404, "Staging server not found!"),
    "staging_application": Refusal(404, "Staging application not found!"),
    "staging_database": Refusal(404, "Staging database not found!"),
    "disk_staging": Refusal(500, _SYNC_DISK.format("staging")),
    "disk_production": Refusal(500, _SYNC_DISK.format("production")),
    "error_before": WENT_WRONG,
}

MIGRATION_SERVER_NOT_FOUND = Refusal(404, "Migration server not found!")
DUPLICATE_NAME = Refusal(500, "Duplicate application name found for this new server.")
DUPLICATE_DOMAIN = Refusal(500, "Duplicate domain name found for this new server.")
_CREATE_DISK = "Staging area is failed because you do not have enough disk space available on your {}!"
_WHILE_CREATING = "Something went really wrong while creating {}!"
CREATE_REFUSALS = {
    "database_exists": Refusal(404, "Database already exist!"),
    "database_user_exists": Refusal(404, "Database user already exist!"),
    "disk_server": Refusal(500, _CREATE_DISK.format("server")),
    "disk_new_server": Refusal(500, _CREATE_DISK.format("new server")),
    "application_user": Refusal(500, _WHILE_CREATING.format("application user")),
    "openlitespeed": Refusal(500, _WHILE_CREATING.format("application on openlitespeed")),
    "application": Refusal(500, _WHILE_CREATING.format("application")),
    "database": Refusal(500, _WHILE_CREATING.format("database")),
    "database_user": Refusal(500, _WHILE_CREATING.format("database user")),
    "error": WENT_WRONG,
}

BACKUP_STARTED = "Backup Process has been started successfully!"
BACKUP_PLANNED = "Backup plan created successfully."
RESTORE_STARTED = "Application backup restored in progress."
BACKUPS_DELETED = "Backup deleted successfully."  # not documented
BACKUP_NOT_FOUND = Refusal(404, "Backup not found!")  # not documented
PROVIDER_NOT_FOUND = Refusal(404, "Cloud storage Provider not found!")
BACKUP_DISK = Refusal(500, "Instant Backup is failed because you do not have enough disk space available on your server.")
INVALID_SCHEDULE = Refusal(500, "Invalid schedule!")
INVALID_RETENTION = Refusal(500, "Invalid retention period!")
START_IN_THE_PAST = Refusal(500, "Start from choose future date!")
RESTORING = Refusal(500, "Restore is already in progress.")
RESTORE_REFUSALS = {
    "permission": CANNOT,  # not documented for this page
    "busy": RESTORING,
    "disk": Refusal(500, "You can not restore this backup because there is not enough disk space available on your server."),
    "not_connected": Refusal(500, "Your server is not connected."),
    "error_before": WENT_WRONG,
}

UNAUTHENTICATED = "Unauthenticated."  # this and the next three: Laravel's, not documented
TOO_MANY = "Too Many Attempts."
NO_SUCH_ROUTE = "The route {} could not be found."
WRONG_METHOD = "The {} method is not supported for this route. Supported methods: {}."
INVALID = "The given data was invalid."


def drifted(text: str) -> str:
    """How other pages of the same documentation spell such a text."""
    text = text.replace("Something went really wrong", "Something went wrong")
    if "You cannot" in text:
        text = text.replace("You cannot", "You can not")
    elif "You can not" in text:
        text = text.replace("You can not", "You cannot")
    return text.removesuffix("!") + "." if text.endswith("!") else text
