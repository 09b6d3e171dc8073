#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: promotion
short_description: Internal to role lockstep.sync.staging_promotion
version_added: 1.1.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - One step of a promotion. Use the role C(lockstep.sync.staging_promotion), whose tasks take all steps in order. This module is
    not part of the public interface, and may change in any release.
  - It runs on the controller, and reads the variables of the role itself.
extends_documentation_fragment:
  - lockstep.sync._attributes.role
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
options:
  step:
    description: What to do.
    type: str
    required: true
    choices:
      - start
      - inspect
      - preflight
      - gate
      - approval
      - lock
      - begin_wave
      - backup
      - sync
      - verify
      - rollback
      - hooks
      - record_failure
      - report
      - notify
      - show
  run:
    description: RV(run) of O(step=start). Needed by all other steps.
    type: str
  target:
    description: Index of the target that the step is about.
    type: int
  wave:
    description: Number of the wave that the step is about, from 1.
    type: int
  moment:
    description: The moment whose task files are asked for, for O(step=hooks).
    type: str
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
  returned: for all steps but O(step=show)
  type: bool
  sample: true
msg:
  description: What was found or done.
  returned: always
  type: str
  sample: "shop: the API does not show whether production is up to date"
run:
  description: Id of the run.
  returned: for O(step=start)
  type: str
  sample: p-20261120-214512-3f09ac
table:
  description: The targets, one a line, and what was or would be done.
  returned: for O(step=show)
  type: list
  elements: str
  sample:
    - "target  provider       action         backup   guard  verify  verdict"
    - "shop    serveravatar   would_trigger  planned  ok     -       planned"
    - "1 target, release 2026.11, digest 11e01a477b43477b"
"""
