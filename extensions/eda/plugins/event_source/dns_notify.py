# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An event source of ansible-rulebook: zones whose DNS server sends NOTIFY (RFC 1996).

ansible-rulebook runs this file by its path, so it imports nothing from the collection.
"""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: dns_notify
short_description: Receives DNS NOTIFY and yields the zones that have changed
description:
  - Listens on UDP and TCP for NOTIFY (RFC 1996), which a DNS server sends when a zone changes, as BIND does with C(also-notify).
  - The events of a zone are throttled. The first change is an event after O(debounce). Changes in the O(interval) after an
    event become one event at its end, so that the last change is never lost. The serial that the event had, from the same
    sender again, is no change.
  - A NOTIFY that is accepted is answered, so that the server does not repeat it. Any other message of an allowed sender is
    answered with C(REFUSED) (another operation than NOTIFY, a zone outside of O(zones), no signature although O(tsig_name)
    is set), C(NOTAUTH) (wrong signature or unknown key) or C(FORMERR). No answer is longer than the message.
  - Other senders get no answer, over TCP no connection either. Neither does a NOTIFY that there is no room for, while 100000
    zones wait for their event; servers repeat it.
  - A NOTIFY that is sent while nothing listens is lost after some repetitions. M(lockstep.sync.dns_serials) finds what
    has changed meanwhile.
version_added: 2.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
requirements:
  - dnspython
options:
  host:
    description: The address to listen on. IPv4 and IPv6 need a source each.
    type: str
    default: 0.0.0.0
  port:
    description: The port to listen on. Below 1024 most systems want a privilege.
    type: int
    default: 5300
  allowed_senders:
    description: Addresses and networks that may send NOTIFY, such as V(192.0.2.1) or V(2001:db8::/64).
    type: list
    elements: str
    required: true
  zones:
    description: Names of zones, which may have C(*) and C(?) in them. All zones by default.
    type: list
    elements: str
    default: ["*"]
  tsig_name:
    description: The name of the TSIG key (RFC 8945) by which each NOTIFY must be signed.
    type: str
  tsig_secret:
    description: The secret of the key in base64.
    type: str
  tsig_algorithm:
    description: The algorithm of the key.
    type: str
    default: hmac-sha256
  debounce:
    description: Seconds from the first NOTIFY of a zone to its event. What comes meanwhile is in the same event.
    type: float
    default: 0.5
  interval:
    description: Seconds between two events that have the same zone.
    type: float
    default: 30
  max_zones:
    description: How many zones an event has at most. With V(1), each zone is an event of its own.
    type: int
    default: 500
notes:
  - An event has RV(ignore:zones), a list of names, and RV(ignore:changes), which has for each of them C(zone), C(serial)
    (C(null) if the NOTIFY has none), C(sender) and C(notifications), the number of messages. An event about one zone has
    RV(ignore:zone) and RV(ignore:serial), too. Names are in lower case and end with a dot.
  - Names may have letters, digits, C(-), C(_) and C(/). Zones with others, such as braces, are refused, since names become
    variables of playbooks.
"""

EXAMPLES = r"""
- name: Changes of all zones of one server
  lockstep.sync.dns_notify:
    port: 5300
    allowed_senders: [192.0.2.1]
    tsig_name: notify.
    tsig_secret: "{{ notify_secret }}"
    interval: 600
"""

import asyncio
import base64
import collections
import contextlib
import dataclasses
import fnmatch
import heapq
import ipaddress
import logging
import re
import socket
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Protocol, Union, cast

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig

logger = logging.getLogger(__name__)

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

