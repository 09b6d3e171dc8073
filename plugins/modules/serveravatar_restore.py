#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: serveravatar_restore
short_description: Restore backups of applications on ServerAvatar
version_added: 1.1.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - Makes ServerAvatar overwrite applications with backups of them, on their own server, and waits for the end.
  - The call that starts a restore is a GET request that changes things. The module sends it once, never in check mode, and never
    as a probe. If the response to it is lost, the module searches for the restore instead of starting another.
  - ServerAvatar gives a restore no id, and does not document how to observe it. Only the row of the backup in the list of backups
    may show it, so the module compares that row with the one before the trigger; see O(if_unobservable).
  - As soon as a restore may have been accepted, the records of this host about earlier runs of
    M(lockstep.sync.serveravatar_staging_sync) for the application no longer count, so that the next run with the same release
    syncs again. In the same way, a sync invalidates the records about restores.
extends_documentation_fragment:
  - lockstep.sync._attributes
  - lockstep.sync._attributes.sync
  - lockstep.sync._connection
  - lockstep.sync._waiting
  - lockstep.sync._syncing
  - lockstep.sync._serveravatar
attributes:
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: none
options:
  backups:
    description:
      - Ids or names of the backups. Digits are an id, as RV(lockstep.sync.serveravatar_backup#module:syncs[].detail.backup) shows
        it. Names are searched among the 200 newest backups of the organization.
      - Each backup is restored to the application that it was made of. That application must be on O(server).
      - Two backups of one application are refused, as one would overwrite the other.
    type: list
    elements: str
    required: true
    aliases: [backup]
  application:
    description:
      - Name, primary domain or id of the application that all of O(backups) must belong to. Digits are an id.
      - With this option, names in O(backups) are searched among the backups of this application only.
    type: str
  if_unobservable:
    description:
      - What to do about a restore that the server accepted, if the row of the backup does not change within O(settle_grace). Its
        RV(syncs[].state) is V(unknown) in any case. It does not satisfy O(release) or O(max_age).
    type: str
    choices:
      warn: Warn that the restore was started and its completion cannot be observed.
      fail: Fail.
    default: warn
  release:
    description:
      - A name for the purpose of the restore, such as the id of a promotion that is being rolled back. A backup that was
        restored successfully for it before is skipped, unless the application was overwritten since, or may have been, from this
        host. This is read from the file at O(ledger).
    type: str
  max_age:
    description:
      - Do nothing if the last restore of this backup that this host saw succeed is at most this many seconds old, and the
        application was not overwritten since from this host. This is read from the file at O(ledger).
    type: float
  if_running:
    description:
      - What to do about a restore of the same backup that is in flight. With something else in flight on the application (a sync
        of its staging area, the restore of another backup), V(join) fails as V(fail) does. A backup that is not completed yet is
        refused in any case.
    type: str
    choices:
      join: Wait for it instead of starting another one.
      fail: Fail.
      queue: Wait until it has ended, then plan again. Also for a sync of the staging area, and whenever the server says that a
        restore is in progress.
    default: join
seealso:
  - module: lockstep.sync.serveravatar_backup
  - module: lockstep.sync.serveravatar_staging_sync
  - module: lockstep.sync.sync_wait
  - name: ServerAvatar API
    description: Documentation of the API.
    link: https://serveravatar.com/api-docs
"""

EXAMPLES = r"""
- name: Back up the shop
  lockstep.sync.serveravatar_backup:
    organization: Example
    server: production
    application: shop
    storage: Offsite S3
  register: backup
  delegate_to: localhost

- name: See whether that backup could be restored, and change nothing
  lockstep.sync.serveravatar_restore:
    organization: Example
    server: production
    application: shop
    backup: "{{ backup.syncs[0].detail.backup.id }}"
  check_mode: true
  delegate_to: localhost

- name: Restore it once for this incident, however often this runs, and insist on seeing it through
  lockstep.sync.serveravatar_restore:
    api_token: "{{ vault_serveravatar_token }}"
    organization: 5
    server: 15
    application: shop
    backup: "{{ backup.syncs[0].detail.backup.id }}"
    release: INC-4711
    if_running: queue
    settle_grace: 120
    if_unobservable: fail
  delegate_to: localhost
"""

RETURN = r"""
syncs:
  description: One record for each backup, in the order of O(backups).
  returned: always
  type: list
  elements: dict
  sample:
    - target: shop
      provider: serveravatar_restore
      action: triggered
      state: succeeded
      changed: true
      changed_basis: observed
      reason: the API does not show whether the application is as in the backup
      handle:
        provider: serveravatar_restore
        address: https://api.serveravatar.com
        organization: 5
        server: 15
        application: 88
        name: shop
        backup: 313
        before: {status: Completed, updated_at: "2026-11-20 10:01:02"}
      started_at: "2026-11-20T10:30:00Z"
      finished_at: "2026-11-20T10:31:03Z"
      elapsed: 64.21
      polls: 19
      requests: 26
      timed_out: false
      failure: null
      detail:
        backup:
          id: 313
          name: lockstep-application-20261120-100000-3f09ac
          size: 51 MB
          status: Completed
          updated_at: "2026-11-20 10:31:02"
  contains:
    target:
      description: Name of the application (the backup as given, if that or its application was not found).
      type: str
    provider:
      description: Always V(serveravatar_restore).
      type: str
    action:
      description: What was done, or in check mode would be done. V(refused) covers definite refusals by the server and
        backups for which no plan could be made; see RV(syncs[].failure).
      type: str
      choices: [triggered, joined, skipped, refused, would_trigger, would_join]
    state:
      description: State of the restore. V(unknown) if it was started and its progress could not be observed.
      type: str
      choices: [succeeded, failed, running, unknown, not_started]
    changed:
      description: Whether the application was overwritten (in check mode, would be).
      type: bool
    changed_basis:
      description: The basis of RV(syncs[].changed). V(observed) if the status of the backup showed that the restore
        succeeded, V(assumed) if only its date changed.
      type: str
      choices: [observed, predicted, assumed]
    reason:
      description: Reason for the action, as text.
      type: str
    handle:
      description: Finds the restore again, see M(lockstep.sync.sync_wait). Null if there is none.
      type: dict
    started_at:
      description: Start of the restore by the server's clock, UTC.
      type: str
    finished_at:
      description: When its end was seen, UTC. Dates of backups have no time zone.
      type: str
    elapsed:
      description: Seconds spent on this backup.
      type: float
    polls:
      description: Number of times that the restore was read while waiting.
      type: int
    requests:
      description: HTTP requests sent for this backup.
      type: int
    timed_out:
      description: Whether it was not finished within O(wait_timeout).
      type: bool
    failure:
      description: Null, or the failure as C(code), C(message), C(http_status) and C(hint). A backup that is not listed or
        has expired is V(not_found), one that failed or is of another application V(invalid_option), one that is not
        completed yet V(busy).
      type: dict
    detail:
      description: Facts about the backup.
      type: dict
      contains:
        interrupted:
          description: Present if an earlier task that was killed left the target unfinished in the ledger.
          type: dict
          contains:
            intended_at:
              description: When that task was about to send its trigger.
              type: str
            outcome:
              description: What became of it. V(running) for a run that is still in flight, V(succeeded) or V(failed) for one
                that has ended since, V(forgotten) for one that the server does not know any more, V(not_sent) if the trigger
                had not been sent yet, V(not_arrived) if it was sent and did not reach the server, V(unknown) if that cannot
                be seen.
              type: str
        backup:
          description: The backup when the restore had ended, else as it was before.
          type: dict
          contains:
            id:
              description: Its id.
              type: int
            name:
              description: Its name.
              type: str
            size:
              description: Its size as the server reports it.
              type: str
            status:
              description: Its status as the server reports it.
              type: str
            updated_at:
              description: When its row last changed, without a time zone.
              type: str
        cut:
          description: Set if this record was shortened because the result was too large. Its reason and dates are left out, too,
            if the results of all targets would not fit otherwise. The file at O(report_path) has everything.
          type: bool
summary:
  description: Counts over all backups.
  returned: always
  type: dict
  sample:
    targets: 1
    triggered: 1
    joined: 0
    skipped: 0
    refused: 0
    succeeded: 1
    failed: 0
    timed_out: 0
    requests: 26
    elapsed: 64.3
failure:
  description: Failure of the whole task, such as an invalid option. As RV(syncs[].failure).
  returned: if there is such a failure
  type: dict
"""

from ansible_collections.lockstep.sync.plugins.module_utils._operations.module import run_as_module
from ansible_collections.lockstep.sync.plugins.module_utils._operations.operation import sync_operation
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.restore import ServerAvatarRestore

OPERATION = sync_operation(ServerAvatarRestore)


def main() -> None:
    run_as_module(OPERATION)


if __name__ == "__main__":
    main()
