# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BIND sends NOTIFY where a test asks for it, and no longer after a reset."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.opcode
import pytest

from tests.simulator.bind import BindServer
from tests.simulator.client import Simulator
from tests.simulator.dns_server import HOST, TsigKey, zone_text

KEY = TsigKey.make("notify.")
ZONE = "notify.example."


@pytest.fixture
def bind(tmp_path: Path) -> Iterator[BindServer]:
    with BindServer(tmp_path, [KEY], {ZONE: zone_text()}) as server:
        yield server


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind((HOST, 0))
        udp.settimeout(60)
        yield udp


@pytest.mark.parametrize("signed", [False, True])
def test_a_change_is_announced(bind: BindServer, receiver: socket.socket, signed: bool) -> None:
    bind.notify(receiver.getsockname()[1], signed)
    bind.update(ZONE, add=[("www", 300, "A", "192.0.2.1")])
    message = dns.message.from_wire(receiver.recv(4096), keyring=KEY.key)

    assert message.opcode() == dns.opcode.NOTIFY
    assert message.question[0].name.to_text() == ZONE
    assert message.answer[0][0].serial == bind.serial(ZONE)
    assert message.had_tsig == signed


def test_nothing_is_announced_after_a_reset(receiver: socket.socket) -> None:
    with Simulator.start(parts=["vinyldns"], dns="bind") as simulator:
        vinyldns = simulator.control.part
        vinyldns("vinyldns", "POST", "/dns/notify", {"port": receiver.getsockname()[1]})
        change = {"zone": "example.com.", "add": [["notified", 300, "A", "192.0.2.1"]]}
        vinyldns("vinyldns", "POST", "/dns/update", change)
        assert receiver.recv(4096)

        simulator.reset()
        receiver.settimeout(1)
        vinyldns("vinyldns", "POST", "/dns/update", change)
        # those of the first change, which is not answered, come every 15 seconds
        with pytest.raises(TimeoutError):
            receiver.recv(4096)
