# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every phase of a promotion, failing in every way, against the emulator: what is reported, and what the server saw."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import json
import re
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._state.process import ProcessIdentity
from ansible_collections.lockstep.sync.plugins.plugin_utils._change_windows import decision as _windows
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion import owner, preflight
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.phase import StepRequest, StepResult
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.phases import STEPS
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.vocabulary import HOOKS, PHASES
from tests.simulator.client import Simulator, wait_until

from . import promotion
from .promotion import Kill, NoTerminal, Operator, Play, check_page, check_report
from .role_tasks import load, steps_of

Json = dict[str, Any]

OLD, NEW = "release-1", "release-2"
#: of probes, in tests that have any
SECRETS = ("password-of-eve", "key-of-the-site")
ALLOWED_LONG_AGO = {"allow": [{"name": "long ago", "start": "2020-01-01", "end": "2020-01-02"}]}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["serveravatar"]) as running:
        yield running


class Stage:
    """The emulated service, and the role in front of it."""

    def __init__(self, simulator: Simulator, directory: Path) -> None:
        self.simulator = simulator
        self.directory = directory
        info = simulator["serveravatar"]
        self.url: str = info["url"]
        self.token: str = info["api_token"]
        self.ledger = directory / "state" / "ledger.sqlite3"
        self.report = directory / "reports" / "report.json"
        self.plays: list[Play] = []
        self._owner: subprocess.Popen[bytes] | None = None
        self._elsewhere = False
        self.knob(sync_seconds=0.08, backup_seconds=0.08, restore_seconds=0.08)

    # -- the process that locks belong to ----------------------------------------------------------------------------

    def begin_mortal(self, elsewhere: bool = False) -> None:
        """From now on, locks belong to a process that is going to die.

        :param elsewhere: so that its end cannot be proven from here, as in another container.
        """
        self._owner = subprocess.Popen(["sleep", "600"])
        self._elsewhere = elsewhere

    def die(self) -> None:
        """That process dies; from now on, locks belong to this one."""
        if self._owner is not None:
            self._owner.kill()
            self._owner.wait()
        self._owner = None

    def controlling_process(self) -> ProcessIdentity:
        if self._owner is None:
            return ProcessIdentity.current()
        identity = ProcessIdentity.of(self._owner.pid)
        return dataclasses.replace(identity, space="another") if self._elsewhere else identity

    def expire_leases(self) -> None:
        """As a minute after the last beat."""
        with contextlib.closing(sqlite3.connect(self.ledger)) as db:
            db.execute("UPDATE promotions SET expires_at = begun_at")
            db.commit()

    # -- the service -------------------------------------------------------------------------------------------------

    def knob(self, **values: Any) -> None:
        self.simulator.knob("serveravatar", **values)

    def fault(self, kind: str, path: str, **rule: Any) -> None:
        """Something happens to the next requests of a path."""
        self.simulator.fault(kind, part="serveravatar", path_regex=path, **rule)

    def control(self, method: str, path: str, body: object = None) -> Any:
        return self.simulator.control.part("serveravatar", method, path, body)

    def truth(self, application: int = 88) -> Json:
        found: Json = self.control("GET", f"/applications/{application}")
        return found

    @property
    def production(self) -> str:
        """The release that the shop serves."""
        return str(self.truth()["production"])

    @property
    def sent(self) -> Json:
        """How many requests of each kind would have changed something."""
        kinds = (("backup", r"/backups$"), ("restore", r"/restore$"), ("sync", r"/sync$"))
        found = [
            next(kind for kind, path in kinds if re.search(path, entry["path"]))
            for entry in self.simulator.requests(kind="mutate")
        ]
        return dict(sorted(collections.Counter(found).items()))

    # -- the role ----------------------------------------------------------------------------------------------------

    def entry(self, application: str = "shop", site: int = 88, **more: Any) -> Json:
        """An entry of the list of targets."""
        options = {
            "api_url": self.url,
            "api_token": self.token,
            "organization": "5",
            "server": "15",
            "application": application,
            "poll_min_interval": 0.05,
            "poll_max_interval": 0.05,
            "settle_grace": 3,
            "wait_timeout": 30,
        }
        return {
            "provider": "serveravatar",
            "options": {**options, **more.pop("options", {})},
            "backup": {"storage": "Offsite S3"},
            "verify": [{"name": f"site of {application}", "url": f"{self.url}/sites/{site}/"}],
            **more,
        }

    def variables(self, **more: Any) -> Json:
        filled: Json = {
            "targets": [self.entry()],
            "release": "2026.11",
            "verify_interval": 0.05,
            # one look that sees what it wants is enough, however long that takes; a second one decides against it
            "verify_successes": 1,
            "verify_timeout": 0.1,
            "ledger_path": str(self.ledger),
            "report_path": str(self.report),
        }
        return {**filled, **more}

    def play(
        self, *, check: bool = False, kill: Kill | None = None, failing: str = "", display: Any = None, **variables: Any
    ) -> Play:
        """Run the role; what must be true of every run is checked."""
        play = Play(self.variables(**variables), check=check, kill=kill, failing=failing, display=display, base=self.directory)
        play.run()
        self.plays.append(play)
        if play.reported.get("path"):
            self._check_files(play)
        return play

    def _check_files(self, play: Play) -> None:
        check_report(play.report)
        assert play.reported["verdict"] == play.report["verdict"]
        stem = Path(play.reported["path"]).with_suffix("")
        check_page(stem.with_suffix(".html").read_text(encoding="utf-8"))
        markdown = stem.with_suffix(".md").read_text(encoding="utf-8")
        assert markdown.startswith("# ")
        assert play.report["run"] in markdown
        assert play.report["check_mode"] == play.check
        assert play.changed or not play.report["changed"]

    def check_secrets(self) -> None:
        """The token is in nothing that is kept or shown."""
        shown = [json.dumps([play.texts, play.warnings, play.reported]) for play in self.plays]
        for path in self.directory.rglob("*"):
            if path.is_file():
                shown.append(path.read_bytes().decode("latin-1"))
        assert shown
        for secret in (self.token, *SECRETS):
            assert not [text for text in shown if secret in text]


