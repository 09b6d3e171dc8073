# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mirrors. The provider class is tests/unit/plugins/support/fifth.py."""

from __future__ import annotations

from ..._operations.descriptor import ModuleCall, ProviderDescriptor, ProviderWorkflow
from .provider import Fifth

DESCRIPTOR = ProviderDescriptor(
    "fifth",
    (Fifth,),
    workflows={
        "fifth": ProviderWorkflow("mirror", ("mirrors", "mirror"), ModuleCall("fifth_mirror_sync", Fifth), staging=False),
    },
)
