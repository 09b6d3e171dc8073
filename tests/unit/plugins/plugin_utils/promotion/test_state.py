# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The decisions of a promotion: from what is known to what follows, without anything around."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion import (
    report as _promotion_report,
    state as promotion,
)
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.settings import PromotionSettings, read

Json = dict[str, Any]

ACTOR = {"user": "eve", "host": "controller", "job": None}
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


def state_of(settings: PromotionSettings | None = None, check_mode: bool = False, run: str = "p-1") -> Json:
    return promotion.new_state(run, settings or settings_of(), BEGIN, check_mode, ACTOR)


def target_of(**more: Any) -> Json:
    return {**state_of()["targets"][0], **more}


def failure(code: str, message: str = "it says no", hint: str = "Look at it.") -> Json:
    return {"code": code, "message": message, "http_status": None, "hint": hint}


def result(action: str = "would_trigger", requests: int = 3, **more: Any) -> Json:
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


def seen(name: str = "site", ok: bool = True, problem: str = "status 500, wanted 200") -> Json:
    """The result of a probe."""
    return {"name": name, "ok": ok, "problems": [] if ok else [problem]}


def checks_of(target: Json) -> dict[str, bool | None]:
    return {check["name"]: check["ok"] for check in target["checks"]}


# -- the plan ----------------------------------------------------------------------------------------------------------


class TestPlan:
    def test_when_all_is_well(self) -> None:
        target = target_of()
        promotion.judge_plan(target, result(), 95)
        assert target["plan"] == {"action": "would_trigger", "reason": "because of would_trigger", "failure": None}
        assert (target["target"], target["requests"]) == ("shop", 3)
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
        target = target_of()
        promotion.judge_plan(target, result("refused", failure=failure(code), detail={}), 95)
        checks = checks_of(target)
        assert [name for name, ok in checks.items() if ok is False] == [culprit]
        assert sum(ok is True for ok in checks.values()) == passed
        assert next(check for check in target["checks"] if check["ok"] is False)["text"] == "it says no. Look at it."

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
        target = target_of()
        promotion.judge_plan(target, outcome, 95)
        assert target["plan"]["action"] == "refused"
        assert target["checks"][0]["name"] == "plan"
        assert target["checks"][0]["text"].startswith(words)
        assert not promotion.has_work(target)

    @pytest.mark.parametrize(
        ("used", "limit", "ok"), [(95.0, 95.0, True), (95.1, 95.0, False), (0, 0.0, True), (None, 95.0, None)]
    )
    def test_the_disk(self, used: float | None, limit: float, ok: bool | None) -> None:
        target = target_of()
        promotion.judge_plan(target, result(detail={"disk_usage": used}), limit)
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
        target = target_of(plan={"action": action}, resumed=phase and {"phase": phase, "run": "p-0"})
        assert (promotion.has_work(target), promotion.is_resumed(target)) == (acts, resumed)
        state = {"targets": [target]}
        assert promotion.starts_something(state) == (acts and not resumed)
        promotion.add_check(target, "credentials", False, "no")
        promotion.add_check(target, "disk", None, "who knows")
        assert promotion.refusals(state) == ([] if resumed else [f"{target['name']}: credentials: no"])

    def test_one_target_by_two_names(self) -> None:
        state = state_of(settings_of(4))
        for number, target in enumerate(state["targets"]):
            target["key"] = None if number == 3 else promotion.key_of(result()["syncs"][0], "serveravatar", "https://a/")
        state["targets"][1]["key"]["target"] = "5/15/89"
        promotion.reject_duplicates(state)
        assert promotion.refusals(state) == [
            "shop-2: entry: it is the same target as shop-0. Leave one of them out",
        ]

    def test_the_key_is_made_of_ids_where_there_are_any(self) -> None:
        key = promotion.key_of(result()["syncs"][0], "serveravatar", "https://a/")
        assert key == {"provider": "serveravatar", "address": "https://a/", "target": "5/15/88"}
        assert promotion.key_of(result(detail={})["syncs"][0], "plm", "")["target"] == "shop"


def test_no_staging_area_is_looked_for_where_there_is_none() -> None:
    target = target_of(provider="plm")
    promotion.judge_plan(target, result(detail={}), 95)
    assert "staging" not in checks_of(target)


