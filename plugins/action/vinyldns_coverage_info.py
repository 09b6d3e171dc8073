# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.lockstep.sync.plugins.modules.vinyldns_coverage_info import OPERATION
from ansible_collections.lockstep.sync.plugins.plugin_utils._actions.controller import ControllerAction


class ActionModule(ControllerAction):
    """Does what the module does, without a process of its own."""

    operation = OPERATION
