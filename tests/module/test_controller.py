# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules without a process of their own: the same results, and what only they can do.

Every test runs ``ansible-playbook`` with one task of module vinyldns_zone_sync on localhost.
"""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.client import Simulator, wait_until

from .conftest import RunModule
from .playbooks import PlaybookProcess, start_from_scratch

Json = dict[str, Any]

NAME = "lockstep.sync.vinyldns_zone_sync"
SLOW = "slow.example."


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["vinyldns"]) as running:
        yield running


class Ran:
    """A playbook that has ended."""

    def __init__(self, process: PlaybookProcess, result: Path) -> None:
        self.output, self.errors = process.communicate(timeout=240)
        self.code = process.wait()
        self.result: Json = json.loads(result.read_text()) if result.exists() else {}
        assert "Traceback" not in self.output + self.errors

    @property
    def only(self) -> Json:
        (record,) = self.result["syncs"]
        return dict(record)

    @property
    def had_a_process(self) -> bool:
        """Whether a module was wrapped up and started, as the output with -vvv shows."""
        return "AnsiballZ_vinyldns_zone_sync" in self.output


class Tasks:
    """Runs the task.

    :param directory: for its files.
    """

    def __init__(self, simulator: Simulator, environment: dict[str, str], directory: Path) -> None:
        info = simulator["vinyldns"]
        self.simulator = simulator
        self.secret: str = info["secret_key"]
        self.login = {"api_url": info["url"], "access_key": info["access_key"], "secret_key": self.secret}
        self.backend = {key: value for key, value in info["dns"].items() if key != "kind"}
        self.result = directory / "result.json"
        self.report = directory / "report.json"
        self.directory = directory
        self.playbook = directory / "playbook.json"
        self.other_ledger = directory / "other.sqlite3"
        self.environment = {**environment, "ANSIBLE_LOCAL_TEMP": str(directory / "local"), "ANSIBLE_NOCOLOR": "1"}
        self.environment["ANSIBLE_ASYNC_DIR"] = str(directory / "async")

    def options(self, **more: Any) -> Json:
        return {**self.login, "zones": [simulator_zone(self.simulator)], "report_path": str(self.report), **more}

    def prepare(self, options: Json, *arguments: str, **keywords: Any) -> list[str]:
        """The arguments of the playbook.

        :param keywords: of the task.
        """
        task = {NAME: options, "register": "result", **keywords}
        keep = {"ansible.builtin.copy": {"content": "{{ result | to_json }}", "dest": str(self.result)}, "check_mode": False}
        play = {"hosts": "localhost", "gather_facts": False, "tasks": [{"block": [task], "always": [keep]}]}
        self.playbook.write_text(json.dumps([play]))
        self.result.unlink(missing_ok=True)
        return ["-vvv", *arguments, str(self.playbook)]

    def run(self, options: Json, *arguments: str, **keywords: Any) -> Ran:
        prepared = self.prepare(options, *arguments, **keywords)
        files = [self.directory / name for name in ("output", "errors")]
        return Ran(PlaybookProcess(prepared, self.environment, self.directory, *files), self.result)

    @property
    def posts(self) -> int:
        """Mutating requests that the server saw."""
        return len(self.simulator.requests(kind="mutate"))


def simulator_zone(simulator: Simulator) -> str:
    return str(simulator["vinyldns"]["zone"])


@pytest.fixture
def tasks(simulator: Simulator, environment: dict[str, str], tmp_path: Path) -> Tasks:
    simulator.reset()
    return Tasks(simulator, environment, tmp_path)


def stable(result: Json) -> Json:
    """A result without what differs from run to run, and without what only Ansible adds."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z|[0-9a-f]{8}-[0-9a-f-]{27}|\d+ s\\b", "#", json.dumps(result, sort_keys=True))
    kept = json.loads(text)
    for record in [*kept.get("syncs", ()), kept.get("summary", {})]:
        for field in ("elapsed", "polls", "requests"):
            record.pop(field, None)
    added = ("invocation", "warnings", "deprecations", "failed", "exception")
    return {key: value for key, value in kept.items() if key not in added}


def drifted(simulator: Simulator) -> None:
    change = {"zone": simulator_zone(simulator), "add": [["new", 300, "A", "198.51.100.1"]], "delete": []}
    simulator.control.part("vinyldns", "POST", "/dns/update", change)


@pytest.mark.parametrize("check", [True, False])
def test_the_result_is_that_of_the_module(tasks: Tasks, simulator: Simulator, run_module: RunModule, check: bool) -> None:
    options = tasks.options(backend=tasks.backend)
    drifted(simulator)
    theirs = run_module("vinyldns_zone_sync", {**options, "ledger_path": str(tasks.other_ledger)}, check=check, diff=True)
    simulator.reset()
    drifted(simulator)
    ours = tasks.run(options, "--diff", *(["--check"] if check else []))
    assert (ours.code, ours.had_a_process, tasks.posts) == (0, False, 0 if check else 1)
    assert ours.only["action"] == ("would_trigger" if check else "triggered")
    assert stable(ours.result) == stable(theirs.result)
    assert json.loads(tasks.report.read_text())["check_mode"] is check
    assert tasks.secret not in ours.output + ours.errors


def test_a_failure_is_that_of_the_module(tasks: Tasks, run_module: RunModule) -> None:
    options = tasks.options(zones=["nowhere.example."])
    theirs, ours = run_module("vinyldns_zone_sync", options), tasks.run(options)
    assert (ours.code, ours.had_a_process, ours.result["failed"]) == (2, False, True)
    assert stable(ours.result) == stable(theirs.result)


