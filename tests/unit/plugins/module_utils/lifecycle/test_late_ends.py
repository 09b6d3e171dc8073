# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that the server accepted, and of which nothing was seen within ``settle_grace``: if it shows later, it is not triggered a
second time.
"""

from __future__ import annotations

import pytest

from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, code, only

HOUR = 3600.0


def lose(lab: Lab, state: str = "gone") -> None:
    """A task that gives its run up, since the server shows nothing of it, or an unknown word."""
    lab.service.duration, lab.service.ending = 0.0, state
    result = lab.run(release="1.2", settle_grace=5)
    assert (only(result)["state"], lab.posts) == ("unknown", 1)


def test_one_that_has_ended_by_then_counts(lab: Lab) -> None:
    lose(lab)
    lab.service.runs[0].ending = "done"
    lab.clock.sleep(HOUR)
    assert only(lab.run(check=True, release="1.2"))["action"] == "skipped"
    result = lab.run(release="1.2")
    assert (only(result)["action"], result.get("failed", False), lab.posts) == ("skipped", False, 1)


def test_one_in_flight_is_joined(lab: Lab) -> None:
    lose(lab)
    run = lab.service.runs[0]
    run.duration, run.ending = HOUR, "done"
    assert only(lab.run(check=True, release="1.2", wait_timeout=2 * HOUR))["action"] == "would_join"
    record = only(lab.run(release="1.2", wait_timeout=2 * HOUR))
    assert (record["action"], record["state"], lab.posts) == ("joined", "succeeded", 1)
    assert only(lab.run(release="1.2"))["action"] == "skipped"


def test_a_word_that_is_known_by_then(lab: Lab) -> None:
    lose(lab, "discombobulated")
    lab.service.runs[0].ending = "done"
    assert (only(lab.run(release="1.2"))["action"], lab.posts) == ("skipped", 1)


@pytest.mark.parametrize("state", ["gone", "discombobulated", "broken"])
def test_one_that_does_not_show_or_has_failed_is_triggered_again(lab: Lab, state: str) -> None:
    lose(lab)
    lab.service.runs[0].ending, lab.service.ending = state, "done"
    record = only(lab.run(release="1.2"))
    assert (record["action"], record["state"], lab.posts) == ("triggered", "succeeded", 2)


def test_one_that_the_server_has_forgotten_is_triggered_again(lab: Lab) -> None:
    lose(lab)
    lab.service.runs[0].id, lab.service.ending = 99, "done"
    assert (only(lab.run(release="1.2"))["action"], lab.posts) == ("triggered", 2)


def test_force_triggers_all_the_same(lab: Lab) -> None:
    lose(lab)
    lab.service.runs[0].ending = lab.service.ending = "done"
    assert (only(lab.run(release="1.2", force=True))["action"], lab.posts) == ("triggered", 2)


def test_one_whose_effect_was_not_what_it_must_be_does_not_count_later(lab: Lab) -> None:
    class Broken(Fifth):
        def verify(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]
            raise KeyError("files")

    result = lab.run(Broken, release="1.2")
    assert (code(result), only(result)["state"], lab.posts) == ("internal_error", "unknown", 1)
    assert (only(lab.run(release="1.2"))["action"], lab.posts) == ("triggered", 2)
