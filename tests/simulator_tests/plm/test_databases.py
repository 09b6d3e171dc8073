# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The databases and the process: what is lost, and what gets in the way of what."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from tests.simulator.client import wait_until
from tests.simulator_tests.plm.client import ABSENT, COMPLETED, LONG, SYNCHRONIZERS, Plm, Socket, States


def test_with_the_database_down_every_id_reads_error_for_a_while(plm: Plm) -> None:
    plm.script()
    finished = plm.post()
    plm.knob(db_down=True)
    assert plm.states(finished) == ("error", "error", "error")
    assert plm.states("$never+was") == ("error", "error", "error")
    lost = plm.post()
    plm.knob(db_down=False)
    assert plm.states(finished) == COMPLETED
    assert plm.states(lost) == ABSENT


def test_a_restart_keeps_states_and_loses_pulls_that_did_not_start(plm: Plm) -> None:
    plm.script()
    finished = plm.post()
    plm.script(gap_seconds=1.0)
    lost = plm.post()
    plm.script(pull_seconds=1.0)
    pulling = plm.post()
    plm.control("POST", "/restart")
    assert plm.states(finished) == COMPLETED
    wait_until(lambda: plm.states(pulling) == COMPLETED)
    time.sleep(0.1)
    assert plm.states(lost) == (None, "completed", None)


@pytest.mark.parametrize(
    ("knobs", "expected"),
    [
        ({"profile": "pouchdb"}, ("triggered", None, "triggered")),
        ({"profile": "couchdb1"}, ABSENT),
        ({"profile": "couchdb2"}, ABSENT),
        ({"profile": "touchdb"}, ("triggered", "triggered", None)),
        ({"profile": "couchdb1", "duplicates": "independent"}, ("triggered", "triggered", None)),
        ({"profile": "couchdb1", "duplicates": "pull_runs"}, ("triggered", None, "triggered")),
        ({"profile": "touchdb", "duplicates": "stateless"}, ABSENT),
    ],
)
def test_a_second_synchronizer_in_addition_to_another(plm: Plm, knobs: dict[str, Any], expected: States) -> None:
    plm.script(push_seconds=LONG, pull_seconds=LONG, **knobs)
    first = plm.post()
    before = plm.states(first)
    assert plm.states(plm.post()) == expected
    assert plm.states(first) == before
    assert plm.control("GET", "/synchronizers")["posts"] == 2


def test_a_second_synchronizer_may_take_the_pull_of_the_first(plm: Plm, sockets: list[Socket]) -> None:
    """It is at work when the push of the first one ends."""
    plm.script(duplicates="pull_runs", push_seconds=0.5)
    first = plm.post()
    plm.script(duplicates="pull_runs", pull_seconds=LONG)
    second = plm.post()
    wait_until(lambda: plm.states(first)[1] == "completed")
    time.sleep(0.1)
    assert plm.states(first) == (None, "completed", None)
    assert plm.states(second) == ("triggered", None, "triggered")


def test_a_stuck_replication_makes_every_later_one_a_duplicate(plm: Plm) -> None:
    plm.script(profile="couchdb1", push_outcome="stuck-triggered")
    plm.post()
    plm.script(push_outcome="completed")
    assert plm.states(plm.post()) == ABSENT


def test_a_second_synchronizer_after_the_first_is_no_duplicate(plm: Plm) -> None:
    plm.script(profile="couchdb1")
    plm.post()
    assert plm.states(plm.post()) == COMPLETED


def test_a_run_can_be_settled_and_started_by_somebody_else(plm: Plm) -> None:
    plm.script(push_seconds=LONG)
    identifier = plm.control("POST", "/synchronizers")["id"]
    assert plm.states(identifier) == ("triggered", "triggered", None)
    assert plm.control("GET", "/synchronizers")["posts"] == 0
    assert plm.simulator.requests(kind="mutate") == []
    plm.control("POST", "/settle", {"id": identifier, "push": "error"})
    assert plm.states(identifier) == ("error", "error", "completed")
    plm.control("POST", "/settle")
    assert plm.states(identifier) == COMPLETED


def test_a_lost_reply_has_its_effect(plm: Plm) -> None:
    plm.simulator.fault("drop_after", part="plm", method="POST")
    with pytest.raises(requests.ConnectionError):
        plm.call("POST", SYNCHRONIZERS)
    assert plm.control("GET", "/synchronizers")["posts"] == 1
