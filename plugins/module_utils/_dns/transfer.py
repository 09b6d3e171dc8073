# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Reads the SOA and all records of a zone from a DNS server (AXFR, RFC 5936), with dnspython.

dnspython creates, signs, reads and verifies the messages. Its functions for whole transfers are not used: they do not resolve
names, do not apply a deadline to that, build a zone in memory instead of returning records one by one, and report few details of
failures. So the sequence of messages is checked here, as RFC 5936 and RFC 8945 require.
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
from . import rdata, wire
from .backend import Backend, Request, connect_socket
from .receiver import Receiver
from .wire import Malformed, ResourceRecord

DNSPYTHON_IMPORT_ERROR: str | None
try:
    import dns.exception
    import dns.flags
    import dns.message
    import dns.name
    import dns.opcode
    import dns.query
    import dns.rcode
    import dns.rdataclass
    import dns.rdatatype
    import dns.rrset
    import dns.tsig

    DNSPYTHON_IMPORT_ERROR = None
except ImportError:
    DNSPYTHON_IMPORT_ERROR = traceback.format_exc()

#: opens a socket to a backend: (backend, ``SOCK_STREAM`` or ``SOCK_DGRAM``, seconds); raises OSError
Connector = t.Callable[[Backend, int, float], socket.socket]

#: seconds after which a datagram counts as lost, and the number of attempts before TCP
UDP_PATIENCE = 1.5
UDP_ATTEMPTS = 2
#: seconds by which two clocks may differ (RFC 8945 section 10 recommends it)
FUDGE = 300
#: messages in a row that a server may leave unsigned (RFC 8945 section 5.3.1)
MAX_UNSIGNED = 99

