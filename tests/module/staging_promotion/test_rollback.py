# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verification, rollback, and releases that are held back."""

from __future__ import annotations

import pytest

from .stage import NEW, OLD, SECRETS, Json, Stage, outcome


class TestRollback:
    def test_it_is_restored_and_verified(self, stage: Stage) -> None:
        stage.knob(broken_release=NEW)
        play = stage.play()
        assert outcome(play) == ["rolled_back", False, True]
        assert (stage.sent, stage.production) == ({"backup": 1, "restore": 1, "sync": 1}, OLD)
        assert play.phases[-3:] == ["sync:passed", "verify:failed", "rollback:passed"]
        target = play.target
        assert (target["verify"]["regressions"], target["verify"]["already_failing"]) == (["site of shop"], [])
        assert (target["rollback"]["state"], target["rollback"]["backup"]) == ("succeeded", target["backup"]["id"])
        assert target["rollback"]["verify"]["ok"]
        assert (play.report["held"], play.report["summary"]["rolled_back"]) == (["shop"], 1)

    @pytest.mark.parametrize("policy", ["manual", "never"])
    def test_unless_it_is_left_to_people(self, stage: Stage, policy: str) -> None:
        stage.knob(broken_release=NEW)
        play = stage.play(rollback=policy)
        assert outcome(play) == ["failed", False, True]
        assert (stage.sent, stage.production) == ({"backup": 1, "sync": 1}, NEW)
        assert (play.target["rollback"]["state"], play.phases[-1]) == ("manual", "verify:failed")
        assert play.report["held"] == (["shop"] if policy == "manual" else [])
        if policy == "manual":
            assert f"restore backup {play.target['backup']['id']}" in play.report["message"]
        again = stage.play(rollback=policy)
        assert (again.verdict, stage.sent) == ("refused" if policy == "manual" else "failed", {"backup": 1, "sync": 1})

    def test_or_there_is_no_backup(self, stage: Stage) -> None:
        stage.knob(broken_release=NEW)
        play = stage.play(backup="none")
        assert outcome(play) == ["failed", False, True]
        assert (play.target["rollback"]["state"], play.report["held"]) == ("impossible", ["shop"])
        assert (stage.sent, stage.production) == ({"sync": 1}, NEW)

    @pytest.mark.parametrize(
        "knobs",
        [
            {"restore_outcome": "failure"},
            pytest.param({"restore_answer": "disk"}, marks=pytest.mark.long),
            pytest.param({"restore_answer": "not_connected"}, marks=pytest.mark.long),
        ],
    )
    def test_a_restore_that_fails(self, stage: Stage, knobs: Json) -> None:
        stage.knob(broken_release=NEW, **knobs)
        play = stage.play()
        assert outcome(play) == ["rollback_failed", False, True]
        assert (play.phases[-1], play.target["rollback"]["state"]) == ("rollback:failed", "failed")
        assert (stage.sent["sync"], stage.production) == (1, NEW)
        assert play.report["held"] == ["shop"]
        again = stage.play()
        assert (again.verdict, stage.sent["sync"]) == ("refused", 1)

    def test_a_restore_that_takes_too_long(self, stage: Stage) -> None:
        stage.knob(broken_release=NEW, restore_outcome="never")
        play = stage.play(targets=[stage.entry(options={"wait_timeout": 1.5})])
        assert (play.verdict, stage.sent) == ("rollback_failed", {"backup": 1, "restore": 1, "sync": 1})

    def test_a_restore_whose_reply_is_lost(self, stage: Stage) -> None:
        stage.knob(broken_release=NEW)
        stage.fault("drop_after", "/restore$")
        play = stage.play()
        assert (play.verdict, stage.production) == ("rolled_back", OLD)
        assert stage.sent == {"backup": 1, "restore": 1, "sync": 1}

    def test_a_restore_that_never_arrived(self, stage: Stage) -> None:
        stage.knob(broken_release=NEW)
        stage.fault("drop_before", "/restore$")
        play = stage.play(targets=[stage.entry(options={"settle_grace": 0.4})])
        assert (play.verdict, stage.production) == ("rollback_failed", NEW)
        assert stage.sent["restore"] == 1

    def test_a_restored_production_that_does_not_work_either(self, stage: Stage) -> None:
        stage.knob(broken_release=NEW, site_warmup_seconds=60)
        play = stage.play()
        assert outcome(play) == ["rollback_failed", False, True]
        assert stage.production == OLD
        rollback = play.target["rollback"]
        assert (rollback["state"], rollback["verify"]["ok"]) == ("failed", False)

    def test_what_failed_before_may_fail_again(self, stage: Stage) -> None:
        """The site is broken with the old release already; another probe finds that the new one is worse."""
        entry = stage.entry()
        entry["verify"] = [
            {"name": "never worked", "url": f"{stage.url}/sites/88/", "regex": "no such text"},
            {"name": "old", "url": f"{stage.url}/sites/88/", "regex": OLD},
        ]
        play = stage.play(targets=[entry])
        assert (play.verdict, stage.production) == ("rolled_back", OLD)
        verify = play.target["verify"]
        assert (verify["already_failing"], verify["regressions"]) == (["never worked"], ["old"])
        assert play.target["rollback"]["verify"]["already_failing"] == ["never worked"]
        assert any("already" in text for text in play.warnings)

    def test_secrets_of_probes_are_not_disclosed(self, stage: Stage) -> None:
        """The check of the fixture looks for them everywhere."""
        stage.knob(broken_release=NEW)
        entry = stage.entry()
        headers = {"X-Key": SECRETS[1]}
        url = f"{stage.url}/sites/88/".replace("//", f"//eve:{SECRETS[0]}@", 1)
        entry["verify"] = [{"url": f"{url}?key={SECRETS[1]}", "request_headers": headers, "headers": {"X-Release": ".*"}}]
        play = stage.play(targets=[entry])
        assert (play.verdict, stage.production) == ("rolled_back", OLD)
        bad = {"url": f"{url}?key={SECRETS[1]}", "request_headers": headers, "regex": "("}
        assert stage.play(targets=[stage.entry(verify=[bad])], release="2026.12").verdict == "refused"

    def test_a_site_that_is_as_broken_as_before(self, stage: Stage) -> None:
        entry = stage.entry()
        entry["verify"] = [{"name": "never worked", "url": f"{stage.url}/sites/88/", "regex": "no such text"}]
        play = stage.play(targets=[entry])
        assert (play.verdict, stage.production) == ("rolled_back", OLD)
        assert play.target["verify"]["regressions"] == []
        assert play.target["verify"]["already_failing"] == ["never worked"]

    @pytest.mark.parametrize(
        ("moment", "verdict", "sent"),
        [
            ("before_backup", "failed", {}),
            ("before_sync", "failed", {"backup": 1}),
            ("after_sync", "rolled_back", {"backup": 1, "restore": 1, "sync": 1}),
            ("before_report", "failed", {"backup": 1, "sync": 1}),
        ],
    )
    def test_hooks_that_fail(self, stage: Stage, moment: str, verdict: str, sent: Json) -> None:
        play = stage.play(failing=moment)
        assert (play.verdict, stage.sent) == (verdict, sent)
        assert moment in play.report["message"]
        assert stage.production == (NEW if moment == "before_report" else OLD)
        # the locks of everything that was begun were released, so that another run may start
        assert stage.play(release="2026.12").verdict in ("succeeded", "rolled_back")


