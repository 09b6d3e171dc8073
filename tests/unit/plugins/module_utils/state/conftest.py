# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A ledger in each kind of database."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import RunLedger
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.databases import Database


@pytest.fixture
def ledger(database: Database, clock: FakeClock) -> RunLedger:
    return RunLedger(database.location, clock)
