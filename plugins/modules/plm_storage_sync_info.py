#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: plm_storage_sync_info
short_description: Read synchronizers of a PLM Media Manager
version_added: 1.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - Returns the states of runs, started by M(lockstep.sync.plm_storage_sync) or otherwise, by their ids. The server cannot
    list them.
extends_documentation_fragment:
  - lockstep.sync._attributes
  - lockstep.sync._attributes.info
  - lockstep.sync._connection
  - lockstep.sync._connection.info
  - lockstep.sync._plm
options:
  synchronizers:
    description:
      - Ids of the synchronizers, as the server gave them, such as C(synchronizer) in
        RV(lockstep.sync.plm_storage_sync#module:syncs[].handle).
    type: list
    elements: str
    required: true
    aliases: [synchronizer]
seealso:
  - module: lockstep.sync.plm_storage_sync
"""

EXAMPLES = r"""
- name: Read a synchronizer
  lockstep.sync.plm_storage_sync_info:
    api_url: http://media.example.com/api/media-manager/v0
    synchronizers: $ee8370c0-be09-445c-b7f4-4cba853150ed+7980b24b-9735-4ef8-a3d1-ecc3f176f8dc
  register: result
  delegate_to: localhost

- name: Stop here unless both directions are completed
  ansible.builtin.assert:
    that:
      - result.synchronizers[0].push == "completed"
      - result.synchronizers[0].pull == "completed"
"""

RETURN = r"""
synchronizers:
  description: One entry for each id, in the order of O(synchronizers).
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: The id as given.
      type: str
    state:
      description: State of the whole as the server reports it, V(triggered), V(completed) or V(error). Null if it has none,
        which is normal between push and pull too.
      type: str
    push:
      description: State of the replication to the remote storage, in the same way; V(failed) on CouchDB 2.1 and later.
      type: str
    pull:
      description: State of the replication from the remote storage, in the same way.
      type: str
    known:
      description: Whether the server knows the synchronizer. Null if that is unknown, because all states are null, or because
        the server's database is down, and all of them are V(error) for any id.
      type: bool
  sample:
    - id: $ee8370c0-be09-445c-b7f4-4cba853150ed+7980b24b-9735-4ef8-a3d1-ecc3f176f8dc
      state: triggered
      push: completed
      pull: triggered
      known: true
failure:
  description: Failure of the task, as C(code), C(message), C(http_status) and C(hint).
  returned: on failure
  type: dict
"""

from ansible_collections.lockstep.sync.plugins.module_utils._operations.module import run_as_module
from ansible_collections.lockstep.sync.plugins.module_utils._operations.operation import info_operation
from ansible_collections.lockstep.sync.plugins.module_utils._providers.plm.info import INFO_SPEC, SynchronizerReader

OPERATION = info_operation("synchronizers", INFO_SPEC, SynchronizerReader)


def main() -> None:
    run_as_module(OPERATION)


if __name__ == "__main__":
    main()
