# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the two authoritative DNS servers have in common: BIND in ``bind.py``, the embedded one in ``dns_embedded.py``.

Zones are given as master file text; ``zone_text`` makes one from a few lines.  Everything that changes or reads zones
below goes over the wire, so both servers are used the same way.
"""

from __future__ import annotations

import base64
import socket
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, Self

import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rdtypes.ANY.SOA
import dns.tsig
import dns.update
import dns.zone

HOST = "127.0.0.1"
DEFAULT_TTL = 300
ANYONE = "any"  # in a ZoneSpec: no key needed
QUERY_SECONDS = 5.0
TRANSFER_SECONDS = 120.0

ALGORITHMS = {
    "hmac-md5": dns.tsig.HMAC_MD5,
    "hmac-sha1": dns.tsig.HMAC_SHA1,
    "hmac-sha224": dns.tsig.HMAC_SHA224,
    "hmac-sha256": dns.tsig.HMAC_SHA256,
    "hmac-sha384": dns.tsig.HMAC_SHA384,
    "hmac-sha512": dns.tsig.HMAC_SHA512,
}

Addition = tuple[str, int, str, str]  # name, ttl, type, rdata
Deletion = tuple[str] | tuple[str, str] | tuple[str, str, str]  # name, then optionally type, then optionally rdata


class DnsServerError(RuntimeError):
    """The server could not be started, or refused a change."""


@dataclass(frozen=True)
class TsigKey:
    """A shared secret in base64, as in a zone connection."""

    name: str
    secret: str
    algorithm: str = "hmac-sha256"

    @classmethod
    def make(cls, name: str, algorithm: str = "hmac-sha256") -> TsigKey:
        """A key whose secret follows from its name: reproducible, and worth nothing outside of tests."""
        return cls(name, base64.b64encode(f"secret-of-{name}".encode().ljust(32, b".")).decode(), algorithm)

    @property
    def key(self) -> dns.tsig.Key:
        return dns.tsig.Key(dns.name.from_text(self.name), self.secret, ALGORITHMS[self.algorithm])


@dataclass(frozen=True)
class ZoneSpec:
    """A zone and who may transfer and update it: key names, ``ANYONE``, or None for every key of the server."""

    text: str
    transfer: tuple[str, ...] | None = None
    update: tuple[str, ...] | None = None


def zone_text(records: Iterable[str] = (), serial: int = 1, name_server: bool = True) -> str:
    """A loadable zone: SOA, one NS, and the given master file lines."""
    return "\n".join([f"$TTL {DEFAULT_TTL}", *apex_lines(serial, name_server), *records]) + "\n"


def apex_lines(serial: int, name_server: bool = True) -> list[str]:
    """What makes it a zone; the name server lies outside, so that no address is needed."""
    soa = f"@ SOA ns1.example.net. hostmaster.example.net. {serial} 3600 600 86400 60"
    return [soa, "@ NS ns1.example.net."] if name_server else [soa]


def absolute(zone: str) -> str:
    return zone if zone.endswith(".") else zone + "."


class DnsServer(ABC):
    """A running authoritative server on a loopback port, UDP and TCP."""

    kind: ClassVar[Literal["bind", "embedded"]]

    def __init__(self, keys: Iterable[TsigKey]) -> None:
        self.keys = {key.name: key for key in keys}
        self.server = HOST
        self.port = 0

    @property
    def tsig(self) -> TsigKey:
        """The first key, which clients use by default."""
        return next(iter(self.keys.values()))

    @abstractmethod
    def add_zones(self, zones: Mapping[str, ZoneSpec | str]) -> None:
        """Serve these zones from now on; one that exists is replaced, whatever its serial was."""

    @abstractmethod
    def remove_zones(self, names: Iterable[str]) -> None:
        """Serve these zones no longer."""

    @abstractmethod
    def zone_names(self) -> list[str]:
        """The zones served, absolute."""

    @abstractmethod
    def stop(self) -> None:
        """End the server; harmless when repeated."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def add_zone(self, name: str, zone: ZoneSpec | str) -> None:
        self.add_zones({name: zone})

    def update(
        self,
        zone: str,
        *,
        add: Iterable[Addition] = (),
        replace: Iterable[Addition] = (),
        delete: Iterable[Deletion] = (),
        key: TsigKey | None = None,
    ) -> None:
        """One dynamic update (RFC 2136), signed; names are relative to the zone, ``@`` is its apex."""
        message = dns.update.UpdateMessage(absolute(zone), keyring=(key or self.tsig).key)
        for deletion in delete:
            message.delete(*deletion)
        for name, ttl, rdtype, rdata in replace:
            message.delete(name, rdtype)
            message.add(name, ttl, rdtype, rdata)
        for name, ttl, rdtype, rdata in add:
            message.add(name, ttl, rdtype, rdata)
        answer = dns.query.tcp(message, self.server, port=self.port, timeout=QUERY_SECONDS)
        if answer.rcode() != dns.rcode.NOERROR:
            raise DnsServerError(f"update of {zone}: {dns.rcode.to_text(answer.rcode())}")

    def serial(self, zone: str) -> int:
        """The serial the server answers with now."""
        query = dns.message.make_query(absolute(zone), "SOA")
        answer = dns.query.udp(query, self.server, port=self.port, timeout=QUERY_SECONDS)
        if not answer.answer:
            raise DnsServerError(f"no SOA for {zone}: {dns.rcode.to_text(answer.rcode())}")
        soa = answer.answer[0][0]
        assert isinstance(soa, dns.rdtypes.ANY.SOA.SOA)
        return soa.serial

    def loaded_serial(self, zone: str) -> int:
        """The serial of a zone that is served, without a message where that is known otherwise."""
        return self.serial(zone)

    def transfer(self, zone: str, key: TsigKey | None = None) -> dns.zone.Zone:
        """The whole zone by AXFR, with absolute names."""
        copy = dns.zone.Zone(absolute(zone), relativize=False)
        query = dns.message.make_query(absolute(zone), "AXFR")
        query.use_tsig((key or self.tsig).key)
        dns.query.inbound_xfr(self.server, copy, query, port=self.port, lifetime=TRANSFER_SECONDS)
        return copy

    def set_serial(self, zone: str, serial: int) -> None:
        """Any serial, also an older one, which no dynamic update could set.  Access goes back to every key."""
        copy = self.transfer(zone)
        rdataset = copy.find_rdataset(absolute(zone), dns.rdatatype.SOA)
        soa = rdataset[0]
        assert isinstance(soa, dns.rdtypes.ANY.SOA.SOA)
        rdataset.update_ttl(rdataset.ttl)
        copy.replace_rdataset(absolute(zone), dns.rdataset.from_rdata(rdataset.ttl, soa.replace(serial=serial)))
        self.add_zone(zone, copy.to_text(relativize=False, want_origin=True))


def free_port() -> int:
    """A port that is free for UDP and TCP right now."""
    for _attempt in range(50):
        with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as tcp:
            tcp.bind((HOST, 0))
            port = int(tcp.getsockname()[1])
            with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as udp:
                try:
                    udp.bind((HOST, port))
                except OSError:
                    continue
        return port
    raise DnsServerError("no port is free for both UDP and TCP")


def start_dns(
    choice: Literal["auto", "bind", "embedded"], workdir: Path, keys: Iterable[TsigKey], zones: Mapping[str, ZoneSpec | str]
) -> DnsServer:
    """The DNS server for ``--dns``: ``auto`` is BIND where it is installed and starts."""
    from .bind import BindServer, find_named
    from .dns_embedded import EmbeddedServer

    keys = list(keys)
    if choice == "bind" or (choice == "auto" and find_named()):
        try:
            return BindServer(workdir, keys, zones)
        except DnsServerError as error:
            if choice == "bind":
                raise
            print(f"BIND is installed but does not start, using the embedded DNS server: {error}", file=sys.stderr)
    return EmbeddedServer(keys, zones)
