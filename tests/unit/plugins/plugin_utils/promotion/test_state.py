# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The decisions of a promotion: from what is known to what follows, without anything around."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.vocabulary import PromotionVerdict
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion import report as _promotion_report
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.backup import backup_result, no_backup
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.checks import key_of, reject_duplicates, with_plan
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.digest import digest_of
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.module_result import ModuleResult, ProbeResult, SyncResult
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.rollback import needs_hold, with_restore, with_restored
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.settings import PromotionSettings, RollbackPolicy, read
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.state import (
    VERDICTS,
    Actor,
    Check,
    ResumedFrom,
    RunState,
    TargetKey,
    TargetPlan,
    TargetState,
    new_targets,
)
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.sync import with_sync
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.verify import verify_result, with_verification

Json = dict[str, Any]

ACTOR = Actor("eve", "controller", None)
BEGIN = "2026-11-20T21:45:12Z"
IDS = {"organization": 5, "server": 15, "application": 88}


def settings_of(count: int = 1, **variables: Any) -> PromotionSettings:
    targets = [
        {
            "provider": "serveravatar",
            "options": {"application": f"shop-{number}", "api_token": "hunter2"},
            "verify": [{"url": f"https://shop-{number}.example.com/"}],
            "backup": {"storage": "Offsite"},
        }
        for number in range(count)
    ]
    return read({"targets": targets, "release": "2026.11", **variables})


def state_of(settings: PromotionSettings | None = None, check_mode: bool = False, run: str = "p-1") -> RunState:
    settings = settings or settings_of()
    return RunState(run, settings.release or None, check_mode, BEGIN, ACTOR, targets=new_targets(settings))


def target_of(**more: Any) -> TargetState:
    return dataclasses.replace(state_of().targets[0], **more)


def failure(code: str, message: str = "it says no", hint: str = "Look at it.") -> Json:
    return {"code": code, "message": message, "http_status": None, "hint": hint}


def answer(action: str = "would_trigger", requests: int = 3, **more: Any) -> Json:
    """What a module returns for one target."""
    record = {
        "target": "shop",
        "action": action,
        "state": "not_started",
        "changed": action in ("triggered", "joined", "would_trigger", "would_join"),
        "reason": f"because of {action}",
        "failure": None,
        "timed_out": False,
        "elapsed": 2.5,
        "detail": {"ids": IDS, "disk_usage": 41.0},
        **more,
    }
    return {"syncs": [record], "summary": {"requests": requests}}


def result(action: str = "would_trigger", requests: int = 3, **more: Any) -> ModuleResult:
    return ModuleResult.from_json(answer(action, requests, **more))


def record(**more: Any) -> SyncResult:
    found = result(**more).record
    assert found
    return found


def seen(name: str = "site", ok: bool = True, problem: str = "status 500, wanted 200") -> ProbeResult:
    """The result of a probe."""
    return ProbeResult(name, ok, () if ok else (problem,))


def checks_of(target: TargetState) -> dict[str, bool | None]:
    return {check.name: check.ok for check in target.checks}


# -- the plan ----------------------------------------------------------------------------------------------------------


