# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore is sent once: lost replies, killed runs, waiting later, and what else goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.simulator.client import wait_until

from ...conftest import RunModule
from .server import NEWER, PATH, RESTORE, SHOP, SYNC, Server, decision

# -- exactly once ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["drop_after", "status_after", "error_after"])
def test_a_lost_reply_is_adopted(server: Server, run_module: RunModule, fault: str) -> None:
    if fault == "error_after":
        server.knob(restore_answer=fault)
    else:
        server.fault(fault)
    outcome = run_module(RESTORE, server.options())
    assert (outcome.failed, decision(outcome)) == (False, ["triggered", "succeeded", True, "observed"])
    assert outcome.only["reason"].startswith("adopted")
    assert (server.sent, server.restores()) == ([PATH], [SHOP])


@pytest.mark.parametrize("case", ["drop_before", "error_before", "invisible"])
def test_what_may_have_been_restored_is_not_restored_again(server: Server, run_module: RunModule, case: str) -> None:
    run_module(SYNC, server.syncing(release="r2"))
    if case == "error_before":
        server.knob(restore_answer=case)
    else:
        server.knob(restore_row="frozen")
        server.fault("drop_after" if case == "invisible" else case)
    outcome = run_module(RESTORE, server.options(settle_grace=0.5, release="p-1"))
    assert (outcome.codes, outcome.only["state"], outcome.changed) == (["outcome_unknown"], "unknown", True)
    assert server.sent[1:] == [PATH]
    assert run_module(SYNC, server.syncing(release="r2"), check=True).only["action"] == "would_trigger"


@pytest.mark.parametrize(
    ("answer", "code"), [("disk", "disk_full"), ("permission", "permission_denied"), ("not_connected", "connection_failed")]
)
def test_a_definite_refusal_invalidates_nothing(server: Server, run_module: RunModule, answer: str, code: str) -> None:
    run_module(SYNC, server.syncing(release="r2"))
    server.knob(restore_answer=answer)
    outcome = run_module(RESTORE, server.options())
    assert (outcome.codes, decision(outcome)) == ([code], ["refused", "not_started", False, "observed"])
    assert (server.sent[1:], server.restores()) == ([PATH], [])
    assert run_module(SYNC, server.syncing(release="r2")).only["action"] == "skipped"


def test_a_killed_run_is_found_again(server: Server, run_module: RunModule, start_module: Any) -> None:
    run_module(SYNC, server.syncing(release="r2"))
    server.knob(restore_outcome="never")
    process = start_module(RESTORE, server.options(release="p-1"))
    wait_until(server.restores)
    process.kill()
    assert run_module(SYNC, server.syncing(release="r2"), check=True).only["action"] == "would_trigger"
    process = start_module(RESTORE, server.options(release="p-1"))
    server.wait_for_looks()
    server.finish()
    again = process.finish()
    assert (again.only["action"], again.only["state"]) == ("joined", "succeeded")
    assert decision(run_module(RESTORE, server.options(release="p-1")))[0] == "skipped"
    assert server.sent[1:] == [PATH]


def test_waiting_later(server: Server, run_module: RunModule) -> None:
    run_module(SYNC, server.syncing(release="r2"))
    server.knob(restore_outcome="never")
    started = run_module(RESTORE, server.options(wait=False, release="p-1"))
    assert (started.only["state"], started.changed) == ("running", True)
    assert run_module(RESTORE, server.options(release="p-1"), check=True).only["action"] == "would_join"
    assert run_module(SYNC, server.syncing(release="r2"), check=True).only["action"] == "would_trigger"
    server.finish()
    options = {"handles": [started.only["handle"]], "connections": {RESTORE: server.login}, "poll_min_interval": 0.1}
    waited = run_module("sync_wait", options)
    assert (waited.failed, waited.only["provider"], waited.only["state"]) == (False, RESTORE, "succeeded")
    assert decision(run_module(RESTORE, server.options(release="p-1")))[0] == "skipped"
    assert server.sent[1:] == [PATH]


