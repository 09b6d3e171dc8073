# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""plm_storage_sync and plm_storage_sync_info: a run, a second one, and options that cannot work."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import RunModule
from .server import COLLECTION, COMPLETED, INFO, MADE_UP, SYNC, Server, eventually, unknown_id

# -- the main job ----------------------------------------------------------------------------------------------------


def test_check_mode_looks_at_the_server_and_sends_nothing_else(server: Server, run_module: RunModule, ledger: Path) -> None:
    outcome = run_module(SYNC, server.options(notifications_url=server.notifications_url), check=True)
    assert outcome.changed
    assert outcome.only["action"] == "would_trigger"
    assert outcome.only["changed_basis"] == "predicted"
    assert server.gets() == [MADE_UP]
    assert len(server.simulator.requests(part="plm")) == outcome.result["summary"]["requests"] == 1
    assert not ledger.exists()


def test_a_run_is_triggered_once_and_waited_for(server: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, server.options())
    record = outcome.only
    assert not outcome.failed
    assert outcome.changed
    assert outcome.code == 0
    assert (record["action"], record["state"], record["changed_basis"]) == ("triggered", "succeeded", "assumed")
    assert record["target"] == server.url
    assert record["provider"] == "plm"
    assert record["detail"] == COMPLETED
    assert record["failure"] is None
    assert record["handle"] == {"provider": "plm", "address": server.url, "synchronizer": server.newest()}
    assert record["finished_at"] >= record["started_at"]
    assert server.posts() == server.accepted() == 1
    # the id is sent as it is, and every request is counted
    assert server.gets()[0] == MADE_UP
    assert set(server.looks()) == {f"{COLLECTION}/{server.newest()}"}
    seen = len(server.simulator.requests(part="plm"))
    assert outcome.result["summary"]["requests"] == record["requests"] == seen == record["polls"] + 2


def test_second_run_of_a_release_does_nothing(server: Server, run_module: RunModule) -> None:
    run_module(SYNC, server.options(release="spring"))
    second = run_module(SYNC, server.options(release="spring"))
    assert not second.changed
    assert second.only["action"] == "skipped"
    assert second.only["changed_basis"] == "assumed"
    assert not run_module(SYNC, server.options(max_age=3600)).changed
    assert server.posts() == 1
    for options in ({"release": "spring", "force": True}, {"max_age": 0}):
        predicted = run_module(SYNC, server.options(**options), check=True)
        assert predicted.only["action"] == "would_trigger"
    assert run_module(SYNC, server.options(release="summer")).only["action"] == "triggered"
    assert server.posts() == 2


def test_info(server: Server, run_module: RunModule) -> None:
    known = server.started_by_somebody()
    eventually(lambda: server.control("GET", "/synchronizers")["synchronizers"][-1]["overall"] == "completed")
    outcome = run_module(INFO, {"api_url": server.url, "synchronizer": [known, unknown_id()]})
    first, second = outcome.result["synchronizers"]
    assert first == {"id": known, **COMPLETED, "known": True}
    assert {key: second[key] for key in ("state", "push", "pull", "known")} == dict.fromkeys(("state", "push", "pull", "known"))
    assert not outcome.changed
    assert server.posts() == 0


def test_the_address_may_come_from_the_environment(server: Server, run_module: RunModule) -> None:
    options = {key: value for key, value in server.options().items() if key != "api_url"}
    standalone = server.simulator["plm"]["standalone_url"]
    outcome = run_module(SYNC, options, env={"PLM_MEDIA_MANAGER_URL": standalone + "/"})
    assert outcome.only["state"] == "succeeded"
    assert outcome.only["target"] == standalone


# -- options ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"synchronizer": "$4f43aabb-9b4d-4337-a953-64f9eaf1e6ec"}, "synchronizer"),
        ({"notifications_url": "ws://operator:hunter2@127.0.0.1:9002/"}, "notifications_url"),
    ],
)
def test_options_that_cannot_work_are_refused(server: Server, run_module: RunModule, options: dict[str, str], named: str) -> None:
    outcome = run_module(SYNC, server.options(**options))
    assert outcome.failed
    assert outcome.result["failure"]["code"] == "invalid_option"
    assert outcome.result["msg"].startswith(f"option {named}:")
    assert "hunter2" not in outcome.result["msg"]
    assert server.simulator.requests(part="plm") == []


def test_info_refuses_what_is_no_id(server: Server, run_module: RunModule) -> None:
    outcome = run_module(INFO, {"api_url": server.url, "synchronizers": ["$a"]})
    assert outcome.failed
    assert outcome.result["failure"]["code"] == "invalid_option"
    assert outcome.result["synchronizers"] == []
