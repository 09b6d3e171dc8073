#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vinyldns_zone_sync
short_description: Sync zones of VinylDNS with the DNS server behind them
version_added: 1.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - Makes VinylDNS transfer zones from their backend DNS server, which overwrites its own copy of them, and waits for the
    end.
  - With O(backend), the module first transfers each zone itself, determines exactly which record sets the sync would create,
    update and delete, refuses what the guards forbid, does nothing if nothing differs, and afterwards compares the changes
    that the server made with the plan.
  - A sync is triggered once. If the response to the trigger is lost, the module searches for the run instead of starting another.
requirements:
  - dnspython >= 2.3 (if O(backend) is given)
extends_documentation_fragment:
  - lockstep.sync._attributes
  - lockstep.sync._attributes.sync
  - lockstep.sync._connection
  - lockstep.sync._waiting
  - lockstep.sync._syncing
  - lockstep.sync._vinyldns
  - lockstep.sync._vinyldns.backend
attributes:
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: partial
    details:
      - Needs O(drift=axfr). Shows the record sets that differ, at most 1000 for each zone.
options:
  zones:
    description:
      - Names or ids of the zones. International names are looked up in their ASCII form (V(xn--…)).
    type: list
    elements: str
    required: true
    aliases: [zone]
  approve:
    description:
      - Digests of plans that were reviewed (RV(syncs[].detail.drift.digest)), one for each zone. A digest lifts the limits on
        percentages and numbers for exactly that plan; any change of the zone or of its serial invalidates it.
      - The first 12 digits of a digest are enough.
    type: list
    elements: str
  only_approved:
    description:
      - Refuse each zone with changes whose plan has none of the digests in O(approve), even if it breaks no guard. So exactly the
        plans that were reviewed are carried out.
      - Needs O(approve), which may be an empty list, and O(drift=axfr).
    type: bool
    default: false
    version_added: 2.0.0
  if_recently_synced:
    description:
      - What to do if VinylDNS refuses the sync because the last one was too recent.
    type: str
    choices:
      auto: V(wait) if drift is known to exist or with O(force), else V(ok).
      ok: Consider the zone up to date.
      wait: Wait until it may be synced again, within O(wait_timeout).
      fail: Fail.
    default: auto
  sync_delay:
    description:
      - Seconds that the server requires between two syncs of a zone. VinylDNS does not show this delay, so without this
        option, or where a refusal shows that it is too short, the module tries again at the usual values (10 s to 1 h).
    type: float
  stale_after:
    description:
      - Seconds after which a sync that is still pending is taken for dead, and does not count as in flight any more. VinylDNS
        itself tries a sync whose process has ended again after an hour.
      - Before that, a pending sync counts as dead if the zone is active and a newer sync has ended.
    type: float
    default: 3900
    version_added: 2.0.0
seealso:
  - module: lockstep.sync.vinyldns_zone_info
  - module: lockstep.sync.sync_wait
  - name: VinylDNS API, sync zone
    description: The call that this module makes.
    link: https://www.vinyldns.io/api/sync-zone
"""

EXAMPLES = r"""
- name: Show which record sets a sync would change, and change nothing
  lockstep.sync.vinyldns_zone_sync:
    zones: example.com.
    backend:
      server: ns1.example.net
      tsig_name: transfer.
      tsig_secret: "{{ vault_tsig_secret }}"
  check_mode: true
  diff: true
  delegate_to: localhost

- name: Reconcile several zones, never deleting more than five record sets of one
  lockstep.sync.vinyldns_zone_sync:
    api_url: https://vinyldns.example.com:9000
    access_key: "{{ vinyldns_access_key }}"
    secret_key: "{{ vault_vinyldns_secret_key }}"
    zones:
      - example.com.
      - example.org.
    backend:
      server: ns1.example.net
    guard:
      max_deletes: 5
      protect:
        - "@/MX"
        - "_acme-challenge*/TXT"
  delegate_to: localhost

- name: Make a plan for a review
  lockstep.sync.vinyldns_zone_sync:
    zones: example.com.
    backend:
      server: ns1.example.net
  check_mode: true
  ignore_errors: true
  register: reviewed
  delegate_to: localhost

- name: Apply one plan that breaks the percentage guard and was reviewed
  lockstep.sync.vinyldns_zone_sync:
    zones: example.com.
    backend:
      server: ns1.example.net
    approve: "{{ reviewed.syncs[0].detail.drift.digest }}"
  when: reviewed is lockstep.sync.refused('guard_refused')
  delegate_to: localhost

