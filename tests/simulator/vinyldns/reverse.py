# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reverse zones: which address a PTR record set stands for, and whether its zone covers it."""

from __future__ import annotations

import ipaddress
import re

IPV4_SUFFIX, IPV6_SUFFIX = "in-addr.arpa.", "ip6.arpa."
_FULL_IPV6 = re.compile(r"([0-9a-f][.]){32}ip6.arpa.", re.IGNORECASE)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def is_ipv4(zone_name: str) -> bool:
    return zone_name.lower().endswith(IPV4_SUFFIX)


def is_reverse(zone_name: str) -> bool:
    return is_ipv4(zone_name) or zone_name.lower().endswith(IPV6_SUFFIX)


def address_text(name: str, zone_name: str) -> str:
    """The address that a name in a reverse zone stands for; no valid one if the name has too few or too many labels."""
    if is_ipv4(zone_name):
        zone, record = (_reversed(text) for text in (zone_name[: -len(IPV4_SUFFIX)], name))
        return ".".join([*(zone[:-1] if "/" in zone_name else zone), *record])
    nibbles = "".join(_reversed(zone_name[: -len(IPV6_SUFFIX)]) + _reversed(name))
    return ":".join(nibbles[start : start + 4] for start in range(0, len(nibbles), 4))


def _reversed(name: str) -> list[str]:
    return [label for label in reversed(name.split(".")) if label]


def covers(zone_name: str, name: str) -> bool:
    """A PTR record set of this name belongs into the zone, delegations of less than an octet included."""
    if not is_ipv4(zone_name):
        return is_reverse(zone_name) and _FULL_IPV6.fullmatch(f"{name}.{zone_name}") is not None
    octets = _reversed(zone_name[: -len(IPV4_SUFFIX)])
    if "/" in zone_name:
        return is_within(".".join(octets), name, zone_name)
    if not 1 <= len(octets) <= 3:
        return False
    network = ".".join(octets + ["0"] * (4 - len(octets)))
    return is_within(f"{network}/{8 * len(octets)}", name, zone_name)


def is_within(mask: str, name: str, zone_name: str) -> bool:
    """The address that the name stands for is in the network."""
    try:
        network: Network = ipaddress.ip_network(mask, strict=False)
        address = ipaddress.ip_address(address_text(name, zone_name))
    except ValueError:
        return False
    return address.version == network.version and address in network
