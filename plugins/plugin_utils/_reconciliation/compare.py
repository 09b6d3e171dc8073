# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Compare the zones with DNS before anything is synced, and the limit of the batch."""

from __future__ import annotations

import dataclasses

from .batch import batch_refusal
from .services import PhaseOutcome, ReconciliationServices
from .settings import ReconciliationSettings
from .state import ReconciliationState, ZonePass
from .zone_pass import outcome, run_pass


def compare(state: ReconciliationState, settings: ReconciliationSettings, services: ReconciliationServices) -> PhaseOutcome:
    """What a sync of each zone would do.

    :raises SyncError: a result of the sync module cannot be read.
    """
    result = run_pass(settings, state.zones, services, check_mode=True)
    message = f"{len(zones_to_sync(result.zones))} of {len(result.zones.records)} zones to sync"
    # a task that failed as a whole is one that was asked for something wrong. What is going to be synced is shown when it is
    proceed = not result.zones.error
    return outcome(dataclasses.replace(state, plans=result.zones), result, message, proceed, shown=state.check_mode)


def check_batch(state: ReconciliationState, settings: ReconciliationSettings, services: ReconciliationServices) -> PhaseOutcome:
    """Whether the plans of all zones together are within the limit."""
    refusal = batch_refusal(state.plans, settings.batch_max_delete_percent, settings.approve)
    proceed = not refusal and not state.check_mode and bool(zones_to_work_on(state.plans))
    message = f"refused: {refusal}" if refusal else "the plans together are within the limit"
    return PhaseOutcome(dataclasses.replace(state, batch_refusal=refusal), message, proceed)


def zones_to_work_on(plans: ZonePass) -> list[str]:
    """Those zones, and the ones that an earlier run left unfinished, so that the ledger learns what became of them."""
    wanted = set(zones_to_sync(plans))
    return [name for record in plans.records if (name := plans.given(record)) in wanted or "interrupted" in record["detail"]]


def zones_to_sync(plans: ZonePass) -> list[str]:
    """The zones whose plan is to sync, or to wait for a sync in flight."""
    return [plans.given(record) for record in plans.records if record["action"] in ("would_trigger", "would_join")]
