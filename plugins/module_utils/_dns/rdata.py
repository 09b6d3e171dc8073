# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The data of one record: in wire format, in VinylDNS's JSON, in zone files, and folded for comparison.

One table says which fields each recognised type has; everything else follows from it. The types and the names of the
JSON fields are those of docs/reference/vinyldns.md#2.4 and #2.6.
"""

from __future__ import annotations

import abc
import binascii
import socket
import typing as t

from . import wire
from .wire import Malformed

#: maximum length of a character string of a TXT record, and where the server splits its text (docs/reference/vinyldns.md#2.5)
MAX_STRING = 255
#: an octet is escaped as four characters at most, so the text of a string up to this length is never split
_NEVER_SPLIT = MAX_STRING // 4
#: the octet that precedes a character string, by its length
_LENGTHS = tuple(bytes((length,)) for length in range(MAX_STRING + 1))


NameReader = t.Callable[[int], tuple[bytes, int]]


class Kind(abc.ABC):
    """How the value of a field is written."""

    @abc.abstractmethod
    def encode(self, value: object) -> bytes:
        """Octets of a JSON value.

        :raises Malformed: if it is none of this kind.
        """

    @abc.abstractmethod
    def end(self, octets: bytes, start: int) -> int:
        """The offset behind the field at ``start`` of some record data."""

    @abc.abstractmethod
    def text(self, octets: bytes) -> str:
        """Presentation format (RFC 1035 section 5.1)."""

    def fold(self, octets: bytes) -> bytes:
        """A form that equal values share."""
        return octets


class _Number(Kind):
    """An unsigned integer in network byte order."""

    def __init__(self, size: int) -> None:
        self._size = size

    def encode(self, value: object) -> bytes:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 8 * self._size:
            raise Malformed(f"{value!r} is not a number of {8 * self._size} bits")
        return value.to_bytes(self._size, "big")

    def end(self, octets: bytes, start: int) -> int:
        return start + self._size

    def text(self, octets: bytes) -> str:
        return str(int.from_bytes(octets, "big"))


class _Name(Kind):
    """A domain name. The server adds a missing trailing dot; case does not matter."""

    def encode(self, value: object) -> bytes:
        name = _string(value)
        return wire.absolute_name(name if name.endswith(".") else name + ".")

    def end(self, octets: bytes, start: int) -> int:
        return wire.end_of_name(octets, start)

    def text(self, octets: bytes) -> str:
        return wire.name_to_text(octets)

    def fold(self, octets: bytes) -> bytes:
        # length octets of labels are below 64, so lower() does not change them
        return octets.lower()


class _Mailbox(_Name):
    """The mailbox name of an SOA: the one name that the server does not complete with a dot."""

    def encode(self, value: object) -> bytes:
        return wire.absolute_name(_string(value))


class _AddressA(Kind):
    def encode(self, value: object) -> bytes:
        try:
            return socket.inet_pton(socket.AF_INET, _string(value))
        except (OSError, ValueError):
            raise Malformed(f"{value!r} is not an IPv4 address") from None

    def end(self, octets: bytes, start: int) -> int:
        return start + 4

    def text(self, octets: bytes) -> str:
        return socket.inet_ntop(socket.AF_INET, octets)


class _AddressAAAA(Kind):
    """An IPv6 address in any spelling. Java writes an IPv4-mapped one as IPv4, so that form is accepted as well."""

    def encode(self, value: object) -> bytes:
        address = _string(value)
        try:
            return socket.inet_pton(socket.AF_INET6, address if ":" in address else "::ffff:" + address)
        except (OSError, ValueError):
            raise Malformed(f"{value!r} is not an IPv6 address") from None

    def end(self, octets: bytes, start: int) -> int:
        return start + 16

    def text(self, octets: bytes) -> str:
        return socket.inet_ntop(socket.AF_INET6, octets)


class _Hex(Kind):
    """Octets up to the end of the data, in hexadecimal of either case."""

    def encode(self, value: object) -> bytes:
        try:
            return binascii.unhexlify(_string(value))
        except ValueError:
            raise Malformed(f"{value!r} is not hexadecimal") from None

    def end(self, octets: bytes, start: int) -> int:
        return len(octets)

    def text(self, octets: bytes) -> str:
        return octets.hex().upper()


class _String(Kind):
    """One character string (RFC 1035 section 3.3), escaped in JSON."""

    def encode(self, value: object) -> bytes:
        return _counted(_java_octets(_string(value)))

    def end(self, octets: bytes, start: int) -> int:
        return start + 1 + octets[start]

    def text(self, octets: bytes) -> str:
        return _quoted(octets[1:])


class _Text(Kind):
    """Any number of character strings. In JSON they are one escaped text, split anew after 255 characters."""

    def encode(self, value: object) -> bytes:
        text = _string(value)
        if 0 < len(text) <= MAX_STRING and "\\" not in text and text.isascii():
            return _LENGTHS[len(text)] + text.encode("ascii")
        if text.isascii():
            chunks = [text[start : start + MAX_STRING] for start in range(0, len(text), MAX_STRING)]
        else:
            chunks = _utf16_chunks(text)
        return b"".join(_counted(_java_octets(chunk)) for chunk in chunks)

    def end(self, octets: bytes, start: int) -> int:
        while start < len(octets):
            start += 1 + octets[start]
        return start

    def text(self, octets: bytes) -> str:
        return " ".join(map(_quoted, split_strings(octets))) or '""'


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise Malformed(f"{value!r} is not a string")
    return value


def _java_octets(text: str) -> bytes:
    """The octets that dnsjava makes of an escaped text; it drops a lone backslash at the end (docs/reference/vinyldns.md#2.5)."""
    backslashes = len(text) - len(text.rstrip("\\"))
    return wire.unescape((text[:-1] if backslashes % 2 else text).encode("utf-8", "replace"))


def _utf16_chunks(text: str) -> list[str]:
    # Java counts UTF-16 units and may split a character that has two of them; the rest becomes a question mark
    units = text.encode("utf-16-be", "surrogatepass")
    step = 2 * MAX_STRING
    return [units[start : start + step].decode("utf-16-be", "surrogatepass") for start in range(0, len(units), step)]


def _counted(octets: bytes) -> bytes:
    if len(octets) > MAX_STRING:
        raise Malformed(f"a character string of {len(octets)} octets")
    return bytes((len(octets),)) + octets


def _escaped(octets: bytes) -> str:
    return "".join(_TEXT_OF_OCTET[octet] for octet in octets)


def _quoted(octets: bytes) -> str:
    return f'"{_escaped(octets)}"'


_TEXT_OF_OCTET = tuple(
    f"\\{octet:03d}" if octet < 0x20 or octet >= 0x7F else "\\" + chr(octet) if octet in b'"\\' else chr(octet)
    for octet in range(256)
)
_U8, _U16, _U32 = _Number(1), _Number(2), _Number(4)
_NAME, _HEX, _STRING, _TEXT = _Name(), _Hex(), _String(), _Text()

#: fields of the recognised types in wire order, under their names in VinylDNS's JSON
LAYOUTS: dict[str, tuple[tuple[str, Kind], ...]] = {
    "A": (("address", _AddressA()),),
    "AAAA": (("address", _AddressAAAA()),),
    "CNAME": (("cname", _NAME),),
    "DS": (("keytag", _U16), ("algorithm", _U8), ("digesttype", _U8), ("digest", _HEX)),
    "MX": (("preference", _U16), ("exchange", _NAME)),
    "NAPTR": (
        ("order", _U16),
        ("preference", _U16),
        ("flags", _STRING),
        ("service", _STRING),
        ("regexp", _STRING),
        ("replacement", _NAME),
    ),
    "NS": (("nsdname", _NAME),),
    "PTR": (("ptrdname", _NAME),),
    "SOA": (
        ("mname", _NAME),
        ("rname", _Mailbox()),
        ("serial", _U32),
        ("refresh", _U32),
        ("retry", _U32),
        ("expire", _U32),
        ("minimum", _U32),
    ),
    "SPF": (("text", _TEXT),),
    "SRV": (("priority", _U16), ("weight", _U16), ("port", _U16), ("target", _NAME)),
    "SSHFP": (("algorithm", _U8), ("type", _U8), ("fingerprint", _HEX)),
    "TXT": (("text", _TEXT),),
}

#: name and encoder of the field, for types with one
_SINGLE = {name: (layout[0][0], layout[0][1].encode) for name, layout in LAYOUTS.items() if len(layout) == 1}

#: recognised types by their number (IANA registry of resource record types)
TYPE_NAMES = {
    1: "A",
    2: "NS",
    5: "CNAME",
    6: "SOA",
    12: "PTR",
    15: "MX",
    16: "TXT",
    28: "AAAA",
    33: "SRV",
    35: "NAPTR",
    43: "DS",
    44: "SSHFP",
    99: "SPF",
}
TYPE_NUMBERS = {name: number for number, name in TYPE_NAMES.items()}
SOA = TYPE_NUMBERS["SOA"]

#: types with free text
TEXTS = frozenset(name for name, layout in LAYOUTS.items() if layout[0][1] is _TEXT)
_BARE_NAMES = frozenset(name for name, layout in LAYOUTS.items() if layout[0][1] is _NAME and len(layout) == 1)
_WITH_NAMES = frozenset(name for name, layout in LAYOUTS.items() if any(isinstance(kind, _Name) for dummy, kind in layout))

_UNSUPPORTED_NAMES = {
    13: "HINFO",
    17: "RP",
    18: "AFSDB",
    29: "LOC",
    37: "CERT",
    39: "DNAME",
    42: "APL",
    46: "RRSIG",
    47: "NSEC",
    48: "DNSKEY",
    49: "DHCID",
    50: "NSEC3",
    51: "NSEC3PARAM",
    52: "TLSA",
    53: "SMIMEA",
    59: "CDS",
    60: "CDNSKEY",
    61: "OPENPGPKEY",
    62: "CSYNC",
    63: "ZONEMD",
    64: "SVCB",
    65: "HTTPS",
    256: "URI",
    257: "CAA",
}


def type_name(number: int) -> str:
    """The mnemonic of a type, or ``TYPE<number>`` (RFC 3597 section 5)."""
    return TYPE_NAMES.get(number) or _UNSUPPORTED_NAMES.get(number) or f"TYPE{number}"


def from_json(rtype: str, record: t.Mapping[str, object]) -> bytes:
    """The data of one record of a record set in the API, in wire format.

    :raises Malformed: if the server could not make a DNS record of it.
    """
    try:
        single = _SINGLE.get(rtype)
        if single is not None:
            name, encode = single
            return encode(record[name])
        return b"".join([kind.encode(record[name]) for name, kind in LAYOUTS[rtype]])
    except (KeyError, TypeError):
        raise Malformed(f"not the fields of a record of type {rtype}") from None


def uncompressed(rtype: str, octets: bytes, read_name: NameReader) -> bytes:
    """The data of one record as in a message, without compression of names. Values of fields are not judged.

    :param read_name: returns the name at an offset of the data, and the offset behind it.
    :raises Malformed: if the data do not have the fields of the type; IndexError too.
    """
    parts = []
    position = 0
    for _dummy, kind in LAYOUTS[rtype]:
        if isinstance(kind, _Name):
            name, position = read_name(position)
            parts.append(name)
        else:
            end = kind.end(octets, position)
            parts.append(octets[position:end])
            position = end
    if position != len(octets):
        raise Malformed(f"not the data of a record of type {rtype}")
    return b"".join(parts)


def to_text(rtype: str, octets: bytes) -> str:
    """Presentation format (RFC 1035 section 5.1), with absolute names."""
    return " ".join(kind.text(field) for kind, field in _fields(rtype, octets))


def fold(rtype: str, octets: bytes) -> bytes:
    """A form that all spellings of the same data share: names in lower case (docs/reference/vinyldns.md#2.5)."""
    if rtype in _BARE_NAMES:
        return octets.lower()
    if rtype not in _WITH_NAMES:
        return octets
    return b"".join([kind.fold(field) for kind, field in _fields(rtype, octets)])


def as_stored(rtype: str, octets: bytes) -> bytes:
    """Transferred data after the server's conversion to JSON and back to DNS.

    Only texts change: strings are joined, escaped, and split anew after 255 characters (docs/reference/vinyldns.md#2.5).

    :raises Malformed: where the split falls inside ``\\DDD``, so that the server cannot make a DNS record of it.
    """
    if rtype not in TEXTS:
        return octets
    if 1 < len(octets) <= _NEVER_SPLIT and octets[0] == len(octets) - 1:
        return octets
    return _TEXT.encode(stored_text(octets))


def stored_text(octets: bytes) -> str:
    """The ``text`` that the server stores for the strings of a transferred TXT or SPF record."""
    return _escaped(b"".join(split_strings(octets)))


def split_strings(octets: bytes) -> list[bytes]:
    """The character strings in the data of a TXT record."""
    strings = []
    position = 0
    while position < len(octets):
        after = position + 1 + octets[position]
        strings.append(octets[position + 1 : after])
        position = after
    return strings


def _fields(rtype: str, octets: bytes) -> t.Iterator[tuple[Kind, bytes]]:
    start = 0
    for _dummy, kind in LAYOUTS[rtype]:
        end = kind.end(octets, start)
        yield kind, octets[start:end]
        start = end
