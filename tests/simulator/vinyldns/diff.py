# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sync changes: the DNS side against the stored side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from .model import COMPLETE, CREATE, DELETE, NO_OWNERSHIP_TRANSFER, UPDATE, RecordSet, RecordSetChange, Zone, is_apex

SYNC_MESSAGE = "Change applied via zone sync"

Key = tuple[str, str]


class Comparable(Protocol):
    """The little of a record set that a comparison needs."""

    @property
    def name(self) -> str:
        """As stored."""

    @property
    def type(self) -> str:
        """Such as A."""

    @property
    def form(self) -> str | None:
        """Equal for equal record sets; ``None`` if it cannot be compared."""


@dataclass(frozen=True)
class StoredView:
    """A stored record set without its JSON, which only those that differ need."""

    id: str
    name: str
    type: str
    form: str | None


@dataclass(frozen=True)
class DnsView:
    """A record set as it came from the DNS server."""

    record_set: RecordSet
    form: str | None

    @property
    def name(self) -> str:
        return self.record_set.name

    @property
    def type(self) -> str:
        return self.record_set.type


@dataclass(frozen=True)
class Difference:
    """``stored`` alone is a deletion, ``dns`` alone a creation, both are an update."""

    stored: StoredView | None
    dns: DnsView | None


def key_of(item: Comparable, zone_name: str) -> Key:
    """Case-sensitive, and blind to how the apex is written and to a trailing dot."""
    name = zone_name if is_apex(item.name, zone_name) else item.name.rstrip(".")
    return name, item.type


def differences(zone_name: str, stored: Iterable[StoredView], dns: Iterable[DnsView]) -> Iterator[Difference]:
    before = {key_of(item, zone_name): item for item in stored}
    after = {key_of(item, zone_name): item for item in dns}
    for key, new in after.items():
        old = before.get(key)
        if old is None or not matches(old, new):
            yield Difference(old, new)
    for key, old in before.items():
        if key not in after:
            yield Difference(old, None)


def matches(old: Comparable, new: Comparable) -> bool:
    """Same records, same TTL, same way of writing the name; what cannot be compared never matches."""
    same_dots = old.name.endswith(".") == new.name.endswith(".")
    return old.form is not None and old.form == new.form and same_dots


def change_for(difference: Difference, stored: Mapping[str, RecordSet], zone: Zone, user_id: str, now: int) -> RecordSetChange:
    """The record set change that a sync writes down; ``stored`` maps ids to full record sets."""
    old = stored[difference.stored.id] if difference.stored else None
    new = difference.dns.record_set if difference.dns else None
    if old is None:
        assert new is not None
        action, result = CREATE, replace(new, created=now)
    elif new is None:
        action, result = DELETE, old
    else:
        action, result = UPDATE, _overwritten(old, new, now)
    return RecordSetChange(
        zone=zone,
        record_set=result,
        user_id=user_id,
        change_type=action,
        status=COMPLETE,
        created=now,
        system_message=SYNC_MESSAGE,
        updates=old,
    )


def _overwritten(old: RecordSet, new: RecordSet, now: int) -> RecordSet:
    """Identity and owner survive an update by a sync; creation time, account and ownership transfer do not."""
    return replace(
        new,
        id=old.id,
        owner_group_id=old.owner_group_id,
        created=now,
        updated=now,
        account="system",
        group_change=dict(NO_OWNERSHIP_TRANSFER),
    )
