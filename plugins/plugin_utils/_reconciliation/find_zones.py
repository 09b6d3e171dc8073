# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The first two phases: read the variables, and find the zones."""

from __future__ import annotations

import dataclasses

from ...module_utils._core.errors import SyncError, wrap_unexpected
from .._actions.role_variables import RoleVariables
from .services import PhaseOutcome, ReconciliationServices, with_failure
from .settings import Options, ReconciliationSettings, notify_settings, read, report_settings
from .state import ReconciliationState, canonical


def begin(variables: RoleVariables, check_mode: bool, services: ReconciliationServices) -> PhaseOutcome:
    """Check all variables, and that the report can be written. What is wrong ends the run, but not without a report."""
    state = ReconciliationState(check_mode, services.now())
    try:
        path, fail_on_drift = report_settings(variables.values)
        if path:
            services.check_report(path)
        state = dataclasses.replace(state, report_path=path, fail_on_drift=fail_on_drift)
        state = dataclasses.replace(state, notify=bool(notify_settings(variables.values)))
        if variables.problem:
            raise variables.problem
        with wrap_unexpected():
            read(variables.values)
    except SyncError as error:
        failed = with_failure(state, error)
        return PhaseOutcome(failed, failed.error, False)
    return PhaseOutcome(state, "check mode: nothing is going to be synced" if check_mode else "", True)


def find_zones(state: ReconciliationState, settings: ReconciliationSettings, services: ReconciliationServices) -> PhaseOutcome:
    """The zones that were named, the hosts of the inventory group, and those that the server lists, each once.

    :raises SyncError: the server does not list them, or there are none.
    """
    zones: dict[str, str] = {}
    for zone in (*settings.zones, *services.hosts(settings.inventory_group), *_listed(settings, services)):
        if zone.strip():
            zones.setdefault(canonical(zone), zone.strip())
    if not zones:
        raise SyncError(
            "invalid_option",
            "No zones to reconcile",
            "Set dns_reconciliation_zones, or a dns_reconciliation_zone_filter, dns_reconciliation_admin_group or"
            " dns_reconciliation_inventory_group that matches some.",
        )
    found = dataclasses.replace(state, zones=tuple(zones.values()))
    return PhaseOutcome(found, f"{len(zones)} {'zone' if len(zones) == 1 else 'zones'}", True)


def _listed(settings: ReconciliationSettings, services: ReconciliationServices) -> tuple[str, ...]:
    filters = {"name_filter": settings.zone_filter, "admin_group": settings.admin_group}
    given: Options = {name: value for name, value in filters.items() if value}
    return tuple(services.list_zones({**settings.connection, **given})) if given else ()
