# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: synced
short_description: Whether all targets are in sync after a task
version_added: 2.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - True if every target was synced, or needed no sync, and none failed. False for a sync that is still running, for one that
    check mode predicts, and for one whose outcome is unknown.
  - False for a zone that was left with known drift because it was synced too recently, see
    O(lockstep.sync.vinyldns_zone_sync#module:if_recently_synced).
  - Of an info module, true if every target is known to be in sync.
  - It works in check mode, too, and with results of tasks that failed (C(ignore_errors), C(rescue)). A task that was skipped has
    no target. A task that still runs in the background (C(async)), or whose host could not be reached, counts as a target for
    which it is false. Anything that is no such result is an error.
options:
  _input:
    description:
      - The registered result of a sync module, of M(lockstep.sync.sync_wait), or of an info module that returns V(zones) or
        V(sites); the results of such a task in a loop; a list of results; or a single record out of V(syncs), V(zones) or
        V(sites).
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Sync zones, and go on if that fails
  lockstep.sync.vinyldns_zone_sync:
    zones: [example.com., example.org.]
    max_age: 600
  register: result
  ignore_errors: true

- name: Deploy only if all zones are in sync
  ansible.builtin.debug:
    msg: all zones are in sync
  when: result is lockstep.sync.synced
"""

RETURN = r"""
_value:
  description: Whether all targets are in sync; false if there is none.
  type: bool
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.lockstep.sync.plugins.plugin_utils._results.outcomes import NotAResult, all_of


def synced(value: object) -> bool:
    try:
        return all_of(value, lambda target: target.is_synced)
    except NotAResult as error:
        raise AnsibleFilterError(f"lockstep.sync.synced: {error}") from None


class TestModule:
    def tests(self) -> dict[str, t.Callable[..., bool]]:
        return {"synced": synced}
