# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests against an emulated PLM Media Manager."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.client import Simulator

from ..conftest import Outcome
from .server import DEFAULTS, SYNC, Case, Server, SideBySide, eventually


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["plm"]) as running:
        yield running


@pytest.fixture
def server(simulator: Simulator) -> Iterator[Server]:
    """As at the start; and whatever a test does, nothing may be sent that hangs, or that is not documented."""
    simulator.reset()
    server = Server(simulator)
    server.knob(**DEFAULTS)
    yield server
    for entry in simulator.requests(part="plm"):
        path = str(entry["path"])
        form = {"POST": r"/storage/synchronizers", "GET": r"/storage/synchronizers/\$[\w.@&$-]+\+[\w.@&$-]+|/notifications"}
        assert re.search(f"({form[entry['method']]})$", path), entry
        assert entry["body_bytes"] == 0
        assert not entry["authorization"], entry
        assert not entry["error"], entry


@pytest.fixture
def side_by_side(server: Server, start_module: Any, tmp_path: Path) -> SideBySide:
    """One task for each case, all at the same time, each with a ledger of its own; each sends exactly one trigger."""

    def run(cases: list[Case]) -> list[Outcome]:
        started = []
        for number, case in enumerate(cases):
            # a synchronizer takes the knobs of its POST along
            server.knob(**{**DEFAULTS, "duplicates": "independent", **case.knobs})
            ledger = str(tmp_path / f"ledger{number}.sqlite3")
            started.append(start_module(SYNC, server.options(**{"ledger_path": ledger, **case.options})))
            eventually(lambda number=number: server.posts() > number)
        outcomes = [item.finish() for item in started]
        assert server.posts() == len(cases)
        return outcomes

    return run
