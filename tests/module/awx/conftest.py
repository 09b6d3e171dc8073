# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests of both playbooks as jobs of AWX."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulator.client import Simulator

from .job import Awx
from .systems import Promotions, Zones


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["vinyldns", "serveravatar"]) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(simulator: Simulator) -> None:
    simulator.reset()


@pytest.fixture
def awx(tmp_path: Path) -> Iterator[Awx]:
    awx = Awx(tmp_path)
    yield awx
    awx.end()


@pytest.fixture
def promotions(simulator: Simulator, awx: Awx) -> Promotions:
    return Promotions(simulator, awx)


@pytest.fixture
def zones(simulator: Simulator, awx: Awx) -> Zones:
    return Zones(simulator, awx)
