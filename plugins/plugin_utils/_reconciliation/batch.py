# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The limit for all zones of a run together."""

from __future__ import annotations

import typing as t

from .state import DriftEntry, ZonePass, canonical

#: batches with fewer record sets than this in VinylDNS are too small for a percentage
MIN_RECORDS = 10


def batch_refusal(plans: ZonePass, max_delete_percent: float, approved: t.Iterable[str]) -> str:
    """Why no zone of the batch may be synced, or an empty text.

    A wrong DNS server rarely hits a single zone. Only what would be synced counts: not the zones that their own guards refuse.
    Zones with an approved plan are left out too, and a single zone is left to its own guards.
    """
    exempt = {canonical(name) for name in approved}
    drifts: list[DriftEntry] = [
        record["detail"]["drift"]
        for record in plans.records
        if record["action"] != "refused"
        and "record_sets" in record["detail"].get("drift", {})
        and exempt.isdisjoint((canonical(record["target"]), canonical(plans.given(record))))
    ]
    deletes = sum(drift["deletes"] for drift in drifts)
    stored = sum(drift["record_sets"] for drift in drifts)
    if len(drifts) < 2 or stored < MIN_RECORDS or deletes * 100 <= max_delete_percent * stored:
        return ""
    share = f"{deletes} of {stored} record sets ({100 * deletes / stored:.1f} %)"
    return (
        f"the plans of {len(drifts)} zones together delete {share}, more than dns_reconciliation_batch_max_delete_percent"
        f" {max_delete_percent:g}. Look at the plans; if they are right, raise it, approve the plans or reconcile fewer zones at"
        " once"
    )
