# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transfer of a record set's ownership to another group: an update that asks for it, or answers somebody who asked.

Only in shared zones.  A request for a record set without owner is granted at once; otherwise the owner reviews it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .access import Denied
from .http import refuse
from .model import Json, RecordSet, Zone
from .users import Caller

NONE, REQUESTED, PENDING_REVIEW, CANCELLED = "None", "Requested", "PendingReview", "Cancelled"
APPROVED, AUTO_APPROVED, REJECTED = "ManuallyApproved", "AutoApproved", "ManuallyRejected"
ANSWERS = (APPROVED, AUTO_APPROVED, REJECTED)
REQUESTS = (CANCELLED, REQUESTED, PENDING_REVIEW)


def status_of(item: RecordSet) -> str:
    return str((item.group_change or {}).get("ownershipTransferStatus", NONE))


def wanted_group(item: RecordSet) -> str | None:
    found: str | None = (item.group_change or {}).get("requestedOwnerGroupId")
    return found


def _change(status: str, group_id: str | None) -> Json:
    change: Json = {"ownershipTransferStatus": status}
    return change if group_id is None else {**change, "requestedOwnerGroupId": group_id}


@dataclass(frozen=True)
class Transfer:
    """What an update of ``old`` to ``new`` means for the ownership."""

    caller: Caller
    zone: Zone
    old: RecordSet
    new: RecordSet

    @property
    def asked_by_outsider(self) -> bool:
        """A request by somebody who neither owns the record set nor is a super user; access is not looked at."""
        return status_of(self.new) in REQUESTS and not self.caller.user.is_super and not self._owns(self.old)

    def _owns(self, item: RecordSet) -> bool:
        return self.caller.is_member(item.owner_group_id)

    def check_request(self) -> None:
        """Outsiders may change nothing else, and what was cancelled cannot be answered."""
        if self.asked_by_outsider and not _same_content(self.old, self.new):
            text = "Cannot update RecordSet's if user not a member of ownership group."
            raise refuse(f"{text} User can only request for ownership transfer", 422)
        if status_of(self.old) == CANCELLED and not self.caller.user.is_super and status_of(self.new) in ANSWERS:
            raise refuse("Cannot update RecordSet Ownership Status when request is cancelled.", 422)

    def result(self) -> RecordSet:
        """The new record set with the owner and the state that follow."""
        old, new = self.old, self.new
        if new.group_change is None or status_of(new) == NONE or new.group_change == old.group_change:
            return replace(new, group_change=old.group_change)
        if not self.zone.shared:
            if old.group_change is not None:
                raise refuse("Cannot update RecordSet Ownership Status when zone is not shared.", 422)
            return replace(new, group_change=None)
        return self._answered() if status_of(new) in ANSWERS else self._asked()

    def _answered(self) -> RecordSet:
        status, before = status_of(self.new), status_of(self.old)
        if before in (NONE, CANCELLED):
            raise refuse(f"Unable to {status} the Ownership transfer status for the record: None", 422)
        if not (self.caller.user.is_super or self._owns(self.new)):
            raise Denied(f"Unauthorized to change ownership transfer status to '{status}'")
        group = wanted_group(self.new) if status == AUTO_APPROVED else wanted_group(self.old)
        owner = self.new.owner_group_id if status == REJECTED else group
        return replace(self.new, owner_group_id=owner, group_change=_change(status, group))

    def _asked(self) -> RecordSet:
        status, group = status_of(self.new), wanted_group(self.new)
        if status == PENDING_REVIEW:
            raise refuse(f"Invalid Ownership transfer status: {PENDING_REVIEW}", 422)
        if self.old.owner_group_id == group and status != CANCELLED:
            owner = self.old.owner_group_id or "<none>"
            raise refuse(f'Record owner group with id {owner} already owns the record, new request is not needed"', 422)
        if status == CANCELLED:
            return self._cancelled()
        if self.old.owner_group_id is None:
            return replace(self.new, owner_group_id=group, group_change=_change(AUTO_APPROVED, group))
        return replace(self.new, group_change=_change(PENDING_REVIEW, group))

    def _cancelled(self) -> RecordSet:
        if status_of(self.old) != PENDING_REVIEW:
            raise refuse(f"Unable to cancel the Ownership transfer. Current status: {status_of(self.old)}", 422)
        if not (self.caller.user.is_super or self.caller.is_member(wanted_group(self.new))):
            raise refuse("Unauthorised to Cancel the ownership transfer", 422)
        return replace(self.new, group_change=_change(CANCELLED, wanted_group(self.old)))

    def group_to_check(self, result: RecordSet) -> str | None:
        """The group that the caller must be a member of."""
        if self.asked_by_outsider:
            return wanted_group(result)
        if status_of(self.new) in ANSWERS and not self.caller.user.is_super:
            return self.old.owner_group_id
        return result.owner_group_id


def _same_content(old: RecordSet, new: RecordSet) -> bool:
    names = ("type", "records", "id", "zone_id", "name", "owner_group_id", "ttl")
    return all(getattr(old, name) == getattr(new, name) for name in names)
