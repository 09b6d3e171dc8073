# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DNS side: which server a zone belongs to, its transfer, and updates of its records."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.update

from ..dns_server import ALGORITHMS
from .axfr import Answer, TransferError, transfer
from .diff import DnsView
from .model import Connection, Json, RecordSet, Zone, is_apex
from .records import FROM_DNS, comparable, rdata_texts

QUERY_SECONDS = 5.0


class BackendError(Exception):
    """The DNS server cannot be reached, refuses, or answers nonsense."""


class ZoneNotFound(BackendError):
    """The server answers, and does not know the zone."""


class Referral(BackendError):
    """The name belongs to a zone that is delegated to others."""


# How the original explains answers of DNS servers.
EXPLANATIONS = {
    dns.rcode.FORMERR: "Format Error: the server was unable to interpret the query: {}",
    dns.rcode.NOTAUTH: "The requestor is not authorized to perform this operation: {}",
    dns.rcode.NOTIMP: "The operation requested is not implemented on this server: {}",
    dns.rcode.NOTZONE: "The zone specified in the query is not a zone: {}",
    dns.rcode.REFUSED: "The operation was refused by the server: {}",
    dns.rcode.SERVFAIL: "Server failure: {}",
}


def explain(rcode: dns.rcode.Rcode) -> str:
    text = dns.rcode.to_text(rcode)
    return EXPLANATIONS.get(rcode, "The response from the server was not recognized: {}").format(text)


@dataclass(frozen=True)
class Backends:
    """The configured backends by id, the default one first."""

    connections: Mapping[str, Connection]

    @property
    def ids(self) -> list[str]:
        return list(self.connections)

    def resolve(self, zone: Zone, transfer: bool = False) -> Connection:
        """The zone's own connection wins; a transfer connection alone counts for nothing."""
        if zone.connection is not None:
            return zone.transfer_connection if transfer and zone.transfer_connection else zone.connection
        return self.connections.get(zone.backend_id or "", next(iter(self.connections.values())))

    def name_of(self, zone: Zone) -> str:
        return zone.connection.name if zone.connection else zone.backend_id or self.ids[0]


def _tsig_key(connection: Connection) -> dns.tsig.Key:
    algorithm = ALGORITHMS.get(connection.algorithm.lower())
    if algorithm is None:
        raise BackendError(f"unknown TSIG algorithm {connection.algorithm}")
    return dns.tsig.Key(dns.name.from_text(connection.key_name), connection.key, algorithm)


def _describe(error: Exception) -> str:
    return str(error) or type(error).__name__


def load_zone(connection: Connection, zone: Zone, max_records: int, seconds: float) -> list[DnsView]:
    """The DNS side of a sync: known types only, grouped into record sets, within the size limit."""
    try:
        answers = list(transfer(connection.address, zone.name, _tsig_key(connection), min(seconds, QUERY_SECONDS), seconds))
    except (OSError, TransferError, dns.exception.DNSException) as error:
        raise BackendError(f"transfer of {zone.name} from {connection.primary_server}: {_describe(error)}") from error
    if len(answers) > max_records:
        raise BackendError(f"Zone too large {zone.name}, {len(answers)} records exceeded max {max_records}")
    record_sets = group(zone, ((relative_name(owner, zone.name), rdtype, ttl, data) for owner, rdtype, ttl, data in answers))
    return [DnsView(item, comparable(item.type, item.ttl, item.records)) for item in record_sets]


def group(zone: Zone, answers: Iterable[Answer]) -> list[RecordSet]:
    """Records of relative names as record sets.  The first record's TTL is the set's; duplicates vanish."""
    sets: dict[tuple[str, str], tuple[int, list[Json]]] = {}
    for name, rdtype, ttl, record in answers:
        records = sets.setdefault((name, rdtype), (ttl, []))[1]
        records.append(record)
    return [RecordSet(zone.id, name, rdtype, ttl, _distinct(records)) for (name, rdtype), (ttl, records) in sets.items()]


def _distinct(records: list[Json]) -> tuple[Json, ...]:
    if len(records) == 1:
        return (records[0],)
    return tuple({json.dumps(record): record for record in records}.values())


def relative_name(owner: str, zone_name: str) -> str:
    """Without the zone; the zone's own name at the apex.  Letter case stays as it came."""
    if owner.lower() == zone_name.lower():
        return zone_name
    relative = owner[: -len(zone_name) - 1]
    return zone_name if is_apex(relative, zone_name) else relative


def check_zone(connection: Connection, zone_name: str) -> None:
    """Fails unless the server answers for the zone; a refusal is taken for "no such zone"."""
    answer = _ask(connection, zone_name, "SOA")
    if answer.rcode() == dns.rcode.REFUSED or (
        answer.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN) and not _has_type(answer, dns.rdatatype.SOA)
    ):
        raise ZoneNotFound(zone_name)
    if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise BackendError(explain(answer.rcode()))


def lookup(connection: Connection, name: str, rdtype: str) -> tuple[int, list[Json]] | None:
    """TTL and records that the server answers with, or None."""
    answer = _ask(connection, name, rdtype)
    if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise BackendError(explain(answer.rcode()))
    wanted = dns.rdatatype.from_text(rdtype)
    for rrset in answer.answer:
        if rrset.rdtype == wanted:
            return rrset.ttl, [FROM_DNS[rdtype](rdata) for rdata in rrset]
    delegated = any(rrset.rdtype == dns.rdatatype.NS for rrset in answer.authority)
    if delegated and not answer.answer and not answer.flags & dns.flags.AA:
        raise Referral(name)
    return None


def _has_type(answer: dns.message.Message, rdtype: dns.rdatatype.RdataType) -> bool:
    return any(rrset.rdtype == rdtype for rrset in answer.answer)


def _ask(connection: Connection, name: str, rdtype: str) -> dns.message.Message:
    query = dns.message.make_query(name, rdtype)
    try:
        host, port = connection.address
        query.use_tsig(_tsig_key(connection))
        return dns.query.tcp(query, host, port=port, timeout=QUERY_SECONDS)
    except (dns.tsig.PeerError, dns.tsig.BadSignature) as error:
        raise BackendError(explain(dns.rcode.NOTAUTH)) from error
    except (OSError, EOFError, dns.exception.Timeout) as error:
        raise BackendError("network error") from error
    except (ValueError, dns.exception.DNSException) as error:
        raise BackendError(_describe(error)) from error


def update(connection: Connection, zone: Zone, remove: RecordSet | None, add: RecordSet | None) -> None:
    """One signed dynamic update that replaces a record set."""
    message = dns.update.UpdateMessage(zone.name, keyring=_tsig_key(connection))
    for item in (remove, add):
        if item is not None:
            message.delete(dns.name.from_text(item.fqdn(zone.name)), item.type)
    if add is not None:
        for text in rdata_texts(add.type, add.records):
            message.add(dns.name.from_text(add.fqdn(zone.name)), add.ttl, add.type, text)
    host, port = connection.address
    try:
        answer = dns.query.tcp(message, host, port=port, timeout=QUERY_SECONDS)
    except (OSError, dns.exception.DNSException) as error:
        raise BackendError(_describe(error)) from error
    if answer.rcode() != dns.rcode.NOERROR:
        raise BackendError(explain(answer.rcode()))
