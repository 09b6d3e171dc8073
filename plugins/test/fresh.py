# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: fresh
short_description: Whether no target needs a sync
version_added: 2.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - True if every target was left alone because it was in sync, has the release already, or was synced within O(ignore:max_age).
  - False for a zone that was left with known drift because it was synced too recently, see
    O(lockstep.sync.vinyldns_zone_sync#module:if_recently_synced).
  - Of an info module, true if every target is known to be in sync or, with O(max_age), was synced not longer ago than that.
  - It works in check mode, too, and with results of tasks that failed (C(ignore_errors), C(rescue)). A task that was skipped has
    no target. A task that still runs in the background (C(async)), or whose host could not be reached, counts as a target for
    which it is false. Anything that is no such result is an error.
positional: max_age
options:
  _input:
    description:
      - The registered result of a sync module, of M(lockstep.sync.sync_wait), or of an info module that returns V(zones) or
        V(sites); the results of such a task in a loop; a list of results; or a single record out of V(syncs), V(zones) or
        V(sites).
    type: raw
    required: true
  max_age:
    description:
      - Seconds. A target whose last sync is not longer ago is fresh, even if it is not known whether it is in sync. It needs an
        age, as M(lockstep.sync.vinyldns_zone_info) returns it.
    type: float
"""

EXAMPLES = r"""
- name: Sync zones, and go on if that fails
  lockstep.sync.vinyldns_zone_sync:
    zones: [example.com., example.org.]
    max_age: 600
  register: result
  ignore_errors: true

- name: Say that there was nothing to do
  ansible.builtin.debug:
    msg: nothing to do
  when: result is lockstep.sync.fresh

- name: Look at zones
  lockstep.sync.vinyldns_zone_info:
    name_filter: "*.example.com."
  register: seen

- name: Warn of zones that were not synced for a day
  ansible.builtin.debug:
    msg: "not synced for a day: {{ seen.zones | reject('lockstep.sync.fresh', 86400) | map(attribute='zone') | join(', ') }}"
  when: seen is not lockstep.sync.fresh(86400)
"""

RETURN = r"""
_value:
  description: Whether no target needs a sync; false if there is none.
  type: bool
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.lockstep.sync.plugins.plugin_utils._results.outcomes import NotAResult, all_of


def fresh(value: object, max_age: float | None = None) -> bool:
    try:
        return all_of(value, lambda target: target.is_fresh(None if max_age is None else float(max_age)))
    except NotAResult as error:
        raise AnsibleFilterError(f"lockstep.sync.fresh: {error}") from None


class TestModule:
    def tests(self) -> dict[str, t.Callable[..., bool]]:
        return {"fresh": fresh}
