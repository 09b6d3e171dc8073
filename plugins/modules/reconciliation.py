#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: reconciliation
short_description: Internal to role lockstep.sync.dns_reconciliation
version_added: 2.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - One step of a reconciliation. Use the role C(lockstep.sync.dns_reconciliation), whose tasks take all steps in order. This
    module is not part of the public interface, and may change in any release.
  - It runs on the controller, and reads the variables of the role itself. The modules that it runs, and the files of the report,
    are on the host of the task.
extends_documentation_fragment:
  - lockstep.sync._attributes.role
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: full
options:
  step:
    description: What to do.
    type: str
    required: true
    choices:
      - begin
      - find_zones
      - compare
      - check_batch
      - sync
      - verify
      - record_failure
      - report
      - notify
      - show
"""

EXAMPLES = r"""
- name: Reconcile all zones of a team, with a report
  ansible.builtin.include_role:
    name: lockstep.sync.dns_reconciliation
  vars:
    dns_reconciliation_admin_group: web-team
    dns_reconciliation_report_path: /var/log/lockstep/web-team.json
"""

RETURN = r"""
proceed:
  description: Whether the next step has anything to do.
  returned: for the steps up to O(step=record_failure)
  type: bool
  sample: true
table:
  description: The zones, one a line, and what was or would be done.
  returned: for O(step=show)
  type: list
  elements: str
  sample:
    - "zone          action         creates  updates  deletes  guard  digest        verdict"
    - "example.com.  would_trigger        1        0        1  ok     8875298edb71  drift"
    - "1 zone: 1 create, 0 updates, 1 delete"
failure:
  description: What went wrong, with C(code), C(message), C(http_status) and C(hint).
  returned: on failure
  type: dict
  sample:
    code: invalid_option
    message: "option dns_reconciliation_report_path: '/var/log/lockstep' cannot be written: it is a directory"
    http_status: null
    hint: Name a file in a directory that this user may write to.
"""
