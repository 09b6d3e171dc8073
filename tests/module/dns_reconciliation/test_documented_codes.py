# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What leads from a failure that the role shows to the documentation of its code, and variables that are misspelt."""

from __future__ import annotations

import pytest

from .playbook import Playbook, Server

ERRORS = "https://github.com/lockstep-ansible/lockstep.sync/blob/main/docs/errors.md"


def test_the_last_task_shows_where_each_code_is_documented(server: Server, playbook: Playbook) -> None:
    server.add("there.help.example.")
    played = playbook("--check", zones=["there.help.example.", "missing.help.example."])

    assert played.verdicts == {"there.help.example.": "in_sync", "missing.help.example.": "failed"}, played.output
    assert f"    see:\n    - {ERRORS}#not_found\n" in played.output
    assert played.output.count(ERRORS) == 1
    assert played.report["error_code"] is None


def test_a_run_without_a_failure_shows_no_address(server: Server, playbook: Playbook) -> None:
    server.add("well.help.example.")
    played = playbook("--check", zones=["well.help.example."])

    assert played.code == 0
    assert "see:" not in played.output


@pytest.mark.parametrize(
    ("misspelt", "meant"), [({"guards": {"max_deletes": 0}}, "Did you mean dns_reconciliation_guard?"), ({"x": 1}, "README")]
)
def test_a_variable_that_would_be_ignored_is_refused(
    misspelt: dict[str, object], meant: str, server: Server, playbook: Playbook
) -> None:
    server.add("guarded.help.example.")
    server.drift("guarded.help.example.")
    played = playbook(zones=["guarded.help.example."], **misspelt)

    (name,) = misspelt
    assert (played.code, played.verdict, played.report["zones"]) == (2, "failed", []), played.output
    assert f"dns_reconciliation_{name} is no variable of the role. " in played.report["error"]
    assert meant in played.report["error"]
    assert played.report["error_code"] == "invalid_option"
    assert f"- {ERRORS}#invalid_option" in played.output
    assert (server.simulator.requests(part="vinyldns"), server.synced()) == ([], [])


def test_missing_credentials_have_a_code(server: Server, playbook: Playbook) -> None:
    played = playbook("--check", zones=["a.example."], api_url=None)

    assert "dns_reconciliation_api_url (or the environment variable VINYLDNS_API_URL" in played.report["error"]
    assert played.report["error_code"] == "invalid_option"
