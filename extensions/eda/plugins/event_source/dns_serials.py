# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An event source of ansible-rulebook: zones whose serial has changed, found by asking their DNS server.

ansible-rulebook runs this file by its path, so it imports nothing from the collection.
"""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: dns_serials
short_description: Polls the serials of DNS zones and yields the zones that have changed
description:
  - Asks a DNS server for the SOA record of each zone, one small query for each, and yields the zones whose serial has changed.
  - For places that NOTIFY does not reach, such as activations in pods, and next to M(lockstep.sync.dns_notify) for what was
    sent while nothing listened.
  - The first pass yields all zones that have an answer, since it is not known what has changed before.
  - A zone that has no answer is logged, once, and is in an event when it is answered again with another serial.
version_added: 2.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
requirements:
  - dnspython
options:
  server:
    description: The address of the DNS server, for IPv4 or IPv6. Its name is refused.
    type: str
    required: true
  port:
    description: The port of the DNS server.
    type: int
    default: 53
  zones:
    description: Names of zones.
    type: list
    elements: str
    required: true
  interval:
    description: Seconds between the beginnings of two passes.
    type: float
    default: 60
  full_pass_interval:
    description: Seconds after which a pass yields all zones again, changed or not. V(0) means only the first pass does.
    type: float
    default: 0
  timeout:
    description: Seconds to wait for each answer. A query without an answer is sent twice more, the last time over TCP.
    type: float
    default: 2
  max_parallel:
    description: Queries under way at once.
    type: int
    default: 20
  tsig_name:
    description: The name of the TSIG key (RFC 8945) that signs the queries.
    type: str
  tsig_secret:
    description: The secret of the key in base64.
    type: str
  tsig_algorithm:
    description: The algorithm of the key.
    type: str
    default: hmac-sha256
  max_zones:
    description: How many zones an event has at most. With V(1), each zone is an event of its own.
    type: int
    default: 500
notes:
  - An event has RV(ignore:zones), a list of names, RV(ignore:changes), which has for each of them C(zone), C(serial) and
    C(previous_serial) (C(null) at first), and RV(ignore:reason), C(start), C(change) or C(full_pass). An event about one zone has
    RV(ignore:zone) and RV(ignore:serial), too. Names are in lower case and end with a dot.
"""

EXAMPLES = r"""
- name: Serials of two zones, every minute
  lockstep.sync.dns_serials:
    server: 192.0.2.1
    zones: [example.com, example.net]
"""

import asyncio
import base64
import dataclasses
import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypedDict

import dns.asyncquery
import dns.exception
import dns.flags
import dns.inet
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.tsig

logger = logging.getLogger(__name__)

#: of each query; the last one goes over TCP
TRIES = 3
#: what names of zones consist of, slashes of RFC 2317 included
ZONE_NAME = re.compile(r"(?:[a-z0-9_/-]+\.)+|\.")


class ChangeData(TypedDict):
    """One zone in an event."""

    zone: str
    serial: int
    previous_serial: int | None