class TestPlan:
    def test_when_all_is_well(self) -> None:
        target = with_plan(target_of(), result(), 95)
        assert target.plan == TargetPlan("would_trigger", "because of would_trigger", None)
        assert (target.target, target.requests) == ("shop", 3)
        assert checks_of(target) == dict.fromkeys(("connection", "credentials", "target", "staging", "idle", "disk"), True)

    @pytest.mark.parametrize(
        ("code", "culprit", "passed"),
        [
            ("connection_failed", "connection", 0),
            ("tls_failed", "connection", 0),
            ("redirect_refused", "connection", 0),
            ("auth_failed", "credentials", 1),
            ("permission_denied", "credentials", 1),
            ("not_found", "target", 2),
            ("endpoint_missing", "target", 2),
            ("staging_disabled", "staging", 3),
            ("busy", "idle", 4),
            ("disk_full", "disk", 5),
            ("server_error", "plan", 0),
            ("bad_response", "plan", 0),
        ],
    )
    def test_what_failed_and_what_is_not_known_therefore(self, code: str, culprit: str, passed: int) -> None:
        target = with_plan(target_of(), result("refused", failure=failure(code), detail={}), 95)
        checks = checks_of(target)
        assert [name for name, ok in checks.items() if ok is False] == [culprit]
        assert sum(ok is True for ok in checks.values()) == passed
        assert target.failed_checks[0].text == "it says no. Look at it."

    @pytest.mark.parametrize(
        ("outcome", "words"),
        [
            ({"failed": True, "msg": "Unsupported parameters: serfer"}, "Unsupported parameters: serfer."),
            (
                {"failed": True, "syncs": [], "failure": failure("invalid_option", "option x: 1 is bad")},
                "option x: 1 is bad. Look",
            ),
            ({}, "the module ended without a result."),
        ],
    )
    def test_a_module_that_could_not_begin(self, outcome: Json, words: str) -> None:
        target = with_plan(target_of(), ModuleResult.from_json(outcome), 95)
        assert target.plan
        assert target.plan.action == "refused"
        assert target.checks[0].name == "plan"
        assert target.checks[0].text.startswith(words)
        assert not target.has_work

    @pytest.mark.parametrize(
        ("used", "limit", "ok"), [(95.0, 95.0, True), (95.1, 95.0, False), (0, 0.0, True), (None, 95.0, None)]
    )
    def test_the_disk(self, used: float | None, limit: float, ok: bool | None) -> None:
        target = with_plan(target_of(), result(detail={"disk_usage": used}), limit)
        assert checks_of(target).get("disk") is ok

    @pytest.mark.parametrize(
        ("action", "phase", "acts", "resumed"),
        [
            ("would_trigger", None, True, False),
            ("would_join", None, True, False),
            ("skipped", None, False, False),
            ("refused", None, False, False),
            ("skipped", "lock", True, False),
            ("skipped", "backup", True, False),
            ("skipped", "sync", True, True),
            ("skipped", "verify", True, True),
            ("skipped", "rollback", True, True),
        ],
    )
    def test_what_there_is_to_do(self, action: str, phase: str | None, acts: bool, resumed: bool) -> None:
        target = target_of(plan=TargetPlan(action, ""), resumed=ResumedFrom("p-0", phase, BEGIN) if phase else None)
        assert (target.has_work, target.is_resumed) == (acts, resumed)
        assert state_of().with_target(target).starts_something == (acts and not resumed)
        target = target.with_check("credentials", False, "no").with_check("disk", None, "not known")
        assert state_of().with_target(target).refusals == (() if resumed else (f"{target.name}: credentials: no",))

    def test_one_target_by_two_names(self) -> None:
        state = state_of(settings_of(4))
        same, other = key_of(record(), "serveravatar", "https://a/"), TargetKey("serveravatar", "https://a/", "5/15/89")
        for target, key in zip(state.targets, (same, other, same, None), strict=True):
            state = state.with_target(dataclasses.replace(target, key=key))
        assert reject_duplicates(state).refusals == ("shop-2: entry: it is the same target as shop-0. Leave one of them out",)
        assert state.refusals == ()

    def test_the_key_is_made_of_ids_where_there_are_any(self) -> None:
        key = key_of(record(), "serveravatar", "https://a/")
        assert key.to_json() == {"provider": "serveravatar", "address": "https://a/", "target": "5/15/88"}
        assert key_of(record(detail={}), "plm", "").target == "shop"


def test_no_staging_area_is_looked_for_where_there_is_none() -> None:
    target = with_plan(target_of(provider="plm"), result(detail={}), 95)
    assert "staging" not in checks_of(target)


class TestDigest:
    @staticmethod
    def digest(settings: PromotionSettings | None = None, action: str = "would_trigger", **state: Any) -> str:
        settings = settings or settings_of(2)
        known = dataclasses.replace(state_of(settings), **state)
        for number, target in enumerate(known.targets):
            planned = with_plan(target, result(action), 95)
            known = known.with_target(
                dataclasses.replace(planned, key=TargetKey(target.provider, "https://a/", f"5/15/{number}"))
            )
        return digest_of(known, settings)

    def test_it_does_not_move_by_itself(self) -> None:
        assert self.digest() == self.digest()
        assert len(self.digest()) == 16
        others = {
            "run": "p-2",
            "started_at": "2027-01-01T00:00:00Z",
            "check_mode": True,
            "actor": Actor("a", "b", "c"),
            "warnings": ("x",),
        }
        assert self.digest(**others) == self.digest()

    def test_secrets_are_not_in_it(self) -> None:
        settings = settings_of(2)
        for target in settings.targets:
            target.options["api_token"] = "another"
            target.verify[0]["request_headers"] = {"Authorization": "another"}
            target.verify[0]["url_password"] = "another"
            target.verify[0]["url"] = str(target.verify[0]["url"]).replace("//", "//eve:another@")
        assert self.digest(settings) == self.digest()

    def test_readings_are_not_in_it(self) -> None:
        settings = settings_of()
        digests = set()
        for used in (41.0, 42.0):
            target = with_plan(state_of(settings).targets[0], result(reason=f"{used}", detail={"disk_usage": used}), 95)
            digests.add(digest_of(state_of(settings).with_target(target), settings))
        assert len(digests) == 1

    def test_it_changes_with_what_is_done(self) -> None:
        digests = [
            self.digest(),
            self.digest(action="would_join"),
            self.digest(action="skipped"),
            self.digest(release="2026.12"),
            self.digest(release=None),
            self.digest(settings_of(1)),
            self.digest(settings_of(3)),
            self.digest(settings_of(2, serial=["100%"])),
            self.digest(settings_of(2, backup="required")),
            self.digest(settings_of(2, rollback="never")),
        ]
        probes = settings_of(2)
        probes.targets[0].verify[0]["url"] = "https://elsewhere.example.com/"
        backups = settings_of(2)
        backups.targets[0].backup.clear()
        weaker = settings_of(2)
        weaker.targets[0].verify[0]["status"] = [200, 500]
        digests += [self.digest(probes), self.digest(backups), self.digest(weaker)]
        for items in (["/site/one.xml"], ["/site/two.xml"]):
            options = {"site": "mysite", "target": "live", "items": items}
            digests.append(self.digest(read({"targets": [{"provider": "crafter_publish", "options": options}]})))
        assert len(set(digests)) == len(digests)


