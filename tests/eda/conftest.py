# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests of rulebooks."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.module.dns_reconciliation.playbook import Server
from tests.simulator.client import Simulator

from .rulebook import ROOT, Rulebook

Run = Callable[..., Rulebook]


@pytest.fixture(scope="session")
def programs() -> str:
    """Where ansible-rulebook is."""
    return subprocess.check_output([ROOT / "scripts" / "install-rulebook"], text=True).strip()


@pytest.fixture
def rulebook(programs: str, tmp_path: Path) -> Run:
    """Prepares a rulebook; ``with`` starts it."""

    def prepare(name: str, variables: dict[str, Any], hostvars: dict[str, Any] | None = None) -> Rulebook:
        return Rulebook(name, programs, tmp_path / "rulebook", variables, hostvars)

    return prepare


@pytest.fixture(scope="session")
def dns_simulator() -> Iterator[Simulator]:
    """VinylDNS with a BIND that can send NOTIFY."""
    with Simulator.start(parts=["vinyldns"], dns="bind") as running:
        yield running


@pytest.fixture
def server(dns_simulator: Simulator) -> Server:
    dns_simulator.reset()
    return Server(dns_simulator)
