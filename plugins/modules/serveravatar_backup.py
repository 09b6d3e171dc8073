#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: serveravatar_backup
short_description: Make instant backups of applications on ServerAvatar
version_added: 1.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - Requests an instant backup of applications and waits until it is completed. RV(syncs[].detail.backup) has the id that a
    restore needs.
  - The response of ServerAvatar does not identify the backup. The module gives each backup a unique name, and finds it by this
    name and by an id greater than that of any earlier backup.
  - A backup is requested once. If the response is lost, the module searches for the backup instead of requesting another one.
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
  applications:
    description:
      - Names, primary domains or ids of the applications. Digits are an id.
    type: list
    elements: str
    required: true
    aliases: [application]
  storage:
    description:
      - Name or id of the storage provider of the organization that the backup goes to. Digits are an id.
    type: str
    required: true
  type:
    description:
      - What to back up.
    type: str
    choices:
      application: Files and database.
      filesystem: Files only.
      database: The database only.
    default: application
  database:
    description:
      - Name or id of the database. Digits are an id.
      - Without this option it is the production database that the staging area of the application shows. An application without
        staging area is then backed up with a warning, or not at all with O(type=database).
    type: str
  name:
    description:
      - Name of the backup. The default is composed of O(type), O(release) and the time.
      - With a given name, backups that were made for O(release) are known from the file at O(ledger) only.
    type: str
  retention_period:
    description:
      - How long to keep the backup, if the storage is that of ServerAvatar itself.
    type: str
    choices: [1 Month, 2 Months, 3 Months, 6 Months, 12 Months, 24 Months]
    default: 1 Month
  application_extension:
    description:
      - Format of the files.
    type: str
    choices: [.tar, .tar.gz]
    default: .tar.gz
  database_extension:
    description:
      - Format of the database.
    type: str
    choices: [.sql, .sql.gz]
    default: .sql.gz
  release:
    description:
      - A name for the purpose of the backup, such as the release that will be deployed. An application with such a backup is
        skipped, and RV(syncs[].detail.backup) has that backup.
      - A backup made for a release is known by its name, on any host, among the 200 newest of the organization; else by the file
        at O(ledger).
    type: str
  max_age:
    description:
      - Do nothing if the last backup that this host saw completed, of this O(type) and in this O(storage), is at most this many
        seconds old. Dates in the API have no time zone, so the time is read from the file at O(ledger).
    type: float
  if_running:
    description:
      - What to do about a running backup that was requested for the same purpose. Others are ignored.
    type: str
    choices:
      join: Wait for it instead of starting another one.
      fail: Fail.
      queue: Wait until it has ended, then plan again.
    default: join
seealso:
  - module: lockstep.sync.serveravatar_restore
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
  register: result
  delegate_to: localhost

- name: Show the id that a restore needs
  ansible.builtin.debug:
    msg: "{{ result.syncs[0].detail.backup.id }}"

- name: Make one backup before release 2026.11, however often this runs
  lockstep.sync.serveravatar_backup:
    api_token: "{{ vault_serveravatar_token }}"
    organization: 5
    server: 15
    applications: [88, 90]
    storage: 7
    release: "2026.11"
  delegate_to: localhost

- name: Back up a database unless that was done within the last hour
  lockstep.sync.serveravatar_backup:
    organization: Example
    server: production
    application: shop
    storage: ServerAvatar Storage
    type: database
    database: shop
    retention_period: 3 Months
    max_age: 3600
  delegate_to: localhost
"""

RETURN = r"""
syncs:
  description: One record for each application, in the order of O(applications).
  returned: always
  type: list
  elements: dict
  sample:
    - target: shop
      provider: serveravatar_backup
      action: triggered
      state: succeeded
      changed: true
      changed_basis: observed
      reason: no such backup is known
      handle:
        provider: serveravatar_backup
        address: https://api.serveravatar.com
        organization: 5
        server: 15
        application: 88
        name: shop
        type: application
        storage: 7
        database: 48
        backup: lockstep-application-20261120-100000-3f09ac
        after: 312
        ordered_at: "2026-11-20T10:00:00Z"
      started_at: "2026-11-20T10:00:00Z"
      finished_at: "2026-11-20T10:01:03Z"
      elapsed: 64.21
      polls: 19
      requests: 24
      timed_out: false
      failure: null
      detail:
        backup: {id: 313, name: lockstep-application-20261120-100000-3f09ac, size: 51 MB, status: Completed}
  contains:
    target:
      description: Name of the application (as given, if it was not found).
      type: str
    provider:
      description: Always V(serveravatar_backup).
      type: str
    action:
      description: What was done, or in check mode would be done. V(refused) covers definite refusals by the server and
        applications for which no plan could be made; see RV(syncs[].failure).
      type: str
      choices: [triggered, joined, skipped, refused, would_trigger, would_join]
    state:
      description: State of the backup.
      type: str
      choices: [succeeded, failed, running, unknown, not_started]
    changed:
      description: Whether a backup was made (in check mode, would be).
      type: bool
    changed_basis:
      description: The basis of RV(syncs[].changed).
      type: str
      choices: [observed, predicted, assumed]
    reason:
      description: Reason for the action, as text.
      type: str
    handle:
      description: Finds the backup again, see M(lockstep.sync.sync_wait). Null if none was ordered.
      type: dict
    started_at:
      description: When it was ordered by the server's clock, UTC.
      type: str
    finished_at:
      description: When its end was seen, UTC. Dates of backups have no time zone.
      type: str
    elapsed:
      description: Seconds spent on this application.
      type: float
    polls:
      description: Number of times that the backup was read while waiting.
      type: int
    requests:
      description: HTTP requests sent for this application.
      type: int
    timed_out:
      description: Whether it was not finished within O(wait_timeout).
      type: bool
    failure:
      description: Null, or the failure as C(code), C(message), C(http_status) and C(hint).
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
          description: The backup that was made. If the application was skipped, the newest one of the same purpose, or null if
            none was found.
          type: dict
          contains:
            id:
              description: Id, for a restore.
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
        cut:
          description: Set if this record was shortened because the result was too large. Its reason and dates are left out, too,
            if the results of all targets would not fit otherwise. The file at O(report_path) has everything.
          type: bool
summary:
  description: Counts over all applications.
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
    requests: 24
    elapsed: 64.3
failure:
  description: Failure of the whole task, such as an invalid option. As RV(syncs[].failure).
  returned: if there is such a failure
  type: dict
"""

from ansible_collections.lockstep.sync.plugins.module_utils._operations.module import run_as_module
from ansible_collections.lockstep.sync.plugins.module_utils._operations.operation import sync_operation
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.backup import ServerAvatarBackup

OPERATION = sync_operation(ServerAvatarBackup)


def main() -> None:
    run_as_module(OPERATION)


if __name__ == "__main__":
    main()
