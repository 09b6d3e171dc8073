# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of a ledger of version 1.2.0 whose outcome is unknown: one with a handle may have ended without the effect that it must
have, so it is not looked at again as one of today is.
"""

from __future__ import annotations

import json
import pathlib
import sqlite3

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import isoformat
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key, RunLedger
from tests.unit.plugins.module_utils.state.test_schema import RUNS_1
from tests.unit.plugins.support.clocks import FakeClock

KEY = Key("fifth", "https://fifth.example.com", "7")


@pytest.mark.parametrize(("handle", "is_unresolved"), [({"run": 1}, False), (None, True)])
@pytest.mark.parametrize("read_only", [False, True])
def test_only_one_that_was_not_found_is_looked_for(
    tmp_path: pathlib.Path, clock: FakeClock, handle: dict[str, int] | None, is_unresolved: bool, read_only: bool
) -> None:
    path = tmp_path / "ledger.sqlite3"
    path.touch(0o600)
    db = sqlite3.connect(path)
    db.executescript(RUNS_1)
    db.execute("PRAGMA user_version = 1")
    now, text = isoformat(clock.now()), None if handle is None else json.dumps(handle)
    db.execute(
        "INSERT INTO runs VALUES (1, ?, ?, ?, '1.2', 'unknown', ?, '{}', ?, ?, 'host', 1, ?)",
        (KEY.provider, KEY.address, KEY.target, text, now, now, now),
    )
    db.commit()
    db.close()
    known = RunLedger(str(path), clock, read_only).knowledge(KEY, "1.2")
    assert (known.unresolved is not None, known.release_done) == (is_unresolved, None)
