# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """How to sign in to Crafter Studio, and where the published repositories are."""

    DOCUMENTATION = r"""
options:
  api_url:
    description:
      - Address of Crafter Studio including its context path, for example V(https://studio.example.com/studio).
      - If the value is not specified in the task, the value of environment variable E(CRAFTER_STUDIO_URL) will be used instead.
    type: str
    required: true
  allow_http:
    description:
      - Whether the credentials may be sent over plain HTTP to another host than this one. Otherwise an O(api_url) that begins
        with C(http://) is refused, unless it names the loopback interface.
      - If the value is not specified in the task, the value of environment variable E(CRAFTER_STUDIO_ALLOW_HTTP) will be used
        instead.
    type: bool
    default: false
    version_added: 2.0.0
  api_token:
    description:
      - API token of an account (Studio 4.0 and later). Wins over a password.
      - If the value is not specified in the task, the value of environment variable E(CRAFTER_STUDIO_TOKEN) will be used instead.
    type: str
  username:
    description:
      - Name of the account, if there is no O(api_token).
      - If the value is not specified in the task, the value of environment variable E(CRAFTER_STUDIO_USERNAME) will be used
        instead.
    type: str
  password:
    description:
      - Password of the account. A password that was refused is not sent again, since Studio locks accounts after failures.
      - If the value is not specified in the task, the value of environment variable E(CRAFTER_STUDIO_PASSWORD) will be used
        instead.
    type: str
  auth_method:
    description:
      - How to sign in.
    type: str
    choices:
      auto: V(token) if O(api_token) is given, else V(session) or V(basic), by the version of Studio.
      token: Send O(api_token) with each request (4.0 and later).
      basic: Send O(username) and O(password) with each request. Studio 4.0 and later take them only if
        C(studio.security.http.basic.enabled) is true, and it is off by default.
      session: Log in and keep a session, with the pair of cookie and header against CSRF (3.x).
    default: auto
  management_token:
    description:
      - Management token of Studio. With it, the version is known before signing in. Without it, Studio 3.1 and later show the
        version after signing in only.
      - Studio accepts this token in the URL only, so proxies may log it. The module never shows it.
      - If the value is not specified in the task, the value of environment variable E(CRAFTER_STUDIO_MANAGEMENT_TOKEN) will be
        used instead.
    type: str
attributes:
  action_group:
    description: Use C(group/lockstep.sync.crafter) or C(group/lockstep.sync.all) in C(module_defaults) to set defaults for this
      module.
    support: full
    membership:
      - lockstep.sync.all
      - lockstep.sync.crafter
"""

    REPOSITORY = r"""
options:
  published_repo:
    description:
      - Absolute path or git address of the published repository of the site, the one that delivery nodes clone. It must
        contain V({site}) in place of the id of the site if there are several sites.
      - 'An address is V(https://host/path), V(http://host/path), V(ssh://user@host/path), V(user@host:path) or V(file:///path).
        Any other form is refused, transport helpers of git and V(git://) among them.'
      - No API of Studio shows the content of the branches. With this option, the module reads them itself, by C(git ls-remote)
        and by fetching the newest commit of both into a temporary directory, and compares their trees. It never writes to the
        repository.
      - The C(git) command must be able to read it without a prompt. Credentials in an C(https) address are passed to it in
        the environment and never on the command line. As the address may contain a password, it is hidden in all output.
    type: str
"""
