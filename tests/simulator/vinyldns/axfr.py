# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zone transfers straight from the wire.

A zone of 100 000 records is ordinary here, and a general DNS library spends most of a transfer on building objects that
are thrown away.  So messages are walked by hand, common types are converted directly, and the library is asked only for
the rest and for signatures.
"""

from __future__ import annotations

import re
import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tsig

from .model import Json
from .records import FROM_DNS, escape, java_ipv6

Answer = tuple[str, str, int, Json]  # owner, type, TTL, record

TYPE_NAMES = {int(dns.rdatatype.from_text(name)): name for name in FROM_DNS}
SOA, TSIG = int(dns.rdatatype.SOA), int(dns.rdatatype.TSIG)
PLAIN_LABEL = re.compile(rb"[\w*/-]+")
POINTER = 0xC0


def _text(data: bytes) -> Json:
    strings, at = [], 0
    while at < len(data):
        strings.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return {"text": escape(b"".join(strings))}


# DS, SSHFP and texts are read by hand since the original does not look at the length of a digest, or for a string, as the library
# does.
FROM_WIRE: dict[str, Callable[[bytes], Json]] = {
    "A": lambda data: {"address": socket.inet_ntoa(data)},
    "AAAA": lambda data: {"address": java_ipv6(socket.inet_ntop(socket.AF_INET6, data))},
    "DS": lambda data: {
        "keytag": int.from_bytes(data[:2], "big"),
        "algorithm": data[2],
        "digesttype": data[3],
        "digest": data[4:].hex().upper(),
    },
    "SPF": _text,
    "SSHFP": lambda data: {"algorithm": data[0], "type": data[1], "fingerprint": data[2:].hex().upper()},
    "TXT": _text,
}


class TransferError(Exception):
    """The server refuses, or what it sends is not a whole and signed transfer."""


def transfer(
    address: tuple[str, int], zone_name: str, key: dns.tsig.Key, connect_seconds: float, seconds: float
) -> Iterator[Answer]:
    """A full AXFR, record by record and without the closing SOA; records of unknown types are left out."""
    query = dns.message.make_query(zone_name, "AXFR")
    query.use_tsig(key)
    request = query.to_wire()
    deadline = time.monotonic() + seconds
    with socket.create_connection(address, timeout=connect_seconds) as sock, sock.makefile("rb") as stream:
        sock.settimeout(seconds)
        sock.sendall(struct.pack("!H", len(request)) + request)
        reader = _Reader(key, query.mac or b"")
        while not reader.finished:
            try:
                yield from reader.read(_next_message(stream))
            except (IndexError, struct.error) as error:
                raise TransferError("the transfer is malformed") from error
            if time.monotonic() > deadline:
                raise TransferError("the transfer takes too long")


def _next_message(stream: BinaryIO) -> bytes:
    head = stream.read(2)
    wire = stream.read(struct.unpack("!H", head)[0]) if len(head) == 2 else b""
    if len(wire) < 12:
        raise TransferError("the transfer ended early")
    return wire


class _Reader:
    """The messages of one transfer in order: begins with a signed SOA, ends with a signed SOA."""

    def __init__(self, key: dns.tsig.Key, request_mac: bytes) -> None:
        self._key = key
        self._request_mac = request_mac
        self._signatures: Any = None  # the running context over all messages
        self._begun = False
        self.finished = False

    def read(self, wire: bytes) -> list[Answer]:
        """All answers of a message, once its signature is verified."""
        _id, flags, *counts = struct.unpack_from("!HHHHHH", wire)
        names: dict[int, str] = {}
        at = 12
        for _question in range(counts[0]):
            at = _read_name(wire, at, names)[1] + 4
        answers: list[Answer] = []
        signed = False
        for number in range(sum(counts[1:])):
            start = at
            owner, at = _read_name(wire, at, names)
            rdtype, _class, ttl, length = struct.unpack_from("!HHIH", wire, at)
            at += 10
            if rdtype == TSIG:
                self._verify(wire, start, owner, at, length)
                signed = True
            elif number < counts[1] and not self.finished:
                self._collect(answers, wire, owner, rdtype, ttl, at, length)
            at += length
        if not signed and self._signatures is not None:
            self._signatures.update(wire)
        self._check(flags, signed)
        return answers

    def _collect(self, answers: list[Answer], wire: bytes, owner: str, rdtype: int, ttl: int, at: int, length: int) -> None:
        if rdtype == SOA and self._begun:
            self.finished = True
            return
        if rdtype != SOA and not self._begun:
            raise TransferError("the transfer does not begin with an SOA")
        self._begun = True
        name = TYPE_NAMES.get(rdtype)
        if name is not None:
            answers.append((owner, name, ttl, _record(name, wire, at, length)))

    def _verify(self, wire: bytes, start: int, owner: str, at: int, length: int) -> None:
        name = dns.name.from_text(owner)
        rdata = dns.rdata.from_wire(dns.rdataclass.ANY, dns.rdatatype.TSIG, wire, at, length)
        now, context = int(time.time()), self._signatures
        # dnspython has no types for this function
        self._signatures = dns.tsig.validate(wire, self._key, name, rdata, now, self._request_mac, start, context, True)  # type: ignore[no-untyped-call]

    def _check(self, flags: int, signed: bool) -> None:
        rcode = dns.rcode.from_flags(flags, 0)
        if rcode != dns.rcode.NOERROR:
            raise TransferError(f"transfer refused: {dns.rcode.to_text(rcode)}")
        if self._signatures is None:
            raise TransferError("the beginning of the transfer is not signed")
        if self.finished and not signed:
            raise TransferError("the end of the transfer is not signed")


def _record(name: str, wire: bytes, at: int, length: int) -> Json:
    direct = FROM_WIRE.get(name)
    if direct is not None:
        return direct(wire[at : at + length])
    return FROM_DNS[name](dns.rdata.from_wire("IN", name, wire, at, length))


def _read_name(wire: bytes, at: int, names: dict[int, str]) -> tuple[str, int]:
    """A possibly compressed name as text, and where it ends; ``names`` remembers what starts where."""
    found: list[tuple[int, str]] = []
    while True:
        length = wire[at]
        if length >= POINTER:
            target = (length - POINTER) << 8 | wire[at + 1]
            if target >= at:
                raise TransferError("a name points forward")
            text, end = names.get(target) or _read_name(wire, target, names)[0], at + 2
            break
        if length == 0:
            text, end = ".", at + 1
            break
        found.append((at, _label(wire[at + 1 : at + 1 + length])))
        at += 1 + length
    for start, label in reversed(found):
        text = label + "." if text == "." else f"{label}.{text}"
        names[start] = text
    return text, end


def _label(label: bytes) -> str:
    if PLAIN_LABEL.fullmatch(label):
        return label.decode("ascii")
    return dns.name.Name((label, b"")).to_text()[:-1]