# -- backup and sync ---------------------------------------------------------------------------------------------------


LISTED: Json = {"id": 313, "name": "before", "size": "51 MB", "status": "Completed"}


class TestBackup:
    @pytest.mark.parametrize(("action", "state"), [("triggered", "made"), ("joined", "made"), ("skipped", "found")])
    def test_one_that_is_listed(self, action: str, state: str) -> None:
        backup = backup_result(result(action, detail={"backup": LISTED}))
        assert backup.to_json() == {
            **LISTED,
            "state": state,
            "reason": f"because of {action}",
            "elapsed": 2.5,
            "failure": None,
        }

    @pytest.mark.parametrize(
        ("outcome", "state", "words"),
        [
            (answer("would_trigger"), "planned", "because of would_trigger"),
            (answer("would_join"), "planned", "because of would_join"),
            (answer("triggered"), "failed", "not listed"),
            (answer("refused", failure=failure("disk_full")), "failed", "it says no. Look at it."),
            ({"failed": True, "msg": "Unsupported parameters: x"}, "failed", "Unsupported parameters: x."),
        ],
    )
    def test_one_that_is_not(self, outcome: Json, state: str, words: str) -> None:
        backup = backup_result(ModuleResult.from_json(outcome))
        assert (backup.state, backup.id) == (state, None)
        assert words in backup.reason
        assert set(backup.to_json()) == set(no_backup("").to_json())


class TestSync:
    @pytest.mark.parametrize(
        ("outcome", "verify", "verdict"),
        [
            (answer("triggered", state="succeeded"), True, "not_started"),
            (answer("joined", state="succeeded"), True, "not_started"),
            (answer("skipped"), True, "not_started"),
            (answer("triggered", state="unknown"), True, "not_started"),
            # production may have been overwritten in part
            (answer("triggered", state="failed", failure=failure("run_failed")), True, "not_started"),
            (answer("triggered", state="running", timed_out=True, failure=failure("timed_out")), False, "unknown"),
            (answer("triggered", state="unknown", failure=failure("outcome_unknown")), False, "unknown"),
            (answer("refused", failure=failure("disk_full")), False, "failed"),
            (answer("refused", failure=failure("guard_refused")), False, "refused"),
            ({"failed": True, "msg": "no"}, False, "failed"),
        ],
    )
    def test_what_follows(self, outcome: Json, verify: bool, verdict: str) -> None:
        target = with_sync(target_of(), ModuleResult.from_json(outcome))
        assert (target.verdict == "not_started") is verify
        assert target.verdict == verdict
        record = (outcome.get("syncs") or [{}])[0]
        assert target.changed == bool(record.get("changed"))
        assert (target.failure is None) == (record.get("failure", 1) is None)

    def test_what_an_earlier_run_changed_stays_changed(self) -> None:
        target = with_sync(target_of(changed=True), result("skipped"))
        assert target.changed


# -- verification and rollback -----------------------------------------------------------------------------------------


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


# -- the end -----------------------------------------------------------------------------------------------------------

#: keys of the contract
REPORT = (
    "verdict ok changed message check_mode run release digest started_at finished_at elapsed actor error override_reason"
    " lifted_hold held warnings summary phases targets"
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
        said = self.message("succeeded", "rolled_back", "not_started", "not_started")
        assert said == "rolled_back: 2 not started, 1 succeeded, 1 rolled back. shop-1: reason of shop-1."

    def test_an_error(self) -> None:
        assert self.message(error="option x: bad") == "failed: option x: bad."

    def test_what_to_do_next(self) -> None:
        assert "Run the playbook again" in self.message("unknown")
        assert "staging_promotion_lift_hold" in self.message("rolled_back", held=("shop-0",))
        assert "staging_promotion_lift_hold" not in self.message("rolled_back")

    def test_all_that_keep_it_from_being_done_are_reported(self) -> None:
        state = TestTheEnd.ended("not_started", "refused", "refused")
        state = state.with_targets(*(target.with_check("credentials", False, "no") for target in state.targets[1:]))
        said = _promotion_report.evaluate(state.stop("refused", "another target did not pass")).message
        assert said == "refused: 3 refused. shop-1: reason of shop-1. shop-2: reason of shop-2."


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
