# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """How to connect, the same for all providers."""

    DOCUMENTATION = r"""
options:
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
      - Key of O(client_cert), if it is in a separate file.
    type: path
  request_timeout:
    description:
      - Seconds to wait for a connection, and for each piece of a response. A large response may take longer as a whole, up to
        the deadline of the target.
    type: float
    default: 30.0
"""

    # further options of modules that read many targets and wait for none
    INFO = r"""
options:
  max_parallel:
    description:
      - How many targets to read at once.
    type: int
    default: 8
"""
