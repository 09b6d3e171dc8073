# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""serveravatar_staging_sync: which applications are synced, with which token, and what is refused before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..conftest import RunModule
from .server import PATH, SYNC, Server

# -- the main job ----------------------------------------------------------------------------------------------------


def test_check_mode_predicts_and_sends_no_mutating_get(server: Server, run_module: RunModule, ledger: Path) -> None:
    outcome = run_module(SYNC, server.options(), check=True, diff=True)
    record = outcome.only
    assert (outcome.failed, outcome.changed) == (False, True)
    assert (record["action"], record["changed_basis"], record["state"]) == ("would_trigger", "predicted", "not_started")
    assert record["detail"]["staging"]["application"] == "stagingareatest"
    assert server.sent == []
    assert {entry["method"] for entry in server.simulator.requests()} == {"GET"}
    assert not ledger.exists()


def test_the_first_run_overwrites_production_once_and_the_second_does_nothing(server: Server, run_module: RunModule) -> None:
    first = run_module(SYNC, server.options(release="2026.11"))
    record = first.only
    assert (first.failed, first.changed) == (False, True)
    assert [record[key] for key in ("target", "action", "state", "changed_basis")] == [
        "shop",
        "triggered",
        "succeeded",
        "observed",
    ]
    assert record["finished_at"] >= record["started_at"]
    assert record["detail"]["status"]["percent"] == 100
    assert record["failure"] is None
    assert server.sent == [PATH]
    truth = server.truth()
    assert (truth["production"], len(truth["overwritten"])) == ("release-2", 1)
    second = run_module(SYNC, server.options(release="2026.11"))
    assert (second.failed, second.changed, second.only["action"]) == (False, False, "skipped")
    assert second.only["changed_basis"] == "assumed"
    assert server.sent == [PATH]
    third = run_module(SYNC, server.options(release="2026.12"), check=True)
    assert third.only["action"] == "would_trigger"


def test_a_name_a_domain_and_an_id_are_one_target(server: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, server.options(["88", "shop", "SHOP.test"], release="r1"))
    assert [record["target"] for record in outcome.result["syncs"]] == ["shop"] * 3
    assert [record["action"] for record in outcome.result["syncs"]] == ["triggered", "skipped", "skipped"]
    by_name = {"organization": "Lockstep Demo", "server": "production"}
    by_address = {"organization": "Lockstep Demo", "server": "54.90.174.225", "auth_scheme": "bearer"}
    for place in (by_name, by_address):
        again = run_module(SYNC, server.options("shop", release="r1", **place))
        assert again.only["action"] == "skipped"
    assert server.sent == [PATH]


def test_requests_are_counted_exactly(server: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, server.options(["shop", "90", "nope"], organization="Lockstep Demo", server="production"))
    seen = len(server.simulator.requests())
    assert outcome.result["summary"]["requests"] == sum(record["requests"] for record in outcome.result["syncs"]) == seen


def test_max_age_goes_by_the_ledger(server: Server, run_module: RunModule) -> None:
    # the row says that something succeeded lately, which may have been the making of the staging area
    server.control("PUT", "/applications/88/row", {"updated_ago": 5})
    assert run_module(SYNC, server.options(max_age=3600)).only["action"] == "triggered"
    again = run_module(SYNC, server.options(max_age=3600))
    assert (again.only["action"], again.only["changed_basis"]) == ("skipped", "assumed")
    assert run_module(SYNC, server.options(max_age=3600, force=True), check=True).only["action"] == "would_trigger"
    assert run_module(SYNC, server.options(max_age=0), check=True).only["action"] == "would_trigger"
    assert server.accepted == 1


def test_many_applications_keep_their_order(server: Server, run_module: RunModule, tmp_path: Path) -> None:
    made = server.add(60)
    names = list(made.values())
    server.knob(applications={str(list(made)[7]): {"sync_answer": "disk_staging"}}, sync_seconds=0.05)
    report = tmp_path / "report.json"
    outcome = run_module(SYNC, server.options(names, max_parallel=16, report_path=str(report)))
    assert [record["target"] for record in outcome.result["syncs"]] == names
    assert [index for index, code in enumerate(outcome.codes) if code] == [7]
    assert outcome.codes[7] == "disk_full"
    assert (outcome.failed, outcome.changed) == (True, True)
    assert outcome.result["summary"]["succeeded"] == server.accepted == 59
    assert len(server.sent) == 60
    # the lists are asked for once, not once for each
    assert len(server.simulator.requests(path=r"/applications(\?|$)")) == 14
    assert len(json.loads(report.read_text())["syncs"]) == 60


