# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many lifecycles at once: waiting takes no slot, and what waits together is looked at together."""

from __future__ import annotations

import threading
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.stop import Interrupted, Stopped, StopSignal
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel, RequestCount
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.poll import Reading
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Capabilities, Target
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.steps import Admission, Pause, Steps
from ansible_collections.lockstep.sync.plugins.module_utils._operations.admission import FixedLimit
from ansible_collections.lockstep.sync.plugins.module_utils._operations.scheduling import Scheduler, Workers
from tests.unit.plugins.support.fifth import RUN, STATES, Fifth, read
from tests.unit.plugins.support.lab import ALL, Lab, column
from tests.unit.plugins.support.web import Reply


class Queueing(Fifth):
    """Takes any number of runs at once."""

    capabilities = Capabilities(run_id=True, queues_runs=True)


class Listing(Queueing):
    """Its runs can be read many at a time."""

    joint: t.ClassVar[list[int]] = []

    def read_many(self, handles: t.Sequence[t.Mapping[str, t.Any]], channel: Channel) -> list[Reading | None]:
        self.joint.append(len(handles))
        rows = {row["id"]: row for row in read(channel.observe("/runs")).rows_at(**RUN)}
        found = [rows.get(handle["run"]) for handle in handles]
        return [Reading(STATES[row["state"]], row["state"]) if row is not None else None for row in found]


@pytest.fixture(autouse=True)
def _no_joint_looks() -> None:
    Listing.joint = []


def many(lab: Lab, number: int) -> list[str]:
    """So many mirrors."""
    names = [str(each) for each in range(100, 100 + number)]
    lab.service.mirrors.update({name: type(lab.service.mirrors["7"])(name, name) for name in names})
    return names


class TestWaiting:
    def test_it_takes_no_slot(self, lab: Lab) -> None:
        lab.service.duration = 40
        result = lab.run(Queueing, mirrors=many(lab, 8), max_parallel=1)
        assert column(result, "state") == ["succeeded"] * 8
        assert lab.clock.elapsed <= 40 + 6

    def test_the_deadline_of_each_holds(self, lab: Lab) -> None:
        lab.service.duration = 400
        result = lab.run(Queueing, mirrors=many(lab, 8), max_parallel=1, wait_timeout=60)
        assert column(result, "timed_out") == [True] * 8
        assert lab.clock.elapsed == pytest.approx(60, abs=0.1)

    def test_a_server_that_does_not_queue_runs_gets_no_more_than_max_parallel(self, lab: Lab) -> None:
        at_once: list[int] = []

        class Counting(Fifth):
            def resolve(self, name: str, channel: Channel) -> Target:
                at_once.append(sum(1 for run in lab.service.runs if run.start + run.duration > lab.clock.monotonic()))
                return super().resolve(name, channel)

        result = lab.run(Counting, mirrors=many(lab, 6), max_parallel=2)
        assert column(result, "state") == ["succeeded"] * 6
        assert max(at_once) == 1
        assert lab.clock.elapsed >= 30

    def test_a_hint_ends_a_pause(self, lab: Lab) -> None:
        class Noticing(Fifth):
            def watch(self, handle: t.Mapping[str, t.Any], wake: t.Callable[[], None]) -> None:
                wake()
                wake()

        lab.service.duration = 0
        result = lab.run(Noticing, poll_min_interval=5)
        assert (column(result, "polls"), lab.clock.elapsed) == ([1], 0)


