# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users, groups and memberships: looking them up and changing them.

The original keeps the members of a group twice: in the group, which JSON shows and which decides who is its admin, and in
a table of memberships, which decides who has access.  They differ in one case: the creator of a group is listed in it as an
admin and a member, but has no membership unless the request named that user.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .groups import GROUPS, Group, GroupChange, without
from .model import CREATE, DELETE, UPDATE
from .users import CROWD, UNKNOWN_USER_NAME, USERS, Caller, User


class Directory:
    """Kept in memory; ``restore`` is the state of the start."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.groups: dict[str, Group] = {}  # deleted ones are gone
        self.group_changes: list[GroupChange] = []  # oldest first
        self._members: dict[str, set[str]] = {}
        self.restore()

    def restore(self) -> None:
        self.users = {user.id: user for user in (*USERS, *CROWD)}
        self.groups = {group.id: group for group in GROUPS}
        self.group_changes = []
        self._members = {group.id: set(group.member_ids) for group in GROUPS}

    # -- users -------------------------------------------------------------------------------------------------------

    def by_access_key(self, access_key: str) -> User | None:
        return next((user for user in self.users.values() if user.access_key == access_key), None)

    def by_id_or_name(self, text: str) -> User | None:
        return self.users.get(text) or next((user for user in self.users.values() if user.name == text), None)

    def caller(self, user: User) -> Caller:
        return Caller(user, frozenset(self.groups_of(user.id)))

    def groups_of(self, user_id: str) -> list[str]:
        return sorted(group_id for group_id, members in self._members.items() if user_id in members)

    def user_name(self, user_id: str) -> str:
        user = self.users.get(user_id)
        return user.name if user else UNKNOWN_USER_NAME

    def set_locked(self, user_id: str, locked: bool) -> User | None:
        user = self.users.get(user_id)
        if user is not None:
            user = self.users[user_id] = replace(user, locked=locked)
        return user

    # -- groups ------------------------------------------------------------------------------------------------------

    def group_name(self, group_id: str | None) -> str | None:
        group = self.groups.get(group_id or "")
        return group.name if group else None

    def group_named(self, name: str) -> Group | None:
        """Names are equal without regard to case."""
        return next((group for group in self.groups.values() if group.name.lower() == name.lower()), None)

    def create_group(self, group: Group, named_members: Iterable[str], user_id: str) -> None:
        self.groups[group.id] = group
        self._members[group.id] = set(named_members)
        self.group_changes.append(GroupChange(group, CREATE, user_id))

    def update_group(self, old: Group, new: Group, user_id: str) -> None:
        self.groups[new.id] = new
        demoted = [one for one in without(old.admin_ids, new.admin_ids) if one in new.member_ids]
        members = self._members[new.id]
        members.update(without(new.member_ids, old.member_ids), without(new.admin_ids, old.admin_ids), demoted)
        members.difference_update(without(old.member_ids, new.member_ids))
        self.group_changes.append(GroupChange(new, UPDATE, user_id, old))

    def delete_group(self, group: Group, user_id: str) -> Group:
        del self.groups[group.id], self._members[group.id]
        self.group_changes.append(GroupChange(group, DELETE, user_id))
        return replace(group, deleted=True)

    def changes_of_group(self, group_id: str) -> list[GroupChange]:
        """Newest first."""
        return [change for change in reversed(self.group_changes) if change.new.id == group_id]
