# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests of the Crafter part."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulator.client import Simulator
from tests.simulator.crafter import CrafterPart
from tests.simulator_tests.crafter.client import Client, as_of


@pytest.fixture(scope="session", name="simulator")
def _simulator() -> Iterator[Simulator]:
    with Simulator.in_thread([CrafterPart]) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(simulator: Simulator) -> None:
    """As at the start, with a clock in a hurry."""
    simulator.reset()
    simulator.knob("crafter", queue_seconds=0.05, processing_seconds=0.03, publishing_seconds=0.03)


@pytest.fixture(name="studio")
def _studio(simulator: Simulator) -> Client:
    """An administrator of a 4.1."""
    return as_of(simulator, "4.1")
