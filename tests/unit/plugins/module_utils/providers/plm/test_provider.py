# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the provider decides about a run, known or not, and what the info module shows."""

from __future__ import annotations

import random
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Services
from ansible_collections.lockstep.sync.plugins.module_utils._providers.plm import info
from tests.unit.plugins.module_utils.providers.plm.media_manager import (
    DONE,
    DOWN,
    ID,
    MADE_UP,
    NO_CHANNEL,
    NONE,
    PUSHED,
    RUN,
    TARGET,
    URL,
    Server,
    Words,
    provider,
    reading,
)
from tests.unit.plugins.support.clocks import StillClock


def test_the_server_is_the_target() -> None:
    found = provider(api_url=URL + "/")
    assert found.names() == [URL]
    assert found.resolve(URL, NO_CHANNEL) == found.from_handle(RUN.handle) == TARGET


def test_without_a_known_run_the_server_is_looked_at() -> None:
    clock = StillClock()
    server = Server(clock, (0, NONE))
    observation = provider(clock).observe(TARGET, t.cast(t.Any, server))
    assert (observation.running, observation.in_sync, observation.age) == (None, None, None)
    assert (observation.obstacle, server.sent, clock.elapsed) == (None, [MADE_UP], 0.0)
    assert provider().find(TARGET, {}, NO_CHANNEL) is None


def test_a_database_that_stays_down_keeps_a_sync_from_being_started() -> None:
    clock = StillClock()
    server = Server(clock, (0, DOWN))
    obstacle = provider(clock).observe(TARGET, t.cast(t.Any, server)).obstacle
    assert obstacle is not None
    assert (obstacle.code, obstacle.http_status) == ("server_error", 200)
    assert "local database of the server is down" in obstacle.message
    assert 2 <= clock.elapsed <= 6
    assert set(server.sent) == {MADE_UP}
    for options in ({"synchronizer": ID}, {"synchronizer": ID, "if_running": "fail"}):
        assert provider(clock, **options).observe(TARGET, t.cast(t.Any, server)).obstacle is not None


def test_a_database_that_is_down_for_a_moment_keeps_nothing_from_being_started() -> None:
    clock = StillClock()
    server = Server(clock, (0, DOWN), (1, DONE))
    assert provider(clock).observe(TARGET, t.cast(t.Any, server)).obstacle is None
    clock.elapsed = 0.0
    observation = provider(clock, synchronizer=ID).observe(TARGET, t.cast(t.Any, server))
    assert observation.running is not None
    assert observation.running.reading == reading(*DONE)


def test_what_keeps_the_server_from_answering_is_an_obstacle() -> None:
    class Broken(Server):
        def observe(self, path: str) -> Response:
            raise SyncError("connection_failed", "no answer", "Raise request_timeout.")

    for options in ({}, {"synchronizer": ID}):
        obstacle = provider(**options).observe(TARGET, t.cast(t.Any, Broken(StillClock()))).obstacle
        assert obstacle is not None
        assert obstacle.code == "connection_failed"
        assert "no remote" in obstacle.hint


@pytest.mark.parametrize("if_running", ["join", "fail", "queue"])
def test_a_known_run_that_shows_nothing_is_refused(if_running: str) -> None:
    clock = StillClock()
    server = Server(clock, (0, NONE))
    observation = provider(clock, synchronizer=ID, if_running=if_running).observe(TARGET, t.cast(t.Any, server))
    assert observation.running is None
    assert observation.obstacle is not None
    assert observation.obstacle.code == "outcome_unknown"
    assert ID in observation.obstacle.message
    assert observation.obstacle.detail == {"state": None, "push": None, "pull": None}
    assert 30 <= clock.elapsed <= 36


def test_a_known_run_that_shows_late_is_joined() -> None:
    clock = StillClock()
    server = Server(clock, (0, NONE), (10, PUSHED))
    observation = provider(clock, synchronizer=ID).observe(TARGET, t.cast(t.Any, server))
    assert observation.running is not None
    assert observation.running.reading == reading(*PUSHED)
    assert 10 <= clock.elapsed <= 13


@pytest.mark.parametrize("words", [DONE, ("error", "error", None), PUSHED, ("triggered", "triggered", None)])
def test_a_known_run_is_there_to_be_joined_whatever_its_state(words: Words) -> None:
    clock = StillClock()
    server = Server(clock, (0, words))
    observation = provider(clock, synchronizer=f" {ID} ").observe(TARGET, t.cast(t.Any, server))
    assert observation.running is not None
    assert observation.running.handle == RUN.handle
    assert observation.running.reading == reading(*words)
    assert len(server.sent) == 1


@pytest.mark.parametrize("if_running", ["fail", "queue"])
@pytest.mark.parametrize(
    ("script", "in_flight", "seconds"),
    [
        ([(0, DONE)], False, 0),
        ([(0, ("triggered", "triggered", None))], True, 0),
        ([(0, ("triggered", "crashing", None))], True, 0),
        ([(0, ("error", "error", None))], False, 2),
        ([(0, ("error", "error", None)), (1, ("triggered", "triggered", None))], True, 1),
        ([(0, NONE)], False, 30),
        ([(0, NONE), (20, (None, "completed", None)), (45, ("triggered", "completed", "triggered"))], True, 45),
    ],
)
def test_whether_a_known_run_is_in_flight(if_running: str, script: t.Any, in_flight: bool, seconds: float) -> None:
    clock = StillClock()
    server = Server(clock, *script)
    observation = provider(clock, synchronizer=ID, if_running=if_running).observe(TARGET, t.cast(t.Any, server))
    assert (observation.running is not None) == in_flight
    assert seconds <= clock.elapsed <= seconds + 6


