# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the play shows, and all systems in one promotion."""

from __future__ import annotations

from pathlib import Path

import pytest

from .playbook import BLOG, SHOP, Playbook, Server, shown


def test_what_is_not_done_is_skipped(server: Server, playbook: Playbook) -> None:
    unknown = server.target()
    unknown["options"]["application"] = "shopp"
    played = playbook(targets=[unknown])
    assert (played.code, played.verdict) == (2, "refused"), played.output
    assert shown(played.output, "Inspect targets") == ["ok"]
    assert shown(played.output, "Evaluate preflight checks") == ["ok"]
    for task in ("Check the change windows", "Ask for approval", "Take the locks, or resume what was interrupted"):
        assert shown(played.output, task) == ["skipping"]
    assert shown(played.output, "Sync and wait") == []
    assert shown(played.output, "Write the report") == ["ok"]


def test_the_reason_of_an_item_that_failed_is_in_the_report(server: Server, playbook: Playbook, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    place = str(tmp_path / "file" / "ledger.sqlite3")
    played = playbook(targets=[server.target(), server.target(BLOG)], ledger_path=place)
    assert (played.code, played.verdict) == (2, "failed"), played.output
    assert f"Inspect targets: {SHOP}: " in played.report["message"]
    assert f"staging_promotion_ledger: '{place}'" in played.report["message"]
    assert "One or more items failed" not in played.files


@pytest.mark.long
def test_all_systems_in_the_order_of_the_list(server: Server, playbook: Playbook) -> None:
    crafter, plm = server.simulator["crafter"], server.simulator["plm"]
    login = {"api_url": crafter["url"], "api_token": crafter["api_token"], "site": crafter["site"]}
    quick = {"poll_min_interval": 0.1, "poll_max_interval": 0.3}
    items = ["/site/website/index.xml"]
    targets = [
        {"name": "media", "provider": "plm", "options": {"api_url": plm["url"], **quick}},
        server.target(),
        {"name": "items", "provider": "crafter_publish", "options": {**login, **quick, "target": "live", "items": items}},
        {"name": "branch", "provider": "crafter", "options": {**login, **quick}},
    ]
    first = playbook(targets=targets)
    assert (first.code, first.verdict) == (0, "succeeded"), first.output
    assert [(target["name"], target["verdict"], target["changed"]) for target in first.report["targets"]] == [
        ("media", "succeeded", True),
        (str(SHOP), "succeeded", True),
        ("items", "succeeded", True),
        ("branch", "succeeded", True),
    ]
    sent = server.sent()
    assert [entry.split()[0] for entry in sent] == ["plm", "serveravatar", "serveravatar", "crafter", "crafter"], sent
    second = playbook(targets=targets)
    assert (second.code, second.verdict, second.report["changed"]) == (0, "succeeded", False), second.output
    assert server.sent() == sent
