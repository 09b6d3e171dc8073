#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: promotion
short_description: A step of role lockstep.sync.staging_promotion
version_added: 1.1.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - Takes one step of a promotion from staging to production. It is made for the role C(lockstep.sync.staging_promotion), which
    takes all of them in order, and of little use without it. Its options may change in any release.
  - It runs on the controller, and calls the modules of the collection where the task runs. What is known of a run lies in the
    temporary directory of the ansible process between the steps. What later runs have to know lies in the ledger file.
extends_documentation_fragment:
  - lockstep.sync._attributes.role
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
options:
  step:
    description:
      - What to do. V(begin) is the first one, V(report) and V(notify) are the last ones.
    type: str
    required: true
    choices:
      - begin
      - look
      - judge
      - gate
      - approve
      - lock
      - wave
      - backup
      - sync
      - verify
      - rollback
      - hooks
      - trouble
      - report
      - notify
  run:
    description:
      - RV(run) of O(step=begin). Needed by all other steps.
    type: str
  settings:
    description:
      - The variables of the role without their prefix.
    type: dict
    required: true
  target:
    description:
      - Position of the target that the step is about, from 0.
    type: int
  wave:
    description:
      - Number of the wave that the step is about, from 1.
    type: int
  message:
    description:
      - What went wrong, for O(step=trouble). The moment, for O(step=hooks).
    type: str
seealso:
  - module: lockstep.sync.serveravatar_staging_sync
  - module: lockstep.sync.crafter_publish
  - module: lockstep.sync.plm_storage_sync
  - module: lockstep.sync.http_probe
"""

EXAMPLES = r"""
- name: Promote the staging copy of the shop
  ansible.builtin.include_role:
    name: lockstep.sync.staging_promotion
  vars:
    staging_promotion_release: "2026.11"
    staging_promotion_targets:
      - provider: serveravatar
        options:
          organization: Example
          server: production
          application: shop
"""

RETURN = r"""
proceed:
  description: Whether the run goes on.
  returned: always
  type: bool
  sample: true
msg:
  description: What was found or done, in words.
  returned: always
  type: str
  sample: "shop: the API does not show whether production is up to date"
run:
  description: Id of the run.
  returned: for O(step=begin)
  type: str
  sample: p-20261120-214512-3f09ac
rollback:
  description: Targets that have to be rolled back.
  returned: for O(step=verify) and O(step=trouble)
  type: list
  elements: dict
  sample: []
report:
  description: The essentials of the report.
  returned: for O(step=report)
  type: dict
  sample:
    verdict: succeeded
    ok: true
    run: p-20261120-214512-3f09ac
    release: "2026.11"
    digest: 1f0c2a9be7d84c35
    message: "succeeded. shop: status row says completed; 2 of 2 probes are green."
    path: ""
"""
