# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups and syncs that fail in every way."""

from __future__ import annotations

import pytest

from .stage import ALLOWED_LONG_AGO, NEW, OLD, Json, Stage, outcome


class TestBackup:
    @pytest.mark.parametrize(
        ("knobs", "options"),
        [
            ({"backup_disk_full": True}, {}),
            ({"backup_outcome": "failure"}, {}),
            ({"backup_outcome": "never"}, {"wait_timeout": 1.5}),
        ],
    )
    def test_one_that_fails(self, stage: Stage, knobs: Json, options: Json) -> None:
        stage.knob(**knobs)
        play = stage.play(backup="required", targets=[stage.entry(options=options)])
        assert outcome(play) == ["failed", False, False]
        assert (play.phases[-1], play.target["backup"]["state"]) == ("backup:failed", "failed")
        assert (stage.sent, stage.production) == ({"backup": 1}, OLD)
        assert "not promoted" in play.report["message"]

    @pytest.mark.parametrize(
        ("knobs", "options"),
        [({"backup_disk_full": True}, {}), ({"backup_outcome": "never"}, {"wait_timeout": 1.5})],
    )
    def test_one_that_would_have_been_nice(self, stage: Stage, knobs: Json, options: Json) -> None:
        stage.knob(**knobs)
        play = stage.play(targets=[stage.entry(options=options)])
        assert outcome(play) == ["succeeded", True, True]
        assert "backup:failed" in play.phases
        assert any("without a backup" in text for text in play.report["warnings"])
        assert (stage.sent, stage.production) == ({"backup": 1, "sync": 1}, NEW)
        assert play.target["failure"] is None

    def test_none(self, stage: Stage) -> None:
        play = stage.play(backup="none")
        assert (play.verdict, stage.sent) == ("succeeded", {"sync": 1})
        assert play.target["backup"]["state"] == "none"
        assert "backup:skipped" in play.phases

    def test_a_lost_reply(self, stage: Stage) -> None:
        stage.fault("drop_after", "/backups$", method="POST")
        play = stage.play(backup="required")
        assert (play.verdict, stage.sent) == ("succeeded", {"backup": 1, "sync": 1})


class TestSync:
    def test_the_disk_is_full(self, stage: Stage) -> None:
        stage.knob(sync_answer="disk_production")
        play = stage.play()
        assert outcome(play) == ["failed", False, False]
        assert (play.phases[-1], play.target["failure"]["code"]) == ("sync:failed", "disk_full")
        assert (stage.sent, stage.production) == ({"backup": 1, "sync": 1}, OLD)
        assert "verify" not in "".join(play.phases)

    @pytest.mark.parametrize("kind", ["drop_after", "status_after"])
    def test_a_lost_reply_of_the_trigger(self, stage: Stage, kind: str) -> None:
        stage.fault(kind, "/sync$")
        play = stage.play()
        assert outcome(play) == ["succeeded", True, True]
        assert (stage.sent, stage.production) == ({"backup": 1, "sync": 1}, NEW)

    def test_a_trigger_of_which_nothing_is_known(self, stage: Stage) -> None:
        stage.fault("drop_before", "/sync$")
        play = stage.play(targets=[stage.entry(options={"settle_grace": 0.3})])
        assert play.verdict == "unknown"
        assert (stage.sent, stage.production) == ({"backup": 1, "sync": 1}, OLD)

    @pytest.mark.parametrize("damage", [True, False])
    def test_a_run_that_fails(self, stage: Stage, damage: bool) -> None:
        """It may have overwritten production in part, so that it is restored."""
        stage.knob(sync_outcome="failure", sync_damages_on_failure=damage)
        play = stage.play()
        assert outcome(play) == ["rolled_back", False, True]
        assert (stage.sent, stage.production) == ({"backup": 1, "restore": 1, "sync": 1}, OLD)
        assert "sync:failed" in play.phases
        assert play.phases[-1] == "rollback:passed"
        assert play.target["failure"]["code"] == "run_failed"

    def test_a_run_that_takes_too_long_is_waited_for_by_the_next_one(self, stage: Stage) -> None:
        stage.knob(sync_outcome="never")
        play = stage.play(targets=[stage.entry(options={"wait_timeout": 1.5})])
        assert outcome(play) == ["unknown", False, True]
        assert (play.phases[-1], stage.sent) == ("sync:failed", {"backup": 1, "sync": 1})
        assert "again" in play.report["message"]
        stage.control("POST", "/applications/88/finish")
        again = stage.play()
        assert again.verdict == "succeeded"
        assert again.target["resumed"]["run"] == play.report["run"]
        assert (stage.sent, stage.production) == ({"backup": 1, "sync": 1}, NEW)

    def test_and_rolled_back_by_it_if_it_has_to_be(self, stage: Stage) -> None:
        stage.knob(sync_outcome="never", broken_release=NEW)
        stage.play(targets=[stage.entry(options={"wait_timeout": 1.5})])
        stage.control("POST", "/applications/88/finish")
        again = stage.play(windows=ALLOWED_LONG_AGO)
        assert again.verdict == "rolled_back"
        assert (stage.sent, stage.production) == ({"backup": 1, "restore": 1, "sync": 1}, OLD)

    @pytest.mark.parametrize("row", ["frozen", "stamp_only"])
    def test_a_run_that_cannot_be_observed(self, stage: Stage, row: str) -> None:
        stage.knob(status_row=row)
        play = stage.play(targets=[stage.entry(options={"settle_grace": 0.5})])
        assert outcome(play) == ["succeeded", True, True]
        assert (stage.sent, stage.production) == ({"backup": 1, "sync": 1}, NEW)
        if row == "frozen":
            assert "could not be observed" in play.target["reason"]

    def test_permission_is_taken_away_meanwhile(self, stage: Stage) -> None:
        stage.knob(sync_answer="permission")
        play = stage.play()
        assert (play.verdict, stage.production) == ("failed", OLD)
        assert stage.sent["sync"] == 1
