# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An emulator of the storage synchronizers of the PLM Media Manager, with its notifications.

It follows the published pages and, where the real server was seen to do otherwise, what was seen.
"""

from __future__ import annotations

from .part import PlmPart

__all__ = ["PlmPart"]
