# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules as real processes, against the simulator."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.module.support.ledgers import Ledger, LedgerDatabase, LedgerFile
from tests.postgresql import Cluster

from .process import MODULES, ModuleProcess

Launch = Callable[..., ModuleProcess]

#: Seconds after which a module process is stuck.
LIMIT = 120


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


def checked(code: int, output: str, errors: str) -> Outcome:
    """No traceback reaches a user."""
    assert "Traceback" not in output + errors, output + errors
    return outcome_of(output, code)


@pytest.fixture
def launch(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launch]:
    """Start a module of the collection; what still runs at the end of the test is killed."""
    processes: list[ModuleProcess] = []

    def start(name: str, text: str, env: dict[str, str] | None = None) -> ModuleProcess:
        processes.append(ModuleProcess(name, text, {**environment, **(env or {})}, tmp_path_factory.mktemp(name)))
        return processes[-1]

    yield start
    for process in processes:
        if process.is_running:
            process.kill()


@pytest.fixture
def run_module(launch: Launch) -> RunModule:
    """Run a module of the collection in a process of its own, as Ansible would."""

    def run(
        name: str, options: dict[str, Any], *, check: bool = False, diff: bool = False, env: dict[str, str] | None = None
    ) -> Outcome:
        return checked(*launch(name, module_input(options, check, diff), env).finish(LIMIT))

    return run


@pytest.fixture
def run_from_scratch(environment: dict[str, str]) -> RunModule:
    """Run a module in a process that imports everything itself, from the paths that its environment names."""

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
            timeout=LIMIT,
        )
        return checked(done.returncode, done.stdout, done.stderr)

    return run


class Started:
    """A module process that is still running."""

    def __init__(self, process: ModuleProcess) -> None:
        self.process = process

    def kill(self) -> None:
        self.process.kill()

    def terminate(self) -> Outcome:
        self.process.terminate()
        return self.finish()

    def finish(self) -> Outcome:
        return checked(*self.process.finish(LIMIT))


@pytest.fixture
def start_module(launch: Launch) -> Callable[[str, dict[str, Any]], Started]:
    """Start a module and go on."""

    def start(name: str, options: dict[str, Any]) -> Started:
        return Started(launch(name, module_input(options)))

    return start


@pytest.fixture(scope="module")
def ledger_server() -> Iterator[Cluster]:
    """A PostgreSQL server for the ledgers of a file's tests."""
    made = Cluster()
    yield made
    made.remove()


@pytest.fixture
def new_ledger(request: pytest.FixtureRequest) -> Callable[[Path], Ledger]:
    """Makes a ledger for a folder: a file in it or, where a test is parametrized with ``postgresql``, a database."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return lambda folder: LedgerFile(folder / "ledger.sqlite3")
    server: Cluster = request.getfixturevalue("ledger_server")
    return lambda _folder: LedgerDatabase(server)
