# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the states of a synchronizer mean (docs/reference/plm.md#4.4), at one moment and over time."""

from __future__ import annotations

import random
import typing as t

import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.poll import PollAgain, PollPolicy, Waiter
from ansible_collections.lockstep.sync.plugins.module_utils._providers.plm import api
from tests.unit.plugins.module_utils.providers.plm.media_manager import (
    DONE,
    DOWN,
    ID,
    MADE_UP,
    NONE,
    PUSHED,
    Server,
    Words,
    described,
    provider,
    reading,
)
from tests.unit.plugins.support.clocks import StillClock

TABLE = [
    ("just after POST", (None, None, None), "absent"),
    ("push running", ("triggered", "triggered", None), "running"),
    ("push done, pull not started yet", (None, "completed", None), "absent"),
    ("pull running", ("triggered", "completed", "triggered"), "running"),
    ("done", ("completed", "completed", "completed"), "succeeded"),
    ("push failed, pull not started", ("error", "error", None), "failed"),
    ("push failed, pull runs all the same", ("error", "error", "triggered"), "failed"),
    ("push failed, pull done", ("error", "error", "completed"), "failed"),
    ("pull failed", ("error", "completed", "error"), "failed"),
    ("never existed, or refused, or a duplicate", (None, None, None), "absent"),
    ("pull document refused", (None, "completed", None), "absent"),
    ("duplicate whose pull runs", ("triggered", None, "triggered"), "running"),
    ("duplicate whose pull is done", (None, None, "completed"), "absent"),
    ("local database down", ("error", "error", "error"), "failed"),
    ("CouchDB 2.1: push failed", (None, "failed", None), "failed"),
    ("CouchDB 2.1: pull failed", (None, "completed", "failed"), "failed"),
    ("remote unreachable, PouchDB", ("triggered", "triggered", "triggered"), "running"),
    # what the server's rule does not make, and what the published page allows
    ("overall alone completed", ("completed", None, None), "absent"),
    ("overall completed in spite of a failed half", ("completed", "error", "completed"), "failed"),
    ("overall older than its directions", ("triggered", "completed", "completed"), "running"),
    ("overall missing with completed directions", (None, "completed", "completed"), "absent"),
    ("the answer to POST", ("triggered", None, None), "running"),
    ("the published answer to POST", ("triggered", "completed", "triggered"), "running"),
    ("an unknown word", ("triggered", "crashing", None), "unknown"),
    ("an unknown word with a failure", ("error", "error", "crashing"), "failed"),
]


