# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""By what a change of a zone is known to be newer than others, also where the server's clock was set back in between."""

from __future__ import annotations

import datetime as dt
import typing as t

from ..._core.clock import isoformat, parse_iso
from . import api
from .rows import ZoneChange

#: seconds by which the clock may be set back, without that a newer change is taken for an older one
SET_BACK = 3700.0
#: how much a change says of a sync whose id is not known, by its status; one in flight is between these
_RANKS = {"Synced": 0, "Failed": 2}


def snapshot_of(changes: t.Sequence[ZoneChange]) -> dict[str, t.Any]:
    """The newest changes of a zone, by id, since their dates are whole seconds of a clock that may be set back.

    ``created`` is the date from which on all of them are named.
    """
    since = _before(max((change.created for change in changes), default=None))
    if since is not None and len(changes) >= api.PAGE:
        # the page may have been full before that date
        since = max(since, min(change.created for change in changes))
    return {"created": since, "ids": [change.id for change in changes if change.created >= (since or "")]}


def newer_changes(changes: t.Iterable[ZoneChange], snapshot: t.Mapping[str, t.Any]) -> list[ZoneChange]:
    """Those of ``changes`` that are not older than a snapshot, and not in it."""
    since, known = snapshot.get("created") or "", snapshot.get("ids", ())
    return [change for change in changes if change.created >= since and change.id not in known]


def newest_sync(changes: t.Sequence[ZoneChange]) -> ZoneChange | None:
    """The sync among ``changes`` that says most of what became of one whose id is not known.

    One that has succeeded has done what each of them does, and one that has failed says nothing while another one is at work.

    :param changes: newest first.
    """
    syncs = [change for change in changes if change.kind == "Sync"]
    return min(syncs, key=lambda change: _RANKS.get(change.status, 1), default=None)


def _before(date: str | None) -> str | None:
    moment = parse_iso(date)
    return date if moment is None else isoformat(moment - dt.timedelta(seconds=SET_BACK))
