# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Sync the zones that differ, and compare them again."""

from __future__ import annotations

import dataclasses

from .compare import zones_to_work_on
from .services import PhaseOutcome, ReconciliationServices
from .settings import ReconciliationSettings
from .state import ReconciliationState, ZonePass
from .zone_pass import outcome, run_pass


def sync(state: ReconciliationState, settings: ReconciliationSettings, services: ReconciliationServices) -> PhaseOutcome:
    """Sync the zones whose plan is to do so, and settle what an earlier run left unfinished.

    A report that says so is there before anything is sent, in case that the run is killed.

    :raises SyncError: a result of the sync module cannot be read, or the report cannot be written.
    """
    if state.check_mode or state.batch_refusal:
        raise RuntimeError("a sync was asked for although nothing may be synced")
    services.write_report(dataclasses.replace(state, unfinished="sync"))
    result = run_pass(settings, zones_to_work_on(state.plans), services, check_mode=False)
    done = zones_to_verify(result.zones)
    message = f"{len(done)} of {len(result.zones.records)} zones synced"
    return outcome(dataclasses.replace(state, syncs=result.zones), result, message, bool(done), shown=True)


def verify(state: ReconciliationState, settings: ReconciliationSettings, services: ReconciliationServices) -> PhaseOutcome:
    """What a second sync of the zones that were synced would do.

    :raises SyncError: a result of the sync module cannot be read.
    """
    # a plan that was carried out is no longer the one that was approved
    result = run_pass(settings, zones_to_verify(state.syncs), services, check_mode=True, approval=False)
    left = [record for record in result.zones.records if record["action"] != "skipped" and "drift" in record["detail"]]
    message = f"{len(left)} of {len(result.zones.records)} zones still differ"
    return outcome(dataclasses.replace(state, residuals=result.zones), result, message, False, shown=False)


def zones_to_verify(syncs: ZonePass) -> list[str]:
    """The zones that were synced."""
    return [syncs.given(record) for record in syncs.records if record["state"] == "succeeded"]