- name: Start syncs now and wait for them later
  lockstep.sync.vinyldns_zone_sync:
    zones: "{{ zones }}"
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
  description: One record for each zone, in the order of O(zones).
  returned: always
  type: list
  elements: dict
  sample:
    - target: example.com.
      provider: vinyldns
      action: triggered
      state: succeeded
      changed: true
      changed_basis: observed
      reason: "synced: 1 created, 1 updated, 0 deleted"
      handle:
        provider: vinyldns
        address: https://vinyldns.example.com:9000
        zone: example.com.
        zone_id: 6d1c9a55-8f5b-4b8e-9d53-2f7b9e4c0a11
        change_id: c4a06d0e-3a63-4ac9-b1f8-0d7f6a3a9c55
        created: "2026-11-20T10:00:00Z"
      started_at: "2026-11-20T10:00:00Z"
      finished_at: "2026-11-20T10:00:03Z"
      elapsed: 3.412
      polls: 4
      requests: 11
      timed_out: false
      failure: null
      detail:
        fidelity: exact
        effect: {creates: 1, updates: 1, deletes: 0, complete: true}
  contains:
    target:
      description: Name of the zone with its dot (as given, if it was not found).
      type: str
    provider:
      description: Always V(vinyldns).
      type: str
    action:
      description: What was done, or in check mode would be done. V(refused) covers guards, definite refusals by the server and
        zones for which no plan could be made; see RV(syncs[].failure).
      type: str
      choices: [triggered, joined, skipped, refused, would_trigger, would_join]
    state:
      description: State of the run.
      type: str
      choices: [succeeded, failed, running, unknown, not_started]
    changed:
      description: Whether record sets of the zone were changed (in check mode, would be).
      type: bool
    changed_basis:
      description: The basis of RV(syncs[].changed).
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
      description: End of the run by the server's clock, UTC.
      type: str
    elapsed:
      description: Seconds spent on this zone.
      type: float
    polls:
      description: Number of times that the run was read while waiting.
      type: int
    requests:
      description: HTTP requests sent for this zone.
      type: int
    timed_out:
      description: Whether it was not finished within O(wait_timeout).
      type: bool
    failure:
      description: Null, or the failure as C(code), C(message), C(http_status) and C(hint). If guards refuse the plan, also
        C(guards), as in RV(syncs[].detail.guards).
      type: dict
    detail:
      description: Facts about the zone. Bulk tasks cut long lists in their results; the file at O(report_path) has everything.
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
        latest_sync:
          description: Last successful sync before this task, by the server's clock.
          type: str
        drift:
          description: The plan, if O(backend) is given. The counts include the SOA.
          type: dict
          contains:
            creates:
              description: Record sets to create.
              type: int
            updates:
              description: Record sets to update.
              type: int
            deletes:
              description: Record sets to delete.
              type: int
            ignored:
              description: How many of them O(guard.ignore) names.
              type: int
            soa_only:
              description: Whether nothing but the SOA differs, which counts as in sync.
              type: bool
            unsupported_types:
              description: Number of records by type that VinylDNS leaves out.
              type: dict
            serial:
              description: Serial of the DNS server.
              type: int
            stored_serial:
              description: Serial of the SOA in VinylDNS, as of the last sync; null if it has none.
              type: int
            digest:
              description:
                - Identifier of exactly this plan, for O(approve).
                - Empty if the DNS server has lost all records of a zone of more than 100 record sets. The zone is refused then,
                  and what would be deleted is counted and not listed, unless in check mode or diff mode, or with
                  O(report_path), O(approve) or O(guard.allow_empty).
              type: str
            records:
              description: The changes as C(name), C(type), C(action), C(before) and C(after).
              type: list
              elements: dict
            truncated:
              description: Whether C(records) is not the whole list.
              type: bool
        serial_moved:
          description:
            - Present and true if the zone was updated after each of several plans. It was synced by the newest of them, which is
              within the guards, and the sync may have taken over later updates, too. With O(approve) such a zone is not synced.
          type: bool
        effect:
          description: Record sets that the server recorded as created, updated and deleted by this sync.
          type: dict
          contains:
            creates:
              description: Number of record sets created.
              type: int
            updates:
              description: Number of record sets updated.
              type: int
            deletes:
              description: Number of record sets deleted.
              type: int
            complete:
              description:
                - Whether every change was seen. VinylDNS lists many changes with some of them repeated and others left out. Where
                  no other reading helped, or O(wait_timeout) was too short, this is false, and the numbers are those of the list.
              type: bool
        fidelity:
          description:
            - Whether the server did what was planned. V(exact) and V(differs) follow from all changes; V(incomplete) means that
              not all of them could be seen, and that those seen are as planned.
            - With V(other_sync), another sync of the zone, such as one of another controller, had made the planned changes that
              this one did not, see RV(syncs[].detail.other_syncs).
          type: str
        differences:
          description: The differences, a sentence for each record set.
          type: list
          elements: str
        other_syncs:
          description: Other syncs since the plan was made, as C(change_id) and C(created), if this one did not do all of it.
          type: list
          elements: dict
        guards:
          description: The broken guards that refuse the plan.
          type: list
          elements: dict
          contains:
            rule:
              description: The option that sets the limit, below O(guard), or V(approve).
              type: str
            message:
              description: What is wrong, and what lifts the rule.
              type: str
        cut:
          description: Set if this record was shortened because the result was too large. Its reason and dates are left out, too,
            if the results of all targets would not fit otherwise. The file at O(report_path) has everything.
          type: bool
summary:
  description: Counts over all zones.
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
    requests: 17
    elapsed: 3.6
failure:
  description: Failure of the whole task, such as an invalid option. As RV(syncs[].failure).
  returned: if there is such a failure
  type: dict
"""

from ansible_collections.lockstep.sync.plugins.module_utils._operations.module import run_as_module
from ansible_collections.lockstep.sync.plugins.module_utils._operations.operation import sync_operation
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.provider import VinylDNS

OPERATION = sync_operation(VinylDNS)


def main() -> None:
    run_as_module(OPERATION)


if __name__ == "__main__":
    main()
