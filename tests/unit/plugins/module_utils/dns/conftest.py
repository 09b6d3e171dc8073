# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS servers for the tests: a real BIND, the simulator's own one for broken answers, and one that plays a script."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator

import pytest
from hypothesis import settings

from ansible_collections.lockstep.sync.plugins.module_utils._dns.backend import Backend
from tests.simulator.bind import BindServer, find_named
from tests.simulator.dns_embedded import EmbeddedServer
from tests.simulator.dns_server import ALGORITHMS, ANYONE, DnsServer, TsigKey, ZoneSpec, zone_text

# examples have no deadline, so that a busy machine makes no test fail
settings.register_profile("dns", deadline=None)
settings.load_profile("dns")

KEYS = [TsigKey.make(f"key-{algorithm}.", algorithm) for algorithm in ALGORITHMS]
KEY = next(key for key in KEYS if key.algorithm == "hmac-sha256")

EVERYTHING = [
    "www 60 IN A 192.0.2.1",
    "www 60 IN A 192.0.2.2",
    "WWW2 IN AAAA 2001:db8::1",
    "web IN CNAME WWW",
    "sub IN NS ns1.sub",
    "ns1.sub IN A 192.0.2.3",
    f"sub IN DS 12345 13 2 {'AB' * 32}",
    "@ IN MX 10 mx.example.net.",
    '* IN NAPTR 100 50 "u" "E2U+sip" "!^(.*)$!sip:\\\\1@example.com!" .',
    "0/27 IN PTR host",
    '@ IN SPF "v=spf1 -all"',
    "_sip._tcp IN SRV 1 2 5060 web",
    f"www IN SSHFP 4 2 {'CD' * 32}",
    'txt IN TXT "one" "two \\"\\\\ \\228"',
    "d\\.ot.sp\\032ace IN A 192.0.2.4",
    '@ IN CAA 0 issue "ca.example.net"',
    "web2 IN HTTPS 1 web alpn=h2",
    *(f"host-{index} IN A 10.0.{index >> 8}.{index & 255}" for index in range(3000)),
]

ZONES: dict[str, ZoneSpec | str] = {
    "example.com.": ZoneSpec(zone_text(EVERYTHING, serial=2026112001)),
    "open.example.": ZoneSpec(zone_text(["www IN A 192.0.2.1"], serial=5), transfer=(ANYONE,)),
    "closed.example.": ZoneSpec(zone_text(), transfer=()),
    "empty.example.": ZoneSpec(zone_text(serial=4294967295)),
}


@pytest.fixture(scope="module")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BindServer]:
    if find_named() is None:
        pytest.skip("BIND is not installed")
    with BindServer(tmp_path_factory.mktemp("dns"), KEYS, ZONES) as server:
        yield server


@pytest.fixture(scope="module")
def shared_embedded() -> Iterator[EmbeddedServer]:
    with EmbeddedServer(KEYS, ZONES) as server:
        yield server


@pytest.fixture
def embedded(shared_embedded: EmbeddedServer) -> Iterator[EmbeddedServer]:
    """A server to make trouble with; it is well again for the next test."""
    yield shared_embedded
    shared_embedded.clear_faults()


@pytest.fixture(params=["bind", "embedded"])
def server(request: pytest.FixtureRequest) -> DnsServer:
    """Either of the two servers."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, DnsServer)
    return found


def backend(server: DnsServer, key: TsigKey | None = KEY, name: str | None = None) -> Backend:
    tsig = {"tsig_name": key.name, "tsig_secret": key.secret, "tsig_algorithm": key.algorithm} if key else {}
    return Backend.from_options({"server": name or server.server, "port": server.port, **tsig})


Script = Callable[[bytes, int], Iterable[bytes]]


class Scripted:
    """A connector to a server that answers the first question of each connection by a script, and hangs up.

    :param script: gets the question and the kind of socket, and gives messages (or fragments, with ``framed=False``).
    :param patience: seconds after which the server hangs up if it can send nothing.
    """

    def __init__(self, script: Script, framed: bool = True, patience: float = 10) -> None:
        self.script = script
        self.framed = framed
        self.patience = patience
        self.kinds: list[int] = []
        self.timeouts: list[float] = []
        self._threads: list[threading.Thread] = []

    def __call__(self, backend: Backend, kind: int, timeout: float) -> socket.socket:
        self.kinds.append(kind)
        self.timeouts.append(timeout)
        ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
        thread = threading.Thread(target=self._serve, args=(theirs, kind), daemon=True)
        thread.start()
        self._threads.append(thread)
        return ours

    def close(self) -> None:
        for thread in self._threads:
            thread.join(10)

    def _serve(self, sock: socket.socket, kind: int) -> None:
        with sock, contextlib.suppress(OSError):
            sock.settimeout(self.patience)
            query = sock.recv(65535)
            framed = self.framed and kind == socket.SOCK_STREAM
            for message in self.script(query[2:] if kind == socket.SOCK_STREAM else query, kind):
                sock.sendall(struct.pack("!H", len(message)) + message if framed else message)


@pytest.fixture
def scripted() -> Iterator[Callable[..., Scripted]]:
    """Makes :class:`Scripted` connectors, and waits for their threads."""
    made: list[Scripted] = []

    def make(script: Script, framed: bool = True, patience: float = 10) -> Scripted:
        made.append(Scripted(script, framed, patience))
        return made[-1]

    yield make
    for connector in made:
        connector.close()
