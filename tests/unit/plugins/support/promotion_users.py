# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes that use a store."""

from __future__ import annotations

import multiprocessing
import os
import time
import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key, RunLedger
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.journal import LockHeld, PromotionStore
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.owner import Owner

from .processes import main, say, wait_for_word

KEY = Key("fifth", "https://fifth.example.com", "7")
OTHER = Key("fifth", "https://fifth.example.com", "8")


def begin_and_hold(path: str, run: str) -> None:
    """Come to the start line, begin a promotion of two targets there, and hold on to it."""
    say("ready")
    wait_for_word()
    # in either order: who takes one lock after the other would meet halfway
    keys = [KEY, OTHER] if int(run) % 2 else [OTHER, KEY]
    try:
        PromotionStore(path, SystemClock()).begin(run, dict.fromkeys(keys, "shop"), "1", Owner.current())
        say("won")
    except LockHeld:
        say("lost")
    wait_for_word()


def begin_and_wait(path: str, run: str, phase: str | None) -> None:
    """Begin a promotion, come to ``phase``, and wait for the end."""
    store = PromotionStore(path, SystemClock())
    store.begin(run, {KEY: "shop"}, "1", Owner.current())
    if phase:
        store.advance(run, KEY, phase, {"backup": {"id": 5}})
    say("ready")
    wait_for_word()


def _stop(facts: t.Any) -> t.Any:
    """Stands for what hides secrets; it is at work in the midst of the transaction."""
    say("looking")
    wait_for_word()
    return facts


def advance_halfway(path: str, run: str) -> None:
    """Begin a promotion and stop in the midst of the transaction that brings it further."""
    PromotionStore(path, SystemClock()).begin(run, {KEY: "shop"}, "1", Owner.current())
    PromotionStore(path, SystemClock(), scrub=_stop).advance(run, KEY, "sync", {"sync": {}})


def use_both(path: str, target: str, times: int) -> None:
    """Use a promotion store and a ledger in one file as much as possible."""
    say("ready")
    wait_for_word()
    key = Key("fifth", "https://fifth.example.com", target)
    for number in range(times):
        run = f"{target}-{number}"
        store = PromotionStore(path, SystemClock())
        store.begin(run, {key: "shop"}, str(number), Owner.current())
        ledger = RunLedger(path, SystemClock())
        entry = ledger.intend(key, str(number), {})
        store.advance(run, key, "sync", {"number": number})
        ledger.finish(entry, "succeeded")
        store.finish(run, key, "succeeded")


def _say_owner() -> None:
    say(Owner.of_playbook().process.to_json())


def name_owner_in_worker() -> None:
    """Have a worker, as those of ``ansible-playbook`` are, name the owner of its locks."""
    worker = multiprocessing.get_context("fork").Process(target=_say_owner)
    worker.start()
    worker.join()


def _say_owner_as_orphan() -> None:
    parent = os.getppid()
    say("waiting")
    while os.getppid() == parent:
        time.sleep(0.01)
    try:
        _say_owner()
    except SyncError as error:
        say(error.code)


def outlive_parent() -> None:
    """Have a worker name the owner of its locks after this process was killed."""
    multiprocessing.get_context("fork").Process(target=_say_owner_as_orphan).start()
    wait_for_word()


if __name__ == "__main__":
    main(globals())
