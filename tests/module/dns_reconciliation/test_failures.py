# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that take too long, are killed or cannot work: each leaves a report."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.simulator.client import Simulator

from .playbook import AS_ANOTHER, ROLE, Playbook, Server


def test_a_run_that_takes_too_long_is_neither_success_nor_failure(
    server: Server, simulator: Simulator, playbook: Playbook
) -> None:
    server.add("slow.example.")
    server.drift("slow.example.")
    simulator.knob("vinyldns", sync_duration=60.0)
    late = playbook(zones=["slow.example."], wait_timeout=4)
    assert late.code != 0
    assert (late.verdict, late.report["ok"]) == ("timed_out", False)
    zone = late.zone("slow.example.")
    assert (zone["state"], zone["failure"]["code"]) == ("running", "timed_out")
    assert zone["handle"]["change_id"]
    assert server.sent() == 1


@pytest.mark.parametrize("others", [(), ("-e", json.dumps(AS_ANOTHER))], ids=["here", "as another user"])
def test_a_report_that_cannot_be_written_is_refused_before_anything_is_done(
    server: Server, playbook: Playbook, tmp_path: Path, others: tuple[str, ...]
) -> None:
    server.add("a.example.")
    server.drift("a.example.")
    (tmp_path / "taken").write_text("")
    running = playbook.start(*others, zones=["a.example."], report_path=str(tmp_path / "taken" / "report.json"))
    output, dummy = running.process.communicate(timeout=300)
    assert running.process.returncode != 0
    assert "option dns_reconciliation_report_path: " in output
    assert "cannot be written: " in output
    assert "Name a file in a directory that this user may write to." in " ".join(output.split())
    assert "Traceback" not in output
    assert server.simulator.requests(part="vinyldns") == []


def test_a_run_that_is_killed_has_left_a_report(server: Server, simulator: Simulator, playbook: Playbook) -> None:
    server.add("killed.example.", "same.example.")
    server.drift("killed.example.")
    simulator.knob("vinyldns", sync_duration=3.0)
    running = playbook.start(zones=["killed.example.", "same.example."])
    deadline = time.monotonic() + 60
    while not server.synced():
        assert running.process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    os.killpg(running.process.pid, signal.SIGKILL)
    left = running.finish()
    assert (left.verdict, left.report["ok"]) == ("unknown", False)
    assert left.verdicts == {"killed.example.": "unknown", "same.example.": "in_sync"}
    assert "run the role again" in left.report["error"]
    # the next run joins it, or finds it done
    again = playbook(zones=["killed.example.", "same.example."])
    assert again.code == 0 and again.verdict in ("reconciled", "in_sync"), again.output
    assert server.sent() == 1


def test_errors_that_the_play_ignores_sync_nothing(server: Server, playbook: Playbook, tmp_path: Path) -> None:
    server.add("a.example.")
    server.drift("a.example.")
    (tmp_path / "role.yml").write_text(ROLE.replace("  tasks:", "  ignore_errors: true\n  tasks:"))
    given = ("-e", json.dumps({"login": server.login, "fact": str(tmp_path / "fact.json")}))
    played = playbook(*given, playbook=str(tmp_path / "role.yml"), zones=["a.example."], zone_filter="*", secret_key="wrong")
    assert (played.verdict, played.report["ok"]) == ("failed", False), played.output
    assert "Authentication Failed" in played.report["error"]
    assert server.sent() == 0


#: the first ones are the short form: each fails in another place
BAD = [
    ({"zones": ["example.com."], "secret_key": "wrong"}, "auth_failed"),
    ({"zone_filter": "no such zone"}, "No zones to reconcile"),
    ({"zones": ["example.com."], "guard": {"max_deletions": 1}}, "max_deletions"),
    ({"zones": ["example.com."], "wait_timeout": -1}, "option wait_timeout"),
    ({"zone_filter": "example", "secret_key": "wrong"}, "Authentication Failed"),
    ({"zones": ["example.com."], "secret_key": None}, "secret_key"),
    ({"zones": ["example.com."], "api_url": "http://127.0.0.1:1", "wait_timeout": 3}, "connection_failed"),
    ({"zones": ["example.com."], "max_parallel": "many"}, "dns_reconciliation_max_parallel"),
]


def test_every_failure_is_reported(server: Server, playbook: Playbook, repeats: Callable[[int, int], int]) -> None:
    for number in range(0, repeats(4, len(BAD)), 2):
        pair = BAD[number : number + 2]
        running = [playbook.start("--check", **variables) for variables, _word in pair]
        for (variables, word), run in zip(pair, running, strict=True):
            played = run.finish()
            assert played.code != 0, variables
            assert (played.verdict, played.report["ok"]) == ("failed", False), played.output
            assert word in json.dumps(played.report), played.output
            assert word in played.markdown and word in played.page, played.output
            assert " ".join(played.report["message"].split()) in " ".join(played.output.split()), played.output
    assert server.sent() == 0
