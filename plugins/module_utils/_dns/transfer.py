# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Reads the SOA and all records of a zone from a DNS server (AXFR, RFC 5936), with dnspython.

dnspython creates and signs the query, and verifies the signatures of the answer. Its functions for whole transfers are not used:
they do not resolve names, do not apply a deadline to that, build a zone in memory instead of returning records one by one, refuse
data that DNS servers accept, and report few details of failures. So the sequence of messages is checked here, as RFC 5936 and
RFC 8945 require.
"""

from __future__ import annotations

import contextlib
import socket
import traceback
import typing as t

from .._core.clock import Clock, SystemClock
from .._core.deadline import Deadline
from .._core.errors import SyncError
from .._http.limits import positive
from . import messages, rdata, wire
from .backend import Backend, Request, connect_socket
from .messages import Message
from .receiver import Receiver
from .signatures import Signatures
from .wire import Malformed, ResourceRecord

DNSPYTHON_IMPORT_ERROR: str | None
try:
    import dns.message
    import dns.name
    import dns.query
    import dns.rcode
    import dns.rdatatype

    DNSPYTHON_IMPORT_ERROR = None
except ImportError:
    DNSPYTHON_IMPORT_ERROR = traceback.format_exc()

#: opens a socket to a backend: (backend, ``SOCK_STREAM`` or ``SOCK_DGRAM``, seconds); raises OSError
Connector = t.Callable[[Backend, int, float], socket.socket]

#: seconds after which a datagram counts as lost, and the number of attempts before TCP
UDP_PATIENCE = 1.5
UDP_ATTEMPTS = 2
#: failure code, problem and remedy by response code (RFC 1035 section 4.1.1, RFC 2136 section 2.2)
_REFUSALS = {
    "SERVFAIL": (
        "bad_response",
        "the server cannot serve the zone now",
        (
            "The zone may have failed to load or have expired, or as many transfers are at work as the server allows"
            " (transfers-out of BIND, 10 by default): check the log of the DNS server, or lower max_parallel."
        ),
    ),
    "NXDOMAIN": (
        "not_found",
        "the server knows no such zone",
        "Check the name of the zone, and that backend.server serves it.",
    ),
    "REFUSED": (
        "not_found",
        "the server does not serve the zone, or not to this host or key",
        "Check that backend.server serves the zone (BIND: allow-query, match-clients of views).",
    ),
    "NOTAUTH": (
        "not_found",
        "the server is not authoritative for the zone",
        "Check the name of the zone, and that backend.server serves it.",
    ),
}
_OTHER_REFUSAL = ("bad_response", "the server cannot answer", "Look at the log of the DNS server.")
_TRANSFER_REFUSED = (
    "permission_denied",
    "the server does not allow this host or key to transfer the zone",
    (
        "Allow it (BIND: allow-transfer, Knot DNS: acl with action transfer, NSD: provide-xfr, PowerDNS: allow-axfr-ips or "
        "TSIG-ALLOW-AXFR), or give the key that it is allowed to (backend.tsig_name, backend.tsig_secret). "
        "A server that has too many transfers to serve refuses too (BIND: transfers-out, 10)."
    ),
)
_TOO_LARGE = (
    "VinylDNS itself refuses a zone with more records than its max-zone-size (60000 as shipped). If the zone is meant to be so"
    " large, and VinylDNS is set up for it, raise {}."
)
#: octets, the largest payload of UDP
_MAX_DATAGRAM = 65535


class TransferRefused(SyncError):
    """A refusal that may mean no more than that too many transfers are at work (``transfers-out`` of BIND, ``SERVFAIL``)."""


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
    """Read the SOA of a zone from an authoritative server: by UDP, or by TCP if the answer is truncated or lost.

    :param zone: with or without the trailing dot.
    :param timeout: seconds for everything together.
    :param connect: opens sockets; the default resolves and connects.
    :param clock: measures the time-out; signatures have the time of this machine.
    :raises SyncError: ``connection_failed``, ``auth_failed``, ``not_found``, ``bad_response`` or ``invalid_option``.
    """
    exchange = _Exchange(zone, backend, "SOA", timeout, connect, clock)
    for record in exchange.ask():
        if record.rdtype == rdata.SOA and exchange.is_apex(record):
            return _soa(record)
    problem = "the server is not authoritative for the zone"
    raise exchange.request.error("not_found", problem, "Check that backend.server serves this zone.")


def transfer(
    zone: str, backend: Backend, timeout: float, connect: Connector | None = None, clock: Clock | None = None
) -> t.Iterator[ResourceRecord]:
    """All records of a zone, as they are received by AXFR over TCP: the SOA first, and not again at the end.

    The records may only be trusted when the iterator has ended without an exception: one signature may cover several messages,
    and only the closing SOA proves that nothing is missing.

    :param zone: with or without the trailing dot.
    :param timeout: seconds for everything together, the time between records included.
    :param connect: opens the socket; the default resolves and connects.
    :param clock: measures the time-out; signatures have the time of this machine.
    :raises SyncError: as :func:`read_soa`, ``permission_denied``, and ``too_large`` where a limit of the backend is exceeded; all
        of them while iterating.
    """
    exchange = _Exchange(zone, backend, "transfer", timeout, connect, clock)
    opening: ResourceRecord | None = None
    closed = False
    with contextlib.closing(exchange.stream()) as answers:
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


class _Exchange:
    """One query about a zone: its sockets, and the checks of its answers."""

    def __init__(
        self, zone: str, backend: Backend, what: str, timeout: float, connect: Connector | None, clock: Clock | None
    ) -> None:
        try:
            labels, _dummy = wire.parse_name(zone)
            name = wire.join_labels(labels)
        except Malformed as error:
            raise SyncError("invalid_option", f"zone {zone!r}: {error}", "Give the zone as a domain name.") from None
        self.request = Request(wire.name_to_text(name), backend, what)
        if DNSPYTHON_IMPORT_ERROR is not None:
            raise self.request.error("invalid_option", "this needs the Python library dnspython", "Install dnspython.")
        self._folded = name.lower()
        self._is_transfer = what == "transfer"
        self._timeout = timeout
        self._clock = clock or SystemClock()
        self._deadline = Deadline(self._clock, timeout)
        self._connect = connect or connect_socket
        rdtype = dns.rdatatype.AXFR if self._is_transfer else dns.rdatatype.SOA
        self._query = dns.message.make_query(dns.name.Name([*labels, b""]), rdtype, flags=0)
        self._question = messages.Question(self._folded, int(rdtype), messages.IN)
        self._signatures = Signatures(self.request, self._query)
        self._octets = self._signatures.sign()
        self._answers = 0
        self._received = 0
        self._octets_received = 0

    def ask(self) -> list[ResourceRecord]:
        """The answer to a query that fits into one message."""
        answer = self._ask_by_udp()
        if answer is not None:
            return self._check(answer)
        with contextlib.closing(self.stream()) as answers:
            return next(answers)

    def stream(self) -> t.Generator[list[ResourceRecord], None, None]:
        """The messages of an answer by TCP. The iterator ends by an exception only; the caller stops it."""
        self._signatures.restart()
        try:
            with contextlib.closing(self._open(socket.SOCK_STREAM)) as sock:
                sock.settimeout(positive(self._deadline.remaining()))
                dns.query.send_tcp(sock, self._octets)
                with contextlib.closing(Receiver(sock, self._deadline)) as receiver:
                    while True:
                        octets = receiver.message()
                        self._octets_received += len(octets)
                        records = self._check(self._read(octets))
                        self._received += len(records)
                        self._check_size()
                        yield records
        except socket.timeout as error:
            raise self._timed_out(error) from None
        except OSError as error:
            raise self._broken(error) from None

    def finish(self) -> None:
        """Check that the end of the answer is protected by a signature."""
        self._signatures.finish()

    def is_apex(self, record: ResourceRecord) -> bool:
        return record.owner.lower() == self._folded

    def opening(self, record: ResourceRecord) -> ResourceRecord:
        """The first record of a transfer, which must be the SOA of the zone (RFC 5936 section 2.2)."""
        if record.rdtype != rdata.SOA or not self.is_apex(record):
            raise self.malformed("it does not begin with the SOA of the zone")
        return record

    def check_closing(self, opening: ResourceRecord, closing: ResourceRecord) -> None:
        """Compare the first and the last SOA record of a transfer."""
        if not self.is_apex(closing) or rdata.fold("SOA", closing.rdata) != rdata.fold("SOA", opening.rdata):
            raise self.malformed("it does not end with the SOA that it began with; the zone may have changed meanwhile")

    def _check_size(self) -> None:
        """End a transfer that is larger than the options of the backend allow."""
        backend = self.request.backend
        # the SOA comes twice
        for found, limit, unit, option in (
            (self._received - 1, backend.max_records, "records", "backend.max_records"),
            (self._octets_received, backend.max_bytes, "octets", "backend.max_bytes"),
        ):
            if found > limit:
                raise self.request.error(
                    "too_large", f"the zone has more than {limit} {unit} ({option})", _TOO_LARGE.format(option)
                )

    def malformed(self, problem: str) -> SyncError:
        return self.request.error("bad_response", problem, "Try again; if the problem persists, check the log of the DNS server.")

    def _ask_by_udp(self) -> Message | None:
        """An answer, or ``None`` if datagrams are lost, or the answer requires TCP."""
        try:
            with contextlib.closing(self._open(socket.SOCK_DGRAM)) as sock:
                for _dummy in range(UDP_ATTEMPTS):
                    sock.settimeout(positive(min(UDP_PATIENCE, self._deadline.remaining() / (UDP_ATTEMPTS + 2))))
                    dns.query.send_udp(sock, self._octets, None)
                    with contextlib.suppress(socket.timeout):
                        answer = self._read(sock.recv(_MAX_DATAGRAM))
                        unsigned = self._query.had_tsig and answer.signature is None
                        return answer if self._belongs(answer) and not answer.flags & messages.TC and not unsigned else None
        except (OSError, SyncError):
            # TCP shows the reason if it fails as well, and is harder to forge
            return None
        return None

    def _read(self, octets: bytes) -> Message:
        try:
            message = messages.parse(octets)
            self._signatures.verify(octets, message)
        except Malformed as error:
            raise self.malformed(f"malformed answer: {error}") from None
        return message

    def _belongs(self, message: Message) -> bool:
        """Whether a message answers the query, and repeats it."""
        return message.id == self._query.id and message.is_answer_to_query and message.questions == [self._question]

    def _check(self, message: Message) -> list[ResourceRecord]:
        """The records of a message that answers the query."""
        if message.id != self._query.id or not message.is_answer_to_query:
            raise self.malformed("malformed answer: it does not belong to the query")
        # servers do not sign all their refusals
        if message.rcode != dns.rcode.NOERROR:
            raise self._refused(dns.rcode.to_text(dns.rcode.Rcode.make(message.rcode)), message.signature is not None)
        self._signatures.accept(message)
        if any(question != self._question for question in message.questions):
            raise self.malformed("malformed answer: it answers another query")
        self._answers += 1
        return message.answer if self._is_transfer or message.flags & messages.AA else []

    def _refused(self, name: str, signed: bool) -> SyncError:
        backend = self.request.backend
        name = f"response code {name}" if name.isdigit() else name
        about = self._not_authorised(signed) if name == "NOTAUTH" else ""
        if about == "key":
            return self.request.error("auth_failed", f"{name}: the server rejects {backend.key}", "Check the key on both sides.")
        if about == "transfer" or (self._is_transfer and name == "REFUSED"):
            code, problem, hint = _TRANSFER_REFUSED
        else:
            code, problem, hint = _REFUSALS.get(name, _OTHER_REFUSAL)
        asked_with = f" (asked with {backend.key})" if name in ("NOTAUTH", "REFUSED") else ""
        error = self.request.error(code, f"{name}: {problem}{asked_with}", hint)
        may_be_busy = self._is_transfer and name in ("SERVFAIL", "REFUSED")
        return TransferRefused(error.code, error.message, error.hint) if may_be_busy else error

    def _not_authorised(self, signed: bool) -> t.Literal["key", "transfer", "zone"]:
        """What the server means by NOTAUTH; where a transfer is refused, the answer to another query about the zone shows it.

        By RFC 8945 it is about a key, by RFC 2136 about the zone. Knot DNS and PowerDNS refuse transfers with it, too, and do not
        sign it if the zone is not theirs; PowerDNS does not either if the key is wrong.
        """
        unsigned = bool(self.request.backend.tsig_name) and not signed
        if not self._is_transfer:
            return "key" if unsigned else "zone"
        try:
            read_soa(self.request.zone, self.request.backend, self._deadline.remaining(), self._connect, self._clock)
        except SyncError as error:
            return "key" if unsigned and error.code != "not_found" else "zone"
        return "transfer"

    def _open(self, kind: int) -> socket.socket:
        return self._connect(self.request.backend, kind, positive(self._deadline.remaining()))

    def _timed_out(self, error: OSError) -> SyncError:
        problem = f"not complete within {self._timeout:g} s ({_reason(error)}), {self._received} records had come in"
        hint = "Check server, port and firewall, and that the server is fast enough; or raise the time-out."
        return self.request.error("connection_failed", problem, hint)

    def _broken(self, error: OSError) -> SyncError:
        if self._answers:
            return self.malformed(f"cut off after {self._received} records, before the closing SOA ({_reason(error)})")
        hint = "Check backend.server, backend.port and the firewall; zone transfers need TCP."
        return self.request.error("connection_failed", _reason(error), hint)


def _soa(record: ResourceRecord) -> Soa:
    mname, rname, *numbers = rdata.to_text("SOA", record.rdata).split(" ")
    serial, refresh, retry, expire, minimum = map(int, numbers)
    return Soa(serial, mname, rname, refresh, retry, expire, minimum, record.ttl)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