class TestDigest:
    @staticmethod
    def digest(settings: PromotionSettings | None = None, action: str = "would_trigger", **state: Any) -> str:
        settings = settings or settings_of(2)
        known = {**state_of(settings), **state}
        for number, target in enumerate(known["targets"]):
            promotion.judge_plan(target, result(action), 95)
            target["key"] = {"provider": target["provider"], "address": "https://a/", "target": f"5/15/{number}"}
        return promotion.digest_of(known, settings)

    def test_it_does_not_move_by_itself(self) -> None:
        assert self.digest() == self.digest()
        assert len(self.digest()) == 16
        others = {"run": "p-2", "started_at": "2027-01-01T00:00:00Z", "check_mode": True, "actor": {}, "warnings": ["x"]}
        assert self.digest(**others) == self.digest()

    def test_secrets_are_not_in_it(self) -> None:
        settings = settings_of(2)
        for target in settings.targets:
            target.options["api_token"] = "another"
            target.verify[0]["request_headers"] = {"Authorization": "another"}
            target.verify[0]["url_password"] = "another"
            target.verify[0]["url"] = target.verify[0]["url"].replace("//", "//eve:another@")
        assert self.digest(settings) == self.digest()

    def test_readings_are_not_in_it(self) -> None:
        settings = settings_of()
        first, second = state_of(settings), state_of(settings)
        for state, used in ((first, 41.0), (second, 42.0)):
            promotion.judge_plan(state["targets"][0], result(reason=f"{used}", detail={"disk_usage": used}), 95)
        assert promotion.digest_of(first, settings) == promotion.digest_of(second, settings)

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
        backup = promotion.judge_backup(result(action, detail={"backup": LISTED}))
        assert backup == {
            **LISTED,
            "state": state,
            "reason": f"because of {action}",
            "elapsed": 2.5,
            "failure": None,
        }

    @pytest.mark.parametrize(
        ("outcome", "state", "words"),
        [
            (result("would_trigger"), "planned", "because of would_trigger"),
            (result("would_join"), "planned", "because of would_join"),
            (result("triggered"), "failed", "not listed"),
            (result("refused", failure=failure("disk_full")), "failed", "it says no. Look at it."),
            ({"failed": True, "msg": "Unsupported parameters: x"}, "failed", "Unsupported parameters: x."),
        ],
    )
    def test_one_that_is_not(self, outcome: Json, state: str, words: str) -> None:
        backup = promotion.judge_backup(outcome)
        assert (backup["state"], backup["id"]) == (state, None)
        assert words in backup["reason"]
        assert set(backup) == set(promotion.no_backup(""))


class TestSync:
    @pytest.mark.parametrize(
        ("outcome", "verify", "verdict"),
        [
            (result("triggered", state="succeeded"), True, "not_started"),
            (result("joined", state="succeeded"), True, "not_started"),
            (result("skipped"), True, "not_started"),
            (result("triggered", state="unknown"), True, "not_started"),
            # production may have been overwritten in part
            (result("triggered", state="failed", failure=failure("run_failed")), True, "not_started"),
            (result("triggered", state="running", timed_out=True, failure=failure("timed_out")), False, "unknown"),
            (result("triggered", state="unknown", failure=failure("outcome_unknown")), False, "unknown"),
            (result("refused", failure=failure("disk_full")), False, "failed"),
            (result("refused", failure=failure("guard_refused")), False, "refused"),
            ({"failed": True, "msg": "no"}, False, "failed"),
        ],
    )
    def test_what_follows(self, outcome: Json, verify: bool, verdict: str) -> None:
        target = target_of()
        assert promotion.judge_sync(target, outcome) is verify
        assert target["verdict"] == verdict
        record = (outcome.get("syncs") or [{}])[0]
        assert target["changed"] == bool(record.get("changed"))
        assert (target["failure"] is None) == (record.get("failure", 1) is None)

    def test_what_an_earlier_run_changed_stays_changed(self) -> None:
        target = target_of(changed=True)
        promotion.judge_sync(target, result("skipped"))
        assert target["changed"]


# -- verification and rollback -----------------------------------------------------------------------------------------


