# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """How to wait and report."""

    DOCUMENTATION = r"""
options:
  wait_timeout:
    description:
      - Seconds within which a target has to be done. One deadline covers finding it, triggering, retries, pauses that the
        server asks for and waiting. Each target has its own, from the moment its turn comes.
      - A timeout is neither a success nor a failure of the run, which goes on at the server, see O(on_timeout).
    type: float
    default: 900.0
  poll_min_interval:
    description:
      - Least number of seconds between two looks at a run. Between this and O(poll_max_interval), looks are a fifth of
        the time elapsed apart, so that short runs are noticed quickly and long ones cost few requests.
    type: float
    default: 0.5
  poll_max_interval:
    description:
      - Greatest number of seconds between two looks at a run.
    type: float
    default: 5.0
  on_timeout:
    description:
      - What a target that is not done within O(wait_timeout) does to the task.
    type: str
    choices:
      fail: The task fails.
      warn: The task goes on with a warning.
    default: fail
  settle_grace:
    description:
      - Seconds for which the module looks for a run that should be there and is not visible, for example after the answer
        to a trigger was lost.
    type: float
    default: 30.0
  report_path:
    description:
      - File to write the full result to, as JSON with mode 0600. It is written on every exit, failures and check mode included.
    type: path
  max_parallel:
    description:
      - How many targets to work on at once.
    type: int
    default: 8
  ledger_path:
    description:
      - The SQLite file in which this host remembers what it triggered, so that a run that was interrupted is found again
        and a release is not synced twice. It holds no secrets.
      - The default is C(lockstep/ledger.sqlite3) below E(XDG_STATE_HOME), usually C(~/.local/state).
      - If the value is not specified in the task, the value of environment variable E(LOCKSTEP_LEDGER) will be used instead.
    type: path
"""
