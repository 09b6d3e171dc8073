# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A ledger that the syncs could not use is known in check mode, and nothing is sent without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.postgresql import unused_port

from ..conftest import RunModule
from .playbook import PREFIX, Playbook, Server

ZONE = "no-ledger.example."


@pytest.fixture(
    params=[
        "a database out of reach",
        "a folder that cannot be made",
        pytest.param("a file that is no database", marks=pytest.mark.long),
    ]
)
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    file = tmp_path / "diary"
    file.write_text("# my diary\n" * 100)
    return {
        "a database out of reach": f"postgresql://ops@127.0.0.1:{unused_port()}/ledger?connect_timeout=2",
        "a file that is no database": str(file),
        "a folder that cannot be made": str(file / "lockstep" / "ledger.sqlite3"),
    }[request.param]


def test_check_mode_of_the_role_predicts_it(server: Server, playbook: Playbook, location: str) -> None:
    """Exactly as the run, in which the zone would be synced."""
    server.add(ZONE)
    server.drift(ZONE)
    checked, ran = playbook("--check", zones=[ZONE], ledger=location), playbook(zones=[ZONE], ledger=location)
    for played in (checked, ran):
        assert (played.code != 0, played.verdict, played.changed) == (True, "failed", 0), played.output
        assert f"option {PREFIX}ledger: '{location}' cannot be used as the ledger: " in played.report["message"]
    assert server.sent() == 0


def test_check_mode_of_the_module_predicts_it(server: Server, run_module: RunModule, location: str) -> None:
    server.add(ZONE)
    options = {**server.login, "backend": server.backend, "zones": [ZONE], "ledger": location}
    checked = run_module("vinyldns_zone_sync", options, check=True)
    ran = run_module("vinyldns_zone_sync", options)
    for outcome in (checked, ran):
        assert (outcome.failed, outcome.changed, outcome.result["summary"]["requests"]) == (True, False, 0)
        assert outcome.result["msg"].startswith(f"option ledger: '{location}' cannot be used as the ledger: ")
    assert checked.result["failure"]["code"] == ran.result["failure"]["code"]
