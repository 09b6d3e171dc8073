# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the sync modules of all providers have in common."""

    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Whether to wait until the run has ended. Without waiting, the C(handle) in the result identifies it for
        M(lockstep.sync.sync_wait).
    type: bool
    default: true
  if_running:
    description:
      - What to do about a run that is already in flight.
    type: str
    choices:
      join: Wait for it instead of starting another one.
      fail: Fail.
      queue: Wait until it has ended, then plan again.
    default: join
  max_age:
    description:
      - Do nothing if the last successful sync of the target is at most this many seconds old.
    type: float
  release:
    description:
      - A name for the content that is synced. A target to which this release was synced successfully before is
        skipped.
      - It has to be text. A number or a date is refused, because YAML reads V(2026.10) without quotes as the number 2026.1, and
        V(010) as 8.
    type: str
  force:
    description:
      - Sync even if the evidence, O(release) or O(max_age) say that there is nothing to do. Does not lift any guard, and
        does not start a second run while one is in flight.
    type: bool
    default: false
"""