@pytest.mark.parametrize(
    ("place", "applications", "words"),
    [
        ({"organization": "Unknown"}, ["shop"], ["option organization"]),
        ({"organization": "99"}, ["88"], ["Organization not found!"]),
        ({"server": "99"}, ["88"], ["Server not found!"]),
        ({"server": "16"}, ["88", "intranet", "report"], ["Application not found!", "'intranet'", "Did you mean reports"]),
    ],
)
def test_what_cannot_be_found(
    server: Server, run_module: RunModule, place: dict[str, str], applications: list[str], words: list[str]
) -> None:
    outcome = run_module(SYNC, server.options(applications, **place), check=True)
    assert outcome.failed
    assert outcome.codes == ["not_found"] * len(words)
    for record, word in zip(outcome.result["syncs"], words, strict=True):
        assert word in f"{record['failure']['message']} {record['failure']['hint']}"
    assert server.sent == []


# -- access ----------------------------------------------------------------------------------------------------------


def test_a_wrong_token_is_explained(server: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, server.options(["shop", "blog", "support"], api_token="wrong"))
    assert outcome.codes == ["auth_failed"] * 3
    assert "API access" in outcome.result["msg"]
    assert "auth_scheme" in outcome.result["msg"]
    assert server.sent == []


def test_the_token_may_come_from_the_environment(server: Server, run_module: RunModule) -> None:
    environment = {"SERVERAVATAR_API_TOKEN": server.token, "SERVERAVATAR_API_URL": server.url}
    options = {key: value for key, value in server.options().items() if key not in environment and not key.startswith("api_")}
    assert run_module(SYNC, options, check=True, env=environment).only["action"] == "would_trigger"


def test_the_token_is_nowhere_at_the_highest_verbosity(server: Server, environment: dict[str, str], tmp_path: Path) -> None:
    report, ledger = tmp_path / "report.json", Path(environment["LOCKSTEP_LEDGER"])
    options = server.options(["shop", "nope"], auth_scheme="bearer", release="r1", report_path=str(report))
    server.fault("drop_after")
    command = [Path(sys.executable).with_name("ansible"), "localhost", "-vvvv", "-m", f"lockstep.sync.{SYNC}"]
    done = subprocess.run(
        [*command, "-a", json.dumps(options)],
        env={**environment, "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=tmp_path,
    )
    assert '"action": "triggered"' in done.stdout, done.stdout + done.stderr
    left = "".join([done.stdout, done.stderr, report.read_text(), ledger.read_bytes().decode("latin-1")])
    assert server.token not in left
    assert "redis" not in left
    assert oct(report.stat().st_mode & 0o777) == oct(ledger.stat().st_mode & 0o777) == "0o600"
    assert server.accepted == 1


# -- pre-checks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("detail", "check"), [("false", True), ("nulls", False), ("not_found", False)])
def test_an_application_without_staging_area(server: Server, run_module: RunModule, detail: str, check: bool) -> None:
    server.knob(detail_without_staging=detail)
    outcome = run_module(SYNC, server.options("landing"), check=check)
    assert (outcome.failed, outcome.codes) == (True, ["staging_disabled"])
    assert "Create one" in outcome.result["msg"]
    assert server.sent == []


def test_without_the_check_the_server_decides(server: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, server.options(["landing", "shop"], require_staging=False))
    assert outcome.codes == ["permission_denied", None]
    assert [record["action"] for record in outcome.result["syncs"]] == ["refused", "triggered"]
    assert len(server.sent) == 2
    assert server.accepted == 1


def test_a_disconnected_server_is_not_triggered(server: Server, run_module: RunModule) -> None:
    server.knob(disconnected_servers=[15])
    for place in ({}, {"server": "production"}):
        outcome = run_module(SYNC, server.options(**place), check=True)
        assert outcome.codes == ["connection_failed"]
        assert "agent" in outcome.result["msg"]
    assert server.sent == []


# -- the module as Ansible sees it -----------------------------------------------------------------------------------


def test_the_alias_and_the_group_defaults(server: Server, environment: dict[str, str], tmp_path: Path) -> None:
    play = f"""
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/lockstep.sync.serveravatar: {json.dumps(server.place)}
  tasks:
    - lockstep.sync.serveravatar_staging_sync:
        application: shop
        poll_min_interval: 0.1
      register: result
    - lockstep.sync.serveravatar_staging_info:
        application: shop
      register: info
    - ansible.builtin.assert:
        that:
          - result is changed
          - result.syncs[0].state == 'succeeded'
          - info.applications[0].id == 88
"""
    (tmp_path / "play.yml").write_text(play)
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "play.yml"],
        env={**environment, "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"), "TERM": "dumb"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=tmp_path,
    )
    assert done.returncode == os.EX_OK, done.stdout + done.stderr
    assert server.sent == [PATH]
