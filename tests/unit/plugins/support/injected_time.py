# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A transaction whose time is that of a test, and not that of its database."""

from __future__ import annotations

import datetime as dt

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import Clock
from ansible_collections.lockstep.sync.plugins.module_utils._state.store import Row, Transaction, Value


class InjectedTime:
    """:param db: executes the statements."""

    def __init__(self, db: Transaction, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def query(self, statement: str, *values: Value) -> list[Row]:
        return self._db.query(statement, *values)

    def execute(self, statement: str, *values: Value) -> int:
        return self._db.execute(statement, *values)

    def insert(self, statement: str, *values: Value) -> int:
        return self._db.insert(statement, *values)

    def now(self) -> dt.datetime:
        return self._clock.now()
