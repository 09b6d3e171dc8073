# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Triggers over connections that reads have used: only while these are alive, and as certain as over new ones."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import Ambiguous, NeverArrived
from ansible_collections.lockstep.sync.plugins.module_utils._http import transport
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.module_utils.http.replies import GOOD, replies
from tests.unit.plugins.support.clients import channel_to
from tests.unit.plugins.support.keeper import CLOSING, WAYS, Keeper, Way
from tests.unit.plugins.support.web import Reply


def warmed(channel: Channel, reads: int = transport.PROVEN_BY, keep: bool = True) -> Channel:
    """The channel after so many reads."""
    channel.keeps_connections = keep
    for _read in range(reads):
        channel.observe("/x")
    return channel


@pytest.fixture(params=[False, True], ids=["http", "https"])
def tls(request: pytest.FixtureRequest, certificate: tuple[str, str]) -> tuple[str, str] | None:
    return certificate if request.param else None


def settings(tls: tuple[str, str] | None) -> dict[str, t.Any]:
    return {"verify": tls[0]} if tls else {}


# -- which connection it gets ------------------------------------------------------------------------------------------


def test_a_trigger_uses_the_connection_of_the_reads_before_it(tls: tuple[str, str] | None) -> None:
    with Keeper(tls) as keeper, channel_to(keeper.url, **settings(tls)) as channel:
        assert warmed(channel).trigger("POST", "/sync").json() == {"ok": True}
        channel.trigger("POST", "/sync")
        channel.observe("/x")
    assert [seen.connection for seen in keeper.log] == [1] * 5
    assert not any(b"Connection: close" in seen.head for seen in keeper.log)
    assert all(b"Cache-Control: no-cache" in seen.head for seen in keeper.posts)


def test_a_channel_that_does_not_keep_connections_opens_one_for_each_trigger() -> None:
    with Keeper() as keeper, channel_to(keeper.url) as channel:
        warmed(channel, keep=False).trigger("POST", "/sync")
        channel.trigger("POST", "/sync")
    assert [seen.connection for seen in keeper.log] == [1, 1, 2, 3]


@pytest.mark.parametrize("reads", range(transport.PROVEN_BY))
def test_a_connection_that_has_not_proven_itself_is_not_used(reads: int) -> None:
    with Keeper() as keeper, channel_to(keeper.url) as channel:
        warmed(channel, reads).trigger("POST", "/sync")
    assert [seen.connection for seen in keeper.posts] == [min(reads, 1) + 1]


def test_a_connection_that_was_idle_for_long_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Keeper() as keeper, channel_to(keeper.url) as channel:
        warmed(channel)
        monkeypatch.setattr(transport, "KEPT_FOR", -1.0)
        channel.trigger("POST", "/sync")
    assert [seen.connection for seen in keeper.log] == [1, 1, 2]


def test_a_close_that_the_server_announces_is_believed(serve: Serve) -> None:
    web = serve(replies(GOOD, GOOD, Reply(body={"ok": True}, headers={"Connection": "close"}), GOOD))
    with channel_to(web.url) as channel:
        warmed(channel, 3).trigger("POST", "/sync")
    assert [request.connection for request in web.log] == [1, 1, 1, 2]


def test_a_response_that_was_not_read_to_its_end_leaves_no_connection_for_a_trigger(serve: Serve) -> None:
    web = serve(replies(GOOD, GOOD, Reply(body={"ok": True}, end="half"), GOOD))
    with channel_to(web.url) as channel:
        warmed(channel, 3).trigger("POST", "/sync")
    assert [(request.method, request.connection) for request in web.log] == [
        *[("GET", 1)] * 3,
        ("GET", 2),
        ("POST", 3),
    ]


