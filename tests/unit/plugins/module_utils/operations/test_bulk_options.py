# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options about many targets in one task: how many at once, how fast, and when to stop."""

from __future__ import annotations

import datetime as dt
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Capabilities, Target
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import ALL, FIELDS, Lab, column
from tests.unit.plugins.support.web import Reply


class Queueing(Fifth):
    """Takes any number of runs at once."""

    capabilities = Capabilities(run_id=True, queues_runs=True)


def most_at_once(lab: Lab) -> int:
    """How many runs were in flight at the same time."""
    runs = lab.service.runs
    return max(sum(1 for other in runs if other.start <= run.start < other.start + other.duration) for run in runs)


class TestMaxRunning:
    @pytest.mark.parametrize(
        ("provider", "max_running", "most"), [(Fifth, 3, 3), (Queueing, 2, 2), (Queueing, None, 3), (Fifth, None, 1)]
    )
    def test_so_many_runs_are_in_flight(self, lab: Lab, provider: type[Fifth], max_running: int | None, most: int) -> None:
        result = lab.run(provider, mirrors=ALL, max_running=max_running)
        assert (column(result, "state"), most_at_once(lab)) == (["succeeded"] * 3, most)

    def test_what_waits_for_its_turn_loses_no_time(self, lab: Lab) -> None:
        lab.service.duration = 40
        result = lab.run(Queueing, mirrors=ALL, max_running=1, wait_timeout=60)
        assert (column(result, "state"), lab.clock.elapsed > 120) == (["succeeded"] * 3, True)


class TestFailures:
    @pytest.mark.parametrize(("options", "rule"), [({"fail_fast": True}, "fail_fast"), ({"max_failures": 1}, "max_failures")])
    def test_nothing_is_started_after_the_first_one(self, lab: Lab, options: dict[str, t.Any], rule: str) -> None:
        lab.service.mirrors["7"].full = True
        result = lab.run(mirrors=ALL, report_path=str(lab.report_path), **options)
        assert (column(result, "action"), column(result, "state"), lab.posts) == (["refused"] * 3, ["not_started"] * 3, 0)
        first, second, third = column(result, "failure")
        assert (first["code"], second["code"], third["code"]) == ("disk_full", "guard_refused", "guard_refused")
        assert second["guards"] == [{"rule": rule, "message": "not started: a target has failed"}]
        assert set(result["syncs"][2]) == FIELDS
        assert result["syncs"][2]["requests"] == 0
        assert lab.report["syncs"] == result["syncs"]

    def test_a_number_of_them_is_tolerated(self, lab: Lab) -> None:
        for number in ("7", "8"):
            lab.service.mirrors[number].full = True
        result = lab.run(mirrors=ALL, max_failures=3)
        assert column(result, "state") == ["not_started", "not_started", "succeeded"]
        assert (result["summary"]["failed"], lab.posts) == (2, 1)

    def test_runs_in_flight_are_followed_to_their_ends(self, lab: Lab) -> None:
        lab.service.mirrors["8"].full = True
        result = lab.run(Queueing, mirrors=ALL, fail_fast=True)
        assert column(result, "state") == ["succeeded", "not_started", "not_started"]
        assert (column(result, "changed"), lab.posts) == ([True, False, False], 1)

    def test_what_is_about_to_be_triggered_is_not(self, lab: Lab) -> None:
        """Of two that are under way at once, one fails while the other one is planned."""

        class Late(Queueing):
            def still_valid(self, target: Target, observation: t.Any, channel: Channel) -> bool:
                if target.id == "7":
                    lab.service.mirrors["8"].full = True
                    batches[0]._failures.note()
                return super().still_valid(target, observation, channel)

            def __init__(self, options: t.Any, services: t.Any) -> None:
                super().__init__(options, services)
                batches.append(services.watcher)

        batches: list[t.Any] = []
        result = lab.run(Late, fail_fast=True)
        assert (column(result, "failure")[0]["code"], lab.posts) == ("guard_refused", 0)
        assert lab.open_entry() is None

    def test_a_tolerated_time_out_is_no_failure(self, lab: Lab) -> None:
        lab.service.duration = 100
        result = lab.run(mirrors=ALL, wait_timeout=20, on_timeout="warn", fail_fast=True)
        assert column(result, "action") == ["triggered"] * 3

    def test_a_run_that_fails_counts(self, lab: Lab) -> None:
        lab.service.ending = "broken"
        result = lab.run(mirrors=ALL, fail_fast=True)
        assert (column(result, "state"), lab.posts) == (["failed", "not_started", "not_started"], 1)

    def test_check_mode_stops_as_well(self, lab: Lab) -> None:
        lab.service.mirrors["7"].full = True
        result = lab.run(check=True, mirrors=ALL, fail_fast=True)
        assert column(result, "action") == ["refused"] * 3


class TestRate:
    def test_requests_are_spread(self, lab: Lab) -> None:
        moments: list[float] = []
        respond = lab.service.respond

        def noting(request: t.Any) -> Reply:
            moments.append(lab.clock.monotonic())
            return respond(request)

        lab.web.responder = noting
        result = lab.run(mirrors=ALL, rate_limit=2)
        assert column(result, "state") == ["succeeded"] * 3
        assert len(moments) == len(lab.web.log) > 10
        assert all(later - earlier >= 0.5 - 1e-6 for earlier, later in zip(moments, moments[1:]))

    def test_a_rate_that_leaves_no_time_is_a_time_out(self, lab: Lab) -> None:
        result = lab.run(rate_limit=0.1, wait_timeout=15)
        assert column(result, "failure")[0]["code"] == "timed_out"
        assert len(lab.web.log) == 2


class TestOrder:
    def test_what_was_synced_longest_ago_comes_first_and_results_are_in_input_order(self, lab: Lab) -> None:
        order: list[str] = []

        class Known(Fifth):
            def synced_at(self, name: str) -> dt.datetime | None:
                known = {"seven": 30, "eight": 10}
                return lab.clock.now() + dt.timedelta(minutes=known[name]) if name in known else None

            def resolve(self, name: str, channel: Channel) -> Target:
                order.append(name)
                return super().resolve(name, channel)

        result = lab.run(Known, mirrors=ALL)
        assert order == ["nine", "eight", "seven"]
        assert column(result, "target") == ALL

    def test_without_any_knowledge_it_is_that_of_the_input(self, lab: Lab) -> None:
        lab.run(mirrors=["nine", "seven", "eight"])
        assert [run.mirror for run in lab.service.runs] == ["9", "7", "8"]


@pytest.mark.parametrize(
    ("option", "value"),
    [("max_running", 0), ("max_failures", 0), ("rate_limit", 0), ("rate_limit", -1), ("rate_limit", float("nan"))],
)
def test_a_value_that_cannot_work_is_refused(lab: Lab, option: str, value: float) -> None:
    result = lab.run(**{option: value})
    assert result["failure"]["code"] == "invalid_option"
    assert option in result["msg"]
    assert lab.web.log == []
