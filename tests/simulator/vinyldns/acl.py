# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of a zone's access control list: their JSON, whether they are valid, which of several wins."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal, cast

from .json_input import Fields

Access = Literal["NoAccess", "Read", "Write", "Delete"]

# The order of equally specific rules; it is that of an enumeration of the original, not of power.
LEVELS: tuple[Access, ...] = ("NoAccess", "Delete", "Write", "Read")
ALL_TYPES = 14  # how specific a rule without types is; the original counts UNKNOWN as a type


@dataclass(frozen=True, eq=False)
class AclRule:
    """Equal to others of the same content; the types are a set that remembers the order in which they came."""

    access_level: Access
    description: str | None = None
    user_id: str | None = None
    group_id: str | None = None
    record_mask: str | None = None  # a regular expression, or a network for PTR
    record_types: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AclRule) and self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)

    @property
    def _content(self) -> tuple[object, ...]:
        texts = (self.access_level, self.description, self.user_id, self.group_id, self.record_mask)
        return (*texts, frozenset(self.record_types))

    @classmethod
    def from_stored(cls, data: dict[str, Any]) -> AclRule:
        return cls(**{**data, "record_types": tuple(data["record_types"])})

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> AclRule:
        """From the API's names; ``InvalidInput`` carries the messages."""
        fields = Fields(data)
        level = fields.choice("accessLevel", LEVELS, "Missing ACLRule.accessLevel", "Invalid AccessLevel")
        rule = cls(
            cast(Access, level),
            fields.optional("description"),
            fields.optional("userId"),
            fields.optional("groupId"),
            fields.optional("recordMask"),
            tuple(dict.fromkeys(fields.texts("recordTypes"))),
        )
        fields.finish()
        return rule

    def to_json(self) -> dict[str, Any]:
        named = {
            "accessLevel": self.access_level,
            "description": self.description,
            "userId": self.user_id,
            "groupId": self.group_id,
            "recordMask": self.record_mask,
        }
        return {**{name: value for name, value in named.items() if value is not None}, "recordTypes": list(self.record_types)}

    def applies_to_user(self, user_id: str, group_ids: Collection[str | None]) -> bool:
        if self.user_id is None and self.group_id is None:
            return True
        return self.user_id == user_id or self.group_id in group_ids

    def applies_to_type(self, rdtype: str) -> bool:
        return not self.record_types or rdtype in self.record_types

    def problem(self) -> str | None:
        """Why a zone may not have this rule, in the original's words."""
        if (self.user_id is None) == (self.group_id is None):
            return "Invalid ACL rule: ACL rules must have a group or user id"
        if self.record_mask is None:
            return None
        if self.record_types == ("PTR",):
            return (
                None if _is_network(self.record_mask) else "PTR types must have no mask or a valid CIDR mask: Invalid CIDR block"
            )
        if "PTR" in self.record_types:
            return "Multiple record types including PTR must have no mask"
        return None if _is_java_pattern(self.record_mask) else f"record mask {self.record_mask} is an invalid regex"

    def _order(self, rdtype: str) -> tuple[int, int, int, int]:
        owner = 1 if self.user_id is not None else 2 if self.group_id is not None else 3
        types = len(self.record_types) or ALL_TYPES
        return owner, self._mask_order(rdtype), types, LEVELS.index(self.access_level)

    def _mask_order(self, rdtype: str) -> int:
        if rdtype == "PTR":
            return 128 - (int(self.record_mask.partition("/")[2]) if self.record_mask else 0)
        return 2 if self.record_mask in (None, ".*") else 1


def winning_level(rules: Iterable[AclRule], rdtype: str) -> Access:
    """The level of the most specific of the rules that apply: user before group, mask before none, few types before many."""
    ordered = sorted(rules, key=lambda rule: rule._order(rdtype))
    return ordered[0].access_level if ordered else "NoAccess"


def _is_java_pattern(text: str) -> bool:
    """Unlike Python, Java has no use for a brace that neither repeats nor is escaped."""
    try:
        re.compile(text)
    except re.error:
        return False
    plain = re.sub(r"\\.[{]?|\[[^]]*\]", "", text)
    return "{" not in re.sub(r"\{\d+(,\d*)?\}", "", plain)


def _is_network(text: str) -> bool:
    """An address and a prefix length; bits of the host may be set."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return text.partition("/")[2].isdigit()
