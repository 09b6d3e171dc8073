# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PLM Media Manager: what its states, ids and errors mean (docs/reference/plm.md), without any I/O."""

from __future__ import annotations

import datetime as dt
import json
import random
import re
import typing as t

import pytest
import requests
import urllib3.util
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import Ambiguous, SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.poll import PollAgain, PollPolicy, Reading, Waiter
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Run, Services, Target
from ansible_collections.lockstep.sync.plugins.module_utils._providers.plm import api, info, provider as plm

URL = "http://media.example.com/api/media-manager/v0"
ID = "$ee8370c0-be09-445c-b7f4-4cba853150ed+7980b24b-9735-4ef8-a3d1-ecc3f176f8dc"
NONE = (None, None, None)
DONE = ("completed", "completed", "completed")
Words = tuple[t.Optional[str], t.Optional[str], t.Optional[str]]


class FakeClock:
    """Passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.time = 0.0

    def monotonic(self) -> float:
        return self.time

    def now(self) -> dt.datetime:
        return dt.datetime(2026, 11, 20, tzinfo=dt.timezone.utc) + dt.timedelta(seconds=self.time)

    def sleep(self, seconds: float) -> None:
        self.time += max(0.0, seconds)


MADE_UP = "/storage/synchronizers/$x+y"


class Server:
    """Stands in for a channel: the states of the one synchronizer, by the time.

    With its database down, a server shows three errors for every id; else it has no states for one that is made up.
    """

    def __init__(self, clock: FakeClock, *script: tuple[float, Words], healthy: bool = False) -> None:
        self.clock = clock
        self.script = script
        self.healthy = healthy
        self.deadline = self
        self.at = 1000.0
        self.sent: list[str] = []

    def observe(self, path: str) -> Response:
        self.sent.append(path)
        words = [words for since, words in self.script if since <= self.clock.time][-1]
        if path == MADE_UP:
            down = words == DOWN and not self.healthy
            return response(200, described(DOWN if down else NONE, "$x+y"))
        return response(200, described(words))


def described(words: Words, identifier: str = ID) -> t.Any:
    """The body of GET: what is not known is left out."""
    directions = identifier[1:].split("+")
    overall, *parts = ({} if word is None else {"state": word} for word in words)
    push, pull = ({"id": f"${half}", **part} for half, part in zip(directions, parts))
    return {"status": 0, "synchronizer": {"id": identifier, **overall, "push": push, "pull": pull}}


def response(status: int, body: t.Any, method: str = "GET") -> Response:
    text = body if isinstance(body, str) else json.dumps(body)
    return Response(method, f"{URL}/storage/synchronizers", status, {}, text.encode())


def reading(*words: str | None) -> Reading:
    overall, push, pull = words
    return api.States(overall, push, pull).reading()


def provider(clock: FakeClock | None = None, **options: t.Any) -> plm.PLM:
    connection = {"validate_certs": True, "request_timeout": 30.0, "max_parallel": 8, "api_url": URL}
    pace = {"poll_min_interval": 0.5, "poll_max_interval": 5.0, "settle_grace": 30.0, "if_running": "join", "wait": True}
    services = Services(clock or FakeClock(), Redactor(), random.Random(1), lambda text: None)
    return plm.PLM({**connection, **pace, **options}, services)


# -- the states of docs/reference/plm.md#4.4, row by row -----------------------------------------------------------------------

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
    ("overall behind its halves", ("triggered", "completed", "completed"), "running"),
    ("overall missing with completed halves", (None, "completed", "completed"), "absent"),
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
PUSHED: Words = (None, "completed", None)
PULLING: Words = ("triggered", "completed", "triggered")
PUSH_FAILED: Words = ("error", "error", None)
DOWN: Words = ("error", "error", "error")
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
    ("database down", [(0, PUSHING), (2, DOWN)], "timed_out", 600, 601),
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
    clock = FakeClock()
    found, server = provider(clock), Server(clock, *script)
    capabilities = found.capabilities
    policy = PollPolicy(failed_reads=capabilities.failed_reads, failed_for=capabilities.failed_for)
    waiter = Waiter(policy, 0.0, 600.0, random.Random(seed).random)
    handle = {"synchronizer": ID}
    while True:
        sent = clock.time
        verdict = waiter.after(sent, sent, found.read(handle, t.cast(t.Any, server)))
        if not isinstance(verdict, PollAgain):
            break
        clock.sleep(verdict.at - clock.time)
    assert verdict.outcome == outcome
    assert least <= clock.time <= most
    own = {f"/storage/synchronizers/{ID}"}
    assert set(server.sent) == own | ({MADE_UP} if any(words == DOWN for _since, words in script) else set())


def test_both_halves_may_really_fail() -> None:
    """Three errors are those of the database only if a synchronizer that does not exist has them, too."""
    clock = FakeClock()
    server = Server(clock, (0, DOWN), healthy=True)
    seen = provider(clock).read({"synchronizer": ID}, t.cast(t.Any, server))
    assert (seen.state, seen.message) == ("failed", "push and pull failed; the server says error (push error, pull error)")
    server.healthy = False
    seen = provider(clock).read({"synchronizer": ID}, t.cast(t.Any, server))
    assert (seen.state, seen.message) == ("pending", "")
    assert "database of the server is down" in seen.raw
    assert server.sent == [f"/storage/synchronizers/{ID}", MADE_UP] * 2


# -- ids --------------------------------------------------------------------------------------------------------------


@given(st.from_regex(api.ID, fullmatch=True))
def test_ids_stay_as_they_are_on_their_way(identifier: str) -> None:
    """An encoded ``$`` or ``+`` would be a 404, and nothing in an id may lead to another path."""
    prepared = requests.Request("GET", f"{URL}{api.PATH}/{identifier}").prepare()
    assert prepared.path_url == f"/api/media-manager/v0{api.PATH}/{identifier}"
    assert urllib3.util.parse_url(t.cast(str, prepared.url)).request_uri == prepared.path_url


@given(st.from_regex(api.ID, fullmatch=True))
def test_every_id_matches_the_published_grammar(identifier: str) -> None:
    assert re.fullmatch(r"\$[0-9a-zA-Z$\-_@.&+]+", identifier)
    assert len(identifier[1:].split("+")) == 2


@pytest.mark.parametrize("value", ["", "$", "$a", "$a+", "$+b", "a+b", "$a+b+c", "$a%2Bb", "%24a+b", None, 7])
@pytest.mark.parametrize("rest", ["", "/../c", "?x", "#", " ", "\n", "ä"])
def test_what_is_no_id(value: t.Any, rest: str) -> None:
    value = value if rest == "" else f"{value if value is not None else ID}{rest}"
    with pytest.raises(SyncError) as caught:
        api.check_id(value, "synchronizer")
    assert caught.value.code == "invalid_option"
    with pytest.raises(SyncError):
        provider().from_handle({"provider": "plm", "address": URL, "synchronizer": value})


# -- the answer to the trigger ----------------------------------------------------------------------------------------

#: verbatim, without its last brace
PUBLISHED = """
    {
      "status": 0,
      "synchronizer": {
        "id": "$ee8370c0-be09-445c-b7f4-4cba853150ed+7980b24b-9735-4ef8-a3d1-ecc3f176f8dc",
        "state": "triggered",
        "push": {
          "id": "$ee8370c0-be09-445c-b7f4-4cba853150ed",
          "state": "completed"
        },
        "pull": {
          "id": "$7980b24b-9735-4ef8-a3d1-ecc3f176f8dc",
          "state": "triggered"
        }
      }
"""


@pytest.mark.parametrize(
    "body", [described(("triggered", None, None)), described(DONE), PUBLISHED, PUBLISHED + "}", PUBLISHED[:140]]
)
def test_an_answer_that_names_the_run(body: t.Any) -> None:
    assert api.accepted_id(response(200, body, "POST")) == ID


def test_an_id_may_be_escaped() -> None:
    assert api.accepted_id(response(200, r'{"synchronizer": {"id": "$a\u0026c\u002bb"}}')) == "$a&c+b"


@pytest.mark.parametrize(
    "body",
    ["", "null", "[]", "{}", "<html></html>", {"status": 0}, {"synchronizer": {"id": "$a"}}, {"status": 1}, PUBLISHED[:99]],
)
def test_an_answer_that_does_not_name_the_run_is_ambiguous(body: t.Any) -> None:
    with pytest.raises(Ambiguous):
        api.accepted_id(response(200, body, "POST"))


# -- errors -----------------------------------------------------------------------------------------------------------


def published(code: int, message: str) -> dict[str, t.Any]:
    return {"status": 1, "error_code": code, "error_message": message}


def framework(code: str, message: str) -> dict[str, t.Any]:
    return {"code": code, "message": message}


NO_REMOTE_GET = framework("InternalError", "Cannot read property 'host' of undefined")
NO_REMOTE_POST = framework("InternalError", "Cannot read property 'httpStatus' of undefined")
NO_REMOTE_NEW = framework("InternalError", "Cannot read properties of undefined (reading 'httpStatus')")

ERRORS = [
    (500, published(-1, "Unknown error occurred."), "server_error", "Unknown error occurred.", False),
    (404, published(1, "No files found"), "not_found", "No files found", True),
    (409, published(2, "Conflict"), "busy", "Conflict", True),
    (404, published(3, "Attribute validation failure"), "not_found", "Attribute validation", True),
    (404, published(4, "Request not yet supported."), "endpoint_missing", "not yet supported", True),
    (500, published(4, "Request not yet supported."), "endpoint_missing", "not yet supported", True),
    (400, published(5, "Bad request"), "bad_response", "Bad request", True),
    (500, published(99, "What is this"), "server_error", "What is this", False),
    (200, published(-1, "Unknown error occurred."), "bad_response", "Unknown error", False),
    (500, {"status": 1, "error_code": "x"}, "server_error", "HTTP 500", False),
    (404, framework("ResourceNotFound", "/v1/storage/synchronizers does not exist"), "endpoint_missing", "does not exist", False),
    (405, framework("MethodNotAllowedError", "GET is not allowed"), "endpoint_missing", "GET is not allowed", False),
    (400, framework("InvalidContent", "Invalid JSON: Unexpected token b"), "bad_response", "Unexpected token b", False),
    (500, NO_REMOTE_GET, "server_error", "'host'", True),
    (500, NO_REMOTE_POST, "server_error", "'httpStatus'", True),
    (500, NO_REMOTE_NEW, "server_error", "'httpStatus'", True),
    (500, framework("InternalError", "Cannot read property 'id' of undefined"), "server_error", "'id'", False),
    (500, framework("Other", "Cannot read property 'host' of undefined"), "server_error", "'host'", False),
    (404, "<html>not here</html>", "endpoint_missing", "(an HTML page)", False),
    (401, "", "auth_failed", "nothing", False),
    (403, framework("Forbidden", "no"), "permission_denied", "no", False),
]


@pytest.mark.parametrize(("status", "body", "code", "words", "definite"), ERRORS)
def test_errors(status: int, body: t.Any, code: str, words: str, definite: bool) -> None:
    error = api.interpret(response(status, body))
    assert error is not None
    assert (error.code, error.http_status) == (code, status)
    assert words in error.message
    assert error.hint
    refusal = api.refused_before_start(response(status, body, "POST"))
    assert (refusal is not None) == definite
    if refusal is not None:
        assert refusal.code == code


@pytest.mark.parametrize(
    ("status", "body"),
    [(502, "<html>bad gateway</html>"), (500, ""), (503, "[]"), (418, "tea"), (200, described(DONE)), (200, {"code": "x"})],
)
def test_what_the_provider_has_no_word_for(status: int, body: t.Any) -> None:
    assert api.interpret(response(status, body)) is None
    assert api.refused_before_start(response(status, body)) is None


@pytest.mark.parametrize("body", [NO_REMOTE_GET, NO_REMOTE_POST, NO_REMOTE_NEW])
def test_a_missing_remote_says_what_to_do(body: t.Any) -> None:
    error = api.interpret(response(500, body))
    assert error is not None
    assert "remote" in error.hint


@pytest.mark.parametrize(
    "body",
    ["[]", "7", "{}", "<html></html>", {"status": 0}, {"synchronizer": []}, described(DONE, "$a+b"), published(-1, "x")],
)
def test_an_answer_about_something_else_is_not_believed(body: t.Any) -> None:
    channel = t.cast(t.Any, type("Channel", (), {"observe": lambda self, path: response(200, body)})())
    with pytest.raises(SyncError) as caught:
        api.get_states(channel, ID)
    assert caught.value.code == "bad_response"


# -- the provider ------------------------------------------------------------------------------------------------------

TARGET = Target("storage", URL)
RUN = Run({"provider": "plm", "address": URL, "synchronizer": ID})
NO_CHANNEL: t.Any = None


def test_the_server_is_the_target() -> None:
    found = provider(api_url=URL + "/")
    assert found.names() == [URL]
    assert found.resolve(URL, NO_CHANNEL) == found.from_handle(RUN.handle) == TARGET


def test_without_a_known_run_the_server_is_looked_at() -> None:
    clock = FakeClock()
    server = Server(clock, (0, NONE))
    observation = provider(clock).observe(TARGET, t.cast(t.Any, server))
    assert (observation.running, observation.in_sync, observation.age) == (None, None, None)
    assert (observation.obstacle, server.sent, clock.time) == (None, [MADE_UP], 0.0)
    assert provider().find(TARGET, {}, NO_CHANNEL) is None


def test_a_database_that_stays_down_keeps_a_sync_from_being_started() -> None:
    clock = FakeClock()
    server = Server(clock, (0, DOWN))
    obstacle = provider(clock).observe(TARGET, t.cast(t.Any, server)).obstacle
    assert obstacle is not None
    assert (obstacle.code, obstacle.http_status) == ("server_error", 200)
    assert "local database of the server is down" in obstacle.message
    assert 2 <= clock.time <= 6
    assert set(server.sent) == {MADE_UP}
    for options in ({"synchronizer": ID}, {"synchronizer": ID, "if_running": "fail"}):
        assert provider(clock, **options).observe(TARGET, t.cast(t.Any, server)).obstacle is not None


def test_a_database_that_is_down_for_a_moment_keeps_nothing_from_being_started() -> None:
    clock = FakeClock()
    server = Server(clock, (0, DOWN), (1, DONE))
    assert provider(clock).observe(TARGET, t.cast(t.Any, server)).obstacle is None
    clock.time = 0.0
    observation = provider(clock, synchronizer=ID).observe(TARGET, t.cast(t.Any, server))
    assert observation.running is not None
    assert observation.running.reading == reading(*DONE)


def test_what_keeps_the_server_from_answering_is_an_obstacle() -> None:
    class Broken(Server):
        def observe(self, path: str) -> Response:
            raise SyncError("connection_failed", "no answer", "Raise request_timeout.")

    for options in ({}, {"synchronizer": ID}):
        obstacle = provider(**options).observe(TARGET, t.cast(t.Any, Broken(FakeClock()))).obstacle
        assert obstacle is not None
        assert obstacle.code == "connection_failed"
        assert "no remote" in obstacle.hint


@pytest.mark.parametrize("if_running", ["join", "fail", "queue"])
def test_a_known_run_that_shows_nothing_is_refused(if_running: str) -> None:
    clock = FakeClock()
    server = Server(clock, (0, NONE))
    observation = provider(clock, synchronizer=ID, if_running=if_running).observe(TARGET, t.cast(t.Any, server))
    assert observation.running is None
    assert observation.obstacle is not None
    assert observation.obstacle.code == "outcome_unknown"
    assert ID in observation.obstacle.message
    assert observation.obstacle.detail == {"state": None, "push": None, "pull": None}
    assert 30 <= clock.time <= 36


def test_a_known_run_that_shows_late_is_joined() -> None:
    clock = FakeClock()
    server = Server(clock, (0, NONE), (10, PUSHED))
    observation = provider(clock, synchronizer=ID).observe(TARGET, t.cast(t.Any, server))
    assert observation.running is not None
    assert observation.running.reading == reading(*PUSHED)
    assert 10 <= clock.time <= 13


@pytest.mark.parametrize("words", [DONE, ("error", "error", None), PUSHED, ("triggered", "triggered", None)])
def test_a_known_run_is_there_to_be_joined_whatever_its_state(words: Words) -> None:
    clock = FakeClock()
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
    clock = FakeClock()
    server = Server(clock, *script)
    observation = provider(clock, synchronizer=ID, if_running=if_running).observe(TARGET, t.cast(t.Any, server))
    assert (observation.running is not None) == in_flight
    assert seconds <= clock.time <= seconds + 6


def test_a_run_that_cannot_be_judged_in_time_counts_as_in_flight() -> None:
    clock = FakeClock()
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
def test_a_failure_names_the_half(words: Words, named: str, hint: str) -> None:
    effect = provider().verify(TARGET, None, RUN, reading(*words), NO_CHANNEL)
    assert effect.failure is not None
    assert effect.failure.code == "run_failed"
    assert effect.failure.message.startswith(named)
    assert effect.reason == effect.failure.message
    assert hint in effect.failure.hint
    assert "database is down" not in effect.failure.hint
    assert (effect.detail["push"], effect.detail["pull"]) == words[1:]


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        (NONE, "the push and the pull did not show any state", "CouchDB 2.1"),
        ((None, "completed", None), "the pull did not show any state", "restarted"),
        ((None, "completed", None), "the pull did not show any state", "another sync was at work when the push ended"),
        ((None, None, "completed"), "the push did not show any state", "another one is running"),
        (("completed", None, None), "the push and the pull did not show any state", "settle_grace"),
        ((None, "completed", "completed"), "the run as a whole did not show any state", "settle_grace"),
    ],
)
def test_a_lost_run_says_what_was_seen(words: Words, said: str, hint: str) -> None:
    clock = FakeClock()
    found = provider(clock)
    found.read(RUN.handle, t.cast(t.Any, Server(clock, (0, words))))
    effect = found.lost(TARGET, RUN)
    assert effect.failure is not None
    assert effect.failure.code == "outcome_unknown"
    assert effect.reason.startswith(said)
    assert hint in effect.failure.hint
    assert (effect.changed, effect.basis) == (True, "assumed")


def test_a_timeout_says_what_still_runs() -> None:
    found = provider()
    assert "The pull still runs" in found.explain_timeout(TARGET, reading("triggered", "completed", "triggered"), NO_CHANNEL)
    assert "Both halves still run." in found.explain_timeout(TARGET, reading(*["triggered"] * 3), NO_CHANNEL)
    assert found.explain_timeout(TARGET, reading(*NONE), NO_CHANNEL) == ""
    assert found.explain_timeout(TARGET, None, NO_CHANNEL) == ""
    clock = FakeClock()
    down = found.read({"synchronizer": ID}, t.cast(t.Any, Server(clock, (0, DOWN))))
    assert "when its database is back" in found.explain_timeout(TARGET, down, NO_CHANNEL)


@pytest.mark.parametrize("options", [{"synchronizer": "$a"}, {"notifications_url": "http://x/"}, {"api_url": "ftp://x/"}])
def test_bad_options(options: dict[str, str]) -> None:
    with pytest.raises(SyncError) as caught:
        provider(**options)
    assert caught.value.code == "invalid_option"
    assert next(iter(options)) in caught.value.message


# -- the info module --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "known"),
    [(DONE, True), (("error", "completed", "error"), True), (PUSHED, True), (NONE, None), (DOWN, None)],
)
def test_info(words: Words, known: bool | None) -> None:
    clock = FakeClock()
    options = {"validate_certs": True, "request_timeout": 30.0, "max_parallel": 8, "api_url": URL, "synchronizers": [f" {ID} "]}
    reader = info.SynchronizerReader(options, Services(clock, Redactor(), random.Random(1), lambda text: None))
    (name,) = reader.names(NO_CHANNEL)
    entry = reader.inspect(name, t.cast(t.Any, Server(clock, (0, words))))
    assert entry == {"id": ID, "state": words[0], "push": words[1], "pull": words[2], "known": known}


def test_info_knows_a_run_of_which_both_halves_failed() -> None:
    clock = FakeClock()
    options = {"validate_certs": True, "request_timeout": 30.0, "max_parallel": 8, "api_url": URL, "synchronizers": [ID]}
    reader = info.SynchronizerReader(options, Services(clock, Redactor(), random.Random(1), lambda text: None))
    assert reader.inspect(ID, t.cast(t.Any, Server(clock, (0, DOWN), healthy=True)))["known"] is True
