# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes that use a ledger."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key, LeaseConflict, RunLedger

from .processes import main, say, wait_for_word

KEY = Key("fifth", "https://fifth.example.com", "7")

HANDLE = {"provider": "fifth", "run": 7}


def intend_and_hold(path: str) -> None:
    """Come to the start line, record an intent there, and hold on to it."""
    say("ready")
    wait_for_word()
    ledger = RunLedger(path, SystemClock())
    try:
        ledger.intend(KEY, None, {})
        say("won")
    except LeaseConflict:
        say("lost")
    wait_for_word()


def intend_and_die(path: str, handle: dict[str, t.Any] | None = None) -> None:
    """Die with an open entry in the ledger."""
    ledger = RunLedger(path, SystemClock())
    entry_id = ledger.intend(KEY, None, {"last": 3})
    if handle is not None:
        ledger.started(entry_id, handle)
    os._exit(9)


def write_many(path: str, target: str, times: int) -> None:
    """Use the ledger as much as possible."""
    say("ready")
    wait_for_word()
    ledger = RunLedger(path, SystemClock())
    key = Key("fifth", "https://fifth.example.com", target)
    for number in range(times):
        ledger.finish(ledger.intend(key, str(number), {}), "succeeded")


if __name__ == "__main__":
    main(globals())
