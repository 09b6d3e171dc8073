# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SOA queries: by datagram, by TCP where there is no answer, and which answers count."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._dns import transfer as transfer_module
from ansible_collections.lockstep.sync.plugins.module_utils._dns.backend import Backend
from ansible_collections.lockstep.sync.plugins.module_utils._dns.transfer import read_soa
from tests.simulator.dns_server import DnsServer
from tests.unit.plugins.module_utils.dns.conftest import KEY, backend
from tests.unit.plugins.module_utils.dns.transfers import HOST, SOA, UNSIGNED, ZONE, MakeScripted, failure, fetch, respond


@contextlib.contextmanager
def quickly() -> Iterator[None]:
    """What is done inside waits for no datagram: that would take longer than a busy machine needs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transfer_module, "UDP_PATIENCE", 60.0)
        begun = time.monotonic()
        yield
        assert time.monotonic() - begun < 30


def test_the_soa_has_all_its_fields(server: DnsServer) -> None:
    assert read_soa(ZONE, backend(server, None), 5)._asdict() == {
        "serial": 2026112001,
        "mname": "ns1.example.net.",
        "rname": "hostmaster.example.net.",
        "refresh": 3600,
        "retry": 600,
        "expire": 86400,
        "minimum": 60,
        "ttl": 300,
    }


def test_a_truncated_answer_is_asked_for_by_tcp(scripted: MakeScripted) -> None:
    connector = scripted(
        lambda query, kind: [respond(query, SOA) if kind == socket.SOCK_STREAM else respond(query, flags=0x8600)]
    )
    assert read_soa(ZONE, UNSIGNED, 5, connect=connector).serial == 7
    assert connector.kinds == [socket.SOCK_DGRAM, socket.SOCK_STREAM]


def test_lost_datagrams_are_repeated(scripted: MakeScripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer_module, "UDP_PATIENCE", 0.5)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    def serve() -> None:
        theirs.recv(512)
        theirs.send(respond(theirs.recv(512), SOA))

    thread = threading.Thread(target=serve)
    thread.start()
    with theirs:
        assert read_soa(ZONE, UNSIGNED, 5, connect=lambda *args: ours).serial == 7
        thread.join()


def test_tcp_is_asked_where_datagrams_get_lost(scripted: MakeScripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer_module, "UDP_PATIENCE", 0.1)
    connector = scripted(lambda query, kind: [respond(query, SOA)] if kind == socket.SOCK_STREAM else [])
    assert read_soa(ZONE, UNSIGNED, 5, connect=connector).serial == 7


def test_tcp_is_asked_where_there_are_no_datagrams(scripted: MakeScripted) -> None:
    tcp = scripted(lambda query, kind: [respond(query, SOA)])

    def connect(source: Backend, kind: int, timeout: float) -> socket.socket:
        if kind == socket.SOCK_DGRAM:
            raise ConnectionRefusedError
        return tcp(source, kind, timeout)

    assert read_soa(ZONE, UNSIGNED, 5, connect=connect).serial == 7


FORGED = SOA.replace(" 7 ", " 666 ")


@pytest.mark.parametrize(
    "datagram",
    [
        lambda query: respond(query, FORGED, id=struct.unpack("!H", query[:2])[0] ^ 1),
        lambda query: respond(query.replace(b"\x07example", b"\x07exemple"), FORGED),
        lambda query: query,
        lambda query: b"",
        lambda query: b"x",
    ],
)
@pytest.mark.parametrize("source", [UNSIGNED, Backend("server.test", tsig_name=KEY.name, tsig_secret=KEY.secret)])
def test_tcp_is_asked_where_a_datagram_is_no_answer(
    scripted: MakeScripted, datagram: Callable[[bytes], bytes], source: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer_module, "UDP_PATIENCE", 10)

    def script(query: bytes, kind: int) -> list[bytes]:
        if kind == socket.SOCK_DGRAM:
            return [datagram(query)]
        return [respond(query, rcode=dns.rcode.SERVFAIL, tsig=None)]

    with quickly():
        assert "SERVFAIL" in failure(lambda: read_soa(ZONE, source, 60, connect=scripted(script)), "bad_response").message


def test_a_datagram_that_is_not_signed_is_not_trusted(scripted: MakeScripted) -> None:
    signed = Backend("server.test", tsig_name=KEY.name, tsig_secret=KEY.secret)
    connector = scripted(lambda query, kind: [respond(query, FORGED, tsig=None)])
    assert "not signed" in failure(lambda: read_soa(ZONE, signed, 5, connect=connector), "auth_failed").message


@pytest.mark.parametrize(
    "reply",
    [
        lambda query: respond(query, SOA, flags=0x8000),  # from the cache of a resolver
        respond,
        lambda query: respond(query, "sub.example.com. 300 IN SOA a. b. 7 1 2 3 4"),
        lambda query: respond(query, HOST),
        lambda query: respond(query, rcode=dns.rcode.NXDOMAIN),
        lambda query: respond(query, rcode=dns.rcode.REFUSED),
        lambda query: respond(query, rcode=dns.rcode.NOTAUTH),
    ],
)
def test_only_an_authoritative_soa_counts(scripted: MakeScripted, reply: Callable[[bytes], bytes]) -> None:
    connector = scripted(lambda query, kind: [reply(query)])
    failure(lambda: read_soa(ZONE, UNSIGNED, 5, connect=connector), "not_found")


def test_a_refusal_that_is_not_signed_is_a_matter_of_keys(scripted: MakeScripted) -> None:
    signed = Backend("server.test", tsig_name=KEY.name, tsig_secret=KEY.secret)
    connector = scripted(lambda query, kind: [respond(query, rcode=dns.rcode.NOTAUTH, tsig=None)])
    failure(lambda: fetch(ZONE, signed, 5, connect=connector), "auth_failed")


def test_a_transfer_that_is_not_authorised_though_the_zone_is_served_is_a_matter_of_permission(scripted: MakeScripted) -> None:
    def script(query: bytes, kind: int) -> list[bytes]:
        is_transfer = dns.message.from_wire(query).question[0].rdtype == dns.rdatatype.AXFR
        return [respond(query, rcode=dns.rcode.NOTAUTH) if is_transfer else respond(query, SOA)]

    error = failure(lambda: fetch(ZONE, UNSIGNED, 5, connect=scripted(script)), "permission_denied")
    assert "NOTAUTH: the server does not allow this host or key" in error.message
    assert "no TSIG key" in error.message
    assert "backend.tsig_name" in error.hint


def test_a_zone_that_is_not_served_is_not_found(scripted: MakeScripted) -> None:
    connector = scripted(lambda query, kind: [respond(query, rcode=dns.rcode.NOTAUTH)])
    assert "not authoritative" in failure(lambda: fetch(ZONE, UNSIGNED, 5, connect=connector), "not_found").message


def test_a_refusal_need_not_be_signed(scripted: MakeScripted) -> None:
    signed = Backend("server.test", tsig_name=KEY.name, tsig_secret=KEY.secret)
    connector = scripted(lambda query, kind: [respond(query, rcode=dns.rcode.REFUSED, tsig=None)])
    failure(lambda: fetch(ZONE, signed, 5, connect=connector), "permission_denied")
