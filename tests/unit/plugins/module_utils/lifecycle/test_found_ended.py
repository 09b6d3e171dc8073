# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A process died between its trigger and the response, and its run has ended by the time the next task finds it."""

from __future__ import annotations

import pytest

from tests.unit.plugins.support.lab import Lab, only
from tests.unit.plugins.support.processes import Process
from tests.unit.plugins.support.sync_users import sync_and_die


@pytest.fixture
def ended(lab: Lab) -> Lab:
    """The run of release 1.2 ended a minute ago."""
    assert Process(sync_and_die, "after", lab.options(release="1.2")).end() == 9
    lab.clock.sleep(60)
    return lab


def test_it_counts_for_its_release(ended: Lab) -> None:
    predicted = only(ended.run(check=True, release="1.2"))
    record = only(ended.run(release="1.2"))
    assert (predicted["action"], record["action"], record["changed"], ended.posts) == ("skipped", "skipped", False, 1)
    assert record["detail"]["interrupted"]["outcome"] == "succeeded"
    assert only(ended.run(release="1.2"))["action"] == "skipped"


def test_it_is_not_joined_for_the_next_release(ended: Lab) -> None:
    assert only(ended.run(check=True, release="1.3"))["action"] == "would_trigger"
    record = only(ended.run(release="1.3"))
    assert (record["action"], record["state"], ended.accepted) == ("triggered", "succeeded", 2)
    assert record["detail"]["interrupted"]["outcome"] == "succeeded"
    assert [only(ended.run(release=release))["action"] for release in ("1.2", "1.3")] == ["skipped", "skipped"]


def test_it_may_have_failed(ended: Lab) -> None:
    ended.service.runs[0].ending = "broken"
    record = only(ended.run(release="1.2"))
    assert (record["action"], record["state"], ended.accepted) == ("triggered", "succeeded", 2)
    assert record["detail"]["interrupted"]["outcome"] == "failed"
