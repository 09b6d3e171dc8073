# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Functions that run in processes of their own, which may die."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import threading
import typing as t
from multiprocessing.connection import Connection

from tests.forks import FORK_SERVER

ROOT = pathlib.Path(__file__).resolve().parents[4]

#: no process has it: above the limit that Linux knows
UNUSED_PID = 2**22 + 1


class Process:
    """A function of a module, running elsewhere, in the environment of now.

    It prints what it has to say in lines, and goes on when it gets one. Its process is forked from one that has imported what
    such functions need.

    :param enter: what the process does first.
    """

    def __init__(self, function: t.Callable[..., None], *arguments: t.Any, enter: t.Callable[[], None] | None = None) -> None:
        there, here = os.pipe()
        self._input = os.fdopen(here, "w", encoding="utf-8")
        here, back = os.pipe()
        self._output = os.fdopen(here, encoding="utf-8")
        given = [Connection(there, writable=False), Connection(back, readable=False)]
        # a daemon is ended with the process of the tests, which would otherwise wait for what a failed test left behind
        self._process = FORK_SERVER.Process(target=_run, args=(function, arguments, dict(os.environ), given, enter), daemon=True)
        self._process.start()
        for connection in given:
            connection.close()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def line(self) -> str:
        """The next thing that it says; nothing if it ended instead."""
        return self._output.readline().strip()

    def go_on(self, word: str = "") -> None:
        self._input.write(f"{word}\n")
        self._input.flush()

    def kill(self) -> None:
        self._process.kill()
        self.end()

    def end(self) -> int:
        """Wait for the end; its status."""
        with contextlib.suppress(BrokenPipeError):
            self._input.close()
        if not self._output.closed:
            # else it might wait for somebody who reads
            reader = threading.Thread(target=self._output.read, daemon=True)
            reader.start()
            reader.join(30)
            assert not reader.is_alive()
            self._output.close()
        self._process.join(30)
        assert self._process.exitcode is not None
        return self._process.exitcode


def _run(
    function: t.Callable[..., None],
    arguments: t.Sequence[t.Any],
    environment: dict[str, str],
    given: t.Sequence[Connection],
    enter: t.Callable[[], None] | None,
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    for number, connection in enumerate(given):
        os.dup2(connection.fileno(), number)
        connection.close()
    sys.stdin = open(0, closefd=False, encoding="utf-8")  # noqa: SIM115 (it is open as long as the process lives)
    sys.stdout = open(1, "w", closefd=False, encoding="utf-8")  # noqa: SIM115
    if enter:
        enter()
    function(*arguments)


class NewProcess:
    """The same with an interpreter of its own, which ends as an interpreter does; of a module that ends with :func:`main`."""

    def __init__(self, function: t.Callable[..., None], *arguments: t.Any) -> None:
        command = [sys.executable, "-m", function.__module__, function.__name__, json.dumps(arguments)]
        self._popen = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self._popen.pid

    def line(self) -> str:
        """The next thing that it says; nothing if it ended instead."""
        assert self._popen.stdout is not None
        return self._popen.stdout.readline().strip()

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
