#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sync_wait
short_description: Wait for syncs that were started earlier
version_added: 1.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - Waits for runs of any provider of this collection, all at once, until they have ended or O(wait_timeout) has passed.
  - Takes the C(handle) entries that the sync modules return with O(ignore:wait=false) or on a timeout.
extends_documentation_fragment:
  - lockstep.sync._attributes
  - lockstep.sync._waiting
attributes:
  action_group:
    description: Use C(group/lockstep.sync.all) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - lockstep.sync.all
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details:
      - Reads each run once and does not wait.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: none
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
    support: none
    details:
      - The result shows what the runs did, so it is the same each time.
options:
  handles:
    description:
      - The handles of the runs, unchanged. A handle identifies its run, and contains no credentials.
    type: list
    elements: dict
    required: true
  connections:
    description:
      - How to connect to each provider. Options that are left out come from the environment variables of its sync module.
      - Credentials are sent to the address of the connection only, so a handle for another address is an error.
    type: dict
    suboptions:
      crafter:
        description: Connection options of M(lockstep.sync.crafter_staging_sync).
        type: dict
        suboptions:
          api_url:
            description: See M(lockstep.sync.crafter_staging_sync).
            type: str
          api_token:
            description: See M(lockstep.sync.crafter_staging_sync).
            type: str
          username:
            description: See M(lockstep.sync.crafter_staging_sync).
            type: str
          password:
            description: See M(lockstep.sync.crafter_staging_sync).
            type: str
          auth_method:
            description: See M(lockstep.sync.crafter_staging_sync).
            type: str
            choices: [auto, token, basic, session]
            default: auto
          management_token:
            description: See M(lockstep.sync.crafter_staging_sync).
            type: str
          allow_http:
            description: See M(lockstep.sync.crafter_staging_sync).
            type: bool
            default: false
            version_added: 2.0.0
          validate_certs:
            description: See M(lockstep.sync.crafter_staging_sync).
            type: bool
            default: true
          ca_path:
            description: See M(lockstep.sync.crafter_staging_sync).
            type: path
          client_cert:
            description: See M(lockstep.sync.crafter_staging_sync).
            type: path
          client_key:
            description: See M(lockstep.sync.crafter_staging_sync).
            type: path
          request_timeout:
            description: See M(lockstep.sync.crafter_staging_sync).
            type: float
            default: 30.0
      crafter_publish:
        description: Connection options of M(lockstep.sync.crafter_publish).
        type: dict
        suboptions:
          api_url:
            description: See M(lockstep.sync.crafter_publish).
            type: str
          api_token:
            description: See M(lockstep.sync.crafter_publish).
            type: str
          username:
            description: See M(lockstep.sync.crafter_publish).
            type: str
          password:
            description: See M(lockstep.sync.crafter_publish).
            type: str
          auth_method:
            description: See M(lockstep.sync.crafter_publish).
            type: str
            choices: [auto, token, basic, session]
            default: auto
          management_token:
            description: See M(lockstep.sync.crafter_publish).
            type: str
          allow_http:
            description: See M(lockstep.sync.crafter_publish).
            type: bool
            default: false
            version_added: 2.0.0
          validate_certs:
            description: See M(lockstep.sync.crafter_publish).
            type: bool
            default: true
          ca_path:
            description: See M(lockstep.sync.crafter_publish).
            type: path
          client_cert:
            description: See M(lockstep.sync.crafter_publish).
            type: path
          client_key:
            description: See M(lockstep.sync.crafter_publish).
            type: path
          request_timeout:
            description: See M(lockstep.sync.crafter_publish).
            type: float
            default: 30.0
      plm:
        description: Connection options of M(lockstep.sync.plm_storage_sync). Without O(connections.plm.api_url), the handle
          itself says where to look.
        type: dict
        suboptions:
          api_url:
            description: See M(lockstep.sync.plm_storage_sync).
            type: str
          notifications_url:
            description: See M(lockstep.sync.plm_storage_sync).
            type: str
          validate_certs:
            description: See M(lockstep.sync.plm_storage_sync).
            type: bool
            default: true
          ca_path:
            description: See M(lockstep.sync.plm_storage_sync).
            type: path
          client_cert:
            description: See M(lockstep.sync.plm_storage_sync).
            type: path
          client_key:
            description: See M(lockstep.sync.plm_storage_sync).
            type: path
          request_timeout:
            description: See M(lockstep.sync.plm_storage_sync).
            type: float
            default: 30.0
      serveravatar:
        description: Connection options of M(lockstep.sync.serveravatar_staging_sync).
        type: dict
        suboptions:
          api_url:
            description: See O(lockstep.sync.serveravatar_staging_sync#module:api_url).
            type: str
            default: https://api.serveravatar.com
          api_token:
            description: See O(lockstep.sync.serveravatar_staging_sync#module:api_token).
            type: str
          auth_scheme:
            description: See O(lockstep.sync.serveravatar_staging_sync#module:auth_scheme).
            type: str
            choices: [raw, bearer]
            default: raw
          status_patterns:
            description: See O(lockstep.sync.serveravatar_staging_sync#module:status_patterns).
            type: dict
            suboptions:
              failure:
                description: See O(lockstep.sync.serveravatar_staging_sync#module:status_patterns.failure).
                type: str
                default: fail
              running:
                description: See O(lockstep.sync.serveravatar_staging_sync#module:status_patterns.running).
                type: str
                default: progress|running|pending|queue|processing
              success:
                description: See O(lockstep.sync.serveravatar_staging_sync#module:status_patterns.success).
                type: str
                default: (?<!in)complete(?!ing)|(?<!un)(success|finish(?!ing)|done)|(?<!be )(?<!being )restored
          if_unobservable:
            description: See O(lockstep.sync.serveravatar_staging_sync#module:if_unobservable).
            type: str
            choices: [warn, fail]
            default: warn
          allow_http:
            description: See O(lockstep.sync.serveravatar_staging_sync#module:allow_http).
            type: bool
            default: false
            version_added: 2.0.0
          validate_certs:
            description: See O(lockstep.sync.serveravatar_staging_sync#module:validate_certs).
            type: bool
            default: true
          ca_path:
            description: See O(lockstep.sync.serveravatar_staging_sync#module:ca_path).
            type: path
          client_cert:
            description: See O(lockstep.sync.serveravatar_staging_sync#module:client_cert).
            type: path
          client_key:
            description: See O(lockstep.sync.serveravatar_staging_sync#module:client_key).
            type: path
          request_timeout:
            description: See O(lockstep.sync.serveravatar_staging_sync#module:request_timeout).
            type: float
            default: 30.0
      serveravatar_backup:
        description: Connection options of M(lockstep.sync.serveravatar_backup).
        type: dict
        suboptions:
          api_url:
            description: See O(lockstep.sync.serveravatar_backup#module:api_url).
            type: str
            default: https://api.serveravatar.com
          api_token:
            description: See O(lockstep.sync.serveravatar_backup#module:api_token).
            type: str
          auth_scheme:
            description: See O(lockstep.sync.serveravatar_backup#module:auth_scheme).
            type: str
            choices: [raw, bearer]
            default: raw
          status_patterns:
            description: See O(lockstep.sync.serveravatar_backup#module:status_patterns).
            type: dict
            suboptions:
              failure:
                description: See O(lockstep.sync.serveravatar_backup#module:status_patterns.failure).
                type: str
                default: fail
              running:
                description: See O(lockstep.sync.serveravatar_backup#module:status_patterns.running).
                type: str
                default: progress|running|pending|queue|processing
              success:
                description: See O(lockstep.sync.serveravatar_backup#module:status_patterns.success).
                type: str
                default: (?<!in)complete(?!ing)|(?<!un)(success|finish(?!ing)|done)|(?<!be )(?<!being )restored
          allow_http:
            description: See O(lockstep.sync.serveravatar_backup#module:allow_http).
            type: bool
            default: false
            version_added: 2.0.0
          validate_certs:
            description: See O(lockstep.sync.serveravatar_backup#module:validate_certs).
            type: bool
            default: true
          ca_path:
            description: See O(lockstep.sync.serveravatar_backup#module:ca_path).
            type: path
          client_cert:
            description: See O(lockstep.sync.serveravatar_backup#module:client_cert).
            type: path
          client_key:
            description: See O(lockstep.sync.serveravatar_backup#module:client_key).
            type: path
          request_timeout:
            description: See O(lockstep.sync.serveravatar_backup#module:request_timeout).
            type: float
            default: 30.0
      serveravatar_restore:
        description: Connection options of M(lockstep.sync.serveravatar_restore).
        type: dict
        suboptions:
          api_url:
            description: See O(lockstep.sync.serveravatar_restore#module:api_url).
            type: str
            default: https://api.serveravatar.com
          api_token:
            description: See O(lockstep.sync.serveravatar_restore#module:api_token).
            type: str
          auth_scheme:
            description: See O(lockstep.sync.serveravatar_restore#module:auth_scheme).
            type: str
            choices: [raw, bearer]
            default: raw
          status_patterns:
            description: See O(lockstep.sync.serveravatar_restore#module:status_patterns).
            type: dict
            suboptions:
              failure:
                description: See O(lockstep.sync.serveravatar_restore#module:status_patterns.failure).
                type: str
                default: fail
              running:
                description: See O(lockstep.sync.serveravatar_restore#module:status_patterns.running).
                type: str
                default: progress|running|pending|queue|processing
              success:
                description: See O(lockstep.sync.serveravatar_restore#module:status_patterns.success).
                type: str
                default: (?<!in)complete(?!ing)|(?<!un)(success|finish(?!ing)|done)|(?<!be )(?<!being )restored
          if_unobservable:
            description: See O(lockstep.sync.serveravatar_restore#module:if_unobservable).
            type: str
            choices: [warn, fail]
            default: warn
          allow_http:
            description: See O(lockstep.sync.serveravatar_restore#module:allow_http).
            type: bool
            default: false
            version_added: 2.0.0
          validate_certs:
            description: See O(lockstep.sync.serveravatar_restore#module:validate_certs).
            type: bool
            default: true
          ca_path:
            description: See O(lockstep.sync.serveravatar_restore#module:ca_path).
            type: path
          client_cert:
            description: See O(lockstep.sync.serveravatar_restore#module:client_cert).
            type: path
          client_key:
            description: See O(lockstep.sync.serveravatar_restore#module:client_key).
            type: path
          request_timeout:
            description: See O(lockstep.sync.serveravatar_restore#module:request_timeout).
            type: float
            default: 30.0
      vinyldns:
        description: Connection options of M(lockstep.sync.vinyldns_zone_sync).
        type: dict
        suboptions:
          api_url:
            description: See M(lockstep.sync.vinyldns_zone_sync).
            type: str
          access_key:
            description: See M(lockstep.sync.vinyldns_zone_sync).
            type: str
          secret_key:
            description: See M(lockstep.sync.vinyldns_zone_sync).
            type: str
          allow_http:
            description: See M(lockstep.sync.vinyldns_zone_sync).
            type: bool
            default: false
            version_added: 2.0.0
          validate_certs:
            description: See M(lockstep.sync.vinyldns_zone_sync).
            type: bool
            default: true
          ca_path:
            description: See M(lockstep.sync.vinyldns_zone_sync).
            type: path
          client_cert:
            description: See M(lockstep.sync.vinyldns_zone_sync).
            type: path
          client_key:
            description: See M(lockstep.sync.vinyldns_zone_sync).
            type: path
          request_timeout:
            description: See M(lockstep.sync.vinyldns_zone_sync).
            type: float
            default: 30.0
seealso:
  - module: lockstep.sync.crafter_publish
  - module: lockstep.sync.plm_storage_sync
  - module: lockstep.sync.vinyldns_zone_sync
"""

EXAMPLES = r"""
- name: Start syncs of many zones
  lockstep.sync.vinyldns_zone_sync:
    zones: "{{ zones }}"
    wait: false
  register: started
  delegate_to: localhost

- name: Wait for all of them, with the credentials from the environment
  lockstep.sync.sync_wait:
    handles: "{{ started.syncs | map(attribute='handle') | select | list }}"
    wait_timeout: 1800
  delegate_to: localhost

- name: Wait with credentials from variables
  lockstep.sync.sync_wait:
    handles: "{{ handles }}"
    connections:
      vinyldns:
        api_url: https://vinyldns.example.com:9000
        access_key: "{{ vinyldns_access_key }}"
        secret_key: "{{ vault_vinyldns_secret_key }}"
  delegate_to: localhost
"""

RETURN = r"""
syncs:
  description: One record for each handle, in the order of O(handles), in the form that the sync modules return.
  returned: always
  type: list
  elements: dict
  sample:
    - target: example.com.
      provider: vinyldns
      action: joined
      state: succeeded
      changed: true
      changed_basis: observed
      reason: "synced: 1 created, 1 updated, 0 deleted"
      handle: {provider: vinyldns, address: "https://vinyldns.example.com:9000", zone: example.com.}
      started_at: null
      finished_at: "2026-11-20T10:00:03Z"
      elapsed: 2.1
      polls: 3
      requests: 4
      timed_out: false
      failure: null
      detail:
        effect: {creates: 1, updates: 1, deletes: 0}
summary:
  description: Counts over all handles.
  returned: always
  type: dict
  sample:
    targets: 1
    triggered: 0
    joined: 1
    skipped: 0
    refused: 0
    succeeded: 1
    failed: 0
    timed_out: 0
    requests: 4
    elapsed: 2.2
failure:
  description: Failure of the whole task, such as an invalid option.
  returned: if there is such a failure
  type: dict
"""

from ansible_collections.lockstep.sync.plugins.module_utils._operations.module import run_as_module
from ansible_collections.lockstep.sync.plugins.module_utils._operations.operation import wait_operation

# Ansible sends to other hosts what a module imports by name; there the registry finds it by the folders.
from ansible_collections.lockstep.sync.plugins.module_utils._providers.crafter import descriptor as dummy_crafter  # noqa: F401
from ansible_collections.lockstep.sync.plugins.module_utils._providers.plm import descriptor as dummy_plm  # noqa: F401
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import PROVIDERS
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar import descriptor as dummy_serveravatar  # noqa: F401
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns import descriptor as dummy_vinyldns  # noqa: F401

OPERATION = wait_operation(PROVIDERS)


def main() -> None:
    run_as_module(OPERATION)


if __name__ == "__main__":
    main()
