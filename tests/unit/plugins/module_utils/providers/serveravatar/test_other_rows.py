# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A status row with another id, as a staging area has that was created anew: its end proves no sync whose reply was lost."""

from __future__ import annotations

import typing as t

import pytest

from .service import APP, BEFORE, status, sync

LATER = "2026-11-20 10:00:06"


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (status(id=43, updated_at=LATER), False),
        (status(id=43, updated_at=LATER, status="staging_area_failed"), False),
        (status(0, id=43, status="in_progress"), True),
        (status(id=42, updated_at=LATER), True),
        (status(id=42, updated_at=LATER, status="staging_area_failed"), True),
    ],
)
def test_only_a_row_that_moved_or_is_in_progress_shows_it(now: dict[str, t.Any], found: bool) -> None:
    provider, service, target = sync({f"GET {APP}/status": now})
    assert (provider.find(target, {"before": BEFORE}, service.channel) is not None) == found


def test_without_a_row_before_any_row_shows_it() -> None:
    provider, service, target = sync({f"GET {APP}/status": status(id=43, updated_at=LATER)})
    assert provider.find(target, {"before": None}, service.channel) is not None


def test_a_reply_that_was_received_proves_it_whatever_the_row_is() -> None:
    provider, service, target = sync({f"GET {APP}/status": status(id=43, updated_at=LATER)})
    run = provider._run(target, None)
    assert provider.read({**run.handle, "before": BEFORE}, service.channel).state == "succeeded"
