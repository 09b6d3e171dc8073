# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""ServerAvatar."""

from __future__ import annotations

from ..._operations.descriptor import ModuleCall, ProviderDescriptor, ProviderWorkflow
from .backup import ServerAvatarBackup
from .inventory import INVENTORY
from .provider import ServerAvatar
from .restore import ServerAvatarRestore

DESCRIPTOR = ProviderDescriptor(
    "serveravatar",
    (ServerAvatar, ServerAvatarBackup, ServerAvatarRestore),
    failure_codes={
        "staging_disabled": "there is no staging area; nothing was started",
        "disk_full": "the server has not enough free disk space; nothing was started",
    },
    workflows={
        "serveravatar": ProviderWorkflow(
            "application",
            ("applications", "application"),
            ModuleCall("serveravatar_staging_sync", ServerAvatar),
            backup=ModuleCall("serveravatar_backup", ServerAvatarBackup),
            restore=ModuleCall("serveravatar_restore", ServerAvatarRestore),
            checks={"staging_disabled": "staging", "disk_full": "disk"},
        )
    },
    inventory=INVENTORY,
)