@pytest.fixture
def stage(simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    simulator.reset()
    made = Stage(simulator, tmp_path)
    monkeypatch.setattr(preflight, "PREFLIGHT_PATIENCE", 0.0)
    monkeypatch.setenv("LOCKSTEP_LEDGER", str(made.ledger))
    monkeypatch.setattr(owner, "controlling_process", made.controlling_process)
    yield made
    made.die()
    made.check_secrets()


def outcome(play: Play) -> list[Any]:
    return [play.verdict, play.report["ok"], play.report["changed"]]


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


# -- when all is well --------------------------------------------------------------------------------------------------


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


# -- preflight ---------------------------------------------------------------------------------------------------------


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


# -- gate, approval, lock ----------------------------------------------------------------------------------------------


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


# -- backup ------------------------------------------------------------------------------------------------------------


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


# -- sync --------------------------------------------------------------------------------------------------------------


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


# -- verification and rollback -----------------------------------------------------------------------------------------


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
        "knobs", [{"restore_outcome": "failure"}, {"restore_answer": "disk"}, {"restore_answer": "not_connected"}]
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


# -- several targets ---------------------------------------------------------------------------------------------------


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


# -- what is interrupted -----------------------------------------------------------------------------------------------


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
        """From the end of the preflight on there is a report of a run that is killed, too."""
        if stage.report.exists():
            left = json.loads(stage.report.read_text())
            check_report(left)
            stage.report.unlink()
            ended = kill in (Kill("report", "after"), Kill("notify", "after"))
            assert ended or (left["ok"], left["verdict"]) in ((False, "failed"), (False, "unknown"))
            assert ended or "run the playbook again" in left["message"]
            if kill.step in ("sync", "verify") and not ended:
                assert left["targets"][0]["verdict"] == "unknown"
        else:
            assert kill.step in ("start", "inspect") or kill == Kill("preflight", "before")

    @pytest.mark.parametrize(
        "kill",
        [
            *(Kill(step, "after") for step in (*promotion.DECIDE, *promotion.WAVE, "report")),
            *(Kill(step, moment) for step in ("backup", "sync") for moment in ("calling", "called", "waiting")),
            Kill("verify", "calling"),
            Kill("verify", "called"),
        ],
        ids=str,
    )
    def test_a_promotion_goes_on(self, stage: Stage, kill: Kill) -> None:
        """Over both runs, there is one backup and one sync."""
        stage.knob(sync_seconds=1.5, backup_seconds=1.5)
        _killed, play = self.resume(stage, kill)
        assert (play.verdict, stage.production) == ("succeeded", NEW)
        assert stage.sent == {"backup": 1, "sync": 1}
        touched = kill.step in ("sync", "verify")
        assert bool(play.target["resumed"]) == (touched or kill.step in ("lock", "begin_wave", "backup"))
        if touched and kill != Kill("sync", "calling"):
            assert play.target["backup"]["id"]
            assert [probe["ok"] for probe in play.target["before"]] == [True]
        stage.simulator.clear()
        assert (stage.play().verdict, stage.sent) == ("succeeded", {})

    @pytest.mark.parametrize(
        "kill",
        [
            *(Kill(step, "after") for step in ("sync", "verify", "rollback")),
            *(Kill("rollback", moment) for moment in ("before", "calling", "called", "waiting")),
            Kill("verify", "called"),
            Kill("report", "after"),
        ],
        ids=str,
    )
    def test_a_rollback_goes_on(self, stage: Stage, kill: Kill) -> None:
        """Over both runs, there is one restore, and production is as it was."""
        stage.knob(broken_release=NEW, restore_seconds=1.5)
        _killed, play = self.resume(stage, kill)
        assert play.verdict == ("refused" if kill.step == "report" else "rolled_back")
        assert stage.production == OLD
        assert stage.sent == {"backup": 1, "restore": 1, "sync": 1}
        assert (stage.play().verdict, stage.sent["sync"]) == ("refused", 1)

    @pytest.mark.parametrize("kill", [Kill("sync", "waiting"), Kill("sync", "after"), Kill("backup", "waiting")], ids=str)
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

    @pytest.mark.parametrize("why", ["window", "approval", "preflight"])
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
