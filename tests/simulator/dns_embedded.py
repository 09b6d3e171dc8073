# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An authoritative DNS server in threads of this process, for machines without BIND and for broken answers on demand.

Answers queries, AXFR over TCP in several messages, and dynamic updates (RFC 2136 without the rarely used corners:
prerequisites are honoured, DNSSEC is not), with TSIG of any common algorithm.  ``set_fault`` makes it misbehave:

=============== =============================================================================
fault           effect
=============== =============================================================================
truncated       a transfer ends in the middle and the connection is closed
no_final_soa    a transfer has every record but the closing SOA
apex_only       a correct transfer of nothing but SOA and NS (a lost backend zone)
drip            a transfer comes one record set per message, with pauses of ``drip_seconds``
unsigned        a transfer without the TSIG it should have
unsigned_end    a transfer whose last message has none
refused         REFUSED
servfail        SERVFAIL
silent          no answer at all
=============== =============================================================================
"""

from __future__ import annotations

import contextlib
import socketserver
import struct
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Literal, cast, get_args

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TSIG
import dns.rrset
import dns.tsig
import dns.update

from .dns_server import ANYONE, HOST, DnsServer, DnsServerError, TsigKey, ZoneSpec, absolute, free_port
from .dns_zone import Refusal, ZoneData, apply_update, check_prerequisite, fill_answer, refer, rrset_of

Fault = Literal["truncated", "no_final_soa", "apex_only", "drip", "unsigned", "unsigned_end", "refused", "servfail", "silent"]
FAULTS = get_args(Fault)

MESSAGE_BYTES = 16_000  # of uncompressed records in one transfer message
IDLE_SECONDS = 30.0
START_ATTEMPTS = 5


class EmbeddedServer(DnsServer):
    """Starts with the object and runs until ``stop``."""

    kind: ClassVar[Literal["bind", "embedded"]] = "embedded"

    def __init__(self, keys: Iterable[TsigKey], zones: Mapping[str, ZoneSpec | str] | None = None) -> None:
        super().__init__(keys)
        self.drip_seconds = 0.05
        self._keyring = {key.key.name: key.key for key in self.keys.values()}
        self._zones: dict[dns.name.Name, ZoneData] = {}
        self._faults: dict[tuple[str, dns.name.Name | None], Fault] = {}
        self._lock = threading.Lock()
        self.stopping = threading.Event()
        self.add_zones(zones or {})
        self._sockets = self._open_sockets()
        for server in self._sockets:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def add_zones(self, zones: Mapping[str, ZoneSpec | str]) -> None:
        parsed = [ZoneData(absolute(name), ZoneSpec(zone) if isinstance(zone, str) else zone) for name, zone in zones.items()]
        with self._lock:
            self._zones.update({zone.origin: zone for zone in parsed})

    def remove_zones(self, names: Iterable[str]) -> None:
        with self._lock:
            for name in names:
                self._zones.pop(dns.name.from_text(name), None)

    def zone_names(self) -> list[str]:
        return [str(name) for name in self._zones]

    def loaded_serial(self, zone: str) -> int:
        with self._lock:
            serial: int = self._zones[dns.name.from_text(absolute(zone))].soa[0].serial
            return serial

    def set_fault(self, fault: Fault, zone: str | None = None, on: Literal["transfer", "query", "update"] = "transfer") -> None:
        """Misbehave from now on; for one zone, or for all of them."""
        if fault not in FAULTS:
            raise ValueError(f"unknown DNS fault {fault!r}, known: {', '.join(FAULTS)}")
        self._faults[on, dns.name.from_text(zone) if zone else None] = fault

    def clear_faults(self) -> None:
        self._faults.clear()

    def stop(self) -> None:
        if self.stopping.is_set():
            return
        self.stopping.set()
        for server in self._sockets:
            server.shutdown()
            server.server_close()

    def _open_sockets(self) -> list[socketserver.BaseServer]:
        for attempt in range(1, START_ATTEMPTS + 1):
            self.port = free_port()
            tcp = None
            try:
                tcp = _TcpServer((HOST, self.port), _TcpHandler, self)
                return [tcp, _UdpServer((HOST, self.port), _UdpHandler, self)]
            except OSError as error:  # taken since free_port looked
                if tcp is not None:
                    tcp.server_close()
                if attempt == START_ATTEMPTS:
                    raise DnsServerError(f"cannot listen on {HOST}: {error}") from error
        raise AssertionError("unreachable")

    # -- one request -------------------------------------------------------------------------------------------------

    def answer(self, wire: bytes, tcp: bool) -> Iterator[bytes]:
        """The wire messages that answer one request; none when it is to be ignored."""
        try:
            request = self._parse(wire)
        except _TsigProblem as problem:
            yield problem.answer()
            return
        except dns.exception.DNSException:
            if len(wire) >= 12:
                yield wire[:2] + struct.pack("!HHHHH", dns.flags.QR | dns.rcode.FORMERR, 0, 0, 0, 0)
            return
        if request.flags & dns.flags.QR:
            return
        try:
            yield from self._dispatch(request, tcp)
        except Refusal as refusal:
            response = dns.message.make_response(request)
            response.set_rcode(refusal.rcode)
            yield response.to_wire()

    def _parse(self, wire: bytes) -> dns.message.Message:
        try:
            return dns.message.from_wire(wire, keyring=self._keyring)
        except dns.message.UnknownTSIGKey as error:
            raise _TsigProblem(wire, dns.rcode.BADKEY) from error
        except dns.tsig.BadAlgorithm as error:
            raise _TsigProblem(wire, dns.rcode.BADKEY) from error
        except dns.tsig.BadSignature as error:
            raise _TsigProblem(wire, dns.rcode.BADSIG) from error
        except dns.tsig.BadTime as error:
            raise _TsigProblem(wire, dns.rcode.BADTIME, self._keyring) from error

    def _dispatch(self, request: dns.message.Message, tcp: bool) -> Iterator[bytes]:
        if len(request.sections[0]) != 1:
            raise Refusal(dns.rcode.FORMERR)
        question = request.sections[0][0]
        if isinstance(request, dns.update.UpdateMessage):
            self._check_fault("update", question.name)
            yield self._update(request, question.name).to_wire()
        elif request.opcode() != dns.opcode.QUERY:
            raise Refusal(dns.rcode.NOTIMP)
        elif question.rdtype in (dns.rdatatype.AXFR, dns.rdatatype.IXFR):
            yield from self._transfer(request, question.name, tcp)
        else:
            self._check_fault("query", question.name)
            yield _fit(self._query(request, question), request, tcp)

    def _check_fault(self, on: str, name: dns.name.Name) -> Fault | None:
        zone = self._zone_of(name)
        fault = self._faults.get((on, zone.origin if zone else None)) or self._faults.get((on, None))
        if fault == "refused":
            raise Refusal(dns.rcode.REFUSED)
        if fault == "servfail":
            raise Refusal(dns.rcode.SERVFAIL)
        if fault == "silent":
            self.stopping.wait(IDLE_SECONDS)
            raise _Silence
        return fault

    def _zone_of(self, name: dns.name.Name) -> ZoneData | None:
        """The zone with the longest matching name."""
        while name not in self._zones:
            if name == dns.name.root:
                return None
            name = name.parent()
        return self._zones[name]

    def _require(self, request: dns.message.Message, allowed: tuple[str, ...] | None) -> None:
        """REFUSED unless the request carries one of the keys (already verified by ``_parse``)."""
        if allowed is not None and ANYONE in allowed:
            return
        names = self.keys if allowed is None else allowed
        if not request.had_tsig or request.keyname not in {dns.name.from_text(name) for name in names}:
            raise Refusal(dns.rcode.REFUSED)

    # -- queries -----------------------------------------------------------------------------------------------------

    def _query(self, request: dns.message.Message, question: dns.rrset.RRset) -> dns.message.Message:
        zone = self._zone_of(question.name)
        if zone is None:
            raise Refusal(dns.rcode.REFUSED)
        response = dns.message.make_response(request)
        with self._lock:
            if not refer(zone, question.name, question.rdtype, response):
                response.flags |= dns.flags.AA
                fill_answer(zone, question.name, question.rdtype, response)
        return response

    # -- transfers ---------------------------------------------------------------------------------------------------

    def _transfer(self, request: dns.message.Message, name: dns.name.Name, tcp: bool) -> Iterator[bytes]:
        if not tcp:
            raise Refusal(dns.rcode.FORMERR)
        zone = self._zones.get(name)
        if zone is None:
            raise Refusal(dns.rcode.NOTAUTH)
        self._require(request, zone.spec.transfer)
        fault = self._check_fault("transfer", name)
        with self._lock:
            soa, records = rrset_of(zone.origin, zone.soa), zone.snapshot()
        if fault == "apex_only":
            records = [rrset for rrset in records if rrset.name == zone.origin and rrset.rdtype == dns.rdatatype.NS]
        yield from self._transfer_messages(request, soa, records, fault)

    def _transfer_messages(
        self, request: dns.message.Message, soa: dns.rrset.RRset, records: list[dns.rrset.RRset], fault: Fault | None
    ) -> Iterator[bytes]:
        if fault == "truncated":
            records = records[: len(records) // 2]
        whole = fault not in ("truncated", "no_final_soa")
        signed_so_far: Any = None
        chunks = list(
            _chunks([soa, *records, *([soa] if whole else [])], 1 if fault in ("drip", "unsigned_end") else MESSAGE_BYTES)
        )
        for chunk in chunks:
            response = dns.message.make_response(request)
            response.flags |= dns.flags.AA
            response.answer = chunk
            if fault == "unsigned" or (fault == "unsigned_end" and chunk is chunks[-1]):
                response.tsig = None
            yield response.to_wire(multi=True, tsig_ctx=signed_so_far, max_size=65535)
            signed_so_far = response.tsig_ctx
            if fault == "drip":
                self.stopping.wait(self.drip_seconds)
        if not whole:
            raise _Silence

    # -- updates -----------------------------------------------------------------------------------------------------

    def _update(self, request: dns.update.UpdateMessage, name: dns.name.Name) -> dns.message.Message:
        zone = self._zones.get(name)
        if zone is None:
            raise Refusal(dns.rcode.NOTAUTH)
        self._require(request, zone.spec.update)
        with self._lock:
            for rrset in request.prerequisite:
                check_prerequisite(zone, rrset)
            changed = [apply_update(zone, rrset) for rrset in request.update]
            if any(changed):
                zone.bump_serial()
        return dns.message.make_response(request)


class _Silence(Exception):
    """Close the connection without a further answer."""


class _TsigProblem(Exception):
    """A signature that cannot be accepted, and its NOTAUTH answer (RFC 8945, section 5.2)."""

    def __init__(self, wire: bytes, error: dns.rcode.Rcode, keyring: Mapping[dns.name.Name, dns.tsig.Key] | None = None) -> None:
        super().__init__(dns.rcode.to_text(error))
        self._request = dns.message.from_wire(wire, question_only=True)
        self._key_name, self._sent = _signature(wire)
        self._error = error
        self._keyring = keyring

    def answer(self) -> bytes:
        request, sent = self._request, self._sent
        response = dns.message.make_response(request)
        response.set_rcode(dns.rcode.NOTAUTH)
        if self._keyring:  # BADTIME: the key is right, so the answer is signed and contains the server's time
            clock = struct.pack("!HI", 0, int(time.time()))
            response.use_tsig(
                self._keyring[self._key_name], fudge=sent.fudge, tsig_error=self._error, other_data=clock, original_id=request.id
            )
            response.request_mac = sent.mac
            return response.to_wire()
        # dnspython 2.3 would sign it
        message, data = response.to_wire(), sent.replace(mac=b"", error=self._error, other=b"").to_wire() or b""
        head = struct.pack("!HHIH", dns.rdatatype.TSIG, dns.rdataclass.ANY, 0, len(data))
        return message[:10] + struct.pack("!H", 1) + message[12:] + (self._key_name.to_wire() or b"") + head + data


def _signature(wire: bytes) -> tuple[dns.name.Name, dns.rdtypes.ANY.TSIG.TSIG]:
    """The last record of a signed message, unverified; the oldest dnspython that is supported has no call for that."""
    _id, _flags, questions, *counts = struct.unpack("!6H", wire[:12])
    position, name, start, length = 12, dns.name.root, 0, 0
    for _question in range(questions):
        position += dns.name.from_wire(wire, position)[1] + 4
    for _record in range(sum(counts)):
        name, used = dns.name.from_wire(wire, position)
        start = position + used + 10
        (length,) = struct.unpack_from("!H", wire, start - 2)
        position = start + length
    record = dns.rdata.from_wire(dns.rdataclass.ANY, dns.rdatatype.TSIG, wire, start, length)
    return name, cast(dns.rdtypes.ANY.TSIG.TSIG, record)


def _fit(response: dns.message.Message, request: dns.message.Message, tcp: bool) -> bytes:
    """The answer, cut to what the client can take over UDP with TC set."""
    limit = 65535 if tcp else max(request.payload, 512)
    try:
        return response.to_wire(max_size=limit)
    except dns.exception.TooBig:
        response.answer, response.authority, response.additional = [], [], []
        response.flags |= dns.flags.TC
        return response.to_wire(max_size=limit)


def _chunks(rrsets: list[dns.rrset.RRset], size: int) -> Iterator[list[dns.rrset.RRset]]:
    """Record sets in messages of about ``size`` bytes; one bigger than a message is split."""
    chunk: list[dns.rrset.RRset] = []
    used = 0
    for rrset in rrsets:
        for rdata in rrset:
            chunk.append(dns.rrset.from_rdata(rrset.name, rrset.ttl, rdata))
            used += 30 + len(rdata.to_wire() or b"")
            if used >= size:
                yield chunk
                chunk, used = [], 0
    if chunk:
        yield chunk


class _TcpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], handler: type[socketserver.BaseRequestHandler], owner: EmbeddedServer) -> None:
        self.owner = owner
        super().__init__(address, handler)


class _UdpServer(socketserver.ThreadingUDPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], handler: type[socketserver.BaseRequestHandler], owner: EmbeddedServer) -> None:
        self.owner = owner
        super().__init__(address, handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is not worth a traceback in the output of a test."""


class _UdpHandler(socketserver.BaseRequestHandler):
    server: _UdpServer

    def handle(self) -> None:
        wire, sock = self.request
        with contextlib.suppress(_Silence, OSError):
            for message in self.server.owner.answer(wire, tcp=False):
                sock.sendto(message, self.client_address)


class _TcpHandler(socketserver.StreamRequestHandler):
    server: _TcpServer
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True

    def handle(self) -> None:
        with contextlib.suppress(_Silence, OSError):
            while length := self.rfile.read(2):
                wire = self.rfile.read(struct.unpack("!H", length)[0])
                for message in self.server.owner.answer(wire, tcp=True):
                    self.wfile.write(struct.pack("!H", len(message)) + message)
