# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gate, approval and lock."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._change_windows import decision as _windows
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.phase import StepRequest, StepResult

from .promotion import Kill, NoTerminal, Operator, Play
from .stage import ALLOWED_LONG_AGO, NEW, Stage, outcome


class TestPermission:
    def test_a_closed_window(self, stage: Stage) -> None:
        play = stage.play(windows=ALLOWED_LONG_AGO)
        assert outcome(play) == ["refused", False, False]
        assert (stage.sent, play.phases) == ({}, ["preflight:passed", "gate:refused"])
        assert "long ago" in play.report["message"] or "staging_promotion_override_reason" in play.report["message"]
        check = stage.play(windows=ALLOWED_LONG_AGO, check=True)
        assert check.verdict == "refused"

    def test_a_window_that_is_overridden(self, stage: Stage) -> None:
        play = stage.play(windows=ALLOWED_LONG_AGO, override_reason="the shop is down")
        assert (play.verdict, play.report["override_reason"]) == ("succeeded", "the shop is down")
        assert stage.sent["sync"] == 1

    def test_a_window_that_closes_between_two_waves(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        looks = []

        def judge(windows: Any, now: Any) -> _windows.Verdict:
            looks.append(now)
            return _windows.Verdict(len(looks) < 3, "too late by now", None, None)

        monkeypatch.setattr(_windows, "judge", judge)
        play = stage.play(targets=[stage.entry("blog", 90), stage.entry("shop", 88)])
        assert outcome(play) == ["refused", False, True]
        assert [target["verdict"] for target in play.report["targets"]] == ["succeeded", "refused"]
        assert "too late by now" in play.report["message"]
        assert stage.sent == {"backup": 1, "sync": 1}

    def test_a_window_does_not_matter_where_nothing_is_begun(self, stage: Stage) -> None:
        stage.play()
        assert stage.play(windows=ALLOWED_LONG_AGO).verdict == "succeeded"

    def test_a_token(self, stage: Stage) -> None:
        digest = stage.play(check=True, approval="token").report["digest"]
        for given in ("", "0123456789abcdef"):
            play = stage.play(approval="token", approve=given)
            assert outcome(play) == ["refused", False, False]
            assert play.phases[-1] == "approval:refused"
            assert digest in play.report["message"]
        # the plan has changed
        other = stage.play(approval="token", approve=digest, release="2026.12")
        assert (other.verdict, stage.sent) == ("refused", {})
        right = stage.play(approval="token", approve=f" {digest} ")
        assert (right.verdict, right.report["digest"], stage.sent) == ("succeeded", digest, {"backup": 1, "sync": 1})
        assert "approval:passed" in right.phases

    def test_a_person(self, stage: Stage) -> None:
        for display in (Operator(b"no"), NoTerminal()):
            play = stage.play(approval="prompt", display=display)
            assert (play.verdict, play.phases[-1]) == ("refused", "approval:refused")
        assert stage.sent == {}
        operator = Operator(b"yes")
        play = stage.play(approval="prompt", display=operator)
        assert play.verdict == "succeeded"
        assert "shop: sync" in operator.question
        assert play.report["digest"] in operator.question

    def test_a_ledger_that_ends_with_the_job(self, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Two jobs with homes of their own would promote the same release twice."""
        monkeypatch.setenv("AWX_PRIVATE_DATA_DIR", "/runner")
        monkeypatch.delenv("LOCKSTEP_LEDGER", raising=False)
        for number, check in enumerate((True, False)):
            monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / f"job{number}"))
            play = stage.play(ledger_path="", check=check)
            assert (play.verdict, play.failed_checks, stage.sent) == ("refused", ["memory"], {})
            assert "LOCKSTEP_LEDGER" in play.report["message"]
        assert stage.play(ledger_path="", allow_ephemeral_ledger=True).verdict == "succeeded"
        # a named one is fine
        monkeypatch.setenv("LOCKSTEP_LEDGER", str(tmp_path / "volume.sqlite3"))
        assert stage.play(ledger_path="", targets=[stage.entry("blog", 90)]).verdict == "succeeded"

    def test_a_lock_that_another_run_holds(self, stage: Stage) -> None:
        first = stage.play(kill=Kill("lock", "after"))
        play = stage.play(lock_wait=0)
        assert (first.killed, *outcome(play)) == (True, "refused", False, False)
        assert play.failed_checks == ["lock"]
        assert "process" in play.report["message"]
        assert stage.sent == {}
        # another application is no business of it
        assert stage.play(targets=[stage.entry("blog", 90)]).verdict == "succeeded"

    def test_a_lock_that_another_run_takes_after_the_preflight(self, stage: Stage) -> None:
        late = Play(stage.variables(lock_wait=0.1))
        original = late.take

        def take(step: str, request: StepRequest) -> StepResult:
            if step == "lock":
                stage.play(kill=Kill("lock", "after"))
            return original(step, request)

        late.take = take  # type: ignore[method-assign]  # somebody is quicker
        late.run()
        stage.plays.append(late)
        assert outcome(late) == ["refused", False, False]
        assert (late.phases[-1], stage.sent) == ("lock:refused", {})

    @pytest.mark.parametrize("works", [True, False])
    def test_a_lock_that_is_waited_for(self, stage: Stage, works: bool) -> None:
        """The release is done then, or it is known that it must not be promoted."""
        stage.knob(broken_release=None if works else NEW)
        first = Play(stage.variables())
        original, syncing, go_on = first.take, threading.Event(), threading.Event()

        def take(step: str, request: StepRequest) -> StepResult:
            if step == "sync":
                syncing.set()
                assert go_on.wait(60)
            return original(step, request)

        first.take = take  # type: ignore[method-assign]  # it is slow
        thread = threading.Thread(target=first.run)
        thread.start()
        assert syncing.wait(60)
        timer = threading.Timer(0.5, go_on.set)
        timer.start()
        report = stage.directory / "reports" / "second.json"
        play = stage.play(report_path=str(report), lock_wait=60)
        thread.join()
        timer.join()
        stage.plays.append(first)
        assert first.verdict == ("succeeded" if works else "rolled_back")
        assert outcome(play) == (["succeeded", True, False] if works else ["refused", False, False])
        assert play.failed_checks == ([] if works else ["hold"])
        (lock,) = (phase for phase in play.report["phases"] if phase["phase"] == "lock")
        assert (lock["state"], lock["elapsed"] >= 0.4) == ("passed" if works else "refused", True)
        assert stage.sent == ({"backup": 1, "sync": 1} if works else {"backup": 1, "restore": 1, "sync": 1})

    @pytest.mark.parametrize("works", [True, False])
    def test_another_run_that_ends_between_plan_and_lock(self, stage: Stage, works: bool) -> None:
        """The lock is free then, and the plan is void all the same."""
        stage.knob(broken_release=None if works else NEW)
        late = Play(stage.variables(report_path=str(stage.directory / "reports" / "late.json")))
        original, verdicts = late.take, []

        def take(step: str, request: StepRequest) -> StepResult:
            if step == "lock":
                verdicts.append(stage.play().verdict)
            return original(step, request)

        late.take = take  # type: ignore[method-assign]  # another run overtakes it
        late.run()
        stage.plays.append(late)
        assert verdicts == ["succeeded" if works else "rolled_back"]
        assert outcome(late) == (["succeeded", True, False] if works else ["refused", False, False])
        assert late.failed_checks == ([] if works else ["hold"])
        assert stage.sent == ({"backup": 1, "sync": 1} if works else {"backup": 1, "restore": 1, "sync": 1})

    def test_a_lock_that_is_lost(self, stage: Stage) -> None:
        """A run that has lost a lock, as after an expiry, does nothing more, and releases the locks that it still holds."""
        stage.begin_mortal()
        slow = Play(stage.variables(targets=[stage.entry(), stage.entry("blog", 90)], serial=["2"]))
        original = slow.take

        def take(step: str, request: StepRequest) -> StepResult:
            if step == "sync" and request.target == 0:
                stage.die()
                assert stage.play().verdict == "succeeded"
            return original(step, request)

        slow.take = take  # type: ignore[method-assign]  # somebody takes over
        slow.run()
        stage.plays.append(slow)
        assert outcome(slow) == ["failed", False, False]
        assert "lost its lock" in slow.report["message"]
        assert stage.sent == {"backup": 2, "sync": 1}
        assert stage.play(targets=[stage.entry("blog", 90)], release="2026.12").verdict == "succeeded"
