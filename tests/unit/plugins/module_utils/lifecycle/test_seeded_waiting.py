# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting with an estimate: looks come near the estimated end, and the promised latency holds whatever a run does."""

from __future__ import annotations

import math
import random
import statistics
import typing as t

import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.durations import ENOUGH, REMEMBERED, Durations
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.poll import AIM, PollPolicy
from tests.properties import thorough
from tests.unit.plugins.module_utils.lifecycle.test_poll import ROUNDING, durations, longest_gap, policies, seeds
from tests.unit.plugins.support.lab import Lab, column

estimates = st.floats(0.01, 3600)


def looks(policy: PollPolicy, duration: float, estimate: float | None, rng: random.Random) -> list[float]:
    """The moments of the looks at a run, up to the one that sees its end."""
    at = policy.delay(0.0, rng.random(), estimate)
    moments = [at]
    while at < duration:
        at += policy.delay(at, rng.random(), estimate)
        moments.append(at)
    return moments


@thorough(400)
@given(policy=st.one_of(st.just(PollPolicy()), policies), duration=durations, estimate=estimates, rng=seeds)
def test_the_promise_holds_whatever_is_estimated(
    policy: PollPolicy, duration: float, estimate: float, rng: random.Random
) -> None:
    assert looks(policy, duration, estimate, rng)[-1] - duration <= longest_gap(policy, duration) + ROUNDING


@thorough(300)
@given(policy=st.one_of(st.just(PollPolicy()), policies), elapsed=st.floats(0, 3600), estimate=estimates, rng=seeds)
def test_no_pause_is_shorter_than_permitted(policy: PollPolicy, elapsed: float, estimate: float, rng: random.Random) -> None:
    assert policy.delay(elapsed, rng.random(), estimate) >= 0.9 * policy.min_interval - ROUNDING


def test_a_look_comes_right_after_the_estimated_end() -> None:
    """From five times the least delay on, the jitter is nearly always enough to place it."""
    rng = random.Random(3)
    tried = [log_uniform(rng, 2.5, 600) for _number in range(500)]
    late = [looks(PollPolicy(), AIM * estimate - ROUNDING, estimate, rng)[-1] / (AIM * estimate) - 1 for estimate in tried]
    assert sum(1 for each in late if each < 1e-6) >= 0.95 * len(tried)


def log_uniform(rng: random.Random, least: float, most: float) -> float:
    return math.exp(rng.uniform(math.log(least), math.log(most)))


class Outcome(t.NamedTuple):
    latency: float
    relative: float
    looks: float


def simulate(duration: t.Callable[[random.Random], float], deviation: float | None, policy: PollPolicy | None = None) -> Outcome:
    """Means over many runs.

    :param deviation: of the estimates, as a part of the duration; ``None`` for no estimates.
    """
    rng = random.Random(7)
    latencies, relatives, numbers = [], [], []
    for _number in range(1500):
        lasts = duration(rng)
        estimate = None if deviation is None else lasts * max(0.1, rng.gauss(1, deviation))
        seen = looks(policy or PollPolicy(), lasts, estimate, rng)
        latencies.append(seen[-1] - lasts)
        relatives.append(latencies[-1] / lasts)
        numbers.append(len(seen))
    return Outcome(statistics.mean(latencies), statistics.mean(relatives), statistics.mean(numbers))


@pytest.mark.parametrize("deviation", [None, 0.0, 0.05, 0.25])
def test_the_end_of_runs_of_a_second_is_noticed_within_three_tenths(deviation: float | None) -> None:
    assert simulate(lambda rng: 1.0, deviation).latency <= 0.3


def test_what_an_estimate_can_do_and_what_it_cannot() -> None:
    """The figures in the documentation of the policy, for durations from 0.3 to 600 s."""

    def mixed(rng: random.Random) -> float:
        return log_uniform(rng, 0.3, 600)

    without, good, fair = (simulate(mixed, deviation) for deviation in (None, 0.05, 0.25))
    assert without.latency == pytest.approx(1.4, abs=0.15)
    assert good.latency <= 0.75 * without.latency
    assert fair.latency <= 0.9 * without.latency
    assert max(without.relative, good.relative, fair.relative) <= 0.15
    assert fair.looks <= without.looks * 1.1
    # a goal of eight looks is out of reach within the promise, whatever the greatest delay
    assert simulate(mixed, 0.25, PollPolicy(max_interval=1e9)).looks > 12


def test_the_median_of_the_last_runs_is_the_estimate() -> None:
    seen = Durations()
    for number in range(ENOUGH - 1):
        seen.note(1, 2)
        assert seen.estimate() is None, number
    seen.note(1, 2)
    assert seen.estimate() == 1.5
    for _number in range(REMEMBERED):
        seen.note(9, 11)
    assert seen.estimate() == 10


def test_later_runs_of_a_task_are_looked_at_when_they_are_expected_to_end(lab: Lab) -> None:
    names = [str(number) for number in range(100, 112)]
    lab.service.mirrors.update({name: type(lab.service.mirrors["7"])(name, name) for name in names})
    lab.service.duration = 10.0
    result = lab.run(mirrors=names)
    assert column(result, "state") == ["succeeded"] * 12
    elapsed = column(result, "elapsed")
    assert statistics.mean(elapsed[6:]) < statistics.mean(elapsed[:ENOUGH]) + 0.5
    assert all(each <= 10 + 1.1 * 2 + 0.01 for each in elapsed)


def test_the_ledger_has_the_first_estimate(lab: Lab) -> None:
    lab.service.duration = 100.0
    lab.run()
    lab.clock.sleep(60)
    (elapsed,) = column(lab.run(), "elapsed")
    assert elapsed - 100 <= 5.5