@pytest.mark.parametrize(("words", "meaning"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_meaning_of_states(words: Words, meaning: str) -> None:
    found = api.States.of(described(words)["synchronizer"])
    assert found == api.States(*words)
    assert found.reading().state == meaning


@given(st.tuples(*[st.sampled_from([None, "completed", "triggered", "error", "failed", "crashing"])] * 3))
def test_only_three_times_completed_is_a_success(words: Words) -> None:
    state = reading(*words).state
    assert (state == "succeeded") == (words == DONE)
    assert (state == "failed") == bool({"error", "failed"} & set(words))


@pytest.mark.parametrize(
    "synchronizer",
    [{}, {"push": None, "pull": None}, {"state": None, "push": {"state": ""}, "pull": []}, {"push": "completed"}],
)
def test_states_that_are_not_there(synchronizer: dict[str, t.Any]) -> None:
    assert api.States.of(synchronizer) == api.NOTHING


def test_every_move_is_progress() -> None:
    seen = {reading(*words).progress for dummy, words, dummy_meaning in TABLE}
    assert len(seen) == len({words for dummy, words, dummy_meaning in TABLE})


# -- the same over time -----------------------------------------------------------------------------------------------


def flapping(end: str) -> list[tuple[float, Words]]:
    """CouchDB 1.x without its remote: tries again, with pauses of 5 s and doubling."""
    script: list[tuple[float, Words]] = []
    moment = 0.0
    for pause in (5, 10, 20):
        script += [(moment, ("triggered", "triggered", None)), (moment + pause, ("error", "error", None))]
        moment += pause + 1
    last: Words = DONE if end == "completed" else ("error", "error", None)
    return [*script, (moment, last)]


PUSHING: Words = ("triggered", "triggered", None)
PULLING: Words = ("triggered", "completed", "triggered")
PUSH_FAILED: Words = ("error", "error", None)
CRASHING: Words = ("triggered", "crashing", None)
STORIES: list[tuple[str, list[tuple[float, Words]], str, float, float]] = [
    # what happens, the states by second, the outcome, not before and not after so many seconds
    ("success", [(0, NONE), (1, PUSHING), (20, PULLING), (40, DONE)], "succeeded", 40, 47),
    ("the longest gap of the server", [(0, PUSHED), (16, PULLING), (17, DONE)], "succeeded", 17, 24),
    ("push failed", [(0, PUSHING), (10, PUSH_FAILED)], "failed", 12, 22),
    ("pull failed", [(0, PULLING), (3, ("error", "completed", "error"))], "failed", 5, 12),
    ("failed on CouchDB 2.1", [(0, NONE), (3, (None, "failed", None))], "failed", 5, 12),
    ("never existed", [(0, NONE)], "lost", 30, 37),
    ("pull refused: the grace counts from the end of the push", [(0, PUSHING), (100, PUSHED)], "lost", 130, 143),
    ("duplicate whose pull runs", [(0, ("triggered", None, "triggered")), (20, (None, None, "completed"))], "lost", 50, 63),
    ("database down for a moment", [(0, PUSHING), (2, DOWN), (3.5, PUSHING), (8, DONE)], "succeeded", 8, 12),
    ("database down for two looks of a long run", [(0, PUSHING), (40, DOWN), (48, PUSHING), (60, DONE)], "succeeded", 60, 66),
    ("database down for a minute", [(0, PUSHING), (2, DOWN), (62, PULLING), (70, DONE)], "succeeded", 70, 76),
    ("database down", [(0, PUSHING), (2, DOWN)], "error", 62, 68),
    (
        "database down between two good readings",
        [(0, PUSHING), (2, DOWN), (50, PULLING), (58, DOWN), (110, DONE)],
        "succeeded",
        110,
        116,
    ),
    ("remote unreachable, retries for ever", [(0, PUSHING)], "timed_out", 600, 601),
    ("error that is tried again until it works", flapping("completed"), "succeeded", 38, 45),
    ("error that is tried again until the database gives up", flapping("error"), "failed", 40, 55),
    ("an unknown word", [(0, CRASHING)], "unexpected", 0, 30),
    ("an unknown word for a moment", [(0, CRASHING), (1, DONE)], "succeeded", 1, 5),
]


@pytest.mark.parametrize(
    ("script", "outcome", "least", "most"), [story[1:] for story in STORIES], ids=[story[0] for story in STORIES]
)
@pytest.mark.parametrize("seed", range(5))
def test_outcomes_over_time(script: list[tuple[float, Words]], outcome: str, least: float, most: float, seed: int) -> None:
    clock = StillClock()
    found, server = provider(clock), Server(clock, *script)
    capabilities = found.capabilities
    policy = PollPolicy(failed_reads=capabilities.failed_reads, failed_for=capabilities.failed_for)
    waiter = Waiter(policy, 0.0, 600.0, random.Random(seed).random)
    handle = {"synchronizer": ID}
    while True:
        sent = clock.elapsed
        verdict = waiter.after(sent, sent, found.read(handle, t.cast(t.Any, server)))
        if not isinstance(verdict, PollAgain):
            break
        clock.sleep(verdict.at - clock.elapsed)
    assert verdict.outcome == outcome
    assert least <= clock.elapsed <= most
    own = {f"/storage/synchronizers/{ID}"}
    assert set(server.sent) == own | ({MADE_UP} if any(words == DOWN for _since, words in script) else set())


def test_both_directions_may_really_fail() -> None:
    """Three errors are those of the database only if a synchronizer that does not exist has them, too."""
    clock = StillClock()
    server = Server(clock, (0, DOWN), healthy=True)
    seen = provider(clock).read({"synchronizer": ID}, t.cast(t.Any, server))
    assert (seen.state, seen.message) == ("failed", "push and pull failed; the server says error (push error, pull error)")
    server.healthy = False
    seen = provider(clock).read({"synchronizer": ID}, t.cast(t.Any, server))
    assert (seen.state, seen.message) == ("pending", "")
    assert "database of the server is down" in seen.raw
    assert server.sent == [f"/storage/synchronizers/{ID}", MADE_UP] * 2
