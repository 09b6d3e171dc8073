# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When to look at which probe, and when it has passed or failed."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._probe.schedule import Attempt, Over, Schedule, ScheduleRules
from tests.properties import thorough

from .models import START, Model, ModelExecutor, Taken, Time

#: for sums of floats
ROUNDING = 1e-6
ALWAYS = float("inf")


class Run:
    """A schedule that has been followed to its end."""

    def __init__(self, models: t.Sequence[Model], **rules: t.Any) -> None:
        time = Time()
        #: number of looks that had ended when all had passed
        self.attempts_to_green: int | None = None
        self.rules = ScheduleRules(**rules)
        self.schedule = Schedule(len(models), self.rules, START)
        self.executor = ModelExecutor(models, time)
        for dummy in range(100_000):
            step = self.schedule.next(time.moment)
            if isinstance(step, Over):
                break
            if isinstance(step, Attempt):
                self.executor.start(step.probe)
                continue
            for probe, result in self.executor.wait(step.until):
                self.schedule.ended(probe, result.ended, not result.problems)
                if self.schedule.green_at is not None and self.attempts_to_green is None:
                    self.attempts_to_green = len(self.executor.log)
        else:
            raise AssertionError("it never ends")
        self.elapsed = time.moment - START
        green = self.schedule.green_at
        self.green_at = None if green is None else green - START

    def began(self, probe: int = 0) -> list[float]:
        return [pytest.approx(taken.began) for taken in self.executor.of(probe)]

    @property
    def passed(self) -> list[bool]:
        return [track.passed for track in self.schedule.tracks]


def test_a_healthy_probe_needs_no_more_attempts_than_asked_for() -> None:
    assert Run([Model()]).began() == [0]
    assert Run([Model(0.5)], successes=3, interval=2).began() == [0, 2.5, 5]


def test_a_failure_begins_the_count_of_successes_again() -> None:
    run = Run([Model(broken=((1.5, 2.5),))], successes=3)
    assert (run.began(), run.passed) == ([0, 1, 2, 3, 4, 5], [True])


def test_a_last_attempt_is_made_at_the_deadline() -> None:
    run = Run([Model(broken=((0, ALWAYS),))], timeout=2.5)
    assert (run.began(), run.passed) == ([0, 1, 2, 2.5], [False])


def test_no_attempt_follows_one_that_ends_after_the_deadline() -> None:
    assert Run([Model(4, ((0, ALWAYS),))], timeout=3).began() == [0]


@pytest.mark.parametrize("successes", [1, 5])
def test_without_time_a_single_attempt_decides(successes: int) -> None:
    run = Run([Model(0.1), Model(0.1, ((0, ALWAYS),))], timeout=0, successes=successes)
    assert (run.began(0), run.began(1), run.passed) == ([0], [0], [True, False])


def test_a_probe_that_hangs_does_not_hold_up_the_others() -> None:
    run = Run([Model(10, ((0, ALWAYS),)), Model(0.1)], timeout=12, successes=3)
    assert (run.began(1), run.passed) == ([0, 1.1, 2.2], [False, True])


def test_each_probe_gets_its_attempt_even_if_others_use_up_the_time() -> None:
    run = Run([Model(10, ((0, ALWAYS),))] * 3 + [Model(0.1)], timeout=5, max_parallel=1)
    assert (run.passed, [len(run.began(probe)) for probe in range(4)]) == ([False] * 3 + [True], [1] * 4)


def test_a_soak_goes_on_until_its_end_and_at_it() -> None:
    run = Run([Model(), Model(broken=((0, 3.5),))], soak=2.5)
    assert (run.began(0), run.began(1)) == ([0, 4, 5, 6, 6.5], [0, 1, 2, 3, 4, 5, 6, 6.5])
    assert (run.passed, run.green_at) == ([True, True], 4)


def test_a_soak_shorter_than_the_interval_has_an_attempt_too() -> None:
    assert Run([Model()], soak=2, interval=30).began() == [0, 2]


def test_a_single_failure_during_the_soak_does_not_count() -> None:
    run = Run([Model(broken=((2.5, 3.5),))], soak=5)
    assert (run.began(), run.passed) == ([0, 1, 2, 3, 4, 5], [True])


