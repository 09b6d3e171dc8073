# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``ansible-playbook`` in a process of its own that need not start first: it is forked from one that has imported everything.

That one has imported ansible-core and the collection in an environment without settings. The settings of a process are read again
where that is enough, see preloaded_ansible.py. Otherwise everything is imported anew: only libraries of others, the compiled code
of the collection, and the content of a file of ansible-core are there already.

The tests that kill ``ansible-playbook`` or have a terminal, and those of test_fifth_provider.py, start it as users do.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import io
import multiprocessing.process
import os
import sys
from collections.abc import Mapping
from multiprocessing import context, popen_forkserver, reduction, spawn, util
from multiprocessing.forkserver import ForkServer, read_signed
from pathlib import Path
from subprocess import DEVNULL, CompletedProcess, Popen, TimeoutExpired
from typing import Any

PROGRAM = Path(sys.executable).with_name("ansible-playbook")

#: Another server than that of modules, in which no part of Ansible for controllers may be.
SERVER = ForkServer()
SERVER.set_forkserver_preload([f"{__package__}.preloaded_ansible"])


class _Forked(popen_forkserver.Popen):
    """As its parent, with another server, which the standard library does not provide for."""

    def _launch(self, process_obj: Any) -> None:
        text = io.BytesIO()
        context.set_spawning_popen(self)
        try:
            reduction.dump(spawn.get_preparation_data(process_obj._name), text)
            reduction.dump(process_obj, text)
        finally:
            context.set_spawning_popen(None)
        self.sentinel, write = SERVER.connect_to_new_process(self._fds)  # type: ignore[attr-defined]
        # by the end of this process, the other one knows of it
        self.finalizer = util.Finalize(self, util.close_fds, (os.dup(write), self.sentinel))  # type: ignore[attr-defined]
        with open(write, "wb") as pipe:
            pipe.write(text.getbuffer())
        self.pid = read_signed(self.sentinel)


class _Process(context.ForkServerProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> _Forked:
        return _Forked(process_obj)


class PlaybookProcess:
    """``ansible-playbook`` at work, with the methods of ``subprocess.Popen``; it leads a session of its own.

    :param arguments: those of the command.
    :param environment: all that it finds in its environment.
    :param cwd: its working directory.
    :param output: a file for its standard output.
    :param errors: a file for its standard error, which else goes into the same file.
    :param program: another command of ansible-core.
    """

    def __init__(
        self,
        arguments: list[str],
        environment: Mapping[str, str],
        cwd: Path,
        output: Path,
        errors: Path | None = None,
        program: str = PROGRAM.name,
    ) -> None:
        self._files = [output, errors or output]
        for path in self._files:
            path.write_text("")
        files = [os.devnull, *map(str, self._files)]
        self._process = _Process(target=_run, args=(program, arguments, dict(environment), str(cwd), files))
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise TimeoutExpired(str(PROGRAM), timeout or 0.0)
        return self._process.exitcode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it wrote, once it has ended."""
        self.wait(timeout)
        output, errors = (path.read_text() for path in self._files)
        return output, "" if self._files[0] == self._files[1] else errors

    def kill(self) -> None:
        self._process.kill()


def run_to_end(program: str, arguments: list[str], environment: Mapping[str, str], cwd: Path) -> CompletedProcess[str]:
    """A command of ansible-core, run as :class:`PlaybookProcess` runs ``ansible-playbook``: its exit status and what it wrote."""
    process = PlaybookProcess(arguments, environment, cwd, cwd / "stdout", cwd / "stderr", program)
    try:
        output, errors = process.communicate(timeout=300)
    finally:
        process.kill()
    return CompletedProcess([program, *arguments], process.returncode or 0, output, errors)


def start_from_scratch(
    prefix: list[str], arguments: list[str], environment: Mapping[str, str], cwd: Path, output: Path
) -> Popen[str]:
    """As users do.

    :param prefix: what the command begins with, for example to have a container.
    """
    command = [*prefix, str(PROGRAM), *arguments]
    with output.open("w") as shown:
        return Popen(
            command, cwd=cwd, env=environment, stdin=DEVNULL, stdout=shown, stderr=shown, start_new_session=True, text=True
        )


def _run(program: str, arguments: list[str], environment: dict[str, str], cwd: str, files: list[str]) -> None:
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(files):
        opened = os.open(path, os.O_WRONLY | os.O_APPEND if number else os.O_RDONLY)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 (it is open as long as the process lives)
    _forget_the_tests()
    sys.argv = [str(PROGRAM.with_name(program)), *arguments]
    try:
        sys.exit(importlib.import_module(f"ansible.cli.{program.partition('-')[2]}").main())
    finally:
        # a child of multiprocessing leaves them out, and Ansible removes its temporary directory in one
        atexit._run_exitfuncs()


def _forget_the_tests() -> None:
    """Be a process that has nothing of the tests, and that is no child as far as multiprocessing is concerned."""
    preloaded = importlib.import_module(f"{__package__}.preloaded_ansible")
    if not preloaded.adopt_settings():
        preloaded.forget_ansible()
    for name in [name for name in sys.modules if name.split(".")[0] == "tests"]:
        del sys.modules[name]
    sys.path[:] = preloaded.SEARCHED
    multiprocessing.set_start_method(None, force=True)
    multiprocessing.process._parent_process = None  # type: ignore[attr-defined]
    # such a process has ended before garbage matters, and importing ansible-core leaves none
    gc.set_threshold(100_000)
