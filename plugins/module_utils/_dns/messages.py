# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Reads DNS messages (RFC 1035 section 4) without looking further into data than VinylDNS does.

dnspython checks the data of every type that it knows. One record that it refuses and the DNS server accepts would make the zone
unreadable, even if VinylDNS leaves that type out. Here, data of such types stay octets, and those of the others are only split
into their fields.
"""

from __future__ import annotations

import struct
import typing as t

from . import rdata, wire
from .wire import Malformed, ResourceRecord

IN = 1
QR, AA, TC = 0x8000, 0x0400, 0x0200
_OPCODE, _RCODE = 0x7800, 0x000F
_OPT, _TSIG = 41, 250
_ANY = 255
#: a TTL with the highest bit set means zero (RFC 2181 section 8)
_MAX_TTL = 2**31 - 1
#: compression pointers in one name; each of them is to save a label at least, of which a name has no more
_MAX_POINTERS = 127
_POINTER = 0xC0

_HEADER = struct.Struct("!6H")
_QUESTION = struct.Struct("!HH")
_RECORD = struct.Struct("!HHIH")

#: types that VinylDNS leaves out, but whose data may have compressed names (RFC 3597 section 4):
#: number of octets before the names, and number of names
_NAMES_OF_OTHERS = {
    3: (0, 1),
    4: (0, 1),
    7: (0, 1),
    8: (0, 1),
    9: (0, 1),
    14: (0, 2),
    17: (0, 2),
    18: (2, 1),
    21: (2, 1),
    26: (2, 2),
}
_ADDRESS_SIZES = {1: 4, 28: 16}


class Question(t.NamedTuple):
    """What is asked for; the name in lower case."""

    name: bytes
    rdtype: int
    rdclass: int


class Signature(t.NamedTuple):
    """A TSIG record (RFC 8945 section 4.2).

    :param start: its offset in the message.
    """

    start: int
    owner: bytes
    rdata: bytes


class Message(t.NamedTuple):
    """The parts of a message that an answer needs.

    :param rcode: the extended one, if the message has an OPT record (RFC 6891 section 6.1.3).
    :param answer: records of class IN.
    """

    id: int
    flags: int
    rcode: int
    questions: list[Question]
    answer: list[ResourceRecord]
    signature: Signature | None

    @property
    def is_answer_to_query(self) -> bool:
        return bool(self.flags & QR) and not self.flags & _OPCODE


def parse(octets: bytes) -> Message:
    """Read one message.

    :raises Malformed: if it breaks the format, or if data of a type that VinylDNS keeps do not have the fields of that type.
    """
    try:
        return _Parser(octets).message()
    except (IndexError, struct.error):
        raise Malformed("it is incomplete") from None


class _Parser:
    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._position = _HEADER.size
        self._tails: dict[int, bytes] = {}

    def message(self) -> Message:
        identity, flags, questions, answers, authorities, additionals = _HEADER.unpack_from(self._octets)
        asked = [self._question() for _dummy in range(questions)]
        answer = self._answer(answers)
        for _dummy in range(authorities):
            self._skip()
        rcode, signature = self._additional(additionals, flags & _RCODE)
        if self._position != len(self._octets):
            raise Malformed("there are octets after its end")
        return Message(identity, flags, rcode, asked, answer, signature)

    def _question(self) -> Question:
        name, end = self._name(self._position)
        self._position = end + _QUESTION.size
        return Question(name.lower(), *_QUESTION.unpack_from(self._octets, end))

    def _answer(self, count: int) -> list[ResourceRecord]:
        records = []
        for _dummy in range(count):
            owner, rdtype, rdclass, ttl, start = self._record()
            if rdtype in (_OPT, _TSIG):
                raise Malformed("a record of its additional section is in another one")
            if rdclass == IN:
                records.append(ResourceRecord(owner, ttl if ttl <= _MAX_TTL else 0, rdtype, self._data(rdtype, start)))
        return records

    def _additional(self, count: int, rcode: int) -> tuple[int, Signature | None]:
        signature = None
        for _dummy in range(count):
            if signature is not None:
                raise Malformed("there are records after its signature")
            begin = self._position
            owner, rdtype, rdclass, ttl, start = self._record()
            if rdtype == _OPT:
                rcode |= ttl >> 24 << 4
            elif rdtype == _TSIG:
                if rdclass != _ANY:
                    raise Malformed("its signature has another class than ANY")
                signature = Signature(begin, owner, self._octets[start : self._position])
        return rcode, signature

    def _skip(self) -> None:
        if self._record()[1] in (_OPT, _TSIG):
            raise Malformed("a record of its additional section is in another one")

    def _record(self) -> tuple[bytes, int, int, int, int]:
        """Owner, type, class, TTL and the offset of the data of the next record; the position is behind it afterwards."""
        owner, head = self._name(self._position)
        rdtype, rdclass, ttl, length = _RECORD.unpack_from(self._octets, head)
        start = head + _RECORD.size
        self._position = start + length
        if self._position > len(self._octets):
            raise Malformed("it is incomplete")
        return owner, rdtype, rdclass, ttl, start

    def _data(self, rdtype: int, start: int) -> bytes:
        """The data from ``start`` up to the position, without compression."""
        data = self._octets[start : self._position]
        if rdtype in _ADDRESS_SIZES:
            if len(data) != _ADDRESS_SIZES[rdtype]:
                raise Malformed("an address of another length")
            return data
        rtype = rdata.TYPE_NAMES.get(rdtype)
        if rtype is not None:
            return rdata.uncompressed(rtype, data, lambda offset: self._name_in_data(start, offset))
        if rdtype in _NAMES_OF_OTHERS:
            return self._data_of_other(rdtype, start, data)
        return data

    def _data_of_other(self, rdtype: int, start: int, data: bytes) -> bytes:
        position, names = _NAMES_OF_OTHERS[rdtype]
        parts = [data[:position]]
        try:
            for _dummy in range(names):
                name, position = self._name_in_data(start, position)
                parts.append(name)
        except (Malformed, IndexError):
            # such records are only counted
            return data
        return b"".join((*parts, data[position:]))

    def _name_in_data(self, start: int, offset: int) -> tuple[bytes, int]:
        name, end = self._name(start + offset)
        return name, end - start

    def _name(self, start: int) -> tuple[bytes, int]:
        """The name at ``start``, uncompressed, and the offset behind it."""
        octets = self._octets
        position = self._end_of_labels(start)
        if not octets[position]:
            name, end = octets[start : position + 1], position + 1
        else:
            target = self._target(position, start)
            if target not in self._tails:
                self._tails[target] = self._tail(target)
            name, end = octets[start:position] + self._tails[target], position + 2
        if len(name) > wire.MAX_NAME:
            raise Malformed("a name is too long")
        return name, end

    def _tail(self, start: int) -> bytes:
        """The name that a compression pointer refers to (RFC 1035 section 4.1.4)."""
        parts = []
        for _dummy in range(_MAX_POINTERS):
            position = self._end_of_labels(start)
            parts.append(self._octets[start:position])
            if not self._octets[position]:
                return b"".join(parts) + b"\0"
            start = self._target(position, start)
        raise Malformed("a name has too many compression pointers")

    def _end_of_labels(self, position: int) -> int:
        """The offset of the octet that ends a sequence of labels."""
        octets = self._octets
        length = octets[position]
        while 0 < length <= wire.MAX_LABEL:
            position += 1 + length
            length = octets[position]
        return position

    def _target(self, position: int, before: int) -> int:
        """Where the compression pointer at ``position`` points, which has to be before the labels that it ends."""
        high = self._octets[position]
        target = (high & ~_POINTER) << 8 | self._octets[position + 1]
        if high & _POINTER != _POINTER or target >= before:
            raise Malformed("a name has a bad compression pointer or label type")
        return target