class Queue(Protocol):
    """What ansible-rulebook passes: the queue of a rule set behind its filters."""

    async def put(self, data: dict[str, object], /) -> None:
        """Wait until there is room, and put an event."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """The options of this source, checked."""

    server: str
    port: int
    zones: tuple[str, ...]
    interval: float
    full_pass_interval: float
    timeout: float
    max_parallel: int
    key: dns.tsig.Key | None = dataclasses.field(repr=False)
    max_zones: int

    @classmethod
    def from_args(cls, args: Mapping[str, Any]) -> Settings:
        """:raises ValueError: names the option."""
        server = args.get("server")
        if not isinstance(server, str) or not server.strip():
            raise ValueError("server: is missing; give the address of a DNS server")
        if not dns.inet.is_address(server.strip()):
            # dnspython looks up no names, and each query would fail
            raise ValueError(f"server: {server!r} is no address; give that of a DNS server, such as 192.0.2.1 or 2001:db8::1")
        return cls(
            server=server.strip(),
            port=int(_number(args, "port", 53, 1, 65535)),
            zones=_zones(args.get("zones")),
            interval=_number(args, "interval", 60, 0.05, 86400),
            full_pass_interval=_number(args, "full_pass_interval", 0, 0, 366 * 86400),
            timeout=_number(args, "timeout", 2, 0.05, 600),
            max_parallel=int(_number(args, "max_parallel", 20, 1, 500)),
            key=_key(args),
            max_zones=int(_number(args, "max_zones", 500, 1, 100_000)),
        )


@dataclasses.dataclass(frozen=True)
class Change:
    """A zone with its serial, and the one that it had in the last event."""

    zone: str
    serial: int
    previous_serial: int | None

    def data(self) -> ChangeData:
        """As it is in an event."""
        return {"zone": self.zone, "serial": self.serial, "previous_serial": self.previous_serial}


class Serials:
    """What is known of the zones, and which passes are full ones.

    :param full_pass_interval: seconds; 0 means only the first pass is one.
    """

    def __init__(self, full_pass_interval: float) -> None:
        self._interval = full_pass_interval
        self._known: dict[str, int] = {}
        self._unanswered: set[str] = set()
        self._last_full: float | None = None

    def compare(self, answers: Mapping[str, int | str], now: float) -> tuple[str, list[Change]]:
        """The reason of an event and its changes, which may be none.

        :param answers: the serial of each zone, or why there is none.
        :param now: seconds of a clock that does not go back.
        """
        reason = self._reason(now)
        changes = []
        for zone, answer in answers.items():
            if isinstance(answer, str):
                self._note_failure(zone, answer)
                continue
            self._unanswered.discard(zone)
            previous = self._known.get(zone)
            if reason != "change" or answer != previous:
                changes.append(Change(zone, answer, previous))
            self._known[zone] = answer
        return reason, changes

    def _reason(self, now: float) -> str:
        if self._last_full is None:
            self._last_full = now
            return "start"
        if self._interval and now >= self._last_full + self._interval:
            self._last_full = now
            return "full_pass"
        return "change"

    def _note_failure(self, zone: str, problem: str) -> None:
        if zone not in self._unanswered:
            self._unanswered.add(zone)
            logger.warning("no serial of %s: %s", zone, problem)


def events_of(reason: str, changes: list[Change], max_zones: int) -> list[dict[str, object]]:
    """Events about some zones, none without changes."""
    events = []
    for first in range(0, len(changes), max_zones):
        part = changes[first : first + max_zones]
        event: dict[str, object] = {
            "reason": reason,
            "zones": [change.zone for change in part],
            "changes": [change.data() for change in part],
        }
        if len(part) == 1:
            event.update(zone=part[0].zone, serial=part[0].serial)
        events.append(event)
    return events


def serial_in(response: dns.message.Message, zone: str) -> int | str:
    """The serial in an answer, or why it has none."""
    if response.rcode() != dns.rcode.NOERROR:
        return f"the server answers {dns.rcode.to_text(response.rcode())}"
    owner = dns.name.from_text(zone)
    for rrset in response.answer:
        if rrset.rdtype == dns.rdatatype.SOA and rrset.name == owner:
            return int(rrset[0].serial)
    return "the answer has no SOA record of the zone"


async def read_serial(zone: str, settings: Settings) -> int | str:
    """Ask for the serial of a zone; the serial, or why it is not known."""
    query = dns.message.make_query(zone, dns.rdatatype.SOA, flags=0)
    if settings.key:
        query.use_tsig(settings.key)
    problem = ""
    for attempt in range(TRIES):
        ask = dns.asyncquery.tcp if attempt == TRIES - 1 else dns.asyncquery.udp
        try:
            response = await ask(query, settings.server, timeout=settings.timeout, port=settings.port)
        except dns.exception.Timeout:
            problem = "the server does not answer"
        except (dns.exception.DNSException, OSError, EOFError, ValueError) as error:
            problem = str(error) or type(error).__name__
        else:
            if not response.flags & dns.flags.TC:
                return serial_in(response, zone)
    return problem or "the answer is truncated"


async def read_serials(settings: Settings) -> dict[str, int | str]:
    """The serials of all zones, some at a time; for a zone without one, why."""
    free = asyncio.Semaphore(settings.max_parallel)

    async def read(zone: str) -> tuple[str, int | str]:
        async with free:
            return zone, await read_serial(zone, settings)

    return dict(await asyncio.gather(*map(read, settings.zones)))


async def poll(queue: Queue, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
    """Put an event after each pass that found something, until cancelled."""
    serials = Serials(settings.full_pass_interval)
    while True:
        begin = clock()
        reason, changes = serials.compare(await read_serials(settings), begin)
        for event in events_of(reason, changes, settings.max_zones):
            await queue.put(event)
        await asyncio.sleep(max(0.0, begin + settings.interval - clock()))


def _zones(value: object) -> tuple[str, ...]:
    """Names in lower case, with their dot, each once."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list) or not items:
        raise ValueError("zones: is missing; give a list of names")
    names = []
    for item in items:
        text = item.strip().lower() if isinstance(item, str) else ""
        name = text if text.endswith(".") else f"{text}."
        if not text or not ZONE_NAME.fullmatch(name):
            raise ValueError(f"zones: {item!r} is not the name of a zone")
        names.append(name)
    return tuple(dict.fromkeys(names))


def _number(args: Mapping[str, Any], name: str, default: float, low: float, high: float) -> float:
    value = args.get(name)
    try:
        number = default if value is None else float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: {value!r} is not a number") from None
    if not low <= number <= high:
        raise ValueError(f"{name}: {value!r} is not between {low} and {high}")
    return number


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
    """Poll until cancelled.

    :raises ValueError: an option is wrong.
    """
    await poll(queue, Settings.from_args(args))
