# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""VinylDNS."""

from __future__ import annotations

from ..._operations.descriptor import ProviderDescriptor
from .inventory import INVENTORY
from .provider import VinylDNS

DESCRIPTOR = ProviderDescriptor(
    "vinyldns",
    (VinylDNS,),
    failure_codes={"recently_synced": "the server does not sync a zone again so soon; nothing was started"},
    inventory=INVENTORY,
)
