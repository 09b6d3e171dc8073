# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a zone costs where many are synced at once, by the server of the benchmark. How long it takes is for ``make bench``."""

from __future__ import annotations

from tests.bench.many_zones import one_task

ZONES = 200


def test_a_zone_takes_three_requests_with_its_effect() -> None:
    measured = one_task(ZONES)
    assert measured.requests["sync"] == measured.requests["recordsetchanges"] == ZONES
    assert measured.requests_each <= 3.2


def test_fresh_zones_take_a_page_for_a_hundred() -> None:
    measured = one_task(ZONES, {"age": 3600}, max_age=86400)
    assert measured.requests == {"list": ZONES / 100}


def test_zones_that_take_time_are_looked_at_together() -> None:
    measured = one_task(ZONES, {"workers": 50, "seconds": 0.5}, max_parallel=16)
    assert measured.requests["sync"] == ZONES and measured.requests_each <= 4
