# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: crafter
short_description: Sites of Crafter Studio as hosts
version_added: 2.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - Each site that the account may see is a host in the group C(crafter_sites), with the variable C(crafter_site). With O(details)
    it has the other fields of RV(lockstep.sync.crafter_publishing_info#module:sites) as well, such as C(crafter_in_sync) and
    C(crafter_staging_enabled).
  - The name of the file ends with C(crafter.yml) or C(crafter.yaml).
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
  - lockstep.sync._connection
  - lockstep.sync._crafter.repository
  - lockstep.sync._inventory
options:
  plugin:
    description: Has to be V(lockstep.sync.crafter).
    type: str
    required: true
    choices:
      - lockstep.sync.crafter
  api_url:
    description:
      - Address of Crafter Studio including its context path, for example V(https://studio.example.com/studio). Required.
    type: str
    env:
      - name: CRAFTER_STUDIO_URL
  allow_http:
    description:
      - Whether the credentials may be sent over plain HTTP to another host than this one. Otherwise an O(api_url) that begins
        with C(http://) is refused, unless it names the loopback interface.
    type: bool
    default: false
    env:
      - name: CRAFTER_STUDIO_ALLOW_HTTP
  api_token:
    description:
      - API token of an account (Studio 4.0 and later). Wins over a password.
    type: str
    env:
      - name: CRAFTER_STUDIO_TOKEN
  username:
    description:
      - Name of the account, if there is no O(api_token).
    type: str
    env:
      - name: CRAFTER_STUDIO_USERNAME
  password:
    description:
      - Password of the account. A password that was refused is not sent again, since Studio locks accounts after failures.
    type: str
    env:
      - name: CRAFTER_STUDIO_PASSWORD
  auth_method:
    description:
      - How to sign in, see M(lockstep.sync.crafter_publishing_info).
    type: str
    choices: [auto, token, basic, session]
    default: auto
  management_token:
    description:
      - Management token of Studio, see M(lockstep.sync.crafter_publishing_info).
    type: str
    env:
      - name: CRAFTER_STUDIO_MANAGEMENT_TOKEN
  name_filter:
    description:
      - List the sites whose name matches this, in which V(*) stands for anything.
    type: str
  details:
    description:
      - Whether to read each of them, which takes several requests for each. Its variables have then what
        M(lockstep.sync.crafter_publishing_info) returns.
    type: bool
    default: false
seealso:
  - module: lockstep.sync.crafter_publishing_info
  - module: lockstep.sync.crafter_staging_sync
"""

EXAMPLES = r"""
# sites.crafter.yml: sites whose id begins with shop, those with staged content in a group of their own
plugin: lockstep.sync.crafter
api_url: https://studio.example.com/studio
api_token: "{{ lookup('ansible.builtin.env', 'STUDIO_TOKEN') }}"
name_filter: shop*
details: true
groups:
  to_publish: crafter_in_sync is false
"""

from ansible_collections.lockstep.sync.plugins.module_utils._providers.crafter.inventory import INVENTORY
from ansible_collections.lockstep.sync.plugins.plugin_utils._inventory.plugin import TargetInventory


class InventoryModule(TargetInventory):
    NAME = "lockstep.sync.crafter"
    source = INVENTORY
