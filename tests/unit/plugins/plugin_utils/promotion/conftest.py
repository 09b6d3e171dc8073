# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A promotion store in each kind of database, and owners of its locks."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._state.process import ProcessIdentity
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.journal import PromotionStore
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.owner import Owner
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.databases import Database
from tests.unit.plugins.support.processes import UNUSED_PID


@pytest.fixture
def store(database: Database, clock: FakeClock) -> PromotionStore:
    return PromotionStore(database.location, clock)


@pytest.fixture
def me() -> Owner:
    return Owner.current(label="operator")


@pytest.fixture
def dead() -> Owner:
    return Owner(ProcessIdentity.of(UNUSED_PID), "ghost")
