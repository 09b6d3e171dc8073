# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """How to find the service of the mirrors."""

    DOCUMENTATION = r"""
options:
  api_url:
    description: Address of the service. The default is the value of E(FIFTH_URL).
    type: str
    required: true
  token:
    description: The token for the service. The default is the value of E(FIFTH_TOKEN).
    type: str
    required: true
"""
