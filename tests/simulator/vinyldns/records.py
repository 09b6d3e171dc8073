# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS data as VinylDNS record JSON, back to master file text, and in the form that comparisons use."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dns.exception
import dns.name

from .model import Json

TXT_CHUNK = 255
#: what an IPv4-mapped address begins with (RFC 4291 section 2.5.5.2)
_MAPPED = bytes(10) + b"\xff\xff"
_MUST_ESCAPE = re.compile(rb'["\\]|[^\x20-\x7e]')
_ESCAPE = re.compile(r"\\(\d{3}|.)")


class UnparsableRecord(ValueError):
    """Record JSON that cannot be turned back into DNS data."""


def escape(data: bytes) -> str:
    """Character strings as text: quotes and backslashes escaped, everything that is not printable ASCII as \\DDD."""

    def replacement(found: re.Match[bytes]) -> bytes:
        byte = found[0]
        return b"\\" + byte if byte in (b'"', b"\\") else b"\\%03d" % byte[0]

    return _MUST_ESCAPE.sub(replacement, data).decode("ascii")


def unescape(text: str) -> bytes:
    """The reverse; fails on an incomplete ``\\DDD``. A lone backslash at the end is dropped, as dnsjava does."""
    out, end = bytearray(), 0
    for found in _ESCAPE.finditer(text):
        out += _plain(text[end : found.start()])
        out.append(_escaped_byte(found[1]))
        end = found.end()
    rest = text[end:]
    return bytes(out + _plain(rest[:-1] if rest.endswith("\\") else rest))


def _plain(text: str) -> bytes:
    if "\\" in text:
        raise UnparsableRecord(f"incomplete escape in {text!r}")
    return text.encode("utf-8")


def _escaped_byte(code: str) -> int:
    if not code.isdigit():
        return ord(code)
    if len(code) != 3 or int(code) > 255:
        raise UnparsableRecord(f"bad escape \\{code}")
    return int(code)


def java_ipv6(address: str) -> str:
    """Eight groups without leading zeros and without ``::``, as java.net.Inet6Address prints them.

    For Java an IPv4-mapped address is one of IPv4, and printed so.
    """
    octets = socket.inet_pton(socket.AF_INET6, address)
    if octets.startswith(_MAPPED):
        return socket.inet_ntoa(octets[len(_MAPPED) :])
    return ":".join(f"{group:x}" for group in struct.unpack("!8H", octets))


def _ipv6(record: Json) -> str:
    """The address of an AAAA record, of which :func:`java_ipv6` may have made one of IPv4."""
    address: str = record["address"]
    return address if ":" in address else "::ffff:" + address


def _text_json(rdata: Any) -> Json:
    return {"text": escape(b"".join(rdata.strings))}


# For each type that a sync knows: how a record looks in JSON.  All other types are dropped right after the transfer.
FROM_DNS: Mapping[str, Callable[[Any], Json]] = {
    "A": lambda rdata: {"address": rdata.address},
    "AAAA": lambda rdata: {"address": java_ipv6(rdata.address)},
    "CNAME": lambda rdata: {"cname": rdata.target.to_text()},
    "DS": lambda rdata: {
        "keytag": rdata.key_tag,
        "algorithm": int(rdata.algorithm),
        "digesttype": int(rdata.digest_type),
        "digest": rdata.digest.hex().upper(),
    },
    "MX": lambda rdata: {"preference": rdata.preference, "exchange": rdata.exchange.to_text()},
    "NAPTR": lambda rdata: {
        "order": rdata.order,
        "preference": rdata.preference,
        "flags": escape(rdata.flags),
        "service": escape(rdata.service),
        "regexp": escape(rdata.regexp),
        "replacement": rdata.replacement.to_text(),
    },
    "NS": lambda rdata: {"nsdname": rdata.target.to_text()},
    "PTR": lambda rdata: {"ptrdname": rdata.target.to_text()},
    "SOA": lambda rdata: {
        "mname": rdata.mname.to_text(),
        "rname": rdata.rname.to_text(),
        "serial": rdata.serial,
        "refresh": rdata.refresh,
        "retry": rdata.retry,
        "expire": rdata.expire,
        "minimum": rdata.minimum,
    },
    "SPF": _text_json,
    "SRV": lambda rdata: {
        "priority": rdata.priority,
        "weight": rdata.weight,
        "port": rdata.port,
        "target": rdata.target.to_text(),
    },
    "SSHFP": lambda rdata: {
        "algorithm": int(rdata.algorithm),
        "type": int(rdata.fp_type),
        "fingerprint": rdata.fingerprint.hex().upper(),
    },
    "TXT": _text_json,
}


