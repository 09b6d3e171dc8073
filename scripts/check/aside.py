# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Steps that run beside the tests: they use the time in which tests only wait.

They do so in processes of their own at the lowest priority, so that they do not slow the tests down, and their output is kept
until it can be shown in one piece.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import pathlib
import subprocess
import sys
import time
import types
import typing as t

from .shell import CACHE, ROOT

#: A program that lowers the priority of what it starts (POSIX).
LOW_PRIORITY = ("nice", "-n", "19")


@dataclasses.dataclass
class Outcome:
    """What became of a step.

    :param problem: one line for the summary; empty if the step passed.
    :param notes: remarks for the end of the run.
    :param closing_lines: what test runners said of themselves.
    """

    name: str
    seconds: float
    problem: str = ""
    notes: list[str] = dataclasses.field(default_factory=list)
    closing_lines: list[str] = dataclasses.field(default_factory=list)

    def write(self, path: pathlib.Path) -> None:
        path.write_text(json.dumps(dataclasses.asdict(self)))


class Aside:
    """Runs steps one after the other, beside what the caller does inside the ``with`` statement.

    :param names: the steps; ``python -m scripts.check --outcome FILE NAME`` runs one.
    """

    def __init__(self, names: t.Sequence[str]) -> None:
        self._pool = concurrent.futures.ThreadPoolExecutor(max_workers=1)
        self._steps = [self._pool.submit(_run, name) for name in names]

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None) -> None:
        self._pool.shutdown(cancel_futures=True)

    def finished(self) -> t.Iterator[tuple[Outcome, str]]:
        """Outcome and output of the steps that have ended since the last call, without waiting."""
        while self._steps and self._steps[0].done():
            yield self._steps.pop(0).result()

    def rest(self) -> t.Iterator[tuple[Outcome, str]]:
        """Outcome and output of the others, each as it ends."""
        while self._steps:
            yield self._steps.pop(0).result()


def _run(name: str) -> tuple[Outcome, str]:
    path = CACHE / "results" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    start = time.monotonic()
    done = subprocess.run(
        [*LOW_PRIORITY, sys.executable, "-m", __package__ or "", "--outcome", str(path), name],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if not path.exists():
        return Outcome(name, time.monotonic() - start, f"ended without an outcome, status {done.returncode}"), done.stdout
    return Outcome(**json.loads(path.read_text())), done.stdout
