# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests of role staging_promotion."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion import owner, preflight
from tests.simulator.client import Simulator

from .playbook import Playbook, Server
from .stage import Stage


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["serveravatar", "crafter", "plm"]) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(simulator: Simulator) -> None:
    simulator.reset()


@pytest.fixture
def server(simulator: Simulator) -> Server:
    return Server(simulator)


@pytest.fixture
def playbook(environment: dict[str, str], tmp_path: Path) -> Iterator[Playbook]:
    playbook = Playbook(environment, tmp_path)
    yield playbook
    for running in playbook.started:
        running.kill()


@pytest.fixture
def stage(simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    made = Stage(simulator, tmp_path)
    monkeypatch.setattr(preflight, "PREFLIGHT_PATIENCE", 0.0)
    monkeypatch.setenv("LOCKSTEP_LEDGER", str(made.ledger))
    monkeypatch.setattr(owner, "controlling_process", made.controlling_process)
    yield made
    made.die()
    made.check_secrets()
