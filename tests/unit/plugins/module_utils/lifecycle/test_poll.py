# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When to look at a run, and when to stop."""

from __future__ import annotations

import dataclasses
import random
import typing as t

import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import RateLimited, SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.poll import (
    PollAgain,
    PollPolicy,
    Reading,
    Settled,
    Waiter,
)
from tests.properties import thorough

RUNNING = Reading("running", "Running")
DONE = Reading("succeeded", "Done")
FAILED = Reading("failed", "Broken")
ABSENT = Reading("absent")
UNREACHABLE = SyncError("connection_failed", "no route")
START = 1000.0
#: for sums of floats
ROUNDING = 1e-9


class Simulation:
    """An operation of known duration, watched through a line with known delays.

    The server looks at its state somewhere between the request and the answer.
    """

    def __init__(self, policy: PollPolicy, duration: float, deadline: float, rng: random.Random, rtt: float) -> None:
        self.rng = rng
        self.sent: list[float] = []
        self.trip = self.trip_before = 0.0
        waiter = Waiter(policy, START, START + deadline, rng.random)
        at = waiter.first()
        while True:
            self.sent.append(at - START)
            self.trip_before, self.trip = self.trip, rng.uniform(0, rtt)
            self.now = at + self.trip
            looked = at + self.trip * rng.random() >= START + duration
            verdict = waiter.after(at, self.now, DONE if looked else RUNNING)
            if isinstance(verdict, Settled):
                self.outcome = verdict.outcome
                self.latency = self.now - START - duration
                return
            assert verdict.at >= self.now
            at = verdict.at


policies = st.tuples(st.floats(0.05, 5), st.floats(1, 20)).map(lambda pair: PollPolicy(pair[0], pair[0] * pair[1]))
durations = st.floats(0.3, 600)
seeds = st.integers(0, 2**32).map(random.Random)


def longest_gap(policy: PollPolicy, duration: float) -> float:
    return 1.1 * max(policy.min_interval, min(0.2 * duration, policy.max_interval))


@thorough(300)
@given(policy=st.one_of(st.just(PollPolicy()), policies), duration=durations, rng=seeds)
def test_the_end_of_a_run_is_noticed_within_the_promised_time(policy: PollPolicy, duration: float, rng: random.Random) -> None:
    run = Simulation(policy, duration, 1e6, rng, rtt=0.9 * policy.min_interval)
    assert run.outcome == "succeeded"
    assert run.latency <= run.trip + longest_gap(policy, duration) + ROUNDING


@thorough(200)
@given(duration=durations, rng=seeds, rtt=st.floats(0.5, 60))
def test_a_server_slower_than_the_interval_costs_at_most_one_more_round_trip(
    duration: float, rng: random.Random, rtt: float
) -> None:
    run = Simulation(PollPolicy(), duration, 1e6, rng, rtt)
    assert run.latency <= run.trip + max(run.trip_before, longest_gap(PollPolicy(), duration)) + ROUNDING


@thorough(200)
@given(duration=durations, rng=seeds)
def test_a_run_costs_few_polls(duration: float, rng: random.Random) -> None:
    run = Simulation(PollPolicy(), duration, 1e6, rng, rtt=0.4)
    assert len(run.sent) <= 20 + max(0.0, duration - 25) / 5 * 1.15


def test_even_the_shortest_intervals_that_jitter_allows_cost_few_polls() -> None:
    for duration, limit in ((2.5, 6), (25.0, 20), (600.0, 20 + 575 / 5 * 1.15)):
        rng = random.Random()
        rng.random = lambda: 0.0  # type: ignore[method-assign]
        assert len(Simulation(PollPolicy(), duration, 1e6, rng, rtt=0.0).sent) <= limit


@thorough(300)
@given(
    policy=st.one_of(st.just(PollPolicy()), policies),
    deadline=st.floats(0, 300),
    rng=seeds,
    rtt=st.sampled_from([0.0, 0.02, 0.4, 3.0]),
)
def test_the_last_poll_is_made_at_the_deadline_and_none_after_it(
    policy: PollPolicy, deadline: float, rng: random.Random, rtt: float
) -> None:
    run = Simulation(policy, 1e9, deadline, rng, rtt)
    assert run.outcome == "timed_out"
    assert all(sent <= deadline + ROUNDING for sent in run.sent)
    at_deadline = [sent for sent in run.sent if sent >= deadline - ROUNDING]
    # one that was under way when the deadline came is the last look as well
    assert len(at_deadline) == 1 or run.sent[-1] + run.trip >= deadline - ROUNDING


def test_a_run_that_ends_just_before_the_deadline_is_seen_by_the_last_poll() -> None:
    run = Simulation(PollPolicy(), 9.99, 10.0, random.Random(1), rtt=0.0)
    assert (run.outcome, run.sent[-1]) == ("succeeded", 10.0)


def test_without_any_time_there_is_still_one_poll() -> None:
    run = Simulation(PollPolicy(), 5.0, 0.0, random.Random(1), rtt=0.1)
    assert (run.outcome, run.sent) == ("timed_out", [0.0])


