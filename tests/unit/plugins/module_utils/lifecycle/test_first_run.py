# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first run for a target, with a provider that the core has never heard of."""

from __future__ import annotations

from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.poll import Reading
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Effect, Observation, Run, Target
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import FIELDS, Lab, code, only


class TestFirstRun:
    def test_it_triggers_once_and_waits(self, lab: Lab) -> None:
        result = lab.run()
        assert (lab.posts, lab.accepted) == (1, 1)
        record = only(result)
        assert (record["action"], record["state"], record["failure"]) == ("triggered", "succeeded", None)
        assert (record["changed"], record["changed_basis"], result["changed"]) == (True, "observed", True)
        assert "failed" not in result

    def test_the_record_has_every_field(self, lab: Lab) -> None:
        record = only(lab.run())
        assert set(record) == FIELDS
        assert (record["target"], record["provider"]) == ("seven", "fifth")
        assert record["handle"] == {"provider": "fifth", "address": lab.web.url, "mirror": "7", "name": "seven", "run": 1}
        assert record["started_at"] < record["finished_at"]
        assert record["detail"] == {"revision": 1, "note": "stale\n", "files": ["a", "b"]}
        assert record["reason"] == "2 files"

    def test_requests_and_polls_are_counted_exactly(self, lab: Lab) -> None:
        result = lab.run()
        assert result["summary"]["requests"] == only(result)["requests"] == len(lab.web.log)
        assert only(result)["polls"] == sum(1 for line in lab.web.lines if line == "GET /runs/1")

    def test_its_time_is_the_time_of_the_run(self, lab: Lab) -> None:
        assert 10 <= only(lab.run())["elapsed"] <= 10 + 1.1 * 0.2 * 10

    def test_a_run_without_effect_changes_nothing(self, lab: Lab) -> None:
        class Idle(Fifth):
            def verify(
                self, target: Target, observation: Observation | None, run: Run, reading: Reading, channel: Channel
            ) -> Effect:
                lab.service.runs[0].files = ()
                return super().verify(target, observation, run, reading, channel)

        record = only(lab.run(Idle))
        assert (record["state"], record["changed"], record["changed_basis"]) == ("succeeded", False, "observed")

    def test_a_failed_run_fails_the_task_with_the_servers_reason(self, lab: Lab) -> None:
        lab.service.ending = "broken"
        result = lab.run()
        assert (result["failed"], code(result), only(result)["state"]) == (True, "run_failed", "failed")
        assert "out of paper" in only(result)["failure"]["message"]
        assert only(result)["changed"] is False
        assert "seven: run_failed" in result["msg"]

    def test_an_unknown_target_is_refused(self, lab: Lab) -> None:
        result = lab.run(mirrors=["seventy"])
        assert (code(result), lab.posts) == ("not_found", 0)
        assert (only(result)["action"], only(result)["state"]) == ("refused", "not_started")

    def test_names_and_ids_are_one_target(self, lab: Lab) -> None:
        lab.run(mirrors=["seven"], release="1")
        assert only(lab.run(mirrors=["7"], release="1"))["action"] == "skipped"
        assert lab.posts == 1
