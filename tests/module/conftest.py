# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules as real processes, against the simulator."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

import pytest

MODULES = "ansible_collections.lockstep.sync.plugins.modules"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a module process did."""

    result: dict[str, Any]
    code: int
    output: str

    @property
    def failed(self) -> bool:
        return bool(self.result.get("failed"))

    @property
    def changed(self) -> bool:
        return bool(self.result["changed"])

    @property
    def warnings(self) -> str:
        """All warnings, in whatever form this version of Ansible passes them on."""
        return json.dumps(self.result.get("warnings", []))

    @property
    def only(self) -> dict[str, Any]:
        """The record of a task with one target."""
        (record,) = self.result["syncs"]
        return dict(record)

    @property
    def codes(self) -> list[str | None]:
        """The failure code of each record."""
        return [record["failure"] and record["failure"]["code"] for record in self.result["syncs"]]


class RunModule(Protocol):
    def __call__(
        self, name: str, options: dict[str, Any], *, check: bool = False, diff: bool = False, env: dict[str, str] | None = None
    ) -> Outcome:
        """Run a module of the collection."""


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """The ledger of this test alone."""
    return tmp_path / "state" / "ledger.sqlite3"


@pytest.fixture
def environment(tmp_path: Path, ledger: Path) -> dict[str, str]:
    """All that a module process finds in its environment."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LOCKSTEP_LEDGER": str(ledger), "LC_ALL": "C.UTF-8"}


def module_command(name: str) -> list[str]:
    return [sys.executable, "-m", f"{MODULES}.{name}"]


def module_input(options: dict[str, Any], check: bool = False, diff: bool = False) -> str:
    arguments = {**options, "_ansible_check_mode": check, "_ansible_diff": diff, "_ansible_remote_tmp": "~/.ansible/tmp"}
    return json.dumps({"ANSIBLE_MODULE_ARGS": arguments})


def outcome_of(output: str, code: int) -> Outcome:
    last = output.strip().splitlines()[-1] if output.strip() else "{}"
    return Outcome(json.loads(last), code, output)


@pytest.fixture
def run_module(environment: dict[str, str]) -> RunModule:
    """Run a module of the collection in a process of its own, as Ansible would."""

    def run(
        name: str, options: dict[str, Any], *, check: bool = False, diff: bool = False, env: dict[str, str] | None = None
    ) -> Outcome:
        done = subprocess.run(
            module_command(name),
            input=module_input(options, check, diff),
            env={**environment, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
        return outcome_of(done.stdout, done.returncode)

    return run


class Started:
    """A module process that is still running."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def terminate(self) -> Outcome:
        self.process.send_signal(signal.SIGTERM)
        return self.finish()

    def finish(self) -> Outcome:
        output, errors = self.process.communicate(timeout=120)
        assert "Traceback" not in output + errors, output + errors
        return outcome_of(output, self.process.returncode)


@pytest.fixture
def start_module(environment: dict[str, str]) -> Any:
    """Start a module and go on; what still runs at the end of the test is killed."""
    running: list[Started] = []

    def start(name: str, options: dict[str, Any]) -> Started:
        process = subprocess.Popen(
            module_command(name),
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write(module_input(options))
        process.stdin.close()
        process.stdin = None
        running.append(Started(process))
        return running[-1]

    yield start
    for item in running:
        if item.process.poll() is None:
            item.kill()
