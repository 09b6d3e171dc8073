# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark: ``make bench``.

What is compared is measured in one run on one machine, so that the ratios mean something on a noisy one. ``python -m tests.bench
[SECTION ...]`` measures some sections only, and ``--write`` puts figures and plots into ``docs/performance``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.simulator.client import Simulator

from . import drift_cost, many_zones, plots, roles, slices
from .playbooks import scratch_directory

PLACE = Path("docs/performance")


def ways() -> dict[str, Any]:
    """One task, and what one would write without it, for zones whose server takes no time."""
    found = many_zones.side_by_side()
    ours = found["one task"]
    for name, measured in found.items():
        each = f"{1000 * measured.each:8.1f} ms each {measured.each / ours.each:7.1f}"
        print(f"  {name:32} {measured.zones:5} zones {measured.cost.seconds:7.1f} s {each}")
    print(f"  requests a zone, by one task: {ours.requests_each:.2f}")
    return {name: measured.to_json() for name, measured in found.items()}


def growth() -> dict[str, Any]:
    """One task with 1 to 10 000 zones."""
    found = many_zones.growth()
    for size, measured in found.items():
        cost = measured.cost
        print(
            f"  {size:6} zones {cost.seconds:7.1f} s {cost.cpu:7.1f} s CPU {cost.mebibytes:5.0f} MiB {measured.requests_each:.2f}"
        )
    return {str(size): measured.to_json() for size, measured in found.items()}


def fresh() -> dict[str, Any]:
    """A thousand zones that are fresh by ``max_age``."""
    measured = many_zones.fresh()
    print(f"  {measured.cost.seconds:.1f} s, {measured.requests_each:.3f} requests a zone")
    return measured.to_json()


def equal() -> dict[str, Any]:
    """A thousand zones with a DNS server that has what VinylDNS has: requests and seconds by the way to find that out."""
    found = {}
    for drift_mode in ("serial", "auto"):
        measured = many_zones.in_sync(drift_mode)
        print(f"  drift: {drift_mode:6} {measured.cost.seconds:.1f} s, {measured.requests_each:.3f} requests a zone")
        found[drift_mode] = measured.to_json()
    return found


def items() -> dict[str, Any]:
    """One item of a loop with one request, over a local connection: seconds of processor time."""
    found = many_zones.items()
    for name, cpu in found.items():
        print(f"  {name:20} {1000 * cpu:7.1f} ms CPU {cpu / found['uri']:7.3f} of uri")
    return dict(found)


def workers() -> dict[str, Any]:
    """Zones at a server that takes its time: how much longer than the server needs."""
    found = {}
    for zones, at_once, seconds in ((200, 4, 0.25), (1000, 4, 1.0)):
        measured, floor = many_zones.with_workers(zones, at_once, seconds)
        more = measured.cost.seconds - floor
        what = f"{zones} zones, {at_once} x {seconds:g} s"
        print(f"  {what}: {floor:.1f} s + {more:.1f} s, {measured.requests_each:.2f} requests a zone")
        found[what] = {**measured.to_json(), "least": floor}
    return found


def drift() -> dict[str, Any]:
    """The plan of a large zone, by the collection and by octoDNS: seconds of processor time and MiB of memory."""
    found = {}
    for count in drift_cost.RECORDS:
        found[str(count)] = measured = drift_cost.measure(count)
        print(f"  {count:6} records", json.dumps(measured))
    return found


def job_slices() -> dict[str, Any]:
    """A thousand zones as hosts, in 1, 2 and 4 jobs at once with one ledger in PostgreSQL."""
    found = {}
    for count, measured in slices.measure().items():
        print(f"  {slices.line(count, measured)}")
        found[str(count)] = measured.to_json()
    return found


def role_times() -> dict[str, Any]:
    """The roles and single tasks, against the emulators."""
    found: dict[str, Any] = {}
    with scratch_directory() as scratch, Simulator.start(["serveravatar", "vinyldns"]) as simulator:
        for measure in (roles.staging, roles.items, roles.promotion, roles.reconciliation, roles.comparison, roles.large_effect):
            found[measure.__name__] = list(measure(simulator, scratch))
            print(f"  {measure.__name__:16}", *(f"{value:8.2f}" for value in found[measure.__name__]))
    return found


SECTIONS: dict[str, Callable[[], dict[str, Any]]] = {
    "ways": ways,
    "growth": growth,
    "fresh": fresh,
    "equal": equal,
    "items": items,
    "workers": workers,
    "drift": drift,
    "roles": role_times,
    "slices": job_slices,
}


def machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", choices=[[], *SECTIONS], help="what to measure; all by default")
    parser.add_argument("--write", action="store_true", help=f"write figures and plots into {PLACE}")
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    for name in options.sections or SECTIONS:
        print(f"{name}: {SECTIONS[name].__doc__}", flush=True)
        figures[name] = SECTIONS[name]()
        if options.write:
            write(name, figures[name])
    return 0


def write(name: str, measured: dict[str, Any]) -> None:
    """Put the figures and the plot of a section in the place of those before, with the load of the machine at their end."""
    PLACE.mkdir(exist_ok=True)
    file = PLACE / "figures.json"
    before = json.loads(file.read_text()) if file.exists() else {}
    loads = {**before.get("load", {}), name: os.getloadavg()[0]}
    file.write_text(json.dumps({**before, "machine": machine(), "load": loads, name: measured}, indent=1) + "\n")
    plots.write({name: measured}, PLACE)


if __name__ == "__main__":
    sys.exit(main())
