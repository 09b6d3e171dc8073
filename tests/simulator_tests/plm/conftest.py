# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests of the PLM Media Manager part, against what is published about the server and what was seen of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulator.client import Simulator
from tests.simulator.plm import PlmPart
from tests.simulator_tests.plm.client import Plm, Socket


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    with Simulator.in_thread([PlmPart]) as running:
        yield running


@pytest.fixture
def plm(simulator: Simulator) -> Plm:
    simulator.reset()
    return Plm(simulator)


@pytest.fixture
def sockets(plm: Plm) -> Iterator[list[Socket]]:
    opened: list[Socket] = []
    yield opened
    for each in opened:
        each.close()
