# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may see and change what.  Denials carry the exact texts of the original."""

from __future__ import annotations

from .model import Json, Zone
from .users import Caller

DELETE_ACCESS, READ_ACCESS, NO_ACCESS = "Delete", "Read", "NoAccess"


class Denied(Exception):
    """The caller may not do that."""


def may_change(caller: Caller, zone: Zone) -> bool:
    return caller.user.is_super or zone.admin_group_id in caller.group_ids


def may_see(caller: Caller, zone: Zone) -> bool:
    return may_see_changes(caller, zone) or any(_rule_applies(rule, caller) for rule in zone.acl_rules)


def may_see_changes(caller: Caller, zone: Zone) -> bool:
    """Like seeing the zone, but an ACL rule is not enough."""
    return caller.sees_everything or zone.shared or zone.admin_group_id in caller.group_ids


def access_level(caller: Caller, zone: Zone) -> str:
    if may_change(caller, zone):
        return DELETE_ACCESS
    return READ_ACCESS if may_see(caller, zone) else NO_ACCESS


def _rule_applies(rule: Json, caller: Caller) -> bool:
    user_id, group_id = rule.get("userId"), rule.get("groupId")
    if user_id is None and group_id is None:
        return True
    return user_id == caller.user.id or group_id in caller.group_ids


def check_change(caller: Caller, zone_name: str, admin_group_id: str) -> None:
    if not (caller.user.is_super or admin_group_id in caller.group_ids):
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
    rules = {rule.get("userId") or rule.get("groupId") or EVERYONE for rule in zone.acl_rules}
    # shared zones are open to everyone, but not listed for everyone
    return rules | {zone.admin_group_id}
