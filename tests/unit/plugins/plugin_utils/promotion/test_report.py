# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a promotion: its verdict, its report and its message."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.vocabulary import PromotionVerdict
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion import report as _promotion_report
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.backup import backup_result
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.checks import with_plan
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.rollback import with_restore, with_restored
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.state import (
    VERDICTS,
    Check,
    ResumedFrom,
    RunState,
    TargetKey,
)
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.sync import with_sync
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.verify import verify_result, with_verification
from tests.unit.plugins.plugin_utils.promotion.states import (
    BEGIN,
    LISTED,
    Json,
    failure,
    result,
    seen,
    settings_of,
    state_of,
    target_of,
)

#: keys of the contract
REPORT = (
    "verdict ok changed message explanation check_mode run release digest started_at finished_at elapsed actor error error_code"
    " traceback override_reason lifted_hold held warnings unfinished interrupted summary phases targets"
)
PHASE = "phase wave target state reason started_at finished_at elapsed"
TARGET = (
    "name provider target wave verdict changed reason resumed plan checks staging before backup sync verify rollback failure"
    " requests"
)
ORDER = VERDICTS
verdicts = st.lists(st.sampled_from(ORDER), min_size=1, max_size=6)


class TestTheEnd:
    @staticmethod
    def ended(*found: PromotionVerdict, error: str | None = None) -> RunState:
        state = state_of(settings_of(len(found))) if found else dataclasses.replace(state_of(), targets=())
        for target, verdict in zip(state.targets, found, strict=True):
            state = state.with_target(target.with_verdict(verdict, f"reason of {target.name}"))
        return dataclasses.replace(state, error=error)

    @given(verdicts, st.sampled_from([None, "something broke"]))
    def test_the_worst_verdict_is_that_of_the_run(self, found: list[PromotionVerdict], error: str | None) -> None:
        verdict = _promotion_report.verdict_of(self.ended(*found, error=error))
        assert verdict in ORDER[1:]
        worst = max(found, key=ORDER.index)
        if error:
            assert ORDER.index(verdict) >= ORDER.index("failed")
        elif worst != "not_started":
            assert verdict == worst
        else:
            assert verdict == "failed"
        if verdict in _promotion_report.GOOD:
            assert set(found) <= {"succeeded", "planned", "not_started"}

    def test_without_targets(self) -> None:
        assert _promotion_report.verdict_of(self.ended(error="bad variables")) == "failed"

    def test_what_has_a_verdict_keeps_it(self) -> None:
        state = self.ended("succeeded", "not_started")
        stopped = state.stop("refused", "closed")
        assert [(target.verdict, target.reason) for target in stopped.targets] == [
            ("succeeded", "reason of shop-0"),
            ("refused", "closed"),
        ]
        assert (stopped.stopped, state.stopped) == (True, False)

    @given(verdicts, st.booleans())
    def test_the_report_has_every_key_and_the_right_sums(self, found: list[PromotionVerdict], check_mode: bool) -> None:
        state = dataclasses.replace(self.ended(*found), check_mode=check_mode)
        state = state.with_opened("preflight", BEGIN, 12.5, None, "shop-0")
        report: Json = _promotion_report.build_report(state, "2026-11-20T21:46:12Z", 60.00049)
        assert set(report) == {*REPORT.split()}
        assert set(report["phases"][0]) == {*PHASE.split()}
        assert (report["phases"][0]["state"], state.phases[0].is_open) == ("failed", True)
        assert all(set(target) == {*TARGET.split()} for target in report["targets"])
        summary = report["summary"]
        assert sum(summary[verdict] for verdict in ORDER) == summary["targets"] == len(found)
        assert {name: summary[name] for name in ORDER} == {name: found.count(name) for name in ORDER}
        assert (report["ok"], report["elapsed"]) == (report["verdict"] in _promotion_report.GOOD, 60.0)
        json.dumps(report)

    def test_it_counts_what_was_changed_and_sent(self) -> None:
        state = self.ended("succeeded", "succeeded", "failed")
        for number, target in enumerate(state.targets):
            state = state.with_target(dataclasses.replace(target, changed=number != 1, requests=10**number))
        report: Json = _promotion_report.build_report(state, BEGIN, 1)
        summary = report["summary"]
        assert (summary["changed"], summary["requests"]) == (2, 111)


class TestMessage:
    @staticmethod
    def message(*found: PromotionVerdict, **state: Any) -> str:
        made = TestTheEnd.ended(*found)
        return _promotion_report.evaluate(dataclasses.replace(made, **state)).message

    def test_one_target(self) -> None:
        assert self.message("succeeded") == "succeeded. shop-0: reason of shop-0."
        assert self.message("succeeded", path="/r.json") == "succeeded. shop-0: reason of shop-0. Report: /r.json"

    def test_several(self) -> None:
        text = self.message("succeeded", "rolled_back", "not_started", "not_started")
        assert text == "rolled_back: 2 not started, 1 succeeded, 1 rolled back. shop-1: reason of shop-1."

    def test_an_error(self) -> None:
        assert self.message(error="option x: bad") == "failed: option x: bad."

    def test_what_to_do_next(self) -> None:
        assert "Run the playbook again" in self.message("unknown")
        assert "staging_promotion_lift_hold" in self.message("rolled_back", held=("shop-0",))
        assert "staging_promotion_lift_hold" not in self.message("rolled_back")

    def test_all_that_keep_it_from_being_done_are_reported(self) -> None:
        state = TestTheEnd.ended("not_started", "refused", "refused")
        state = state.with_targets(*(target.with_check("credentials", False, "no") for target in state.targets[1:]))
        text = _promotion_report.evaluate(state.stop("refused", "another target did not pass")).message
        assert text == "refused: 3 refused. shop-1: reason of shop-1. shop-2: reason of shop-2."


def test_the_state_survives_the_way_from_step_to_step() -> None:
    target = with_sync(with_plan(target_of(), result(), 95), result("triggered", failure=failure("run_failed")))
    target = dataclasses.replace(
        target,
        key=TargetKey("serveravatar", "https://a/", "5/15/88"),
        locked=True,
        resumed=ResumedFrom("p-0", "sync", BEGIN),
        before=(seen(),),
        backup=backup_result(result("triggered", detail={"backup": LISTED})),
        verify=verify_result([seen(ok=False)], [seen()], 1.5),
    )
    target = with_restored(with_restore(with_verification(target, "auto"), result("triggered")), verify_result([], [], 0.5))
    state = state_of().with_target(target).with_opened("sync", BEGIN, 1.5, 1, "shop-0").with_warnings("x")
    state = dataclasses.replace(state, hooks={"before_sync": ("a.yml", "b.yml")}, held=("shop-0",))
    assert RunState.from_json(json.loads(json.dumps(state.to_json()))) == state
    assert Check.from_json({"name": "a", "ok": None, "text": "b", "of a newer version": 1}) == Check("a", None, "b")