def test_the_next_poll_is_counted_from_the_request_and_not_from_its_answer() -> None:
    waiter = Waiter(PollPolicy(), START, START + 900, lambda: 0.5)
    assert waiter.after(START + 10, START + 11.5, RUNNING) == PollAgain(START + 12)


# -- steps: looks that take no time, half a second apart unless the waiter says otherwise -----------------------------


class Watch:
    """Feeds readings to a waiter and follows its verdicts."""

    def __init__(self, policy: PollPolicy | None = None, deadline: float = 900.0) -> None:
        self.waiter = Waiter(policy or PollPolicy(), START, START + deadline, lambda: 0.5)
        self.at = self.waiter.first()

    def see(self, *readings: Reading | SyncError) -> t.Any:
        verdict: t.Any = None
        for reading in readings:
            verdict = self.waiter.after(self.at, self.at, reading)
            if isinstance(verdict, PollAgain):
                self.at = verdict.at
        return verdict

    def see_until(self, reading: Reading | SyncError, elapsed: float) -> t.Any:
        verdict: t.Any = None
        while self.at - START < elapsed and not isinstance(verdict, Settled):
            verdict = self.see(reading)
        return verdict


def test_an_outage_is_tolerated_for_its_grace_and_no_longer() -> None:
    watch = Watch(PollPolicy(outage_grace=60))
    watch.see(RUNNING)
    began = watch.at
    settled = watch.see_until(UNREACHABLE, 900)
    assert (settled.outcome, settled.error, settled.reading) == ("error", UNREACHABLE, RUNNING)
    assert watch.at == began + 60


def test_a_run_whose_server_is_restarted_is_seen_to_end() -> None:
    watch = Watch()
    assert isinstance(watch.see_until(UNREACHABLE, 36), PollAgain)
    assert watch.see(DONE).outcome == "succeeded"


def test_a_good_reading_ends_an_outage() -> None:
    watch = Watch(PollPolicy(outage_grace=60))
    watch.see_until(UNREACHABLE, 55)
    watch.see(RUNNING)
    assert isinstance(watch.see_until(UNREACHABLE, 110), PollAgain)


def test_without_a_grace_the_first_error_ends_the_wait() -> None:
    assert Watch(PollPolicy(outage_grace=0)).see(RUNNING, UNREACHABLE).outcome == "error"


def test_an_outage_that_lasts_until_the_deadline_is_a_time_out() -> None:
    watch = Watch(PollPolicy(outage_grace=60), deadline=30)
    settled = watch.see_until(UNREACHABLE, 60)
    assert (settled.outcome, settled.error, watch.at) == ("timed_out", UNREACHABLE, START + 30)


def test_a_poll_that_takes_long_counts_from_its_beginning() -> None:
    waiter = Waiter(PollPolicy(outage_grace=60), START, START + 900, lambda: 0.5)
    assert isinstance(waiter.after(START + 10, START + 40, UNREACHABLE), PollAgain)
    verdict = waiter.after(START + 42, START + 72, UNREACHABLE)
    assert isinstance(verdict, Settled)
    assert verdict.outcome == "error"


def test_a_pause_that_the_server_asks_for_is_kept_beyond_the_grace_and_then_decides() -> None:
    watch = Watch(PollPolicy(outage_grace=60))
    assert watch.see(RateLimited("busy", 100.0)) == PollAgain(START + 0.5 + 100)
    assert watch.see(UNREACHABLE).outcome == "error"


@thorough(300)
@given(
    policy=policies,
    grace=st.floats(0, 300),
    gaps=st.lists(st.tuples(st.booleans(), st.floats(0, 30)), min_size=1, max_size=60),
    rng=seeds,
)
def test_a_wait_ends_by_an_outage_exactly_when_it_has_lasted_for_its_grace(
    policy: PollPolicy, grace: float, gaps: list[tuple[bool, float]], rng: random.Random
) -> None:
    policy = dataclasses.replace(policy, outage_grace=grace)
    waiter = Waiter(policy, START, START + 1e6, rng.random)
    at, since = waiter.first(), None
    for good, took in gaps:
        now = at + took
        since = None if good else at if since is None else since
        verdict = waiter.after(at, now, RUNNING if good else UNREACHABLE)
        lasted = since is not None and now >= since + grace
        assert isinstance(verdict, Settled) == lasted
        if isinstance(verdict, Settled):
            assert (verdict.outcome, verdict.error) == ("error", UNREACHABLE)
            return
        # the look that may decide is not put off beyond the end of the grace
        assert verdict.at >= now
        assert since is None or verdict.at <= max(since + grace, now)
        at = verdict.at


@pytest.mark.parametrize(
    "error",
    [
        SyncError("connection_failed", "x"),
        SyncError("bad_response", "x"),
        SyncError("server_error", "x", http_status=500),
        SyncError("server_error", "x", http_status=502),
        SyncError("server_error", "x", http_status=503),
        SyncError("server_error", "x", http_status=504),
        RateLimited("x", None),
    ],
)
def test_a_passing_error_is_tolerated(error: SyncError) -> None:
    assert isinstance(Watch().see(error), PollAgain)


