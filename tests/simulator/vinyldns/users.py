# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The users and groups that the original creates with its test data, and who they are to a request."""

from __future__ import annotations

from dataclasses import dataclass, field

from .model import Json, now_ms, timestamp, without_none


@dataclass(frozen=True)
class User:
    id: str
    name: str
    access_key: str
    secret_key: str
    locked: bool = False
    is_super: bool = False
    is_support: bool = False


@dataclass(frozen=True)
class Group:
    id: str
    name: str
    email: str
    member_ids: frozenset[str]
    created: int = field(default_factory=now_ms)

    def to_json(self) -> Json:
        members = [{"id": member} for member in sorted(self.member_ids)]
        return without_none(
            {
                "id": self.id,
                "name": self.name,
                "email": self.email,
                "created": timestamp(self.created),
                "status": "Active",
                "members": members,
                "admins": members,
            }
        )


@dataclass(frozen=True)
class Caller:
    """A user and the groups that count for access."""

    user: User
    group_ids: frozenset[str]

    @property
    def sees_everything(self) -> bool:
        return self.user.is_super or self.user.is_support


OK_GROUP, DUMMY_GROUP, SHARED_GROUP, HISTORY_GROUP = "ok-group-id", "dummy-group-id", "shared-zone-group-id", "history-group-id"

USERS = (
    User("ok", "ok", "okAccessKey", "okSecretKey"),
    User("dummy", "dummy", "dummyAccessKey", "dummySecretKey"),
    User("sharedZoneUser", "sharedZoneUser", "sharedZoneUserAccessKey", "sharedZoneUserSecretKey"),
    User("locked", "locked", "lockedAccessKey", "lockedSecretKey", locked=True),
    User("support-user-id", "support-user", "supportUserAccessKey", "supportUserSecretKey", is_support=True),
    User("super-user-id", "super-user", "superUserAccessKey", "superUserSecretKey", is_super=True),
    User("history-id", "history-user", "history-key", "history-secret"),
)

GROUPS = (
    Group(OK_GROUP, "ok-group", "ok@example.org", frozenset({"ok"})),
    Group(DUMMY_GROUP, "dummy-group", "dummy@example.org", frozenset({"dummy"})),
    Group(SHARED_GROUP, "shared-zone-group", "shared@example.org", frozenset({"sharedZoneUser"})),
    Group(HISTORY_GROUP, "history-group", "history@example.org", frozenset({"history-id"})),
)

UNKNOWN_USER_NAME = "unknown user"


class Directory:
    """Looks up users and groups."""

    def __init__(self, users: tuple[User, ...] = USERS, groups: tuple[Group, ...] = GROUPS) -> None:
        self.users = {user.id: user for user in users}
        self.groups = {group.id: group for group in groups}
        self._by_access_key = {user.access_key: user for user in users}

    def by_access_key(self, access_key: str) -> User | None:
        return self._by_access_key.get(access_key)

    def caller(self, user: User) -> Caller:
        return Caller(user, frozenset(group.id for group in self.groups.values() if user.id in group.member_ids))

    def user_name(self, user_id: str) -> str:
        user = self.users.get(user_id)
        return user.name if user else UNKNOWN_USER_NAME

    def group_name(self, group_id: str | None) -> str | None:
        group = self.groups.get(group_id or "")
        return group.name if group else None
