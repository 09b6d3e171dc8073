#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vinyldns_zone_info
short_description: Read zones of VinylDNS, and their drift from the DNS server behind them
version_added: 1.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - Returns the state of zones in VinylDNS, whether the account may sync them, and with O(backend) which record sets a sync
    would change and which guards it would break.
requirements:
  - dnspython >= 2.3 (if O(backend) is given)
extends_documentation_fragment:
  - lockstep.sync._attributes
  - lockstep.sync._attributes.info
  - lockstep.sync._connection
  - lockstep.sync._connection.info
  - lockstep.sync._vinyldns
  - lockstep.sync._vinyldns.backend
options:
  zones:
    description:
      - Names or ids of the zones. A zone that VinylDNS does not have gives an entry with RV(zones[].exists=false).
      - One of O(zones), O(name_filter) and O(admin_group) is required.
    type: list
    elements: str
    aliases: [zone]
  name_filter:
    description:
      - List the zones whose name begins with this, or matches it if it contains a V(*) or ends with a dot. All other characters
        stand for themselves.
    type: str
  admin_group:
    description:
      - List the zones whose admin group has this name (V(*) matches anything).
    type: str
  details:
    description:
      - Whether to read each zone. If false, an entry has only what the list of zones contains; what takes further requests is
        null, such as RV(zones[].age), RV(zones[].pending_change) and RV(zones[].record_sets). So the zones of a large server
        are listed with one request for each hundred.
      - Drift is not determined then, even with O(backend).
    type: bool
    default: true
    version_added: 2.0.0
seealso:
  - module: lockstep.sync.vinyldns_zone_sync
"""

EXAMPLES = r"""
- name: Read two zones
  lockstep.sync.vinyldns_zone_info:
    zones:
      - example.com.
      - example.org.
  register: result
  delegate_to: localhost

- name: Find all zones below example.com that differ from DNS
  lockstep.sync.vinyldns_zone_info:
    name_filter: "*.example.com."
    backend:
      server: ns1.example.net
  register: result
  delegate_to: localhost

- name: Show their names
  ansible.builtin.debug:
    msg: "{{ result.zones | rejectattr('in_sync') | map(attribute='zone') | list }}"
"""

RETURN = r"""
zones:
  description: One entry for each zone, in the order of O(zones) or sorted by name.
  returned: always
  type: list
  elements: dict
  contains:
    zone:
      description: Name with its dot (as given, if VinylDNS does not have it).
      type: str
    exists:
      description: Whether VinylDNS has the zone. If not, everything else is null.
      type: bool
    id:
      description: Id of the zone.
      type: str
    status:
      description: Status of the zone, for example V(Active). It does not show whether a sync has ended.
      type: str
    latest_sync:
      description: End of the last successful sync by the server's clock, UTC.
      type: str
    age:
      description: Seconds since then, by the server's clock.
      type: float
    may_sync:
      description: Whether the account may sync the zone.
      type: bool
    pending_change:
      description:
        - The newest change of the zone that has not ended, as C(id), C(type), C(created) and C(stale), or null.
        - C(stale) is true for a change that stays pending although nothing works on it any more; it does not keep the zone from
          being synced.
      type: dict
    admin_group:
      description: Name of the admin group.
      type: str
    record_sets:
      description: Number of record sets that VinylDNS has.
      type: int
    in_sync:
      description: Whether a sync would change nothing but the SOA; null if that is not known.
      type: bool
      returned: with O(backend)
    drift:
      description: What a sync would change, in the form of RV(lockstep.sync.vinyldns_zone_sync#module:syncs[].detail.drift).
      type: dict
      returned: with O(backend)
    guards:
      description: Guards that refuse such a sync, as C(rule) and C(message).
      type: list
      elements: dict
      returned: with O(backend)
  sample:
    - zone: example.com.
      exists: true
      id: 6d1c9a55-8f5b-4b8e-9d53-2f7b9e4c0a11
      status: Active
      latest_sync: "2026-11-20T10:00:03Z"
      age: 3600.0
      may_sync: true
      pending_change: null
      admin_group: dns-admins
      record_sets: 104
failure:
  description: Failure of the task, as C(code), C(message), C(http_status) and C(hint).
  returned: on failure
  type: dict
"""

from ansible_collections.lockstep.sync.plugins.module_utils._operations.module import run_as_module
from ansible_collections.lockstep.sync.plugins.module_utils._operations.operation import info_operation
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.info import INFO_SPEC, ZoneReader
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.provider import VinylDNS

OPERATION = info_operation("zones", INFO_SPEC, ZoneReader, VinylDNS.requirements)


def main() -> None:
    run_as_module(OPERATION)


if __name__ == "__main__":
    main()
