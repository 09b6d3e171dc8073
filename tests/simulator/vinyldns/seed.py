# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists at the start: zones in the DNS server, and the same zones connected and in sync.

``main`` is rich but free of types that break the PyPI client; ``types.example.`` has every type.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import dns.name
import dns.rdata

from ..dns_server import DEFAULT_TTL, DnsServer, TsigKey, apex_lines, zone_text
from .axfr import Answer
from .backend import Backends, group, relative_name
from .groups import DUMMY_GROUP, OK_GROUP, SHARED_GROUP
from .model import Connection, Json, RecordSet, Zone, new_id, now_ms
from .records import FROM_DNS

MAIN_ZONE = "example.com."
DEFAULT_BACKEND, OTHER_BACKEND = "default", "secondary"
KEYS = (TsigKey.make("vinyldns.", "hmac-sha256"), TsigKey.make("secondary.", "hmac-sha512"))
SEED_SERIAL = 2026010101
FEW = 50  # lines: more than a seeded zone has
AGE_MS = 24 * 3600 * 1000  # of the last sync of seeded zones: older than any sensible delay


@dataclass(frozen=True)
class SeedZone:
    name: str
    lines: tuple[str, ...] = ()
    group: str = OK_GROUP
    shared: bool = False
    connection: bool = False  # an own connection with a key in its JSON, instead of a backend id
    backend_id: str | None = None

    @property
    def text(self) -> str:
        return zone_text(self.lines, serial=SEED_SERIAL)

    @property
    def all_lines(self) -> list[str]:
        return [*apex_lines(SEED_SERIAL), *self.lines]


SEED = (
    SeedZone(
        MAIN_ZONE,
        (
            "@ 3600 TXT \"v=spf1 -all\"",
            "@ MX 10 mail.example.com.",
            "www A 192.0.2.1",
            "www A 192.0.2.2",
            "www AAAA 2001:db8::1",
            "mail A 192.0.2.25",
            "ftp CNAME www.example.com.",
            "_sip._tcp SRV 10 20 5060 sip.example.com.",
            "sip A 192.0.2.60",
            "quoted TXT \"say \\\"hi\\\"\"",
            "*.wild A 192.0.2.99",
            "sub NS ns1.example.net.",
            "host SSHFP 1 1 dd465c09cfa51fb45020cc83316fff21b9ec74ac",
        ),
        connection=True,
    ),
    SeedZone("0/27.2.0.192.in-addr.arpa.", ("1 PTR www.example.com.", "25 PTR mail.example.com."), backend_id=DEFAULT_BACKEND),
    SeedZone(
        "types.example.",
        (
            "signed NS ns1.example.net.",
            "signed DS 60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118",
            "naptr NAPTR 100 10 \"U\" \"E2U+sip\" \"!^.*$!sip:info@example.com!\" .",
            "naptr2 NAPTR 100 20 \"\" \"\" \"!^(.*)$!\\\\1!\" target.example.com.",
            "@ CAA 0 issue \"ca.example.net\"",
            "alias DNAME example.net.",
            "old SPF \"v=spf1 -all\"",
            "a.b A 192.0.2.7",
            "under_score A 192.0.2.8",
        ),
        backend_id=OTHER_BACKEND,
    ),
    SeedZone("empty.example.", backend_id=DEFAULT_BACKEND),
    SeedZone("dummy.example.", ("www A 192.0.2.10",), group=DUMMY_GROUP),
    SeedZone("shared.example.", ("www A 192.0.2.11",), group=SHARED_GROUP, shared=True),
)  # fmt: skip


def connection_to(dns_server: DnsServer, key: TsigKey, name: str) -> Connection:
    address = f"{dns_server.server}:{dns_server.port}"
    return Connection(name, key.name, key.secret, address, key.algorithm.upper())


def backends_of(dns_server: DnsServer) -> Backends:
    names = (DEFAULT_BACKEND, OTHER_BACKEND)
    return Backends({name: connection_to(dns_server, key, name) for name, key in zip(names, KEYS, strict=True)})


def make_zone(
    dns_server: DnsServer,
    name: str,
    *,
    group: str = OK_GROUP,
    shared: bool = False,
    connection: bool = False,
    backend_id: str | None = None,
    age_ms: int | None = AGE_MS,
) -> Zone:
    """A connected zone whose last sync is ``age_ms`` old, or that never was synced."""
    now = now_ms()
    return Zone(
        name=name,
        email=f"dns@{name.rstrip('.').replace('/', '-')}",
        admin_group_id=group,
        created=now - 2 * AGE_MS,
        updated=None if age_ms is None else now - age_ms,
        id=new_id(),
        connection=connection_to(dns_server, dns_server.tsig, name) if connection else None,
        shared=shared,
        latest_sync=None if age_ms is None else now - age_ms,
        backend_id=backend_id,
        is_test=True,  # as everything that test users connect
    )


def record_sets_from_lines(zone: Zone, lines: Sequence[str]) -> list[RecordSet]:
    """What a sync of a zone with these master file lines would store.

    Each line is ``owner [ttl] type rdata``.  Parsed one by one: for big zones much faster than a whole zone file.
    """
    return group(zone, _answers_of_few(zone.name, tuple(lines)) if len(lines) <= FEW else _answers(zone.name, lines))


@functools.lru_cache(maxsize=32)
def _answers_of_few(zone_name: str, lines: tuple[str, ...]) -> tuple[Answer, ...]:
    """Kept: a reset has those of all seeded zones again."""
    return tuple(_answers(zone_name, lines))


def _answers(zone_name: str, lines: Iterable[str]) -> Iterator[Answer]:
    origin = dns.name.from_text(zone_name)
    for line in lines:
        owner, ttl, rdtype, rdata = split_line(line)
        if rdtype == "A":
            record: Json = {"address": rdata}
        elif rdtype in FROM_DNS:
            record = FROM_DNS[rdtype](dns.rdata.from_text("IN", rdtype, rdata, origin, relativize=False))
        else:
            continue
        yield relative_name(dns.name.from_text(owner, origin).to_text(), zone_name), rdtype, ttl, record


def split_line(line: str) -> tuple[str, int, str, str]:
    """Owner, TTL, type and rdata of a master file line in its simplest form."""
    owner, second, rest = line.split(None, 2)
    if not second.isdigit():
        return owner, DEFAULT_TTL, second.upper(), rest
    rdtype, rdata = rest.split(None, 1)
    return owner, int(second), rdtype.upper(), rdata


def seed_texts(seeds: Iterable[SeedZone] = SEED) -> Mapping[str, str]:
    return {seed.name: seed.text for seed in seeds}
