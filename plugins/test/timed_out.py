# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: timed_out
short_description: Whether a target was not finished in time
version_added: 2.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - True if waiting for at least one target ended before its sync did. Such a sync goes on at the server;
    M(lockstep.sync.sync_wait) waits for it.
  - It works in check mode, too, and with results of tasks that failed (C(ignore_errors), C(rescue)). A task that was skipped has
    no target. Anything that is no such result is an error.
options:
  _input:
    description:
      - The registered result of a sync module, of M(lockstep.sync.sync_wait); the results of such a task in a loop; a list of
        results; or a single record out of V(syncs).
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

- name: Wait longer
  lockstep.sync.sync_wait:
    handles: "{{ result.syncs | selectattr('timed_out') | map(attribute='handle') | list }}"
    wait_timeout: 3600
  when: result is lockstep.sync.timed_out
"""

RETURN = r"""
_value:
  description: Whether at least one target was not finished in time.
  type: bool
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.lockstep.sync.plugins.plugin_utils._results.outcomes import NotAResult, any_of


def timed_out(value: object) -> bool:
    try:
        return any_of(value, lambda target: target.timed_out or target.code == "timed_out")
    except NotAResult as error:
        raise AnsibleFilterError(f"lockstep.sync.timed_out: {error}") from None


class TestModule:
    def tests(self) -> dict[str, t.Callable[..., bool]]:
        return {"timed_out": timed_out}
