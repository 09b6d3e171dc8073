# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event that ansible-runner writes of a task with many zones that all differ, with their diff: AWX keeps it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.module.support.runner_jobs import RunnerJob

from .server import RECORDS, Server

#: names of 30 characters
ZONES = [f"zone-{number:05d}.internal.example.com." for number in range(300)]
CHANGED = [*RECORDS[2:], "host00 60 A 192.0.2.0", "new 300 A 198.51.100.1"]


def event(folder: Path, server: Server, check: bool) -> tuple[dict[str, Any], int]:
    """The event of the task, and its size."""
    folder.mkdir()
    task = {"lockstep.sync.vinyldns_zone_sync": "{{ options }}", "diff": True}
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [task]}
    (folder / "play.yml").write_text(json.dumps([play]))
    options = server.options(ZONES, guard={"max_delete_percent": 100})
    environment = {"LOCKSTEP_LEDGER": str(folder / "ledger.sqlite3"), "LC_ALL": "C.UTF-8"}
    job = RunnerJob(folder / "job", str(folder / "play.yml"), {"options": options}, environment, check=check)
    assert job.finish() == "successful", job.output
    (found,) = (path for path in (folder / "job/artifacts/job/job_events").glob("*.json") if '"runner_on_ok"' in path.read_text())
    return json.loads(found.read_text())["event_data"]["res"], found.stat().st_size


@pytest.mark.long
@pytest.mark.parametrize("check", [True, False])
def test_it_is_below_600_bytes_a_zone(server: Server, tmp_path: Path, check: bool) -> None:
    zones = [{"name": name, "records": RECORDS, "dns": CHANGED} for name in ZONES]
    server.simulator.control.part("vinyldns", "POST", "/zones", {"zones": zones})
    result, size = event(tmp_path / "run", server, check)
    assert result["changed"] and len(result["syncs"]) == len(ZONES)
    assert all(record["detail"]["drift"]["digest"] for record in result["syncs"])
    assert result["diff"] and "more targets differ" in result["diff"][-1]["after"]
    assert size / len(ZONES) < 600
