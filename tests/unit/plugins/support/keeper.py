# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that keeps connections, until a test has it close them in one way or another.

One thread does everything, so that a connection is closed as far as the client is concerned when :meth:`Keeper.do` returns.
"""

from __future__ import annotations

import contextlib
import dataclasses
import queue
import selectors
import socket
import ssl
import struct
import threading
import typing as t

BODY = b'{"ok": true}'
#: without a word about what becomes of the connection
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY

#: ``close``: both directions. ``half``: it goes on reading, and will not answer. ``reset``: at once. ``extra``: a response
#: that was not asked for
Way = t.Literal["close", "half", "reset", "extra"]
CLOSING: tuple[Way, ...] = ("close", "half", "reset")
WAYS: tuple[Way, ...] = (*CLOSING, "extra")


@dataclasses.dataclass(frozen=True)
class Seen:
    """A request that was read in full, and the number of the connection that it came over."""

    method: str
    connection: int
    head: bytes


class Keeper:
    """The server.

    :param tls: certificate and key file, to serve HTTPS.
    :param instead: what a trigger gets instead of a response.
    :param after: what follows each response to a read.
    """

    def __init__(self, tls: tuple[str, str] | None = None, instead: Way | None = None, after: Way | None = None) -> None:
        self.log: list[Seen] = []
        self._instead, self._after = instead, after
        self._context: ssl.SSLContext | None = None
        if tls:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*tls)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = "{}://{}:{}".format("https" if tls else "http", *self._listener.getsockname())
        self._open: dict[socket.socket, int] = {}
        self._accepted = 0
        self._selector = selectors.DefaultSelector()
        self._orders: queue.Queue[Way | None] = queue.Queue()
        self._wake, self._woken = socket.socketpair()
        self._done = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> t.Self:
        for sock in (self._listener, self._woken):
            self._selector.register(sock, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._order(None)
        self._thread.join()
        for sock in (*self._open, self._listener, self._wake, self._woken):
            sock.close()
        self._selector.close()

    @property
    def posts(self) -> list[Seen]:
        return [seen for seen in self.log if seen.method == "POST"]

    def do(self, way: Way) -> None:
        """Do this to all open connections."""
        self._order(way)

    def _order(self, way: Way | None) -> None:
        self._orders.put(way)
        self._wake.send(b"x")
        self._done.acquire()

    def _serve(self) -> None:
        going = True
        while going:
            for key, _events in self._selector.select():
                sock = t.cast(socket.socket, key.fileobj)
                if sock is self._listener:
                    self._accept()
                elif sock is self._woken:
                    going = self._obey()
                elif sock in self._open:
                    self._read(sock)

    def _obey(self) -> bool:
        self._woken.recv(1)
        way = self._orders.get()
        if way is not None:
            for sock in list(self._open):
                self._treat(sock, way)
        self._done.release()
        return way is not None

    def _accept(self) -> None:
        sock = self._listener.accept()[0]
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(10)
        if self._context:
            try:
                sock = self._context.wrap_socket(sock, server_side=True)
            except OSError:
                return
        self._accepted += 1
        self._open[sock] = self._accepted
        self._selector.register(sock, selectors.EVENT_READ)

    def _read(self, sock: socket.socket) -> None:
        head = b""
        with contextlib.suppress(OSError):
            while b"\r\n\r\n" not in head:
                data = sock.recv(65536)
                if not data:
                    break
                head += data
        if b"\r\n\r\n" not in head:
            self._close(sock)
            return
        method = head.split(b" ", 1)[0].decode()
        self.log.append(Seen(method, self._open[sock], head))
        way = self._instead if method == "POST" else None
        with contextlib.suppress(OSError):
            if way is None:
                sock.sendall(RESPONSE)
                way = self._after if method == "GET" else None
        if way is not None:
            self._treat(sock, way)

    def _treat(self, sock: socket.socket, way: Way) -> None:
        with contextlib.suppress(OSError):
            if way == "half":
                sock.shutdown(socket.SHUT_WR)
            elif way == "extra":
                sock.sendall(RESPONSE)
            elif way == "reset":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if way in ("close", "reset"):
            self._close(sock)

    def _close(self, sock: socket.socket) -> None:
        self._selector.unregister(sock)
        del self._open[sock]
        sock.close()