def test_a_run_that_cannot_be_judged_in_time_counts_as_in_flight() -> None:
    clock = StillClock()
    server = Server(clock, (0, PUSHED))
    server.at = 10.0
    assert provider(clock, synchronizer=ID, if_running="fail").observe(TARGET, t.cast(t.Any, server)).running is not None


def test_success_is_assumed_to_have_changed_something() -> None:
    effect = provider().verify(TARGET, None, RUN, reading(*DONE), NO_CHANNEL)
    assert (effect.changed, effect.basis, effect.failure) == (True, "assumed", None)
    assert effect.detail == {"state": "completed", "push": "completed", "pull": "completed"}


@pytest.mark.parametrize(
    ("words", "named", "hint"),
    [
        (("error", "error", "completed"), "push failed", "run the task again"),
        (("error", "completed", "error"), "pull failed", "run the task again"),
        ((None, "failed", None), "push failed", "pull may still run"),
        (("error", "error", "triggered"), "push failed", "pull may still run"),
        (("error", "triggered", "error"), "pull failed", "push may still run"),
        (("error", "error", "error"), "push and pull failed", "run the task again"),
        (("error", None, None), "the run as a whole failed", "push may still run"),
    ],
)
def test_a_failure_names_the_direction(words: Words, named: str, hint: str) -> None:
    effect = provider().verify(TARGET, None, RUN, reading(*words), NO_CHANNEL)
    assert effect.failure is not None
    assert effect.failure.code == "run_failed"
    assert effect.failure.message.startswith(named)
    assert effect.reason == effect.failure.message
    assert hint in effect.failure.hint
    assert "database is down" not in effect.failure.hint
    assert (effect.detail["push"], effect.detail["pull"]) == words[1:]


@pytest.mark.parametrize(
    ("words", "reason", "hint"),
    [
        (NONE, "the push and the pull did not show any state", "CouchDB 2.1"),
        ((None, "completed", None), "the pull did not show any state", "restarted"),
        ((None, "completed", None), "the pull did not show any state", "another sync was at work when the push ended"),
        ((None, None, "completed"), "the push did not show any state", "another one is running"),
        (("completed", None, None), "the push and the pull did not show any state", "settle_grace"),
        ((None, "completed", "completed"), "the run as a whole did not show any state", "settle_grace"),
    ],
)
def test_a_lost_run_says_what_was_seen(words: Words, reason: str, hint: str) -> None:
    clock = StillClock()
    found = provider(clock)
    found.read(RUN.handle, t.cast(t.Any, Server(clock, (0, words))))
    effect = found.lost(TARGET, RUN)
    assert effect.failure is not None
    assert effect.failure.code == "outcome_unknown"
    assert effect.reason.startswith(reason)
    assert hint in effect.failure.hint
    assert (effect.changed, effect.basis) == (True, "assumed")


def test_a_timeout_says_what_still_runs() -> None:
    found = provider()
    assert "The pull still runs" in found.explain_timeout(TARGET, reading("triggered", "completed", "triggered"), NO_CHANNEL)
    assert "Both halves still run." in found.explain_timeout(TARGET, reading(*["triggered"] * 3), NO_CHANNEL)
    assert found.explain_timeout(TARGET, reading(*NONE), NO_CHANNEL) == ""
    assert found.explain_timeout(TARGET, None, NO_CHANNEL) == ""
    clock = StillClock()
    down = found.read({"synchronizer": ID}, t.cast(t.Any, Server(clock, (0, DOWN))))
    assert "when its database is back" in found.explain_timeout(TARGET, down, NO_CHANNEL)


@pytest.mark.parametrize("options", [{"synchronizer": "$a"}, {"notifications_url": "http://x/"}, {"api_url": "ftp://x/"}])
def test_bad_options(options: dict[str, str]) -> None:
    with pytest.raises(SyncError) as caught:
        provider(**options)
    assert caught.value.code == "invalid_option"
    assert next(iter(options)) in caught.value.message


@pytest.mark.parametrize(
    ("words", "known"),
    [(DONE, True), (("error", "completed", "error"), True), (PUSHED, True), (NONE, None), (DOWN, None)],
)
def test_info(words: Words, known: bool | None) -> None:
    clock = StillClock()
    options = {"validate_certs": True, "request_timeout": 30.0, "max_parallel": 8, "api_url": URL, "synchronizers": [f" {ID} "]}
    reader = info.SynchronizerReader(options, Services(clock, Redactor(), random.Random(1), lambda text: None))
    (name,) = reader.names(NO_CHANNEL)
    entry = reader.inspect(name, t.cast(t.Any, Server(clock, (0, words))))
    assert entry == {"id": ID, "state": words[0], "push": words[1], "pull": words[2], "known": known}


def test_info_knows_a_run_of_which_both_directions_failed() -> None:
    clock = StillClock()
    options = {"validate_certs": True, "request_timeout": 30.0, "max_parallel": 8, "api_url": URL, "synchronizers": [ID]}
    reader = info.SynchronizerReader(options, Services(clock, Redactor(), random.Random(1), lambda text: None))
    assert reader.inspect(ID, t.cast(t.Any, Server(clock, (0, DOWN), healthy=True)))["known"] is True
