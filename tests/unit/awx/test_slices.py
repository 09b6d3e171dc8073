# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which zones role dns_reconciliation finds in the inventory of each slice of a job."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.find_zones import find_zones
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.services import ReconciliationServices
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.settings import read
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.state import ReconciliationState
from tests.module.awx.slicing import Inventory, slices

ZONES = [f"zone{number:02d}.example." for number in range(11)]


class Services:
    """The inventory of a job, as Ansible reads it from the program that AWX writes."""

    def __init__(self, inventory: Inventory, folder: Path) -> None:
        program = folder / "hosts"
        # not a Python, which takes longer to start than all the rest
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(inventory)}\nEND\n")
        program.chmod(0o700)
        self._manager = InventoryManager(DataLoader(), sources=[str(program)])

    def hosts(self, group: str) -> Sequence[str]:
        groups: dict[str, list[str]] = self._manager.get_groups_dict()
        return groups.get(group, [])


def found(inventory: Inventory, folder: Path) -> tuple[str, ...]:
    variables: dict[str, Any] = {"inventory_group": "zones"}
    services = cast(ReconciliationServices, Services(inventory, folder))
    return find_zones(ReconciliationState(True, "2026-11-28T10:00:00Z"), read(variables), services).state.zones


@pytest.mark.parametrize("count", [1, 2, 3, 4, 11, 12])
def test_each_zone_is_in_one_slice(count: int, tmp_path: Path) -> None:
    # the order in which hosts were added to a group does not matter
    inventories = slices({"zones": ZONES[::-1]}, count)
    parts = [found(inventory, tmp_path) for inventory in inventories]
    assert len(parts) == min(count, len(ZONES)) and sorted(zone for part in parts for zone in part) == ZONES
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_hosts_of_other_groups_are_divided_too_and_a_slice_without_zones_fails(tmp_path: Path) -> None:
    """So an inventory for slices should have no other hosts, as docs/awx.md says."""
    first, second = slices({"web": ["a.example.com"], "zones": ["b.example."]}, 2)
    assert found(second, tmp_path) == ("b.example.",)
    with pytest.raises(SyncError, match="No zones to reconcile"):
        found(first, tmp_path)
