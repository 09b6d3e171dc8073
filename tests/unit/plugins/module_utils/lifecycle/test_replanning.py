# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Guards hold for each plan, and a target that moves gets a new plan."""

from __future__ import annotations

from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Observation, Target
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, code, only
from tests.unit.plugins.support.web import Reply


class TestGuards:
    def test_a_refused_plan_is_a_refusal_that_names_its_rules(self, lab: Lab) -> None:
        lab.service.mirrors["7"].loss = 101
        record = only(lab.run())
        assert (record["action"], record["state"], record["changed"]) == ("refused", "not_started", False)
        assert record["detail"]["guards"] == record["failure"]["guards"] == [{"rule": "max_loss", "message": "101 files"}]
        assert record["detail"]["revision"] == 1

    def test_a_guard_can_be_changed(self, lab: Lab) -> None:
        lab.service.mirrors["7"].loss = 101
        assert only(lab.run(max_loss=200))["state"] == "succeeded"

    def test_the_guards_hold_for_the_plan_that_is_made_anew(self, lab: Lab) -> None:
        def ruin() -> None:
            lab.service.change("7")
            lab.service.mirrors["7"].loss = 101

        lab.clock.at(0, ruin)

        class Slow(Fifth):
            def still_valid(self, target: Target, observation: Observation, channel: Channel) -> bool:
                lab.clock.sleep(1)
                return super().still_valid(target, observation, channel)

        assert (code(lab.run(Slow)), lab.posts) == ("guard_refused", 0)

    def test_the_guards_hold_after_a_pause_that_the_server_asked_for(self, lab: Lab) -> None:
        def ruin() -> None:
            lab.service.change("7")
            lab.service.mirrors["7"].loss = 101

        lab.service.fates = [Reply(429, headers={"Retry-After": "60"})]
        lab.clock.at(30, ruin)
        assert (code(lab.run()), lab.posts, lab.accepted) == ("guard_refused", 1, 0)


class TestReplanning:
    def test_a_target_that_moved_gets_a_new_plan(self, lab: Lab) -> None:
        moves = [1, 1]

        class Moving(Fifth):
            def still_valid(self, target: Target, observation: Observation, channel: Channel) -> bool:
                if moves:
                    moves.pop()
                    lab.service.change("7")
                return super().still_valid(target, observation, channel)

        record = only(lab.run(Moving))
        assert (record["state"], record["detail"]["revision"], lab.posts) == ("succeeded", 3, 1)

    def test_one_that_never_rests_is_given_up(self, lab: Lab) -> None:
        class Restless(Fifth):
            def still_valid(self, target: Target, observation: Observation, channel: Channel) -> bool:
                return False

        result = lab.run(Restless)
        assert (code(result), only(result)["action"], lab.posts) == ("busy", "refused", 0)
        assert lab.web.lines.count("GET /mirrors/7") == 5

    def test_one_that_never_rests_may_be_synced_by_the_newest_plan(self, lab: Lab) -> None:
        class Restless(Fifth):
            def still_valid(self, target: Target, observation: Observation, channel: Channel) -> bool:
                lab.service.change("7")
                return False

            def accept_moving(self, target: Target, observation: Observation) -> dict[str, bool]:
                return {"moved": True}

        record = only(lab.run(Restless))
        assert (record["state"], record["detail"]["moved"], record["detail"]["revision"], lab.posts) == ("succeeded", True, 5, 1)
