# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may see and change what.  Denials carry the exact texts of the original."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .acl import Access, winning_level
from .model import RecordSet, Zone
from .policy import Policy
from .reverse import is_within
from .users import Caller

DELETE_ACCESS: Access = "Delete"
WRITE_ACCESS: Access = "Write"
READ_ACCESS: Access = "Read"
NO_ACCESS: Access = "NoAccess"


class Denied(Exception):
    """The caller may not do that."""


# -- zones -------------------------------------------------------------------------------------------------------------


def may_change(caller: Caller, zone: Zone) -> bool:
    return caller.user.is_super or caller.is_member(zone.admin_group_id)


def may_see(caller: Caller, zone: Zone) -> bool:
    if may_see_changes(caller, zone):
        return True
    return any(rule.applies_to_user(caller.user.id, caller.group_ids) for rule in zone.acl_rules)


def may_see_changes(caller: Caller, zone: Zone) -> bool:
    """Like seeing the zone, but an ACL rule is not enough."""
    return caller.sees_everything or zone.shared or caller.is_member(zone.admin_group_id)


def access_level(caller: Caller, zone: Zone) -> Access:
    if may_change(caller, zone):
        return DELETE_ACCESS
    return READ_ACCESS if may_see(caller, zone) else NO_ACCESS


def check_change(caller: Caller, zone_name: str, admin_group_id: str) -> None:
    if not (caller.user.is_super or caller.is_member(admin_group_id)):
        raise Denied(
            f"User '{caller.user.name}' cannot create or modify zone '{zone_name}' "
            f"because they are not in the Zone Admin Group '{admin_group_id}'"
        )


def check_see(caller: Caller, zone: Zone) -> None:
    if not may_see(caller, zone):
        raise Denied(f"User {caller.user.name} cannot access zone '{zone.name}'")


def check_see_changes(caller: Caller, zone: Zone) -> None:
    if not may_see_changes(caller, zone):
        raise Denied(f"User {caller.user.name} cannot access zone '{zone.name}' changes")


EVERYONE = "EVERYONE"


def accessors(zone: Zone) -> set[str]:
    """Ids in the zone access index, which decides what listing zones shows."""
    rules = {rule.user_id or rule.group_id or EVERYONE for rule in zone.acl_rules}
    # shared zones are open to everyone, but not listed for everyone
    return rules | {zone.admin_group_id}


# -- record sets -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RecordAccess:
    """What one caller may do with the record sets of one zone."""

    caller: Caller
    zone: Zone
    policy: Policy

    def level(self, name: str, rdtype: str, owner_group_id: str | None = None) -> Access:
        caller, zone = self.caller, self.zone
        if caller.user.is_test and not zone.is_test:
            return NO_ACCESS
        if may_change(caller, zone):
            return DELETE_ACCESS
        if zone.shared and self._is_owner(rdtype, owner_group_id):
            return DELETE_ACCESS
        if caller.sees_everything:
            return self._at_least_read(name, rdtype)
        return self._acl_level(name, rdtype)

    def listed_level(self, item: RecordSet) -> Access:
        """What a list shows; it is simpler than what is enforced."""
        if may_change(self.caller, self.zone):
            return DELETE_ACCESS
        from_acl = self._acl_level(item.name, item.type)
        if from_acl == NO_ACCESS and self.caller.sees_everything:
            return READ_ACCESS
        if self.zone.shared and (item.owner_group_id is None or self.caller.is_member(item.owner_group_id)):
            return DELETE_ACCESS
        return from_acl

    def _is_owner(self, rdtype: str, owner_group_id: str | None) -> bool:
        if owner_group_id is None:
            return rdtype in self.policy.knobs.shared_approved_types
        return self.caller.is_member(owner_group_id)

    def _at_least_read(self, name: str, rdtype: str) -> Access:
        level = self._acl_level(name, rdtype)
        return READ_ACCESS if level == NO_ACCESS else level

    def _acl_level(self, name: str, rdtype: str) -> Access:
        rules = [
            rule
            for rule in self.zone.acl_rules
            if rule.applies_to_user(self.caller.user.id, self.caller.group_ids)
            and rule.applies_to_type(rdtype)
            and self._mask_covers(rule.record_mask, name, rdtype)
        ]
        return winning_level(rules, rdtype)

    def _mask_covers(self, mask: str | None, name: str, rdtype: str) -> bool:
        if mask is None:
            return True
        return is_within(mask, name, self.zone.name) if rdtype == "PTR" else re.fullmatch(mask, name) is not None

    def check_view(self, item: RecordSet) -> None:
        self._require(self.level(item.name, item.type, item.owner_group_id) != NO_ACCESS, "view", item.name)

    def check_create(self, item: RecordSet) -> None:
        self._require(self.level(item.name, item.type) in (DELETE_ACCESS, WRITE_ACCESS), "create", item.name)

    def check_update(self, old: RecordSet, takes_over: bool) -> None:
        """``takes_over``: a super user changes a record set of a shared zone."""
        level = self.level(old.name, old.type, old.owner_group_id)
        self._require(level in (DELETE_ACCESS, WRITE_ACCESS) or takes_over, "update", old.name)

    def check_delete(self, old: RecordSet) -> None:
        self._require(self.level(old.name, old.type, old.owner_group_id) == DELETE_ACCESS, "delete", old.name)

    def _require(self, allowed: bool, verb: str, name: str) -> None:
        if not allowed:
            raise Denied(f"User {self.caller.user.name} does not have access to {verb} {name}.{self.zone.name}")
