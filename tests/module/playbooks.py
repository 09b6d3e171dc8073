# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``ansible-playbook`` in a process of its own that need not start first: it is forked from one that has imported libraries.

What is imported before is what Ansible and the collection have from others. ansible-core itself, which reads its configuration
while it is imported, and the collection are imported in the process, after it was given its environment. Ansible's loader of
collections does so, which is only spared to compile and to parse the same files once more.

The tests that kill ``ansible-playbook`` or have a terminal, and those of test_fifth_provider.py, start it as users do.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import multiprocessing.process
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from subprocess import DEVNULL, CompletedProcess, Popen, TimeoutExpired
from typing import Any

from .process import FORK_SERVER

PROGRAM = Path(sys.executable).with_name("ansible-playbook")
#: What Ansible imports from where it is installed, without what pytest adds.
SEARCHED = [path for path in sys.path if path.startswith((sys.prefix, sys.base_prefix))]


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
        self._process = FORK_SERVER.Process(target=_run, args=(program, arguments, dict(environment), str(cwd), files))
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
    """Be a process that has imported nothing of Ansible, and that is no child as far as multiprocessing is concerned."""
    preloaded = importlib.import_module(f"{__package__}.preloaded")
    for name in [name for name in sys.modules if name.split(".")[0] in ("ansible", "ansible_collections", "tests")]:
        del sys.modules[name]
    sys.path[:] = SEARCHED
    multiprocessing.set_start_method(None, force=True)
    multiprocessing.process._parent_process = None  # type: ignore[attr-defined]
    finder: Any = importlib.import_module("ansible.utils.collection_loader._collection_finder")
    finder.compile, finder._meta_yml_to_dict = preloaded.compile_once, preloaded.parse_once
    # such a process has ended before garbage matters, and importing ansible-core leaves none
    gc.set_threshold(100_000)