LASTING = ["auth_failed", "permission_denied", "not_found", "tls_failed", "redirect_refused", "internal_error"]


@pytest.mark.parametrize("code", LASTING)
def test_a_lasting_error_ends_the_wait_at_once(code: str) -> None:
    settled = Watch().see(SyncError(code, "x"))
    assert (settled.outcome, settled.error.code) == ("error", code)


def test_a_server_error_that_does_not_pass_ends_the_wait_at_once() -> None:
    assert Watch().see(SyncError("server_error", "x", http_status=501)).outcome == "error"


def test_the_pause_that_the_server_asks_for_is_kept() -> None:
    assert Watch().see(RateLimited("busy", 60.0)) == PollAgain(START + 0.5 + 60)


def test_a_pause_asked_for_along_with_a_reading_is_kept() -> None:
    assert Watch().see(Reading("running", retry_after=17.0)) == PollAgain(START + 0.5 + 17)


def test_a_pause_of_nothing_does_not_make_us_hammer_the_server() -> None:
    watch = Watch()
    for _look in range(20):
        before = watch.at
        assert watch.see(Reading("running", retry_after=0.0)).at - before >= 0.5


def test_a_pause_beyond_the_deadline_ends_the_wait_as_rate_limited() -> None:
    settled = Watch(deadline=30).see(RateLimited("busy", 60.0))
    assert (settled.outcome, settled.error.code) == ("error", "rate_limited")


def test_a_pause_along_with_a_reading_is_cut_at_the_deadline() -> None:
    assert Watch(deadline=30).see(Reading("running", retry_after=60.0)) == PollAgain(START + 30)


def test_five_unknown_states_in_a_row_end_the_wait_and_all_seen_are_listed() -> None:
    settled = Watch().see(RUNNING, *(Reading("unknown", f"Odd{number}") for number in range(5)))
    assert settled.outcome == "unexpected"
    assert settled.seen == ("Running", "Odd0", "Odd1", "Odd2", "Odd3", "Odd4")


def test_an_unknown_state_that_passes_is_forgotten() -> None:
    odd = [Reading("unknown", "Odd")] * 4
    assert isinstance(Watch().see(*odd, RUNNING, *odd), PollAgain)


def test_a_run_that_never_shows_up_is_lost_after_the_grace() -> None:
    watch = Watch(PollPolicy(absent_grace=30))
    assert isinstance(watch.see_until(ABSENT, 30), PollAgain)
    assert watch.see_until(ABSENT, 60).outcome == "lost"


def test_progress_restarts_the_grace() -> None:
    watch = Watch(PollPolicy(absent_grace=30))
    watch.see_until(ABSENT, 25)
    watch.see(Reading("absent", progress="pushed"))
    assert isinstance(watch.see_until(Reading("absent", progress="pushed"), 50), PollAgain)
    assert watch.see_until(Reading("absent", progress="pushed"), 90).outcome == "lost"


def test_pending_has_no_grace_but_the_deadline() -> None:
    assert Watch(PollPolicy(absent_grace=1), deadline=600).see_until(Reading("pending"), 601).outcome == "timed_out"


def test_a_failure_counts_at_once_where_no_confirmation_is_asked_for() -> None:
    assert Watch().see(RUNNING, FAILED).outcome == "failed"


CONFIRMED = PollPolicy(failed_reads=3, failed_for=2.0)


def test_a_failure_has_to_be_read_three_times() -> None:
    watch = Watch(CONFIRMED)
    watch.at = START + 100  # where the interval is 5 s, so that the time has passed with the second
    assert isinstance(watch.see(FAILED, FAILED), PollAgain)
    assert watch.see(FAILED).outcome == "failed"


def test_a_failure_has_to_stand_for_two_seconds() -> None:
    watch = Watch(CONFIRMED)
    assert isinstance(watch.see(FAILED, FAILED, FAILED, FAILED), PollAgain)
    assert watch.at == START + 2.5
    assert watch.see(FAILED).outcome == "failed"


def test_a_failure_that_passes_does_not_count() -> None:
    watch = Watch(CONFIRMED)
    assert isinstance(watch.see(*[FAILED] * 4, RUNNING, *[FAILED] * 2), PollAgain)
    assert watch.see(DONE).outcome == "succeeded"


def test_a_time_out_keeps_what_was_seen_last() -> None:
    watch = Watch(deadline=2)
    settled = watch.see_until(RUNNING, 3)
    assert (settled.outcome, settled.reading, settled.error) == ("timed_out", RUNNING, None)


def test_a_time_out_keeps_the_last_error_where_nothing_was_seen() -> None:
    watch = Watch(deadline=0.5)
    settled = watch.see(UNREACHABLE)
    assert (settled.outcome, settled.reading, settled.error) == ("timed_out", None, UNREACHABLE)