#: of the same Python, which cannot be recognised as the same
ANOTHER_NAME = str(Path(sys.executable).with_name(f"python{sys.version_info.major}.{sys.version_info.minor}"))
#: stands in for sudo, but takes none of its options
ENV_FOR_SUDO = {"ansible_become_exe": "/usr/bin/env", "ansible_become_flags": "", "ansible_become_user": ""}


@pytest.mark.parametrize(
    "keywords",
    [
        pytest.param({"vars": {"ansible_python_interpreter": ANOTHER_NAME}}, id="interpreter"),
        pytest.param({"async": 60, "poll": 1}, id="async", marks=pytest.mark.long),
        pytest.param({"become": True, "vars": ENV_FOR_SUDO}, id="become", marks=pytest.mark.long),
    ],
)
def test_out_of_the_ordinary_the_module_runs(tasks: Tasks, keywords: Json) -> None:
    ran = tasks.run(tasks.options(), "--check" if "async" not in keywords else "-v", **keywords)
    assert (ran.code, ran.had_a_process) == (0, True), ran.output
    assert ran.only["failure"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"if_running": "perhaps"}, id="value"),
        pytest.param({"zonnes": []}, id="name", marks=pytest.mark.long),
        pytest.param({"max_age": "a week"}, id="type", marks=pytest.mark.long),
    ],
)
def test_what_is_wrong_with_the_options_the_module_says(tasks: Tasks, run_module: RunModule, wrong: Json) -> None:
    theirs, ours = run_module("vinyldns_zone_sync", tasks.options(**wrong)), tasks.run(tasks.options(**wrong))
    assert (ours.code, ours.had_a_process, tasks.posts) == (2, True, 0)
    # all but the name that the module is called by
    assert re.sub(r"\(\S+\) module", "", ours.result["msg"]) == re.sub(r"\(\S+\) module", "", theirs.result["msg"])


@pytest.mark.parametrize(
    ("options", "python"),
    [
        pytest.param({"release": 2026.1}, sys.executable, id="release-here"),
        pytest.param({"release": 2026.1}, ANOTHER_NAME, id="release-process", marks=pytest.mark.long),
        pytest.param({"zones": ["example.com.", 4.1]}, sys.executable, id="zones-here", marks=pytest.mark.long),
        pytest.param({"zones": ["example.com.", 4.1]}, ANOTHER_NAME, id="zones-process"),
    ],
)
def test_a_release_or_zone_that_yaml_reads_as_a_number_is_refused(tasks: Tasks, options: Json, python: str) -> None:
    ran = tasks.run(tasks.options(**options), vars={"ansible_python_interpreter": python})
    assert (ran.code, ran.had_a_process, tasks.posts) == (2, python == ANOTHER_NAME, 0)
    assert (ran.result["failure"]["code"], ran.result["syncs"]) == ("invalid_option", [])
    assert f"option {next(iter(options))}: " in ran.result["msg"]
    assert "Put the value in quotes" in ran.result["msg"]


def test_a_number_from_a_native_template_is_refused(tasks: Tasks) -> None:
    tasks.environment["ANSIBLE_JINJA2_NATIVE"] = "true"
    ran = tasks.run(tasks.options(release="{{ releases[0] }}"), vars={"releases": [2026.1]})
    assert (ran.code, tasks.posts) == (2, 0)
    assert ran.result["failure"]["code"] == "invalid_option"


def test_the_environment_of_the_task_counts(tasks: Tasks) -> None:
    variables = {
        "VINYLDNS_API_URL": tasks.login["api_url"],
        "VINYLDNS_ACCESS_KEY_ID": "{{ key }}",
        "VINYLDNS_SECRET_ACCESS_KEY": tasks.secret,
    }
    ran = tasks.run({"zones": "example.com."}, environment=variables, vars={"key": tasks.login["access_key"]})
    assert (ran.code, ran.had_a_process, ran.only["state"]) == (0, False, "succeeded")
    assert tasks.secret not in ran.output + ran.errors


def test_the_progress_of_a_wait_is_shown(tasks: Tasks, simulator: Simulator) -> None:
    simulator.knob("vinyldns", queue_latency=5)
    ran = tasks.run(tasks.options())
    lines = [line for line in ran.errors.splitlines() if line.startswith("... [localhost] ")]
    assert any("example.com. (running)" in line for line in lines)
    assert "... [" not in ran.output
    quiet = tasks.run(tasks.options(force=True, if_recently_synced="ok"), no_log=True)
    assert "... [" not in quiet.output + quiet.errors


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_a_signal_to_stop_leaves_a_report(tasks: Tasks, simulator: Simulator, tmp_path: Path, number: signal.Signals) -> None:
    simulator.knob("vinyldns", queue_latency=60)
    process = start_from_scratch([], tasks.prepare(tasks.options()), tasks.environment, tmp_path, tmp_path / "output")
    wait_until(lambda: tasks.posts == 1, 60)
    (worker,) = children(process.pid)
    process.send_signal(number)
    process.wait(timeout=60)
    wait_until(lambda: not alive(worker), 60)
    record = json.loads(tasks.report.read_text())["syncs"][0]
    assert (record["action"], record["state"], record["failure"]["code"]) == ("triggered", "running", "outcome_unknown")
    assert record["handle"]["provider"] == "vinyldns"


@pytest.mark.long
def test_a_task_that_is_out_of_time_leaves_a_report(tasks: Tasks, simulator: Simulator) -> None:
    simulator.knob("vinyldns", queue_latency=60)
    ran = tasks.run(tasks.options(), timeout=15)
    assert (ran.code, tasks.posts) == (2, 1)
    record = json.loads(tasks.report.read_text())["syncs"][0]
    assert (record["state"], record["failure"]["code"]) == ("running", "outcome_unknown")


def children(parent: int) -> list[int]:
    """Processes that another one started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == parent:
            found.append(int(path.parent.name))
    return found


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
