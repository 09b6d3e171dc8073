# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Asking a DNS server for the SOA and for all records of a zone (AXFR, RFC 5936)."""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
import typing as t

from .._core.clock import Clock, Deadline, SystemClock
from .._core.errors import SyncError
from . import rdata, wire
from .backend import Backend, Request
from .tsig import DNSPYTHON_IMPORT_ERROR as DNSPYTHON_IMPORT_ERROR, TSIG, signature
from .wire import Malformed, ResourceRecord

#: opens a socket to a backend: (backend, ``SOCK_STREAM`` or ``SOCK_DGRAM``, seconds); raises OSError
Connector = t.Callable[[Backend, int, float], socket.socket]

AXFR = 252

#: seconds after which a datagram counts as lost, and how many are tried before TCP
UDP_PATIENCE = 1.5
UDP_ATTEMPTS = 2

_NOERROR = 0
_SERVFAIL = 2
_NXDOMAIN = 3
_REFUSED = 5
_NOTAUTH = 9
_RCODES = {1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 9: "NOTAUTH", 10: "NOTZONE"}
#: failure code, problem and remedy by response code (RFC 1035 section 4.1.1, RFC 2136 section 2.2)
_REFUSALS = {
    _SERVFAIL: (
        "bad_response",
        "the server cannot serve the zone now",
        "The zone may have failed to load, or be expired: look at the log of the DNS server.",
    ),
    _NXDOMAIN: (
        "not_found",
        "the server knows no such zone",
        "Check the name of the zone, and that backend.server serves it.",
    ),
    _REFUSED: (
        "not_found",
        "the server does not serve the zone, or not to this host or key",
        "Check that backend.server serves the zone (BIND: allow-query, match-clients of views).",
    ),
    _NOTAUTH: (
        "not_found",
        "the server is not authoritative for the zone",
        "Check the name of the zone, and that backend.server serves it.",
    ),
}
_OTHER_REFUSAL = ("bad_response", "the server cannot answer", "Look at the log of the DNS server.")
_TRANSFER_REFUSED = (
    "permission_denied",
    "the server does not allow this host or key to transfer the zone",
    "Allow it (BIND: allow-transfer). A server that has too many transfers to serve refuses too (BIND: transfers-out, 10).",
)
_CHUNK = 65536
_MAX_DATAGRAM = 65535


class Soa(t.NamedTuple):
    """The SOA record of a zone (RFC 1035 section 3.3.13); times in seconds."""

    serial: int
    mname: str
    rname: str
    refresh: int
    retry: int
    expire: int
    minimum: int
    ttl: int


def read_soa(zone: str, backend: Backend, timeout: float, connect: Connector | None = None, clock: Clock | None = None) -> Soa:
    """Ask an authoritative server for the SOA of a zone: by UDP, and by TCP where that is truncated or gets lost.

    :param zone: with or without the trailing dot.
    :param timeout: seconds for everything together.
    :param connect: opens sockets; the default resolves and connects.
    :raises SyncError: ``connection_failed``, ``auth_failed``, ``not_found``, ``bad_response`` or ``invalid_option``.
    """
    exchange = _Exchange(zone, backend, "SOA", timeout, connect, clock)
    for record in exchange.ask(rdata.SOA):
        if record.rdtype == rdata.SOA and exchange.is_apex(record):
            return _soa(record)
    problem = "the server is not authoritative for the zone"
    raise exchange.request.error("not_found", problem, "Check that backend.server serves this zone.")


def transfer(
    zone: str, backend: Backend, timeout: float, connect: Connector | None = None, clock: Clock | None = None
) -> t.Iterator[ResourceRecord]:
    """All records of a zone, as they come in by AXFR over TCP: the SOA first, and not again at the end.

    The transfer is worth something only once the iterator has ended without an exception: the server may sign several
    messages at once, and only the closing SOA proves that nothing is missing. Names in the data of types that VinylDNS
    does not know may still be compressed.

    :param zone: with or without the trailing dot.
    :param timeout: seconds for everything together, the time between records included.
    :param connect: opens the socket; the default resolves and connects.
    :raises SyncError: as :func:`read_soa`, and ``permission_denied``; all of them while iterating.
    """
    exchange = _Exchange(zone, backend, "transfer", timeout, connect, clock)
    opening: ResourceRecord | None = None
    closed = False
    with contextlib.closing(exchange.stream(AXFR)) as answers:
        for records in answers:
            for record in records:
                if closed:
                    raise exchange.malformed("there are records after the closing SOA")
                if opening is None:
                    opening = exchange.opening(record)
                elif record.rdtype == rdata.SOA:
                    exchange.check_closing(opening, record)
                    closed = True
                    continue
                yield record
            if closed:
                exchange.finish()
                return


