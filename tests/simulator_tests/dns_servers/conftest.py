# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both DNS servers, with the same zones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulator.bind import BindServer
from tests.simulator.dns_embedded import EmbeddedServer
from tests.simulator.dns_server import DnsServer
from tests.simulator_tests.dns_servers.clients import KEYS, ZONES, needs_bind


@pytest.fixture(scope="module")
def embedded() -> Iterator[DnsServer]:
    with EmbeddedServer(KEYS, ZONES) as server:
        yield server


@pytest.fixture(scope="module")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DnsServer]:
    with BindServer(tmp_path_factory.mktemp("named"), KEYS, ZONES) as server:
        yield server


@pytest.fixture(params=["embedded", pytest.param("bind", marks=needs_bind)])
def server(request: pytest.FixtureRequest) -> DnsServer:
    """As at the start; not to be changed."""
    found: DnsServer = request.getfixturevalue(request.param)
    return found