def test_a_connection_that_cannot_be_tracked_is_refused(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serve(replies(GOOD))
    monkeypatch.setenv("http_proxy", proxy.url)
    # its pools are then those of the library
    monkeypatch.setattr(transport, "_is_socks", lambda address: True)
    with channel_to("http://api.invalid") as channel, pytest.raises(NeverArrived, match="cannot go through a SOCKS proxy"):
        warmed(channel).trigger("POST", "/sync")
    assert proxy.lines == ["GET /x", "GET /x"]


class Tunnel:
    """A proxy for HTTPS."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://{}:{}".format(*self._listener.getsockname())
        self.clients: list[socket.socket] = []
        self._servers: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def lose(self) -> None:
        """Close the connections to clients."""
        for sock in self.clients:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.lose()
        for thread in self._threads:
            thread.join()
        for sock in (*self.clients, *self._servers):
            sock.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                head = b""
                while b"\r\n\r\n" not in head:
                    head += client.recv(65536)
                host, _colon, port = head.split(b" ")[1].decode().partition(":")
                server = socket.create_connection((host, int(port)))
                self.clients.append(client)
                self._servers.append(server)
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                for pair in ((client, server), (server, client)):
                    self._threads.append(threading.Thread(target=self._pump, args=pair))
                    self._threads[-1].start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for sock in (source, sink):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def tunnel(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Tunnel]:
    running = Tunnel()
    monkeypatch.setenv("https_proxy", running.url)
    yield running
    running.close()


def test_a_tunnel_is_kept_as_well(certificate: tuple[str, str], tunnel: Tunnel) -> None:
    with Keeper(certificate) as keeper, channel_to(keeper.url, verify=certificate[0]) as channel:
        warmed(channel).trigger("POST", "/sync")
        channel.on_send = tunnel.lose
        channel.trigger("POST", "/sync")
        assert [seen.connection for seen in keeper.log] == [1, 1, 1, 2]
        assert len(tunnel.clients) == 2


# -- faults ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_a_connection_closed_before_the_trigger_is_not_used(way: Way, tls: tuple[str, str] | None) -> None:
    with Keeper(tls) as keeper, channel_to(keeper.url, **settings(tls)) as channel:
        warmed(channel)
        keeper.do(way)
        assert channel.trigger("POST", "/sync").json() == {"ok": True}
    assert [seen.connection for seen in keeper.posts] == [2]


@pytest.mark.parametrize("way", WAYS)
def test_a_connection_closed_at_the_last_moment_is_not_used(way: Way, tls: tuple[str, str] | None) -> None:
    """After it was taken from the pool, when the ledger notes that the trigger is about to be sent."""
    moments: list[str] = []
    with Keeper(tls) as keeper, channel_to(keeper.url, **settings(tls)) as channel:

        def note() -> None:
            moments.append("send")
            keeper.do(way)

        warmed(channel)
        channel.on_trigger, channel.on_send = (lambda: moments.append("trigger")), note
        assert channel.trigger("POST", "/sync").json() == {"ok": True}
    assert [seen.connection for seen in keeper.posts] == [2]
    assert moments == ["trigger", "send"]


@pytest.mark.parametrize("way", CLOSING)
def test_a_server_that_closes_after_each_response_without_saying_so(way: Way) -> None:
    with Keeper(after=way) as keeper, channel_to(keeper.url) as channel:
        warmed(channel, 5).trigger("POST", "/sync")
    assert len(keeper.posts) == 1
    assert keeper.posts[0].connection == 6


def test_a_server_that_is_gone_at_the_last_moment_never_got_it() -> None:
    keeper = Keeper().__enter__()
    with channel_to(keeper.url) as channel:
        warmed(channel)
        channel.on_send = keeper.__exit__
        with pytest.raises(NeverArrived) as caught:
            channel.trigger("POST", "/sync")
    assert (caught.value.code, caught.value.retryable, keeper.posts) == ("connection_failed", True, [])
    assert not channel.may_have_executed


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "new"])
@pytest.mark.parametrize("way", CLOSING)
def test_a_connection_closed_when_the_trigger_has_arrived_is_ambiguous(way: Way, keep: bool, tls: tuple[str, str] | None) -> None:
    with Keeper(tls, instead=way) as keeper, channel_to(keeper.url, **settings(tls)) as channel:
        with pytest.raises(Ambiguous):
            warmed(channel, keep=keep).trigger("POST", "/sync")
        assert channel.may_have_executed
    assert [seen.connection for seen in keeper.posts] == [1 if keep else 2]


def unknown_outcomes(keep: bool, rounds: int) -> int:
    """How many of so many triggers were ambiguous, while connections are closed at random moments."""
    choice = random.Random(7)
    succeeded: set[bytes] = set()
    with Keeper() as keeper, channel_to(keeper.url) as channel:
        for number in range(rounds):
            moment, way = choice.choice(["", "before", "on_trigger", "on_send"]), choice.choice(CLOSING)
            channel.on_trigger = channel.on_send = lambda: None
            warmed(channel, choice.randrange(4), keep)
            if moment == "before":
                keeper.do(way)
            elif moment:
                setattr(channel, moment, lambda way=way: keeper.do(way))
            with contextlib.suppress(Ambiguous):
                channel.trigger("POST", f"/sync/{number}")
                succeeded.add(b"POST /sync/%d HTTP/1.1" % number)
    sent = [seen.head.split(b"\r\n")[0] for seen in keeper.posts]
    assert len(sent) == len(set(sent))
    assert succeeded <= set(sent)
    return rounds - len(succeeded)


def test_fewer_outcomes_are_unknown_than_with_new_connections(repeats: t.Callable[[int, int, int], int]) -> None:
    rounds = repeats(60, 1000, 10_000)
    # a new connection that is closed before the request is sent is not looked at
    assert unknown_outcomes(True, rounds) < unknown_outcomes(False, rounds)
