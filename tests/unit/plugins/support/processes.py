# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Functions that run in processes of their own, which may die."""

from __future__ import annotations

import contextlib
import json
import pathlib
import subprocess
import sys
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[4]

#: no process has it: above the limit that Linux knows
UNUSED_PID = 2**22 + 1


class Process:
    """A function of a module that ends with :func:`main`, running elsewhere.

    It prints what it has to say in lines, and goes on when it gets one.

    :param prefix: a command that runs another one.
    """

    def __init__(self, function: t.Callable[..., None], *arguments: t.Any, prefix: t.Sequence[str] = ()) -> None:
        command = [*prefix, sys.executable, "-m", function.__module__, function.__name__, json.dumps(arguments)]
        self._popen = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self._popen.pid

    def line(self) -> str:
        """The next thing that it says; nothing if it ended instead."""
        assert self._popen.stdout is not None
        return self._popen.stdout.readline().strip()

    def go_on(self, word: str = "") -> None:
        assert self._popen.stdin is not None
        self._popen.stdin.write(f"{word}\n")
        self._popen.stdin.flush()

    def kill(self) -> None:
        self._popen.kill()
        self.end()

    def end(self) -> int:
        """Wait for the end; its status."""
        with contextlib.suppress(BrokenPipeError):
            self._popen.communicate(timeout=30)
        return self._popen.returncode


def say(text: str) -> None:
    print(text, flush=True)


def wait_for_word() -> None:
    sys.stdin.readline()


def main(functions: t.Mapping[str, t.Any]) -> None:
    """Run the function that the process was started for."""
    functions[sys.argv[1]](*json.loads(sys.argv[2]))