def test_a_failure_at_the_end_of_the_soak_is_examined_after_it() -> None:
    assert Run([Model(broken=((4.5, 5.5),))], soak=5).began() == [0, 1, 2, 3, 4, 5, 6]
    assert Run([Model(broken=((4.5, ALWAYS),))], soak=5).passed == [False]


def test_a_confirmed_failure_ends_the_soak_for_all() -> None:
    run = Run([Model(), Model(broken=((1.5, ALWAYS),))], soak=100)
    assert (run.passed, run.elapsed) == ([True, False], pytest.approx(3))
    assert run.schedule.broken


def test_a_probe_that_never_passes_keeps_the_soak_from_beginning() -> None:
    run = Run([Model(), Model(broken=((0, ALWAYS),))], soak=100, timeout=3)
    assert (run.began(0), run.passed, run.green_at) == ([0], [True, False], None)


SECONDS = st.integers(0, 60).map(lambda number: number / 4)
BROKEN = st.lists(st.tuples(SECONDS, SECONDS).map(lambda pair: (min(pair), max(pair))), max_size=4).map(tuple)
MODELS = st.lists(st.builds(Model, SECONDS.map(lambda number: number / 4), BROKEN), min_size=1, max_size=5)
RULES = st.fixed_dictionaries(
    {
        "successes": st.integers(1, 4),
        "interval": st.sampled_from([0.25, 0.7, 1.0, 3.0]),
        "timeout": SECONDS,
        "soak": st.one_of(st.just(0.0), SECONDS),
        "max_parallel": st.integers(1, 6),
    }
)


def proven(run: Run, probe: int) -> list[Taken]:
    """The looks until all had passed."""
    return [taken for taken in run.executor.log[: run.attempts_to_green] if taken.probe == probe]


def soaked(run: Run, probe: int) -> list[Taken]:
    return run.executor.of(probe)[len(proven(run, probe)) :]


def ends_with(looks: t.Sequence[Taken], count: int, ok: bool) -> bool:
    return len(looks) >= count and all(taken.ok is ok for taken in looks[-count:])


@thorough(300)
@given(MODELS, RULES)
def test_properties_of_any_run(models: list[Model], rules: dict[str, t.Any]) -> None:
    run = Run(models, **rules)
    assert run.executor.most <= run.rules.max_parallel
    assert run.executor.flying == []
    for probe, track in enumerate(run.schedule.tracks):
        looks = run.executor.of(probe)
        assert track.attempts == len(looks) >= 1
        assert_pace(run, looks)
        assert_proven(run, probe)
        if run.green_at is not None and run.rules.soak > 0:
            assert_soaked(run, probe)
        else:
            assert soaked(run, probe) == []
    assert run.schedule.ok == (run.green_at is not None and not run.schedule.broken)


def assert_pace(run: Run, looks: t.Sequence[Taken]) -> None:
    """The interval is kept, but for the looks at the deadline and at the end of the soak."""
    ends = {run.rules.timeout, *(() if run.green_at is None else (run.green_at + run.rules.soak,))}
    for before, after in zip(looks, looks[1:], strict=False):
        early = after.began < before.ended + run.rules.interval - ROUNDING
        assert not early or any(after.began >= end - ROUNDING for end in ends)


def assert_proven(run: Run, probe: int) -> None:
    """It passes with enough successes in a row and no more, and gives up after one look past the deadline."""
    looks = proven(run, probe)
    enough = ends_with(looks, run.rules.needed, True)
    assert not any(ends_with(looks[:number], run.rules.needed, True) for number in range(len(looks)))
    late = [taken for taken in looks if taken.ended >= run.rules.timeout]
    assert len(late) <= 1
    if not enough:
        assert len(late) == 1
        assert not run.schedule.tracks[probe].passed
    elif run.green_at is None:
        assert run.schedule.tracks[probe].passed


def assert_soaked(run: Run, probe: int) -> None:
    """Two failures in a row fail it and end the soak; otherwise it is looked at until the end, successfully."""
    looks, track = soaked(run, probe), run.schedule.tracks[probe]
    assert track.passed != ends_with(looks, 2, False)
    assert not any(ends_with(looks[:number], 2, False) for number in range(len(looks)))
    if not run.schedule.broken:
        assert run.green_at is not None
        assert looks[-1].ok
        assert looks[-1].ended >= run.green_at + run.rules.soak - ROUNDING
