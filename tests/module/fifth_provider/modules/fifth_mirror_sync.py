# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fifth_mirror_sync
short_description: Refresh mirrors from their origin
version_added: 9.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - Has mirrors refreshed from their origin, and waits until they are.
extends_documentation_fragment:
  - lockstep.sync._attributes
  - lockstep.sync._attributes.sync
  - lockstep.sync._connection
  - lockstep.sync._waiting
  - lockstep.sync._syncing
  - lockstep.sync._fifth
options:
  mirrors:
    description: Names or ids of the mirrors.
    type: list
    elements: str
    required: true
    aliases: [mirror]
  max_loss:
    description: How many files a refresh may remove.
    type: int
    default: 100
  if_recent:
    description: What to do about a mirror that was refreshed a moment ago.
    type: str
    choices: [fail, skip, wait]
    default: fail
"""

EXAMPLES = r"""
- name: Refresh a mirror
  lockstep.sync.fifth_mirror_sync:
    mirror: seven
"""

RETURN = r"""
syncs:
  description: One record for each mirror.
  returned: always
  type: list
  elements: dict
"""

from ansible_collections.lockstep.sync.plugins.module_utils._operations.module import run_as_module
from ansible_collections.lockstep.sync.plugins.module_utils._operations.operation import sync_operation
from ansible_collections.lockstep.sync.plugins.module_utils._providers.fifth.provider import Fifth

OPERATION = sync_operation(Fifth)


def main() -> None:
    run_as_module(OPERATION)


if __name__ == "__main__":
    main()
