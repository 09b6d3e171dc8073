# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Record sets, and recorded changes of them, as they come in the JSON of VinylDNS (docs/reference/vinyldns.md#2.2 and #2.6)."""

from __future__ import annotations

from .._core.errors import SyncError
from .._core.vocabulary import Json, RecordAction
from .drift import CREATE, DELETE, UPDATE, RecordChange
from .records import StoredSet, pack_stored

_ACTIONS: dict[object, RecordAction] = {"Create": CREATE, "Update": UPDATE, "Delete": DELETE}


def stored_set(row: object) -> StoredSet:
    """A record set of the API.

    :param row: an item of ``GET /zones/{id}/recordsets``, or a part of a recorded change.
    :raises SyncError: ``bad_response`` if it has no name or no type.
    """
    if isinstance(row, dict) and isinstance(row.get("name"), str) and isinstance(row.get("type"), str):
        return checked_set(row)
    raise SyncError(
        "bad_response",
        "the API sent a record set without name or type",
        "Check that api_url is the address of the VinylDNS API itself.",
    )


def checked_set(row: Json) -> StoredSet:
    """A record set of the API, of which it is known that name and type are texts."""
    name, rtype = row["name"], row["type"]
    return StoredSet(name, rtype, pack_stored(name, rtype, row.get("ttl"), row.get("records")), row.get("ownerGroupId"))


def recorded_change(row: Json) -> RecordChange | None:
    """A change that the server recorded, with the record set under the name that the server has; ``None`` for other kinds.

    :param row: an item of ``GET /zones/{id}/recordsetchanges``.
    :raises SyncError: ``bad_response`` if it has no record set.
    """
    action = _ACTIONS.get(row.get("changeType"))
    if action is None:
        return None
    record_set = stored_set(row.get("recordSet"))
    previous = stored_set(row["updates"]) if row.get("updates") else record_set if action == DELETE else None
    return RecordChange(
        record_set.name,
        record_set.type,
        action,
        previous.packed if previous is not None and action != CREATE else None,
        record_set.packed if action != DELETE else None,
        previous.owner_group_id if previous is not None else None,
    )
