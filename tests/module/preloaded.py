# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server imports that process.py forks from: all that does not depend on the environment."""

from __future__ import annotations

import contextlib
import gc
import importlib

from .process import MODULES, NAMES

OPTIONAL = ("dns.zone", "psycopg")

for _name in (f"{MODULES}.{name}" for name in NAMES):
    importlib.import_module(_name)
for _name in OPTIONAL:
    with contextlib.suppress(ImportError):
        importlib.import_module(_name)

# What is in use now is in use for ever, so that no process that is forked copies it in order to look.
gc.freeze()
