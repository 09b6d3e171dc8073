# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A change of a zone is not old because the server's clock was set forwards while a task looked at it."""

from __future__ import annotations

import datetime as dt

from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.pending import SteadyTime
from tests.unit.plugins.support.clocks import StillClock

HOUR = dt.timedelta(hours=1)


def test_time_passes_as_the_server_says() -> None:
    clock = StillClock()
    time = SteadyTime(clock)
    start = clock.now() + 3 * HOUR
    assert time.now(start) == start
    clock.sleep(90)
    assert time.now(start + dt.timedelta(seconds=90)) == start + dt.timedelta(seconds=90)


def test_a_step_forwards_does_not_count_and_one_backwards_does() -> None:
    clock = StillClock()
    time = SteadyTime(clock)
    start = clock.now()
    time.now(start)
    clock.sleep(10)
    assert time.now(start + HOUR) == start + dt.timedelta(seconds=10)
    assert time.now(start - HOUR) == start - HOUR
    assert time.now(start + HOUR) == start - HOUR


def test_without_the_date_of_the_server_it_is_that_of_this_machine() -> None:
    clock = StillClock()
    time = SteadyTime(clock)
    time.now(clock.now() - HOUR)
    assert time.now(None) == clock.now()
