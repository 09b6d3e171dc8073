# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Crafter Studio."""

from __future__ import annotations

from ..._operations.descriptor import ModuleCall, ProviderDescriptor, ProviderWorkflow
from .inventory import INVENTORY
from .provider import Crafter
from .publish import CrafterPublish

_SITES = ("sites", "site_id", "site")

DESCRIPTOR = ProviderDescriptor(
    "crafter",
    (Crafter, CrafterPublish),
    failure_codes={"staging_disabled": "there is no staging area; nothing was started"},
    workflows={
        "crafter": ProviderWorkflow(
            "Crafter site", _SITES, ModuleCall("crafter_staging_sync", Crafter), checks={"staging_disabled": "staging"}
        ),
        "crafter_publish": ProviderWorkflow("Crafter site", _SITES, ModuleCall("crafter_publish", CrafterPublish), staging=False),
    },
    inventory=INVENTORY,
)
