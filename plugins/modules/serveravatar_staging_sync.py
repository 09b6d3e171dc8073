#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: serveravatar_staging_sync
short_description: Overwrite production applications on ServerAvatar with their staging areas
version_added: 1.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - Makes ServerAvatar overwrite production applications, files and database, with their staging areas, and waits for the
    end.
  - The call that starts a sync is a GET request that changes things. The module sends it once, never in check mode, and never
    as a probe. If the response to it is lost, the module searches for the run instead of starting another one.
  - ServerAvatar gives a run no id. The API only shows the status row of the staging area, so the module compares that row
    with the one before the trigger. It is not documented whether a sync changes the row; see O(if_unobservable).
  - ServerAvatar does not show what a sync would change, so use O(release) or O(max_age) to make the task idempotent.
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
      - Names, primary domains or ids of the production applications. Digits are an id.
    type: list
    elements: str
    required: true
    aliases: [application]
  require_staging:
    description:
      - Whether to check first that the application has a staging area. Without this check, the refusal of the server decides.
    type: bool
    default: true
  if_unobservable:
    description:
      - What to do about a sync that the server accepted, and whose status row does not change within O(settle_grace). Its
        RV(syncs[].state) is V(unknown) in any case. It does not satisfy O(release) or O(max_age).
    type: str
    choices:
      warn: Warn that the sync was started and its completion cannot be observed.
      fail: Fail.
    default: warn
  max_age:
    description:
      - Do nothing if the last sync that this host saw succeed is at most this many seconds old. ServerAvatar does not show its
        time, so it is read from the file at O(ledger).
    type: float
  release:
    description:
      - A name for the content that is synced. An application to which this release was synced successfully before is
        skipped, unless M(lockstep.sync.serveravatar_restore) has overwritten it since, or may have, from this host.
    type: str
seealso:
  - module: lockstep.sync.serveravatar_staging_info
  - module: lockstep.sync.serveravatar_backup
  - module: lockstep.sync.serveravatar_restore
  - module: lockstep.sync.sync_wait
  - name: ServerAvatar API, sync of a staging area
    description: The call that this module makes.
    link: https://serveravatar.com/api-docs/endpoint/staging-area/sync
"""

EXAMPLES = r"""
- name: Check whether the shop could be promoted, and change nothing
  lockstep.sync.serveravatar_staging_sync:
    organization: Example
    server: production
    application: shop
  check_mode: true
  delegate_to: localhost

- name: Promote release 2026.11 of two applications, once
  lockstep.sync.serveravatar_staging_sync:
    api_token: "{{ vault_serveravatar_token }}"
    organization: 5
    server: 192.0.2.15
    applications:
      - shop
      - blog.example.com
    release: "2026.11"
  delegate_to: localhost

- name: Wait while the application is busy, then promote, and fail unless the end was observed
  lockstep.sync.serveravatar_staging_sync:
    organization: Example
    server: production
    application: shop
    if_running: queue
    settle_grace: 120
    if_unobservable: fail
  delegate_to: localhost

- name: Start now and wait later
  lockstep.sync.serveravatar_staging_sync:
    organization: Example
    server: production
    applications: "{{ applications }}"
    wait: false
  register: started
  delegate_to: localhost

- name: Wait for them
  lockstep.sync.sync_wait:
    handles: "{{ started.syncs | map(attribute='handle') | select | list }}"
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
      provider: serveravatar
      action: triggered
      state: succeeded
      changed: true
      changed_basis: observed
      reason: the API does not show whether production is up to date
      handle:
        provider: serveravatar
        address: https://api.serveravatar.com
        organization: 5
        server: 15
        application: 88
        name: shop
        before: {id: 42, status: Completed, updated_at: "2026-11-12 23:09:35", percentage: 100}
      started_at: "2026-11-20T10:00:00Z"
      finished_at: "2026-11-20T10:01:03Z"
      elapsed: 64.21
      polls: 19
      requests: 24
      timed_out: false
      failure: null
      detail:
        ids: {organization: 5, server: 15, application: 88}
        disk_usage: 41.0
        staging:
          available: true
          server: 192.0.2.15
          application: shop-staging
          domain: staging.shop.example.com
          database: shop_staging
        status: {text: Completed, percent: 100, state: Completed, updated_at: "2026-11-20 10:01:02"}
  contains:
    target:
      description: Name of the application (as given, if it was not found).
      type: str
    provider:
      description: Always V(serveravatar).
      type: str
    action:
      description: What was done, or in check mode would be done. V(refused) covers definite refusals by the server and
        applications for which no plan could be made; see RV(syncs[].failure).
      type: str
      choices: [triggered, joined, skipped, refused, would_trigger, would_join]
    state:
      description: State of the run. V(unknown) if the sync was started and its progress could not be observed.
      type: str
      choices: [succeeded, failed, running, unknown, not_started]
    changed:
      description: Whether production was overwritten (in check mode, would be).
      type: bool
    changed_basis:
      description: The basis of RV(syncs[].changed). V(observed) if the status row said that the run succeeded.
      type: str
      choices: [observed, predicted, assumed]
    reason:
      description: Reason for the action, as text.
      type: str
    handle:
      description: Finds the run again, see M(lockstep.sync.sync_wait). Null if there is no run.
      type: dict
    started_at:
      description: Start of the run by the server's clock, UTC.
      type: str
    finished_at:
      description: When the end of the run was seen, UTC. Dates in status rows have no time zone.
      type: str
    elapsed:
      description: Seconds spent on this application.
      type: float
    polls:
      description: Number of times that the run was read while waiting.
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
      description: Facts about the application. Cut in the results of large bulk tasks; the file at O(report_path) has everything.
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
        ids:
          description: The ids of C(organization), C(server) and C(application).
          type: dict
        disk_usage:
          description: Percent of the disk of the production server that is in use. Only if the API shows it, and no sync was
            running before.
          type: float
        staging:
          description: The staging area, as in RV(lockstep.sync.serveravatar_staging_info#module:applications[].staging). Null
            without O(require_staging).
          type: dict
        status:
          description: The status row when the run had ended, else as it was before, as C(text), C(percent), C(state) and
            C(updated_at) as the server reports them. Null if there is none.
          type: dict
        cut:
          description: Set if this record was shortened because the result was too large. Its reason and dates are left out, too,
            if the results of all targets would not fit otherwise. The file at O(report_path) has everything.
          type: bool
summary:
  description: Counts over all applications.
  returned: always
  type: dict
  sample:
    targets: 2
    triggered: 1
    joined: 0
    skipped: 1
    refused: 0
    succeeded: 1
    failed: 0
    timed_out: 0
    requests: 29
    elapsed: 64.3
failure:
  description: Failure of the whole task, such as an invalid option. As RV(syncs[].failure).
  returned: if there is such a failure
  type: dict
"""

from ansible_collections.lockstep.sync.plugins.module_utils._operations.module import run_as_module
from ansible_collections.lockstep.sync.plugins.module_utils._operations.operation import sync_operation
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.provider import ServerAvatar

OPERATION = sync_operation(ServerAvatar)


def main() -> None:
    run_as_module(OPERATION)


if __name__ == "__main__":
    main()
