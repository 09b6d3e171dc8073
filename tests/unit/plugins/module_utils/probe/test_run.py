# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole task: what it makes of its looks, and what it returns."""

from __future__ import annotations

import datetime as dt
import json
import threading
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import Clock, SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.vocabulary import Json
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import RequestCount
from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import Context, Interrupted
from ansible_collections.lockstep.sync.plugins.module_utils._probe.expect import Certificate, HttpResponse
from ansible_collections.lockstep.sync.plugins.module_utils._probe.options import Probe, parse_probes
from ansible_collections.lockstep.sync.plugins.module_utils._probe.run import (
    ProbeTask,
    http_executor,
    make_attempt,
    run_probes,
)
from ansible_collections.lockstep.sync.plugins.module_utils._probe.workers import AttemptResult, ProbeExecutor, ThreadedExecutor
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.support.web import Reply, Request

from .models import DATE, START, Model, ModelExecutor, Time
from .test_options import validated

GOOD, BAD = Model(0.01), Model(0.01, ((0, float("inf")),))


def run(*models: Model, **options: t.Any) -> Json:
    """A task with the probes a, b, c and so on."""
    time = Time()
    probes = [{"name": "abcdef"[number], "url": f"https://{number}.test/"} for number in range(len(models))]
    context = Context(clock=time)
    return run_probes(validated(probes=probes, **options), context, lambda probes, clock: ModelExecutor(models, time))


def test_all_is_well() -> None:
    result = run(GOOD, Model(0.25), successes=2)
    assert result == {
        "changed": False,
        "ok": True,
        "probes": [
            {
                "name": name,
                "url": f"https://{number}.test/",
                "ok": True,
                "status": 200,
                "latency": 0.01,
                "attempts": 2,
                "consecutive": 2,
                "problems": [],
                "certificate_days": None,
                "was_ok": None,
                "checked_at": "2026-11-20T21:00:01Z",
                "requests": 2,
            }
            for number, name in enumerate("ab")
        ],
        "regressions": [],
        "already_failing": [],
        "elapsed": 1.5,
        "requests": 4,
        "failure": None,
        "msg": "2 of 2 probes are as wanted",
        "warnings": [],
    }


def test_a_probe_that_fails_fails_the_task() -> None:
    result = run(GOOD, BAD, timeout=2)
    assert (result["failed"], result["ok"], result["changed"]) == (True, False, False)
    assert [probe["ok"] for probe in result["probes"]] == [True, False]
    assert result["probes"][1]["problems"] == ["status 503, wanted 200"]
    assert result["failure"] == {
        "code": "probe_failed",
        "message": "1 of 2 probes failed. b: status 503, wanted 200",
        "http_status": 503,
        "hint": "Check the server behind the address, and its logs.",
    }
    assert result["msg"].startswith(result["failure"]["message"])
    assert (result["regressions"], result["already_failing"]) == (["b"], [])


def test_or_does_not() -> None:
    result = run(BAD, timeout=0, fail=False)
    assert ("failed" in result, result["ok"], result["failure"]["code"]) == (False, False, "probe_failed")


def test_an_option_that_is_not_valid_fails_it_in_any_case() -> None:
    result = run(GOOD, interval=-1, fail=False)
    assert (result["failed"], result["failure"]["code"], result["probes"], result["requests"]) == (True, "invalid_option", [], 0)
    assert "option interval: -1" in result["msg"]


def test_comparison_with_an_earlier_run() -> None:
    before = [{"name": "a", "ok": True}, {"name": "b", "ok": False}, {"name": "d", "ok": False}, {"name": "z", "ok": True}]
    result = run(BAD, BAD, BAD, GOOD, timeout=0, before=before)
    assert [probe["was_ok"] for probe in result["probes"]] == [True, False, None, False]
    assert (result["regressions"], result["already_failing"]) == (["a", "c"], ["b"])
    assert "3 of 4 probes failed (1 of them failed before too). a: " in result["msg"]


def test_its_own_result_is_what_before_takes() -> None:
    before = json.loads(json.dumps(run(GOOD, BAD, timeout=0, fail=False)["probes"]))
    result = run(BAD, BAD, timeout=0, before=before)
    assert (result["regressions"], result["already_failing"]) == (["a"], ["b"])


def test_too_few_successes_are_reported_with_the_last_failure() -> None:
    result = run(Model(0.0, ((0, 1.5),)), timeout=2, successes=3)
    assert result["probes"][0]["problems"] == [
        "1 successful attempt in a row, wanted 3; the last failure: status 503, wanted 200"
    ]
    assert run(GOOD, timeout=1, successes=9)["probes"][0]["problems"] == ["2 successful attempts in a row, wanted 9"]


def test_a_failure_during_the_soak() -> None:
    result = run(GOOD, Model(0.0, ((1.5, 99.0),)), soak=60)
    assert "1 of 2 probes failed during the soak. b: status 503" in result["msg"]
    assert result["elapsed"] < 5
    assert (result["probes"][0]["ok"], result["probes"][0]["problems"]) == (True, [])


def test_a_soak_that_went_well() -> None:
    result = run(GOOD, soak=5)
    assert result["msg"] == "1 of 1 probes are as wanted, and stayed so for 5 s"
    assert 5 <= result["elapsed"] < 5.1


