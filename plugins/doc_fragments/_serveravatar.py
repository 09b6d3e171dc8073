# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """How to connect to ServerAvatar and name a server there."""

    DOCUMENTATION = r"""
options:
  api_url:
    description:
      - Address of the ServerAvatar API.
      - If the value is not specified in the task, the value of environment variable E(SERVERAVATAR_API_URL) will be used
        instead.
    type: str
    default: https://api.serveravatar.com
  allow_http:
    description:
      - Whether the credentials may be sent over plain HTTP to another host than this one. Otherwise an O(api_url) that begins
        with C(http://) is refused, unless it names the loopback interface.
      - If the value is not specified in the task, the value of environment variable E(SERVERAVATAR_ALLOW_HTTP) will be used
        instead.
    type: bool
    default: false
    version_added: 2.0.0
  api_token:
    description:
      - API key of an account (in the panel under Account, API Access, where it has to be enabled first).
      - If the value is not specified in the task, the value of environment variable E(SERVERAVATAR_API_TOKEN) will be used
        instead.
    type: str
    required: true
  auth_scheme:
    description:
      - How to send O(api_token) in the C(Authorization) header.
    type: str
    choices:
      raw: The token alone, as in most of the API documentation.
      bearer: After the word C(Bearer).
    default: raw
  organization:
    description:
      - Name or id of the organization. Digits are an id.
    type: str
    required: true
  server:
    description:
      - Name, address or id of the server in the organization. Digits are an id.
    type: str
    required: true
  status_patterns:
    description:
      - Regular expressions for statuses, searched without regard to case. Most statuses are not documented; set this if
        those of your account differ from what the defaults expect.
    type: dict
    suboptions:
      failure:
        description: Matches the status, or the text displayed with it, of something that failed. Searched first.
        type: str
        default: fail
      running:
        description: Matches the status of something in progress, even if its percentage is 100.
        type: str
        default: progress|running|pending|queue|processing
      success:
        description: Matches the status of something that is done. A percentage of 100 counts as well. Anything else is in
          progress.
        type: str
        default: (?<!in)complete(?!ing)|(?<!un)(success|finish(?!ing)|done)|(?<!be )(?<!being )restored
attributes:
  action_group:
    description: Use C(group/lockstep.sync.serveravatar) or C(group/lockstep.sync.all) in C(module_defaults) to set defaults for
      this module.
    support: full
    membership:
      - lockstep.sync.all
      - lockstep.sync.serveravatar
notes:
  - ServerAvatar limits the number of requests per minute by plan (60 on the free one), and the module pauses as long as it
    asks. To stay below the limit with several applications at once, raise O(ignore:poll_min_interval) and
    O(ignore:poll_max_interval) or lower O(ignore:max_parallel).
"""