class TestProbes:
    def test_before_and_after(self) -> None:
        before = [seen("a"), seen("b", ok=False), seen("c", ok=False), seen("d")]
        after = [seen("a"), seen("b"), seen("c", ok=False), seen("d", ok=False), seen("e", ok=False)]
        verify = promotion.judge_probes(after, before, 1.5)
        assert (verify["ok"], verify["elapsed"]) == (False, 1.5)
        assert (verify["already_failing"], verify["regressions"]) == (["c"], ["d", "e"])
        assert [probe["was_ok"] for probe in verify["probes"]] == [True, False, False, True, None]
        assert "d: status 500, wanted 200" in verify["reason"]
        assert "c: status 500, wanted 200 (it was failing before the promotion, too)" in verify["reason"]

    def test_probes_that_were_changed_meanwhile(self) -> None:
        verify = promotion.judge_probes([seen("new", ok=False)], [seen("old", ok=False)], 0)
        assert (verify["regressions"], verify["probes"][0]["was_ok"]) == (["new"], None)

    def test_none(self) -> None:
        verify = promotion.judge_probes([], [], 0)
        assert (verify["ok"], verify["reason"]) == (True, "no probes are declared")

    @given(st.lists(st.tuples(st.booleans(), st.sampled_from([True, False, None])), max_size=8))
    def test_each_failure_is_one_of_both(self, probes: list[tuple[bool, bool | None]]) -> None:
        before = [seen(str(number) if was is not None else "?", ok=bool(was)) for number, (_ok, was) in enumerate(probes)]
        after = [seen(str(number), ok=ok) for number, (ok, _was) in enumerate(probes)]
        verify = promotion.judge_probes(after, before, 0)
        failing = {str(number) for number, (ok, _was) in enumerate(probes) if not ok}
        assert {*verify["regressions"], *verify["already_failing"]} == failing
        assert not set(verify["regressions"]) & set(verify["already_failing"])
        assert verify["ok"] == (not failing)
        assert set(verify["already_failing"]) == {str(n) for n, (ok, was) in enumerate(probes) if not ok and was is False}


class TestVerification:
    @staticmethod
    def target(green: bool, action: str = "triggered", run_failed: bool = False, backup: int | None = 313, **more: Any) -> Json:
        found = target_of(plan={"action": "would_trigger", "reason": "planned"}, **more)
        promotion.judge_sync(found, result(action, failure=failure("run_failed") if run_failed else None))
        found["backup"] = {**promotion.no_backup("it was too big"), "id": backup}
        found["verify"] = promotion.judge_probes([seen(ok=green)], [seen()], 1.0)
        return found

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
        self, policy: str, backup: int | None, restore: bool, verdict: str, state: str, hold: bool, run_failed: bool
    ) -> None:
        target = self.target(green=run_failed, run_failed=run_failed, backup=backup)
        assert promotion.judge_verification(target, policy) is restore
        assert (target["verdict"], target["rollback"]["state"], target["rollback"]["backup"]) == (verdict, state, backup)
        assert ("the sync failed" if run_failed else "verification failed: site: status 500") in target["reason"]
        assert promotion.needs_hold(target, policy) is hold
        if backup is None and policy != "never":
            assert "it was too big" in target["reason"]
        elif policy == "manual":
            assert "restore backup 313 with lockstep.sync.serveravatar_restore" in target["reason"]

    @pytest.mark.parametrize(
        ("action", "words"),
        [("triggered", "promoted; 1 of 1"), ("joined", "in flight; 1 of 1"), ("skipped", "because of skipped; 1 of 1")],
    )
    def test_green(self, action: str, words: str) -> None:
        target = self.target(green=True, action=action)
        assert promotion.judge_verification(target, "auto") is False
        assert (target["verdict"], target["rollback"], promotion.needs_hold(target, "auto")) == ("succeeded", None, False)
        assert words in target["reason"]

    def test_nothing_is_rolled_back_that_was_not_promoted(self) -> None:
        target = self.target(green=False, action="skipped")
        assert promotion.judge_verification(target, "auto") is False
        assert (target["verdict"], target["rollback"]) == ("failed", None)
        assert "nothing was promoted by this run" in target["reason"]
        # unless an earlier run did
        resumed = self.target(green=False, action="skipped", resumed={"phase": "sync", "run": "p-0"})
        assert promotion.judge_verification(resumed, "auto") is True

    def test_what_was_resumed_is_told(self) -> None:
        target = self.target(green=True, action="skipped", resumed={"phase": "verify", "run": "p-0"})
        promotion.judge_verification(target, "auto")
        assert "brought to an end what run p-0 began" in target["reason"]

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
        target = self.target(green=False)
        promotion.judge_verification(target, "auto")
        assert promotion.judge_restore(target, result("triggered", state="succeeded")) is True
        promotion.judge_restored(target, promotion.judge_probes([seen(ok=after)], [seen(ok=before)], 1.0))
        assert (target["verdict"], target["rollback"]["elapsed"]) == (verdict, 3.5)
        assert words in target["reason"]
        assert "verification failed" in target["reason"]
        assert promotion.needs_hold(target, "auto")

    @pytest.mark.parametrize(
        "outcome",
        [
            result("refused", failure=failure("disk_full")),
            {"failed": True, "msg": "it says no"},
            {"failure": failure("bad_response")},
        ],
    )
    def test_a_restore_that_fails(self, outcome: Json) -> None:
        target = self.target(green=False)
        promotion.judge_verification(target, "auto")
        assert promotion.judge_restore(target, outcome) is False
        assert (target["verdict"], target["rollback"]["state"]) == ("rollback_failed", "failed")
        assert "the restore failed: it says no." in target["reason"]


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
ORDER = promotion.VERDICTS
verdicts = st.lists(st.sampled_from(ORDER), min_size=1, max_size=6)


