# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role dns_reconciliation is ended without warning: its report is there, and the next run triggers nothing a second time."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Repeats
from tests.module.support.ledgers import LEDGERS, Ledger, LedgerFile, expire_leases
from tests.module.support.sessions import eventually
from tests.module.support.stages import PlaybookStage

from .playbook import PREFIX, Server


class Stage(PlaybookStage):
    """Where one zone is reconciled, by runs that have a ledger in common."""

    playbook = "lockstep.sync.reconcile_dns"
    prefix = PREFIX

    def __init__(self, server: Server, environment: dict[str, str], folder: Path, ledger: Ledger, zone: str) -> None:
        super().__init__(environment, folder, ledger)
        self.server = server
        self.zone = zone
        server.add(zone)
        server.drift(zone)

    def given(self) -> dict[str, Any]:
        return {**self.server.login, "backend": self.server.backend, "zones": [self.zone], "settle_grace": 3}

    @property
    def triggers(self) -> int:
        return self.server.synced().count(self.zone)

    def is_open(self) -> bool:
        """Whether the ledger has a run whose outcome is not known."""
        return bool(self.ledger.query("SELECT 1 FROM runs WHERE state IN ('intended', 'sending', 'started')"))

    def check_what_is_left(self) -> None:
        """If anything may have been sent, there is a report in all its forms."""
        if not (self.triggers or self.is_open()):
            return
        self.check_files()
        report = self.report
        if report["unfinished"] is None:
            assert report["verdict"] == "reconciled"
            return
        assert (report["verdict"], report["ok"]) == ("unknown", False)
        assert "run the role again" in report["message"]
        assert report["unfinished"]["phase"] in ("sync", "verify")
        if report["unfinished"]["details"]:
            self.check_details(Path(report["unfinished"]["details"]))

    def check_details(self, folder: Path) -> None:
        """The report of the sync module, next to that of the role, which is removed at the end of the phase."""
        path = folder / "0.json"
        if self.is_open() and path.exists():
            (entry,) = json.loads(path.read_text())["syncs"]
            assert entry["target"] == self.zone
            # with notice, the module has ended its report
            done = "progress" not in entry
            assert (
                entry["failure"]["code"] == "outcome_unknown" if done else entry["progress"] in ("intended", "sending", "running")
            )

    def finish(self, was_open: bool) -> None:
        """A run that is not disturbed."""
        session = self.start()
        assert session.wait() == 0, session.output
        report = self.report
        assert report["verdict"] in ("reconciled", "in_sync"), report["message"]
        assert (report["unfinished"], self.triggers, self.is_open()) == (None, 1, False)
        assert not self.report_path.with_suffix(".syncs").exists()
        assert [item["zone"] for item in report["interrupted"]] == ([self.zone] if was_open else []), session.output
        if was_open:
            assert "An earlier run was interrupted: " in " ".join(session.output.split())


@pytest.fixture
def stage_of(
    server: Server, environment: dict[str, str], tmp_path: Path, new_ledger: Callable[[Path], Ledger]
) -> Callable[[str], Stage]:
    return lambda name: Stage(server, environment, tmp_path / name, new_ledger(tmp_path / name), f"{name}.example.")


@pytest.mark.long
@pytest.mark.parametrize("new_ledger", LEDGERS, indirect=True)
def test_killed_at_random_moments(server: Server, stage_of: Callable[[str], Stage], repeats: Repeats) -> None:
    """One half as processes of this machine, which a later run on it knows to be gone, the other one as containers.

    Every second process gets SIGTERM, everything else SIGKILL.
    """
    server.simulator.knob("vinyldns", sync_duration=1.0)
    rng = random.Random(20261128)
    undisturbed = stage_of("undisturbed")
    began = time.monotonic()
    undisturbed.finish(was_open=False)
    duration = time.monotonic() - began
    count = repeats(4, 20 if isinstance(undisturbed.ledger, LedgerFile) else 6, 130)
    # as many of them while it syncs as before and after that
    moments = [rng.uniform(0, duration) for _time in range(count)]

    def kill(number: int) -> None:
        stage, in_container = stage_of(f"k{number}"), number % 2 == 1
        session = stage.start(in_container)
        if number % 4 in (1, 2):
            eventually(lambda: stage.is_open() or session.is_over())
        time.sleep(moments[number] / (4 if number % 4 in (1, 2) else 1))
        session.end(with_notice=number % 8 in (0, 2))
        stage.ledger.settle()
        if in_container:
            expire_leases(stage.ledger)
        stage.check_what_is_left()
        assert stage.triggers <= 1
        stage.finish(stage.is_open())
        stage.ledger.remove()

    with ThreadPoolExecutor(2) as lanes:
        list(lanes.map(kill, range(count)))
    assert server.sent() == count + 1


def is_at_work(stage: Stage) -> bool:
    """The sync was triggered, and the report next to that of the role has its handle."""
    path = stage.report_path.with_suffix(".syncs") / "0.json"
    return bool(stage.triggers and path.exists() and json.loads(path.read_text())["syncs"][0]["handle"])


def check_interrupted(stage: Stage) -> None:
    """What is left of a run that was ended while it synced."""
    report = stage.report
    assert (report["verdict"], report["unfinished"]["phase"]) == ("unknown", "sync")
    assert report["unfinished"]["sent"] == [{"zone": stage.zone, "state": "unknown", "handle": None}]
    (entry,) = json.loads((Path(report["unfinished"]["details"]) / "0.json").read_text())["syncs"]
    assert (entry["handle"]["provider"], entry["state"]) == ("vinyldns", "running")


@pytest.mark.long
@pytest.mark.parametrize("how", ["cancel", "time_out"])
def test_a_job_of_ansible_runner(server: Server, stage_of: Callable[[str], Stage], how: str) -> None:
    """The next job has another home directory and the same ledger."""
    server.simulator.knob("vinyldns", sync_duration=10.0)
    stage = stage_of(how.replace("_", "-"))
    job = stage.start_job("first")
    try:
        eventually(lambda: job.is_over or is_at_work(stage))
        ended = job.cancel() if how == "cancel" else job.run_out_of_time()
        assert ended == ("canceled" if how == "cancel" else "timeout"), job.output
    finally:
        job.end_container()
    check_interrupted(stage)
    again = stage.start_job("second")
    assert again.finish() == "successful", again.output
    # on a slow machine, the sync has ended before the next job looks
    assert (stage.report["verdict"] in ("reconciled", "in_sync"), stage.triggers, server.sent()) == (True, 1, 1)
    (found,) = stage.report["interrupted"]
    assert found["zone"] == stage.zone
    assert "An earlier run was interrupted: " in " ".join(again.output.split())


@pytest.mark.long
def test_sigterm(server: Server, stage_of: Callable[[str], Stage]) -> None:
    """ansible-playbook passes it on to its workers and ends; no further task of the role runs."""
    server.simulator.knob("vinyldns", sync_duration=10.0)
    stage = stage_of("sigterm")
    session = stage.start()
    try:
        eventually(lambda: session.is_over() or is_at_work(stage))
        assert session.terminate() != 0
        # the module has ended, too, with a last report
        path = stage.report_path.with_suffix(".syncs") / "0.json"
        eventually(lambda: not json.loads(path.read_text())["unfinished"])
    finally:
        session.kill()
    check_interrupted(stage)
    (entry,) = json.loads(path.read_text())["syncs"]
    assert entry["failure"]["message"] == "interrupted; the run goes on at the server"
    stage.finish(was_open=True)
    assert server.sent() == 1
