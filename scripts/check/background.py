# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Steps that run in the background while the tests run: they use the CPU time that tests spend waiting.

Each runs in a process of its own at the lowest priority, so that it does not slow the tests down. Its output is kept until it can
be printed in one piece.
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

#: A program that lowers the priority of what it starts (POSIX).
LOW_PRIORITY = ("nice", "-n", "19")


class Background:
    """Runs steps at the same time as the body of the ``with`` statement, and as each other.

    :param names: the steps; ``python -m scripts.check NAME`` runs one.
    """

    def __init__(self, names: t.Sequence[str]) -> None:
        self._pool = concurrent.futures.ThreadPoolExecutor(max_workers=max(1, len(names)))
        self._steps = {self._pool.submit(_run, name) for name in names}

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


def _run(name: str) -> tuple[Outcome, str]:
    Outcome.forget(name)
    start = time.monotonic()
    done = subprocess.run(
        [*LOW_PRIORITY, sys.executable, "-m", __package__ or "", "--quiet", name],
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
