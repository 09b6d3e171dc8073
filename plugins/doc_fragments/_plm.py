# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """How to find a PLM Media Manager."""

    DOCUMENTATION = r"""
options:
  api_url:
    description:
      - Address of the REST API of the Media Manager, including its prefix. That of the desktop application is
        V(http://localhost:9001/api/media-manager/v0), that of the standalone server has the path V(/v0).
      - The Media Manager has neither authentication nor TLS of its own.
      - If the value is not specified in the task, the value of environment variable E(PLM_MEDIA_MANAGER_URL) will be used
        instead.
    type: str
    required: true
attributes:
  action_group:
    description:
      - Use C(group/lockstep.sync.plm) or C(group/lockstep.sync.all) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - lockstep.sync.all
      - lockstep.sync.plm
"""
