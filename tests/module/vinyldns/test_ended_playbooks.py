# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook with a module is ended from outside while it waits: the report is there, and the next one triggers nothing again."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.module.support.ledgers import LedgerFile, expire_leases
from tests.module.support.runner_jobs import RunnerJob
from tests.module.support.sessions import Session, eventually, playbook_command

from ..conftest import RunModule
from .server import Server

ZONE = "ended.example."


class Play:
    """A play with one task of the module, whose report and ledger outlive it."""

    def __init__(self, server: Server, environment: dict[str, str], folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.report_path = folder / "report.json"
        self.ledger = LedgerFile(folder / "ledger.sqlite3")
        self.environment = {**environment, "LOCKSTEP_LEDGER": self.ledger.location, "ANSIBLE_LOCAL_TEMP": str(folder / "local")}
        self.options = server.options([ZONE], report_path=str(self.report_path), settle_grace=2)
        self.playbook = folder / "site.json"
        task = {"lockstep.sync.vinyldns_zone_sync": self.options}
        self.playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]))

    def start(self, in_container: bool = False) -> Session:
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        inventory = self.folder / "inventory.json"
        inventory.write_text(json.dumps({"all": {"hosts": {"localhost": local}}}))
        command = playbook_command("-i", str(inventory), str(self.playbook))
        return Session(f"{self.folder.name}-play", command, self.environment, self.folder, in_container)

    def start_job(self) -> RunnerJob:
        return RunnerJob(self.folder / "job", str(self.playbook), {}, {"LOCKSTEP_LEDGER": self.ledger.location})

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.report_path.read_text())
        return found

    @property
    def entry(self) -> dict[str, Any]:
        """What the report says of the zone."""
        (found,) = self.report["syncs"]
        return dict(found)

    def is_at_work(self) -> bool:
        """The zone was triggered, and the report has the handle."""
        return bool(self.server.accepted(ZONE) and self.report_path.exists() and self.entry["handle"])


@pytest.fixture
def play(server: Server, environment: dict[str, str], tmp_path: Path) -> Play:
    server.simulator.knob("vinyldns", sync_duration=10.0)
    server.add(ZONE)
    server.update_dns(ZONE, add=[["new", 300, "A", "198.51.100.1"]])
    return Play(server, environment, tmp_path)


def check_what_follows(play: Play, run_module: RunModule) -> None:
    """Another process with the same ledger joins the sync, or finds what became of it."""
    again = run_module("vinyldns_zone_sync", play.options, env={"LOCKSTEP_LEDGER": play.ledger.location})
    assert not again.failed, again.output
    assert again.only["detail"]["interrupted"]["outcome"] in ("running", "succeeded")
    assert "was interrupted: " in again.warnings
    assert (play.server.accepted(ZONE), play.report["unfinished"]) == (1, False)


def cancel(play: Play) -> None:
    end_job(play, "canceled", RunnerJob.cancel)


def run_out_of_time(play: Play) -> None:
    end_job(play, "timeout", RunnerJob.run_out_of_time)


def end_job(play: Play, status: str, end: Callable[[RunnerJob], str]) -> None:
    job = play.start_job()
    try:
        eventually(lambda: job.is_over or play.is_at_work())
        assert end(job) == status, job.output
    finally:
        job.end_container()


def kill_container(play: Play) -> None:
    session = play.start(in_container=True)
    try:
        eventually(lambda: session.is_over() or play.is_at_work())
    finally:
        session.kill()


@pytest.mark.long
@pytest.mark.parametrize("end", [cancel, run_out_of_time, kill_container])
def test_killed(play: Play, run_module: RunModule, end: Callable[[Play], None]) -> None:
    end(play)
    assert (play.report["unfinished"], play.report["failure"]["code"]) == (True, "outcome_unknown")
    assert (play.entry["state"], play.entry["progress"]) == ("running", "running")
    expire_leases(play.ledger)
    check_what_follows(play, run_module)


@pytest.mark.long
def test_sigterm(play: Play, run_module: RunModule) -> None:
    """The module ends by itself, with a last report."""
    session = play.start()
    try:
        eventually(lambda: session.is_over() or play.is_at_work())
        assert session.terminate() != 0
        eventually(lambda: not play.report["unfinished"])
    finally:
        session.kill()
    assert play.entry["failure"]["message"] == "interrupted; the run goes on at the server"
    check_what_follows(play, run_module)
