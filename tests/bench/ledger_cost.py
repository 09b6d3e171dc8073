# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ledger costs for each target of a task: ``python -m tests.bench.ledger_cost``.

Eight threads do what the lifecycle of a target does with the ledger: read what is known, record an intent, that it was accepted,
and how it ended. CPU time is that of this process; commits are those that SQLite makes durable, each one with an fsync.
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key, RunLedger
from tests.postgresql import Cluster

TARGETS = 1000
THREADS = 8


class Counting(sqlite3.Connection):
    """A connection that counts how often something is committed."""

    commits = 0

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        if statement == "COMMIT":
            Counting.commits += 1
        return super().execute(statement, *values)


def lifecycle(ledger: RunLedger, key: Key) -> None:
    known = ledger.knowledge(key, "7")
    entry_id = ledger.intend(key, "7", {"latest_change": "2026-11-28T10:00:00Z", "serial": 2026112801}, known.revision)
    ledger.started(entry_id, {"provider": key.provider, "zone": key.target, "change": f"change-{entry_id}"})
    ledger.finish(entry_id, "succeeded")


def in_threads(work: Callable[[int], None], count: int, threads: int) -> None:
    numbers: Iterator[int] = iter(range(count))
    lock = threading.Lock()

    def do() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            work(number)

    running = [threading.Thread(target=do) for _number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def measure(location: str, targets: int, threads: int) -> dict[str, float]:
    ledger = RunLedger(location, SystemClock())
    keys = [Key("vinyldns", "https://vinyldns.example.com", f"zone-{number:05}") for number in range(targets)]
    Counting.commits = 0
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    with ledger.heartbeat():
        in_threads(lambda number: lifecycle(ledger, keys[number]), targets, threads)
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF)
    ledger.close()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found: dict[str, float] = {
        "targets": targets,
        "threads": threads,
        "cpu_ms": cpu * 1000 / targets,
        "wall_ms": wall * 1000 / targets,
    }
    if Counting.commits:
        found["targets_per_commit"] = targets / Counting.commits
        found["writes_per_commit"] = 3 * targets / Counting.commits
    return {name: round(value, 3) for name, value in found.items()}


def main() -> None:
    targets = int(sys.argv[1]) if len(sys.argv) > 1 else TARGETS
    connect = sqlite3.connect
    sqlite3.connect = lambda *args, **kwargs: connect(*args, factory=Counting, **kwargs)  # type: ignore[assignment]
    found = {}
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIRECTORY")) as directory:
        for threads in (1, THREADS):
            found[f"sqlite, {threads} threads"] = measure(str(Path(directory) / f"{threads}.sqlite3"), targets, threads)
    cluster = Cluster()
    try:
        for threads in (1, THREADS):
            found[f"postgresql, {threads} threads"] = measure(cluster.address(cluster.new_database()), targets, threads)
    finally:
        cluster.remove()
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
