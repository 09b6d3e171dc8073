# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones for the tests, in the two forms in which they meet: transferred records and record sets of the API.

Record data comes from dnspython and the JSON from the simulator, so neither is made by the code under test.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from ansible_collections.lockstep.sync.plugins.module_utils._dns.drift import Drift, DriftBuilder, RecordChange
from ansible_collections.lockstep.sync.plugins.module_utils._dns.json_rows import recorded_change, stored_set
from ansible_collections.lockstep.sync.plugins.module_utils._dns.records import Packed
from ansible_collections.lockstep.sync.plugins.module_utils._dns.wire import ResourceRecord
from tests.simulator.vinyldns.records import FROM_DNS

ZONE = "example.com."
Json = dict[str, Any]


def rdata_of(rtype: str, text: str) -> dns.rdata.Rdata:
    """Record data from presentation format with absolute names."""
    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(rtype), text, dns.name.root, relativize=False)


def wire_of(rtype: str, text: str) -> bytes:
    return rdata_of(rtype, text).to_wire() or b""


def rr(name: str, rtype: str, text: str, ttl: int = 300, zone: str = ZONE) -> ResourceRecord:
    """A transferred record; ``name`` in presentation format, relative to the zone or ``@``."""
    owner = dns.name.from_text(name, dns.name.from_text(zone)).to_wire()
    assert owner is not None
    return ResourceRecord(owner, ttl, dns.rdatatype.from_text(rtype), wire_of(rtype, text))


def soa(serial: int = 1, zone: str = ZONE) -> ResourceRecord:
    return rr("@", "SOA", soa_text(serial), zone=zone)


def soa_text(serial: int) -> str:
    return f"ns1.example.net. hostmaster.example.net. {serial} 3600 600 86400 60"


def stored(name: str, rtype: str, *records: Json, ttl: int = 300, **more: Any) -> Json:
    """A record set of the API with the given records."""
    return {"type": rtype, "zoneId": "z1", "name": name, "ttl": ttl, "status": "Active", "records": list(records), **more}


def synced(name: str, rtype: str, *texts: str, ttl: int = 300, **more: Any) -> Json:
    """A record set of the API as a sync stores records with these presentation formats."""
    return stored(name, rtype, *(FROM_DNS[rtype](rdata_of(rtype, text)) for text in texts), ttl=ttl, **more)


def pack(record_set: Json) -> Packed:
    """What is kept of a record set of the API."""
    return stored_set(record_set).packed


def recorded(items: Iterable[Json]) -> list[RecordChange]:
    """The changes in items of the API, without those of other kinds."""
    return [change for change in map(recorded_change, items) if change is not None]


def stored_soa(serial: int = 1, zone: str = ZONE) -> Json:
    return synced(zone, "SOA", soa_text(serial))


def plan(backend: Iterable[ResourceRecord], api: Iterable[Mapping[str, Any]], zone: str = ZONE) -> Drift:
    builder = DriftBuilder(zone)
    builder.add_backend(backend)
    builder.feed_all(map(stored_set, api))
    return builder.finish()


def drift_of(backend: Iterable[ResourceRecord], api: Iterable[Mapping[str, Any]], zone: str = ZONE) -> Drift:
    """The plan for a zone whose SOA is the same on both sides."""
    return plan([soa(zone=zone), *backend], [stored_soa(zone=zone), *api], zone)


def actions(drift: Drift) -> list[tuple[str, str, str]]:
    return [(change.action, change.name, change.type) for change in drift.changes]
