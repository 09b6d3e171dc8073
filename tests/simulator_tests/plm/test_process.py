# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process of the PLM Media Manager: when it looks at its database, and how long it is away for a restart."""

from __future__ import annotations

import itertools
import math
import time
from typing import Any

import pytest
import requests
import websocket

from tests.simulator.client import wait_until
from tests.simulator.plm.knobs import PlmKnobs
from tests.simulator.plm.machine import Synchronizer, plan
from tests.simulator_tests.plm.client import ABSENT, COMPLETED, LONG, SYNCHRONIZERS, Plm

#: on a busy machine, an answer may take its time
LIMIT = 60.0


# -- its own looks at the database -------------------------------------------------------------------------------------


def planned(**knobs: Any) -> Synchronizer:
    """A synchronizer posted at 0 to a server with the pauses of a real one, whose documents are written at once."""
    return plan(PlmKnobs(poll_seconds=2.0, document_seconds=0.0, blip_seconds=0.0, **knobs), 0.0, False)


@pytest.mark.parametrize(
    ("seconds", "seen"),
    # at once, then after 2, 4, 8, 16 and always 15 s
    [(0, 0), (0.1, 2), (2, 2), (2.1, 6), (5, 6), (6.5, 14), (14.5, 30), (30.5, 45), (45.5, 60), (3600, 3600)],
)
def test_the_end_of_a_replication_is_seen_at_the_next_look(seconds: float, seen: float) -> None:
    sync = planned(push_seconds=seconds, pull_seconds=0)
    assert (sync.pull.created, sync.announced) == (seen, seen)
    sync = planned(push_seconds=0, pull_seconds=seconds)
    assert (sync.pull.created, sync.announced) == (0, seen)


def test_a_run_is_over_long_before_it_is_announced() -> None:
    """As it was observed: over after 5 s, announced after 9 s and more."""
    sync = planned(push_seconds=1.5, pull_seconds=3.0)
    assert (sync.pull.created, sync.pull.first_end(), sync.announced) == (2.0, 5.0, 8.0)


@pytest.mark.parametrize("outcome", ["error", "completed"])
def test_a_failed_replication_is_seen_as_a_finished_one_is(outcome: Any) -> None:
    assert planned(push_seconds=3.0, push_outcome=outcome).pull.created == 6.0


@pytest.mark.parametrize("profile", ["pouchdb", "couchdb2"])
def test_a_replication_without_a_state_at_the_first_look_is_taken_for_finished(profile: Any) -> None:
    sync = planned(profile=profile, push_seconds=30.0, pull_seconds=30.0)
    assert (sync.pull.created, sync.announced) == (0.0, 0.0)


def test_a_replication_that_hangs_is_looked_at_for_ever() -> None:
    sync = planned(push_outcome="stuck-triggered")
    assert (sync.pull.created, sync.announced) == (math.inf, math.inf)


def test_an_error_that_is_tried_again_between_two_looks_is_not_seen() -> None:
    knobs = {"push_outcome": "flapping", "push_seconds": 3.0, "flap_seconds": 1.0, "flap_retries": 1, "flap_end": "completed"}
    sync = planned(**knobs)
    assert [sync.push.state(at) for at in (2.5, 3.5, 4.5, 5.5)] == ["triggered", "error", "triggered", "completed"]
    assert sync.pull.created == 6.0


def test_pauses_can_be_set() -> None:
    sync = planned(push_seconds=3.0, gap_seconds=0.5, pull_seconds=1.0, announce_seconds=0.25)
    assert (sync.pull.created, sync.announced) == (3.5, 4.75)


def test_the_order_of_looks_is_that_of_the_pauses() -> None:
    """2, 4, 8, 16 and then always 15 s."""
    ends = [planned(push_seconds=each - 0.5, pull_seconds=0).pull.created for each in (2, 6, 14, 30, 45, 60, 75)]
    assert [later - earlier for earlier, later in itertools.pairwise([0.0, *ends])] == [2, 4, 8, 16, 15, 15, 15]


# -- the process -------------------------------------------------------------------------------------------------------


def is_there(plm: Plm) -> bool:
    try:
        return plm.states("$x+y") == ABSENT
    except requests.ConnectionError:
        return False


def rows(plm: Plm) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = plm.control("GET", "/synchronizers")["synchronizers"]
    return found


def test_connections_are_refused_during_a_restart(plm: Plm) -> None:
    assert plm.control("GET", "/knobs")["restart_seconds"] == 3.0
    plm.knob(push_seconds=0, gap_seconds=0, pull_seconds=0)
    identifier = plm.post()
    wait_until(lambda: plm.states(identifier) == COMPLETED, LIMIT)
    begun = time.monotonic()
    plm.control("POST", "/restart")
    with pytest.raises(requests.ConnectionError, match="refused"):
        requests.post(plm.url + SYNCHRONIZERS, timeout=LIMIT)
    with pytest.raises(ConnectionRefusedError):
        websocket.create_connection(plm.simulator["plm"]["notifications_url"], timeout=LIMIT)
    wait_until(lambda: is_there(plm), LIMIT)
    assert time.monotonic() - begun >= 3.0
    assert plm.states(identifier) == COMPLETED
    assert plm.control("GET", "/synchronizers")["posts"] == 1


def test_what_a_restart_does_is_done_when_it_begins(plm: Plm) -> None:
    plm.knob(document_seconds=0, push_seconds=0, gap_seconds=LONG, restart_seconds=0.2)
    identifier = plm.post()
    wait_until(lambda: rows(plm)[0]["push"] == "completed", LIMIT)
    plm.control("POST", "/restart")
    wait_until(lambda: is_there(plm), LIMIT)
    (row,) = rows(plm)
    assert (row["id"], row["push"], row["pull"], row["active"]) == (identifier, "completed", None, False)


def test_a_reset_ends_a_restart(plm: Plm) -> None:
    plm.knob(restart_seconds=LONG)
    plm.control("POST", "/restart")
    assert not is_there(plm)
    plm.control("POST", "/reset")
    assert is_there(plm)


@pytest.mark.parametrize("address", ["url", "standalone_url"])
def test_a_hanging_database_is_never_answered_for(plm: Plm, address: str) -> None:
    finished = plm.post()
    wait_until(lambda: plm.states(finished) == COMPLETED, LIMIT)
    plm.knob(db_hung=True)
    for identifier in (finished, "$x+y"):
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{plm.simulator['plm'][address]}{SYNCHRONIZERS}/{identifier}", timeout=0.3)
    lost = plm.post()
    plm.knob(db_hung=False)
    assert (plm.states(finished), plm.states(lost)) == (COMPLETED, ABSENT)
