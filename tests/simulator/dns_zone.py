# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of a zone of the embedded DNS server: what a query finds, and what an update changes (RFC 2136)."""

from __future__ import annotations

from typing import Any, cast

import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rdtypes.ANY.SOA
import dns.rrset
import dns.zone

from .dns_server import DnsServerError, ZoneSpec

Rdatasets = dict[dns.rdatatype.RdataType, dns.rdataset.Rdataset]


class ZoneData:
    """The records of one zone.  Record sets are never changed in place, so a snapshot stays what it was."""

    def __init__(self, name: str, spec: ZoneSpec) -> None:
        self.origin = dns.name.from_text(name)
        self.spec = spec
        # Without the usual checks: a zone without name server is a case to be tried.
        parsed = dns.zone.from_text(spec.text, self.origin, relativize=False, check_origin=False)
        if parsed.get_soa() is None:
            raise DnsServerError(f"{name} has no SOA")
        self.nodes: dict[dns.name.Name, Rdatasets] = {
            owner: {rdataset.rdtype: rdataset for rdataset in node} for owner, node in parsed.nodes.items()
        }

    @property
    def soa(self) -> dns.rdataset.Rdataset:
        return self.nodes[self.origin][dns.rdatatype.SOA]

    def get(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> dns.rdataset.Rdataset | None:
        return self.nodes.get(name, {}).get(rdtype)

    def put(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType, rdataset: dns.rdataset.Rdataset | None) -> None:
        """Store a record set; an empty one is removed."""
        node = self.nodes.setdefault(name, {})
        if rdataset:
            node[rdtype] = rdataset
        else:
            node.pop(rdtype, None)
        if not node:
            del self.nodes[name]

    def snapshot(self) -> list[dns.rrset.RRset]:
        """Everything but the SOA."""
        return [
            rrset_of(name, rdataset)
            for name, node in self.nodes.items()
            for rdtype, rdataset in node.items()
            if rdtype != dns.rdatatype.SOA
        ]

    def bump_serial(self) -> None:
        soa = soa_of(self.soa)
        serial = (soa.serial + 1) % 2**32 or 1  # 0 has a meaning of its own in some software
        self.nodes[self.origin][dns.rdatatype.SOA] = dns.rdataset.from_rdata(self.soa.ttl, soa.replace(serial=serial))


def soa_of(rdataset: dns.rdataset.Rdataset) -> dns.rdtypes.ANY.SOA.SOA:
    return cast(dns.rdtypes.ANY.SOA.SOA, rdataset[0])


def rrset_of(name: dns.name.Name, rdataset: dns.rdataset.Rdataset) -> dns.rrset.RRset:
    return dns.rrset.from_rdata_list(name, rdataset.ttl, list(rdataset))


class Refusal(Exception):
    """Ends the handling of a request with an rcode."""

    def __init__(self, rcode: dns.rcode.Rcode) -> None:
        super().__init__(dns.rcode.to_text(rcode))
        self.rcode = rcode


def refer(zone: ZoneData, name: dns.name.Name, rdtype: dns.rdatatype.RdataType, response: dns.message.Message) -> bool:
    """Answer with a referral when the name lies at or below a delegation."""
    cut, found = name, None
    while cut != zone.origin:
        if zone.get(cut, dns.rdatatype.NS):
            found = cut
        cut = cut.parent()
    if found is None or (found == name and rdtype == dns.rdatatype.DS):
        return False
    response.authority.append(rrset_of(found, zone.nodes[found][dns.rdatatype.NS]))
    return True


def fill_answer(zone: ZoneData, name: dns.name.Name, rdtype: dns.rdatatype.RdataType, response: dns.message.Message) -> None:
    node = zone.nodes.get(name) or zone.nodes.get(dns.name.Name((b"*",)) + name.parent() if name != zone.origin else name)
    wanted = list(node.values()) if node and rdtype == dns.rdatatype.ANY else []
    for candidate in (rdtype, dns.rdatatype.CNAME):
        if node and not wanted and candidate in node:
            wanted = [node[candidate]]
    response.answer += [rrset_of(name, rdataset) for rdataset in wanted]
    if not wanted:
        response.authority.append(rrset_of(zone.origin, zone.soa))
        exists = node is not None or any(owner.is_subdomain(name) for owner in zone.nodes)
        response.set_rcode(dns.rcode.NOERROR if exists else dns.rcode.NXDOMAIN)


def check_prerequisite(zone: ZoneData, rrset: dns.rrset.RRset) -> None:
    """RFC 2136, section 3.2."""
    name, rdtype, marker = rrset.name.derelativize(zone.origin), rrset.rdtype, rrset.deleting
    present = name in zone.nodes if rdtype == dns.rdatatype.ANY else zone.get(name, rdtype) is not None
    if marker == dns.rdataclass.NONE and present:
        raise Refusal(dns.rcode.YXDOMAIN if rdtype == dns.rdatatype.ANY else dns.rcode.YXRRSET)
    if marker == dns.rdataclass.ANY and not present:
        raise Refusal(dns.rcode.NXDOMAIN if rdtype == dns.rdatatype.ANY else dns.rcode.NXRRSET)
    if marker is None and set(zone.get(name, rdtype) or ()) != {_absolute_rdata(rdata, zone) for rdata in rrset}:
        raise Refusal(dns.rcode.NXRRSET)


def apply_update(zone: ZoneData, rrset: dns.rrset.RRset) -> bool:
    """RFC 2136, section 3.4; returns whether anything changed."""
    name = rrset.name.derelativize(zone.origin)
    if not name.is_subdomain(zone.origin):
        raise Refusal(dns.rcode.NOTZONE)
    if rrset.deleting == dns.rdataclass.ANY:
        return _delete_sets(zone, name, rrset.rdtype)
    rdatas = [_absolute_rdata(rdata, zone) for rdata in rrset]
    if rrset.deleting == dns.rdataclass.NONE:
        return _delete_rdatas(zone, name, rrset.rdtype, rdatas)
    return _add_rdatas(zone, name, rrset, rdatas)


def _delete_sets(zone: ZoneData, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> bool:
    doomed = [found for found in zone.nodes.get(name, {}) if rdtype in (found, dns.rdatatype.ANY)]
    if name == zone.origin:  # the apex keeps what makes it a zone
        doomed = [found for found in doomed if found not in (dns.rdatatype.SOA, dns.rdatatype.NS)]
    for found in doomed:
        zone.put(name, found, None)
    return bool(doomed)


def _delete_rdatas(zone: ZoneData, name: dns.name.Name, rdtype: dns.rdatatype.RdataType, rdatas: list[dns.rdata.Rdata]) -> bool:
    old = zone.get(name, rdtype)
    if old is None or rdtype == dns.rdatatype.SOA:
        return False
    kept = [rdata for rdata in old if rdata not in rdatas]
    if len(kept) == len(old) or (not kept and name == zone.origin and rdtype == dns.rdatatype.NS):
        return False
    zone.put(name, rdtype, dns.rdataset.from_rdata_list(old.ttl, kept) if kept else None)
    return True


def _add_rdatas(zone: ZoneData, name: dns.name.Name, rrset: dns.rrset.RRset, rdatas: list[dns.rdata.Rdata]) -> bool:
    old = zone.get(name, rrset.rdtype)
    if rrset.rdtype == dns.rdatatype.SOA:
        newer = old is not None and 0 < (cast(Any, rdatas[0]).serial - soa_of(old).serial) % 2**32 < 2**31
        if not newer:
            return False
    single = rrset.rdtype in (dns.rdatatype.SOA, dns.rdatatype.CNAME, dns.rdatatype.DNAME)
    others = set(zone.nodes.get(name, {})) - {dns.rdatatype.CNAME}
    clash = bool(others) if rrset.rdtype == dns.rdatatype.CNAME else zone.get(name, dns.rdatatype.CNAME) is not None
    if clash:  # an alias has no other data; the standard wants such additions ignored without an error
        return False
    merged = list(dict.fromkeys([*(old or ()), *rdatas])) if not single else rdatas[-1:]
    if old is not None and old.ttl == rrset.ttl and list(old) == merged:
        return False
    zone.put(name, rrset.rdtype, dns.rdataset.from_rdata_list(rrset.ttl, merged))
    return rrset.rdtype != dns.rdatatype.SOA  # a new SOA brings its own serial


def _absolute_rdata(rdata: dns.rdata.Rdata, zone: ZoneData) -> dns.rdata.Rdata:
    """Update messages are parsed relative to the zone, zones are kept absolute."""
    wire = rdata.to_wire(origin=zone.origin)
    return dns.rdata.from_wire(dns.rdataclass.IN, rdata.rdtype, wire or b"", 0, len(wire or b""))
