# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups, their changes, how both look in JSON, and the groups that exist at the start."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from .model import CREATE, DELETE, Json, new_id, now_ms, timestamp, without_none


@dataclass(frozen=True)
class Group:
    """``member_ids`` includes the admins."""

    id: str
    name: str
    email: str
    member_ids: tuple[str, ...]
    admin_ids: tuple[str, ...]
    description: str | None = None
    created: int = field(default_factory=now_ms)
    deleted: bool = False

    def to_json(self) -> Json:
        return without_none(
            {
                "id": self.id,
                "name": self.name,
                "email": self.email,
                "description": self.description,
                "created": timestamp(self.created),
                "status": "Deleted" if self.deleted else "Active",
                "members": ids_json(self.member_ids),
                "admins": ids_json(self.admin_ids),
            }
        )

    def abridged(self, user_id: str) -> Json:
        """Of the members and admins only the caller; without time and status."""
        return {
            **self.to_json(),
            "created": None,
            "status": None,
            "members": ids_json(one for one in self.member_ids if one == user_id),
            "admins": ids_json(one for one in self.admin_ids if one == user_id),
        }


def ids_json(ids: Iterable[str]) -> list[Json]:
    return [{"id": one} for one in ids]


def without(ids: Iterable[str], others: Iterable[str]) -> list[str]:
    unwanted = set(others)
    return [one for one in ids if one not in unwanted]


@dataclass(frozen=True)
class GroupChange:
    new: Group
    change_type: str  # Create, Update or Delete
    user_id: str
    old: Group | None = None
    id: str = field(default_factory=new_id)
    created: int = field(default_factory=now_ms)

    def to_json(self, user_name: Callable[[str], str]) -> Json:
        return without_none(
            {
                "newGroup": self.new.to_json(),
                "changeType": self.change_type,
                "userId": self.user_id,
                "oldGroup": self.old and self.old.to_json(),
                "id": self.id,
                "created": _with_milliseconds(self.created),
                "userName": user_name(self.user_id),
                "groupChangeMessage": self.message(user_name),
            }
        )

    def message(self, user_name: Callable[[str], str]) -> str:
        """What changed, in the original's words; a deletion has no old group."""
        if self.old is None:
            return {CREATE: "Group Created.", DELETE: "Group Deleted."}.get(self.change_type, "")
        old, new = self.old, self.new
        fields = (
            ("name", old.name, new.name),
            ("email", old.email, new.email),
            ("description", old.description, new.description),
        )
        texts = [f"Group {name} changed to '{after or ''}'." for name, before, after in fields if before != after]
        for role, before_ids, after_ids in (("admin", old.admin_ids, new.admin_ids), ("member", old.member_ids, new.member_ids)):
            for verb, ids in (("added", without(after_ids, before_ids)), ("removed", without(before_ids, after_ids))):
                if ids:
                    names = "','".join(user_name(one) for one in ids)
                    texts.append(f"Group {role}/s with user name/s '{names}' {verb}.")
        return " ".join(texts)


def _with_milliseconds(ms: int) -> str:
    """As java.time.Instant prints itself, which is not how other times look."""
    moment = datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{moment}.{ms % 1000:03}Z" if ms % 1000 else f"{moment}Z"


def _group(group_id: str, name: str, email: str, *members: str) -> Group:
    return Group(group_id, name, email, members, members)


OK_GROUP, DUMMY_GROUP, SHARED_GROUP, HISTORY_GROUP = "ok-group-id", "dummy-group-id", "shared-zone-group-id", "history-group-id"

GROUPS = (
    _group(OK_GROUP, "ok-group", "ok@example.org", "ok"),
    _group(DUMMY_GROUP, "dummy-group", "dummy@example.org", "dummy"),
    _group(SHARED_GROUP, "shared-zone-group", "shared@example.org", "sharedZoneUser"),
    _group(HISTORY_GROUP, "history-group", "history@example.org", "history-id"),
)