#: failure code, problem and remedy by response code (RFC 1035 section 4.1.1, RFC 2136 section 2.2)
_REFUSALS = {
    "SERVFAIL": (
        "bad_response",
        "the server cannot serve the zone now",
        "The zone may have failed to load or have expired: check the log of the DNS server.",
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
    "Allow it (BIND: allow-transfer). A server that has too many transfers to serve refuses too (BIND: transfers-out, 10).",
)


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
    :raises SyncError: as :func:`read_soa`, and ``permission_denied``; all of them while iterating.
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
        self._deadline = Deadline(clock or SystemClock(), timeout)
        self._connect = connect or connect_socket
        rdtype = dns.rdatatype.AXFR if self._is_transfer else dns.rdatatype.SOA
        self._query = dns.message.make_query(dns.name.Name([*labels, b""]), rdtype, flags=0)
        self._signatures = _Signatures(self.request, self._query)
        self._octets = self._signatures.sign()
        self._answers = 0
        self._received = 0

    def ask(self) -> list[ResourceRecord]:
        """The answer to a query that fits into one message."""
        answer = self._ask_by_udp()
        if answer is not None:
            return self._check(answer)
        with contextlib.closing(self.stream()) as answers:
            return next(answers)

    def stream(self) -> t.Generator[list[ResourceRecord], None, None]:
        """The messages of an answer by TCP. The iterator ends by an exception only; the caller stops it."""
        try:
            with contextlib.closing(self._open(socket.SOCK_STREAM)) as sock:
                sock.settimeout(positive(self._deadline.remaining()))
                dns.query.send_tcp(sock, self._octets)
                with contextlib.closing(Receiver(sock, self._deadline)) as receiver:
                    while True:
                        records = self._check(self._read(receiver.message()))
                        self._received += len(records)
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

    def malformed(self, problem: str) -> SyncError:
        return self.request.error("bad_response", problem, "Try again; if the problem persists, check the log of the DNS server.")

    def _ask_by_udp(self) -> dns.message.Message | None:
        """An answer, or ``None`` if datagrams are lost, or the answer requires TCP."""
        query = self._query
        try:
            with contextlib.closing(self._open(socket.SOCK_DGRAM)) as sock:
                for _dummy in range(UDP_ATTEMPTS):
                    sock.settimeout(positive(min(UDP_PATIENCE, self._deadline.remaining() / (UDP_ATTEMPTS + 2))))
                    dns.query.send_udp(sock, self._octets, None)
                    with contextlib.suppress(socket.timeout):
                        answer: dns.message.Message = dns.query.receive_udp(
                            sock, keyring=query.keyring, request_mac=query.mac, one_rr_per_rrset=True, raise_on_truncation=True
                        )[0]
                        return answer if query.is_response(answer) else None
        except (OSError, ValueError, dns.exception.DNSException):
            # TCP shows the reason if it fails as well, and is harder to forge
            return None
        return None

    def _read(self, octets: bytes) -> dns.message.Message:
        try:
            return self._signatures.read(octets)
        except (ValueError, dns.exception.DNSException) as error:
            raise self.malformed(f"malformed answer: {error}") from None

    def _check(self, message: dns.message.Message) -> list[ResourceRecord]:
        """The records of a message that answers the query."""
        query = self._query
        if message.id != query.id or not message.flags & dns.flags.QR or message.opcode() != dns.opcode.QUERY:
            raise self.malformed("malformed answer: it does not belong to the query")
        rcode = message.rcode()
        # servers do not sign all their refusals
        if rcode != dns.rcode.NOERROR:
            raise self._refused(dns.rcode.to_text(rcode), message.had_tsig)
        self._signatures.accept(message)
        if any(question != query.question[0] for question in message.question):
            raise self.malformed("malformed answer: it answers another query")
        self._answers += 1
        if not self._is_transfer and not message.flags & dns.flags.AA:
            return []
        return [_record(rrset) for rrset in message.answer if rrset.rdclass == dns.rdataclass.IN]

    def _refused(self, name: str, signed: bool) -> SyncError:
        backend = self.request.backend
        name = f"response code {name}" if name.isdigit() else name
        if name == "NOTAUTH" and backend.tsig_name and not signed:
            return self.request.error("auth_failed", f"{name}: the server rejects {backend.key}", "Check the key on both sides.")
        if name == "REFUSED" and self._is_transfer:
            code, problem, hint = _TRANSFER_REFUSED
        else:
            code, problem, hint = _REFUSALS.get(name, _OTHER_REFUSAL)
        asked_with = f" (asked with {backend.key})" if name == "REFUSED" else ""
        return self.request.error(code, f"{name}: {problem}{asked_with}", hint)

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


class _Signatures:
    """The key of a query, if it has one, and which of its answers are signed."""

    def __init__(self, request: Request, query: dns.message.Message) -> None:
        self._request = request
        self._query = query
        self._context: t.Any = None
        self._unsigned = 0
        backend = request.backend
        if backend.tsig_name is not None:
            algorithm = getattr(dns.tsig, backend.tsig_algorithm.upper().replace("-", "_"))
            query.use_tsig(dns.tsig.Key(backend.tsig_name, backend.secret_octets(), algorithm), fudge=FUDGE)

    def sign(self) -> bytes:
        """The query in wire format.

        :raises SyncError: ``invalid_option`` if this host cannot sign it.
        """
        try:
            return self._query.to_wire()
        except (ValueError, NotImplementedError):
            # a host in FIPS mode has no MD5; dnspython raises NotImplementedError for unsupported algorithms
            problem = f"this host cannot compute {self._request.backend.tsig_algorithm}"
            raise self._request.error("invalid_option", problem, "Use a key with another algorithm.") from None

    def read(self, octets: bytes) -> dns.message.Message:
        """One message of an answer by TCP; its signature, if it has one, covers those before it that have none.

        :raises SyncError: ``auth_failed``.
        :raises DNSException: if it is malformed; ValueError too.
        """
        query = self._query
        try:
            message = dns.message.from_wire(
                octets,
                keyring=query.keyring,
                request_mac=query.mac or b"",
                xfr=True,
                tsig_ctx=self._context,
                multi=True,
                one_rr_per_rrset=True,
            )
        except (dns.tsig.PeerBadTime, dns.tsig.BadTime):
            raise self._skewed(octets) from None
        except (dns.tsig.PeerError, dns.tsig.BadSignature, dns.tsig.BadKey, dns.tsig.BadAlgorithm) as error:
            raise self._rejected(error) from None
        self._context = message.tsig_ctx
        return message

    def accept(self, message: dns.message.Message) -> None:
        """Check that a message is signed, or may lack a signature of its own.

        :raises SyncError: ``auth_failed``.
        """
        if message.had_tsig or not self._query.had_tsig:
            self._unsigned = 0
            return
        if self._context is None:
            raise self._untrusted("the answer is not signed")
        self._unsigned += 1
        if self._unsigned > MAX_UNSIGNED:
            raise self._untrusted(f"more than {MAX_UNSIGNED} messages in a row are not signed")

    def finish(self) -> None:
        """Check that the last message was signed.

        :raises SyncError: ``auth_failed``.
        """
        if self._unsigned:
            raise self._untrusted("the last message is not signed")

    def _skewed(self, octets: bytes) -> SyncError:
        relation = "differs from this host's"
        # a server that rejects the time of the query appends its own, preceded by its length (RFC 8945 section 5.2.3)
        if octets[-8:-6] == b"\0\6":
            question: t.Any = self._query.tsig
            skew = int.from_bytes(octets[-6:], "big") - question[0].time_signed
            relation = f"is {abs(skew)} s {'ahead of' if skew >= 0 else 'behind'} this host's"
        problem = f"BADTIME: the clock of the server {relation}, and TSIG allows {FUDGE} s"
        return self._request.error("auth_failed", problem, "Synchronise the clocks of both hosts (NTP).")

    def _rejected(self, error: Exception) -> SyncError:
        key = self._request.backend.key
        if isinstance(error, dns.tsig.PeerBadKey):
            problem = f"BADKEY: the server does not know {key}"
            return self._request.error("auth_failed", problem, "Check backend.tsig_name and backend.tsig_algorithm.")
        if isinstance(error, dns.tsig.PeerBadSignature):
            problem = f"BADSIG: the server has another secret for {key}"
            return self._request.error("auth_failed", problem, "Check backend.tsig_secret and backend.tsig_algorithm.")
        if isinstance(error, dns.tsig.PeerError):
            return self._request.error("auth_failed", f"the server rejects {key}: {error}", "Check the key on both sides.")
        return self._untrusted("the signature of the answer is wrong")

    def _untrusted(self, problem: str) -> SyncError:
        problem = f"{problem}, though the query was signed with {self._request.backend.key}"
        return self._request.error("auth_failed", problem, "Check the key on both sides, and proxies or firewalls between them.")


def _record(rrset: dns.rrset.RRset) -> ResourceRecord:
    return ResourceRecord(t.cast(bytes, rrset.name.to_wire()), rrset.ttl, int(rrset.rdtype), t.cast(bytes, rrset[0].to_wire()))


def _soa(record: ResourceRecord) -> Soa:
    mname, rname, *numbers = rdata.to_text("SOA", record.rdata).split(" ")
    serial, refresh, retry, expire, minimum = map(int, numbers)
    return Soa(serial, mname, rname, refresh, retry, expire, minimum, record.ttl)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
