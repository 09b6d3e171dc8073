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
  max_running:
    description:
      - How many targets may be under way at once, from the moment in which the module looks for one until it is done. So no more
        runs than this are in flight at the server, as far as the module waits for them (O(wait)). The time of
        O(ignore:wait_timeout) begins for each target when its turn comes.
      - Without it, VinylDNS, which queues syncs, gets as many as it is able to do within a quarter of O(ignore:wait_timeout) by
        its pace so far, and at least 250. Other servers get O(ignore:max_parallel).
    type: int
    version_added: 2.0.0
  fail_fast:
    description:
      - Whether nothing new is started after the first target that failed. Runs in flight are followed to their ends. What was not
        started fails as C(guard_refused), with this option as the broken rule.
    type: bool
    default: false
    version_added: 2.0.0
  max_failures:
    description:
      - With so many failed targets, nothing new is started, as with O(fail_fast).
    type: int
    version_added: 2.0.0
  force:
    description:
      - Sync even if the evidence, O(release) or O(max_age) say that there is nothing to do. Does not lift any guard, and
        does not start a second run while one is in flight.
    type: bool
    default: false
"""
