# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random trials: whatever goes wrong, nothing is triggered a second time that has a record, and nothing is said that is not true.

A trial has one or two controllers with one ledger, on one host or several, that run tasks again after failures. Requests are
refused, lost, executed late, answered late, cut, or delivered twice; the system is offline, restarts, and is used by others;
clocks jump by an hour; controllers are killed at any request and any transaction, before and after it, or terminated.
"""

from __future__ import annotations

import collections
import pathlib
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._state.process import ProcessIdentity
from tests.conftest import Repeats
from tests.unit.plugins.support.databases import PostgresqlDatabase
from tests.unit.plugins.support.trials.crafter import StudioSystem
from tests.unit.plugins.support.trials.plm import MediaSystem
from tests.unit.plugins.support.trials.serveravatar import StagingSystem
from tests.unit.plugins.support.trials.system import System
from tests.unit.plugins.support.trials.trial import Trial
from tests.unit.plugins.support.trials.vinyldns import ZoneSystem
from tests.unit.plugins.support.trials.world import is_gone

SYSTEMS = {"vinyldns": ZoneSystem, "serveravatar": StagingSystem, "crafter": StudioSystem, "plm": MediaSystem}

by_system = pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)


@pytest.fixture(autouse=True)
def _processes_of_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProcessIdentity, "is_gone", is_gone)


def try_all(system: type[System], seeds: t.Iterable[int], location: t.Callable[[int], str]) -> collections.Counter[str]:
    """Run a trial for each seed; what happened in them, counted."""
    counts: collections.Counter[str] = collections.Counter()
    for seed in seeds:
        trial = Trial(system, seed, location(seed))
        trial.run()
        assert trial.world.violations == [], f"trial {seed}:\n" + "\n".join(trial.world.diary)
        counts += trial.counts
        counts.update(tasks=trial.tasks, runs=len(trial.system.runs), dead=len(trial.world.dead))
    return counts


@by_system
def test_exactly_once(system: type[System], tmp_path: pathlib.Path, repeats: Repeats) -> None:
    trials = repeats(10, 200, 1000)
    counts = try_all(system, range(trials), lambda seed: str(tmp_path / f"{seed}.sqlite3"))
    # it was a trial
    assert min(counts[what] for what in ("tasks", "runs", "dead", "outages", "others", "restarts", "jumps")) >= trials / 5, counts


@pytest.mark.long
@by_system
def test_exactly_once_by_postgresql(system: type[System], tmp_path: pathlib.Path, repeats: Repeats) -> None:
    seeds = range(5000, 5000 + repeats(0, 10, 100))
    try_all(system, seeds, lambda seed: PostgresqlDatabase(tmp_path / str(seed)).location)
