# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from probes: verified, rolled back, or not promoted at all."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.backup import no_backup
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.module_result import ModuleResult
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.rollback import needs_hold, with_restore, with_restored
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.settings import RollbackPolicy
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.state import ResumedFrom, TargetPlan, TargetState
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.sync import with_sync
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.verify import verify_result, with_verification
from tests.unit.plugins.plugin_utils.promotion.states import BEGIN, Json, answer, failure, result, seen, target_of


class TestProbes:
    def test_before_and_after(self) -> None:
        before = [seen("a"), seen("b", ok=False), seen("c", ok=False), seen("d")]
        after = [seen("a"), seen("b"), seen("c", ok=False), seen("d", ok=False), seen("e", ok=False)]
        verify = verify_result(after, before, 1.5)
        assert (verify.ok, verify.elapsed) == (False, 1.5)
        assert (verify.already_failing, verify.regressions) == (("c",), ("d", "e"))
        assert [probe.was_ok for probe in verify.probes] == [True, False, False, True, None]
        assert "d: status 500, wanted 200" in verify.reason
        assert "c: status 500, wanted 200 (it was failing before the promotion, too)" in verify.reason

    def test_probes_that_were_changed_meanwhile(self) -> None:
        verify = verify_result([seen("new", ok=False)], [seen("old", ok=False)], 0)
        assert (verify.regressions, verify.probes[0].was_ok) == (("new",), None)

    def test_none(self) -> None:
        verify = verify_result([], [], 0)
        assert (verify.ok, verify.reason) == (True, "no probes are declared")

    @given(st.lists(st.tuples(st.booleans(), st.sampled_from([True, False, None])), max_size=8))
    def test_each_failure_is_one_of_both(self, probes: list[tuple[bool, bool | None]]) -> None:
        before = [seen(str(number) if was is not None else "?", ok=bool(was)) for number, (_ok, was) in enumerate(probes)]
        after = [seen(str(number), ok=ok) for number, (ok, _was) in enumerate(probes)]
        verify = verify_result(after, before, 0)
        failing = {str(number) for number, (ok, _was) in enumerate(probes) if not ok}
        assert {*verify.regressions, *verify.already_failing} == failing
        assert not set(verify.regressions) & set(verify.already_failing)
        assert verify.ok == (not failing)
        assert set(verify.already_failing) == {str(n) for n, (ok, was) in enumerate(probes) if not ok and was is False}


class TestVerification:
    @staticmethod
    def target(
        green: bool, action: str = "triggered", run_failed: bool = False, backup: int | None = 313, **more: Any
    ) -> TargetState:
        found = target_of(plan=TargetPlan("would_trigger", "planned"), **more)
        found = with_sync(found, result(action, failure=failure("run_failed") if run_failed else None))
        made = dataclasses.replace(no_backup("it was too big"), id=backup)
        return dataclasses.replace(found, backup=made, verify=verify_result([seen(ok=green)], [seen()], 1.0))

    @pytest.mark.parametrize(
        ("policy", "backup", "restore", "verdict", "state", "hold"),
        [
            ("auto", 313, True, "rollback_failed", "failed", True),
            ("auto", None, False, "failed", "impossible", True),
            ("manual", 313, False, "failed", "manual", True),
            ("manual", None, False, "failed", "manual", True),
            ("never", 313, False, "failed", "manual", False),
            ("never", None, False, "failed", "manual", False),
        ],
    )
    @pytest.mark.parametrize("run_failed", [True, False])
    def test_policies(
        self, policy: RollbackPolicy, backup: int | None, restore: bool, verdict: str, state: str, hold: bool, run_failed: bool
    ) -> None:
        target = self.target(green=run_failed, run_failed=run_failed, backup=backup)
        target = with_verification(target, policy)
        assert target.rollback
        assert target.rollback.is_open is restore
        assert (target.verdict, target.rollback.state, target.rollback.backup) == (verdict, state, backup)
        assert ("the sync failed" if run_failed else "verification failed: site: status 500") in target.reason
        assert needs_hold(target, policy) is hold
        if backup is None and policy != "never":
            assert "it was too big" in target.reason
        elif policy == "manual":
            assert "restore backup 313 with lockstep.sync.serveravatar_restore" in target.reason

    @pytest.mark.parametrize(
        ("action", "words"),
        [("triggered", "promoted; 1 of 1"), ("joined", "in flight; 1 of 1"), ("skipped", "because of skipped; 1 of 1")],
    )
    def test_green(self, action: str, words: str) -> None:
        target = with_verification(self.target(green=True, action=action), "auto")
        assert (target.verdict, target.rollback, needs_hold(target, "auto")) == ("succeeded", None, False)
        assert words in target.reason

    def test_nothing_is_rolled_back_that_was_not_promoted(self) -> None:
        target = with_verification(self.target(green=False, action="skipped"), "auto")
        assert (target.verdict, target.rollback) == ("failed", None)
        assert "nothing was promoted by this run" in target.reason
        # unless an earlier run did
        resumed = self.target(green=False, action="skipped", resumed=ResumedFrom("p-0", "sync", BEGIN))
        rollback = with_verification(resumed, "auto").rollback
        assert rollback
        assert rollback.is_open

    def test_what_was_resumed_is_reported(self) -> None:
        resumed = self.target(green=True, action="skipped", resumed=ResumedFrom("p-0", "verify", BEGIN))
        target = with_verification(resumed, "auto")
        assert "brought to an end what run p-0 began" in target.reason

    @pytest.mark.parametrize(
        ("before", "after", "verdict", "words"),
        [
            (True, True, "rolled_back", "backup 313 restored and verified"),
            (False, False, "rolled_back", "(site failing as before)"),
            (False, True, "rolled_back", "restored and verified"),
            (True, False, "rollback_failed", "restored, and yet"),
        ],
    )
    def test_after_a_restore(self, before: bool, after: bool, verdict: str, words: str) -> None:
        target = with_restore(with_verification(self.target(green=False), "auto"), result("triggered", state="succeeded"))
        assert target.rollback
        assert target.rollback.is_open
        target = with_restored(target, verify_result([seen(ok=after)], [seen(ok=before)], 1.0))
        assert target.rollback
        assert (target.verdict, target.rollback.elapsed) == (verdict, 3.5)
        assert words in target.reason
        assert "verification failed" in target.reason
        assert needs_hold(target, "auto")

    @pytest.mark.parametrize(
        "outcome",
        [
            answer("refused", failure=failure("disk_full")),
            {"failed": True, "msg": "it says no"},
            {"failure": failure("bad_response")},
        ],
    )
    def test_a_restore_that_fails(self, outcome: Json) -> None:
        target = with_restore(with_verification(self.target(green=False), "auto"), ModuleResult.from_json(outcome))
        assert target.rollback
        assert not target.rollback.is_open
        assert (target.verdict, target.rollback.state) == ("rollback_failed", "failed")
        assert "the restore failed: it says no." in target.reason
