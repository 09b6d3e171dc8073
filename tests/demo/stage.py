# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the acts of the demo share: running commands as a user would, and checking what the emulator saw."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.simulator.client import Simulator

BIN = Path(sys.executable).parent


class DemoFailed(SystemExit):
    """Something was not as the demo claims."""


class Stage:
    """Runs commands and shows them."""

    def __init__(self, simulator: Simulator, scratch: Path, output: Path) -> None:
        self.simulator = simulator
        self.scratch = scratch
        self.output = output
        self.environment = {
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(scratch),
            "LC_ALL": "C.UTF-8",
            "LOCKSTEP_LEDGER": str(scratch / "ledger.sqlite3"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        }

    def title(self, text: str) -> None:
        print(f"\n{'=' * 100}\n{text}\n{'=' * 100}", flush=True)

    def say(self, text: str) -> None:
        print(text, flush=True)

    def expect(self, truth: bool, claim: str) -> None:
        """Print a claim, and end the demo if it is not true."""
        if not truth:
            raise DemoFailed(f"NOT TRUE: {claim}")
        self.say(f"--> {claim}")

    def mutations(self, part: str) -> int:
        """Mutating calls that the emulator has seen so far."""
        return len(self.simulator.requests(part=part, kind="mutate"))

    def playbook(self, name: str, *arguments: str, fails: bool = False) -> str:
        """Run a playbook of the collection and show all of its output."""
        quiet = {
            "ANSIBLE_DISPLAY_OK_HOSTS": "false",
            "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        }
        return self._run(["ansible-playbook", name, *arguments], fails, quiet)

    def module(self, name: str, arguments: dict[str, Any], *flags: str, fails: bool = False) -> dict[str, Any]:
        """Run a module ad hoc and show what it returned about each target."""
        words = " ".join(f"{key}={shlex.quote(str(value))}" for key, value in arguments.items())
        output = self._run(["ansible", "localhost", "-m", f"lockstep.sync.{name}", "-a", words, *flags], fails)
        result: dict[str, Any] = json.loads(output[output.index("=> {") + 3 :])
        for record in result["syncs"]:
            outcome = f"{record['action']}, {record['state']}"
            line = f"{record['target']}: {outcome}, changed={record['changed']} ({record['changed_basis']})"
            self.say(f"    {line}\n    {record['reason']}")
        return result

    def _run(self, command: list[str], fails: bool, environment: dict[str, str] | None = None) -> str:
        """Run a command; one with an environment of its own is shown with its output."""
        self.say("\n$ " + " ".join(map(_shown, command)))
        done = subprocess.run(
            [str(BIN / command[0]), *command[1:]],
            env={**self.environment, **(environment or {})},
            cwd=self.scratch,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        if environment or bool(done.returncode) != fails:
            self.say("\n".join("    " + line for line in _essential(done.stdout.splitlines())))
        if bool(done.returncode) != fails:
            raise DemoFailed(f"the command ended with {done.returncode}")
        return done.stdout


def _shown(word: str) -> str:
    """A word as a person would quote it."""
    return word if shlex.quote(word) == word else f'"{word}"'


def _essential(lines: list[str]) -> Iterator[str]:
    """The output without empty lines and without the tasks that only include others."""
    lines = [line for line in lines if line.strip()]
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if not line.startswith("included:") and not following.startswith("included:"):
            yield line
