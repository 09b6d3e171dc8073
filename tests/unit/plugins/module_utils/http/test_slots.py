# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests wait for a place, and at the deadline they do not."""

from __future__ import annotations

import threading
import time

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._http.slots import Slots


def test_never_more_than_so_many_are_at_work() -> None:
    slots, deadline, lock = Slots(3), Deadline(SystemClock(), 600), threading.Lock()
    at_work, most, done = 0, 0, 0

    def work() -> None:
        nonlocal at_work, most, done
        with slots.one(deadline):
            with lock:
                at_work += 1
                most = max(most, at_work)
            time.sleep(0.005)
            with lock:
                at_work -= 1
                done += 1

    threads = [threading.Thread(target=work) for _number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, done) == (3, 12)


def test_a_place_is_free_again_after_a_failure() -> None:
    slots, deadline = Slots(1), Deadline(SystemClock(), 600)
    with pytest.raises(ZeroDivisionError), slots.one(deadline):
        raise ZeroDivisionError
    with slots.one(deadline):
        pass


def test_waiting_ends_with_the_deadline() -> None:
    slots = Slots(1)
    begun = time.monotonic()
    with slots.one(Deadline(SystemClock(), 600)):
        # a last look has a second
        with slots.one(Deadline(SystemClock(), 0.1)):
            assert time.monotonic() - begun > 0.05
        with pytest.raises(SyncError) as caught, slots.one(Deadline(SystemClock(), -1)):
            raise AssertionError("there is no time left")
    assert caught.value.code == "timed_out"
    # what went on without a place gives none back
    with slots.one(Deadline(SystemClock(), 600)), slots.one(Deadline(SystemClock(), 0.0)):
        pass
