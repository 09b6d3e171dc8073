# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the inventory plugins have in common."""

    DOCUMENTATION = r"""
options:
  max_parallel:
    description:
      - How many targets to read at once.
    type: int
    default: 8
requirements:
  - requests >= 2.28 (on the controller)
notes:
  - Nothing connects to these hosts. C(ansible_connection) is V(local) for them, so that a play over them runs the modules of this
    collection on the controller, and C(ansible_python_interpreter) is the Python that runs Ansible.
  - If an inventory cannot be read, Ansible goes on without it, with a warning. Set E(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED) to
    V(true) to have it stop; AWX does so.
  - Templates in texts of the file, such as credentials, are evaluated, for example with P(ansible.builtin.env#lookup). Values of
    environment variables, and text that the server sends, never are templates.
"""
