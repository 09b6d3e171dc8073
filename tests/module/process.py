# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module in a process of its own that need not start first: it is forked from one that has imported all modules.

Most of what a module process does is to import its libraries, and the tests run some six hundred of them. That everything works
from a plain start, too, is for the tests with ansible, test_memory.py and the integration targets to show.
"""

from __future__ import annotations

import importlib
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.forks import FORK_SERVER, preload

MODULES = "ansible_collections.lockstep.sync.plugins.modules"
NAMES = [path.stem for path in (Path(__file__).parents[2] / "plugins" / "modules").glob("*.py") if path.stem != "__init__"]

preload(f"{__package__}.preloaded")


class ModuleProcess:
    """A module at work.

    :param text: what it reads.
    :param environment: all that it finds in its environment.
    :param folder: for what it writes; of this process alone.
    :param start: what the process does, by the name of the module; a function of a module, since it is found by its name there.
    """

    def __init__(
        self, name: str, text: str, environment: Mapping[str, str], folder: Path, start: Callable[[str], None] | None = None
    ) -> None:
        self._files = [folder / "stdin", folder / "stdout", folder / "stderr"]
        self._files[0].write_text(text)
        self._usage = folder / "usage"
        files = [str(path) for path in self._files]
        self._process = FORK_SERVER.Process(
            target=_run, args=(start or as_module, name, dict(environment), files, str(self._usage))
        )
        self._began = time.monotonic()
        self._process.start()

    @property
    def is_running(self) -> bool:
        return self._process.is_alive()

    @property
    def sentinel(self) -> int:
        """Is ready when the process has ended, see :func:`multiprocessing.connection.wait`."""
        return self._process.sentinel

    @property
    def seconds(self) -> float:
        """How long it took, start and end included, once it has ended by itself."""
        return float(self._usage.read_text().split()[0]) - self._began

    @property
    def mebibytes(self) -> float:
        """How much memory it had at most, once it has ended by itself."""
        return float(self._usage.read_text().split()[1]) / 1024

    def kill(self) -> None:
        self._process.kill()
        self._process.join()

    def terminate(self) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGTERM)

    def finish(self, timeout: float) -> tuple[int, str, str]:
        """Exit status, standard output and standard error, once it has ended.

        :raises TimeoutError: if it has not after so many seconds.
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            self.kill()
            raise TimeoutError(f"a module process did not end within {timeout} s")
        output, errors = (path.read_text() for path in self._files[1:])
        return self._process.exitcode, output, errors


def as_module(name: str) -> None:
    sys.argv = [name]
    importlib.import_module(f"{MODULES}.{name}").main()


def _run(start: Callable[[str], None], name: str, environment: dict[str, str], files: list[str], usage: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(files):
        opened = os.open(path, os.O_CREAT | (os.O_WRONLY if number else os.O_RDONLY), 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 (it is open as long as the process lives)
    try:
        start(name)
    finally:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        Path(usage).write_text(f"{time.monotonic()} {peak}\n")
