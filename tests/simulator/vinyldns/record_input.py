# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record sets as requests describe them: which fields each type has, and what their values must be."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

from .json_input import Check, Fields, InvalidInput
from .model import TYPE_CODES, Json, RecordSet, new_id

MIN_TTL, MAX_TTL = 30, 2**31 - 1
MAX_NAME, MAX_TEXT = 255, 64764
DNSSEC_ALGORITHMS = frozenset({3, 5, 6, 7, 8, 10, 12, 13, 14, 15, 16, 253, 254})
DIGEST_TYPES = frozenset({1, 2, 3, 4})
TRANSFER_STATES = ("AutoApproved", "Cancelled", "ManuallyApproved", "ManuallyRejected", "Requested", "PendingReview", "None")
_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\.){3}(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)")

Reader = Callable[[Fields, str, str], Any]  # the fields, the type and the name of the field


def parse_record_set(data: Json) -> RecordSet:
    """A record set from the body of a request; ``InvalidInput`` lists what is wrong with it."""
    fields = Fields(data)
    zone_id = fields.text("zoneId", "Missing RecordSet.zoneId")
    name = fields.text(
        "name",
        "Missing RecordSet.name",
        ("Record name must not exceed 255 characters", lambda text: len(text) <= MAX_NAME),
        ("Record name cannot contain spaces", lambda text: " " not in text),
    )
    rdtype = fields.choice("type", tuple(TYPE_CODES), "Missing RecordSet.type", "Invalid RecordType")
    ttl = fields.number(
        "ttl",
        "Missing RecordSet.ttl",
        ("RecordSet.ttl must be a positive signed 32 bit number", lambda value: value <= MAX_TTL),
        ("RecordSet.ttl must be a positive signed 32 bit number greater than or equal to 30", lambda value: value >= MIN_TTL),
    )
    records = () if rdtype is None else _records(fields, rdtype)
    if rdtype == "CNAME" and len(records) > 1 and not fields.errors:
        fields.errors.append("CNAME record sets cannot contain multiple records")
    record_set = RecordSet(
        zone_id=zone_id,
        name=name,
        type=rdtype or "",
        ttl=ttl,
        records=records,
        id=fields.optional("id") or new_id(),
        account=fields.optional("account") or "system",
        owner_group_id=fields.optional("ownerGroupId"),
        group_change=_group_change(fields),
    )
    fields.finish()
    return record_set


def _group_change(fields: Fields) -> Json | None:
    if not fields.has("recordSetGroupChange"):
        return None
    inner = Fields(fields.raw("recordSetGroupChange"))
    missing = "Missing ownershipTransfer.ownershipTransferStatus"
    status = inner.choice("ownershipTransferStatus", TRANSFER_STATES, missing, "Invalid OwnershipTransferStatus")
    group = inner.optional("requestedOwnerGroupId")
    fields.errors += inner.errors
    change = {"ownershipTransferStatus": status}
    return change if group is None else {**change, "requestedOwnerGroupId": group}


def _records(fields: Fields, rdtype: str) -> tuple[Json, ...]:
    """The first record with problems ends it, as in the original."""
    value = fields.raw("records")
    if not isinstance(value, list):
        fields.errors.append(f"Missing {rdtype} Records")
        return ()
    try:
        return tuple(dict_of(rdtype, item) for item in value)
    except InvalidInput as problem:
        fields.add(problem)
        return ()


def dict_of(rdtype: str, data: Any) -> Json:
    """One record with the fields of its type and no others."""
    inner = Fields(data)
    record = {name: reader(inner, rdtype, name) for name, reader in _FIELDS[rdtype].items()}
    inner.finish()
    return record


def is_ipv4(text: str) -> bool:
    return _IPV4.fullmatch(text) is not None


def is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _text(*checks: Check) -> Reader:
    return lambda fields, rdtype, name: fields.text(name, f"Missing {rdtype}.{name}", *checks)


