# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/first-run.md is what happens: a newcomer's mistakes name their remedies, and the first reconciliation works."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from tests.first_run.page import PAGE, page
from tests.first_run.walk import WALK, message, walk
from tests.simulator.client import Simulator

#: seconds of CPU time that a first reconciliation may take, all mistakes included
FIVE_MINUTES = 300


@pytest.mark.long
def test_the_first_run_is_as_its_page_says(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with Simulator.start(["vinyldns"]) as simulator:
        walked = list(walk(tmp_path, simulator))
        mutations = simulator.requests(part="vinyldns", kind="mutate")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)

    assert [stop for stop, _result in walked] == list(WALK)
    for stop, result in walked:
        assert (result.status != 0) == bool(stop.remedy), stop.title
        assert stop.remedy in message(result), stop.title
    assert len([stop for stop in WALK if stop.remedy]) >= 5
    assert [message(result).partition(":")[0] for _stop, result in walked[-3:]] == ["drift", "reconciled", "in_sync"]
    assert len(mutations) == 1
    assert page(walked) == PAGE.read_text(encoding="utf-8"), "write it again: python -m tests.first_run --write"
    assert used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime < FIVE_MINUTES
