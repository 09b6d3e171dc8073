#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vinyldns_coverage_info
short_description: Compare the zones of DNS servers with those of VinylDNS
version_added: 2.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - Returns which zones the DNS side has and VinylDNS lacks, and the other way round. What is in the zones is not compared; see
    M(lockstep.sync.vinyldns_zone_info) for that.
  - The zones of the DNS side are those of O(zones), O(catalog) and O(named_zones) together.
  - On the side of VinylDNS all zones count, whatever access the account has to them. It takes one request for each hundred zones.
requirements:
  - dnspython >= 2.3 (if O(catalog) is given)
extends_documentation_fragment:
  - lockstep.sync._attributes
  - lockstep.sync._attributes.info
  - lockstep.sync._connection
  - lockstep.sync._vinyldns
options:
  zones:
    description:
      - Names of zones that the DNS servers have.
      - At least one of O(zones), O(catalog) and O(named_zones) is required.
    type: list
    elements: str
  catalog:
    description:
      - Name of a catalog zone (RFC 9432), whose members are zones that the DNS servers have. It is transferred from O(backend).
      - Versions 1 and 2 are read. A catalog zone that DNS servers would not process is refused.
    type: str
  backend:
    description:
      - The DNS server that O(catalog) is transferred from.
    type: dict
    suboptions:
      server:
        description: Name or address of the DNS server.
        type: str
        required: true
      port:
        description: Its port.
        type: int
        default: 53
      tsig_name:
        description: Name of the TSIG key, if the server requires one for transfers.
        type: str
      tsig_secret:
        description: Secret of the TSIG key in base64.
        type: str
      tsig_algorithm:
        description: Algorithm of the TSIG key.
        type: str
        choices: [hmac-md5, hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha384, hmac-sha512]
        default: hmac-sha256
      max_records:
        description: The most records that the catalog zone may have.
        type: int
        default: 600000
      max_bytes:
        description: The most octets that its transfer may have.
        type: int
        default: 134217728
  named_zones:
    description:
      - What C(named-checkconf -l) prints on a server with BIND. Its primary and secondary zones count.
    type: str
  view:
    description:
      - Only zones of this view of O(named_zones) count. A view that is not in the list is refused.
    type: str
  name_filter:
    description:
      - Compare only zones whose name matches this, in which V(*) stands for anything. It counts for both sides.
    type: str
  ignore:
    description:
      - Patterns for names of zones that count on neither side, in the form of O(name_filter).
    type: list
    elements: str
    default: []
seealso:
  - module: lockstep.sync.vinyldns_zone_info
"""

EXAMPLES = r"""
- name: Compare the members of a catalog zone with VinylDNS
  lockstep.sync.vinyldns_coverage_info:
    catalog: catalog.example.
    backend:
      server: ns1.example.net
      tsig_name: transfer.
      tsig_secret: "{{ vault_tsig_secret }}"
    ignore: ["*.internal.example."]
  register: coverage
  delegate_to: localhost

- name: Fail if either side lacks a zone
  ansible.builtin.assert:
    that: coverage.covered
    fail_msg: >-
      VinylDNS lacks {{ coverage.missing_in_vinyldns | join(', ') or 'none' }},
      DNS lacks {{ coverage.missing_in_dns | join(', ') or 'none' }}

- name: List the zones of a server with BIND
  ansible.builtin.command: named-checkconf -l
  register: named
  changed_when: false
  delegate_to: ns1.example.net

- name: Compare them with VinylDNS
  lockstep.sync.vinyldns_coverage_info:
    named_zones: "{{ named.stdout }}"
    view: _default
  register: coverage
  delegate_to: localhost
"""

RETURN = r"""
covered:
  description: Whether both sides have the same zones.
  returned: success
  type: bool
  sample: false
missing_in_vinyldns:
  description: Names of the zones that the DNS side has and VinylDNS lacks, in lower case and with a dot at the end, sorted.
  returned: success
  type: list
  elements: str
  sample: [new.example.com.]
missing_in_dns:
  description: Names of the zones that VinylDNS has and the DNS side lacks, in the same form.
  returned: success
  type: list
  elements: str
  sample: []
summary:
  description: Numbers of zones, without those that do not count.
  returned: success
  type: dict
  contains:
    dns:
      description: Those of the DNS side.
      type: int
    vinyldns:
      description: Those of VinylDNS.
      type: int
    both:
      description: Those of both sides.
      type: int
    missing_in_vinyldns:
      description: Those that VinylDNS lacks.
      type: int
    missing_in_dns:
      description: Those that the DNS side lacks.
      type: int
  sample:
    dns: 42
    vinyldns: 41
    both: 41
    missing_in_vinyldns: 1
    missing_in_dns: 0
failure:
  description: Failure of the task, as C(code), C(message), C(http_status) and C(hint).
  returned: on failure
  type: dict
"""

from ansible_collections.lockstep.sync.plugins.module_utils._operations.module import run_as_module
from ansible_collections.lockstep.sync.plugins.module_utils._operations.operation import overview_operation
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.coverage import COVERAGE_SPEC, CoverageReader

OPERATION = overview_operation(COVERAGE_SPEC, CoverageReader, CoverageReader.requirements)


def main() -> None:
    run_as_module(OPERATION)


if __name__ == "__main__":
    main()
