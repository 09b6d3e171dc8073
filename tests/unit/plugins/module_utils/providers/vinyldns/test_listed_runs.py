# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the row of a zone in the list says of its syncs."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.listed_runs import ListedRun
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.rows import Zone

BEFORE, ACCEPTED, ENDED, LATER = (f"2026-11-20T10:00:{second:02d}Z" for second in (0, 10, 12, 20))
RUN = ListedRun("c1", "a.example.", ACCEPTED, ACCEPTED, BEFORE)
ROW = Zone("z1", "a.example.", "Active", "Delete", BEFORE, updated=BEFORE)


def row(status: str = "Active", latest: str | None = BEFORE, updated: str | None = ACCEPTED) -> Zone:
    return dataclasses.replace(ROW, status=status, latest_sync=latest, updated=updated)


@pytest.mark.parametrize(
    ("zone", "state"),
    [
        (row(updated=BEFORE), "pending"),
        (row(updated=None), "pending"),
        (row("Syncing"), "running"),
        (row(latest=ENDED), "succeeded"),
        # within the second in which it was accepted
        (row(latest=ACCEPTED), "succeeded"),
    ],
)
def test_a_row_shows_how_far_a_sync_is(zone: Zone, state: str) -> None:
    reading = RUN.read(zone)
    assert reading is not None and reading.state == state


@pytest.mark.parametrize(
    "zone",
    [
        # failed, of which only the change knows more, or ended within the second of the sync before
        row(),
        row(latest=None),
        # another sync, or a change of the zone, came after it
        row("Syncing", updated=LATER),
        row(latest=ENDED, updated=LATER),
        # an older sync is at work
        row("Syncing", updated=BEFORE),
        row("Deleted"),
    ],
)
def test_what_a_row_does_not_show_is_left_to_the_change(zone: Zone) -> None:
    assert RUN.read(zone) is None


def test_a_sync_that_follows_another_within_one_second_is_left_to_the_change() -> None:
    run = dataclasses.replace(RUN, latest_sync=ACCEPTED)
    assert run.read(row(latest=ACCEPTED)) is None


def test_a_sync_that_was_the_first_of_its_zone() -> None:
    run = dataclasses.replace(RUN, latest_sync=None)
    reading = run.read(row(latest=ENDED))
    assert reading is not None and reading.state == "succeeded"
    assert reading.data.id == "c1" and reading.data.zone_updated == ACCEPTED and reading.finished_at is not None
