# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused about record sets although their JSON is sound: names, conflicts, apex, delegations, configured prohibitions.

Each function raises the answer or returns nothing.  The order of checks is the original's, because a request may break
several rules and only the first is answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .http import Context, refuse
from .model import RecordSet, Zone, fqdn, is_apex
from .record_input import is_ipv4
from .reverse import address_text, covers, is_reverse
from .users import Caller

IN_ALL_ZONES = ("CNAME", "SOA", "TXT", "NS", "DS")  # types that forward and reverse zones may have
FREE_OF_DOT_CHECK = ("SRV", "TXT", "NAPTR")


def relative(name: str, zone_name: str) -> str:
    """The name as it is stored."""
    if is_apex(name, zone_name):
        return zone_name
    if name.lower().endswith("." + zone_name.lower()):
        return name[: -len(zone_name) - 1]
    return name


@dataclass(frozen=True)
class DotRule:
    """Whether a name with dots is allowed here."""

    configured: bool  # for the zone
    allowed: bool  # for the caller and the type
    free: bool  # no record set of this full name and type
    limit: int


@dataclass(frozen=True)
class RecordRules:
    """The checks for one request."""

    context: Context
    caller: Caller
    zone: Zone

    # -- whole requests ----------------------------------------------------------------------------------------------

    def check_not_high_value(self, item: RecordSet) -> None:
        policy = self.context.policy
        if item.type == "PTR":
            name = address_text(item.name, self.zone.name)
            found = policy.is_high_value_address(name)
        else:
            name = fqdn(item.name, self.zone.name)
            found = policy.is_high_value_name(name)
        if found:
            raise refuse(f'Record name "{name}" is configured as a High Value Domain, so it cannot be modified.', 422)

    def check_new(self, item: RecordSet) -> None:
        """Before access is looked at."""
        if any(other.type == item.type for other in self.same_name(item)):
            raise self._exists(f"{item.name} and type {item.type}")
        reverse = is_reverse(self.zone.name)
        if item.type == "PTR" and not reverse:
            raise refuse("PTR is not valid in forward lookup zone", 422)
        if item.type not in (*IN_ALL_ZONES, "PTR") and reverse:
            raise refuse(f"{item.type} is not valid in reverse lookup zone.", 422)
        if len(f"{item.name}.{self.zone.name}") >= 256 and not is_apex(item.name, self.zone.name):
            raise refuse(f"record set name {item.name} is too long", 422)

    def check_owner(self, group_id: str | None) -> None:
        if group_id is None:
            return
        if group_id not in self.context.directory.groups:
            raise refuse(f'Record owner group with id "{group_id}" not found', 422)
        if not (self.caller.user.is_super or self.caller.is_member(group_id)):
            raise refuse(f'User not in record owner group with id "{group_id}"', 422)

    def check_names(self, item: RecordSet, old: RecordSet | None) -> None:
        """Conflicts with others of the name, and what the type demands."""
        others = [other for other in self.same_name(item) if other.id != item.id]
        if old is not None and any(other.type == item.type for other in others):
            raise self._exists(f"{item.name} and type {item.type}")
        if any(other.type == "CNAME" for other in others):
            raise self._exists(f"{item.name} and type CNAME")
        dots = self._dot_rule(item, old)
        self._check_type(item, others, old, dots)
        if dots.configured:
            self._check_dots_of_configured_zone(item, old, dots)

    def check_delete(self, old: RecordSet) -> None:
        if old.type == "NS":
            self._check_not_apex(old, f"Record with name {old.name} is an NS record at apex and cannot be edited")
        if old.type == "SOA":
            raise refuse("SOA records cannot be deleted", 422)

    # -- pieces ------------------------------------------------------------------------------------------------------

    def same_name(self, item: RecordSet) -> list[RecordSet]:
        return self.context.store.record_sets_named(self.zone.id, item.name)

    def _exists(self, what: str) -> Exception:
        return refuse(f"RecordSet with name {what} already exists in zone {self.zone.name}", 409)

    def _check_type(self, item: RecordSet, others: Sequence[RecordSet], old: RecordSet | None, dots: DotRule) -> None:
        if item.type == "CNAME":
            self._check_cname(item, others)
            self._check_dots(item, old, dots)
        elif item.type == "NS":
            self._check_ns(item, old, dots)
        elif item.type == "DS":
            self._check_ds(item, dots)
        elif item.type == "PTR":
            if not covers(self.zone.name, item.name):
                text = f"RecordSet {item.name} does not specify a valid IP address in zone {self.zone.name}"
                raise refuse(text, 422)
        elif item.type == "SOA":
            if not is_reverse(self.zone.name):
                self._check_dots(item, None, dots)
        elif item.type not in FREE_OF_DOT_CHECK:
            self._check_dots(item, old, dots)

    def _check_cname(self, item: RecordSet, others: Sequence[RecordSet]) -> None:
        self._check_not_apex(item, "CNAME RecordSet cannot have name '@' because it points to zone origin")
        if others:
            text = f"RecordSet with name {item.name} already exists in zone {self.zone.name}"
            raise refuse(f"{text}, CNAME record cannot use duplicate name", 409)
        target = item.records[0]["cname"]
        if is_ipv4(target[:-1]):
            raise refuse(f"Invalid CNAME: {target[:-1]}, valid CNAME record data cannot be an IP address.", 400)
        if ".." in target:
            raise refuse(f"RecordSet Data cannot contain consecutive 'dot' character. RData: '{target}'", 400)

    def _check_ns(self, item: RecordSet, old: RecordSet | None, dots: DotRule) -> None:
        if not is_reverse(self.zone.name):
            self._check_dots(item, None, dots)
        self._check_not_apex(item, f"Record with name {item.name} is an NS record at apex and cannot be added")
        errors = self.context.policy.name_server_errors(record["nsdname"] for record in item.records)
        if errors:
            raise refuse(", ".join(errors), 422)
        if old is not None:
            self._check_not_apex(old, f"Record with name {item.name} is an NS record at apex and cannot be edited")

    def _check_ds(self, item: RecordSet, dots: DotRule) -> None:
        self._check_dots(item, None, dots)
        self._check_not_apex(item, f"Record with name [{item.name}] is an DS record at apex and cannot be added")
        if not any(other.type == "NS" for other in self.same_name(item)):
            text = (
                f"DS record [{item.name}] is invalid because there is no NS record with that name in the zone [{self.zone.name}]"
            )
            raise refuse(text, 422)

    def _check_not_apex(self, item: RecordSet, text: str) -> None:
        if is_apex(item.name, self.zone.name):
            raise refuse(text, 422)

    # -- names with dots ---------------------------------------------------------------------------------------------

    def _dot_rule(self, item: RecordSet, old: RecordSet | None) -> DotRule:
        setting = self.context.policy.dotted_hosts(self.zone.name)
        if setting is None:
            return DotRule(False, False, True, 0)
        groups = [self.context.directory.group_named(name) for name in setting.groups]
        in_group = any(group is not None and self.caller.user.id in group.member_ids for group in groups)
        allowed = (self.caller.user.name in setting.users or in_group) and item.type in setting.types
        name = fqdn(item.name, self.zone.name)
        free = old is not None or not self.context.store.has_full_name(name, item.type)
        return DotRule(True, allowed, free, setting.dots)

    def _check_dots(self, item: RecordSet, old: RecordSet | None, dots: DotRule) -> None:
        if item.name == self.zone.name or "." not in item.name:
            return
        if not (dots.configured and dots.limit):
            if old is None or old.name != item.name:
                text = f"Record with name {item.name} and type {item.type} is a dotted host which"
                raise refuse(f"{text} is not allowed in zone {self.zone.name}", 422)
        elif not dots.allowed:
            text = "Record type is not allowed or the user is not authorized to create a dotted host in the zone"
            raise refuse(f"{text} '{self.zone.name}'", 422)
        elif not dots.free:
            text = f"Record with fqdn '{item.name}.{self.zone.name}' cannot be created."
            raise refuse(
                f"{text} Please check if a record with the same FQDN and type already exist and make the change there.", 422
            )

    def _check_dots_of_configured_zone(self, item: RecordSet, old: RecordSet | None, dots: DotRule) -> None:
        count = item.name.count(".")
        few = count <= dots.limit or (count == 1 and item.name.endswith(".")) or item.name == self.zone.name
        renamed = old is None or old.name != item.name
        if renamed and not few and item.type not in ("PTR", *FREE_OF_DOT_CHECK):
            text = f"RecordSet with name {item.name} has more dots than that is allowed in config for this zone"
            raise refuse(f"{text} which is, 'dots-limit = {dots.limit}'.", 422)
        if item.name.endswith(".") and not item.name.endswith(self.zone.name):
            raise refuse("RecordSet name cannot end with a dot, unless it's an apex record.", 422)
