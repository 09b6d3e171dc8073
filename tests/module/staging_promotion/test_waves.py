# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several targets, wave after wave."""

from __future__ import annotations

from .stage import NEW, OLD, Json, Stage, outcome


class TestWaves:
    def entries(self, stage: Stage) -> list[Json]:
        return [stage.entry("blog", 90), stage.entry("shop", 88), stage.entry("support", 92)]

    def test_after_the_canary_nothing_is_touched(self, stage: Stage) -> None:
        stage.knob(applications={"90": {"broken_release": NEW}})
        play = stage.play(targets=self.entries(stage), serial=[1, "100%"])
        assert outcome(play) == ["rolled_back", False, True]
        assert [target["verdict"] for target in play.report["targets"]] == ["rolled_back", "not_started", "not_started"]
        assert stage.sent == {"backup": 1, "restore": 1, "sync": 1}
        assert [stage.truth(each)["production"] for each in (90, 88, 92)] == [OLD] * 3
        assert [target["wave"] for target in play.report["targets"]] == [1, 2, 2]

    def test_all_of_a_wave_are_synced_and_then_verified(self, stage: Stage) -> None:
        stage.knob(applications={"88": {"broken_release": NEW}})
        play = stage.play(targets=self.entries(stage), serial=["2"])
        assert [target["verdict"] for target in play.report["targets"]] == ["succeeded", "rolled_back", "not_started"]
        assert [stage.truth(each)["production"] for each in (90, 88, 92)] == [NEW, OLD, OLD]
        phases = [(phase["phase"], phase["wave"]) for phase in play.report["phases"] if phase["wave"]]
        assert phases == [("backup", 1), ("backup", 1), ("sync", 1), ("sync", 1), ("verify", 1), ("rollback", 1)]
        assert stage.sent == {"backup": 2, "restore": 1, "sync": 2}
        # the one that was brought to an end well is not done again
        stage.knob(applications={})
        again = stage.play(targets=self.entries(stage), lift_hold="repaired")
        assert [target["changed"] for target in again.report["targets"]] == [False, True, True]
        assert (again.verdict, stage.sent["sync"]) == ("succeeded", 4)

    def test_all_at_once(self, stage: Stage) -> None:
        play = stage.play(targets=self.entries(stage), serial=["100%"])
        assert outcome(play) == ["succeeded", True, True]
        assert (stage.sent, play.report["summary"]["changed"]) == ({"backup": 3, "sync": 3}, 3)
        assert play.phases.count("verify:passed") == 1

    def test_a_sync_that_fails_stops_the_wave(self, stage: Stage) -> None:
        stage.knob(applications={"90": {"sync_answer": "disk_staging"}})
        play = stage.play(targets=self.entries(stage), serial=["100%"])
        assert [target["verdict"] for target in play.report["targets"]] == ["failed", "not_started", "not_started"]
        assert stage.sent == {"backup": 3, "sync": 1}

    def test_what_was_synced_before_it_is_verified_all_the_same(self, stage: Stage) -> None:
        stage.knob(applications={"88": {"sync_answer": "disk_staging"}, "90": {"broken_release": NEW}})
        play = stage.play(targets=self.entries(stage), serial=["100%"])
        assert [target["verdict"] for target in play.report["targets"]] == ["rolled_back", "failed", "not_started"]
        assert [stage.truth(each)["production"] for each in (90, 88, 92)] == [OLD] * 3

    def test_the_same_application_twice(self, stage: Stage) -> None:
        play = stage.play(targets=[stage.entry(), stage.entry("88", name="shop again")])
        assert outcome(play) == ["refused", False, False]
        assert stage.sent == {}
        assert "shop again: entry: it is the same target as shop." in play.report["message"]
