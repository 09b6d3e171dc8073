# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What every module of the collection supports, and what it needs."""

    DOCUMENTATION = r"""
options: {}
requirements:
  - requests >= 2.28 (on the host that runs the module)
attributes:
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
    details:
      - Over a local connection, with the Python that runs Ansible, without C(become) and C(async), the module needs no process
        of its own. It then shows its progress on standard error, unless C(no_log) is set.
  platform:
    description: Target operating systems on which the module can run.
    support: full
    platforms: posix
notes:
  - The module runs where the task runs. As it only uses HTTP (and DNS), that usually is the controller, see the examples.
"""

    ROLE = r"""
options: {}
attributes:
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: none
  platform:
    description: Target OS/families that can be operated against.
    support: full
    platforms: posix
"""

    SYNC = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details:
      - Gathers the same evidence and makes the same plan as a real run, and sends no mutating request.
      - Fails where the real run would certainly fail.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
    support: partial
    details:
      - By evidence if the API gives any, else by O(release) or O(max_age). Without any of these each run triggers a sync.
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details:
      - This module only reads.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: N/A
    details:
      - This module only reads.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
    support: full
"""
