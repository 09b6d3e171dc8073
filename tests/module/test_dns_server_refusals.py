# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What real BIND, Knot DNS, NSD and PowerDNS say of a zone that they do not serve, by the module and with the right key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._dns.backend import Backend
from ansible_collections.lockstep.sync.plugins.module_utils._dns.transfer import transfer
from tests.simulator.client import Simulator
from tests.simulator.dns_server import TsigKey, zone_text

from .conftest import RunModule
from .dns_servers import SERVERS, RealServer
from .vinyldns.server import ZONE, Server

pytestmark = pytest.mark.long

KEY = TsigKey.make("transfer.")
SERVED = "real.example."


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["vinyldns"]) as running:
        yield running


@pytest.fixture(params=SERVERS, ids=lambda kind: kind.name)
def dns_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealServer]:
    folder = tmp_path / "dns"
    folder.mkdir()
    with request.param(folder, SERVED, zone_text(["www A 192.0.2.1"], serial=7), KEY) as running:
        yield running


def source(server: RealServer, key: TsigKey | None) -> Backend:
    if key is None:
        return Backend("127.0.0.1", server.port)
    return Backend("127.0.0.1", server.port, key.name, key.secret, key.algorithm)


@pytest.mark.parametrize("zone", ["nowhere.example.", f"www.{SERVED}"])
def test_a_zone_that_is_not_served_is_not_blamed_on_the_key(dns_server: RealServer, zone: str) -> None:
    for key in (KEY, None):
        with pytest.raises(SyncError) as caught:
            list(transfer(zone, source(dns_server, key), 20))
        assert (caught.value.code, "NOTAUTH" in caught.value.message) == ("not_found", True)
        assert "Check the name of the zone" in caught.value.hint
    with pytest.raises(SyncError) as caught:
        list(transfer(SERVED, source(dns_server, TsigKey(KEY.name, TsigKey.make("other.").secret)), 20))
    assert caught.value.code == "auth_failed"


def test_the_module_names_zone_server_and_key(dns_server: RealServer, simulator: Simulator, run_module: RunModule) -> None:
    simulator.reset()
    server = Server(simulator)
    server.add()
    server.backend = {"server": "127.0.0.1", "port": dns_server.port, "tsig_name": KEY.name, "tsig_secret": KEY.secret}
    outcome = run_module("vinyldns_zone_sync", server.options())
    assert outcome.codes == ["not_found"] and server.posts() == 0
    message = outcome.only["failure"]["message"]
    assert f"zone {ZONE}" in message and str(dns_server.port) in message and KEY.name in message
