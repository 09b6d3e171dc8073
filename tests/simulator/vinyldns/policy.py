# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the configuration of an installation forbids: e-mail addresses, name servers, names of high value, dotted hosts.

The settings are knobs, so all of this can change while the emulator runs.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .knobs import VinylKnobs

EMAIL = re.compile(
    r"(?!\.)(?!.*\.$)(?!.*\.\.)[a-zA-Z0-9._+!&-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)


@dataclass(frozen=True)
class DottedHosts:
    """Who may create which record sets with dots in their names, in zones that match a pattern with ``*``."""

    zone: str
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    dots: int = 0

    @classmethod
    def from_knob(cls, data: dict[str, Any]) -> DottedHosts:
        lists = {name: tuple(data.get(name, ())) for name in ("users", "groups", "types")}
        return cls(data["zone"], dots=data.get("dots", 0), **lists)

    def covers(self, zone_name: str) -> bool:
        pattern = "[A-Za-z0-9.]*".join(re.escape(piece) for piece in self.zone.split("*"))
        return re.fullmatch(pattern, zone_name) is not None


@dataclass(frozen=True)
class Policy:
    """Decisions; texts are those of the original."""

    knobs: VinylKnobs

    def email_error(self, email: str) -> str | None:
        """Why an address is refused, or None."""
        domain = email.partition("@")[2]
        if not EMAIL.fullmatch(email) or "." not in domain:
            return "Please enter a valid Email."
        if domain.count(".") > self.knobs.email_dots:
            return f"Please enter a valid Email. Number of dots allowed after @ is {self.knobs.email_dots}"
        domains = [name.replace("*", "") for name in self.knobs.email_domains]
        wildcards = domains if any("*" in name for name in self.knobs.email_domains) else []
        if domains and domain not in self.knobs.email_domains and not any(domain.endswith(name) for name in wildcards):
            return f"Please enter a valid Email. Valid domains should end with {','.join(domains)}"
        return None

    def name_server_errors(self, names: Iterable[str]) -> list[str]:
        return [
            f"Name Server {name} is not an approved name server."
            for name in names
            if not _in_patterns(self.knobs.approved_name_servers, name)
        ]

    def is_high_value_name(self, fqdn: str) -> bool:
        return _in_patterns(self.knobs.high_value_domains, fqdn)

    def is_high_value_address(self, address: str) -> bool:
        try:
            wanted = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(wanted == ipaddress.ip_address(other) for other in self.knobs.high_value_addresses)

    def dotted_hosts(self, zone_name: str) -> DottedHosts | None:
        settings = [DottedHosts.from_knob(data) for data in self.knobs.dotted_hosts]
        return next((setting for setting in settings if setting.covers(zone_name)), None)


def _in_patterns(patterns: Sequence[str], text: str) -> bool:
    """Some pattern, found again and again without regard to case, finds exactly the text."""
    return any(found[0] == text for pattern in patterns for found in re.finditer(pattern, text, re.IGNORECASE))
