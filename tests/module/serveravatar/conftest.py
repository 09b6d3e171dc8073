# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests against an emulated ServerAvatar."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulator.client import Simulator

from .server import Server


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["serveravatar"]) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(simulator: Simulator) -> None:
    simulator.reset()


@pytest.fixture
def server(simulator: Simulator) -> Server:
    return Server(simulator)