def _text_to_dns(record: Json) -> str:
    chunks = _chunks(record["text"])
    return " ".join(f'"{escape(chunk)}"' for chunk in chunks)


def _chunks(text: str) -> list[bytes]:
    """Split before the escapes are undone, as the original does: a split inside an escape makes the record unusable."""
    pieces = [text[start : start + TXT_CHUNK] for start in range(0, len(text), TXT_CHUNK)] or [""]
    return [unescape(piece) for piece in pieces]


def _fields(*names: str) -> Callable[[Json], str]:
    return lambda record: " ".join(str(record[name]) for name in names)


def _naptr_to_dns(record: Json) -> str:
    quoted = " ".join(f'"{escape(unescape(record[name]))}"' for name in ("flags", "service", "regexp"))
    return f"{record['order']} {record['preference']} {quoted} {record['replacement']}"


TO_DNS: Mapping[str, Callable[[Json], str]] = {
    "A": _fields("address"),
    "AAAA": _ipv6,
    "CNAME": _fields("cname"),
    "DS": _fields("keytag", "algorithm", "digesttype", "digest"),
    "MX": _fields("preference", "exchange"),
    "NAPTR": _naptr_to_dns,
    "NS": _fields("nsdname"),
    "PTR": _fields("ptrdname"),
    "SOA": _fields("mname", "rname", "serial", "refresh", "retry", "expire", "minimum"),
    "SPF": _text_to_dns,
    "SRV": _fields("priority", "weight", "port", "target"),
    "SSHFP": _fields("algorithm", "type", "fingerprint"),
    "TXT": _text_to_dns,
}


def rdata_texts(rdtype: str, records: Sequence[Json]) -> list[str]:
    """Master file text of each record."""
    try:
        return [TO_DNS[rdtype](record) for record in records]
    except KeyError as error:
        raise UnparsableRecord(f"{rdtype} record without {error}") from error


def comparable(rdtype: str, ttl: int, records: Sequence[Json]) -> str | None:
    """Equal for two record sets iff they are the same set of DNS records with the same TTL.

    None when a record cannot be turned back into DNS data; such a set differs from everything, itself included.
    """
    try:
        forms = {_COMPARABLE[rdtype](record) for record in records}
    except (KeyError, ValueError, TypeError, OSError, dns.exception.DNSException):
        return None
    return f"{ttl} " + "\n".join(sorted(forms))


def _numbers(record: Json, *names: str) -> str:
    return " ".join(str(int(record[name])) for name in names)


def _hex(record: Json, name: str) -> str:
    return bytes.fromhex(record[name]).hex()


def _strings(record: Json, *names: str) -> str:
    return " ".join(f"<{unescape(record[name]).hex()}>" for name in names)


def _name(record: Json, name: str) -> str:
    """Domain names compare without regard to case; only unusual ones need real parsing."""
    text: str = record[name]
    if "\\" in text:
        text = dns.name.from_text(text).to_text()
    return text.lower()


def _text_form(record: Json) -> str:
    return " ".join(f"<{chunk.hex()}>" for chunk in _chunks(record["text"]))


# Equal texts for equal DNS data.  Nothing is looked at more closely than the original does: lengths of digests, say.
_COMPARABLE: Mapping[str, Callable[[Json], str]] = {
    "A": lambda record: socket.inet_pton(socket.AF_INET, record["address"]).hex(),
    "AAAA": lambda record: socket.inet_pton(socket.AF_INET6, _ipv6(record)).hex(),
    "CNAME": lambda record: _name(record, "cname"),
    "DS": lambda record: f"{_numbers(record, 'keytag', 'algorithm', 'digesttype')} {_hex(record, 'digest')}",
    "MX": lambda record: f"{_numbers(record, 'preference')} {_name(record, 'exchange')}",
    "NAPTR": lambda record: " ".join(
        (_numbers(record, "order", "preference"), _strings(record, "flags", "service", "regexp"), _name(record, "replacement"))
    ),
    "NS": lambda record: _name(record, "nsdname"),
    "PTR": lambda record: _name(record, "ptrdname"),
    "SOA": lambda record: " ".join(
        (_name(record, "mname"), _name(record, "rname"), _numbers(record, "serial", "refresh", "retry", "expire", "minimum"))
    ),
    "SPF": _text_form,
    "SRV": lambda record: f"{_numbers(record, 'priority', 'weight', 'port')} {_name(record, 'target')}",
    "SSHFP": lambda record: f"{_numbers(record, 'algorithm', 'type')} {_hex(record, 'fingerprint')}",
    "TXT": _text_form,
}
