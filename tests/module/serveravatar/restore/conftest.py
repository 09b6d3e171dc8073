# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests of serveravatar_restore."""

from __future__ import annotations

import pytest

from tests.simulator.client import Simulator

from .server import Server


@pytest.fixture(autouse=True)
def fresh(simulator: Simulator) -> None:
    simulator.reset()
    # a restore is over once it was seen to go on, however slow this machine is
    simulator.knob("serveravatar", restore_until_seen=1)


@pytest.fixture
def server(simulator: Simulator) -> Server:
    return Server(simulator)
