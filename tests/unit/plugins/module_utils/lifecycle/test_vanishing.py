# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that the server does not know for a moment goes on: a proxy may answer while the server restarts, or a replica lag."""

from __future__ import annotations

import pytest

from tests.unit.plugins.support.lab import Lab, code, only
from tests.unit.plugins.support.web import Reply

RUN = "GET /runs/1"
MISSING = Reply(404, b"default backend - 404", {"Content-Type": "text/plain"})


@pytest.mark.parametrize("reply", [MISSING, Reply(404, {"error": "no such thing"}), Reply(409, {"error": "locked"})])
@pytest.mark.parametrize("looks", [1, 4])
def test_a_wait_goes_on(lab: Lab, reply: Reply, looks: int) -> None:
    lab.service.instead[RUN] = [reply] * looks
    record = only(lab.run(release="1.2"))
    assert (record["action"], record["state"], record["failure"], lab.posts) == ("triggered", "succeeded", None, 1)
    assert only(lab.run(release="1.2"))["action"] == "skipped"


@pytest.mark.parametrize("reply", [MISSING, Reply(409, {"error": "locked"})])
def test_one_that_stays_away_is_given_up_after_the_grace(lab: Lab, reply: Reply) -> None:
    lab.service.duration = 600
    lab.service.before[RUN] = lambda: lab.service.instead.update({RUN: [reply] * 100})
    result = lab.run(release="1.2", outage_grace=20)
    record = only(result)
    assert code(result) == {404: "not_found", 409: "busy"}[reply.status]
    assert (record["state"] in ("running", "unknown"), record["changed"], lab.posts) == (True, True, 1)
    assert 20 <= lab.clock.elapsed <= 30
    # which is no end of the run
    lab.service.instead.clear()
    assert (only(lab.run(release="1.2"))["action"], lab.posts) == ("joined", 1)


@pytest.mark.parametrize("looks", [1, 4])
def test_the_next_task_triggers_no_other(lab: Lab, looks: int) -> None:
    lab.service.duration = 600
    lab.run(release="1.2", wait=False)
    lab.service.instead[RUN] = [MISSING] * looks
    lab.service.runs[0].hidden = True
    record = only(lab.run(release="1.2", if_running="join"))
    assert (record["action"], record["state"], lab.posts) == ("joined", "succeeded", 1)


def forget_a_run(lab: Lab) -> None:
    """A run of release 1.2 that nothing waits for, and that the server does not know any more a minute later."""
    lab.run(release="1.2", wait=False)
    lab.service.runs[0].id = 99
    lab.clock.sleep(60)


def test_one_that_the_server_has_forgotten_is_triggered_again_after_the_grace(lab: Lab) -> None:
    forget_a_run(lab)
    before = lab.clock.elapsed
    record = only(lab.run(release="1.2", outage_grace=20))
    assert (record["action"], record["state"], lab.posts) == ("triggered", "succeeded", 2)
    assert lab.clock.elapsed - before >= 20


def test_a_short_task_leaves_itself_time_to_trigger(lab: Lab) -> None:
    forget_a_run(lab)
    record = only(lab.run(release="1.2", wait_timeout=30))
    assert (record["action"], record["state"], lab.posts) == ("triggered", "succeeded", 2)


def test_check_mode_does_not_wait_for_it(lab: Lab) -> None:
    forget_a_run(lab)
    before = lab.clock.elapsed
    assert only(lab.run(check=True, release="1.2"))["action"] == "would_trigger"
    assert lab.clock.elapsed == before


def test_a_handle_of_a_run_that_was_never_seen_is_not_waited_for(lab: Lab) -> None:
    handle = only(lab.run(wait=False))["handle"]
    before = lab.clock.elapsed
    result = lab.wait([{**handle, "run": 99}])
    assert (code(result), lab.clock.elapsed - before) == ("not_found", 0)


def test_a_handle_of_one_that_was_seen_is(lab: Lab) -> None:
    handle = only(lab.run(wait=False))["handle"]
    lab.service.before[RUN] = lambda: lab.service.before.update({RUN: lambda: lab.service.instead.update({RUN: [MISSING] * 2})})
    assert (only(lab.wait([handle]))["state"], lab.service.instead[RUN]) == ("succeeded", [])
