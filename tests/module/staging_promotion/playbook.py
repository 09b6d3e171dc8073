# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the playbook of role staging_promotion.

A playbook takes seconds. So what goes with less is tested elsewhere, and each test goes as far with one run as it can.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from tests.simulator.client import Simulator
from tests.terminal import Terminal

from ..playbooks import PROGRAM, PlaybookProcess, start_from_scratch

PREFIX = "staging_promotion_"
#: applications that have a staging area, with the site of that one
STAGING = {88: 89, 90: 91, 92: 93}
SHOP, BLOG, SUPPORT = STAGING


class Server:
    """The emulated service as the tests see it."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        info = simulator["serveravatar"]
        self.url: str = info["url"]
        self.token: str = info["api_token"]
        self.storage: int = info["backup_provider"]

    def target(self, application: int = SHOP, **more: Any) -> dict[str, Any]:
        """An entry of staging_promotion_targets."""
        place = {"organization": "5", "server": "15", "application": str(application)}
        return {
            "provider": "serveravatar",
            "options": {
                "api_url": self.url,
                "api_token": self.token,
                **place,
                "poll_min_interval": 0.1,
                "poll_max_interval": 0.3,
            },
            "backup": {"storage": str(self.storage)},
            "verify_staging": [{"url": f"{self.url}/sites/{STAGING[application]}/health"}],
            "verify": [{"name": "health", "url": f"{self.url}/sites/{application}/health"}],
            **more,
        }

    def knob(self, **values: Any) -> None:
        self.simulator.knob("serveravatar", **values)

    def control(self, method: str, path: str, body: object = None) -> Any:
        return self.simulator.control.part("serveravatar", method, path, body)

    def truth(self, application: int) -> dict[str, Any]:
        found: dict[str, Any] = self.control("GET", f"/applications/{application}")
        return found

    def syncs(self, application: int) -> int:
        """Syncs that the API began."""
        return sum(run["kind"] == "sync" for run in self.truth(application)["runs"])

    def is_syncing(self, application: int) -> bool:
        return bool(self.truth(application)["busy"])

    def restores(self, application: int) -> int:
        return len(self.truth(application)["restores"])

    def finish_sync(self, application: int) -> None:
        self.control("POST", f"/applications/{application}/finish")

    def looks(self, application: int) -> int:
        """How often somebody asked the site of production."""
        return len(self.simulator.requests(part="serveravatar", path=rf"/sites/{application}/"))

    def sent(self, part: str | None = None) -> list[str]:
        """Requests that change something."""
        return [f"{entry['part']} {entry['path']}" for entry in self.simulator.requests(part=part, kind="mutate")]


@dataclasses.dataclass(frozen=True)
class Played:
    """What became of a run of the playbook."""

    code: int
    output: str
    report: dict[str, Any]
    files: str

    @property
    def verdict(self) -> str:
        return str(self.report["verdict"])

    @property
    def one_line(self) -> str:
        """The output as one line, without the line breaks of warnings."""
        return " ".join(self.output.split()).replace('\\"', '"')

    @property
    def stats(self) -> dict[str, Any]:
        """What is passed on to workflows, as ``ANSIBLE_SHOW_CUSTOM_STATS`` prints it."""
        match = re.search(r"^\tRUN: (\{.*\})$", self.output, re.MULTILINE)
        assert match, self.output
        found: dict[str, Any] = json.loads(match[1])[PREFIX.rstrip("_")]
        return found

    @property
    def hooks(self) -> list[str]:
        """The moments whose task files ran."""
        return re.findall(r"ran at (\w+) in p-[\w-]+ for release", self.output)

    def only(self) -> dict[str, Any]:
        (target,) = self.report["targets"]
        return dict(target)

    def phases(self) -> list[tuple[str, str]]:
        return [(phase["phase"], phase["state"]) for phase in self.report["phases"]]


class Running:
    """A playbook at work."""

    def __init__(self, arguments: list[str], environment: dict[str, str], folder: Path, prefix: list[str] | None) -> None:
        self.folder = folder
        self.report = folder / "report.json"
        self.temporary = folder / "temporary"
        self._shown = folder / "output"
        temporary = {"ANSIBLE_LOCAL_TEMP": str(self.temporary), "ANSIBLE_REMOTE_TEMP": str(folder / "remote")}
        start = PlaybookProcess if prefix is None else functools.partial(start_from_scratch, prefix)
        self.process: PlaybookProcess | subprocess.Popen[str] = start(
            arguments, {**environment, **temporary}, folder, self._shown
        )

    @property
    def output(self) -> str:
        return self._shown.read_text()

    def is_over(self) -> bool:
        return self.process.poll() is not None

    def finish(self, limit: float = 300) -> Played:
        """Every run that may end leaves all reports, and nothing else.

        :param limit: seconds after which it is stuck.
        """
        self.process.wait(timeout=limit)
        assert self.report.exists() and self.process.returncode is not None, self.output
        assert [*self.temporary.glob("*"), *(self.folder / "remote").glob("*")] == []
        assert "Traceback" not in self.output, self.output
        files = [self.report.with_suffix(suffix) for suffix in (".json", ".md", ".html")]
        assert [path.stat().st_mode & 0o777 for path in files] == [0o600] * 3
        report = json.loads(files[0].read_text())
        assert all(report["run"] in path.read_text() for path in files)
        return Played(self.process.returncode, self.output, report, "".join(path.read_text() for path in files))

    def left(self) -> str:
        """All that is left of a run in files, but not what it was given."""
        texts = [self.output]
        for path in (found for folder in ("remote", "temporary") for found in (self.folder / folder).rglob("*")):
            with contextlib.suppress(FileNotFoundError, IsADirectoryError):  # orphans may be at work
                texts.append(path.read_text("latin-1"))
        return "".join(texts)

    def kill(self, with_children: bool = True) -> None:
        """As the OOM killer would, or the end of a container.

        Only of a process that was started from scratch all children are found.
        """
        self.process.kill()
        self.process.wait()
        while with_children and self._kill_children():
            pass

    def _kill_children(self) -> int:
        """Ansible's processes lead sessions of their own, and orphans have another parent; the environment stays."""
        mark, found = os.fsencode(f"ANSIBLE_LOCAL_TEMP={self.temporary}"), 0
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (path / "environ").read_bytes().split(b"\0"):
                    os.kill(int(path.name), signal.SIGKILL)
                    found += 1
        return found


