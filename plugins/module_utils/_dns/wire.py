# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Domain names and messages as octets (RFC 1035 section 4).

A zone transfer of 100 000 records is read in a fraction of a second this way; building a library object for every name
and every record takes twenty times as long and twice the memory. Names are plain uncompressed wire format throughout.
Text is read and written exactly as dnsjava does it, since that is what VinylDNS stores (vinyldns sheet section 2.6).
"""

from __future__ import annotations

import struct
import typing as t

MAX_NAME = 255
MAX_LABEL = 63
CLASS_IN = 1

#: names found in a message so far, by offset; what compression pointers point to
Known = dict[int, bytes]

HEADER = struct.Struct("!HHHHHH")
_FIXED = struct.Struct("!HHIH")
_QUESTION = struct.Struct("!HH")
_POINTER = 0xC0
_DOT, _BACKSLASH = b".\\"

_SPECIAL = b'"().;\\@$'
_PLAIN = bytes(octet for octet in range(0x21, 0x7F) if octet not in _SPECIAL)
_TEXT_OF_OCTET = tuple(
    chr(octet) if octet in _PLAIN else "\\" + chr(octet) if octet in _SPECIAL else f"\\{octet:03d}" for octet in range(256)
)


class Malformed(ValueError):
    """Octets or text that are no DNS data."""


class Header(t.NamedTuple):
    """The fixed start of a message (RFC 1035 section 4.1.1)."""

    id: int
    flags: int
    questions: int
    answers: int
    authorities: int
    additionals: int

    @property
    def is_response(self) -> bool:
        return bool(self.flags & 0x8000)

    @property
    def authoritative(self) -> bool:
        return bool(self.flags & 0x0400)

    @property
    def truncated(self) -> bool:
        return bool(self.flags & 0x0200)

    @property
    def rcode(self) -> int:
        return self.flags & 0x000F


class Question(t.NamedTuple):
    """One entry of the question section."""

    name: bytes
    rdtype: int
    rdclass: int


class RawRecord(t.NamedTuple):
    """A resource record whose data still lies in the message.

    :param offset: where the record begins.
    :param start: where its data begins.
    :param end: where its data ends.
    """

    owner: bytes
    rdtype: int
    rdclass: int
    ttl: int
    offset: int
    start: int
    end: int


class ResourceRecord(t.NamedTuple):
    """A record of class IN as transferred.

    :param owner: its name.
    :param ttl: in seconds.
    :param rdata: its data, uncompressed.
    """

    owner: bytes
    ttl: int
    rdtype: int
    rdata: bytes


def read_name(message: bytes, offset: int, known: Known) -> tuple[bytes, int]:
    """The name at ``offset``, uncompressed, and the offset behind it (RFC 1035 section 4.1.4).

    :raises Malformed: on anything but labels and pointers to earlier octets.
    """
    pieces: list[bytes] = []
    size = 0
    end = -1
    jump: tuple[int, int] | None = None
    limit = position = offset
    try:
        while True:
            length = message[position]
            if length >= _POINTER:
                target = (length & 0x3F) << 8 | message[position + 1]
                if end < 0:
                    end = position + 2
                if target >= limit:
                    raise Malformed("a compression pointer does not point backwards")
                tail = known.get(target)
                if tail is not None:
                    pieces.append(tail)
                    break
                if jump is None:
                    jump = (target, size)
                limit = position = target
            elif length > MAX_LABEL:
                raise Malformed("a label of an unknown kind")
            else:
                after = position + 1 + length
                pieces.append(message[position:after])
                size += length + 1
                if size > MAX_NAME or after > len(message):
                    raise Malformed("a name is too long")
                position = after
                if not length:
                    break
    except IndexError:
        raise Malformed("a name runs past the end") from None
    name = b"".join(pieces)
    if len(name) > MAX_NAME:
        raise Malformed("a name is too long")
    known[offset] = name
    if jump is not None:
        known[jump[0]] = name[jump[1] :]
    return name, position if end < 0 else end


def read_message(message: bytes, known: Known) -> tuple[Header, list[Question], list[RawRecord]]:
    """Header, questions and the records of all sections in order.

    :param known: filled with the names found, for expanding record data later.
    :raises Malformed: if sections do not hold what the header promises.
    """
    try:
        header = Header(*HEADER.unpack_from(message))
        position = HEADER.size
        questions = []
        for _dummy in range(header.questions):
            name, position = read_name(message, position, known)
            questions.append(Question(name, *_QUESTION.unpack_from(message, position)))
            position += _QUESTION.size
        records = []
        for _dummy in range(header.answers + header.authorities + header.additionals):
            offset = position
            owner, position = read_name(message, position, known)
            rdtype, rdclass, ttl, length = _FIXED.unpack_from(message, position)
            start = position + _FIXED.size
            position = start + length
            records.append(RawRecord(owner, rdtype, rdclass, ttl, offset, start, position))
    except struct.error:
        raise Malformed("a message is cut off") from None
    if position > len(message):
        raise Malformed("a record runs past the end")
    return header, questions, records


def split_name(name: bytes) -> list[bytes]:
    """The labels of a name in wire format, without the root."""
    labels = []
    position = 0
    while name[position]:
        after = position + 1 + name[position]
        labels.append(name[position + 1 : after])
        position = after
    return labels


def join_labels(labels: t.Iterable[bytes]) -> bytes:
    """The absolute name made of ``labels``, in wire format.

    :raises Malformed: if it is longer than a name may be.
    """
    name = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    if len(name) > MAX_NAME:
        raise Malformed("a name is too long")
    return name


def label_to_text(label: bytes) -> str:
    """One label as dnsjava prints it: ``\\.`` and the like for special characters, ``\\DDD`` for the unprintable."""
    if not label.translate(None, _PLAIN):
        return label.decode("ascii")
    return "".join(_TEXT_OF_OCTET[octet] for octet in label)


def labels_to_text(labels: t.Iterable[bytes]) -> str:
    """Labels as a name without a trailing dot."""
    return ".".join(map(label_to_text, labels))


def name_to_text(name: bytes) -> str:
    """An absolute name as dnsjava prints it, with the trailing dot."""
    return labels_to_text(split_name(name)) + "."


def parse_name(text: str) -> tuple[list[bytes], bool]:
    """Labels, and whether the name is absolute, by dnsjava's reading of ``text``.

    Of a character beyond Latin-1 dnsjava silently takes the low octet, and so does this.

    :raises Malformed: on empty names and labels, bad escapes and excessive length.
    """
    if text == ".":
        return [], True
    if "\\" not in text and text.isascii():
        labels = text.encode("ascii").split(b".")
    else:
        labels = _unescape_labels(text.encode("utf-16-le", "surrogatepass")[::2])
    absolute = len(labels) > 1 and not labels[-1]
    if absolute:
        labels.pop()
    if not all(0 < len(label) <= MAX_LABEL for label in labels):
        raise Malformed(f"{text!r} has an empty label or one of more than {MAX_LABEL} octets")
    return labels, absolute


def absolute_name(text: str) -> bytes:
    """The wire format of an absolute name.

    :raises Malformed: on a relative name too.
    """
    labels, absolute = parse_name(text)
    if not absolute:
        raise Malformed(f"{text!r} has no trailing dot")
    return join_labels(labels)


def unescape(raw: bytes) -> bytes:
    """Resolve ``\\DDD`` and ``\\X`` in a character string.

    :raises Malformed: on an escape that is incomplete or beyond 255.
    """
    return bytes(octet for octet, dummy in _unescaped(raw)) if b"\\" in raw else raw


def _unescape_labels(raw: bytes) -> list[bytes]:
    labels = [bytearray()]
    for octet, was_escaped in _unescaped(raw):
        if octet == _DOT and not was_escaped:
            labels.append(bytearray())
        else:
            labels[-1].append(octet)
    return [bytes(label) for label in labels]


def _unescaped(raw: bytes) -> t.Iterator[tuple[int, bool]]:
    """Octets, and whether they were escaped (RFC 1035 section 5.1)."""
    position = 0
    while position < len(raw):
        octet = raw[position]
        position += 1
        if octet != _BACKSLASH:
            yield octet, False
            continue
        digits = raw[position : position + 3]
        if not digits:
            raise Malformed("a backslash at the end")
        if not digits[:1].isdigit():
            yield digits[0], True
            position += 1
        elif len(digits) < 3 or not digits.isdigit() or int(digits) > 255:
            raise Malformed("a bad escape")
        else:
            yield int(digits), True
            position += 3
