# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small real HTTP(S) server on the loopback interface, that can misbehave in every way a network can."""

from __future__ import annotations

import contextlib
import dataclasses
import email.utils
import http.client
import http.server
import itertools
import json
import socket
import socketserver
import ssl
import struct
import threading
import typing as t
import urllib.parse

from .clocks import FakeClock


@dataclasses.dataclass(frozen=True)
class Request:
    """What the server saw.

    :param target: where to, as the client wrote it: a path with its query, or a whole URL for a proxy.
    :param connection: number of the connection that it came over.
    """

    method: str
    target: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"


@dataclasses.dataclass(frozen=True)
class Reply:
    """What the server answers.

    :param body: bytes as they are, anything else as JSON.
    :param end: instead of an answer: ``close`` or ``reset`` the connection, ``hang``, or ``half`` of the answer.
    :param raw: sent as it is instead of a head and the body.
    :param drip: seconds between two bytes.
    """

    status: int = 200
    body: t.Any = b""
    headers: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    end: str = ""
    raw: bytes | None = None
    drip: float = 0.0

    def encode(self, method: str, clock: FakeClock | None) -> bytes:
        if self.raw is not None:
            return self.raw
        headers = {"Content-Type": "application/json", **self.headers}
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        headers["Content-Length"] = str(len(body))
        if clock is not None:
            headers.setdefault("Date", email.utils.format_datetime(clock.now(), usegmt=True))
        lines = [f"HTTP/1.1 {self.status} {http.client.responses[self.status]}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + (b"" if method == "HEAD" else body)


Responder = t.Callable[[Request], Reply]


class Web:
    """The server; ``log`` has every request that it read in full.

    :param tls: certificate and key file, to serve HTTPS.
    :param clock: whose time it has; none to send no Date.
    :param client_ca: file of certificates that clients of HTTPS have to come with.
    """

    def __init__(
        self,
        responder: Responder,
        tls: tuple[str, str] | None = None,
        clock: FakeClock | None = None,
        client_ca: str | None = None,
    ) -> None:
        self.responder = responder
        self.clock = clock
        self.log: list[Request] = []
        self.connections = itertools.count(1)
        self.stopping = threading.Event()
        self._server = _Server(self, _server_context(tls, client_ca) if tls else None)
        host, port = self._server.server_address[:2]
        self.netloc = f"{host!s}:{port}"
        self.url = f"{'https' if tls else 'http'}://{self.netloc}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def lines(self) -> list[str]:
        return [request.line for request in self.log]

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _server_context(tls: tuple[str, str], client_ca: str | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    return context


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, web: Web, context: ssl.SSLContext | None) -> None:
        self.web = web
        self.context = context
        super().__init__(("127.0.0.1", 0), _Handler)

    def shutdown_request(self, request: t.Any) -> None:
        # without the FIN that the original sends first, a reset is a reset
        self.close_request(request)

    def finish_request(self, request: t.Any, client_address: t.Any) -> None:
        with contextlib.suppress(OSError):
            if self.context:
                request.settimeout(5)
                with self.context.wrap_socket(request, server_side=True) as secured:
                    super().finish_request(secured, client_address)
            else:
                super().finish_request(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.number = next(self.server.web.connections)

    def _serve(self) -> None:
        web = self.server.web
        parts = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        query, headers = dict(urllib.parse.parse_qsl(parts.query)), dict(self.headers.items())
        request = Request(self.command, self.path, parts.path, query, headers, body, self.number)
        web.log.append(request)
        self._send(web.responder(request), web)

    def _send(self, reply: Reply, web: Web) -> None:
        data = reply.encode(self.command, web.clock)
        if reply.end == "hang":
            web.stopping.wait(5)
        elif reply.end == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif reply.end == "half":
            self.wfile.write(data[: len(data) - 2])
        elif not reply.end and reply.raw is None:
            self._write(data, reply.drip)
            if reply.headers.get("Connection") == "keep-alive":
                self.close_connection = False
            return
        elif not reply.end:
            self._write(data, reply.drip)
        self.close_connection = True

    def _write(self, data: bytes, drip: float) -> None:
        if not drip:
            self.wfile.write(data)
            return
        for number in range(len(data)):
            self.wfile.write(data[number : number + 1])
            if self.server.web.stopping.wait(drip):
                return

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_CONNECT = _serve

    def log_message(self, format: str, *args: t.Any) -> None:
        """Say nothing."""
