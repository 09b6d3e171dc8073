# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests of role dns_reconciliation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulator.client import Simulator

from .playbook import Playbook, Server


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["vinyldns"]) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(simulator: Simulator) -> None:
    simulator.reset()


@pytest.fixture
def server(simulator: Simulator) -> Server:
    return Server(simulator)


@pytest.fixture
def playbook(server: Server, environment: dict[str, str], tmp_path: Path) -> Playbook:
    return Playbook(server, environment, tmp_path)
