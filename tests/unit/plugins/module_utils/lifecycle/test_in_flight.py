# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that is in flight when a task begins, or that a refusal as busy shows."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Capabilities, Observation, Target
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, code, only
from tests.unit.plugins.support.web import Reply


class TestInFlight:
    def test_a_run_of_somebody_else_is_joined(self, lab: Lab) -> None:
        lab.service.start("7")
        record = only(lab.run())
        assert (record["action"], record["state"], record["changed"], lab.posts) == ("joined", "succeeded", True, 0)
        assert record["handle"]["run"] == 1

    def test_it_satisfies_no_release_since_its_content_is_unknown(self, lab: Lab) -> None:
        lab.service.start("7")
        lab.run(release="1.2")
        lab.run(release="1.2")
        assert lab.posts == 1

    def test_it_counts_for_max_age(self, lab: Lab) -> None:
        lab.service.start("7")
        lab.run()
        assert only(lab.run(max_age=60))["action"] == "skipped"

    def test_force_joins_too(self, lab: Lab) -> None:
        lab.service.start("7")
        assert only(lab.run(force=True))["action"] == "joined"

    def test_it_can_be_an_error(self, lab: Lab) -> None:
        lab.service.start("7")
        result = lab.run(if_running="fail")
        assert (code(result), only(result)["action"], lab.posts) == ("busy", "refused", 0)

    def test_it_can_be_waited_for_and_followed_by_another(self, lab: Lab) -> None:
        lab.service.start("7")
        record = only(lab.run(if_running="queue"))
        assert (record["action"], record["state"], record["handle"]["run"]) == ("triggered", "succeeded", 2)
        assert lab.clock.elapsed >= 20

    def test_a_queue_that_does_not_move_times_out_without_a_trigger(self, lab: Lab) -> None:
        lab.service.duration = 1e6
        lab.service.start("7")
        result = lab.run(if_running="queue", wait_timeout=60)
        record = only(result)
        assert (code(result), record["timed_out"], record["changed"], lab.posts) == ("timed_out", True, False, 0)
        assert lab.clock.elapsed <= 60

    def test_evidence_gathered_before_the_queue_is_gathered_again_after_it(self, lab: Lab) -> None:
        lab.service.start("7")
        lab.clock.at(5, lambda: setattr(lab.service.mirrors["7"], "in_sync", True))
        assert (only(lab.run(if_running="queue"))["action"], lab.posts) == ("skipped", 0)

    def test_a_refusal_as_busy_joins_what_is_running(self, lab: Lab) -> None:
        lab.service.before["POST /mirrors/7/refresh"] = lambda: lab.service.start("7")
        lab.service.fates = [Reply(409, {"error": "already running"})]
        record = only(lab.run())
        assert (record["action"], record["state"], record["handle"]["run"], lab.posts) == ("joined", "succeeded", 1, 1)

    def test_a_refusal_as_busy_fails_where_nothing_shows(self, lab: Lab) -> None:
        lab.service.fates = [Reply(409, {"error": "already running"})]
        result = lab.run(settle_grace=10)
        record = only(result)
        assert (code(result), record["action"], record["state"], lab.posts) == ("busy", "refused", "not_started", 1)
        assert record["started_at"] is None
        assert lab.clock.elapsed <= 11

    def test_a_refusal_as_busy_can_be_an_error_at_once(self, lab: Lab) -> None:
        lab.service.fates = [Reply(409, {"error": "already running"})]
        record = only(lab.run(if_running="fail"))
        assert (record["failure"]["code"], record["started_at"], lab.clock.elapsed) == ("busy", None, 0)

    def test_a_refusal_as_busy_can_be_waited_out(self, lab: Lab) -> None:
        lab.service.fates = [Reply(409, {"error": "already running"})] * 2
        record = only(lab.run(if_running="queue"))
        assert (record["state"], lab.posts, lab.accepted) == ("succeeded", 3, 1)

    def test_two_lasting_refusals_as_busy_end_at_the_deadline(self, lab: Lab) -> None:
        lab.service.fates = [Reply(409, {"error": "already running"})] * 100
        result = lab.run(if_running="queue", wait_timeout=60)
        assert (code(result), lab.accepted) == ("timed_out", 0)
        assert lab.posts <= 60 / 5 + 1

    @pytest.mark.parametrize(("run_id", "handle"), [(True, 5), (False, 1)])
    def test_our_own_run_is_known_by_its_handle_where_runs_have_no_id(self, lab: Lab, run_id: bool, handle: int) -> None:
        class Nameless(Fifth):
            capabilities = Capabilities(run_id)

            def observe(self, target: Target, channel: Channel) -> Observation:
                observation = super().observe(target, channel)
                if observation.running is not None:
                    observation.running.handle["run"] = 5
                return observation

        lab.run(Nameless, wait=False)
        assert only(lab.run(Nameless, wait=False))["handle"]["run"] == handle
