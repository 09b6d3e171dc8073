# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Transferred records, and domain names as octets and as text.

Names are in uncompressed wire format (RFC 1035 section 3.1), which is small and can be compared directly. Text is
read and written exactly as by dnsjava, since VinylDNS stores its text (docs/reference/vinyldns.md#2.6).
"""

from __future__ import annotations

import typing as t

MAX_NAME = 255
MAX_LABEL = 63

_DOT, _BACKSLASH = b".\\"

_SPECIAL = b'"().;\\@$'
_PLAIN = bytes(octet for octet in range(0x21, 0x7F) if octet not in _SPECIAL)
_TEXT_OF_OCTET = tuple(
    chr(octet) if octet in _PLAIN else "\\" + chr(octet) if octet in _SPECIAL else f"\\{octet:03d}" for octet in range(256)
)


class Malformed(ValueError):
    """Octets or text that are not valid DNS data."""


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


def end_of_name(octets: bytes, start: int) -> int:
    """The offset behind the uncompressed name at ``start``."""
    while octets[start]:
        start += 1 + octets[start]
    return start + 1


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


def labels_to_text(labels: t.Sequence[bytes]) -> str:
    """Labels as a name without a trailing dot."""
    if len(labels) == 1:
        return label_to_text(labels[0])
    return ".".join(map(label_to_text, labels))


def name_to_text(name: bytes) -> str:
    """An absolute name as dnsjava prints it, with the trailing dot."""
    return labels_to_text(split_name(name)) + "."


def parse_name(text: str) -> tuple[list[bytes], bool]:
    """Labels, and whether the name is absolute, by dnsjava's reading of ``text``.

    Like dnsjava, this silently takes the low octet of a character beyond Latin-1.

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
