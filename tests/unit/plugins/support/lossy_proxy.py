# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proxy between a ledger and its PostgreSQL server that loses connections, at a message that a test chooses."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import struct
import threading
import typing as t

#: ``request``: the server never gets the message. ``reply``: it does, and its reply gets lost. ``silence``: it never gets the
#: message, and does not notice either that the connection is lost
Loss = t.Literal["request", "reply", "silence"]


@dataclasses.dataclass
class Cut:
    """Lose a connection once.

    :param at: with the first message that contains this.
    :param number: with this message of all, counted from 0.
    """

    lose: Loss
    at: bytes = b""
    number: int | None = None

    def fits(self, message: bytes, number: int) -> bool:
        return self.number == number if self.number is not None else self.at in message


class LossyProxy:
    """Forwards connections to a server on loopback, without TLS."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self.cuts: list[Cut] = []
        #: whether new connections are closed at once
        self.down = False
        #: SQL that clients sent, in order
        self.messages: list[bytes] = []
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def lose_all(self) -> None:
        """Cut all connections that are there."""
        with self._lock:
            lost, self._open = self._open, []
        for sock in lost:
            _cut(sock)

    def close(self) -> None:
        self.down = True
        # wakes the thread that accepts
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.lose_all()

    def _accept(self) -> None:
        while True:
            try:
                client, dummy = self._listener.accept()
            except OSError:
                return
            if self.down:
                _cut(client)
                continue
            server = socket.create_connection(("127.0.0.1", self._target))
            for sock in (client, server):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open += [client, server]
                self.connections += 1
            _Link(self, client, server)

    def fate(self, message: bytes) -> Loss | None:
        """What becomes of a message with SQL."""
        with self._lock:
            number = len(self.messages)
            self.messages.append(message)
            for cut in self.cuts:
                if cut.fits(message, number):
                    self.cuts.remove(cut)
                    return cut.lose
            return None


class _Link:
    """One connection through the proxy."""

    def __init__(self, proxy: LossyProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._swallow = self._silent = False
        for pump in (self._requests, self._replies):
            threading.Thread(target=self._run, args=(pump,), daemon=True).start()

    def _run(self, pump: t.Callable[[], None]) -> None:
        with contextlib.suppress(OSError):
            pump()
        _cut(self._client)
        if not self._silent:
            _cut(self._server)

    def _requests(self) -> None:
        started = False
        while True:
            # the first message has no type, see "Message Formats" of PostgreSQL's manual
            kind = self._read(1) if started else b""
            head = self._read(4)
            body = self._read(struct.unpack("!I", head)[0] - 4)
            # a request for encryption is refused by the server, and the real first message follows
            started = started or len(body) > 4
            fate = self._proxy.fate(body) if kind in (b"Q", b"P") else None
            if fate in ("request", "silence"):
                self._silent = fate == "silence"
                return
            self._swallow = fate == "reply"
            self._server.sendall(kind + head + body)

    def _replies(self) -> None:
        while True:
            data = self._server.recv(65536)
            if not data or self._swallow:
                return
            self._client.sendall(data)

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._client.recv(size - len(data))
            if not part:
                raise OSError("closed")
            data += part
        return data


def _cut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()
