#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: http_probe
short_description: Verify that web sites and services are healthy
version_added: 1.1.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - Requests web addresses with GET or HEAD until each of them meets its expectations, or O(timeout) has passed.
  - With O(soak), they must continue to do so for a while. With O(before), the result distinguishes sites that failed before from
    those that fail since.
  - Each attempt uses a new connection, is never retried, and asks caches for a fresh response. A refused connection, a name that
    cannot be resolved, a TLS failure and a time-out are failed attempts.
extends_documentation_fragment:
  - lockstep.sync._attributes
  - lockstep.sync._attributes.info
attributes:
  action_group:
    description: Use C(group/lockstep.sync.all) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - lockstep.sync.all
requirements:
  - cryptography (for O(probes[].min_certificate_days) with O(probes[].validate_certs=false))
options:
  probes:
    description:
      - The addresses to request, and the expectations of each.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the probe in the result, unique in the task.
          - Without it, the address is the name, without credentials and without the values in its query.
        type: str
      url:
        description:
          - Address to request, C(http) or C(https).
          - Credentials in it, and the values in its query, are not shown in results.
        type: str
        required: true
      method:
        description:
          - Method of the request.
        type: str
        choices: [GET, HEAD]
        default: GET
      status:
        description:
          - Expected statuses.
        type: list
        elements: int
        default: [200]
      headers:
        description:
          - Names of response headers, and for each a regular expression that must match a part of its value.
        type: dict
      regex:
        description:
          - Regular expression that must match a part of the body. For one that spans lines, begin it with V((?s\)).
          - Each search for a pattern, here and in the other options, may take O(probes[].request_timeout). After that the attempt
            fails, since some patterns, such as V((a+\)+b), take years for some texts.
        type: str
      not_regex:
        description:
          - Regular expression that must not match any part of the body.
        type: str
      json:
        description:
          - Expectations of the body, which must be JSON. Each entry has exactly one of O(probes[].json[].equals),
            O(probes[].json[].regex) and O(probes[].json[].exists).
        type: list
        elements: dict
        suboptions:
          path:
            description:
              - Path to a value, such as V(status), V(checks[0].state), V(data.items[2].name) or V(data["key with.dot"]).
            type: str
            required: true
          equals:
            description:
              - The expected value, of the same type. The number 1, the string V("1") and V(true) are three values.
            type: raw
          regex:
            description:
              - Regular expression that must match a part of the string, or of the JSON text of any other value.
            type: str
          exists:
            description:
              - Whether the path must exist, or must not.
            type: bool
      max_latency:
        description:
          - Seconds that may pass until the last byte of the body, with connecting and redirects.
        type: float
      min_certificate_days:
        description:
          - Whole days for which the certificate of the server must remain valid. It is the certificate of the connection of the
            response.
        type: int
      request_headers:
        description:
          - Headers to send. Their values are not shown in results, and they are sent to no other origin than that of
            O(probes[].url).
        type: dict
      url_username:
        description:
          - User name for basic authentication.
          - Wins over credentials in O(probes[].url).
        type: str
      url_password:
        description:
          - Password of O(probes[].url_username).
        type: str
      allow_http:
        description:
          - Whether user name and password, or the request headers C(Authorization) and C(Cookie), may be sent over plain HTTP to
            another host than this one. Otherwise an O(probes[].url) that begins with C(http://) is refused with them, unless it
            names the loopback interface.
        type: bool
        default: false
        version_added: 2.0.0
      validate_certs:
        description:
          - Whether to verify TLS certificates. Set to V(false) for tests only.
        type: bool
        default: true
      ca_path:
        description:
          - File (or directory) of certificates of the authorities to trust, instead of the usual ones.
        type: path
      client_cert:
        description:
          - Client certificate in PEM format; may contain the key as well.
        type: path
      client_key:
        description:
          - Key of O(probes[].client_cert), if it is in a separate file.
        type: path
      follow_redirects:
        description:
          - Which redirects to follow. An origin is a scheme, a host and a port, so that the step from C(http) to C(https) needs
            V(all), or the C(https) address to begin with.
          - A redirect that is not followed is the response, and may be expected, by O(probes[].status) and
            O(probes[].headers).
          - Credentials, O(probes[].request_headers) and O(probes[].client_cert) are never sent to another origin.
        type: str
        choices: [none, same_origin, all]
        default: same_origin
      request_timeout:
        description:
          - Seconds for a whole attempt, redirects and body included, however slowly the server sends. If a host has several
            addresses, connecting to each of them may take that long.
        type: float
        default: 10.0
      max_body:
        description:
          - Bytes of the body to read, after decompression. O(probes[].regex) and O(probes[].not_regex) search no more than that;
            JSON that is longer is a problem.
        type: int
        default: 1048576
  successes:
    description:
      - How many successful attempts in a row each probe needs.
    type: int
    default: 1
  interval:
    description:
      - Seconds from the end of an attempt to the next one of the same probe.
    type: float
    default: 1.0
  timeout:
    description:
      - Seconds until the deadline for the successes. A last attempt is made at the deadline, which may take another
        O(probes[].request_timeout).
      - With V(0), a single attempt of each probe decides, whatever O(successes) is.
    type: float
    default: 60.0
  soak:
    description:
      - Seconds for which all probes must remain successful, from the moment when all of them have passed.
      - A failed attempt counts if the next one of the same probe, after O(interval), fails as well. The task then ends at once.
    type: float
    default: 0.0
  before:
    description:
      - RV(probes) of an earlier run, of which C(name) and C(ok) count.
    type: list
    elements: dict
  fail:
    description:
      - Whether the task fails if a probe does.
      - It fails in any case if an option is not valid.
    type: bool
    default: true
  max_parallel:
    description:
      - How many attempts to make at once.
    type: int
    default: 8
seealso:
  - module: ansible.builtin.uri
  - module: ansible.builtin.wait_for
"""

EXAMPLES = r"""
- name: Wait until the shop answers three times in a row, and stays that way for half a minute
  lockstep.sync.http_probe:
    probes:
      - name: shop
        url: https://shop.example.com/
        regex: "<title>Shop"
        not_regex: (?i)fatal error
        max_latency: 2
        min_certificate_days: 14
      - name: health
        url: https://shop.example.com/health
        request_headers:
          Authorization: Bearer {{ vault_health_token }}
        headers:
          X-Release: ^2026\.11$
        json:
          - path: status
            equals: ok
          - path: checks[0].state
            regex: ^(up|degraded)$
    successes: 3
    soak: 30
  delegate_to: localhost

- name: Record the state of the sites, with a single attempt of each
  lockstep.sync.http_probe:
    probes: "{{ probes }}"
    timeout: 0
    fail: false
  register: before
  delegate_to: localhost

- name: Probe again after a change
  lockstep.sync.http_probe:
    probes: "{{ probes }}"
    before: "{{ before.probes }}"
    fail: false
  register: after
  delegate_to: localhost

- name: Stop if the change broke something
  ansible.builtin.assert:
    that: after.regressions | length == 0
    fail_msg: "{{ after.msg }}"
"""

RETURN = r"""
ok:
  description: Whether all probes have passed.
  returned: always
  type: bool
probes:
  description: One entry for each probe, in the order of O(probes). Empty if an option is not valid.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the probe.
      type: str
    url:
      description: Its address, without credentials and without the values in its query.
      type: str
    ok:
      description: Whether it has passed.
      type: bool
    status:
      description: Status of the last response, null if the last attempt got none.
      type: int
    latency:
      description: Seconds until its last byte, null if the last attempt got none.
      type: float
    attempts:
      description: Number of attempts.
      type: int
    consecutive:
      description: Number of successful attempts in a row, up to the last one.
      type: int
    problems:
      description: The expectations that were not met, each with what was found and what was wanted. Empty if the probe is ok.
      type: list
      elements: str
    certificate_days:
      description: Whole days for which the certificate of the server remains valid, null without TLS and if it is unknown.
      type: int
    was_ok:
      description: Whether it was ok in O(before), null if it is not in there.
      type: bool
    checked_at:
      description: When the last attempt ended.
      type: str
    requests:
      description: How many requests were sent, redirects included.
      type: int
  sample:
    - name: shop
      url: https://shop.example.com/
      ok: false
      status: 503
      latency: 0.041
      attempts: 58
      consecutive: 0
      problems: ["status 503, wanted 200"]
      certificate_days: 61
      was_ok: true
      checked_at: "2026-11-20T21:45:12Z"
      requests: 58
regressions:
  description: Names of the probes that fail, and that did not fail in O(before).
  returned: always
  type: list
  elements: str
already_failing:
  description: Names of the probes that fail, and that failed in O(before) too.
  returned: always
  type: list
  elements: str
elapsed:
  description: Seconds that the task took.
  returned: always
  type: float
requests:
  description: How many HTTP requests were sent, redirects included. A connection that was refused carries none.
  returned: always
  type: int
failure:
  description: The failure, as C(code) (V(probe_failed) if a probe failed), C(message), C(http_status) and C(hint). Null if
    all probes have passed.
  returned: always
  type: dict
msg:
  description: The result as a sentence.
  returned: always
  type: str
"""

from ansible_collections.lockstep.sync.plugins.module_utils._operations.module import run_as_module
from ansible_collections.lockstep.sync.plugins.module_utils._operations.operation import Operation
from ansible_collections.lockstep.sync.plugins.module_utils._probe.module import ProbeModule
from ansible_collections.lockstep.sync.plugins.module_utils._probe.options import SPEC
from ansible_collections.lockstep.sync.plugins.module_utils._probe.run import run_probes

OPERATION = Operation(SPEC, run_probes)


def main() -> None:
    # no_log keeps the options out of the system log
    run_as_module(OPERATION, ProbeModule, no_log=True)


if __name__ == "__main__":
    main()
