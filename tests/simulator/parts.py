# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the simulator, in the order of the JSON line.  Adding one is adding a line."""

from __future__ import annotations

from importlib import import_module

from .framework import Part

PARTS = {
    "vinyldns": ".vinyldns:VinylDnsPart",
    "serveravatar": ".serveravatar:ServerAvatarPart",
    "crafter": ".crafter:CrafterPart",
    "plm": ".plm:PlmPart",
}


def load(name: str) -> type[Part]:
    """The class of a part; imported on demand, so that running one part does not need the others."""
    module, _colon, attribute = PARTS[name].partition(":")
    part: type[Part] = getattr(import_module(module, package=__package__), attribute)
    return part
