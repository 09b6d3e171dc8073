#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: crafter_staging_sync
short_description: Reset staging of Crafter Studio sites to live
version_added: 1.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - Makes Crafter Studio reset the C(staging) branch of the published repository of sites to C(live). Content that was published
    to staging only is lost.
  - The module first checks what Studio does not, namely that the site has staging enabled, that it was published, and that the
    branch is the intended one. It waits until nothing is being published, and sends the request once.
  - With O(published_repo), the module compares the trees of both branches, does nothing if they are equal, shows which paths
    would be lost, and confirms afterwards that the branch has moved. A lost response is resolved in the same way.
  - Without O(published_repo) it is unknown whether there is anything to do, and what was done, as no API of Studio shows the
    branches, and a reset does not change what Studio records of its items. Then each run resets staging, unless O(release) or
    O(max_age) say that it was done before, and RV(syncs[].changed) is V(true) with RV(syncs[].changed_basis=assumed).
notes:
  - The endpoint exists in Studio 3.0.14 to 4.1. It was removed in 4.2.0 without a replacement; there the module fails before it
    sends anything.
  - Delivery nodes do not notice a reset, since their deployer pulls and merges and the branch moves without a commit
    (U(https://github.com/craftersoftware/craftercms/issues/4086)). The module warns of this after each reset.
  - Blob stores such as S3 are not reset, only the repository is.
requirements:
  - git (if O(published_repo) is given)
extends_documentation_fragment:
  - lockstep.sync._attributes
  - lockstep.sync._attributes.sync
  - lockstep.sync._connection
  - lockstep.sync._waiting
  - lockstep.sync._syncing
  - lockstep.sync._crafter
  - lockstep.sync._crafter.repository
attributes:
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: partial
    details:
      - With O(published_repo) shows the paths that differ and the ids of their contents, at most 1000 for each site.
      - Without it, on Studio 4.x, shows the items that Studio lists as staged, never live. A reset does not change these states.
options:
  sites:
    description:
      - Ids of the sites.
    type: list
    elements: str
    required: true
    aliases: [site, site_id]
  environment:
    description:
      - Name of the staging branch. Studio resets the branch that its configuration names, so another name is an error here.
      - With O(endpoint=sync-staging) the name is sent, and Studio decides.
    type: str
    default: staging
  endpoint:
    description:
      - Which endpoint to call. It is never found out by trial.
    type: str
    choices:
      auto: By the version of Studio, V(reset-staging) where it is not known.
      sync-staging: The one that was documented until 2019, which no release has. For a Studio that offers it all the same.
      reset-staging: The one of Studio 3.0.14 to 4.1.
    default: auto
  require_staging_enabled:
    description:
      - Whether to refuse sites that do not have staging enabled. Studio itself would make the branch and say OK.
    type: bool
    default: true
seealso:
  - module: lockstep.sync.crafter_publishing_info
  - module: lockstep.sync.crafter_publish
  - name: Crafter Studio, staging
    description: What staging is.
    link: https://craftercms.com/docs/current/by-role/common/staging.html
"""

EXAMPLES = r"""
- name: Show what would be lost, and change nothing
  lockstep.sync.crafter_staging_sync:
    api_url: https://studio.example.com/studio
    api_token: "{{ vault_studio_token }}"
    site: mysite
    published_repo: /opt/crafter/data/repos/sites/mysite/published
  check_mode: true
  diff: true

- name: Make staging of several sites what live is
  lockstep.sync.crafter_staging_sync:
    api_url: https://studio.example.com/studio
    api_token: "{{ vault_studio_token }}"
    sites:
      - mysite
      - shop
    published_repo: ssh://crafter@studio.example.com/opt/crafter/data/repos/sites/{site}/published
  delegate_to: localhost

- name: Without access to the repository, once for each release
  lockstep.sync.crafter_staging_sync:
    site: mysite
    release: "{{ release }}"
  delegate_to: localhost

- name: Studio 3.1, with a session
  lockstep.sync.crafter_staging_sync:
    api_url: https://studio.example.com:8443/studio
    username: publisher
    password: "{{ vault_studio_password }}"
    site: mysite
  delegate_to: localhost

- name: The endpoint that was once documented
  lockstep.sync.crafter_staging_sync:
    endpoint: sync-staging
    site_id: mysite
    environment: qa
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
      provider: crafter
      action: triggered
      state: succeeded
      changed: true
      changed_basis: observed
      reason: staging is at 0f3c1d9e7a52 as live is
      handle:
        provider: crafter
        address: https://studio.example.com/studio
        site: mysite
        environment: staging
        endpoint: reset-staging
        finished_at: "2026-11-20T10:00:00Z"
        staging_before: 9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d17f2a9c0
      started_at: "2026-11-20T10:00:00Z"
      finished_at: "2026-11-20T10:00:00Z"
      elapsed: 0.612
      polls: 0
      requests: 8
      timed_out: false
      failure: null
      detail:
        endpoint: reset-staging
        environment: staging
        publisher: {enabled: true, status: ready, packages: {running: 0, due: 0, scheduled: 0}}
        refs:
          before: {live: 0f3c1d9e7a52b1d2c3e4f5a69788796a5b4c3d2e, staging: 9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d17f2a9c0}
          after: {live: 0f3c1d9e7a52b1d2c3e4f5a69788796a5b4c3d2e, staging: 0f3c1d9e7a52b1d2c3e4f5a69788796a5b4c3d2e}
        lost:
          added: 1
          modified: 1
          paths: [site/website/index.xml, site/website/offers/index.xml]
          tag: 2026-01-02T090000000Z_published_on_2026-01-02T090001000Z
        only_live: {count: 0, paths: []}
  contains:
    target:
      description: Id of the site.
      type: str
    provider:
      description: Always V(crafter).
      type: str
    action:
      description: What was done, or in check mode would be done. V(refused) covers definite refusals by the server and sites for
        which no plan could be made; see RV(syncs[].failure).
      type: str
      choices: [triggered, joined, skipped, refused, would_trigger, would_join]
    state:
      description: State of the reset.
      type: str
      choices: [succeeded, failed, running, unknown, not_started]
    changed:
      description: Whether the staging branch was moved (in check mode, would be).
      type: bool
    changed_basis:
      description: The basis of RV(syncs[].changed). V(observed) needs O(published_repo).
      type: str
      choices: [observed, predicted, assumed]
    reason:
      description: Reason for the action, as text.
      type: str
    handle:
      description: Finds the reset again, see M(lockstep.sync.sync_wait). Null if there is none.
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
      description: Number of times that the reset was read while waiting.
      type: int
    requests:
      description: HTTP requests sent for this site. Calls of git do not count.
      type: int
    timed_out:
      description: Whether it was not finished within O(wait_timeout).
      type: bool
    failure:
      description: Null, or the failure as C(code), C(message), C(http_status) and C(hint).
      type: dict
    detail:
      description: Facts about the site. Long lists are cut in the results of bulk tasks; the file at O(report_path) has all.
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
        endpoint:
          description: The endpoint that was chosen, V(sync-staging) or V(reset-staging).
          type: str
        environment:
          description: The staging branch.
          type: str
        publisher:
          description: The publisher of the site before, as C(enabled) (null where the version does not have it), C(status), and
            C(packages) with the numbers of packages that are C(running), C(due) and C(scheduled) for later (null where the
            account or the version cannot read them).
          type: dict
        refs:
          description: Commit ids of C(live) and C(staging), C(before) and C(after) the reset, if O(published_repo) is given.
          type: dict
        lost:
          description: What the reset drops from staging, if O(published_repo) is given and the branches differ.
          type: dict
          contains:
            added:
              description: Number of paths that only staging has.
              type: int
            modified:
              description: Number of paths that have another content on live.
              type: int
            paths:
              description: These paths, at most 1000.
              type: list
              elements: str
            tag:
              description: The newest tag on the commit that the reset drops, from which it can be restored; null if there is
                none. Publishing items makes such tags.
              type: str
        only_live:
          description: What live has and staging does not, as C(count) and C(paths) (at most 1000), if O(published_repo) is given
            and the branches differ.
          type: dict
        staged_not_live:
          description: Paths that Studio 4.x lists as staged and never live, if O(published_repo) is not given. No evidence, since
            a reset does not change the list.
          type: list
          elements: str
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
from ansible_collections.lockstep.sync.plugins.module_utils._providers.crafter.provider import Crafter

OPERATION = sync_operation(Crafter)


def main() -> None:
    run_as_module(OPERATION)


if __name__ == "__main__":
    main()
