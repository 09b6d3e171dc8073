#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: reconciliation_files
short_description: The files of role lockstep.sync.dns_reconciliation
version_added: 1.2.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - Writes the report of a reconciliation, and reads the full results of its tasks. It is made for the role
    C(lockstep.sync.dns_reconciliation), and of little use without it. Its options may change in any release.
  - The files are on the host of the task. With a local connection and without C(become) they cost no process.
extends_documentation_fragment:
  - lockstep.sync._attributes.role
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: none
    details:
      - Does the same in check mode, since a run in check mode has a report, too.
options:
  step:
    description:
      - What to do.
      - With V(begin), tell whether the role is in check mode.
      - With V(prepare), have the directory of a report, and fail if it cannot be written there.
      - With V(scratch), make a directory for results.
      - With V(read), read the results in it.
      - With V(remove), remove it.
      - With V(write), write a report.
    type: str
    required: true
    choices:
      - begin
      - prepare
      - scratch
      - read
      - remove
      - write
  path:
    description:
      - The JSON file of the report, or the directory of results. Needed by all steps but V(begin) and V(scratch).
    type: str
  count:
    description:
      - Number of results. Needed by O(step=read).
    type: int
  contents:
    description:
      - The report as JSON, as Markdown and as HTML. Needed by O(step=write).
    type: list
    elements: str
seealso:
  - module: lockstep.sync.vinyldns_zone_sync
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
check_mode:
  description: Whether the task is in check mode, be it by itself, by its role or with the whole play.
  returned: always
  type: bool
  sample: false
path:
  description: The directory that was made.
  returned: for O(step=scratch)
  type: str
  sample: /there/lockstep.k3v9x0aa
contents:
  description: The results that were read.
  returned: for O(step=read)
  type: list
  elements: dict
  sample: []
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
