# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy in front of a DNS server, which changes its answers about one zone, or does something when it is asked."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from typing import Self

import dns.message
import dns.name
import dns.rdatatype
import dns.rrset

from ansible_collections.lockstep.sync.plugins.module_utils._dns import messages
from tests.simulator.dns_server import HOST, free_port

#: makes other messages of those of an answer, given the query
Change = Callable[[bytes, list[bytes]], list[bytes]]
SECONDS = 10.0
_HEADER = 12
_ADDITIONAL = 10


def question(query: bytes) -> tuple[str, str]:
    """The zone and the type that are asked for."""
    name, used = dns.name.from_wire(query, _HEADER)
    (rdtype,) = struct.unpack_from("!H", query, _HEADER + used)
    return name.to_text().lower(), dns.rdatatype.to_text(dns.rdatatype.RdataType.make(rdtype))


class DnsProxy:
    """Listens on TCP and UDP while it is entered.

    :param port: of the server.
    :param zone: the answers about others are passed on as they are.
    :param changes: what is done to answers, by the type that is asked for: AXFR or SOA.
    """

    def __init__(self, port: int, zone: str) -> None:
        self._server = (HOST, port)
        self._zone = zone
        self.changes: dict[str, Change] = {}
        #: called before the server is asked, by the type that is asked for
        self.before: dict[str, Callable[[], object]] = {}
        #: the answers of the server, by zone and type, the latest of each
        self.answers: dict[tuple[str, str], list[bytes]] = {}
        self.port = free_port()
        self._tcp = socket.create_server((HOST, self.port))
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind((HOST, self.port))

    def __enter__(self) -> Self:
        for serve in (self._serve_tcp, self._serve_udp):
            threading.Thread(target=serve, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        for sock in (self._tcp, self._udp):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _serve_tcp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock = self._tcp.accept()[0]
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._one, args=(sock,), daemon=True).start()

    def _one(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock:
            query = _receive(sock)
            for message in self._changed(query, self._ask_tcp):
                sock.sendall(struct.pack("!H", len(message)) + message)

    def _serve_udp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                query, client = self._udp.recvfrom(65535)
                if not query:
                    return
                for message in self._changed(query, self._ask_udp):
                    self._udp.sendto(message, client)

    def _changed(self, query: bytes, ask: Callable[[bytes], list[bytes]]) -> list[bytes]:
        zone, rdtype = question(query)
        if zone == self._zone and rdtype in self.before:
            self.before[rdtype]()
        answer = ask(query)
        self.answers[zone, rdtype] = answer
        return self.changes[rdtype](query, answer) if zone == self._zone and rdtype in self.changes else answer

    def _ask_udp(self, query: bytes) -> list[bytes]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(SECONDS)
            sock.sendto(query, self._server)
            return [sock.recv(65535)]

    def _ask_tcp(self, query: bytes) -> list[bytes]:
        """All messages of an answer: one of a query, those up to the closing SOA of a transfer."""
        found: list[bytes] = []
        with socket.create_connection(self._server, SECONDS) as sock:
            sock.sendall(struct.pack("!H", len(query)) + query)
            soas = 0
            while soas < 2:
                found.append(_receive(sock))
                message = messages.parse(found[-1])
                soas += sum(record.rdtype == dns.rdatatype.SOA for record in message.answer)
                if question(query)[1] != "AXFR" or message.rcode:
                    break
        return found


def _receive(sock: socket.socket) -> bytes:
    return _exactly(sock, *struct.unpack("!H", _exactly(sock, 2)))


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise OSError("closed")
        data += piece
    return data


def signature(message: bytes) -> tuple[bytes, bytes]:
    """A message without its TSIG record, and that record."""
    found = messages.parse(message).signature
    if found is None:
        return message, b""
    return _with_additional(message[: found.start], -1), message[found.start :]


def _with_additional(message: bytes, by: int) -> bytes:
    (count,) = struct.unpack_from("!H", message, _ADDITIONAL)
    return message[:_ADDITIONAL] + struct.pack("!H", count + by) + message[_ADDITIONAL + 2 :]


def signed_as_before(changed: bytes, record: bytes) -> bytes:
    """A message with the TSIG record of another one."""
    return _with_additional(changed, 1) + record if record else changed


def edited(message: bytes, edit: Callable[[list[dns.rrset.RRset]], list[dns.rrset.RRset]]) -> bytes:
    """A message with other answers, well-formed, and with the same TSIG record."""
    plain, record = signature(message)
    parsed = dns.message.from_wire(plain, one_rr_per_rrset=True)
    parsed.answer = edit(parsed.answer)
    return signed_as_before(parsed.to_wire(max_size=65535), record)


def answering(query: bytes, recorded: list[bytes]) -> list[bytes]:
    """An older answer, with the id of a query; without signatures if the query has none."""
    unsigned = not signature(query)[1]
    return [query[:2] + (signature(message)[0] if unsigned else message)[2:] for message in recorded]
