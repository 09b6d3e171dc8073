# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Steps that run in the background of others: they use the CPU time that those spend waiting.

Each runs in a process of its own. Its output is kept until it can be printed in one piece.
"""

from __future__ import annotations

import concurrent.futures
import subprocess
import sys
import time
import types
import typing as t

from .outcome import Outcome
from .shell import ROOT

#: Programs that lower the priority of what they start (POSIX): enough not to slow the tests down, and not so much that all is
#: still to be done when they have ended. What takes longest, one thing after the other, has the higher one.
LOW_PRIORITY = ("nice", "-n", "10")
LOWERED_PRIORITY = ("nice", "-n", "5")


class Background:
    """Runs steps at the same time as the body of the ``with`` statement, and as each other.

    :param most: how many at most.
    """

    def __init__(self, most: int) -> None:
        self._pool = concurrent.futures.ThreadPoolExecutor(max_workers=max(1, most))
        self._steps: set[concurrent.futures.Future[tuple[Outcome, str]]] = set()

    def start(self, name: str, priority: t.Sequence[str] = ()) -> None:
        """Start a step, as ``python -m scripts.check NAME`` does.

        :param priority: the command that lowers its priority.
        """
        self._steps.add(self._pool.submit(_run, name, priority))

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None) -> None:
        self._pool.shutdown(cancel_futures=True)

    def finished(self) -> t.Iterator[tuple[Outcome, str]]:
        """Outcome and output of the steps that have ended since the last call, without waiting."""
        done = {step for step in self._steps if step.done()}
        self._steps -= done
        yield from (step.result() for step in done)

    def remaining(self) -> t.Iterator[tuple[Outcome, str]]:
        """Outcome and output of the other steps, each as it ends."""
        steps, self._steps = self._steps, set()
        yield from (step.result() for step in concurrent.futures.as_completed(steps))


def _run(name: str, priority: t.Sequence[str]) -> tuple[Outcome, str]:
    Outcome.forget(name)
    start = time.monotonic()
    done = subprocess.run(
        [*priority, sys.executable, "-m", __package__ or "", "--quiet", name],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    outcome = Outcome.read(name)
    if outcome is None:
        outcome = Outcome(name, time.monotonic() - start, f"ended without an outcome, status {done.returncode}")
    return outcome, done.stdout
