# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers whose responses never end, or are larger than they look, each in its own way."""

from __future__ import annotations

import contextlib
import functools
import gzip
import itertools
import socket
import threading
import typing as t
import urllib.parse

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#: seconds between two bytes that drip
DRIP = 0.25

Response = t.Iterator[t.Union[bytes, float]]
"""What is sent, and seconds of pauses between."""


def _drip(pieces: t.Iterable[bytes]) -> Response:
    for piece in pieces:
        yield piece
        yield DRIP


def _sized(body: bytes, *headers: bytes) -> Response:
    yield b"".join([HEAD, *headers, b"Content-Length: %d\r\n\r\n" % len(body)])
    yield body


def silent() -> Response:
    return itertools.repeat(DRIP)


def dripping_body() -> Response:
    yield HEAD + b"Content-Length: 100000\r\n\r\n"
    yield from _drip(itertools.repeat(b" "))


def dripping_head() -> Response:
    yield HEAD + b"X: "
    yield from _drip(itertools.repeat(b"x"))


def dripping_headers() -> Response:
    yield HEAD
    yield from _drip(itertools.repeat(b"X: x\r\n"))


def head_only() -> Response:
    yield HEAD + b"Content-Length: 100000\r\n\r\n"
    yield from silent()


def continues() -> Response:
    return itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def endless_header() -> Response:
    yield HEAD + b"X: "
    yield from itertools.repeat(b"x" * 65536)


def endless_body() -> Response:
    yield HEAD + b"\r\n"
    yield from itertools.repeat(b" " * 65536)


def endless_chunks() -> Response:
    yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    yield from itertools.repeat(b"10000\r\n" + b" " * 65536 + b"\r\n")


def endless_chunk_size() -> Response:
    yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    yield from itertools.repeat(b"0" * 65536)


@functools.cache
def _zeros() -> bytes:
    """A gibibyte, in members of 8 MiB."""
    return gzip.compress(bytes(2**23), 1) * 128


def bomb() -> Response:
    return _sized(_zeros(), b"Content-Encoding: gzip\r\n")


def bomb_in_a_bomb() -> Response:
    return _sized(gzip.compress(_zeros()), b"Content-Encoding: gzip, gzip\r\n")


def deep_json() -> Response:
    return _sized(b"[" * 400_000)


def wide_json() -> Response:
    return _sized(b"[" + b"[]," * 5_000_000 + b"0]")


SLOW = (
    silent,
    dripping_body,
    dripping_head,
    dripping_headers,
    head_only,
)
LARGE = (
    endless_header,
    endless_body,
    endless_chunks,
    endless_chunk_size,
    bomb,
    bomb_in_a_bomb,
    deep_json,
    wide_json,
)


class Hostile:
    """Responds to requests in a hostile way; to those that it does not pass on.

    :param respond: one of the functions of this module.
    :param upstream: the address of a server that gets the other requests.
    :param attacks: whether a request is responded to in this way, by its method and path.
    """

    def __init__(
        self,
        respond: t.Callable[[], Response],
        upstream: str = "",
        attacks: t.Callable[[str, str], bool] = lambda method, path: True,
    ) -> None:
        self._respond = respond
        self._upstream = urllib.parse.urlsplit(upstream)
        self._attacks = attacks
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.netloc = "{}:{}".format(*self._listener.getsockname())
        self.url = f"http://{self.netloc}{self._upstream.path}"
        #: methods and paths of the requests that were responded to in a hostile way
        self.log: list[tuple[str, str]] = []

    def __enter__(self) -> t.Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self._stopping.set()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock = self._listener.accept()[0]
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock:
            request = self._read(sock)
            if not request:
                return
            method, path = request.split(b" ", 2)[:2]
            seen = (method.decode(), urllib.parse.urlsplit(path.decode()).path)
            if self._attacks(*seen):
                self.log.append(seen)
                self._attack(sock)
            else:
                self._pass_on(request, sock)

    def _read(self, sock: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = sock.recv(65536)
            if not piece:
                return b""
            data += piece
        head, _end, body = data.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        while len(body) < int(fields.get(b"content-length", b"0")):
            body += sock.recv(65536)
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        return b"\r\n".join([*lines, b"Connection: close", b"", b""]) + body

    def _attack(self, sock: socket.socket) -> None:
        for piece in self._respond():
            if self._stopping.is_set():
                return
            if isinstance(piece, bytes):
                sock.sendall(piece)
            elif self._stopping.wait(piece):
                return

    def _pass_on(self, request: bytes, sock: socket.socket) -> None:
        address = (self._upstream.hostname or "", self._upstream.port or 80)
        with socket.create_connection(address) as upstream:
            upstream.sendall(request)
            while True:
                data = upstream.recv(65536)
                if not data:
                    return
                sock.sendall(data)
