# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All action plugins, imported: for the server that processes are forked from, where nothing else is."""

from __future__ import annotations

import importlib

from .cases import CASES
from .ways import ACTIONS

for _name in ("sync_wait", *(case.module for case in CASES)):
    importlib.import_module(f"{ACTIONS}.{_name}")
