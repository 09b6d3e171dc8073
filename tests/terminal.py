# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A person at a real terminal, for tests of what asks one."""

from __future__ import annotations

import os
import pathlib
import pty
import select
import subprocess
import sys
import time

#: gives the rest of its arguments a terminal of their own: the first that the leader of a session opens
ON_TERMINAL = """\
import os, sys
terminal = os.open(sys.argv[1], os.O_RDWR)
for number in range(3):
    os.dup2(terminal, number)
os.execv(sys.argv[2], sys.argv[2:])
"""


class Terminal:
    """ansible-playbook on a real terminal, of which this is the keyboard and the screen."""

    def __init__(self, command: list[str], directory: pathlib.Path, environment: dict[str, str]) -> None:
        self._master, slave = pty.openpty()
        started = [sys.executable, "-c", ON_TERMINAL, os.ttyname(slave), *command]
        self.process = subprocess.Popen(
            started, cwd=directory, env=environment, start_new_session=True, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave
        )
        os.close(slave)
        self.screen = ""
        self._end = time.monotonic() + 60

    def read(self, seconds: float = 0.05) -> bool:
        """Read what is written; return false once the other end is closed."""
        assert time.monotonic() < self._end, self.screen
        if select.select([self._master], [], [], seconds)[0]:
            try:
                self.screen += os.read(self._master, 65536).decode()
            except OSError:
                return False
        return True

    def listens(self) -> bool:
        """Whether it reads keys: before it does, it throws away what was typed."""
        flags = pathlib.Path("/proc", str(self.process.pid), "fdinfo", "0").read_text().split("flags:")[1].split()[0]
        return bool(int(flags, 8) & os.O_NONBLOCK)

    def answer(self, question: str, keys: bytes) -> None:
        while question not in self.screen or not self.listens():
            assert self.read(), self.screen
        os.write(self._master, keys)

    def close(self) -> int:
        """Its exit status."""
        while self.read():
            pass
        return self.process.wait(20)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)
