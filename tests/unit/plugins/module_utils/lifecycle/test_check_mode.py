# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode predicts what the real run does, and sends no mutating call."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Observation, Target
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, code, only


class TestCheckMode:
    def test_it_sends_no_mutating_call_and_predicts(self, lab: Lab) -> None:
        result = lab.run(check=True)
        assert (lab.posts, lab.accepted) == (0, 0)
        record = only(result)
        assert (record["action"], record["state"], record["changed_basis"]) == ("would_trigger", "not_started", "predicted")
        assert result["changed"] is True

    def test_it_leaves_no_ledger_behind(self, lab: Lab) -> None:
        lab.run(check=True)
        assert not lab.ledger_path.exists()

    def test_it_predicts_a_join(self, lab: Lab) -> None:
        lab.service.start("7")
        record = only(lab.run(check=True))
        assert (record["action"], record["changed"], lab.posts) == ("would_join", True, 0)

    def test_it_predicts_that_a_queue_ends_with_a_trigger(self, lab: Lab) -> None:
        lab.service.start("7")
        assert only(lab.run(check=True, if_running="queue"))["action"] == "would_trigger"
        assert (lab.posts, lab.clock.elapsed) == (0, 0)

    def test_it_predicts_a_skip(self, lab: Lab) -> None:
        lab.service.mirrors["7"].in_sync = True
        result = lab.run(check=True)
        assert (only(result)["action"], result["changed"]) == ("skipped", False)

    @pytest.mark.parametrize("problem", ["busy", "disk_full", "guard_refused", "not_found", "auth_failed"])
    def test_it_fails_where_the_real_run_would(self, lab: Lab, problem: str) -> None:
        options: dict[str, t.Any] = {}
        if problem == "busy":
            lab.service.start("7")
            options["if_running"] = "fail"
        elif problem == "disk_full":
            lab.service.mirrors["7"].full = True
        elif problem == "guard_refused":
            lab.service.mirrors["7"].loss = 101
        elif problem == "not_found":
            options["mirrors"] = ["seventy"]
        else:
            options["token"] = "wrong"
        for check in (True, False):
            result = lab.run(check=check, **options)
            assert (result["failed"], code(result), only(result)["action"]) == (True, problem, "refused")
        assert lab.posts == 0

    def test_it_agrees_with_the_real_run_about_a_run_that_ended_unobserved(self, lab: Lab) -> None:
        class Silent(Fifth):
            def observe(self, target: Target, channel: Channel) -> Observation:
                observation = super().observe(target, channel)
                observation.age = None
                return observation

        lab.run(Silent, wait=False)
        lab.clock.sleep(60)
        predicted = only(lab.run(Silent, check=True, max_age=3600))
        real = only(lab.run(Silent, max_age=3600))
        assert (predicted["action"], real["action"], lab.posts) == ("skipped", "skipped", 1)
        assert predicted["reason"] == real["reason"]

    def test_diff_mode_shows_the_plan(self, lab: Lab) -> None:
        assert lab.run(check=True, diff=True)["diff"] == [{"before": "stale\n", "after": "fresh\n"}]
        assert "diff" not in lab.run(check=True)
