#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: plm_storage_sync
short_description: Sync the storage of a PLM Media Manager with its remote storage
version_added: 1.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - Makes a PLM Media Manager replicate its media in both directions, first to the remote storage (push), then from it (pull),
    and waits until both are completed.
  - The sync is triggered once. The server can neither list its synchronizers nor find one without its id, so if the response
    to the trigger is lost, the module sends nothing again, and fails with C(outcome_unknown).
  - Before anything is planned, in check mode too, the module reads a synchronizer that does not exist, which changes nothing and
    shows whether the server can sync. If its address is wrong, if it has no remote, if its local database is down or if it
    does not answer, the task fails and nothing is triggered.
  - The run counts as succeeded only if the server shows V(completed) for the whole, the push and the pull. An error must persist
    for three readings and two seconds before it counts, since the server also reports temporary errors. While the local database
    of the server is down, it shows an error for every synchronizer; the module recognizes this and goes on waiting for
    O(outage_grace).
  - At the start and between push and pull, states may be absent. If nothing changes for O(settle_grace) while neither
    replication is running, the run is considered lost (C(outcome_unknown)).
requirements:
  - websocket-client >= 1.3 (if O(notifications_url) is given; without it there is a warning)
extends_documentation_fragment:
  - lockstep.sync._attributes
  - lockstep.sync._attributes.sync
  - lockstep.sync._connection
  - lockstep.sync._waiting
  - lockstep.sync._syncing
  - lockstep.sync._plm
attributes:
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: none
    details:
      - The server shows nothing about the documents that a sync copies.
options:
  synchronizer:
    description:
      - Id of a run that is known to exist, for example from the RV(syncs[].handle) of an earlier task that timed out. The
        module waits for that run, and triggers none. If it has ended already, the result shows how.
      - If the server shows no state of it within O(settle_grace), nothing proves that there is such a run. Then the target is
        refused (C(outcome_unknown)), and nothing has changed.
      - With O(if_running=fail) or O(if_running=queue) the module does trigger a new run, as soon as the given one is not in
        flight.
      - Runs that this module started on the same host and that it did not see end are found without this option, see
        O(ledger).
    type: str
  notifications_url:
    description:
      - Address of the notifications of the Media Manager, V(ws://localhost:9002/notifications) for the desktop application.
        The standalone server has none.
      - A notification that the run is completed makes the module read it at once. It proves nothing, so the module polls as
        well, and problems with the notifications give a warning only.
      - No credentials and no client certificate are sent to this address.
    type: str
notes:
  - Without O(release) or O(max_age), each run of the task triggers a sync. With them, a sync is skipped by the records
    of this host, see O(ledger).
  - The server does not prevent several syncs at the same time, and some databases then silently ignore all but the first.
    Let only one host sync a Media Manager.
  - On CouchDB 2.1 and later, a run shows no state at all before it has ended. Raise O(settle_grace) above the duration of a sync
    there.
seealso:
  - module: lockstep.sync.plm_storage_sync_info
  - module: lockstep.sync.sync_wait
"""

EXAMPLES = r"""
- name: Sync the media with the remote storage and wait until both directions are completed
  lockstep.sync.plm_storage_sync:
    api_url: http://localhost:9001/api/media-manager/v0
    notifications_url: ws://localhost:9002/notifications
  delegate_to: localhost

- name: Sync once for each catalogue, however often the playbook runs
  lockstep.sync.plm_storage_sync:
    api_url: http://media.example.com/api/media-manager/v0
    release: "{{ catalogue_version }}"
    wait_timeout: 3600
  register: result
  delegate_to: localhost

- name: Wait for a run whose id is known
  lockstep.sync.plm_storage_sync:
    api_url: http://media.example.com/api/media-manager/v0
    synchronizer: "{{ result.syncs[0].handle.synchronizer }}"
  delegate_to: localhost

- name: Start a sync now and wait for it later
  lockstep.sync.plm_storage_sync:
    api_url: http://media.example.com/api/media-manager/v0
    wait: false
  register: started
  delegate_to: localhost

- name: Wait for it
  lockstep.sync.sync_wait:
    handles: "{{ started.syncs | map(attribute='handle') | select | list }}"
  delegate_to: localhost
"""

RETURN = r"""
syncs:
  description: One record, for the server.
  returned: always
  type: list
  elements: dict
  sample:
    - target: http://media.example.com/api/media-manager/v0
      provider: plm
      action: triggered
      state: succeeded
      changed: true
      changed_basis: assumed
      reason: "synced: push and pull completed"
      handle:
        provider: plm
        address: http://media.example.com/api/media-manager/v0
        synchronizer: $ee8370c0-be09-445c-b7f4-4cba853150ed+7980b24b-9735-4ef8-a3d1-ecc3f176f8dc
      started_at: "2026-11-20T10:00:00Z"
      finished_at: "2026-11-20T10:00:41Z"
      elapsed: 41.207
      polls: 16
      requests: 17
      timed_out: false
      failure: null
      detail: {state: completed, push: completed, pull: completed}
  contains:
    target:
      description: Address of the server.
      type: str
    provider:
      description: Always V(plm).
      type: str
    action:
      description: What was done, or in check mode would be done. V(refused) covers definite refusals by the server;
        see RV(syncs[].failure).
      type: str
      choices: [triggered, joined, skipped, refused, would_trigger, would_join]
    state:
      description: State of the run.
      type: str
      choices: [succeeded, failed, running, unknown, not_started]
    changed:
      description: Whether there was a run, since the server does not show what it copied (in check mode, whether there would be).
      type: bool
    changed_basis:
      description: The basis of RV(syncs[].changed).
      type: str
      choices: [observed, predicted, assumed]
    reason:
      description: Reason for the action, or how the run ended, as text.
      type: str
    handle:
      description: Finds the run again, see M(lockstep.sync.sync_wait); its C(synchronizer) is the id. Null if there is no run.
      type: dict
    started_at:
      description: When the run was triggered, UTC. Null for a run that was joined.
      type: str
    finished_at:
      description: When the end of the run was seen, UTC. The server shows no times.
      type: str
    elapsed:
      description: Seconds spent on the run.
      type: float
    polls:
      description: Number of times that the run was read while waiting.
      type: int
    requests:
      description: HTTP requests sent.
      type: int
    timed_out:
      description: Whether it was not finished within O(wait_timeout).
      type: bool
    failure:
      description: Null, or the failure as C(code), C(message), C(http_status) and C(hint).
      type: dict
    detail:
      description: The last states of a run that has ended or is lost.
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
        state:
          description: State of the whole as the server reports it, such as V(completed), V(triggered) or V(error); null if it
            has none.
          type: str
        push:
          description: State of the replication to the remote storage, in the same way.
          type: str
        pull:
          description: State of the replication from the remote storage, in the same way.
          type: str
summary:
  description: Counts, in the form that all sync modules return.
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
    requests: 17
    elapsed: 41.3
failure:
  description: Failure of the whole task, such as an invalid option. As RV(syncs[].failure).
  returned: if there is such a failure
  type: dict
"""

from ansible_collections.lockstep.sync.plugins.module_utils._operations.module import run_as_module
from ansible_collections.lockstep.sync.plugins.module_utils._operations.operation import sync_operation
from ansible_collections.lockstep.sync.plugins.module_utils._providers.plm.provider import PLM

OPERATION = sync_operation(PLM)


def main() -> None:
    run_as_module(OPERATION)


if __name__ == "__main__":
    main()
