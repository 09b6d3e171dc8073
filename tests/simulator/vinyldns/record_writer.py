# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying a change of a record set to the DNS server: is it there already, does it fit what is there, send it, look again.

Record sets that a wildcard covers, and delegations, are sent without looking: an answer would not say whether they exist.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from .backend import BackendError, Backends, Referral, lookup, update
from .model import ACTIVE, COMPLETE, CREATE, DELETE, FAILED, UPDATE, Json, RecordSet, RecordSetChange, now_ms
from .records import comparable
from .store import Store

OUT_OF_SYNC = "This record set is out of sync with the DNS backend. Sync this zone before attempting to update this record set."
DELEGATED = (
    "Conflict due to the record having the same name as an NS record in the same zone. Please create the record using the "
    "DNS service the NS record has been delegated to (ex. AWS r53), or use a different record name."
)

State = Literal["applied", "ready", "conflict"]


class ChangeFailed(Exception):
    """The change cannot be carried out; the text is its system message."""


@dataclass(frozen=True)
class RecordWriter:
    """Blocks while it talks to the DNS server: for threads."""

    backends: Backends
    store: Store

    def carry_out(self, change: RecordSetChange) -> RecordSetChange:
        """The change as complete or failed."""
        try:
            self._send(change)
        except ChangeFailed as failure:
            item = replace(change.record_set, status="Inactive", updated=now_ms())
            return replace(change, status=FAILED, system_message=str(failure), record_set=item)
        item = replace(change.record_set, status=ACTIVE, updated=now_ms())
        return replace(change, status=COMPLETE, record_set=item)

    def _send(self, change: RecordSetChange) -> None:
        blind = change.record_set.type == "NS" or self.store.has_wildcard(change.zone.id, change.record_set.type)
        if not blind and self._state(change, "validating") == "applied":
            return
        wanted = change.record_set
        add = None if change.change_type == DELETE else wanted
        remove = change.updates if change.change_type == UPDATE else wanted
        try:
            update(self.backends.resolve(change.zone), change.zone, remove, add)
        except Exception as error:
            raise ChangeFailed(f"Failed applying update to DNS for change {change.id}:{wanted.name}: {error}") from error
        if not blind and self._state(change, "verifying") != "applied":
            raise ChangeFailed(self._failure(change, "verifying", "not visible"))

    def _failure(self, change: RecordSetChange, step: str, reason: str) -> str:
        return f'Failed {step} update to DNS for change "{change.id}": "{change.record_set.name}": {reason}'

    def _state(self, change: RecordSetChange, step: str) -> State:
        try:
            found = lookup(self.backends.resolve(change.zone), change.record_set.fqdn(change.zone.name), change.record_set.type)
        except Referral:
            raise ChangeFailed(DELEGATED) from None
        except BackendError as error:
            raise ChangeFailed(self._failure(change, step, str(error))) from error
        state = _state_of(change, found)
        if state == "conflict":
            raise ChangeFailed(OUT_OF_SYNC)
        return state


def _state_of(change: RecordSetChange, found: tuple[int, list[Json]] | None) -> State:
    if change.change_type == DELETE:
        return "applied" if found is None else "ready"
    if found is not None and _matches(change.record_set, found):
        return "applied"
    if found is None:
        return "ready"
    if change.change_type == CREATE or change.updates is None:
        return "conflict"
    return "ready" if _matches(change.updates, found) else "conflict"


def _matches(item: RecordSet, found: tuple[int, list[Json]]) -> bool:
    form = comparable(item.type, item.ttl, item.records)
    return form is not None and form == comparable(item.type, *found)
