# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small real web site that can be slow, broken or somewhere else."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import http.server
import ipaddress
import pathlib
import ssl
import threading
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclasses.dataclass(frozen=True)
class Request:
    """What the site was asked."""

    method: str
    path: str
    headers: dict[str, str]

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"


@dataclasses.dataclass(frozen=True)
class Reply:
    """What it answers.

    :param drip: seconds between two bytes of the raw answer.
    :param raw: sent instead of an answer.
    :param endless: leaves the length out, so that the end of the connection is the end of the body.
    """

    status: int = 200
    body: bytes = b""
    headers: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    drip: float = 0.0
    raw: bytes | None = None
    endless: bool = False

    def encode(self, method: str) -> bytes:
        if self.raw is not None:
            return self.raw
        length = {} if self.endless else {"Content-Length": str(len(self.body))}
        lines = [f"HTTP/1.1 {self.status} X", *(f"{name}: {value}" for name, value in {**length, **self.headers}.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + (b"" if method == "HEAD" else self.body)


Responder = t.Callable[[Request], Reply]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        site = self.server.site
        request = Request(self.command, self.path, dict(self.headers.items()))
        site.log.append(request)
        site.peers.append(self.client_address)
        reply = site.responder(request)
        self.close_connection = True
        with contextlib.suppress(OSError):
            self._send(reply, reply.encode(self.command))

    def _send(self, reply: Reply, data: bytes) -> None:
        if not reply.drip:
            self.wfile.write(data)
            return
        for number in range(len(data)):
            self.wfile.write(data[number : number + 1])
            if self.server.site.stopping.wait(reply.drip):
                return

    do_GET = do_HEAD = _serve

    def log_message(self, format: str, *args: t.Any) -> None:
        """Say nothing."""


class _Server(http.server.ThreadingHTTPServer):
    block_on_close = False

    def __init__(self, site: Site) -> None:
        self.site = site
        super().__init__(("127.0.0.1", 0), _Handler)

    def finish_request(self, request: t.Any, client_address: t.Any) -> None:
        with contextlib.suppress(OSError):
            if self.site.context is None:
                super().finish_request(request, client_address)
                return
            with self.site.context.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)


class Site:
    """Serves what the responder answers until it is stopped; ``log`` has what it was asked.

    :param tls: certificate and key file.
    :param client_ca: certificates that clients have to come with.
    """

    def __init__(self, responder: Responder, tls: tuple[str, str] | None = None, client_ca: str | None = None) -> None:
        self.log: list[Request] = []
        self.peers: list[t.Any] = []
        self.stopping = threading.Event()
        self.responder = responder
        self.context = _context(tls, client_ca) if tls else None
        self._server = _Server(self)
        self.netloc = f"127.0.0.1:{self._server.server_address[1]}"
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


def _context(tls: tuple[str, str], client_ca: str | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    return context


def new_certificate(directory: pathlib.Path, days: float) -> tuple[str, str]:
    """A certificate for 127.0.0.1 that only who names it trusts, and its key: files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "lockstep test")])
    now = dt.datetime.now(dt.timezone.utc)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=30))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    directory.mkdir(parents=True, exist_ok=True)
    paths = directory / "cert.pem", directory / "key.pem"
    paths[0].write_bytes(built.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(paths[0]), str(paths[1])
