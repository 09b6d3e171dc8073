# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task that is interrupted: nothing more is triggered, and what is known is reported."""

from __future__ import annotations

import os
import signal
import threading
import time
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import Stopped, SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Observation, Run, Target
from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import Interrupted
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import ALL, FIELDS, Lab, code, column, only
from tests.unit.plugins.support.mirrors import Mirrors
from tests.unit.plugins.support.processes import Process
from tests.unit.plugins.support.sync_users import sync_until_stopped, sync_until_stopped_and_stay
from tests.unit.plugins.support.web import Reply


class TestInterruption:
    @pytest.mark.parametrize("kind", [Interrupted, Stopped, KeyboardInterrupt])
    def test_while_waiting_it_keeps_the_handle(self, lab: Lab, kind: type[BaseException]) -> None:
        def stop() -> t.NoReturn:
            raise kind

        lab.clock.at(5, stop)
        result = lab.run(report_path=str(lab.report_path), release="1.2")
        record = only(result)
        assert (result["failed"], code(result)) == (True, "outcome_unknown")
        assert (record["action"], record["state"]) == ("triggered", "running")
        assert (record["handle"]["run"], record["changed"], result["changed"]) == (1, True, True)
        assert "goes on at the server" in record["failure"]["message"]
        assert lab.report["syncs"] == result["syncs"]
        assert set(record) == FIELDS

    def test_anything_else_that_ends_it_is_passed_on_and_not_without_a_report(self, lab: Lab) -> None:
        class TaskTimeoutError(BaseException):
            """As ansible-core has it."""

        def stop() -> t.NoReturn:
            raise TaskTimeoutError

        lab.clock.at(5, stop)
        with pytest.raises(TaskTimeoutError):
            lab.run(report_path=str(lab.report_path))
        assert (lab.report["failed"], code(lab.report)) == (True, "outcome_unknown")
        assert lab.report["syncs"][0]["handle"]["run"] == 1

    def test_what_was_interrupted_is_joined_by_the_next_run(self, lab: Lab) -> None:
        class Stopping(Fifth):
            def watch(self, handle: t.Mapping[str, t.Any], wake: t.Callable[[], None]) -> None:
                raise Interrupted

        lab.run(Stopping, release="1.2")
        record = only(lab.run(release="1.2"))
        assert (record["action"], record["state"], lab.posts) == ("joined", "succeeded", 1)

    def test_while_the_trigger_is_on_its_way_the_outcome_is_unknown(self, lab: Lab) -> None:
        class Stopping(Fifth):
            def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
                super().trigger(target, observation, channel)
                raise Interrupted

        record = only(lab.run(Stopping))
        assert (record["action"], record["state"], record["changed"]) == ("triggered", "unknown", True)
        assert record["failure"]["code"] == "outcome_unknown"
        assert "whether it arrived is not known" in record["failure"]["message"]

    def test_in_the_pause_after_a_refusal_nothing_was_triggered(self, lab: Lab) -> None:
        def stop() -> t.NoReturn:
            raise Interrupted

        lab.service.fates = [Reply(429, headers={"Retry-After": "60"})]
        lab.clock.at(5, stop)
        record = only(lab.run())
        assert (record["action"], record["state"], record["changed"]) == ("refused", "not_started", False)

    def test_before_the_trigger_nothing_was_triggered(self, lab: Lab) -> None:
        class Stopping(Fifth):
            def still_valid(self, target: Target, observation: Observation, channel: Channel) -> bool:
                raise Interrupted

        record = only(lab.run(Stopping))
        assert (record["action"], record["state"], record["changed"], lab.posts) == ("refused", "not_started", False, 0)
        assert "nothing was triggered" in record["failure"]["message"]

    def test_targets_that_are_done_stay_as_they_are(self, lab: Lab) -> None:
        class Stopping(Fifth):
            def observe(self, target: Target, channel: Channel) -> Observation:
                if target.name == "nine":
                    raise Interrupted
                return super().observe(target, channel)

        lab.service.mirrors["8"].in_sync = True
        for options in ({}, {"check": True}, {"wait": False}):
            whole = lab.run(mirrors=["seven", "eight"], **options)  # type: ignore[arg-type]
            lab.clock.sleep(60)
            result = lab.run(Stopping, mirrors=ALL, **options)
            assert column(result, "state")[:2] == column(whole, "state")
            assert column(result, "failure")[:2] == [None, None]
            assert result["syncs"][2]["failure"]["code"] == "outcome_unknown"
            lab.clock.sleep(60)

    def test_what_had_not_begun_never_begins(self, lab: Lab) -> None:
        class Stopping(Fifth):
            def observe(self, target: Target, channel: Channel) -> Observation:
                raise Interrupted

        result = lab.run(Stopping, mirrors=ALL)
        assert (column(result, "state"), lab.posts) == (["not_started"] * 3, 0)
        assert {failure["code"] for failure in column(result, "failure")} == {"outcome_unknown"}
        assert "the task was interrupted" in result["msg"]

    @pytest.mark.parametrize("max_parallel", [1, 8])
    def test_while_targets_are_looked_up(self, lab: Lab, max_parallel: int) -> None:
        class Stopping(Fifth):
            def resolve(self, name: str, channel: Channel) -> Target:
                raise Interrupted

        result = lab.run(Stopping, mirrors=ALL, max_parallel=max_parallel, report_path=str(lab.report_path))
        assert (column(result, "target"), lab.posts) == (ALL, 0)
        assert lab.report["failed"] is True

    def test_a_signal_ends_a_task_with_many_targets_at_once_and_its_report_is_whole(self, lab: Lab, serve: Serve) -> None:
        service = Mirrors(SystemClock())
        service.duration = 3600
        polled = threading.Semaphore(0)
        service.before = {f"GET /runs/{number}": polled.release for number in (1, 2, 3)}
        options = lab.options(api_url=serve(service.respond).url, mirrors=ALL, max_parallel=8, report_path=str(lab.report_path))
        process = Process(sync_until_stopped, options)
        for _run in service.before.copy():
            assert polled.acquire(timeout=20)
        os.kill(process.pid, signal.SIGTERM)
        assert [process.line() for _target in ALL] == [f"{name} triggered running outcome_unknown" for name in ALL]
        assert process.end() == 0
        assert column(lab.report, "target") == ALL
        assert all(set(record) == FIELDS and record["handle"] for record in lab.report["syncs"])

    def test_nothing_is_triggered_once_the_report_says_so(self, lab: Lab, serve: Serve) -> None:
        service = Mirrors(SystemClock())
        asked, answered = threading.Semaphore(0), threading.Event()

        def hang() -> None:
            asked.release()
            answered.wait(20)

        service.before = {f"GET /mirrors/{number}": hang for number in service.mirrors}
        web = serve(service.respond)
        options = lab.options(api_url=web.url, mirrors=ALL, max_parallel=8, report_path=str(lab.report_path))
        process = Process(sync_until_stopped_and_stay, options)
        for _target in ALL:
            assert asked.acquire(timeout=20)
        os.kill(process.pid, signal.SIGTERM)
        assert [process.line() for _target in ALL] == [f"{name} refused not_started outcome_unknown" for name in ALL]
        assert process.line() == "reported"
        answered.set()
        time.sleep(0.5)
        process.go_on()
        assert process.end() == 0
        assert all(request.method == "GET" for request in web.log)
        assert lab.ledger.open_entry(lab.key) is None
