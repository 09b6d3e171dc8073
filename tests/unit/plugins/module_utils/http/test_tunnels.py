# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Triggers through the tunnel of an HTTP proxy: what is checked right before the first byte of a trigger is checked after the
tunnel was opened, which may take any time, and not before.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import NeverArrived, SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.stop import Stopped
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.support.clients import channel_to
from tests.unit.plugins.support.web import Reply, Web

GOOD = Reply(body={"ok": True})


class Tunnel:
    """A proxy that opens tunnels to one server.

    :param server: the host and port that it connects to.
    """

    def __init__(self, server: str) -> None:
        self.events: list[str] = []
        #: called before a tunnel is opened
        self.before: t.Callable[[], None] = lambda: None
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        """Open tunnels, one after the other."""
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                with client, contextlib.suppress(OSError):
                    self._open(client)

    def _open(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        self.events.append(head.split(b" ", 1)[0].decode())
        self.before()
        host, port = self._server.split(":")
        with socket.create_connection((host, int(port))) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
            back.start()
            _pass_on(client, server)
            back.join()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(4096):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def web(serve: Serve, certificate: tuple[str, str]) -> Web:
    return serve(lambda request: GOOD, tls=certificate)


@pytest.fixture
def tunnel(web: Web, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Tunnel]:
    proxy = Tunnel(web.netloc)
    monkeypatch.setenv("https_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "")
    yield proxy
    proxy.close()


def test_the_ledger_is_asked_after_the_tunnel_was_opened(web: Web, tunnel: Tunnel, certificate: tuple[str, str]) -> None:
    with channel_to(web.url, verify=certificate[0]) as channel:
        channel.on_send = lambda: tunnel.events.append("on_send")
        channel.trigger("POST", "/sync")
    assert (tunnel.events, web.lines) == (["CONNECT", "on_send"], ["POST /sync"])


def test_a_task_that_is_stopped_while_the_tunnel_opens_sends_no_trigger(
    web: Web, tunnel: Tunnel, certificate: tuple[str, str]
) -> None:
    with channel_to(web.url, verify=certificate[0]) as channel:
        tunnel.before = channel.stop.set
        with pytest.raises(Stopped):
            channel.trigger("POST", "/sync")
        assert channel.may_have_executed is False
    assert (tunnel.events, web.lines) == (["CONNECT"], [])


def test_one_whose_lease_is_lost_while_the_tunnel_opens_sends_no_trigger(
    web: Web, tunnel: Tunnel, certificate: tuple[str, str]
) -> None:
    lost = threading.Event()
    tunnel.before = lost.set

    def still_ours() -> None:
        if lost.is_set():
            raise SyncError("busy", "another process has taken over")

    with channel_to(web.url, verify=certificate[0]) as channel:
        channel.on_send = still_ours
        with pytest.raises(NeverArrived, match="another process has taken over"):
            channel.trigger("POST", "/sync")
    assert (tunnel.events, web.lines) == (["CONNECT"], [])
