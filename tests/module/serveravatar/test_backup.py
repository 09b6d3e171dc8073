# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""serveravatar_backup against the ServerAvatar emulator, asserting on what the server saw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from tests.simulator.client import Simulator, wait_until

from ..conftest import RunModule
from .server import PACE, Service

BACKUP = "serveravatar_backup"
PATH = "/organizations/5/servers/15/backups"
#: the newest backup that there is at the start
NEWEST = 312


class Server(Service):
    """The emulated service as the tests of backups see it."""

    def options(self, applications: Any = "shop", **more: Any) -> dict[str, Any]:
        return {**self.place, "storage": "Offsite S3", "applications": applications, **PACE, **more}

    def backups(self, application: int = 88) -> list[int]:
        """New backups of an application."""
        return [each for each in self.truth(application)["backups"] if each > NEWEST]

    def row(self, number: int) -> dict[str, Any]:
        """A backup as the API shows it."""
        answer = requests.get(f"{self.url}/organizations/5/backups", headers={"Authorization": self.token}, timeout=10)
        return dict(next(each for each in answer.json()["data"] if each["id"] == number))

    def order(self, name: str) -> None:
        """Somebody else orders a backup of the shop."""
        body = {"provider": "amazon_s3", "cloud_storage_provider_id": 7, "automatic_backup": 0, "type": "application"}
        headers = {"Authorization": self.token}
        answer = requests.post(
            f"{self.url}{PATH}", json={**body, "application_id": 88, "name": name}, headers=headers, timeout=10
        )
        assert answer.ok


@pytest.fixture
def server(simulator: Simulator) -> Server:
    return Server(simulator)


def test_check_mode_orders_nothing(server: Server, run_module: RunModule, ledger: Path) -> None:
    outcome = run_module(BACKUP, server.options(release="r1"), check=True)
    assert (outcome.changed, outcome.only["action"], outcome.only["changed_basis"]) == (True, "would_trigger", "predicted")
    assert (server.sent, server.backups(), ledger.exists()) == ([], [], False)