#: octets of a message over TCP; a signed NOTIFY has some 300
MAX_MESSAGE = 4096
#: connections at once, and seconds for which one may be silent
MAX_CONNECTIONS = 100
IDLE_SECONDS = 10.0
#: zones with changes that wait for their event, and different warnings that are logged: senders may be forged
MAX_WAITING, MAX_WARNINGS = 100_000, 1000
#: RFC 1035, section 4.1.1
HEADER_LENGTH = 12
#: what names of zones consist of, slashes of RFC 2317 included
ZONE_NAME = re.compile(r"(?:[a-z0-9_/-]+\.)+|\.")
#: half of the space of serials (RFC 1982)
HALF = 2**31


class Queue(Protocol):
    """What ansible-rulebook passes: the queue of a rule set behind its filters."""

    async def put(self, data: dict[str, object], /) -> None:
        """Wait until there is room, and put an event."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """The options of this source, checked."""

    host: str
    port: int
    senders: tuple[Network, ...]
    zones: tuple[str, ...]
    key: dns.tsig.Key | None = dataclasses.field(repr=False)
    debounce: float
    interval: float
    max_zones: int

    @classmethod
    def from_args(cls, args: Mapping[str, Any]) -> Settings:
        """:raises ValueError: names the option."""
        senders = tuple(_network(text) for text in _texts(args, "allowed_senders", ()))
        if not senders:
            raise ValueError("allowed_senders: is missing; name the addresses of the DNS servers")
        return cls(
            host=str(args.get("host") or "0.0.0.0"),
            port=int(_number(args, "port", 5300, 0, 65535)),
            senders=senders,
            zones=tuple(_pattern(text) for text in _texts(args, "zones", ("*",))),
            key=_key(args),
            debounce=_number(args, "debounce", 0.5, 0, 3600),
            interval=_number(args, "interval", 30, 0, 7 * 86400),
            max_zones=int(_number(args, "max_zones", 500, 1, 100_000)),
        )

    def allows(self, address: str) -> bool:
        """Whether a message from ``address`` is looked at."""
        sender = ipaddress.ip_address(address.partition("%")[0])
        if isinstance(sender, ipaddress.IPv6Address) and sender.ipv4_mapped:
            sender = sender.ipv4_mapped
        return any(sender.version == network.version and sender in network for network in self.senders)

    def wants(self, zone: str) -> bool:
        """:param zone: in lower case, with its dot."""
        return bool(ZONE_NAME.fullmatch(zone)) and any(fnmatch.fnmatchcase(zone, pattern) for pattern in self.zones)


@dataclasses.dataclass(frozen=True)
class Change:
    """What is known of the change of a zone, as it is in an event."""

    zone: str
    serial: int | None
    sender: str
    notifications: int = 1

    def merged(self, later: Change) -> Change:
        """Both as one: the newer serial, and the sender of the later one."""
        return Change(self.zone, newer_serial(self.serial, later.serial), later.sender, self.notifications + later.notifications)


def newer_serial(one: int | None, other: int | None) -> int | None:
    """The later of two serials by RFC 1982; one that is known before one that is not."""
    if one is None or other is None:
        return one if other is None else other
    return other if 0 < (other - one) % (2 * HALF) < HALF else one


class Throttle:
    """Which changes become events, and when. Times are seconds of any clock that does not go back.

    :param debounce: seconds from the first change of a zone to its event.
    :param interval: seconds between two events with the same zone.
    """

    def __init__(self, debounce: float, interval: float) -> None:
        self._debounce = debounce
        self._interval = interval
        self._pending: dict[str, Change] = {}
        self._due: list[tuple[float, str]] = []  # a heap
        #: the last change of a zone that was taken, and when; the oldest first
        self._taken: collections.OrderedDict[str, tuple[float, Change]] = collections.OrderedDict()

    def add(self, change: Change, now: float) -> bool:
        """Note a change; false without room for another zone.

        Within the interval, the serial of the last event adds nothing, unless another server has it only now.
        """
        zone = change.zone
        if zone in self._pending:
            self._pending[zone] = self._pending[zone].merged(change)
            return True
        if len(self._pending) >= MAX_WAITING:
            return False
        due, taken = now + self._debounce, self._taken.get(zone)
        if taken and now < taken[0] + self._interval:
            if change.serial is not None and (change.serial, change.sender) == (taken[1].serial, taken[1].sender):
                return True
            due = max(due, taken[0] + self._interval)
        self._pending[zone] = change
        heapq.heappush(self._due, (due, zone))
        return True

    def seconds_until_due(self, now: float) -> float | None:
        """Until :meth:`take` returns something; None without a change."""
        return max(0.0, self._due[0][0] - now) if self._due else None

    def take(self, now: float, limit: int) -> list[Change]:
        """The changes whose time has come, the longest waiting first, at most ``limit``."""
        changes: list[Change] = []
        while self._due and self._due[0][0] <= now and len(changes) < limit:
            changes.append(self._pending.pop(heapq.heappop(self._due)[1]))
        for change in changes:
            self._taken[change.zone] = (now, change)
            self._taken.move_to_end(change.zone)
        while self._taken and (len(self._taken) > MAX_WAITING or now >= next(iter(self._taken.values()))[0] + self._interval):
            self._taken.popitem(last=False)
        return changes


def event_of(changes: list[Change]) -> dict[str, object]:
    """One event about some zones."""
    event: dict[str, object] = {"zones": [change.zone for change in changes], "changes": list(map(dataclasses.asdict, changes))}
    if len(changes) == 1:
        event.update(zone=changes[0].zone, serial=changes[0].serial)
    return event


def respond(wire: bytes, sender: str, settings: Settings) -> tuple[bytes | None, Change | None]:
    """What a message from an allowed sender is answered with, and what it announces.

    No answer is longer than the message. A response is never answered.
    """
    if len(wire) < HEADER_LENGTH or wire[2] & 0x80:
        return None, None
    try:
        # without a key, every signed message has an unknown one
        query = dns.message.from_wire(wire, keyring=settings.key or {})
    except dns.tsig.PeerError:
        return None, None
    except dns.tsig.BadSignature:
        return _refuse_signature(wire, dns.rcode.BADSIG, settings.key), None
    except dns.tsig.BadTime:
        return _refuse_signature(wire, dns.rcode.BADTIME, settings.key), None
    except (dns.message.UnknownTSIGKey, dns.tsig.BadKey, dns.tsig.BadAlgorithm):
        return _refuse_signature(wire, dns.rcode.BADKEY, settings.key), None
    except (dns.exception.DNSException, ValueError):
        return _header_only(wire, dns.rcode.FORMERR), None
    rcode, change = _judge(query, sender, settings)
    response = dns.message.make_response(query)
    response.set_rcode(rcode)
    if change:
        response.flags |= dns.flags.AA
    answer = response.to_wire()
    return (answer if len(answer) <= len(wire) else _header_only(wire, rcode)), change


def _judge(query: dns.message.Message, sender: str, settings: Settings) -> tuple[dns.rcode.Rcode, Change | None]:
    if query.opcode() != dns.opcode.NOTIFY or (settings.key and not query.had_tsig):
        return dns.rcode.REFUSED, None
    if len(query.question) != 1:
        return dns.rcode.FORMERR, None
    (question,) = query.question
    zone = question.name.canonicalize().to_text()
    if question.rdtype != dns.rdatatype.SOA or question.rdclass != dns.rdataclass.IN or not settings.wants(zone):
        return dns.rcode.REFUSED, None
    soa = (rrset for rrset in query.answer if rrset.rdtype == dns.rdatatype.SOA and rrset.name == question.name)
    return dns.rcode.NOERROR, Change(zone, next((int(rdata.serial) for rrset in soa for rdata in rrset), None), sender)


def _refuse_signature(wire: bytes, error: dns.rcode.Rcode, key: dns.tsig.Key | None) -> bytes:
    """NOTAUTH with what is wrong (RFC 8945, section 5.2). Only the answer to a wrong time is signed."""
    try:
        query = dns.message.from_wire(wire, keyring=False)
    except (dns.exception.DNSException, ValueError):
        # what is wrong with the rest comes after the signature
        return _header_only(wire, dns.rcode.FORMERR)
    signature = cast(dns.rrset.RRset, query.tsig)
    response = dns.message.Message(query.id)
    response.flags = dns.flags.QR
    response.set_opcode(query.opcode())
    response.set_rcode(dns.rcode.NOTAUTH)
    response.question = query.question
    if error == dns.rcode.BADTIME and key:
        response.use_tsig(key, tsig_error=error, other_data=int(time.time()).to_bytes(6, "big"))
        response.request_mac = query.mac or b""
    else:
        rdata = signature[0].replace(mac=b"", error=error, other=b"")
        response.additional.append(dns.rrset.from_rdata(signature.name, 0, rdata))
    answer = response.to_wire()
    return answer if len(answer) <= len(wire) else _header_only(wire, dns.rcode.NOTAUTH)


def _header_only(wire: bytes, rcode: dns.rcode.Rcode) -> bytes:
    """A response without any section, for messages that cannot be read or trusted."""
    operation = wire[2] & 0x78
    return wire[:2] + bytes((0x80 | operation, int(rcode))) + bytes(8)


class Listener:
    """Answers messages over UDP and TCP, and yields what is announced to a :class:`Throttle`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._throttle = Throttle(settings.debounce, settings.interval)
        self._added = asyncio.Event()
        self._warnings: set[str] = set()
        self._connections: set[asyncio.Task[None]] = set()

    def receive(self, wire: bytes, sender: str) -> bytes | None:
        """Note what a message announces, and return the answer."""
        response, change = respond(wire, sender, self._settings)
        if change:
            logger.debug("NOTIFY for %s, serial %s, from %s", change.zone, change.serial, sender)
            if not self._throttle.add(change, time.monotonic()):
                # without an answer, the server repeats it
                self._warn_once(f"more than {MAX_WAITING} zones have changed; NOTIFY for others is not answered for now")
                return None
            self._added.set()
        elif response:
            rcode = dns.rcode.to_text(dns.rcode.Rcode(response[3] & 0x0F))
            # a server may send NOTIFY for all of its zones, so only a wrong key is worth a warning
            text = f"a message of {sender} is refused: {rcode}"
            (self._warn_once if rcode == "NOTAUTH" else logger.info)(text)
        return response

    def allows(self, sender: str) -> bool:
        """Whether a sender is answered."""
        if not self._settings.allows(sender):
            self._warn_once(f"messages of {sender} are ignored: it is not in allowed_senders")
            return False
        return True

    def _warn_once(self, text: str) -> None:
        """Log what a flood of messages would fill the log with."""
        if text not in self._warnings and len(self._warnings) < MAX_WARNINGS:
            self._warnings.add(text)
            logger.warning(text)

    async def emit(self, queue: Queue) -> None:
        """Put the events when their time has come. While the queue is full, changes are collected for the next event."""
        while True:
            delay = self._throttle.seconds_until_due(time.monotonic())
            if delay == 0:
                await queue.put(event_of(self._throttle.take(time.monotonic(), self._settings.max_zones)))
                continue
            self._added.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._added.wait(), delay)

    async def serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """All messages of a TCP connection."""
        task = cast("asyncio.Task[None]", asyncio.current_task())
        peer = writer.get_extra_info("peername")
        try:
            if peer and self.allows(peer[0]) and len(self._connections) < MAX_CONNECTIONS:
                self._connections.add(task)
                await self._answer(peer[0], reader, writer)
        except (OSError, asyncio.TimeoutError) as error:
            logger.debug("connection of %s ended: %s", peer[0], error)
        except asyncio.CancelledError:
            pass  # by close(); asyncio would log the end of the task as an error
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer(self, sender: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for wire in _messages(reader):
            response = self.receive(wire, sender)
            if response is None:
                return
            writer.write(len(response).to_bytes(2, "big") + response)
            await asyncio.wait_for(writer.drain(), IDLE_SECONDS)

    async def close(self) -> None:
        """End all connections."""
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections)