class TestJointLooks:
    def test_many_runs_are_read_at_once(self, lab: Lab) -> None:
        result = lab.run(Listing, mirrors=many(lab, 30), max_parallel=4)
        assert column(result, "state") == ["succeeded"] * 30
        lists = lab.web.lines.count("GET /runs")
        assert lists == len(Listing.joint)
        # ten seconds take about a dozen looks
        assert lists <= 20
        assert max(Listing.joint) == 30
        assert not [line for line in lab.web.lines if line.startswith("GET /runs/") and not line.endswith("/files")]
        assert all(polls >= 5 for polls in column(result, "polls"))

    def test_all_requests_are_counted(self, lab: Lab) -> None:
        result = lab.run(Listing, mirrors=many(lab, 10))
        assert result["summary"]["requests"] == len(lab.web.log)
        assert sum(column(result, "requests")) == len(lab.web.log) - lab.web.lines.count("GET /runs")

    def test_what_a_joint_look_does_not_show_is_read_by_itself(self, lab: Lab) -> None:
        class Half(Listing):
            def read_many(self, handles: t.Sequence[t.Mapping[str, t.Any]], channel: Channel) -> list[Reading | None]:
                seen = super().read_many(handles, channel)
                return [reading if handle["run"] % 2 else None for handle, reading in zip(handles, seen)]

        result = lab.run(Half, mirrors=many(lab, 10))
        assert column(result, "state") == ["succeeded"] * 10
        single = {line for line in lab.web.lines if line.startswith("GET /runs/") and not line.endswith("/files")}
        assert single == {f"GET /runs/{number}" for number in (2, 4, 6, 8, 10)}

    def test_an_outage_is_one_for_each_run_and_passes(self, lab: Lab) -> None:
        lab.service.instead["GET /runs"] = [Reply(503)] * 3
        result = lab.run(Listing, mirrors=many(lab, 10))
        assert column(result, "state") == ["succeeded"] * 10
        assert not [line for line in lab.web.lines if line.startswith("GET /runs/") and not line.endswith("/files")]

    @pytest.mark.parametrize("status", [403, 404, 500])
    def test_a_list_that_cannot_be_read_costs_nothing_but_requests(self, lab: Lab, status: int) -> None:
        lab.service.instead["GET /runs"] = [Reply(status)] * 1000
        result = lab.run(Listing, mirrors=many(lab, 5))
        assert column(result, "state") == ["succeeded"] * 5

    def test_a_bug_in_it_costs_nothing_but_requests(self, lab: Lab) -> None:
        class Broken(Listing):
            def read_many(self, handles: t.Sequence[t.Mapping[str, t.Any]], channel: Channel) -> list[Reading | None]:
                raise KeyError("state")

        assert column(lab.run(Broken, mirrors=many(lab, 5)), "state") == ["succeeded"] * 5

    def test_the_last_look_of_one_does_not_cut_that_of_others_short(self, lab: Lab) -> None:
        budgets: list[tuple[int, float]] = []

        class Timed(Listing):
            def read_many(self, handles: t.Sequence[t.Mapping[str, t.Any]], channel: Channel) -> list[Reading | None]:
                budgets.append((len(handles), channel.deadline.remaining()))
                return super().read_many(handles, channel)

            def resolve(self, name: str, channel: Channel) -> Target:
                if name == "100":
                    lab.clock.sleep(30)
                return super().resolve(name, channel)

        lab.service.duration = 1000
        result = lab.run(Timed, mirrors=many(lab, 2), wait_timeout=60)
        assert column(result, "timed_out") == [True, True]
        # at the deadline of the first one, the second one is not looked at with no time left
        assert not [left for number, left in budgets if number == 2 and left <= 1]
        assert (1, 0.0) in [(number, round(left, 3)) for number, left in budgets]


class TestAdmission:
    @pytest.mark.parametrize("max_running", [1, 3])
    def test_so_many_are_under_way_and_no_more(self, max_running: int) -> None:
        lock, now, most, ends = threading.Lock(), [0], [0], []
        clock = SystemClock()
        workers = Workers(4, clock, clock.stop)

        def steps(number: int) -> Steps[None]:
            yield Admission()
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            yield Pause(clock.monotonic() + 0.01, Deadline(clock, 60))
            with lock:
                now[0] -= 1
                ends.append(number)

        Scheduler(workers, RequestCount(), FixedLimit(max_running)).run([steps(number) for number in range(20)])
        assert most == [max_running]
        assert sorted(ends) == list(range(20))
        if max_running == 1:
            assert ends == list(range(20))


class TestStop:
    def test_what_waits_is_ended_in_order_and_what_has_not_begun_never_does(self) -> None:
        clock = SystemClock(StopSignal())
        workers, ended, begun = Workers(2, clock, clock.stop), [], []

        def steps(number: int) -> Steps[None]:
            yield Admission()
            begun.append(number)
            if number == 1:
                clock.stop.request()
            try:
                yield Pause(clock.monotonic() + 3600, Deadline(clock, 7200))
            except Stopped:
                ended.append(number)
                raise

        with pytest.raises(Interrupted):
            Scheduler(workers, RequestCount(), FixedLimit(2)).run([steps(number) for number in range(5)])
        assert sorted(begun) == sorted(ended) == [0, 1]

    def test_a_failure_ends_all(self) -> None:
        clock = SystemClock(StopSignal())
        ended: list[int] = []

        def steps(number: int) -> Steps[None]:
            yield Admission()
            try:
                yield Pause(clock.monotonic() + (0.05 if number == 2 else 3600), Deadline(clock, 7200))
            except Stopped:
                ended.append(number)
                raise
            raise SyncError("busy", "not handled by the lifecycle")

        with pytest.raises(SyncError):
            Scheduler(Workers(2, clock, clock.stop), RequestCount()).run([steps(number) for number in range(4)])
        assert sorted(ended) == [0, 1, 3]

    def test_three_targets_that_wait_are_reported_when_the_task_is_interrupted(self, lab: Lab) -> None:
        def stop() -> t.NoReturn:
            raise Interrupted

        lab.service.duration = 1000
        lab.clock.at(30, stop)
        result = lab.run(Queueing, mirrors=ALL)
        assert column(result, "state") == ["running"] * 3
        assert {failure["code"] for failure in column(result, "failure")} == {"outcome_unknown"}
