# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The users that the original creates with its test data, and who they are to a request."""

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
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    is_test: bool = True  # test users may do nothing with the record sets of other zones than test zones
    created: int = field(default_factory=now_ms)

    def to_json(self) -> Json:
        return without_none(
            {
                "id": self.id,
                "userName": self.name,
                "firstName": self.first_name,
                "lastName": self.last_name,
                "email": self.email,
                "created": timestamp(self.created),
                "lockStatus": "Locked" if self.locked else "Unlocked",
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

    def is_member(self, group_id: str | None) -> bool:
        return group_id in self.group_ids


def _person(user_id: str, key: str, name: str | None = None, *, support: bool = False, top: bool = False) -> User:
    """A user with all that the test data gives most of them; ``key`` begins both keys."""
    name = name or user_id
    keys = (f"{key}AccessKey", f"{key}SecretKey")
    return User(user_id, name, *keys, is_support=support, is_super=top, first_name=name, last_name=name, email="test@test.com")


USERS = (
    _person("ok", "ok"),
    User("dummy", "dummy", "dummyAccessKey", "dummySecretKey"),
    _person("sharedZoneUser", "sharedZoneUser"),
    User("locked", "locked", "lockedAccessKey", "lockedSecretKey", locked=True, first_name="Locked", last_name="User"),
    _person("support-user-id", "supportUser", "support-user", support=True),
    _person("super-user-id", "superUser", "super-user", top=True),
    User(
        "history-id",
        "history-user",
        "history-key",
        "history-secret",
        first_name="history-first",
        last_name="history-last",
        email="history@history.com",
    ),
    _person("testuser", "testUser"),
    _person("list-group-user", "listGroup"),
    _person("list-zones-user", "listZones"),
    _person("list-records-user", "listRecords"),
    _person("list-batch-summaries-id", "listBatchSummaries", "list-batch-summaries-user"),
    _person("list-zero-summaries-id", "listZeroSummaries", "list-zero-summaries-user"),
)

# Members for groups; no request is signed by one of them.
CROWD = tuple(User(f"dummy{number:03}", f"name-dummy{number:03}", "dummy", "dummy") for number in range(200))

UNKNOWN_USER_NAME = "unknown user"
