# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Promotions that are interrupted and go on."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Collection, Iterable
from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.phase import StepRequest, StepResult
from tests.simulator.client import wait_until

from . import promotion
from .promotion import Kill, Play, check_report
from .stage import ALLOWED_LONG_AGO, NEW, OLD, Stage, outcome

STEPS = (*promotion.DECIDE, *promotion.WAVE, "report")
#: ends for which a run without ``--long`` has no time: it has others around the same requests
LONG = {
    *(Kill(step, "after") for step in STEPS if step not in (promotion.DECIDE[-1], "sync", "report")),
    *(Kill(step, "waiting") for step in ("backup", "sync")),
    *(Kill(step, "calling") for step in ("backup", "verify")),
}
#: those of a promotion that is rolled back
LONG_ROLLBACK = {Kill("verify", "after"), Kill("rollback", "after"), Kill("rollback", "before"), Kill("verify", "called")}


def sorted_out(kills: Iterable[Kill], long: Collection[Kill]) -> list[pytest.ParameterSet]:
    """Parameters of a test that is ended at each of these moments, at some only with ``--long``."""
    return [pytest.param(kill, marks=pytest.mark.long if kill in long else (), id=str(kill)) for kill in kills]


class TestResuming:
    def test_a_run_that_was_killed_in_another_container(self, stage: Stage) -> None:
        """That it is gone shows when its lock expires, by which time its sync has long succeeded. It is verified all the same."""
        stage.begin_mortal(elsewhere=True)
        killed = stage.play(kill=Kill("sync", "after"), release=NEW)
        stage.die()
        timer = threading.Timer(1.0, stage.expire_leases)
        timer.start()
        play = stage.play(release=NEW, lock_wait=60)
        timer.join()
        assert (killed.killed, outcome(play)) == (True, ["succeeded", True, False])
        resumed = play.target["resumed"]
        assert resumed["phase"] == "verify"
        assert play.target["verify"]["ok"] is True
        assert stage.sent == {"backup": 1, "sync": 1}
        reason = next(phase["reason"] for phase in play.report["phases"] if phase["phase"] == "lock")
        assert re.search(rf"shop: taken over from run {resumed['run']} of .*, which was last heard of at 2", reason)

    def resume(self, stage: Stage, kill: Kill, **variables: Any) -> tuple[Play, Play]:
        """A run that is ended, and the next one."""
        stage.begin_mortal()
        killed = stage.play(kill=kill, **variables)
        assert killed.killed, f"{kill} never came"
        self.check_what_is_left(stage, kill)
        stage.die()
        return killed, stage.play(**variables)

    def check_what_is_left(self, stage: Stage, kill: Kill) -> None:
        """From the first step on there is a report of a run that is killed, too."""
        left = json.loads(stage.report.read_text())
        check_report(left)
        for suffix in (".json", ".md", ".html"):
            stage.report.with_suffix(suffix).unlink()
        if kill in (Kill("report", "after"), Kill("notify", "after")):
            assert left["unfinished"] is None
            return
        assert (left["ok"], left["verdict"]) == (False, "unknown")
        assert "run the playbook again" in left["message"]
        sent = {call["call"]: call["state"] for call in left["unfinished"]["sent"]}
        if kill.moment in ("calling", "called", "waiting"):
            assert left["unfinished"]["phase"] == kill.step
            call = "restore" if kill.step == "rollback" else kill.step
            assert sent.get(call) == ("unknown" if call in ("backup", "sync", "restore") else None)
            assert left["targets"][0]["verdict"] == ("not_started" if kill.step == "backup" else "unknown")
        if kill == Kill("sync", "after"):
            assert (left["unfinished"]["phase"], sent) == ("sync", {"backup": "made", "sync": "succeeded"})

    @pytest.mark.parametrize(
        "kill",
        sorted_out(
            [
                *(Kill(step, "after") for step in STEPS),
                *(Kill(step, moment) for step in ("backup", "sync") for moment in ("calling", "called", "waiting")),
                *(Kill("verify", moment) for moment in ("calling", "called")),
            ],
            LONG,
        ),
    )
    def test_a_promotion_goes_on(self, stage: Stage, kill: Kill) -> None:
        """Over both runs, there is one backup and one sync."""
        # it takes long only where it is to be found at work
        seconds = 1.5 if kill.moment == "waiting" else 0.3
        stage.knob(sync_seconds=seconds, backup_seconds=seconds)
        _killed, play = self.resume(stage, kill)
        assert (play.verdict, stage.production) == ("succeeded", NEW)
        assert stage.sent == {"backup": 1, "sync": 1}
        found = play.report["interrupted"]
        if play.target["resumed"]:
            assert found == [{"target": "shop", **play.target["resumed"], "outcome": "succeeded"}]
            text = f"Run {found[0]['run']} had been interrupted in phase {found[0]['phase']}; this run went on with it."
            assert text in play.reported["message"]
        else:
            assert (found, "interrupted" in play.reported["message"]) == ([], False)
        overwritten = kill.step in ("sync", "verify")
        assert bool(play.target["resumed"]) == (overwritten or kill.step in ("lock", "begin_wave", "backup"))
        if overwritten and kill != Kill("sync", "calling"):
            assert play.target["backup"]["id"]
            assert [probe["ok"] for probe in play.target["before"]] == [True]
        stage.simulator.clear()
        assert (stage.play().verdict, stage.sent) == ("succeeded", {})

    @pytest.mark.parametrize(
        "kill",
        sorted_out(
            [
                *(Kill(step, "after") for step in ("sync", "verify", "rollback", "report")),
                *(Kill("rollback", moment) for moment in ("before", "calling", "called", "waiting")),
                Kill("verify", "called"),
            ],
            LONG_ROLLBACK,
        ),
    )
    def test_a_rollback_goes_on(self, stage: Stage, kill: Kill) -> None:
        """Over both runs, there is one restore, and production is as it was."""
        stage.knob(broken_release=NEW, restore_seconds=3.0 if kill.moment == "waiting" else 0.3)
        _killed, play = self.resume(stage, kill)
        assert play.verdict == ("refused" if kill.step == "report" else "rolled_back")
        assert stage.production == OLD
        assert stage.sent == {"backup": 1, "restore": 1, "sync": 1}
        assert (stage.play().verdict, stage.sent["sync"]) == ("refused", 1)

    @pytest.mark.parametrize(
        "kill",
        sorted_out(
            [Kill("sync", "waiting"), Kill("sync", "after"), Kill("backup", "waiting")],
            {Kill("sync", "after"), Kill("backup", "waiting")},
        ),
    )
    def test_a_release_without_a_name(self, stage: Stage, kill: Kill) -> None:
        stage.knob(sync_seconds=1.5, backup_seconds=1.5)
        killed, play = self.resume(stage, kill, release="")
        assert (play.verdict, stage.sent) == ("succeeded", {"backup": 1, "sync": 1})
        assert play.target["resumed"]["run"] in killed.memory
        # that was one promotion; the next one is another
        assert stage.play(release="").verdict == "succeeded"
        assert stage.sent == {"backup": 2, "sync": 2}

    def test_windows_and_approval_are_about_beginning(self, stage: Stage) -> None:
        stage.knob(sync_seconds=1.5)
        _killed, play = self.resume(stage, Kill("sync", "waiting"), windows={})
        assert play.verdict == "succeeded"
        stage.simulator.reset()
        stage.knob(sync_seconds=1.5)
        stage.begin_mortal()
        stage.play(kill=Kill("sync", "waiting"), release="2026.12")
        stage.die()
        play = stage.play(release="2026.12", windows=ALLOWED_LONG_AGO, approval="token")
        assert play.verdict == "succeeded"

    def test_another_release_takes_its_place(self, stage: Stage) -> None:
        stage.begin_mortal()
        killed = stage.play(kill=Kill("sync", "after"))
        stage.die()
        play = stage.play(release="2026.12")
        assert (play.verdict, stage.sent["sync"]) == ("succeeded", 2)
        assert any("abandoned" in text for text in play.warnings)
        (found,) = play.report["interrupted"]
        assert (found["phase"], found["outcome"]) == ("verify", "abandoned")
        assert f"Run {found['run']} had been interrupted in phase verify; this run took its place." in play.reported["message"]
        assert killed.killed

    def test_another_release_does_not_take_the_sync_in_flight_for_its_own(self, stage: Stage) -> None:
        stage.knob(sync_seconds=1.5)
        stage.begin_mortal()
        stage.play(kill=Kill("sync", "waiting"))
        stage.die()
        play = stage.play(release="2026.12")
        assert (play.verdict, play.target["sync"]["action"]) == ("succeeded", "triggered")
        assert stage.sent["sync"] == 2

    def test_in_check_mode_it_is_reported_and_left_alone(self, stage: Stage) -> None:
        stage.knob(sync_seconds=1.5)
        stage.begin_mortal()
        stage.play(kill=Kill("sync", "waiting"))
        stage.die()
        before = stage.ledger.read_bytes()
        play = stage.play(check=True)
        assert (play.verdict, play.target["resumed"]["phase"]) == ("planned", "sync")
        assert (stage.sent, stage.ledger.read_bytes()) == ({"backup": 1, "sync": 1}, before)
        assert stage.play().verdict == "succeeded"
        assert stage.sent == {"backup": 1, "sync": 1}

    def test_the_second_wave_of_a_canary(self, stage: Stage) -> None:
        targets = [stage.entry("blog", 90), stage.entry("shop", 88)]
        stage.begin_mortal()
        killed = stage.play(kill=Kill("begin_wave", "after"), targets=targets)
        assert killed.killed
        stage.die()
        play = stage.play(targets=targets)
        assert (play.verdict, stage.sent) == ("succeeded", {"backup": 2, "sync": 2})

    def test_a_wave_of_which_half_is_done(self, stage: Stage) -> None:
        targets = [stage.entry("blog", 90), stage.entry("shop", 88)]
        stage.begin_mortal()
        stage.play(kill=Kill("sync", "after"), targets=targets, serial=["2"])
        assert stage.sent == {"backup": 2, "sync": 1}
        stage.die()
        play = stage.play(targets=targets, serial=["2"])
        assert (play.verdict, stage.sent) == ("succeeded", {"backup": 2, "sync": 2})
        assert [target["resumed"]["phase"] for target in play.report["targets"]] == ["verify", "backup"]

    @pytest.mark.parametrize("why", ["window", pytest.param("approval", marks=pytest.mark.long), "preflight"])
    def test_what_was_begun_is_brought_to_an_end_although_nothing_else_may_begin(self, stage: Stage, why: str) -> None:
        targets = [stage.entry("blog", 90), stage.entry("shop", 88)]
        stage.begin_mortal()
        stage.play(kill=Kill("sync", "after"), targets=targets)
        stage.die()
        if why == "window":
            play = stage.play(targets=targets, windows=ALLOWED_LONG_AGO)
        elif why == "approval":
            play = stage.play(targets=targets, approval="token")
        else:
            play = stage.play(targets=[targets[0], stage.entry("shopp")])
        assert outcome(play) == ["refused", False, False]
        assert [target["verdict"] for target in play.report["targets"]] == ["succeeded", "refused"]
        assert stage.sent == {"backup": 1, "sync": 1}
        again = stage.play(targets=targets)
        assert (again.verdict, stage.sent) == ("succeeded", {"backup": 2, "sync": 2})
        assert [target["changed"] for target in again.report["targets"]] == [False, True]

    def test_a_sync_in_flight_is_not_given_up_because_the_service_is_away(self, stage: Stage) -> None:
        stage.knob(sync_seconds=1.5)
        stage.begin_mortal()
        stage.play(kill=Kill("sync", "waiting"))
        stage.die()
        away = Play(stage.variables())
        original = away.take

        def take(step: str, request: StepRequest) -> StepResult:
            if step == "sync":
                stage.fault("status", "/organizations/5", code=401, body="{}", times=None)
            return original(step, request)

        away.take = take  # type: ignore[method-assign]  # it goes away between two steps
        away.run()
        stage.plays.append(away)
        assert away.verdict == "unknown"
        stage.simulator.clear()
        play = stage.play()
        assert (play.verdict, play.target["resumed"]["phase"], stage.production) == ("succeeded", "sync", NEW)
        assert "sync" not in stage.sent

    def test_the_own_sync_is_no_other_one(self, stage: Stage) -> None:
        stage.knob(sync_seconds=1.5)
        targets = [stage.entry(options={"if_running": "fail"})]
        _killed, play = self.resume(stage, Kill("sync", "waiting"), targets=targets)
        assert play.verdict in ("succeeded", "unknown")
        assert stage.sent == {"backup": 1, "sync": 1}
        wait_until(lambda: not stage.truth()["busy"])
        assert stage.play(targets=targets).verdict == "succeeded"
        assert stage.sent == {"backup": 1, "sync": 1}

    def test_a_ledger_that_is_lost(self, stage: Stage) -> None:
        """Then nothing is known of the release, and only the server could tell."""
        stage.play()
        for path in stage.ledger.parent.iterdir():
            path.unlink()
        play = stage.play()
        assert play.verdict == "succeeded"
        assert stage.production == NEW
