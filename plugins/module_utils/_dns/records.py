# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Record sets in a form that both sides can be compared in, by VinylDNS's rules (docs/reference/vinyldns.md#2.5 and #2.6).

The server converts transferred records to its JSON model first, and then compares the DNS records made of both models. The
effect of this on names, texts and TTLs is reproduced here, quirks included, since a prediction is useful only if it is exact.
Record sets are kept as single byte strings, since a zone may have hundreds of thousands of them.
"""

from __future__ import annotations

import json
import re
import struct
import typing as t

from . import rdata, wire
from .wire import Malformed

#: a record set as octets: flags, TTL, and the data of each record preceded by its length
Packed = t.NewType("Packed", bytes)

#: a value that equal record sets share
Identity = tuple[int, frozenset[bytes]]

_HEAD = struct.Struct("!BI")
_LENGTH = struct.Struct("!H")
#: both, which most sets have of one record begin with
_HEAD_OF_ONE = struct.Struct("!BIH")
#: the server cannot convert the set to DNS records, so it never equals another one
_UNCONVERTIBLE = 1
#: the name of the set ends with a dot
_DOTTED = 2
#: the payload is the JSON of the records, since they cannot be expressed in wire format
_VERBATIM = 4

_SIMPLE = re.compile(r"[A-Za-z0-9_*/-]+(?:\.[A-Za-z0-9_*/-]+)*\Z")
MAX_TTL = 2**32 - 1


class StoredSet(t.NamedTuple):
    """A record set of the API.

    :param name: as the server has it, see :meth:`ZoneNames.of_stored`.
    """

    name: str
    type: str
    packed: Packed
    owner_group_id: str | None = None


class ZoneNames:
    """How the server names record sets of a zone: relative to it, with the case as found; the apex is the zone's name.

    :param zone: name of the zone as the API gives it; a missing trailing dot is added.
    :raises Malformed: if it is not a domain name.
    """

    def __init__(self, zone: str) -> None:
        labels, _dummy = wire.parse_name(zone)
        self.zone = wire.join_labels(labels)
        #: name of the record sets at the apex, with the trailing dot
        self.apex = wire.name_to_text(self.zone)
        self._folded = self.zone.lower()
        self._bare = zone[:-1] if zone.endswith(".") else zone
        self._apex_spellings = frozenset(("@", self._bare, self._bare + "."))

    def of_owner(self, owner: bytes) -> tuple[str, bool]:
        """Name of the record set that a transferred record belongs to, and whether the server sees a dot at its end.

        A host whose relative name equals the name of the zone (``ok.ok.`` in ``ok.``) becomes part of the apex
        (docs/reference/vinyldns.md#2.5).

        :param owner: owner of the record in wire format.
        """
        labels = self._labels_below(owner)
        if labels is None:
            return wire.name_to_text(owner), True
        if not labels:
            return self.apex, True
        name = wire.labels_to_text(labels)
        if name == self._bare:
            return self.apex, False
        return name, name.endswith(".")

    def of_stored(self, name: str) -> str:
        """Name under which the server compares a record set that it stores as ``name``.

        ``@`` and the zone's name with or without a dot are the apex. Legacy names with a dot at the end are those without
        it (docs/reference/vinyldns.md#2.5), but :func:`same` distinguishes them. Names that the server could not parse are
        returned unchanged.
        """
        if name in self._apex_spellings:
            return self.apex
        if _SIMPLE.match(name):
            return name
        try:
            labels, absolute = wire.parse_name(name)
            below = self._labels_below(wire.join_labels(labels)) if absolute else None
        except Malformed:
            return name
        if below is None:
            return wire.labels_to_text(labels)
        return wire.labels_to_text(below) if below else self.apex

    def _labels_below(self, owner: bytes) -> list[bytes] | None:
        cut = len(owner) - len(self.zone)
        if owner[max(cut, 0) :].lower() != self._folded:
            return None
        if owner[0] == cut - 1:
            return [owner[1:cut]]
        labels = []
        position = 0
        while position < cut:
            after = position + 1 + owner[position]
            labels.append(owner[position + 1 : after])
            position = after
        # otherwise the match began in the middle of a label
        return labels if position == cut else None


def pack_transferred(rtype: str, ttl: int, octets: bytes, dotted: bool) -> Packed:
    """A record set of one transferred record.

    :param octets: data of the record, uncompressed.
    :param dotted: whether the server sees a dot at the end of its name.
    """
    flags = _DOTTED if dotted else 0
    if rtype in rdata.TEXTS:
        try:
            octets = rdata.as_stored(rtype, octets)
        except Malformed:
            flags |= _UNCONVERTIBLE
    return Packed(_HEAD_OF_ONE.pack(flags, ttl, len(octets)) + octets)


def pack_stored(name: str, rtype: str, ttl: object, records: object) -> Packed:
    """A record set of the API. One that cannot be converted to DNS records is kept as JSON, and never equals another.

    :param ttl: what the API has for it; of any form, as ``records``.
    """
    flags = _DOTTED if name.endswith(".") else 0
    try:
        if not isinstance(records, list) or not isinstance(ttl, int) or not 0 <= ttl <= MAX_TTL:
            raise Malformed("no record set")
        if len(records) == 1:
            octets = rdata.from_json(rtype, records[0])
            return Packed(_HEAD_OF_ONE.pack(flags, ttl, len(octets)) + octets)
        parts = [rdata.from_json(rtype, record) for record in records]
        return Packed(_HEAD.pack(flags, ttl) + b"".join([_LENGTH.pack(len(octets)) + octets for octets in parts]))
    except (Malformed, struct.error):
        ttl = min(max(ttl, 0), MAX_TTL) if isinstance(ttl, int) else 0
        return Packed(_HEAD.pack(flags | _VERBATIM | _UNCONVERTIBLE, ttl) + _dump(records).encode("ascii"))


def merge(first: Packed, second: Packed) -> Packed:
    """Both parts of one record set. TTL and name are those of the first part (docs/reference/vinyldns.md#2.5)."""
    head = bytes((first[0] | second[0] & _UNCONVERTIBLE,)) + first[1 : _HEAD.size]
    if (first[0] | second[0]) & _VERBATIM:
        # it never equals another set, so one part is enough
        return Packed(head + first[_HEAD.size :])
    return Packed(head + first[_HEAD.size :] + second[_HEAD.size :])


def same(rtype: str, one: Packed, other: Packed) -> bool:
    """Whether the server considers two record sets of one name and type equal (docs/reference/vinyldns.md#2.5).

    Compared are the sets of records, without regard to order, repetition and the case of names, the TTL, and whether the name
    ends with a dot. A set that cannot be converted to DNS records never equals another one.
    """
    if (one[0] | other[0]) & _UNCONVERTIBLE:
        return False
    return one == other or (one[: _HEAD.size] == other[: _HEAD.size] and _folded(rtype, one) == _folded(rtype, other))


def recurs(names: ZoneNames, name: str, packed: Packed) -> bool:
    """Whether a transferred record set differs again right after it was synced, since the server cannot represent it.

    :param name: that of the record set, by :meth:`ZoneNames.of_owner`.
    """
    flags = packed[0]
    return bool(flags & _UNCONVERTIBLE) or bool(flags & _DOTTED) != name.endswith(".") or names.of_stored(name) != name


def identity(rtype: str, packed: Packed) -> Identity:
    """A value that two descriptions of one record set share, even if the set never equals another one for the server."""
    flags, ttl = _HEAD.unpack_from(packed)
    if flags & _VERBATIM:
        return ttl, frozenset(map(_stored_form, _verbatim_records(packed)))
    if flags & _UNCONVERTIBLE and rtype in rdata.TEXTS:
        return ttl, frozenset(rdata.stored_text(octets).encode("ascii") for octets in unpack(packed))
    return ttl, _folded(rtype, packed)


def present(rtype: str, packed: Packed) -> dict[str, t.Any]:
    """``{ttl, records}`` with the records in presentation format, sorted, each once.

    Records that cannot be converted to DNS records are shown as JSON.
    """
    flags, ttl = _HEAD.unpack_from(packed)
    if flags & _VERBATIM:
        records = set(map(_dump, _verbatim_records(packed)))
    else:
        records = {rdata.to_text(rtype, octets) for octets in unpack(packed)}
    return {"ttl": ttl, "records": sorted(records)}


def unpack(packed: Packed) -> t.Iterator[bytes]:
    """The data of each record of a set that is kept in wire format."""
    position = _HEAD.size
    while position < len(packed):
        (length,) = _LENGTH.unpack_from(packed, position)
        position += _LENGTH.size
        yield packed[position : position + length]
        position += length


def soa_serial(packed: Packed) -> int | None:
    """The serial in an SOA record set, if it has one."""
    if packed[0] & _VERBATIM:
        return None
    for octets in unpack(packed):
        # the data ends with five numbers of 32 bits, the first of which is the serial (RFC 1035 section 3.3.13)
        return int.from_bytes(octets[-20:-16], "big")
    return None


def _folded(rtype: str, packed: Packed) -> frozenset[bytes]:
    return frozenset(rdata.fold(rtype, octets) for octets in unpack(packed))


def _verbatim_records(packed: Packed) -> list[t.Any]:
    records = json.loads(packed[_HEAD.size :])
    return records if isinstance(records, list) else [records]


def _stored_form(record: t.Any) -> bytes:
    text = record.get("text") if isinstance(record, dict) else None
    return (text if isinstance(text, str) else _dump(record)).encode("utf-8", "surrogatepass")


def _dump(value: t.Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
