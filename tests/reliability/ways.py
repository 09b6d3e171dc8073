# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two ways in which a module runs, each in a process that is forked from one that has imported everything.

As Ansible starts it: options on standard input, the result on standard output. And as its action plugin runs it within the
process of the task; of that process, only what the action plugin sees of it is there.
"""

from __future__ import annotations

import importlib
import json
import sys
import types
from typing import Any

from tests.module.process import as_module

ACTIONS = "ansible_collections.lockstep.sync.plugins.action"


def as_action(name: str) -> None:
    """Have the action plugin do what the module does; progress goes to standard error, as it does in a playbook."""
    given: dict[str, Any] = {
        option: value
        for option, value in json.load(sys.stdin)["ANSIBLE_MODULE_ARGS"].items()
        if not option.startswith("_ansible_")
    }
    action: Any = object.__new__(importlib.import_module(f"{ACTIONS}.{name}").ActionModule)
    action._task = types.SimpleNamespace(check_mode=False, diff=False)
    options = action._options(given)
    if options is None:
        raise ValueError("the module itself would be run, as it has something to say about its options")
    result = action._run_in_process(options, given, lambda line: print(line, file=sys.stderr))
    print(json.dumps(result))
    sys.exit(1 if result.get("failed") else 0)


WAYS = {"module": as_module, "action": as_action}
