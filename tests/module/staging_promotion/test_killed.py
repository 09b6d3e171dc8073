# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role staging_promotion is ended without warning: its report is there, and the next run triggers nothing a second time."""

from __future__ import annotations

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

from .playbook import BLOG, PREFIX, SHOP, Server
from .promotion import check_report


class Stage(PlaybookStage):
    """Where one application is promoted, by runs that have a ledger in common."""

    playbook = "lockstep.sync.promote_staging"
    prefix = PREFIX

    def __init__(
        self, server: Server, environment: dict[str, str], folder: Path, ledger: Ledger, application: int = SHOP
    ) -> None:
        super().__init__(environment, folder, ledger)
        self.server = server
        self.application = application
        self.backups = set(server.truth(application)["backups"])

    def given(self) -> dict[str, Any]:
        target = self.server.target(self.application)
        return {"targets": [target], "release": "r2", "backup": "required", "verify_interval": 0.1, "verify_timeout": 30}

    @property
    def syncs(self) -> int:
        return self.server.syncs(self.application)

    @property
    def made(self) -> int:
        """Backups that were made."""
        return len(set(self.server.truth(self.application)["backups"]) - self.backups)

    def unfinished(self) -> str | None:
        """The phase of the promotion that the store has as unfinished."""
        found = self.ledger.query("SELECT phase FROM promotions WHERE verdict IS NULL")
        return str(found[0][0]) if found else None

    def check_what_is_left(self) -> None:
        """If anything may have been sent, there is a report in all its forms."""
        if not (self.made or self.syncs or self.unfinished()):
            return
        self.check_files()
        report = self.report
        check_report(report)
        if report["unfinished"] is None:
            assert report["verdict"] == "succeeded"
            return
        assert (report["verdict"], report["ok"]) == ("unknown", False)
        assert "run the playbook again" in report["message"]
        sent = {call["call"] for call in report["unfinished"]["sent"]}
        assert sent >= ({"sync"} if self.syncs else set()) | ({"backup"} if self.made else set())

    def finish(self) -> None:
        """A run that is not disturbed."""
        phase = self.unfinished()
        session = self.start()
        assert session.wait() == 0, session.output
        report = self.report
        assert (report["verdict"], report["unfinished"]) == ("succeeded", None), report["message"]
        assert self.server.truth(self.application)["production"] == "release-2"
        assert (self.syncs, self.made, self.unfinished()) == (1, 1, None)
        assert [found["phase"] for found in report["interrupted"]] == ([phase] if phase else [])
        if phase:
            assert f"had been interrupted in phase {phase}" in " ".join(session.output.split())


@pytest.fixture
def stage_of(
    server: Server, environment: dict[str, str], tmp_path: Path, new_ledger: Callable[[Path], Ledger]
) -> Callable[..., Stage]:
    return lambda name, application=SHOP: Stage(server, environment, tmp_path / name, new_ledger(tmp_path / name), application)


@pytest.mark.long
@pytest.mark.parametrize("new_ledger", LEDGERS, indirect=True)
def test_killed_at_random_moments(server: Server, stage_of: Callable[..., Stage], repeats: Repeats) -> None:
    """One half as processes of this machine, which a later run on it knows to be gone, the other one as containers.

    Every second process gets SIGTERM, everything else SIGKILL.
    """
    rng = random.Random(20261128)
    undisturbed = stage_of("undisturbed")
    began = time.monotonic()
    undisturbed.finish()
    duration = time.monotonic() - began

    def kill(stage: Stage, in_container: bool, with_notice: bool, early: bool, moment: float) -> None:
        session = stage.start(in_container)
        if not early:
            eventually(lambda: stage.unfinished() or session.is_over())
        time.sleep(moment)
        session.end(with_notice)
        stage.ledger.settle()
        if in_container:
            expire_leases(stage.ledger)
        stage.check_what_is_left()
        assert stage.syncs <= 1
        stage.finish()
        stage.ledger.remove()

    # as many of them from the lock on as at any time
    for number in range(repeats(2, 8 if isinstance(undisturbed.ledger, LedgerFile) else 3, 65)):
        server.simulator.reset()
        server.knob(sync_seconds=1.0, backup_seconds=0.5)
        shop, blog = stage_of(f"k{number}"), stage_of(f"k{number}-blog", BLOG)
        with ThreadPoolExecutor(2) as lanes:
            first = lanes.submit(kill, shop, number % 2 == 1, number % 4 == 0, True, rng.uniform(0, duration))
            second = lanes.submit(kill, blog, number % 2 == 0, number % 4 == 1, False, rng.uniform(0, duration / 2))
            first.result()
            second.result()


def is_at_work(stage: Stage) -> bool:
    return stage.server.is_syncing(stage.application)


def check_interrupted(stage: Stage) -> None:
    """What is left of a run that was ended while it synced."""
    report = stage.report
    check_report(report)
    assert (report["verdict"], report["unfinished"]["phase"]) == ("unknown", "sync")
    assert [(call["call"], call["state"]) for call in report["unfinished"]["sent"]] == [("backup", "made"), ("sync", "unknown")]
    (target,) = report["targets"]
    assert target["verdict"] == "unknown"


@pytest.mark.long
@pytest.mark.parametrize("how", ["cancel", "time_out"])
def test_a_job_of_ansible_runner(server: Server, stage_of: Callable[..., Stage], how: str) -> None:
    """The next job has another home directory and the same ledger."""
    server.knob(sync_seconds=3600)
    stage = stage_of(how)
    job = stage.start_job("first")
    try:
        eventually(lambda: job.is_over or is_at_work(stage))
        ended = job.cancel() if how == "cancel" else job.run_out_of_time()
        assert ended == ("canceled" if how == "cancel" else "timeout"), job.output
    finally:
        job.end_container()
    check_interrupted(stage)
    server.finish_sync(stage.application)
    again = stage.start_job("second")
    assert again.finish() == "successful", again.output
    assert (stage.report["verdict"], stage.syncs, stage.made) == ("succeeded", 1, 1)
    assert [found["outcome"] for found in stage.report["interrupted"]] == ["succeeded"]
    assert "had been interrupted in phase sync; this run went on with it." in " ".join(again.output.split())


@pytest.mark.long
def test_sigterm(server: Server, stage_of: Callable[..., Stage]) -> None:
    """ansible-playbook passes it on to its workers and ends; no further task of the role runs."""
    server.knob(sync_seconds=3600)
    stage = stage_of("sigterm")
    session = stage.start()
    try:
        eventually(lambda: session.is_over() or is_at_work(stage))
        assert session.terminate() != 0
    finally:
        session.kill()
    check_interrupted(stage)
    server.finish_sync(stage.application)
    stage.finish()