class Playbook:
    """Runs ``lockstep.sync.promote_staging``."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment = {
            **environment,
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_SHOW_CUSTOM_STATS": "1",
        }
        self.folder = folder
        #: a command that runs the next ones
        #: what a command that starts as it does for users begins with; None for a process that is forked
        self.prefix: list[str] | None = None
        self.started: list[Running] = []
        self._lock = threading.Lock()

    def start(self, *arguments: str, environment: dict[str, str] | None = None, **variables: Any) -> Running:
        """:param variables: those of the role, without its prefix; None leaves one of the usual ones out."""
        with self._lock:
            prepared, folder = self._prepare(arguments, variables)
            self.started.append(Running(prepared, {**self.environment, **(environment or {})}, folder, self.prefix))
            return self.started[-1]

    def on_terminal(self, **variables: Any) -> tuple[Terminal, Path]:
        """A run that somebody sits before, and its report."""
        arguments, folder = self._prepare((), variables)
        return Terminal([str(PROGRAM), *arguments], folder, {**self.environment, "TERM": "dumb"}), folder / "report.json"

    def _prepare(self, arguments: tuple[str, ...], variables: dict[str, Any]) -> tuple[list[str], Path]:
        folder = self.folder / f"run{len(self.started) + 1}"
        folder.mkdir()
        usual = {"release": "r2", "verify_interval": 0.1, "verify_timeout": 3, "report_path": str(folder / "report.json")}
        given = {PREFIX + key: value for key, value in {**usual, **variables}.items() if value is not None}
        (folder / "variables.json").write_text(json.dumps(given))
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": {"localhost": local}}}))
        command = ["-i", "inventory.json", "-e", "@variables.json", *arguments]
        playbook = [] if any(name.endswith(".yml") for name in arguments) else ["lockstep.sync.promote_staging"]
        return [*command, *playbook], folder

    def __call__(self, *arguments: str, **variables: Any) -> Played:
        return self.start(*arguments, **variables).finish()


def shown(output: str, task: str) -> list[str]:
    """How the lines under a task begin."""
    found = re.search(rf"TASK \[[^\]]*{re.escape(task)}\] \*+\n((?:.+\n)*)", output)
    return [line.partition(":")[0] for line in found[1].splitlines()] if found else []
