# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that could not be found when its task gave it up, and that the server shows later: it is not triggered a second time."""

from __future__ import annotations

import pytest

from tests.unit.plugins.support.lab import Lab, code, only


def lose(lab: Lab, fate: str = "hide") -> None:
    """A task whose trigger was executed, without that it shows."""
    lab.service.fates = [fate]
    result = lab.run(release="1.2", wait_timeout=60)
    assert (code(result), only(result)["state"], lab.posts) == ("outcome_unknown", "unknown", 1)


def show(lab: Lab) -> None:
    lab.service.runs[0].hidden = False


def test_one_that_has_ended_by_then_counts(lab: Lab) -> None:
    lose(lab)
    lab.clock.sleep(60)
    show(lab)
    result = lab.run(release="1.2")
    assert (only(result)["action"], result.get("failed", False)) == ("skipped", False)
    assert (lab.posts, lab.accepted) == (1, 1)


def test_one_in_flight_is_joined(lab: Lab) -> None:
    lab.service.duration = 600.0
    lose(lab)
    show(lab)
    record = only(lab.run(release="1.2"))
    assert (record["action"], record["state"], lab.posts) == ("joined", "succeeded", 1)
    assert only(lab.run(release="1.2"))["action"] == "skipped"


def test_one_that_has_failed_is_tried_again(lab: Lab) -> None:
    lab.service.ending = "broken"
    lose(lab)
    lab.clock.sleep(60)
    show(lab)
    lab.service.ending = "done"
    assert (only(lab.run(release="1.2"))["action"], lab.posts) == ("triggered", 2)


@pytest.mark.parametrize("fate", ["hide", "drop"])
def test_one_that_still_does_not_show_is_triggered_as_the_failure_said(lab: Lab, fate: str) -> None:
    lose(lab, fate)
    assert (only(lab.run(release="1.2"))["action"], lab.posts) == ("triggered", 2)


def test_check_mode_predicts_it_and_records_nothing(lab: Lab) -> None:
    lose(lab)
    lab.clock.sleep(60)
    show(lab)
    before = lab.ledger_path.read_bytes()
    assert only(lab.run(check=True, release="1.2"))["action"] == "skipped"
    assert lab.ledger_path.read_bytes() == before


def test_force_triggers_all_the_same(lab: Lab) -> None:
    lose(lab)
    lab.clock.sleep(60)
    show(lab)
    assert (only(lab.run(release="1.2", force=True))["action"], lab.posts) == ("triggered", 2)


def lose_among_others(lab: Lab, ours: str, other: str) -> None:
    """The reply to the next trigger is lost, and somebody else's run begins and ends sooner, before ours is looked for."""
    lab.service.fates, lab.service.ending, lab.service.duration = ["lose"], ours, 60.0

    def begin_another() -> None:
        lab.service.ending, lab.service.duration = other, 10.0
        lab.service.start("7")

    lab.service.before["POST /mirrors/7/refresh"] = lambda: lab.service.before.update({"GET /mirrors/7": begin_another})


def test_a_run_that_was_found_and_fails_may_be_of_somebody_else(lab: Lab) -> None:
    lose_among_others(lab, ours="done", other="broken")
    record = only(lab.run(release="1.2"))
    assert (record["action"], record["state"], record["handle"]["run"]) == ("triggered", "succeeded", 1)
    # and the ledger knows it
    assert only(lab.run(release="1.2"))["action"] == "skipped"
    assert lab.posts == 1


def test_if_all_that_were_found_fail_the_task_fails(lab: Lab) -> None:
    lose_among_others(lab, ours="broken", other="broken")
    assert (code(lab.run(release="1.2")), lab.posts) == ("run_failed", 1)


def test_a_run_whose_reply_was_received_is_no_other(lab: Lab) -> None:
    lab.service.ending = "broken"
    lab.service.before["GET /runs/1"] = lambda: lab.service.start("7")
    result = lab.run(release="1.2")
    assert (code(result), only(result)["handle"]["run"]) == ("run_failed", 1)


def test_a_later_task_sees_that_what_was_found_was_of_somebody_else(lab: Lab) -> None:
    lose_among_others(lab, ours="done", other="broken")
    assert only(lab.run(release="1.2", wait=False))["handle"]["run"] == 2
    lab.clock.sleep(100)
    assert (only(lab.run(check=True, release="1.2"))["action"], only(lab.run(release="1.2"))["action"]) == ("skipped", "skipped")
    assert lab.posts == 1
