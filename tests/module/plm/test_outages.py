# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A local database that goes down while a task waits is an outage: tolerated for ``outage_grace``, and no failure of the run."""

from __future__ import annotations

from typing import Any

from ..conftest import RunModule
from .server import COMPLETED, EXISTING, MADE_UP, SYNC, WAIT, Server, eventually, failure

#: the run goes on for as long as it is not settled, and there is more time than any of these tests takes
STUCK = {"push_outcome": "stuck-triggered"}
PATIENT = {"wait_timeout": 300}


def test_an_outage_of_the_database_ends_the_wait_after_its_grace(
    server: Server, start_module: Any, run_module: RunModule
) -> None:
    server.knob(**STUCK)
    started = start_module(SYNC, server.options(**PATIENT, outage_grace=2, release="spring"))
    eventually(server.looks)
    server.knob(db_down=True)
    outcome = started.finish()
    record = outcome.only
    assert outcome.failed
    assert (failure(outcome)["code"], failure(outcome)["http_status"]) == ("server_error", 200)
    assert "local database of the server is down" in failure(outcome)["message"]
    assert "sync_wait" in failure(outcome)["hint"]
    assert (record["action"], record["state"], record["timed_out"]) == ("triggered", "running", False)
    assert (outcome.changed, record["changed_basis"]) == (True, "assumed")
    assert record["handle"]["synchronizer"] == server.newest()
    assert 2 <= record["elapsed"] < 200
    # the database is asked about each time, and nothing else
    assert server.gets()[-2:] == [server.looks()[-1], MADE_UP]
    server.knob(db_down=False)
    server.settle()
    resumed = run_module(SYNC, server.options(release="spring"))
    assert (resumed.failed, resumed.only["action"]) == (False, "skipped")
    assert server.posts() == 1


def test_a_database_that_goes_down_again_and_again_is_tolerated(server: Server, start_module: Any) -> None:
    server.knob(**STUCK)
    started = start_module(SYNC, server.options(**PATIENT, outage_grace=60))
    eventually(server.looks)
    for down in (True, False, True, False):
        server.knob(db_down=down)
        looks = len(server.looks())
        eventually(lambda looks=looks: len(server.looks()) >= looks + 2)
    server.settle()
    outcome = started.finish()
    assert not outcome.failed
    assert outcome.only["detail"] == COMPLETED
    assert server.posts() == 1


def test_without_a_grace_the_first_look_ends_the_wait(server: Server, start_module: Any) -> None:
    server.knob(**STUCK)
    started = start_module(SYNC, server.options(**PATIENT, outage_grace=0))
    eventually(server.looks)
    server.knob(db_down=True)
    outcome = started.finish()
    assert failure(outcome)["code"] == "server_error"
    assert outcome.only["state"] == "running"
    assert server.posts() == 1


def test_a_database_that_goes_down_and_then_the_server_are_one_outage(server: Server, start_module: Any) -> None:
    server.knob(**STUCK)
    started = start_module(SYNC, server.options(**PATIENT, outage_grace=4))
    eventually(server.looks)
    server.knob(db_down=True)
    eventually(lambda: server.gets()[-1] == MADE_UP)
    server.simulator.fault("status", part="plm", method="GET", path_regex=EXISTING, code=503, times=None)
    outcome = started.finish()
    assert failure(outcome)["http_status"] == 503
    assert (outcome.only["state"], outcome.only["timed_out"]) == ("running", False)
    assert server.posts() == 1


def test_sync_wait_ends_after_the_same_grace(server: Server, run_module: RunModule) -> None:
    server.knob(**STUCK)
    handle = {"provider": "plm", "address": server.url, "synchronizer": server.started_by_somebody()}
    server.knob(db_down=True)
    pace = {"poll_min_interval": 0.1, "poll_max_interval": 0.2, "outage_grace": 1, **PATIENT}
    outcome = run_module(WAIT, {"handles": [handle], **pace})
    assert failure(outcome)["code"] == "server_error"
    assert (outcome.only["state"], outcome.changed) == ("running", True)
    server.knob(db_down=False)
    server.settle()
    assert run_module(WAIT, {"handles": [handle], **pace}).only["detail"] == COMPLETED
    assert server.posts() == 0


def test_queueing_behind_a_run_ends_after_the_same_grace_and_sends_nothing(server: Server, start_module: Any) -> None:
    server.knob(**STUCK)
    known = server.started_by_somebody()
    options = server.options(**PATIENT, outage_grace=1, synchronizer=known, if_running="queue")
    started = start_module(SYNC, options)
    eventually(lambda: len(server.looks()) > 2)
    server.knob(db_down=True)
    outcome = started.finish()
    assert failure(outcome)["code"] == "server_error"
    assert (outcome.only["action"], outcome.changed) == ("refused", False)
    assert server.posts() == 0
