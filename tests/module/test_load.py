# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Eight playbooks at once, again and again, with one ledger: no sync is lost or doubled, no ledger is locked, no memory grows."""

from __future__ import annotations

import collections
import contextlib
import json
import re
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Repeats
from tests.simulator.client import Simulator

from .playbooks import PlaybookProcess
from .serveravatar.server import Server
from .support.ledgers import LEDGERS, Ledger

LANES = 8
APPLICATIONS = 5
#: releases that one playbook brings to all applications, one after the other, and seconds for which all playbooks take the same
RELEASES = 4
ROUND = 10.0
#: how much more memory the last playbooks may take than the first ones
GROWTH = 1.1

PLAY = [
    {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": sys.executable},
        "tasks": [
            {
                "lockstep.sync.serveravatar_staging_sync": "{{ options | combine({'release': item}) }}",
                "loop": "{{ releases }}",
                "register": "synced",
                "ignore_errors": True,
            },
            {"ansible.builtin.copy": {"content": "{{ synced.results | to_json }}", "dest": "{{ dest }}"}},
        ],
    }
]


@pytest.fixture
def server() -> Iterator[Server]:
    with Simulator.start(parts=["serveravatar"]) as running:
        yield Server(running)


class Lane:
    """One playbook after the other."""

    def __init__(self, number: int, server: Server, applications: list[str], environment: dict[str, str], folder: Path) -> None:
        self.folder = folder / str(number)
        self.folder.mkdir()
        (self.folder / "play.json").write_text(json.dumps(PLAY))
        self.environment = {**environment, "ANSIBLE_LOCAL_TEMP": str(self.folder / "local")}
        # one half waits for the runs of others, and then brings its own release
        queue = {"if_running": "queue"} if number % 2 else {}
        # a row that moves late on a busy machine is not taken for one that does not move
        self.options = server.options(applications, wait_timeout=300, settle_grace=200, max_parallel=4, **queue)
        #: the records of each release
        self.records: list[tuple[str, dict[str, Any]]] = []
        self.mebibytes: list[float] = []
        self.output = ""

    def work(self, began: float, seconds: float) -> None:
        while time.monotonic() - began < seconds:
            current = int((time.monotonic() - began) // ROUND)
            self._run([f"{current}.{number}" for number in range(RELEASES)])

    def _run(self, releases: list[str]) -> None:
        dest = self.folder / "result.json"
        dest.unlink(missing_ok=True)
        variables = self.folder / "variables.json"
        variables.write_text(json.dumps({"options": self.options, "releases": releases, "dest": str(dest)}))
        arguments = ["-i", "localhost,", "-e", f"@{variables}", "play.json"]
        process = PlaybookProcess(arguments, self.environment, self.folder, self.folder / "output")
        try:
            self.mebibytes.append(_largest(process))
            output, _errors = process.communicate(timeout=300)
        finally:
            process.kill()
        self.output += output
        assert process.returncode == 0, output
        results = json.loads(dest.read_text())
        assert [result["item"] for result in results] == releases
        self.records += [(result["item"], record) for result in results for record in result["syncs"]]


def _largest(process: PlaybookProcess) -> float:
    """The memory that a playbook has had at most by its end, in MiB; its workers share it."""
    largest, until = 0, time.monotonic() + 300
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{process.pid}/status").read_text()
            found = re.search(r"VmHWM:\s+(\d+) kB", status)
            largest = max(largest, int(found[1]) if found else 0)
        time.sleep(0.1)
    return largest / 1024


def flat(values: list[float]) -> bool:
    """Whether the last quarter of the values is as the first one."""
    quarter = max(1, len(values) // 4)
    return statistics.median(values[-quarter:]) <= GROWTH * statistics.median(values[:quarter])


def run_lanes(lanes: list[Lane], seconds: float) -> None:
    start, began = threading.Barrier(len(lanes)), time.monotonic()

    def work(lane: Lane) -> None:
        start.wait()
        lane.work(began, seconds)

    with ThreadPoolExecutor(len(lanes)) as pool:
        for done in [pool.submit(work, lane) for lane in lanes]:
            done.result()


def check_syncs(lanes: list[Lane], server: Server) -> dict[str, float]:
    """None is doubled and none lost; returns figures of what was done."""
    records = [each for lane in lanes for each in lane.records]
    triggered = collections.Counter((release, record["target"]) for release, record in records if record["action"] == "triggered")
    asked = {(release, record["target"]) for release, record in records}
    brought = [(release, record) for release, record in records if record["action"] != "skipped"]
    assert [record for _release, record in records if record["failure"] is not None] == []
    # what the tasks say is what the server did, and no more than that
    assert [each for each in records if triggered[each[0], each[1]["target"]] > 1] == []
    assert server.accepted == sum(triggered.values())
    # each release was brought by a run of its own, or by one that a task has joined
    assert {record["state"] for _release, record in brought} == {"succeeded"}
    assert {(release, record["target"]) for release, record in brought} == asked
    playbooks = [lane.mebibytes for lane in lanes]
    return {
        "playbooks": sum(map(len, playbooks)),
        "records": len(records),
        "releases": len(asked),
        "triggered": sum(triggered.values()),
        "mebibytes": max(map(max, playbooks)),
    }


@pytest.mark.long
@pytest.mark.parametrize("new_ledger", LEDGERS, indirect=True)
def test_eight_playbooks_at_once(
    server: Server,
    environment: dict[str, str],
    tmp_path: Path,
    new_ledger: Callable[[Path], Ledger],
    repeats: Repeats,
    record_property: Callable[[str, object], None],
) -> None:
    server.knob(sync_seconds=0.3)
    applications = server.add(APPLICATIONS)
    ledger = new_ledger(tmp_path)
    own = {**environment, "LOCKSTEP_LEDGER": ledger.location, "ANSIBLE_NOCOLOR": "1"}
    lanes = [Lane(number, server, list(applications.values()), own, tmp_path) for number in range(LANES)]
    run_lanes(lanes, repeats(0, 60, 1800))
    for name, figure in check_syncs(lanes, server).items():
        record_property(name, figure)
        print(f"{name}: {figure:g}")
    assert not [lane.output for lane in lanes if "locked" in lane.output]
    memory = [lane.mebibytes for lane in lanes]
    assert all(flat(each) for each in memory), memory
    assert ledger.query("SELECT id FROM runs WHERE holder <> '' OR state IN ('intended', 'sending', 'started')") == []
