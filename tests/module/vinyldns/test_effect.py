# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What vinyldns_zone_sync reports of a sync's effect, with pages that overlap and with other syncs of the same zone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.client import Simulator

from ..conftest import RunModule
from .server import RECORDS, ZONE, Server, await_the_next_second, drifted, simulator_age, wait_until

COUNT = 1000
MANY = [f"host{number:04d} 300 A 192.0.2.{number % 250}" for number in range(COUNT)]


def pages(server: Server) -> int:
    return len(server.simulator.requests(path="recordsetchanges"))


def test_pages_of_the_emulator_overlap_as_those_of_the_server_do(server: Server, run_module: RunModule) -> None:
    server.add(vinyldns=[], dns=MANY)
    run_module("vinyldns_zone_sync", server.options(drift="none", guard={}, wait=False, backend=None))
    server.simulator.control.part("vinyldns", "POST", "/settle", {"timeout": 30})
    ids = [row["id"] for row in server.changes(ZONE)]
    assert len(ids) == COUNT + 1 and len(set(ids)) < len(ids)


@pytest.mark.parametrize("with_backend", [True, False])
def test_many_changes_are_reported_exactly_or_as_incomplete(with_backend: bool, server: Server, run_module: RunModule) -> None:
    server.add(vinyldns=[], dns=MANY)
    options = server.options() if with_backend else server.options(backend=None)
    outcome = run_module("vinyldns_zone_sync", options)
    detail = outcome.only["detail"]
    counts = {key: detail["effect"][key] for key in ("creates", "updates", "deletes")}
    # the number of rows is exact; which of them repeat is chance, so that the kinds are exact only where all rows were seen
    assert sum(counts.values()) == COUNT + 1 and outcome.changed
    assert not detail["effect"]["complete"] or counts == {"creates": COUNT, "updates": 1, "deletes": 0}
    assert "no change" not in outcome.output
    if with_backend:
        assert detail["fidelity"] == "exact" and detail["effect"]["complete"] and "differences" not in detail
        assert outcome.warnings == "[]"
    elif not detail["effect"]["complete"]:
        assert "known in part only" in outcome.warnings
    assert server.posts() == 1
    again = run_module("vinyldns_zone_sync", server.options())
    assert again.only["action"] == "skipped" and server.posts() == 1


def test_effect_that_stays_unknown_is_incomplete_and_never_no_change(server: Server, run_module: RunModule) -> None:
    server.add(vinyldns=[], dns=MANY)
    server.simulator.fault(
        "status",
        part="vinyldns",
        path_regex="/history",
        code=404,
        body="The requested path [/history] does not exist.",
        times=None,
    )
    outcome = run_module("vinyldns_zone_sync", server.options())
    detail = outcome.only["detail"]
    assert not outcome.failed and detail["fidelity"] == "incomplete" and not detail["effect"]["complete"]
    assert detail["effect"]["creates"] + detail["effect"]["updates"] == COUNT + 1
    assert "differences" not in detail and "no change" not in outcome.output and "known in part only" in outcome.warnings


def test_few_changes_are_read_once(server: Server, run_module: RunModule) -> None:
    drifted(server)
    assert run_module("vinyldns_zone_sync", server.options()).only["detail"]["effect"]["complete"]
    assert pages(server) == 1


def test_reading_the_effect_ends_with_the_deadline(server: Server, run_module: RunModule) -> None:
    server.add(vinyldns=[], dns=MANY)
    server.simulator.fault("delay", part="vinyldns", path_regex="recordsetchanges", seconds=4, times=None)
    outcome = run_module("vinyldns_zone_sync", server.options(backend=None, wait_timeout=10, max_parallel=1))
    # all pages would take 40 s and more
    assert not outcome.failed and outcome.changed and 0 < pages(server) < COUNT // 100
    assert not outcome.only["detail"]["effect"]["complete"] and "wait_timeout ended" in outcome.warnings


def test_other_controllers_sync_explains_that_nothing_was_left_to_do(
    server: Server, simulator: Simulator, start_module: Any
) -> None:
    """Another sync is accepted after the plan and is the first to run, so that this one finds no change."""
    drifted(server)
    simulator.knob("vinyldns", processing_disabled=True)
    simulator.fault("delay", part="vinyldns", method="POST", path_regex="/sync", seconds=3)
    process = start_module("vinyldns_zone_sync", server.options())
    wait_until(lambda: server.posts() == 1)
    simulator.control.part("vinyldns", "POST", "/automated-sync", {"zone": ZONE})
    wait_until(lambda: server.accepted() == 2)
    simulator.knob("vinyldns", processing_disabled=False)
    outcome = process.finish()
    detail = outcome.only["detail"]
    assert not outcome.failed and outcome.only["action"] == "triggered"
    assert detail["fidelity"] == "other_sync" and "differences" not in detail and not outcome.changed
    assert detail["effect"] == {"creates": 0, "updates": 0, "deletes": 0, "complete": True}
    (other,) = detail["other_syncs"]
    assert other["change_id"] in outcome.only["reason"] and "no change" not in outcome.output
    assert outcome.warnings == "[]"


def test_change_of_case_alone_warns_and_is_looked_at_afterwards(server: Server, run_module: RunModule) -> None:
    server.add(vinyldns=[*RECORDS, "Www 300 A 192.0.2.99"], dns=[*RECORDS, "www 300 A 192.0.2.99"])
    planned = run_module("vinyldns_zone_sync", server.options(), check=True)
    assert "case of their name only: www/A" in planned.warnings and server.posts() == 0
    outcome = run_module("vinyldns_zone_sync", server.options())
    (difference,) = outcome.only["detail"]["differences"]
    assert difference.startswith("www/A: ") and "run the task again" in difference
    assert outcome.only["detail"]["fidelity"] == "differs" and difference in outcome.warnings
    simulator_age(server, 3600)
    await_the_next_second(server)
    again = run_module("vinyldns_zone_sync", server.options())
    assert again.only["detail"]["effect"] == {"creates": 1, "updates": 0, "deletes": 0, "complete": True}
    assert again.only["detail"]["fidelity"] == "exact" and again.warnings == "[]"


def test_change_of_case_alone_that_is_kept_is_exact(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    simulator.knob("vinyldns", collation="binary")
    server.add(vinyldns=[*RECORDS, "Www 300 A 192.0.2.99"], dns=[*RECORDS, "www 300 A 192.0.2.99"])
    outcome = run_module("vinyldns_zone_sync", server.options())
    assert outcome.only["detail"]["fidelity"] == "exact" and "case of their name only" in outcome.warnings


def test_record_sets_that_cannot_be_represented_name_the_option_for_them(server: Server, run_module: RunModule) -> None:
    server.add(dns=[*RECORDS, "odd 300 TXT " + '"' + "\\228" * 64 + '"'])
    outcome = run_module("vinyldns_zone_sync", server.options())
    assert outcome.changed and "odd/TXT" in outcome.warnings and "guard.ignore" in outcome.warnings
    ignored = run_module("vinyldns_zone_sync", server.options(guard={"ignore": ["odd/TXT"]}))
    assert ignored.only["action"] == "skipped" and ignored.warnings == "[]"
