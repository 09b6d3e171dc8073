# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: refused
short_description: Whether a sync was refused
version_added: 2.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - True if nothing was started for at least one target, because a guard or the server refused it, or no plan could be made.
  - It works in check mode, too, and with results of tasks that failed (C(ignore_errors), C(rescue)). A task that was skipped has
    no target. Anything that is no such result is an error.
positional: code
options:
  _input:
    description:
      - The registered result of a sync module, of M(lockstep.sync.sync_wait); the results of such a task in a loop; a list of
        results; or a single record out of V(syncs).
    type: raw
    required: true
  code:
    description:
      - Count only refusals with this failure code, for example V(guard_refused).
    type: str
"""

EXAMPLES = r"""
- name: Sync zones, and go on if that fails
  lockstep.sync.vinyldns_zone_sync:
    zones: [example.com., example.org.]
    max_age: 600
  register: result
  ignore_errors: true

- name: Ask somebody to look at the plan
  ansible.builtin.debug:
    msg: "{{ result | lockstep.sync.drift_table }}"
  when: result is lockstep.sync.refused('guard_refused')
"""

RETURN = r"""
_value:
  description: Whether at least one sync was refused.
  type: bool
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.lockstep.sync.plugins.plugin_utils._results.outcomes import NotAResult, any_of


def refused(value: object, code: str | None = None) -> bool:
    try:
        return any_of(value, lambda target: target.action == "refused" and code in (None, target.code))
    except NotAResult as error:
        raise AnsibleFilterError(f"lockstep.sync.refused: {error}") from None


class TestModule:
    def tests(self) -> dict[str, t.Callable[..., bool]]:
        return {"refused": refused}
