# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the server imports that processes.py forks from."""

from __future__ import annotations

import gc
import importlib

from ansible_collections.lockstep.sync.plugins.module_utils._state import postgresql

for _name in ("controllers", "ledger_users", "limited_users", "promotion_users", "sync_users"):
    importlib.import_module(f"{__package__}.{_name}")
# with the libraries that it uses
assert postgresql.PostgresqlStore

# What is in use now is in use for ever, so that no process that is forked copies it in order to look.
gc.freeze()
