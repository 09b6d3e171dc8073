# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes that use a ledger."""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key, LeaseConflict, RunLedger
from ansible_collections.lockstep.sync.plugins.module_utils._state.store import Transaction

from .processes import main, say, wait_for_word
from .writers import Writers, until

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


def wait_within_group(path: str, count: int) -> None:
    """Record intents, and then wait within a transaction that several threads have written in."""
    ledger = RunLedger(path, SystemClock())
    keys = [Key("fifth", "https://fifth.example.com", str(number)) for number in range(2 * count)]
    for key in keys[:count]:
        ledger.intend(key, "1", {})
    say(f"committed {count}")
    writers = Writers(vars(ledger._store)["_groups"])

    def stay(db: Transaction) -> None:
        assert db.execute("UPDATE runs SET state = 'void'") == 2 * count
        say(f"in group of {count + 1}")
        time.sleep(600)

    with writers.at_work():
        for key in keys[count:]:
            before = writers.waits
            writers.thread(lambda key=key: ledger.intend(key, "1", {}))
            until(lambda before=before: writers.waits > before)
        writers.start(stay)
        until(lambda: writers.waits == count + 1)
    writers.end()


def fork_and_write(path: str, children: int) -> None:
    """Have forked processes write while this one has connections, and say who has seen its own runs succeed."""
    ledger = RunLedger(path, SystemClock())

    def write(name: str) -> None:
        keys = [Key("fifth", "https://fifth.example.com", f"{name}-{number}") for number in range(20)]
        for key in keys:
            ledger.finish(ledger.intend(key, "1", {}), "succeeded")
        say(f"{name} {all(ledger.release_done(key, '1') for key in keys)}")

    with ledger.heartbeat():
        ledger.knowledge(KEY)
        pids = []
        for number in range(children):
            pids.append(os.fork())
            if not pids[-1]:
                write(str(number))
                # as Python ends normally, with all that it closes then
                sys.exit(0)
        write("parent")
        assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * children


def sync_many(path: str, prefix: str, threads: int) -> None:
    """Take many targets through all states, and say what is durable."""
    ledger = RunLedger(path, SystemClock())
    say("ready")
    wait_for_word()
    numbers = itertools.count()
    lock = threading.Lock()

    def note(target: str, state: str) -> None:
        with lock:
            say(f"{target} {state}")

    def work() -> None:
        while True:
            with lock:
                target = f"{prefix}{next(numbers)}"
            entry_id = ledger.intend(Key("fifth", "https://fifth.example.com", target), "1", {})
            note(target, "intended")
            ledger.started(entry_id, {**HANDLE, "run": target})
            note(target, "started")
            ledger.finish(entry_id, "succeeded")
            note(target, "succeeded")

    with ledger.heartbeat():
        for thread in [threading.Thread(target=work) for _thread in range(threads)]:
            thread.start()
        time.sleep(600)


if __name__ == "__main__":
    main(globals())
