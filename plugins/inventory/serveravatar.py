# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: serveravatar
short_description: Applications on ServerAvatar as hosts
version_added: 2.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - Each application of a server is a host in the group C(serveravatar_applications), called by its name, or by its id where
    several have the same name or the name consists of digits, which are an id in all options. Its variables are
    C(serveravatar_application), C(serveravatar_id), C(serveravatar_name) and C(serveravatar_primary_domain).
  - With O(details) it has C(serveravatar_staging) and C(serveravatar_status) as well, as in
    RV(lockstep.sync.serveravatar_staging_info#module:applications).
  - The name of the file ends with C(serveravatar.yml) or C(serveravatar.yaml).
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
  - lockstep.sync._connection
  - lockstep.sync._inventory
options:
  plugin:
    description: Has to be V(lockstep.sync.serveravatar).
    type: str
    required: true
    choices:
      - lockstep.sync.serveravatar
  api_url:
    description:
      - Address of the ServerAvatar API.
    type: str
    default: https://api.serveravatar.com
    env:
      - name: SERVERAVATAR_API_URL
  allow_http:
    description:
      - Whether the credentials may be sent over plain HTTP to another host than this one. Otherwise an O(api_url) that begins
        with C(http://) is refused, unless it names the loopback interface.
    type: bool
    default: false
    env:
      - name: SERVERAVATAR_ALLOW_HTTP
  api_token:
    description:
      - API key of an account (in the panel under Account, API Access, where it has to be enabled first). Required.
    type: str
    env:
      - name: SERVERAVATAR_API_TOKEN
  auth_scheme:
    description:
      - How to send O(api_token) in the C(Authorization) header, see M(lockstep.sync.serveravatar_staging_info).
    type: str
    choices: [raw, bearer]
    default: raw
  organization:
    description:
      - Name or id of the organization. Digits are an id. Required.
    type: str
  server:
    description:
      - Name, address or id of the server in the organization. Digits are an id. Required.
    type: str
  status_patterns:
    description:
      - Regular expressions for statuses, see M(lockstep.sync.serveravatar_staging_info).
    type: dict
  name_filter:
    description:
      - List the applications whose name matches this, in which V(*) stands for anything.
    type: str
  details:
    description:
      - Whether to read each of them, which takes several requests for each. Its variables have then what
        M(lockstep.sync.serveravatar_staging_info) returns.
    type: bool
    default: false
seealso:
  - module: lockstep.sync.serveravatar_staging_info
  - module: lockstep.sync.serveravatar_staging_sync
"""

EXAMPLES = r"""
# web.serveravatar.yml: the applications of one server, those with a staging area in a group of their own
plugin: lockstep.sync.serveravatar
api_token: "{{ lookup('ansible.builtin.env', 'SERVERAVATAR_KEY') }}"
organization: Example Inc
server: web1
details: true
groups:
  staged: serveravatar_staging.available
"""

from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.inventory import INVENTORY
from ansible_collections.lockstep.sync.plugins.plugin_utils._inventory.plugin import TargetInventory


class InventoryModule(TargetInventory):
    NAME = "lockstep.sync.serveravatar"
    source = INVENTORY