def test_progress_is_shown() -> None:
    time, lines = Time(), []
    models = [Model(0.0), Model(0.0, ((0, 0.5),))]
    options = validated(probes=[{"url": f"https://{number}.test/"} for number in range(2)], soak=2)
    task = ProbeTask(Context(clock=time))
    task.prepare(options)
    lines.append(task.line(0))

    class Watched(ModelExecutor):
        def wait(self, until: float | None) -> list[tuple[int, AttemptResult]]:
            seen = super().wait(until)
            lines.append(task.line(time.moment - START))
            return seen

    task.watch(Watched(models, time))
    assert lines[0] == "0 of 2 probes green, 0 s"
    assert "1 of 2 probes green, 1 s" in lines
    assert lines[-1] == "2 of 2 probes green, soak of 2 s, 3 s"


@pytest.mark.parametrize("exception", [Interrupted, KeyboardInterrupt])
def test_an_interruption_leaves_a_result(exception: type[BaseException]) -> None:
    time = Time()

    class Stopped(ModelExecutor):
        def wait(self, until: float | None) -> list[tuple[int, AttemptResult]]:
            if self.log:
                raise exception
            return super().wait(until)

    given = validated(probes=[{"url": "https://a.test/"}, {"url": "https://b.test/"}], fail=False)
    result = run_probes(given, Context(clock=time), lambda probes, clock: Stopped([GOOD, GOOD], time))
    assert (result["failed"], result["failure"]["code"], result["requests"]) == (True, "outcome_unknown", 1)
    assert [probe["ok"] for probe in result["probes"]] == [True, False]
    assert result["probes"][1]["problems"] == ["no attempt was made, wanted one"]


def one(**options: t.Any) -> Probe:
    (probe,) = parse_probes(validated(probes=[{"url": "https://a.test/", **options}]))
    return probe


def test_a_response_becomes_an_attempt() -> None:
    def fetch(probe: Probe, clock: Clock, count: RequestCount) -> HttpResponse:
        count.add()
        count.add()
        return HttpResponse(200, {}, b"", 0.5, certificate=Certificate(DATE + dt.timedelta(days=5, hours=1)))

    time = Time()
    result = make_attempt(one(min_certificate_days=6), time, fetch)
    assert result == AttemptResult(
        ("certificate valid for 5 more days, wanted at least 6",), time.monotonic(), DATE, 2, 200, 0.5, 5
    )
    assert make_attempt(one(), time, fetch).problems == ()


@pytest.mark.parametrize(
    "error", [SyncError("connection_failed", "no s3cret-1 route"), RuntimeError("s3cret-1"), KeyError("s3cret-1")]
)
def test_whatever_goes_wrong_is_a_problem_of_the_probe(error: Exception) -> None:
    def fetch(probe: Probe, clock: Clock, count: RequestCount) -> HttpResponse:
        count.add()
        raise error

    result = make_attempt(one(request_headers={"X": "s3cret-1"}, status=[200, 301]), Time(), fetch)
    (problem,) = result.problems
    assert problem.endswith(", wanted a response with status 200 or 301")
    assert "s3cret-1" not in problem
    assert (result.status, result.latency, result.requests) == (None, None, 1)


def test_an_executor_with_threads_returns_what_is_ready_first() -> None:
    release = threading.Event()
    clock = SystemClock()

    def fetch(number: int) -> AttemptResult:
        if number == 0:
            release.wait(10)
        return AttemptResult((), clock.monotonic(), clock.now(), number)

    executor = ThreadedExecutor(fetch, clock)
    executor.start(0)
    executor.start(1)
    assert [number for number, dummy in executor.wait(None)] == [1]
    assert executor.wait(clock.monotonic() + 0.05) == []
    release.set()
    assert [number for number, dummy in executor.wait(clock.monotonic() + 10)] == [0]


def test_a_site_that_hangs_does_not_hold_up_the_others(serve: Serve) -> None:
    enough, waited = threading.Event(), []

    def hang(request: Request) -> Reply:
        waited.append(enough.wait(5))
        return Reply(503)

    def answer(request: Request) -> Reply:
        if len(fine.log) == 3:
            enough.set()
        return Reply()

    hung, fine = serve(hang), serve(answer)
    given = validated(
        probes=[{"name": "hung", "url": hung.url, "status": [503]}, {"name": "fine", "url": fine.url}],
        successes=3,
        interval=0.05,
    )
    result = run_probes(given, Context())
    assert [(probe["ok"], probe["attempts"]) for probe in result["probes"]] == [(True, 3), (True, 3)]
    assert (waited, result["requests"]) == ([True] * 3, 6)


def test_no_more_attempts_at_once_than_asked_for(serve: Serve) -> None:
    lock, flying, most = threading.Lock(), [0], [0]
    full = threading.Event()

    def respond(request: Request) -> Reply:
        with lock:
            flying[0] += 1
            most[0] = max(most[0], flying[0])
            if most[0] == 2:
                full.set()
        full.wait(5)
        with lock:
            flying[0] -= 1
        return Reply()

    site = serve(respond)
    given = validated(probes=[{"url": f"{site.url}/{number}"} for number in range(6)], max_parallel=2, timeout=0)
    result = run_probes(given, Context())
    assert (result["ok"], most[0], sorted(site.lines)) == (True, 2, [f"GET /{number}" for number in range(6)])


def test_an_executor_that_does_not_validate_is_quiet(serve: Serve, certificate: tuple[str, str]) -> None:
    site = serve(lambda request: Reply(), certificate)
    executor: ProbeExecutor = http_executor(
        [parse_probes(validated(probes=[{"url": site.url, "validate_certs": False}]))[0]], SystemClock()
    )
    executor.start(0)
    ((dummy, result),) = executor.wait(None)
    assert (result.problems, result.certificate_days) == ((), 10)
