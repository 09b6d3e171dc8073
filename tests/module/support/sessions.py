# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks in processes of their own that are ended as jobs are: controller, workers and whatever they started.

The workers of Ansible lead sessions of their own, and orphans have another parent. What all of them have is their environment.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

#: the variable that says to which session a process belongs
MARK = "LOCKSTEP_TEST_SESSION"

#: seconds that no machine takes
LONG = 600.0


def eventually(test: Callable[[], object], seconds: float = LONG) -> None:
    """Wait for a condition."""
    until = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)


def members(name: str) -> list[int]:
    """The processes of a session."""
    mark, found = os.fsencode(f"{MARK}={name}"), []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (path / "environ").read_bytes().split(b"\0"):
                found.append(int(path.name))
    return found


def kill_all(name: str) -> None:
    """Kill all processes of a session (SIGKILL), until there is none."""
    until = time.monotonic() + LONG
    while found := [pid for pid in members(name) if not _is_zombie(pid)]:
        assert time.monotonic() < until
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def playbook_command(*arguments: str) -> list[str]:
    """``ansible-playbook`` of this environment."""
    return [str(Path(sys.executable).with_name("ansible-playbook")), *arguments]


class Session:
    """A command with all that it starts.

    :param name: of its own.
    :param in_container: in a PID namespace of its own, which ends as a whole, as a container does.
    """

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path, in_container: bool = False
    ) -> None:
        self.name = name
        self.in_container = in_container
        self._shown = folder / f"{name}.output"
        # a user who is not root is, in a user namespace
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        container = ["unshare", *user, "--pid", "--fork", "--kill-child", "--mount-proc"] if in_container else []
        with self._shown.open("w") as output:
            self.process = subprocess.Popen(
                [*container, *command],
                cwd=folder,
                env={**environment, MARK: name},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._shown.read_text()

    def is_over(self) -> bool:
        return self.process.poll() is not None

    def wait(self) -> int:
        """Its exit status, once it has ended by itself."""
        return self.process.wait(timeout=LONG)

    def terminate(self) -> int:
        """Ask the process group to end (SIGTERM); returns the exit status."""
        os.killpg(self.process.pid, signal.SIGTERM)
        return self.wait()

    def end(self, with_notice: bool) -> None:
        """End it whether it is over or not: by SIGTERM, of which it gets notice, or as :meth:`kill` does."""
        if with_notice and not self.is_over():
            self.terminate()
        self.kill()

    def kill(self) -> None:
        """As ``docker kill``, or the OOM killer and the end of a pod: nothing of it is left."""
        self.process.kill()
        self.process.wait()
        kill_all(self.name)
