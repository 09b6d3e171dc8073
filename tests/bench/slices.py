# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones that are the hosts of an inventory, in 1, 2 and 4 slices as AWX makes them: ``python -m tests.bench slices``, or with
another number of zones ``python -m tests.bench.slices [ZONES]``.

Each slice is a job of ansible-runner with the playbook of role dns_reconciliation. All start at once, with a new ledger in
PostgreSQL and a server that takes no time. On one machine the slices, the server and the database share its cores, so that the
seconds do not say what several machines would take. The processor time of the largest slice does, as a machine has one slice.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.module.awx.slicing import Inventory, slices
from tests.postgresql import Cluster

from .playbooks import BIN, InstantServer, instant_server, scratch_directory, spent

ZONES = 1000
COUNTS = (1, 2, 4)


@dataclass(frozen=True)
class SlicedRun:
    """All slices of one job.

    :param seconds: from the start of the first one to the end of the last one.
    :param cpu: seconds of processor time of each slice.
    :param mebibytes: of memory, in the process that used most.
    :param triggers: syncs that the server was asked for.
    """

    zones: int
    seconds: float
    cpu: tuple[float, ...]
    mebibytes: float
    triggers: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def _environment(folder: Path, ledger: str) -> dict[str, str]:
    return {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8", "LOCKSTEP_LEDGER": ledger}


def _write_job(folder: Path, inventory: Inventory, variables: Mapping[str, Any], ledger: str) -> list[str]:
    """Write the private data directory of a job; returns the command that runs it."""
    for name in ("env", "inventory", "project"):
        (folder / name).mkdir(parents=True)
    program = folder / "inventory" / "hosts"
    program.write_text(f"#! /usr/bin/env python3\nprint({json.dumps(inventory)!r})\n")
    program.chmod(0o700)
    (folder / "project" / "site.yml").write_text("- import_playbook: lockstep.sync.reconcile_dns\n")
    given = {f"dns_reconciliation_{name}": value for name, value in variables.items()}
    (folder / "env" / "extravars").write_text(json.dumps(given))
    (folder / "env" / "envvars").write_text(json.dumps(_environment(folder, ledger)))
    return [str(BIN / "ansible-runner"), "run", str(folder), "--playbook", "site.yml"]


def run(server: InstantServer, count: int, cluster: Cluster) -> SlicedRun:
    """Sync all zones of a server in so many slices.

    :raises CalledProcessError: a slice has failed.
    :raises AssertionError: zones are missing in the reports.
    """
    ledger = cluster.address(cluster.new_database())
    server.requests()
    with scratch_directory() as scratch:
        commands, reports = [], []
        for number, inventory in enumerate(slices({"zones": server.zones}, count)):
            folder = scratch / f"slice{number}"
            reports.append(folder / "report.json")
            variables = {**server.login, "inventory_group": "zones", "report_path": str(reports[-1])}
            commands.append(_write_job(folder, inventory, variables, ledger))
        began = time.monotonic()
        with ThreadPoolExecutor(count) as pool:
            costs = list(pool.map(lambda command: spent(command, _environment(scratch, ledger)), commands))
        seconds = time.monotonic() - began
        found = [zone["zone"] for report in reports for zone in json.loads(report.read_text())["zones"]]
        assert sorted(found) == server.zones
    cpu = tuple(round(cost.cpu, 2) for cost in costs)
    memory = round(max(cost.mebibytes for cost in costs), 1)
    return SlicedRun(len(server.zones), round(seconds, 2), cpu, memory, server.requests()["sync"])


def measure(zones: int = ZONES, counts: tuple[int, ...] = COUNTS) -> dict[int, SlicedRun]:
    """The same zones by the number of slices, each time by a server of its own."""
    cluster = Cluster()
    try:
        found = {}
        for count in counts:
            with instant_server(zones) as server:
                found[count] = run(server, count, cluster)
        return found
    finally:
        cluster.remove()


def line(count: int, found: SlicedRun) -> str:
    """What is printed of one job."""
    cpu = f"largest slice {max(found.cpu):6.1f} s CPU, all {sum(found.cpu):6.1f} s CPU"
    return (
        f"{count} slices of {found.zones} zones: {found.seconds:6.1f} s, {cpu}, {found.mebibytes:.0f} MiB, {found.triggers} syncs"
    )


def main() -> None:
    zones = int(sys.argv[1]) if len(sys.argv) > 1 else ZONES
    for count, found in measure(zones).items():
        print(line(count, found))


if __name__ == "__main__":
    main()
