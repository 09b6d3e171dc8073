# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests of the VinylDNS part.  Other parts bring their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulator.bind import find_named
from tests.simulator.client import Simulator
from tests.simulator_tests.vinyldns.vinyl import Vinyl

needs_bind = pytest.mark.skipif(find_named() is None, reason="BIND is not installed")


@pytest.fixture(scope="session")
def embedded_simulator() -> Iterator[Simulator]:
    """In a thread, with the embedded DNS server."""
    with Simulator.in_thread(["vinyldns"], dns="embedded") as simulator:
        yield simulator


@pytest.fixture(scope="session")
def bind_simulator() -> Iterator[Simulator]:
    """In a process of its own, with BIND."""
    with Simulator.start(["vinyldns"], dns="bind") as simulator:
        yield simulator


def _fresh(simulator: Simulator) -> Iterator[Vinyl]:
    simulator.reset()
    vinyl = Vinyl(simulator)
    yield vinyl
    vinyl.close()
    crashes = [entry for entry in simulator.requests() if entry["error"]]
    assert not crashes, crashes


@pytest.fixture
def vinyl(embedded_simulator: Simulator) -> Iterator[Vinyl]:
    """VinylDNS as at the start."""
    yield from _fresh(embedded_simulator)


@pytest.fixture(params=["embedded", pytest.param("bind", marks=needs_bind)])
def any_vinyl(request: pytest.FixtureRequest) -> Iterator[Vinyl]:
    """The same, over each DNS server."""
    simulator: Simulator = request.getfixturevalue(f"{request.param}_simulator")
    yield from _fresh(simulator)
