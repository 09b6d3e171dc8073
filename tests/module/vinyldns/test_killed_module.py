# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module process is killed (SIGKILL) at random moments: its report is there, and nothing is triggered a second time."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import Repeats
from tests.simulator.client import Simulator

from ..conftest import RunModule, Started
from .server import Server

START = Callable[[str, dict[str, Any]], Started]
SYNC = "vinyldns_zone_sync"


def test_killed_at_random_moments(
    server: Server,
    simulator: Simulator,
    start_module: START,
    run_module: RunModule,
    tmp_path: Path,
    repeats: Repeats,
) -> None:
    simulator.knob("vinyldns", sync_duration=0.5)
    rng = random.Random(1128)
    for number in range(repeats(4, 20, 100)):
        zones = [f"a{number}.example.", f"b{number}.example."]
        for zone in zones:
            server.add(zone)
            server.update_dns(zone, add=[["new", 300, "A", "198.51.100.1"]])
        path = tmp_path / f"{number}.json"
        options = server.options(zones, report_path=str(path), settle_grace=2)
        started = start_module(SYNC, options)
        time.sleep(rng.uniform(0, 1.2))
        started.kill()
        accepted = [zone for zone in zones if server.accepted(zone)]
        if accepted:
            report = json.loads(path.read_text())
            progress = {entry["target"]: entry.get("progress") for entry in report["syncs"]}
            # the first one that was sent is in it; of another one, a moment may be missing
            known = [zone for zone in accepted if progress[zone] in ("intended", "sending", "running", "done")]
            assert not report["unfinished"] or (known and report["failure"]["code"] == "outcome_unknown"), report
        again = run_module(SYNC, options)
        assert not again.failed, again.output
        found = [record for record in again.result["syncs"] if "interrupted" in record["detail"]]
        assert bool(found) == ("was interrupted: " in again.warnings)
        assert {server.accepted(zone) for zone in zones} == {1}
        assert json.loads(path.read_text())["unfinished"] is False
