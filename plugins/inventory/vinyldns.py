# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: vinyldns
short_description: Zones of VinylDNS as hosts
version_added: 2.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - Each zone that the account has access to is a host in the group C(vinyldns_zones), with the variables C(vinyldns_zone),
    C(vinyldns_id), C(vinyldns_status), C(vinyldns_latest_sync), C(vinyldns_age) (seconds since then by the server's clock),
    C(vinyldns_may_sync) and C(vinyldns_admin_group), which are those of RV(lockstep.sync.vinyldns_zone_info#module:zones).
  - So a run can be limited to some zones with C(--limit), and AWX can slice a job by zones. It takes one request for each hundred
    zones.
  - The name of the file ends with C(vinyldns.yml) or C(vinyldns.yaml).
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
  - lockstep.sync._connection
  - lockstep.sync._inventory
options:
  plugin:
    description: Has to be V(lockstep.sync.vinyldns).
    type: str
    required: true
    choices:
      - lockstep.sync.vinyldns
  api_url:
    description:
      - Address of the VinylDNS API, for example V(https://vinyldns.example.com:9000). Required.
    type: str
    env: # the last one that is set counts
      - name: VINYLDNS_HOST
      - name: VINYLDNS_API_URL
  allow_http:
    description:
      - Whether the credentials may be sent over plain HTTP to another host than this one. Otherwise an O(api_url) that begins
        with C(http://) is refused, unless it names the loopback interface.
    type: bool
    default: false
    env:
      - name: VINYLDNS_ALLOW_HTTP
  access_key:
    description:
      - Access key of the account. Required.
    type: str
    env:
      - name: VINYLDNS_ACCESS_KEY
      - name: VINYLDNS_ACCESS_KEY_ID
  secret_key:
    description:
      - Secret key of the account. Required.
    type: str
    env:
      - name: VINYLDNS_SECRET_KEY
      - name: VINYLDNS_SECRET_ACCESS_KEY
  name_filter:
    description:
      - List the zones whose name begins with this, or matches it if it contains a V(*) or ends with a dot. All other characters
        stand for themselves.
    type: str
  admin_group:
    description:
      - List the zones whose admin group has this name (V(*) matches anything).
    type: str
  statuses:
    description:
      - List the zones with one of these statuses, such as V(Active) or V(Syncing), whatever the case.
    type: list
    elements: str
  min_age:
    description:
      - List the zones whose last successful sync is at least so many seconds ago, and those that were never synced.
      - This and the other filters count when the zones are read, and not when they are taken from the cache.
    type: float
  max_age:
    description:
      - List the zones whose last successful sync is at most so many seconds ago.
    type: float
  may_sync:
    description:
      - List the zones that the account may sync (V(true)) or may not sync (V(false)).
    type: bool
seealso:
  - module: lockstep.sync.vinyldns_zone_info
  - module: lockstep.sync.vinyldns_zone_sync
"""

EXAMPLES = r"""
# zones.vinyldns.yml: all zones, with credentials from the environment
plugin: lockstep.sync.vinyldns

---
# Zones of one team that were not synced for a day, in groups by status and by top-level domain
plugin: lockstep.sync.vinyldns
api_url: https://vinyldns.example.com:9000
access_key: "{{ lookup('ansible.builtin.env', 'DNS_ACCESS_KEY') }}"
secret_key: "{{ lookup('ansible.builtin.env', 'DNS_SECRET_KEY') }}"
admin_group: dns-admins
min_age: 86400
may_sync: true
keyed_groups:
  - prefix: status
    key: vinyldns_status | lower
groups:
  reverse_zones: vinyldns_zone is search('\.arpa\.$')
compose:
  team: vinyldns_admin_group
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: /var/cache/ansible
cache_timeout: 600

# ansible-playbook -i zones.vinyldns.yml -e dns_reconciliation_inventory_group=vinyldns_zones \
#   --limit 'localhost,*.example.com.' lockstep.sync.reconcile_dns
"""

from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.inventory import INVENTORY
from ansible_collections.lockstep.sync.plugins.plugin_utils._inventory.plugin import TargetInventory


class InventoryModule(TargetInventory):
    NAME = "lockstep.sync.vinyldns"
    source = INVENTORY
