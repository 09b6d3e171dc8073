#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: serveravatar_staging_info
short_description: Read applications on ServerAvatar and their staging areas
version_added: 1.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - Returns whether applications have a staging area, where it is, and its status row.
extends_documentation_fragment:
  - lockstep.sync._attributes
  - lockstep.sync._attributes.info
  - lockstep.sync._connection
  - lockstep.sync._connection.info
  - lockstep.sync._serveravatar
options:
  applications:
    description:
      - Names, primary domains or ids of the applications. Digits are an id. An application that the server does not have gives
        an entry whose RV(applications[].id) is null.
      - Without this option, all applications of the server are read, staging copies included.
    type: list
    elements: str
    aliases: [application]
seealso:
  - module: lockstep.sync.serveravatar_staging_sync
"""

EXAMPLES = r"""
- name: Read two applications
  lockstep.sync.serveravatar_staging_info:
    organization: Example
    server: production
    applications:
      - shop
      - blog.example.com
  register: result
  delegate_to: localhost

- name: Find all applications of a server that have a staging area
  lockstep.sync.serveravatar_staging_info:
    organization: 5
    server: 15
  register: result
  delegate_to: localhost

- name: Show their names
  ansible.builtin.debug:
    msg: "{{ result.applications | selectattr('staging.available') | map(attribute='name') | list }}"
"""

RETURN = r"""
applications:
  description: One entry for each application, in the order of O(applications) or as the server lists them.
  returned: always
  type: list
  elements: dict
  contains:
    application:
      description: As given in O(applications).
      type: str
    id:
      description: Id of the application, or null if the server does not have it. Then everything below is null as well.
      type: int
    name:
      description: Name of the application.
      type: str
    staging:
      description: The staging area.
      type: dict
      contains:
        available:
          description: Whether there is one.
          type: bool
        server:
          description: Address of the server that it is on.
          type: str
        application:
          description: Name of the application that is the staging copy.
          type: str
        domain:
          description: Its domain.
          type: str
        database:
          description: Name of its database.
          type: str
    status:
      description: The status row of the staging area as the server reports it, or null if there is none.
      type: dict
      contains:
        text:
          description: The text displayed.
          type: str
        percent:
          description: Progress of the last process.
          type: float
        state:
          description: The status word.
          type: str
        updated_at:
          description: When the row last changed. Without a time zone.
          type: str
        running:
          description: Whether something is in progress, by O(status_patterns).
          type: bool
  sample:
    - application: shop
      id: 88
      name: shop
      staging:
        available: true
        server: 192.0.2.15
        application: shop-staging
        domain: staging.shop.example.com
        database: shop_staging
      status:
        text: Completed
        percent: 100
        state: Completed
        updated_at: "2026-11-20 10:01:02"
        running: false
failure:
  description: Failure of the task, as C(code), C(message), C(http_status) and C(hint).
  returned: on failure
  type: dict
"""

from ansible_collections.lockstep.sync.plugins.module_utils._operations.module import run_as_module
from ansible_collections.lockstep.sync.plugins.module_utils._operations.operation import info_operation
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.info import (
    INFO_SPEC,
    ApplicationReader,
)

OPERATION = info_operation("applications", INFO_SPEC, ApplicationReader)


def main() -> None:
    run_as_module(OPERATION)


if __name__ == "__main__":
    main()
