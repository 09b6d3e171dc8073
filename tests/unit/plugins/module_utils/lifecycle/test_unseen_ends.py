# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that nothing waited for, of a system that does not show when a run ended: it is no younger than what is known of it."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.poll import Reading
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, only

HOUR = 3600.0


class Timeless(Fifth):
    """Shows that a run has ended, and not when."""

    def read(self, handle: t.Mapping[str, t.Any], channel: Channel) -> Reading:
        return dataclasses.replace(super().read(handle, channel), finished_at=None)


def nightly(lab: Lab) -> str:
    """A task that does not wait, a day after the last one."""
    lab.clock.sleep(24 * HOUR)
    return str(only(lab.run(Timeless, wait=False, max_age=20 * HOUR))["action"])


def test_each_nightly_task_that_does_not_wait_triggers(lab: Lab) -> None:
    assert [nightly(lab) for _night in range(4)] == ["triggered"] * 4
    assert lab.posts == 4


def test_one_that_was_triggered_a_moment_ago_is_fresh(lab: Lab) -> None:
    lab.run(Timeless, wait=False)
    lab.clock.sleep(60)
    record = only(lab.run(Timeless, max_age=HOUR))
    assert (record["action"], lab.posts) == ("skipped", 1)
    assert record["reason"].startswith("last synced 6")


def test_the_ledger_has_no_later_date_either(lab: Lab) -> None:
    lab.run(Timeless, wait=False)
    lab.clock.sleep(HOUR)
    lab.run(Timeless, check=True)
    assert only(lab.run(Timeless, max_age=2 * HOUR))["action"] == "skipped"
    lab.clock.sleep(1.5 * HOUR)
    assert only(lab.run(Timeless, max_age=2 * HOUR))["action"] == "triggered"


def test_a_run_that_was_waited_for_ends_when_that_is_seen(lab: Lab) -> None:
    lab.service.duration = HOUR
    lab.run(Timeless, wait_timeout=2 * HOUR)
    assert only(lab.run(Timeless, max_age=HOUR / 2))["action"] == "skipped"