async def _messages(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The messages of a connection, until it is closed, is silent for too long or has a message that is too long."""
    while True:
        try:
            length = int.from_bytes(await asyncio.wait_for(reader.readexactly(2), IDLE_SECONDS), "big")
            if length > MAX_MESSAGE:
                return
            message = await asyncio.wait_for(reader.readexactly(length), IDLE_SECONDS)
        except asyncio.IncompleteReadError:
            return
        yield message


class Datagrams(asyncio.DatagramProtocol):
    """Answers each message to where it comes from."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # the transport of the event loop is not derived from the class, in spite of its methods
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        if self._listener.allows(addr[0]) and self._transport is not None:
            response = self._listener.receive(data, addr[0])
            if response is not None:
                self._transport.sendto(response, addr)


def _texts(args: Mapping[str, Any], name: str, default: Iterable[str]) -> list[str]:
    """A list of texts, which may be one text with commas."""
    value = args.get(name)
    if value is None:
        return list(default)
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) and item.strip() for item in items):
        raise ValueError(f"{name}: {value!r} is not a list of texts")
    return [item.strip() for item in items]


def _number(args: Mapping[str, Any], name: str, default: float, low: float, high: float) -> float:
    value = args.get(name)
    try:
        number = default if value is None else float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: {value!r} is not a number") from None
    if not low <= number <= high:
        raise ValueError(f"{name}: {value!r} is not between {low} and {high}")
    return number


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(f"allowed_senders: {error}") from None


