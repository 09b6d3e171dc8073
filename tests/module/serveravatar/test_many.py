# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many ServerAvatar applications in one task: what is read by pages of lists, and what is not."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from ..conftest import RunModule
from .server import SYNC, Server

BACKUP, INFO = "serveravatar_backup", "serveravatar_staging_info"
LIST = "/organizations/5/servers/15/applications"


def asked(server: Server) -> Counter[str]:
    """Requests by what they were for."""
    kinds = {
        "list": rf"{LIST}$",
        "single": rf"{LIST}/\d+$",
        "status": "/status$",
        "staging": "/staging-area-detail$",
        "backups": "/organizations/5/backups$",
        "sync": "/sync$",
    }
    paths = [entry["path"].partition("?")[0] for entry in server.simulator.requests(part="serveravatar")]
    return Counter(next((kind for kind, pattern in kinds.items() if re.search(pattern, path)), "other") for path in paths)


def ids(server: Server, count: int = 12) -> list[str]:
    return [str(number) for number in server.add(count)]


def test_ids_are_found_in_pages_of_the_list(server: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, server.options(ids(server)), check=True)
    assert Counter(record["action"] for record in outcome.result["syncs"]) == {"would_trigger": 12}
    assert all(record["target"].startswith("bulk") for record in outcome.result["syncs"])
    seen = asked(server)
    assert seen["single"] == 0 and seen["list"] <= 6
    # what decides is read for each, as for a single one
    assert seen["status"] == seen["staging"] == 12
    assert outcome.result["summary"]["requests"] == sum(seen.values())


def test_few_ids_are_looked_for_one_by_one(server: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, server.options(ids(server, 2)), check=True)
    assert not outcome.failed
    assert asked(server) == {"single": 2, "status": 2, "staging": 2, "other": 1}


def test_an_id_that_is_not_listed_is_asked_for_by_itself(server: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, server.options([*ids(server), "4711"]), check=True)
    assert outcome.codes == [None] * 12 + ["not_found"]
    assert asked(server)["single"] == 1


def test_a_list_that_is_refused_keeps_nothing_from_being_done(server: Server, run_module: RunModule) -> None:
    wanted = ids(server)
    server.simulator.fault("status", part="serveravatar", path_regex=f"{LIST}$", code=403, body='{"message": "no"}')
    outcome = run_module(SYNC, server.options(wanted, max_parallel=4))
    assert {record["state"] for record in outcome.result["syncs"]} == {"succeeded"} and not outcome.failed
    seen = asked(server)
    assert seen["single"] == seen["sync"] == 12 and seen["list"] == 1
    assert server.accepted == 12


def test_a_run_in_flight_is_joined(server: Server, run_module: RunModule) -> None:
    wanted = ids(server)
    server.knob(sync_seconds=600.0)
    server.control("POST", f"/applications/{wanted[3]}/sync")
    outcome = run_module(SYNC, server.options(wanted, wait=False))
    actions = [record["action"] for record in outcome.result["syncs"]]
    assert actions == ["triggered"] * 3 + ["joined"] + ["triggered"] * 8
    assert asked(server)["sync"] == server.accepted == 11


def test_info_about_many_ids(server: Server, run_module: RunModule) -> None:
    wanted = ids(server)
    outcome = run_module(INFO, {**server.place, "applications": [*wanted, "4711"]})
    entries = outcome.result["applications"]
    assert [entry["id"] for entry in entries] == [*map(int, wanted), None]
    single = run_module(INFO, {**server.place, "applications": wanted[0]}).result["applications"][0]
    assert entries[0] == single
    seen = asked(server)
    assert seen["single"] == 2 and seen["list"] <= 6


# -- backups ---------------------------------------------------------------------------------------------------------


def backing_up(server: Server, wanted: Any, **more: Any) -> dict[str, Any]:
    return {**server.options(wanted, **more), "storage": "Offsite S3"}


@pytest.fixture
def with_backups(server: Server) -> list[str]:
    """Names of applications of which each backup takes a moment."""
    return list(server.add(8).values())


def test_backups_that_are_there_take_one_reading_of_the_list(
    server: Server, with_backups: list[str], run_module: RunModule, tmp_path: Any
) -> None:
    first = run_module(BACKUP, backing_up(server, with_backups, release="r1", max_parallel=8))
    assert not first.failed and {record["action"] for record in first.result["syncs"]} == {"triggered"}
    made = [record["detail"]["backup"]["id"] for record in first.result["syncs"]]
    assert len(server.sent) == len(set(made)) == 8
    server.simulator.clear()
    options = backing_up(server, with_backups, release="r1")
    again = run_module(BACKUP, options, env={"LOCKSTEP_LEDGER": str(tmp_path / "of-another-host.sqlite3")})
    assert {(record["action"], record["changed_basis"]) for record in again.result["syncs"]} == {("skipped", "observed")}
    assert [record["detail"]["backup"]["id"] for record in again.result["syncs"]] == made
    assert server.sent == [] and asked(server)["backups"] <= 2


def test_a_backup_that_is_missing_is_made_after_a_look_of_its_own(
    server: Server, with_backups: list[str], run_module: RunModule, tmp_path: Any
) -> None:
    run_module(BACKUP, backing_up(server, with_backups[:-1], release="r1", max_parallel=8))
    server.simulator.clear()
    options = backing_up(server, with_backups, release="r1")
    again = run_module(BACKUP, options, env={"LOCKSTEP_LEDGER": str(tmp_path / "of-another-host.sqlite3")})
    assert [record["action"] for record in again.result["syncs"]] == ["skipped"] * 7 + ["triggered"]
    assert len(server.sent) == 1 and not again.failed
    before = [entry["path"] for entry in server.simulator.requests(part="serveravatar")]
    last_read = before.index(server.sent[0]) - 1
    # nothing else comes between it and the look that decides, but the state of the server
    assert any(re.search("/organizations/5/backups", path) for path in before[last_read - 1 : last_read + 1])


def test_a_backup_in_flight_is_joined_by_many(server: Server, with_backups: list[str], run_module: RunModule) -> None:
    server.knob(backup_seconds=600.0)
    first = run_module(BACKUP, backing_up(server, with_backups[0], release="r1", wait=False))
    assert first.only["action"] == "triggered"
    second = run_module(BACKUP, backing_up(server, with_backups, release="r1", wait=False))
    actions = [record["action"] for record in second.result["syncs"]]
    assert actions == ["joined"] + ["triggered"] * 7 and not second.failed
    assert len(server.sent) == 8
