# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A promotion that goes well, and the order of its phases."""

from __future__ import annotations

import re

from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.phases import STEPS
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.vocabulary import HOOKS, PHASES

from . import promotion
from .role_tasks import load, steps_of
from .stage import NEW, OLD, Json, Stage, outcome


def test_the_task_files_own_the_order_of_the_phases() -> None:
    """Steps and moments come in the order of the vocabulary; nothing else states an order."""
    steps = steps_of(promotion.ROLE / "tasks", promotion.MODULE)
    assert [step for step in dict.fromkeys(steps) if step in PHASES] == [*PHASES]
    assert set(steps) | {"hooks"} == {"start", *STEPS}
    assert moments_of("main.yml") == [*HOOKS]


def moments_of(file: str) -> list[str]:
    """The moments at which hooks run, in the order of the task files."""
    return _moments(load(promotion.ROLE / "tasks" / file))


def _moments(tasks: list[Json]) -> list[str]:
    found = []
    for task in tasks:
        included = task.get("ansible.builtin.include_tasks", "")
        if included == "hooks.yml":
            moment = task["vars"]["staging_promotion_moment"]
            # the block around it may have the condition, for the sake of its rescue section
            assert "when" not in task or f"'{moment}' in staging_promotion_begun.hooks" in task["when"]
            found.append(moment)
        elif included and "{{" not in included:
            found += moments_of(included)
        for part in ("block", "rescue", "always"):
            found += _moments(task.get(part, []))
    return found


class TestTheMainJob:
    def test_promoted_and_verified(self, stage: Stage) -> None:
        entry = stage.entry(verify_staging=[{"url": f"{stage.url}/sites/89/"}])
        play = stage.play(targets=[entry], verify_successes=3, verify_timeout=60)
        assert outcome(play) == ["succeeded", True, True]
        assert (stage.sent, stage.production) == ({"backup": 1, "sync": 1}, NEW)
        assert play.phases == [
            "preflight:passed",
            "gate:passed",
            "approval:skipped",
            "lock:passed",
            "backup:passed",
            "sync:passed",
            "verify:passed",
        ]
        target = play.target
        assert (target["target"], target["wave"], target["changed"]) == ("shop", 1, True)
        assert target["backup"]["state"] == "made"
        assert target["backup"]["id"] == stage.truth()["backups"][-1]
        assert (target["sync"]["action"], target["sync"]["state"]) == ("triggered", "succeeded")
        assert (target["verify"]["ok"], [probe["was_ok"] for probe in target["verify"]["probes"]]) == (True, [True])
        assert target["verify"]["probes"][0]["consecutive"] == 3
        assert [probe["ok"] for probe in (*target["staging"], *target["before"])] == [True, True]
        assert not play.failed_checks
        assert play.report["summary"]["requests"] == len(stage.simulator.requests())

    def test_in_check_mode_nothing_is_changed(self, stage: Stage) -> None:
        play = stage.play(check=True, approval="token")
        assert outcome(play) == ["planned", True, True]
        assert (stage.sent, stage.production, stage.ledger.exists()) == ({}, OLD, False)
        assert all(check for _module, check in play.called)
        assert play.phases == [
            "preflight:passed",
            "gate:passed",
            "approval:planned",
            "lock:planned",
            "backup:planned",
            "sync:planned",
            "verify:planned",
        ]
        assert (play.changed, play.target["changed"], play.target["backup"]["state"]) == (True, True, "planned")
        assert re.fullmatch(r"[0-9a-f]{16}", play.report["digest"])
        assert any(play.report["digest"] in text for text in play.texts)

    def test_a_second_run_changes_nothing(self, stage: Stage) -> None:
        stage.play()
        stage.simulator.clear()
        again = stage.play()
        assert (outcome(again), again.changed) == (["succeeded", True, False], False)
        assert (stage.sent, stage.production) == ({}, NEW)
        assert "sync:skipped" in again.phases
        assert "verify:passed" in again.phases
        assert "lock:skipped" in again.phases
        assert not [module for module, check in again.called if not check and module != "http_probe"]

    def test_a_run_without_a_release_promotes_each_time(self, stage: Stage) -> None:
        for _time in range(2):
            play = stage.play(release="")
            assert (play.verdict, play.report["release"]) == ("succeeded", None)
        assert stage.sent == {"backup": 2, "sync": 2}

    def test_without_files(self, stage: Stage) -> None:
        play = stage.play(report_path="")
        assert (play.verdict, play.reported["path"]) == ("succeeded", "")
        assert not stage.report.parent.exists()

    def test_a_production_that_needs_a_moment(self, stage: Stage) -> None:
        stage.knob(site_warmup_seconds=1.0, site_during_sync="down")
        play = stage.play(verify_timeout=10, soak=0.1)
        assert play.verdict == "succeeded"
        assert play.target["verify"]["probes"][0]["attempts"] > 2
