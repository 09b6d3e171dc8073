# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that cannot be reached or do not answer in time."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._dns.backend import Backend
from ansible_collections.lockstep.sync.plugins.module_utils._dns.transfer import read_soa
from tests.simulator.dns_embedded import EmbeddedServer
from tests.simulator.dns_server import free_port
from tests.unit.plugins.module_utils.dns.conftest import backend
from tests.unit.plugins.module_utils.dns.transfers import UNSIGNED, ZONE, MakeScripted, deadline, failure, fetch, run


def test_a_closed_port_is_a_failed_connection() -> None:
    closed = Backend("127.0.0.1", free_port())
    for call in (lambda: fetch(ZONE, closed), lambda: read_soa(ZONE, closed, 5)):
        error = failure(call, "connection_failed")
        assert "refused" in error.message
        assert closed.address in error.message


def test_a_name_that_cannot_be_resolved_is_a_failed_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **more: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    error = failure(lambda: fetch(ZONE, UNSIGNED), "connection_failed")
    assert "the name of the server cannot be resolved" in error.message


def test_a_name_that_cannot_be_encoded_is_a_failed_connection() -> None:
    failure(lambda: fetch(ZONE, Backend("x" * 64 + ".é")), "connection_failed")


def test_a_resolver_that_hangs_cannot_hold_us(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: released.wait(30))
    with deadline(0.4):
        error = failure(lambda: fetch(ZONE, UNSIGNED, 0.4), "connection_failed")
    assert "could not be resolved in time" in error.message
    released.set()


def test_a_silent_server_is_a_failed_connection(embedded: EmbeddedServer) -> None:
    embedded.set_fault("silent")
    embedded.set_fault("silent", on="query")
    with deadline(0.6):
        error = failure(lambda: fetch(ZONE, backend(embedded), 0.6), "connection_failed")
    assert "not complete within 0.6 s" in error.message
    with deadline(0.6):
        failure(lambda: read_soa(ZONE, backend(embedded), 0.6), "connection_failed")


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port where connections hang: the queue of those to be accepted is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening, contextlib.ExitStack() as stack:
        port: int = listening.getsockname()[1]
        for _index in range(4):
            sock = stack.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        yield port


def test_a_server_that_accepts_nothing_is_a_failed_connection(deaf_port: int) -> None:
    with deadline(0.5):
        failure(lambda: fetch(ZONE, Backend("127.0.0.1", deaf_port), 0.5), "connection_failed")


def test_an_address_that_hangs_leaves_time_for_the_next_one(
    embedded: EmbeddedServer, deaf_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def addresses(host: str, port: int, **kind: int) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, kind["type"], 0, "", ("127.0.0.1", number)) for number in (deaf_port, port)]

    source = backend(embedded, name="ns1.test")
    monkeypatch.setattr(socket, "getaddrinfo", addresses)
    assert len(fetch("empty.example.", source, 2)) == 2


def test_a_slow_drip_ends_at_the_deadline(embedded: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "drip_seconds", 0.2)
    embedded.set_fault("drip")
    with deadline(4):
        error = failure(lambda: fetch(ZONE, backend(embedded), 4), "connection_failed")
    received = [int(word) for word in error.message.split() if word.isdigit()][-1]
    assert 1 <= received <= 25


def test_a_drip_of_octets_ends_at_the_deadline(scripted: MakeScripted) -> None:
    stop = threading.Event()

    def drip(query: bytes, kind: int) -> Iterator[bytes]:
        yield b"\xff\xff"
        while not stop.wait(0.05):
            yield b"x"

    with deadline(0.5):
        failure(lambda: fetch(ZONE, UNSIGNED, 0.5, connect=scripted(drip, framed=False)), "connection_failed")
    stop.set()


def test_no_time_is_no_connection() -> None:
    failure(lambda: fetch(ZONE, Backend("127.0.0.1"), 0), "connection_failed")
    failure(lambda: read_soa(ZONE, Backend("127.0.0.1"), 0), "connection_failed")


def test_a_server_that_hangs_up_at_once_is_a_failed_connection(scripted: MakeScripted) -> None:
    assert "closed the connection" in failure(lambda: run(scripted), "connection_failed").message
