# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An emulator of the part of the ServerAvatar API that deals with staging areas and backups.

It follows the published API pages.  What those pages leave open is a knob (``knobs.py``), and where an answer has to be
something although it is not documented, the defaults of Laravel (which the real service evidently runs on) are used.
"""

from __future__ import annotations

from .part import ServerAvatarPart

__all__ = ["ServerAvatarPart"]