def _domain(*checks: Check, label: str = "{type}.{name} must be less than 255 characters") -> Reader:
    """A domain name, which gets its trailing dot."""

    def read(fields: Fields, rdtype: str, name: str) -> str:
        length: Check = (label.format(type=rdtype, name=name), lambda text: len(text) <= MAX_NAME)
        value = fields.text(name, f"Missing {rdtype}.{name}", length, *checks)
        value = re.sub(r"\s", "", value)
        return value if value.endswith(".") else value + "."

    return read


def _integer(bits: int, label: str = "{type}.{name} must be an unsigned {bits} bit number") -> Reader:
    def read(fields: Fields, rdtype: str, name: str) -> int:
        text = label.format(type=rdtype, name=name, bits=bits)
        return fields.number(name, f"Missing {rdtype}.{name}", (text, lambda value: 0 <= value < 2**bits))

    return read


def _one_of(values: frozenset[int], label: str) -> Reader:
    """A number of a fixed set; the message names it."""

    def read(fields: Fields, rdtype: str, name: str) -> int:
        message = label.format(fields.raw(name))
        return fields.number(name, f"Missing {rdtype}.{name}", (message, lambda value: value in values))

    return read


def _hex(fields: Fields, rdtype: str, name: str) -> str:
    check: Check = ("Could not convert digest to valid hex", lambda text: re.fullmatch(r"(?:[0-9a-fA-F]{2})*", text) is not None)
    return fields.text(name, f"Missing {rdtype}.{name}", check).upper()


_HAS_DOT: Callable[[str], bool] = lambda text: "." in text  # noqa: E731 (a check)
_LONG = {
    rdtype: (f"{rdtype} record must be less than 64764 characters", lambda text: len(text) < MAX_TEXT)
    for rdtype in ("TXT", "SPF")
}
_FLAGS: Check = ("Invalid NAPTR.flag. Valid NAPTR flag value must be U, S, A or P", lambda text: text in ("U", "S", "A", "P"))
_REGEXP: Check = (
    "Invalid NAPTR.regexp. Valid NAPTR regexp value must start and end with '!' or can be empty",
    lambda text: text == "" or (text.startswith("!") and text.endswith("!")),
)
_U32 = {name: _integer(32) for name in ("serial", "refresh", "retry", "expire", "minimum")}

_FIELDS: Mapping[str, Mapping[str, Reader]] = {
    "A": {"address": _text(("A must be a valid IPv4 Address", is_ipv4))},
    "AAAA": {"address": _text(("AAAA must be a valid IPv6 Address", is_ipv6))},
    "CNAME": {
        "cname": _domain(("CNAME data must be absolute", _HAS_DOT), label="{type} domain name must not exceed 255 characters")
    },
    "DS": {
        "keytag": _integer(16),
        "algorithm": _one_of(DNSSEC_ALGORITHMS, "Algorithm {} is not a supported DNSSEC algorithm"),
        "digesttype": _one_of(DIGEST_TYPES, "Digest Type {} is not a supported DS record digest type"),
        "digest": _hex,
    },
    "MX": {"preference": _integer(16, "{type}.{name} must be a {bits} bit integer"), "exchange": _domain()},
    "NAPTR": {
        "order": _integer(16),
        "preference": _integer(16),
        "flags": _text(_FLAGS),
        "service": _text(("NAPTR.service must be less than 255 characters", lambda text: len(text) <= MAX_NAME)),
        "regexp": _text(_REGEXP),
        "replacement": _domain(),
    },
    "NS": {"nsdname": _domain(("NS data must be a positive integer", _HAS_DOT), label="{type} must be less than 255 characters")},
    "PTR": {"ptrdname": _domain(label="{type} must be less than 255 characters")},
    "SOA": {"mname": _domain(), "rname": _domain(), **_U32},
    "SPF": {"text": _text(_LONG["SPF"])},
    "SRV": {"priority": _integer(16), "weight": _integer(16), "port": _integer(16), "target": _domain()},
    "SSHFP": {"algorithm": _integer(8), "type": _integer(8), "fingerprint": _text()},
    "TXT": {"text": _text(_LONG["TXT"])},
}
