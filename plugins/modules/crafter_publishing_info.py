#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: crafter_publishing_info
short_description: Read publishing targets, publishers and branches of Crafter Studio sites
version_added: 1.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - Returns the state of publishing in sites of Crafter Studio, and with O(published_repo) whether staging equals live.
requirements:
  - git (if O(published_repo) is given)
extends_documentation_fragment:
  - lockstep.sync._attributes
  - lockstep.sync._attributes.info
  - lockstep.sync._connection
  - lockstep.sync._connection.info
  - lockstep.sync._crafter
  - lockstep.sync._crafter.repository
options:
  sites:
    description:
      - Ids of the sites. A site that Studio does not have gives an entry with RV(sites[].exists=false).
      - Without this option, all sites that the account may see.
    type: list
    elements: str
    aliases: [site, site_id]
seealso:
  - module: lockstep.sync.crafter_staging_sync
  - module: lockstep.sync.crafter_publish
"""

EXAMPLES = r"""
- name: Read all sites
  lockstep.sync.crafter_publishing_info:
    api_url: https://studio.example.com/studio
    api_token: "{{ vault_studio_token }}"
    published_repo: /opt/crafter/data/repos/sites/{site}/published
  register: result

- name: Show those whose staging differs from live
  ansible.builtin.debug:
    msg: "{{ result.sites | rejectattr('in_sync', 'equalto', true) | map(attribute='site') | list }}"
"""

RETURN = r"""
sites:
  description: One entry for each site, in the order of O(sites) or as Studio lists them.
  returned: always
  type: list
  elements: dict
  contains:
    site:
      description: Id of the site.
      type: str
    exists:
      description: Whether Studio has the site. If not, everything about the site is null.
      type: bool
    version:
      description: Version of Studio, null if it does not show it.
      type: str
    sync_endpoint:
      description: The endpoint that M(lockstep.sync.crafter_staging_sync) chooses, null if this version has none.
      type: str
    targets:
      description: Publishing targets of the site. Staging is one if it is enabled.
      type: list
      elements: str
    staging_enabled:
      description: Whether staging is enabled, null if Studio does not show it.
      type: bool
    published:
      description: Whether the site was ever published, null if this version does not show it.
      type: bool
    publisher:
      description: The publisher of the site.
      type: dict
      contains:
        enabled:
          description: Whether it is enabled, null if this version does not show it.
          type: bool
        status:
          description: Its status as Studio reports it, for example V(ready), V(publishing) or V(stopped).
          type: str
    refs:
      description: Commit ids of C(live) and C(staging), null without O(published_repo).
      type: dict
    in_sync:
      description: Whether staging equals live, null if that is not known.
      type: bool
    in_sync_basis:
      description: The basis of RV(sites[].in_sync). V(item_states) is an indication only, as a reset does not change it.
      type: str
      choices: [git_ref, git_tree, item_states, unknown]
    staged_not_live:
      description: Paths that Studio 4.x lists as staged and never live, null if it does not show them.
      type: list
      elements: str
    failure:
      description: Why the site could not be inspected, as C(code), C(message), C(http_status) and C(hint); null if it could.
      type: dict
  sample:
    - site: mysite
      exists: true
      version: 4.1.8
      sync_endpoint: reset-staging
      targets: [live, staging]
      staging_enabled: true
      published: true
      publisher: {enabled: true, status: ready}
      refs: {live: 0f3c1d9e7a52b1d2c3e4f5a69788796a5b4c3d2e, staging: 9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d17f2a9c0}
      in_sync: false
      in_sync_basis: git_tree
      staged_not_live: [/site/website/offers/index.xml]
      failure: null
failure:
  description: Failure of the task, as C(code), C(message), C(http_status) and C(hint).
  returned: on failure
  type: dict
"""

from ansible_collections.lockstep.sync.plugins.module_utils._operations.module import run_as_module
from ansible_collections.lockstep.sync.plugins.module_utils._operations.operation import info_operation
from ansible_collections.lockstep.sync.plugins.module_utils._providers.crafter.info import INFO_SPEC, INFO_WORDS, SiteReader

OPERATION = info_operation("sites", INFO_SPEC, SiteReader, words=INFO_WORDS)


def main() -> None:
    run_as_module(OPERATION)


if __name__ == "__main__":
    main()
