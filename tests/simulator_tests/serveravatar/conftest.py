# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests of the ServerAvatar part, against what is published about the service."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulator.client import Simulator
from tests.simulator.serveravatar import ServerAvatarPart
from tests.simulator_tests.serveravatar.client import Api


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    with Simulator.in_thread([ServerAvatarPart]) as running:
        yield running


@pytest.fixture
def api(simulator: Simulator) -> Api:
    simulator.reset()
    return Api(simulator)
