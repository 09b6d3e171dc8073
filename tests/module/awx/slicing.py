# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventories of the jobs into which AWX 24.6.1 slices one, as far as ``Inventory.get_script_data`` is concerned."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

Inventory = dict[str, Any]


def slices(groups: Mapping[str, Collection[str]], count: int) -> list[Inventory]:
    """What the program of each slice's inventory prints.

    Hosts are in the order of their names, and each slice has one of ``count``. There are no more slices than hosts. A group
    without hosts in a slice is there, but empty.

    :param groups: hosts by their group.
    """
    hosts = sorted({host for members in groups.values() for host in members})
    count = min(count, len(hosts))
    return [_inventory(groups, hosts[number::count]) for number in range(count)]


def _inventory(groups: Mapping[str, Collection[str]], hosts: Sequence[str]) -> Inventory:
    there = {name: {"hosts": [host for host in hosts if host in set(members)]} for name, members in groups.items()}
    return {
        "all": {"hosts": [], "children": list(groups)},
        **{name: group for name, group in there.items() if group["hosts"]},
        "_meta": {"hostvars": {host: {} for host in hosts}},
    }