def connect_socket(backend: Backend, kind: int, timeout: float) -> socket.socket:
    """A connected socket, by the first address of the server that answers.

    :param kind: ``SOCK_STREAM`` or ``SOCK_DGRAM``.
    :param timeout: seconds for resolving and all addresses together.
    :raises OSError: of the last address tried.
    """
    deadline = Deadline(SystemClock(), timeout)
    addresses = _resolve(backend, kind, timeout)
    failure: OSError = OSError("the server has no address")
    for index, (family, _dummy, protocol, _canonical, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(_positive(deadline.remaining() / (len(addresses) - index)))
            sock.connect(address)
            return sock
        except OSError as error:
            sock.close()
            failure = error
    raise failure


class _Exchange:
    """One question about a zone, the sockets it goes through, and the checks on what comes back."""

    def __init__(
        self, zone: str, backend: Backend, what: str, timeout: float, connect: Connector | None, clock: Clock | None
    ) -> None:
        try:
            labels, _dummy = wire.parse_name(zone)
            self.name = wire.join_labels(labels)
        except Malformed as error:
            raise SyncError("invalid_option", f"zone {zone!r}: {error}", "Give the zone as a domain name.") from None
        clock = clock or SystemClock()
        self.request = Request(wire.name_to_text(self.name), backend, what)
        self._timeout = timeout
        self._deadline = Deadline(clock, timeout)
        self._connect = connect or connect_socket
        self._clock = clock
        self._folded = self.name.lower()
        self._identifier = secrets.randbelow(65536)
        self._signature = signature(self.request, clock)
        self._answers = 0
        self._received = 0

    def ask(self, rdtype: int) -> list[ResourceRecord]:
        """The answer to a question that fits into one message."""
        datagram = self._ask_by_udp(self._question(rdtype))
        if datagram is not None and not wire.Header(*wire.HEADER.unpack_from(datagram)).truncated:
            return self._answer(datagram, rdtype, True)
        with contextlib.closing(self.stream(rdtype)) as answers:
            return next(answers)

    def stream(self, rdtype: int) -> t.Generator[list[ResourceRecord], None, None]:
        """The messages of an answer by TCP. It never ends by itself, except with an exception."""
        query = self._question(rdtype)
        try:
            with contextlib.closing(self._open(socket.SOCK_STREAM, self._deadline.remaining())) as sock:
                sock.settimeout(_positive(self._deadline.remaining()))
                sock.sendall(len(query).to_bytes(2, "big") + query)
                reader = _Reader(sock, self._deadline)
                while True:
                    records = self._answer(reader.message(), rdtype, rdtype != AXFR)
                    self._received += len(records)
                    yield records
        except socket.timeout as error:
            raise self._timed_out(error) from None
        except OSError as error:
            raise self._broken(error) from None

    def finish(self) -> None:
        """Check that the end of the answer is protected by a signature."""
        self._signature.finish()

    def is_apex(self, record: ResourceRecord) -> bool:
        return record.owner.lower() == self._folded

    def opening(self, record: ResourceRecord) -> ResourceRecord:
        """The record that a transfer begins with, if it is the SOA of the zone (RFC 5936 section 2.2)."""
        if record.rdtype != rdata.SOA or not self.is_apex(record):
            raise self.malformed("it does not begin with the SOA of the zone")
        return record

    def check_closing(self, opening: ResourceRecord, closing: ResourceRecord) -> None:
        """Compare the two SOA records around a transfer."""
        if not self.is_apex(closing) or rdata.fold("SOA", closing.rdata) != rdata.fold("SOA", opening.rdata):
            raise self.malformed("it does not end with the SOA that it began with; the zone may have changed meanwhile")

    def malformed(self, problem: str) -> SyncError:
        return self.request.error("bad_response", problem, "Try again; if it stays like that, look at the log of the DNS server.")

    def _question(self, rdtype: int) -> bytes:
        question = self.name + rdtype.to_bytes(2, "big") + wire.CLASS_IN.to_bytes(2, "big")
        return self._signature.sign(wire.HEADER.pack(self._identifier, 0, 1, 0, 0, 0) + question)

    def _answer(self, message: bytes, rdtype: int, authoritative: bool) -> list[ResourceRecord]:
        known: wire.Known = {}
        try:
            header, questions, raw = wire.read_message(message, known)
            if header.id != self._identifier or not header.is_response:
                raise Malformed("it is not an answer to our question")
            signed = raw[-1] if raw and raw[-1].rdtype == TSIG else None
            self._check(header, message, signed)
            if any(question.rdtype != rdtype or question.name.lower() != self._folded for question in questions):
                raise Malformed("it answers another question")
            records = [
                ResourceRecord(item.owner, item.ttl, item.rdtype, rdata.expand(message, item.rdtype, item.start, item.end, known))
                for item in raw[: header.answers]
                if item.rdclass == wire.CLASS_IN
            ]
        except Malformed as error:
            raise self.malformed(f"malformed answer: {error}") from None
        self._answers += 1
        if authoritative and not header.authoritative:
            return []
        return records

    def _check(self, header: wire.Header, message: bytes, signed: wire.RawRecord | None) -> None:
        # servers do not sign all their refusals, and a TSIG error says more than the response code that goes with it
        if header.rcode == _NOERROR or signed is not None:
            self._signature.verify(message, signed)
        if header.rcode != _NOERROR:
            raise self._refused(header.rcode, signed is not None)

    def _refused(self, rcode: int, signed: bool) -> SyncError:
        backend, name = self.request.backend, _RCODES.get(rcode, f"response code {rcode}")
        if rcode == _NOTAUTH and backend.tsig_name and not signed:
            return self.request.error("auth_failed", f"{name}: the server rejects {backend.key}", "Check the key on both sides.")
        if rcode == _REFUSED and self.request.what == "transfer":
            code, problem, hint = _TRANSFER_REFUSED
        else:
            code, problem, hint = _REFUSALS.get(rcode, _OTHER_REFUSAL)
        asked_with = f" (asked with {backend.key})" if rcode == _REFUSED else ""
        return self.request.error(code, f"{name}: {problem}{asked_with}", hint)

    def _ask_by_udp(self, query: bytes) -> bytes | None:
        """An answer, or ``None`` if datagrams get nowhere."""
        try:
            with contextlib.closing(self._open(socket.SOCK_DGRAM, self._deadline.remaining())) as sock:
                for _dummy in range(UDP_ATTEMPTS):
                    sock.send(query)
                    answer = self._receive(sock, min(UDP_PATIENCE, self._deadline.remaining() / (UDP_ATTEMPTS + 2)))
                    if answer is not None:
                        return answer
        except OSError:
            # TCP will tell why, if it fails as well
            return None
        return None

    def _receive(self, sock: socket.socket, patience: float) -> bytes | None:
        patient = Deadline(self._clock, patience)
        while patient.remaining():
            sock.settimeout(_positive(patient.remaining()))
            try:
                datagram = sock.recv(_MAX_DATAGRAM)
            except socket.timeout:
                return None
            # a late answer to another question, or a forged one
            if len(datagram) >= wire.HEADER.size and datagram[:2] == self._identifier.to_bytes(2, "big"):
                return datagram
        return None

    def _open(self, kind: int, timeout: float) -> socket.socket:
        return self._connect(self.request.backend, kind, _positive(timeout))

    def _timed_out(self, error: OSError) -> SyncError:
        problem = f"not complete within {self._timeout:g} s ({_reason(error)}), {self._received} records had come in"
        hint = "Check server, port and firewall, and that the server is fast enough; or raise the time-out."
        return self.request.error("connection_failed", problem, hint)

    def _broken(self, error: OSError) -> SyncError:
        if self._answers:
            return self.malformed(f"cut off after {self._received} records, before the closing SOA ({_reason(error)})")
        hint = "Check backend.server, backend.port and the firewall; zone transfers need TCP."
        return self.request.error("connection_failed", _reason(error), hint)


class _Closed(OSError):
    """The server closed the connection."""


class _Reader:
    """Messages from a TCP connection, each behind its length (RFC 1035 section 4.2.2)."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        self._buffer = bytearray()

    def message(self) -> bytes:
        """The next message.

        :raises OSError: also if the server closes the connection, or the deadline passes.
        """
        self._fill(2)
        end = 2 + int.from_bytes(self._buffer[:2], "big")
        self._fill(end)
        message = bytes(self._buffer[2:end])
        del self._buffer[:end]
        return message

    def _fill(self, size: int) -> None:
        while len(self._buffer) < size:
            self._sock.settimeout(_positive(self._deadline.remaining()))
            data = self._sock.recv(_CHUNK)
            if not data:
                raise _Closed("the server closed the connection")
            self._buffer += data


def _soa(record: ResourceRecord) -> Soa:
    mname, rname, *numbers = rdata.to_text("SOA", record.rdata).split(" ")
    serial, refresh, retry, expire, minimum = map(int, numbers)
    return Soa(serial, mname, rname, refresh, retry, expire, minimum, record.ttl)


def _resolve(backend: Backend, kind: int, timeout: float) -> list[t.Any]:
    """Addresses of a server, within ``timeout``, which the resolver of the system would not heed."""
    found: list[t.Any] = []

    def look_up() -> None:
        try:
            found.append(socket.getaddrinfo(backend.server, backend.port, type=kind))
        except (OSError, UnicodeError) as error:
            found.append(error)

    thread = threading.Thread(target=look_up, name="lockstep-resolve", daemon=True)
    thread.start()
    thread.join(timeout)
    if not found:
        raise socket.timeout("the name of the server could not be resolved in time")
    if isinstance(found[0], Exception):
        raise OSError(f"the name of the server cannot be resolved ({found[0]})")
    return t.cast(list[t.Any], found[0])


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise socket.timeout("the deadline has passed")
    return seconds


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
