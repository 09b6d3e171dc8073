# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A process to which the permissions of files apply, also where the tests run as root."""

from __future__ import annotations

import os

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError, sentences
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key, RunLedger
from tests.unit.plugins.support.processes import Process, main, say


def use_ledger(location: str, read_only: bool) -> None:
    """Say why a ledger cannot be used, or that it can."""
    key = Key("fifth", "http://127.0.0.1:1", "7")
    try:
        ledger = RunLedger(location, SystemClock(), read_only)
        if read_only:
            ledger.open_entry(key)
        else:
            ledger.retract(ledger.intend(key, None, {}))
    except SyncError as error:
        say(f"{error.code}: {sentences(error.message, error.hint)}")
    else:
        say("usable")


def as_limited_user(location: str, read_only: bool) -> str:
    """What :func:`use_ledger` says where root has no more rights than others."""
    prefix = [] if os.geteuid() else ["setpriv", "--inh-caps=-dac_override", "--bounding-set=-dac_override"]
    process = Process(use_ledger, location, read_only, prefix=prefix)
    said = process.line()
    assert process.end() == 0
    return said


if __name__ == "__main__":
    main({"use_ledger": use_ledger})
