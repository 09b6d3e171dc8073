#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: crafter_publish
short_description: Publish items or everything with Crafter Studio, and wait for the end
version_added: 1.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - Publishes items of sites, or everything, to a publishing target and waits for the end.
  - Studio has no operation that copies staging to live. The published content is that of the sandbox at that moment, so it
    includes edits made since a review of staging. If staging is enabled, publishing to live publishes to staging as well.
  - Studio accepts any target, and a publish to one that does not exist waits for ever. The module refuses such a target before it
    sends anything.
  - Up to 4.x, the response does not identify the package of a request. The module adds a unique marker to the comment and finds
    the package by it. The request is sent once. If its response is lost, the module searches for the package instead of sending
    another request.
notes:
  - Items are published with their hard dependencies. Studio does not check whether an item exists.
  - Before 3.1.4 Studio shows no packages. The module then observes the publisher, and the end may not be observable.
extends_documentation_fragment:
  - lockstep.sync._attributes
  - lockstep.sync._attributes.sync
  - lockstep.sync._connection
  - lockstep.sync._waiting
  - lockstep.sync._syncing
  - lockstep.sync._crafter
attributes:
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: none
options:
  sites:
    description:
      - Ids of the sites.
    type: list
    elements: str
    required: true
    aliases: [site, site_id]
  target:
    description:
      - The publishing target, usually V(live) or V(staging).
    type: str
    default: live
  items:
    description:
      - Paths of the items to publish. Either this or O(everything) is required.
      - The first publish of a site publishes everything, whatever is requested, so items of such a site are refused.
    type: list
    elements: str
  everything:
    description:
      - Publish the whole sandbox.
      - From 3.1.24 to 4.x this ends before Studio responds. If that response is lost, nothing shows whether it was done.
    type: bool
    default: false
  allow_initial_publish:
    description:
      - Whether everything may be published to another target than live on a site that was never published.
      - Studio makes the first publish of a site one of everything to live, whatever its target is. So it is refused, unless this
        is V(true) or O(target) is live.
    type: bool
    default: false
    version_added: 2.0.0
  comment:
    description:
      - Comment of the submission. A marker such as V([lockstep-0123456789abcdef]) is added.
    type: str
    default: ""
seealso:
  - module: lockstep.sync.crafter_staging_sync
  - module: lockstep.sync.crafter_publishing_info
  - module: lockstep.sync.sync_wait
"""

EXAMPLES = r"""
- name: Publish two pages to staging, for review
  lockstep.sync.crafter_publish:
    api_url: https://studio.example.com/studio
    api_token: "{{ vault_studio_token }}"
    site: mysite
    target: staging
    items:
      - /site/website/index.xml
      - /site/website/offers/index.xml
    comment: Summer sale
  delegate_to: localhost

- name: Bring everything live, once for each release
  lockstep.sync.crafter_publish:
    site: mysite
    everything: true
    release: "{{ release }}"
  delegate_to: localhost
"""

RETURN = r"""
syncs:
  description: One record for each site, in the order of O(sites).
  returned: always
  type: list
  elements: dict
  sample:
    - target: mysite
      provider: crafter_publish
      action: triggered
      state: succeeded
      changed: true
      changed_basis: observed
      reason: published to staging
      handle:
        provider: crafter_publish
        address: https://studio.example.com/studio
        site: mysite
        target: staging
        order: mysite/staging/5f1d7a84db00d2fc
        mark: lockstep-0123456789abcdef
        ordered_at: "2026-11-20T10:00:00Z"
      started_at: "2026-11-20T10:00:00Z"
      finished_at: "2026-11-20T10:00:04Z"
      elapsed: 4.113
      polls: 5
      requests: 15
      timed_out: false
      failure: null
      detail:
        target: staging
        paths: [/site/website/index.xml, /site/website/offers/index.xml]
        publisher: {enabled: true, status: ready}
        mark: lockstep-0123456789abcdef
        package: {state: COMPLETED}
  contains:
    target:
      description: Id of the site.
      type: str
    provider:
      description: Always V(crafter_publish).
      type: str
    action:
      description: What was done, or in check mode would be done. V(refused) covers definite refusals by the server and sites for
        which no plan could be made; see RV(syncs[].failure).
      type: str
      choices: [triggered, joined, skipped, refused, would_trigger, would_join]
    state:
      description: State of the publication.
      type: str
      choices: [succeeded, failed, running, unknown, not_started]
    changed:
      description: Whether something was published (in check mode, would be).
      type: bool
    changed_basis:
      description: The basis of RV(syncs[].changed).
      type: str
      choices: [observed, predicted, assumed]
    reason:
      description: Reason for the action, as text.
      type: str
    handle:
      description: Finds the publication again, see M(lockstep.sync.sync_wait). Null if there is none.
      type: dict
    started_at:
      description: When the request was sent, or by the server's clock, UTC.
      type: str
    finished_at:
      description: When it ended, by the server's clock where it is known, UTC.
      type: str
    elapsed:
      description: Seconds spent on this site.
      type: float
    polls:
      description: Number of times that the publication was read while waiting.
      type: int
    requests:
      description: HTTP requests sent for this site. Calls of git do not count.
      type: int
    timed_out:
      description: Whether it was not finished within O(wait_timeout).
      type: bool
    failure:
      description: Null, or the failure as C(code), C(message), C(http_status) and C(hint). If the plan is refused because it
        would put a site live that was never published, also C(guards), as in RV(syncs[].detail.guards).
      type: dict
    detail:
      description: Facts about the publication.
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
        target:
          description: The publishing target.
          type: str
        guards:
          description: The broken guards that refuse the plan, here O(allow_initial_publish).
          returned: if a guard refuses the plan
          type: list
          elements: dict
          contains:
            rule:
              description: The option that sets the limit.
              type: str
            message:
              description: What the plan would do, and what lifts the guard.
              type: str
        paths:
          description: The requested items, null for everything.
          type: list
          elements: str
        publisher:
          description: The publisher of the site before, as C(enabled) (null if the version does not show it) and C(status).
          type: dict
        mark:
          description: The marker that was added to the comment.
          type: str
        package:
          description: The package, with its C(state) as Studio reports it.
          type: dict
        cut:
          description: Set if this record was shortened because the result was too large. Its reason and dates are left out, too,
            if the results of all targets would not fit otherwise. The file at O(report_path) has everything.
          type: bool
summary:
  description: Counts over all sites.
  returned: always
  type: dict
  sample:
    {targets: 1, triggered: 1, joined: 0, skipped: 0, refused: 0, succeeded: 1, failed: 0, timed_out: 0, requests: 8, elapsed: 1}
failure:
  description: Failure of the whole task, such as an invalid option. As RV(syncs[].failure).
  returned: if there is such a failure
  type: dict
"""

from ansible_collections.lockstep.sync.plugins.module_utils._operations.module import run_as_module
from ansible_collections.lockstep.sync.plugins.module_utils._operations.operation import sync_operation
from ansible_collections.lockstep.sync.plugins.module_utils._providers.crafter.publish import CrafterPublish

OPERATION = sync_operation(CrafterPublish)


def main() -> None:
    run_as_module(OPERATION)


if __name__ == "__main__":
    main()
