# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a playbook of the collection is run again and again, each time as a session or a job of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .ledgers import Ledger
from .runner_jobs import RunnerJob
from .sessions import Session, playbook_command


class PlaybookStage:
    """Runs of one playbook that have a ledger in common; a class for each role says what they are given.

    :param environment: all that they find in their environment, besides the ledger.
    :param folder: for their files; it is made.
    """

    #: the playbook, and what the names of its role's variables begin with
    playbook: str
    prefix: str

    def __init__(self, environment: Mapping[str, str], folder: Path, ledger: Ledger) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.ledger = ledger
        self.report_path = folder / "report.json"
        own = {"LOCKSTEP_LEDGER": ledger.location, "ANSIBLE_LOCAL_TEMP": str(folder / "local"), "ANSIBLE_NOCOLOR": "1"}
        self.environment = {**environment, **own}
        self.runs = 0

    def given(self) -> dict[str, Any]:
        """The variables of the role, by their names without prefix, except for the path of the report."""
        raise NotImplementedError

    @property
    def variables(self) -> dict[str, Any]:
        return {self.prefix + name: value for name, value in {**self.given(), "report_path": str(self.report_path)}.items()}

    def start(self, in_container: bool = False) -> Session:
        self.runs += 1
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        (self.folder / "inventory.json").write_text(json.dumps({"all": {"hosts": {"localhost": local}}}))
        (self.folder / "variables.json").write_text(json.dumps(self.variables))
        command = playbook_command("-i", "inventory.json", "-e", "@variables.json", self.playbook)
        name = f"{self.folder.parent.name}-{self.folder.name}-{self.runs}"
        return Session(name, command, self.environment, self.folder, in_container)

    def start_job(self, folder: str) -> RunnerJob:
        return RunnerJob(self.folder / folder, self.playbook, self.variables, {"LOCKSTEP_LEDGER": self.ledger.location})

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.report_path.read_text())
        return found

    def check_files(self) -> None:
        """The report is there in all its forms, for this user alone."""
        for suffix in (".json", ".md", ".html"):
            assert self.report_path.with_suffix(suffix).stat().st_mode & 0o777 == 0o600