def test_a_backup_is_made_once_for_a_release_on_any_host(
    server: Server, run_module: RunModule, ledger: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    first = run_module(BACKUP, server.options(release="2026.11", report_path=str(report)))
    record = first.only
    assert (first.failed, first.changed) == (False, True)
    assert [record[key] for key in ("target", "action", "state", "changed_basis")] == [
        "shop",
        "triggered",
        "succeeded",
        "observed",
    ]
    (number,) = server.backups()
    backup = record["detail"]["backup"]
    assert (backup["id"], backup["status"], backup["size"]) == (number, "Completed", "51 MB")
    row = server.row(number)
    assert (row["backup_configuration"]["name"], row["database_id"]) == (backup["name"], 48)
    assert row["cloud_storage_provider_id"] == 7
    again = run_module(BACKUP, server.options(release="2026.11"))
    assert (again.changed, again.only["action"], again.only["changed_basis"]) == (False, "skipped", "observed")
    elsewhere = {"LOCKSTEP_LEDGER": str(tmp_path / "elsewhere.sqlite3")}
    for_others = run_module(BACKUP, server.options("88", release="2026.11", server="production"), env=elsewhere)
    assert for_others.only["action"] == "skipped"
    assert for_others.only["detail"]["backup"] == backup
    assert server.sent == [PATH]
    left = report.read_text() + ledger.read_bytes().decode("latin-1") + first.output
    assert server.token not in left


def test_max_age_goes_by_the_ledger(server: Server, run_module: RunModule, tmp_path: Path) -> None:
    first = run_module(BACKUP, server.options(max_age=3600))
    again = run_module(BACKUP, server.options(max_age=3600))
    assert (again.only["action"], again.only["changed_basis"]) == ("skipped", "assumed")
    assert again.only["detail"]["backup"] == first.only["detail"]["backup"]
    assert run_module(BACKUP, server.options(max_age=3600, type="filesystem"), check=True).only["action"] == "would_trigger"
    assert len(server.backups()) == 1


def test_several_applications_and_another_storage(server: Server, run_module: RunModule) -> None:
    options = server.options(["shop", "blog.test", "landing"], storage="9", retention_period="3 Months", type="application")
    outcome = run_module(BACKUP, options)
    assert not outcome.failed
    assert [record["detail"]["backup"]["id"] for record in outcome.result["syncs"]] == [
        *server.backups(88),
        *server.backups(90),
        *server.backups(77),
    ]
    # the database of an application without staging area is not known
    assert "landing" in outcome.warnings
    assert "database" in outcome.warnings
    assert len(server.sent) == 3


@pytest.mark.parametrize("knobs", [{"backup_order": "oldest_first"}, {"backup_row_appears": "at_end", "backups_per_page": 4}])
def test_however_backups_are_listed(server: Server, run_module: RunModule, knobs: dict[str, Any]) -> None:
    server.knob(backup_seconds=0.6, **knobs)
    outcome = run_module(BACKUP, server.options(settle_grace=0.2, name="before the sale"))
    assert (outcome.only["state"], outcome.only["detail"]["backup"]["id"]) == ("succeeded", NEWEST + 1)
    assert server.sent == [PATH]


def test_backups_of_others_are_not_mistaken_for_ours(server: Server, run_module: RunModule, start_module: Any) -> None:
    server.knob(backup_seconds=1.2)
    process = start_module(BACKUP, server.options())
    wait_until(server.backups)
    server.order("nightly shop")
    outcome = process.finish()
    assert (outcome.only["state"], outcome.only["detail"]["backup"]["id"]) == ("succeeded", NEWEST + 1)
    assert outcome.only["detail"]["backup"]["name"] == outcome.only["handle"]["backup"]
    # a backup of another client is not joined either: its contents are unknown
    server.order("by hand")
    assert run_module(BACKUP, server.options(), check=True).only["action"] == "would_trigger"


@pytest.mark.parametrize("fault", ["drop_after", "status_after"])
def test_a_lost_reply_is_adopted(server: Server, simulator: Simulator, run_module: RunModule, fault: str) -> None:
    simulator.fault(fault, part="serveravatar", method="POST")
    outcome = run_module(BACKUP, server.options())
    assert (outcome.failed, outcome.only["action"], outcome.only["state"]) == (False, "triggered", "succeeded")
    assert outcome.only["reason"].startswith("adopted")
    assert (server.sent, len(server.backups())) == ([PATH], 1)


def test_what_may_have_been_ordered_is_not_ordered_again(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    simulator.fault("drop_before", part="serveravatar", method="POST")
    outcome = run_module(BACKUP, server.options(settle_grace=0.5))
    assert (outcome.codes, outcome.only["state"]) == (["outcome_unknown"], "unknown")
    assert (server.sent, server.backups()) == ([PATH], [])


def test_refusals(server: Server, run_module: RunModule) -> None:
    server.knob(applications={"88": {"backup_disk_full": True}})
    outcome = run_module(BACKUP, server.options())
    assert (outcome.codes, outcome.only["action"], outcome.changed) == (["disk_full"], "refused", False)
    for more, code, word in (
        ({"storage": "Nowhere"}, "not_found", "storage"),
        ({"database": "4711"}, "not_found", "Database not found!"),
        ({"database": "nothing"}, "not_found", "database"),
    ):
        outcome = run_module(BACKUP, server.options("blog", **more))
        assert outcome.codes == [code]
        assert word in outcome.result["msg"]
    assert server.backups(90) == []


def test_a_failed_backup_is_a_failure(server: Server, run_module: RunModule) -> None:
    server.knob(backup_outcome="failure")
    outcome = run_module(BACKUP, server.options(release="r1"))
    assert (outcome.codes, outcome.only["state"], outcome.changed) == (["run_failed"], "failed", False)
    assert outcome.only["detail"]["backup"]["status"] == "Failed"
    server.knob(backup_outcome="success")
    again = run_module(BACKUP, server.options(release="r1"))
    assert (again.only["action"], again.only["detail"]["backup"]["id"]) == ("triggered", NEWEST + 2)


def test_waiting_later(server: Server, run_module: RunModule) -> None:
    server.knob(backup_seconds=1, applications={"90": {"backup_outcome": "never"}})
    started = run_module(BACKUP, server.options(["shop", "blog"], wait=False, release="r1"))
    assert [record["state"] for record in started.result["syncs"]] == ["running", "running"]
    assert run_module(BACKUP, server.options("blog", release="r1"), check=True).only["action"] == "would_join"
    handles = [started.result["syncs"][0]["handle"]]
    options = {"handles": handles, "connections": {"serveravatar_backup": server.login}, "poll_min_interval": 0.1}
    waited = run_module("sync_wait", options)
    assert (waited.failed, waited.only["provider"], waited.only["state"]) == (False, "serveravatar_backup", "succeeded")
    assert [waited.only["detail"]["backup"]["id"]] == server.backups(88)
    assert run_module(BACKUP, server.options(release="r1")).only["action"] == "skipped"
    assert len(server.sent) == 2


def test_its_id_is_what_a_restore_needs(server: Server, run_module: RunModule) -> None:
    number = run_module(BACKUP, server.options()).only["detail"]["backup"]["id"]
    url = f"{server.url}/organizations/5/backups/{number}/restore"
    assert requests.get(url, headers={"Authorization": server.token}, timeout=10).ok
