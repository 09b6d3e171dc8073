# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan for a big zone stays small: a module may run on many zones at once, and share the machine with other software."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

RECORDS = 100_000
LIMIT_MIB = 150

PROGRAM = textwrap.dedent(
    """
    import json, struct, sys, time
    import requests
    import dns.message
    from ansible_collections.lockstep.sync.plugins.module_utils._dns import drift, json_rows, transfer, wire

    count, differing = int(sys.argv[1]), sys.argv[2] == "differing"
    zone = wire.absolute_name("big.example.")
    soa = zone * 2 + struct.pack("!5I", 1, 2, 3, 4, 5)

    def backend():
        yield wire.ResourceRecord(zone, 300, 6, soa)
        for index in range(count):
            name = b"host-%d" % index
            yield wire.ResourceRecord(bytes((len(name),)) + name + zone, 300, 1, struct.pack("!I", index))

    def address(index):
        return ".".join(map(str, struct.pack("!I", index ^ differing)))

    def page(start):
        # parsed from text, as by a client, so that nothing is shared
        return json.loads(json.dumps([
            {"type": "A", "zoneId": "6d1c", "name": f"host-{index}", "ttl": 300, "status": "Active", "account": "system",
             "created": "2026-11-20T10:00:02Z", "records": [{"address": address(index)}], "id": f"{index:036d}",
             "fqdn": f"host-{index}.big.example.", "accessLevel": "Delete"}
            for index in range(start, min(count, start + 100))
        ]))

    builder = drift.DriftBuilder("big.example.")
    begun = time.process_time()
    builder.add_backend(backend())
    spent = time.process_time() - begun
    for start in range(0, count, 100):
        items = page(start)
        begun = time.process_time()
        builder.feed_all(map(json_rows.stored_set, items))
        spent += time.process_time() - begun
    begun = time.process_time()
    plan = builder.finish()
    plan.to_result(10), plan.to_diff(10)
    spent += time.process_time() - begun
    # not ru_maxrss, which a process inherits from the one that starts it
    with open("/proc/self/status") as status:
        rss = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    found = {"updates": plan.updates, "creates": plan.creates, "stored": plan.stored_total}
    print(json.dumps({"rss": rss, "seconds": spent, **found}))
    """
)


@pytest.mark.parametrize(("sides", "updates"), [("equal", 0), ("differing", RECORDS)])
@pytest.mark.long
def test_a_plan_for_100_000_record_sets_needs_less_than_150_mib(sides: str, updates: int) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(RECORDS), sides], capture_output=True, text=True, check=True)
    measured = json.loads(done.stdout)
    assert (measured["updates"], measured["creates"], measured["stored"]) == (updates, 1, RECORDS)
    assert measured["rss"] < LIMIT_MIB
    # on any machine; it takes well below a second on a slow one, and a quadratic step takes minutes
    assert measured["seconds"] < 20