def _pattern(text: str) -> str:
    lower = text.lower()
    return lower if lower.endswith((".", "*")) else f"{lower}."


def _key(args: Mapping[str, Any]) -> dns.tsig.Key | None:
    """The TSIG key. Its secret is in no message."""
    name, secret = args.get("tsig_name"), args.get("tsig_secret")
    if not name and not secret:
        return None
    if not name or not secret:
        raise ValueError("tsig_name, tsig_secret: a key needs both")
    algorithm = str(args.get("tsig_algorithm") or "hmac-sha256").lower().rstrip(".")
    if algorithm == "hmac-md5":
        algorithm = dns.tsig.HMAC_MD5.to_text(omit_final_dot=True).lower()
    try:
        key = dns.tsig.Key(str(name).lower(), base64.b64decode(str(secret), validate=True), algorithm)
    except (dns.exception.DNSException, ValueError):
        raise ValueError("tsig_name, tsig_secret: are not a key") from None
    if key.algorithm not in dns.tsig.mac_sizes:
        raise ValueError(f"tsig_algorithm: {algorithm} is not known")
    return key


async def main(queue: Queue, args: dict[str, Any]) -> None:
    """Listen until cancelled.

    :raises ValueError: an option is wrong.
    :raises OSError: the address cannot be listened on.
    """
    settings = Settings.from_args(args)
    listener = Listener(settings)
    server = await asyncio.start_server(listener.serve_connection, settings.host, settings.port)
    tcp = server.sockets[0]
    async with server:
        with socket.socket(tcp.family, socket.SOCK_DGRAM) as udp:
            if tcp.family == socket.AF_INET6:
                # as asyncio does for TCP: IPv4 is left to another source
                udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            udp.setblocking(False)
            udp.bind(tcp.getsockname())
            loop = asyncio.get_running_loop()
            transport, _protocol = await loop.create_datagram_endpoint(lambda: Datagrams(listener), sock=udp)
            logger.info("listening for NOTIFY on %s port %s", *tcp.getsockname()[:2])
            try:
                await listener.emit(queue)
            finally:
                transport.close()
                await listener.close()
