# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""All providers by name, for the one module that serves them all."""

from __future__ import annotations

import typing as t

from .._lifecycle.provider import Provider
from .crafter.provider import Crafter
from .crafter.publish import CrafterPublish
from .plm.provider import PLM
from .serveravatar.backup import ServerAvatarBackup
from .serveravatar.provider import ServerAvatar
from .serveravatar.restore import ServerAvatarRestore
from .vinyldns.provider import VinylDNS

PROVIDER_CLASSES: tuple[type[Provider], ...] = (
    Crafter,
    CrafterPublish,
    PLM,
    ServerAvatar,
    ServerAvatarBackup,
    ServerAvatarRestore,
    VinylDNS,
)

PROVIDERS: t.Mapping[str, type[Provider]] = {provider.name: provider for provider in PROVIDER_CLASSES}
