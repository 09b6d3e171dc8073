# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many targets in one task: each has a record, a deadline of its own, and its share of the workers."""

from __future__ import annotations

import threading

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Observation, Run, Target
from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import run_sync, sync_spec
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import ALL, FIELDS, Lab, column, only, validated
from tests.unit.plugins.support.watcher import Watcher


class TestManyTargets:
    def test_every_target_has_a_record_in_the_order_of_the_list(self, lab: Lab) -> None:
        result = lab.run(mirrors=["nine", "seventy", "seven", "eight"])
        assert column(result, "target") == ["nine", "seventy", "seven", "eight"]
        assert column(result, "action") == ["triggered", "refused", "triggered", "triggered"]
        assert all(set(record) == FIELDS for record in result["syncs"])

    @pytest.mark.parametrize("max_parallel", [1, 8])
    def test_a_failing_one_does_not_stop_the_others(self, lab: Lab, max_parallel: int) -> None:
        lab.service.mirrors["8"].full = True
        result = lab.run(mirrors=ALL, max_parallel=max_parallel)
        assert column(result, "state") == ["succeeded", "not_started", "succeeded"]
        assert (result["failed"], result["changed"], lab.accepted) == (True, True, 2)
        assert result["msg"].startswith("1 of 3 targets failed. eight: disk_full: the disk is full. Make room.")

    def test_the_summary_counts_them(self, lab: Lab) -> None:
        lab.service.start("8")
        lab.service.mirrors["9"].in_sync = True
        result = lab.run(mirrors=["eight", "seven", "nine", "seventy"])
        summary = result["summary"]
        assert summary["requests"] == sum(column(result, "requests")) == len(lab.web.log)
        del summary["requests"], summary["elapsed"]
        assert summary == {
            "targets": 4,
            "triggered": 1,
            "joined": 1,
            "skipped": 1,
            "refused": 1,
            "succeeded": 2,
            "failed": 1,
            "timed_out": 0,
        }

    @pytest.mark.parametrize("again", ["seven", "7"])
    def test_a_target_that_is_named_twice_is_synced_once(self, lab: Lab, again: str) -> None:
        result = lab.run(mirrors=["seven", "eight", again])
        assert (column(result, "action"), lab.posts) == (["triggered", "triggered", "skipped"], 2)
        assert "earlier" in result["syncs"][2]["reason"]
        assert result["syncs"][2]["changed"] is False

    def test_it_is_the_later_entry_that_is_skipped_also_if_it_was_found_first(self, lab: Lab) -> None:
        second = threading.Event()

        class Slow(Fifth):
            def resolve(self, name: str, channel: Channel) -> Target:
                if name == "seven":
                    assert second.wait(20)
                return super().resolve(name, channel)

            def observe(self, target: Target, channel: Channel) -> Observation:
                second.set()
                return super().observe(target, channel)

        result = lab.run(Slow, mirrors=["seven", "7"], max_parallel=2, wait=False)
        assert (column(result, "action"), lab.posts) == (["triggered", "skipped"], 1)

    def test_no_more_than_max_parallel_are_worked_on_at_once(self, lab: Lab) -> None:
        lock, at_once, most = threading.Lock(), [0], [0]

        class Counting(Fifth):
            def observe(self, target: Target, channel: Channel) -> Observation:
                with lock:
                    at_once[0] += 1
                    most[0] = max(most[0], at_once[0])
                barrier.wait(5)
                with lock:
                    at_once[0] -= 1
                return super().observe(target, channel)

        barrier = threading.Barrier(2)
        lab.service.mirrors.update({str(n): type(lab.service.mirrors["7"])(str(n), str(n)) for n in range(10, 14)})
        lab.run(Counting, mirrors=["10", "11", "12", "13"], max_parallel=2, wait=False)
        assert (most[0], lab.accepted) == (2, 4)

    def test_progress_is_shown(self, lab: Lab, watcher: Watcher) -> None:
        class Slow(Fifth):
            def observe(self, target: Target, channel: Channel) -> Observation:
                watcher.await_line()
                return super().observe(target, channel)

        lab.service.mirrors["7"].full = True
        run_sync(Slow, validated(sync_spec(Slow), lab.options(mirrors=ALL)), lab.new_context(show=watcher.show))
        lines = [line.rpartition(", ")[0] for line in watcher.lines]
        assert "0 of 3 done, seven (not started)" in lines
        assert "2 of 3 done, 1 failed, nine (not started)" in lines


class TestDeadline:
    """One for each target, from the moment at which it is looked for."""

    def test_what_it_takes_to_find_a_target_counts(self, lab: Lab) -> None:
        lab.service.before["GET /mirrors"] = lambda: lab.clock.sleep(50)
        lab.service.duration = 60
        record = only(lab.run(wait_timeout=60))
        assert (record["timed_out"], record["failure"]["code"], record["state"]) == (True, "timed_out", "running")
        assert record["elapsed"] == lab.clock.elapsed == 60

    def test_waiting_for_a_slot_does_not_count(self, lab: Lab) -> None:
        lab.service.duration = 40
        result = lab.run(mirrors=ALL, wait_timeout=60)
        assert (column(result, "state"), lab.clock.elapsed > 120) == (["succeeded"] * 3, True)

    def test_a_target_that_is_slow_to_be_found_keeps_no_other_waiting(self, lab: Lab) -> None:
        others = threading.Semaphore(0)

        class Slow(Fifth):
            def resolve(self, name: str, channel: Channel) -> Target:
                for _other in range(2 if name == "seven" else 0):
                    assert others.acquire(timeout=20)
                return super().resolve(name, channel)

            def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
                others.release()
                return super().trigger(target, observation, channel)

        result = lab.run(Slow, mirrors=ALL, max_parallel=3, wait=False)
        assert column(result, "action") == ["triggered"] * 3
