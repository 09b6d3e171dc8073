# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run whose end the ledger knows, and that ``sync_wait`` is given once more: it is the same run, and no new one."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.poll import Reading
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, code, only

HOUR = 3600.0


class Timeless(Fifth):
    """Shows that a run has ended, and not when."""

    def read(self, handle: t.Mapping[str, t.Any], channel: Channel) -> Reading:
        return dataclasses.replace(super().read(handle, channel), finished_at=None)


@pytest.mark.parametrize("provider", [Fifth, Timeless])
def test_it_is_not_younger_by_that(lab: Lab, provider: type[Fifth]) -> None:
    handle = only(lab.run(provider))["handle"]
    lab.clock.sleep(10 * HOUR)
    assert only(lab.wait([handle], provider))["state"] == "succeeded"
    assert only(lab.run(provider, max_age=5 * HOUR))["action"] == "triggered"


def test_one_that_nothing_waited_for_is_as_old_as_its_trigger(lab: Lab) -> None:
    handle = only(lab.run(Timeless, wait=False))["handle"]
    lab.clock.sleep(8 * HOUR)
    assert only(lab.wait([handle], Timeless))["state"] == "succeeded"
    lab.clock.sleep(HOUR)
    assert only(lab.run(Timeless, max_age=5 * HOUR))["action"] == "triggered"


def test_one_that_was_waited_for_is_as_old_as_its_end(lab: Lab) -> None:
    lab.service.duration = 8 * HOUR
    handle = only(lab.run(Timeless, wait=False))["handle"]
    assert only(lab.wait([handle], Timeless, wait_timeout=9 * HOUR))["state"] == "succeeded"
    assert only(lab.run(Timeless, max_age=HOUR))["action"] == "skipped"


def test_what_was_invalidated_stays_so(lab: Lab) -> None:
    handle = only(lab.run())["handle"]
    lab.ledger.invalidate(dataclasses.replace(lab.key, target="restore"), {"restore": 1}, [lab.key])
    assert only(lab.wait([handle]))["state"] == "succeeded"
    assert only(lab.run(max_age=5 * HOUR))["action"] == "triggered"


def test_one_that_was_given_up_counts_once_its_end_is_seen(lab: Lab) -> None:
    lab.service.duration, lab.service.ending = 0.0, "gone"
    result = lab.run(release="1.2", settle_grace=5)
    assert code(result) == "outcome_unknown"
    lab.service.runs[0].ending = "done"
    assert only(lab.wait([only(result)["handle"]]))["state"] == "succeeded"
    assert (only(lab.run(release="1.2"))["action"], lab.posts) == ("skipped", 1)


def test_one_that_the_ledger_does_not_know_counts(lab: Lab) -> None:
    run = lab.service.start("7")
    handle = {"provider": "fifth", "address": lab.web.url, "mirror": "7", "name": "seven", "run": run.id}
    assert only(lab.wait([handle]))["state"] == "succeeded"
    assert only(lab.run(max_age=HOUR))["action"] == "skipped"
