# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The outcome of a step, kept in a file so that another process can read it."""

from __future__ import annotations

import dataclasses
import json
import pathlib

from .shell import CACHE


@dataclasses.dataclass
class Outcome:
    """The outcome of a step.

    :param seconds: how long it took.
    :param problem: one line for the summary; empty if the step passed.
    :param notes: remarks for the end of the run.
    :param closing_lines: numbers of tests, for the very end of the run.
    """

    name: str
    seconds: float
    problem: str = ""
    notes: list[str] = dataclasses.field(default_factory=list)
    closing_lines: list[str] = dataclasses.field(default_factory=list)

    def write(self) -> None:
        path = _path(self.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(dataclasses.asdict(self)))

    @classmethod
    def read(cls, name: str) -> Outcome | None:
        """The outcome of the last run of a step; ``None`` if there is none."""
        path = _path(name)
        return cls(**json.loads(path.read_text())) if path.exists() else None

    @staticmethod
    def forget(name: str) -> None:
        _path(name).unlink(missing_ok=True)


def _path(name: str) -> pathlib.Path:
    return CACHE / "results" / f"{name}.json"
