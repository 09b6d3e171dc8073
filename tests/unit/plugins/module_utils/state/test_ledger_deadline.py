# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long an operation of the ledger may take: until the deadline of its target."""

from __future__ import annotations

import collections.abc
import pathlib
import sqlite3
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._state.lease import HEARTBEAT_SECONDS
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import RunLedger
from ansible_collections.lockstep.sync.plugins.module_utils._state.store import LAST_MOMENT, PATIENCE
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.databases import SqliteFile
from tests.unit.plugins.support.lab import Lab, only
from tests.unit.plugins.support.ledger_users import KEY

Allowed = list[float]


@pytest.fixture
def database(tmp_path: pathlib.Path) -> SqliteFile:
    return SqliteFile(tmp_path)


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> Allowed:
    """Seconds that SQLite may wait for others, for each connection that is made from now on."""
    seen: Allowed = []
    connect: collections.abc.Callable[..., sqlite3.Connection] = sqlite3.connect

    def note(*args: t.Any, **kwargs: t.Any) -> sqlite3.Connection:
        seen.append(kwargs["timeout"])
        return connect(*args, **kwargs)

    monkeypatch.setattr(sqlite3, "connect", note)
    return seen


def test_an_operation_has_until_the_deadline_and_a_moment_at_it(ledger: RunLedger, clock: FakeClock, allowed: Allowed) -> None:
    ledger.open_entry(KEY)
    bounded = ledger.within(Deadline(clock, 8))
    entry_id = bounded.intend(KEY, None, {})
    clock.sleep(7)
    bounded.started(entry_id, {})
    clock.sleep(60)
    bounded.drop_lease(entry_id)
    ledger.renew()
    assert allowed == [PATIENCE, 8, LAST_MOMENT, LAST_MOMENT, HEARTBEAT_SECONDS]


def test_a_target_has_its_own_deadline(lab: Lab, allowed: Allowed) -> None:
    assert only(lab.run(wait_timeout=20))["state"] == "succeeded"
    # the first one opens the ledger, for all targets
    assert max(allowed[1:]) == 20
