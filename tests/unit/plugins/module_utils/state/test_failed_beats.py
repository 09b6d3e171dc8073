# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A beat that fails, in whatever way, does not end the heartbeat: other processes would take over from one that is at work."""

from __future__ import annotations

import threading

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._state.lease import Heartbeat


@pytest.mark.parametrize(
    "problem",
    [SyncError("connection_failed", "the database is away"), RuntimeError("can't start new thread"), MemoryError()],
    ids=["ledger", "threads", "memory"],
)
def test_the_next_beat_comes_all_the_same(problem: Exception) -> None:
    beats: list[int] = []
    enough = threading.Event()

    def beat() -> None:
        beats.append(1)
        if len(beats) < 3:
            raise problem
        enough.set()

    with Heartbeat(beat, 0.01):
        assert enough.wait(20)
