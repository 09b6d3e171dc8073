# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""PLM Media Manager."""

from __future__ import annotations

from ..._operations.descriptor import ModuleCall, ProviderDescriptor, ProviderWorkflow
from .provider import PLM

DESCRIPTOR = ProviderDescriptor(
    "plm",
    (PLM,),
    workflows={"plm": ProviderWorkflow("PLM media", (), ModuleCall("plm_storage_sync", PLM), staging=False)},
)
