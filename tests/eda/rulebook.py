# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs rulebooks with ansible-rulebook as users do: with an inventory, variables in a file, credentials in the environment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

from tests.simulator.client import wait_until

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
#: seconds after which something is stuck; a busy machine needs them
LIMIT = 240.0
#: seconds that a playbook without anything to do takes on an idle machine with two cores
IDLE_PLAYBOOK = 1.5


class Rulebook:
    """``ansible-rulebook`` at work, from ``with`` on until its end.

    :param name: a rulebook of the collection, or the path of one.
    :param programs: where ansible-rulebook is.
    :param variables: of the rulebook.
    :param hostvars: of localhost in the inventory, which are those of the role.
    """

    def __init__(
        self, name: str, programs: str, folder: Path, variables: dict[str, Any], hostvars: dict[str, Any] | None = None
    ) -> None:
        self.folder = folder
        self.log = folder / "log"
        folder.mkdir()
        temporary = folder / "tmp"
        temporary.mkdir()
        self.environment = {
            "PATH": os.pathsep.join((programs, str(BIN), os.environ["PATH"])),
            "HOME": str(folder),
            "TMPDIR": str(temporary),
            "LC_ALL": "C.UTF-8",
            "LOCKSTEP_LEDGER": str(folder / "ledger.sqlite3"),
            "ANSIBLE_NOCOLOR": "1",
        }
        self._log_of_ansible = folder / "ansible.log"
        self._log_of_ansible.touch()
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        inventory = {"all": {"hosts": {"localhost": {**local, **(hostvars or {})}}}}
        self.inventory = self._file("inventory.json", inventory)
        self.command = ["ansible-rulebook", "--rulebook", name, "-i", self.inventory, "-v"]
        self.command += ["--vars", self._file("variables.json", variables)]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def runs(self) -> int:
        """Playbooks that have begun."""
        return self._logged("PLAY [")

    @property
    def finished_runs(self) -> int:
        return self._logged("PLAY RECAP ")

    def _logged(self, text: str) -> int:
        # ansible-rulebook prints the output of a playbook that has failed twice
        return self._log_of_ansible.read_text(errors="replace").count(f"| {text}")

    def until(self, text: str, count: int = 1) -> None:
        """Wait until the output has a text so often."""
        self.wait(lambda: self.output.count(text) >= count, f"{text!r}, {count} times")

    def wait(self, condition: Any, what: str) -> None:
        """Wait for a condition while ansible-rulebook runs."""
        end = time.monotonic() + LIMIT
        while not condition():
            assert self._process is not None and self._process.poll() is None, f"ansible-rulebook ended\n{self.output}"
            assert "Error calling action" not in self.output, self.output
            assert time.monotonic() < end, f"not within {LIMIT} s: {what}\n{self.output}"
            time.sleep(0.02)

    def seconds_of_a_playbook(self, name: str, *arguments: str) -> float:
        """How long a playbook takes that is run by hand."""
        start = time.monotonic()
        done = subprocess.run(
            [BIN / "ansible-playbook", "-i", self.inventory, name, *arguments],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return time.monotonic() - start

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self.command,
                env={**self.environment, "ANSIBLE_LOG_PATH": str(self._log_of_ansible)},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.until("Waiting for events")
        return self

    def __exit__(self, *exc: object) -> None:
        process, self._process = self._process, None
        assert process is not None
        if exc[0] is None and process.poll() is None:
            # a playbook that is at work would go on without its parent
            wait_until(lambda: self.runs == self.finished_runs or process.poll() is not None, LIMIT)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _file(self, name: str, content: object) -> str:
        path = self.folder / name
        path.write_text(json.dumps(content))
        return str(path)


def nsupdate(server: dict[str, Any], zone: str, *updates: str) -> None:
    """Send dynamic updates, each in a message of its own, with the program of BIND."""
    lines = [f"server {server['server']} {server['port']}", f"zone {zone}"]
    for update in updates:
        lines += [f"update {update}", "send"]
    key = f"{server['tsig_algorithm']}:{server['tsig_name']}:{server['tsig_secret']}"
    command = ["nsupdate", "-y", key]
    done = subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True, text=True, check=False, timeout=LIMIT)
    assert done.returncode == 0, done.stdout + done.stderr
