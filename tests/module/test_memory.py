# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module process stays small even for a zone of 100 000 records: below 150 MiB."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import Repeats
from tests.simulator.client import Simulator

from .conftest import module_command, module_input, outcome_of

#: A process without any record, and what each record may add.
BASE_MIB = 50
BYTES_A_RECORD = 1000

#: Runs a command, and prints how many KiB it took. A process inherits the mark of the one that starts it, and pytest is large.
MEASURE = """\
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(status)
"""


def test_a_zone_of_many_records(environment: dict[str, str], repeats: Repeats) -> None:
    count = repeats(20_000, 100_000)
    lines = [f"host{number:06d} 300 A 10.{number >> 16}.{number >> 8 & 255}.{number & 255}" for number in range(count)]
    with Simulator.start(parts=["vinyldns"], dns="bind") as simulator:
        info = simulator["vinyldns"]
        order = {"name": "huge.example.", "records": lines, "dns": [*lines, "new 300 A 192.0.2.1"]}
        simulator.control.part("vinyldns", "POST", "/zones", {"zones": [order]})
        options = {
            "api_url": info["url"],
            "access_key": info["access_key"],
            "secret_key": info["secret_key"],
            "zones": ["huge.example."],
            "backend": {key: value for key, value in info["dns"].items() if key != "kind"},
        }
        command = [sys.executable, "-c", MEASURE, *module_command("vinyldns_zone_sync")]
        done = subprocess.run(
            command, env=environment, input=module_input(options, check=True), capture_output=True, text=True, check=False
        )
    output, measured = done.stdout, int(done.stderr.splitlines()[-1])
    drift = outcome_of(output, done.returncode).only["detail"]["drift"]
    assert (drift["creates"], drift["updates"], drift["deletes"], drift["record_sets"]) == (1, 1, 0, count + 2)
    assert measured / 1024 < BASE_MIB + count * BYTES_A_RECORD / 2**20