class TestTheEnd:
    @staticmethod
    def ended(*found: str, error: str | None = None) -> Json:
        state = state_of(settings_of(len(found))) if found else {**state_of(), "targets": []}
        for target, verdict in zip(state["targets"], found, strict=True):
            promotion.set_verdict(target, verdict, f"reason of {target['name']}")
        return {**state, "error": error}

    @given(verdicts, st.sampled_from([None, "something broke"]))
    def test_the_worst_verdict_is_that_of_the_run(self, found: list[str], error: str | None) -> None:
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
        promotion.stop(state, "refused", "closed")
        assert [(target["verdict"], target["reason"]) for target in state["targets"]] == [
            ("succeeded", "reason of shop-0"),
            ("refused", "closed"),
        ]
        assert state["stopped"]

    @given(verdicts, st.booleans())
    def test_the_report_has_every_key_and_the_right_sums(self, found: list[str], check_mode: bool) -> None:
        state = {**self.ended(*found), "check_mode": check_mode}
        phase = promotion.begin_phase(state, "preflight", BEGIN, target="shop-0")
        phase["began"] = 12.5
        untouched = copy.deepcopy(state)
        report = _promotion_report.build_report(state, "2026-11-20T21:46:12Z", 60.00049, "")
        assert state == untouched
        assert set(report) == {*REPORT.split()}
        assert set(report["phases"][0]) == {*PHASE.split()}
        assert (report["phases"][0]["state"], promotion.is_open(report["phases"][0])) == ("failed", True)
        assert all(set(target) == {*TARGET.split()} for target in report["targets"])
        summary = report["summary"]
        assert sum(summary[verdict] for verdict in ORDER) == summary["targets"] == len(found)
        assert {name: summary[name] for name in ORDER} == {name: found.count(name) for name in ORDER}
        assert (report["ok"], report["elapsed"]) == (report["verdict"] in _promotion_report.GOOD, 60.0)
        json.dumps(report)

    def test_it_counts_what_was_changed_and_sent(self) -> None:
        state = self.ended("succeeded", "succeeded", "failed")
        for number, target in enumerate(state["targets"]):
            target["changed"], target["requests"] = number != 1, 10**number
        summary = _promotion_report.build_report(state, BEGIN, 1, "")["summary"]
        assert (summary["changed"], summary["requests"]) == (2, 111)


class TestMessage:
    @staticmethod
    def message(*found: str, path: str = "", **state: Any) -> str:
        made = TestTheEnd.ended(*found)
        return str(_promotion_report.build_report({**made, **state}, BEGIN, 1, path)["message"])

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
        assert "staging_promotion_lift_hold" in self.message("rolled_back", held=["shop-0"])
        assert "staging_promotion_lift_hold" not in self.message("rolled_back")

    def test_all_that_keep_it_from_being_done_are_told(self) -> None:
        state = TestTheEnd.ended("not_started", "refused", "refused")
        for target in state["targets"][1:]:
            promotion.add_check(target, "credentials", False, "no")
        promotion.stop(state, "refused", "another target did not pass")
        said = _promotion_report.build_report(state, BEGIN, 1, "")["message"]
        assert said == "refused: 3 refused. shop-1: reason of shop-1. shop-2: reason of shop-2."