def test_waiting_on_another_host_ends_what_that_host_knows(server: Server, run_module: RunModule, tmp_path: Path) -> None:
    there = {"LOCKSTEP_LEDGER": str(tmp_path / "there.sqlite3")}
    run_module(SYNC, server.syncing(release="r2"), env=there)
    started = run_module(RESTORE, server.options(wait=False))
    # it cannot know
    assert run_module(SYNC, server.syncing(release="r2"), env=there).only["action"] == "skipped"
    options = {"handles": [started.only["handle"]], "connections": {RESTORE: server.login}, "poll_min_interval": 0.1}
    assert run_module("sync_wait", options, env=there).only["state"] == "succeeded"
    assert run_module(SYNC, server.syncing(release="r2"), env=there).only["action"] == "triggered"
    # to ask for the same run once more does not undo what came after it
    assert run_module("sync_wait", options, env=there).only["state"] == "succeeded"
    assert run_module(SYNC, server.syncing(release="r2"), env=there).only["action"] == "skipped"


# -- what else goes on -----------------------------------------------------------------------------------------------


def test_a_restore_by_somebody_else_is_joined(server: Server, run_module: RunModule, start_module: Any) -> None:
    run_module(SYNC, server.syncing(release="r2"))
    server.knob(restore_outcome="never")
    server.begin(SHOP)
    assert run_module(RESTORE, server.options(if_running="fail")).codes == ["busy"]
    assert decision(run_module(RESTORE, server.options(), check=True)) == ["would_join", "not_started", True, "predicted"]
    process = start_module(RESTORE, server.options())
    server.wait_for_looks()
    server.finish()
    outcome = process.finish()
    assert decision(outcome) == ["joined", "succeeded", True, "observed"]
    assert (server.sent[1:], server.restores()) == ([], [SHOP])
    assert run_module(SYNC, server.syncing(release="r2"), check=True).only["action"] == "would_trigger"


def test_the_restore_of_another_backup_is_not_joined(server: Server, run_module: RunModule, start_module: Any) -> None:
    server.knob(restore_outcome="never")
    server.begin(NEWER)
    for mode in ("join", "fail"):
        outcome = run_module(RESTORE, server.options(if_running=mode, settle_grace=0.3))
        assert (outcome.codes, outcome.changed) == (["busy"], False)
    assert (server.restores(), server.sent) == ([NEWER], [PATH, PATH])
    process = start_module(RESTORE, server.options(if_running="queue", poll_max_interval=0.3))
    wait_until(lambda: len(server.sent) >= 4)
    server.knob(restore_outcome="success")
    server.finish(NEWER)
    outcome = process.finish()
    assert decision(outcome) == ["triggered", "succeeded", True, "observed"]
    assert server.restores() == [NEWER, SHOP]


def test_a_sync_in_flight_is_not_restored_over(server: Server, run_module: RunModule, start_module: Any) -> None:
    server.knob(sync_outcome="never")
    run_module(SYNC, server.syncing(wait=False, release="r2"))
    for check in (True, False):
        outcome = run_module(RESTORE, server.options(), check=check)
        assert (outcome.codes, outcome.changed) == (["busy"], False)
        assert "staging area of shop" in outcome.result["msg"]
    assert run_module(RESTORE, server.options(if_running="queue"), check=True).only["action"] == "would_trigger"
    process = start_module(RESTORE, server.options(if_running="queue"))
    before = len(server.simulator.requests(path="/88/status$"))
    wait_until(lambda: len(server.simulator.requests(path="/88/status$")) >= before + 3)
    assert server.restores() == []
    server.control("POST", "/applications/88/finish")
    outcome = process.finish()
    assert decision(outcome) == ["triggered", "succeeded", True, "observed"]
    assert (server.production, server.restores(), len(server.sent)) == ("release-0", [SHOP], 2)
    # the sync ended before the restore, whenever its end is observed
    assert run_module(SYNC, server.syncing(release="r2"), check=True).only["action"] == "would_trigger"
