# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is found before anything is changed."""

from __future__ import annotations

import pytest

from tests.simulator.client import wait_until

from .promotion import Play
from .stage import NEW, Json, Stage, outcome


class TestPreflight:
    @staticmethod
    def refused(stage: Stage, play: Play, check: str, code: str | None = None) -> None:
        """Nothing was changed, and the report says why."""
        assert outcome(play) == ["refused", False, False]
        assert play.failed_checks == [check]
        assert (stage.sent, play.phases) == ({}, ["preflight:refused"])
        assert (play.target["failure"] or {}).get("code") == code

    def test_a_wrong_token(self, stage: Stage) -> None:
        stage.token, right = "wrong-" + stage.token[:40], stage.token
        play = stage.play()
        self.refused(stage, play, "credentials", "auth_failed")
        stage.check_secrets()
        stage.token = right

    def test_an_unknown_application(self, stage: Stage) -> None:
        play = stage.play(targets=[stage.entry("shopp")])
        self.refused(stage, play, "target", "not_found")
        assert "shop" in play.report["message"]

    def test_no_staging_area(self, stage: Stage) -> None:
        self.refused(stage, stage.play(targets=[stage.entry("landing", 77)]), "staging", "staging_disabled")

    def test_the_disk_is_fuller_than_allowed(self, stage: Stage) -> None:
        stage.knob(disk_usage=91.5)
        play = stage.play(max_disk_percent=90)
        self.refused(stage, play, "disk")
        assert "91.5" in play.report["message"]
        assert "staging_promotion_max_disk_percent (90)" in play.report["message"]
        assert stage.play(max_disk_percent=92).verdict == "succeeded"

    def test_the_server_is_disconnected(self, stage: Stage) -> None:
        stage.knob(disconnected_servers=[15])
        self.refused(stage, stage.play(), "connection", "connection_failed")

    def test_the_service_is_not_there(self, stage: Stage) -> None:
        entry = stage.entry(options={"api_url": "http://127.0.0.1:9", "wait_timeout": 0.3}, verify=[])
        self.refused(stage, stage.play(targets=[entry]), "connection", "connection_failed")

    def test_staging_does_not_work(self, stage: Stage) -> None:
        probe = {"name": "copy", "url": f"{stage.url}/sites/89/", "regex": "release-3"}
        play = stage.play(targets=[stage.entry(verify_staging=[probe])])
        self.refused(stage, play, "staging probes")
        assert "copy" in play.report["message"]

    def test_a_probe_with_a_wrong_option(self, stage: Stage) -> None:
        probe = {"url": f"{stage.url}/sites/88/", "regex": "("}
        play = stage.play(targets=[stage.entry(verify=[probe])])
        self.refused(stage, play, "probes")
        assert "staging_promotion_targets[0].verify[0].regex" in play.report["message"]

    @pytest.mark.parametrize("probe", [{"stauts": 200}, {"status": "good"}])
    def test_a_probe_with_a_wrong_option_for_the_validator(self, stage: Stage, probe: Json) -> None:
        play = stage.play(targets=[stage.entry(verify=[{"url": f"{stage.url}/sites/88/", **probe}])])
        self.refused(stage, play, "probes")
        assert next(iter(probe)) in play.report["message"]

    def test_an_option_that_the_module_does_not_have(self, stage: Stage) -> None:
        play = stage.play(targets=[stage.entry(options={"serfer": "15"})])
        self.refused(stage, play, "plan", "invalid_option")
        assert "serfer" in play.report["message"]

    def test_no_backup_where_one_is_required(self, stage: Stage) -> None:
        play = stage.play(targets=[stage.entry(backup={})], backup="required")
        self.refused(stage, play, "backup")
        assert "staging_promotion_targets[0].backup" in play.report["message"]

    def test_a_storage_that_does_not_exist(self, stage: Stage) -> None:
        play = stage.play(targets=[stage.entry(backup={"storage": "Nowhere"})], backup="required")
        self.refused(stage, play, "backup")
        assert stage.play(targets=[stage.entry(backup={"storage": "Nowhere"})]).verdict == "succeeded"
        assert stage.sent == {"sync": 1}

    def test_all_targets_are_looked_at_and_nothing_is_begun(self, stage: Stage) -> None:
        play = stage.play(targets=[stage.entry(), stage.entry("shopp"), stage.entry("landing", 77)])
        assert outcome(play) == ["refused", False, False]
        assert play.failed_checks == ["target", "staging"]
        assert [target["verdict"] for target in play.report["targets"]] == ["refused"] * 3
        assert stage.sent == {}
        assert "shopp" in play.report["message"]

    def test_a_sync_that_somebody_else_began_is_joined(self, stage: Stage) -> None:
        stage.knob(sync_seconds=4)
        stage.control("POST", "/applications/88/sync")
        wait_until(lambda: stage.truth()["busy"])
        play = stage.play(backup="none")
        assert (play.verdict, play.target["sync"]["action"]) == ("succeeded", "joined")
        assert (stage.sent, stage.production) == ({}, NEW)

    def test_unless_it_is_to_be_refused(self, stage: Stage) -> None:
        stage.knob(sync_seconds=30)
        stage.control("POST", "/applications/88/sync")
        play = stage.play(targets=[stage.entry(options={"if_running": "fail"})])
        self.refused(stage, play, "idle", "busy")


class TestVariables:
    def test_bad_ones_end_with_a_report(self, stage: Stage) -> None:
        play = stage.play(serial=["none"])
        assert outcome(play) == ["failed", False, False]
        assert "staging_promotion_serial" in play.report["error"]
        assert (stage.sent, play.phases, play.report["targets"]) == ({}, [], [])

    def test_what_the_probes_would_not_take_is_found_before_anything_happens(self, stage: Stage) -> None:
        for name, value in (("interval", 0), ("interval", 3601), ("successes", 0), ("successes", 1001), ("timeout", 1e9)):
            play = stage.play(**{f"verify_{name}": value})
            assert (play.verdict, stage.sent, play.called) == ("failed", {}, [])
            assert f"staging_promotion_verify_{name}" in play.report["message"]

    def test_a_report_that_cannot_be_written(self, stage: Stage) -> None:
        (stage.directory / "file").write_text("")
        for path in (stage.directory / "file" / "report.json", stage.directory):
            play = stage.play(report_path=str(path))
            assert play.verdict == "failed"
            assert "staging_promotion_report_path" in play.reported["message"]
            assert str(path) in play.reported["message"]
        assert stage.sent == {}

    def test_a_ledger_that_cannot_be_used(self, stage: Stage) -> None:
        (stage.directory / "file").write_text("")
        for path in (stage.directory / "file" / "ledger.sqlite3", stage.directory):
            play = stage.play(ledger_path=str(path))
            assert play.verdict in ("failed", "refused")
            assert not play.report["ok"]
            assert "staging_promotion_ledger" in play.report["message"]
            assert str(path) in play.report["message"]
            assert "staging_promotion_ledger" in play.report["phases"][-1]["reason"]
        assert stage.sent == {}