class TestHold:
    def test_a_bad_release_is_not_promoted_again(self, stage: Stage) -> None:
        stage.knob(broken_release=NEW)
        first = stage.play()
        again = stage.play()
        assert outcome(again) == ["refused", False, False]
        assert (again.failed_checks, stage.sent["sync"]) == (["hold"], 1)
        assert first.report["run"] in again.report["message"]
        assert "staging_promotion_lift_hold" in again.report["message"]
        assert stage.play(check=True).verdict == "refused"
        # another one may
        stage.knob(broken_release=None)
        assert stage.play(release="2026.12").verdict == "succeeded"
        assert (stage.sent["sync"], stage.production) == (2, NEW)

    def test_until_somebody_says_why(self, stage: Stage) -> None:
        stage.knob(broken_release=NEW)
        stage.play()
        stage.knob(broken_release=None)
        planned = stage.play(check=True, lift_hold="the database is repaired")
        assert planned.verdict == "planned"
        assert stage.play().verdict == "refused"
        play = stage.play(lift_hold="the database is repaired")
        assert (play.verdict, play.report["lifted_hold"]) == ("succeeded", "the database is repaired")
        assert (stage.sent, stage.production) == ({"backup": 2, "restore": 1, "sync": 2}, NEW)
        last = stage.play()
        assert (last.verdict, stage.sent["sync"]) == ("succeeded", 2)

    def test_a_release_without_a_name_is_held_back_too(self, stage: Stage) -> None:
        stage.knob(broken_release=NEW)
        assert stage.play(release="").verdict == "rolled_back"
        assert stage.play(release="").verdict == "refused"
        assert stage.sent["sync"] == 1
