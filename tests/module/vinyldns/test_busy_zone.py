# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A zone that dynamic updates change all the time, so that no plan of it is the newest one (docs/reference/vinyldns.md#2.3).

Provider, lifecycle and HTTP client are those of the module, and both servers are real processes. Only the moment of the updates
is chosen: one comes right before the serial is read again, so that it has always moved.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._dns.transfer import Soa, read_soa
from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import run_sync, sync_spec
from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import Context
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns import evidence
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.provider import VinylDNS
from tests.unit.plugins.support.lab import validated

from .server import Server, drifted

#: plans that are made before the newest one is taken as it is
PLANS = 5


class Updates:
    """One dynamic update before each reading of the SOA.

    :param ruin: the number of the one that removes most of the zone.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self.ruin = 0
        self.count = 0

    def read_soa(self, *args: Any, **kwargs: Any) -> Soa:
        self.count += 1
        self.server.update_dns(replace=[[f"dyn{self.count}", 300, "A", f"192.0.2.{self.count}"]])
        if self.count == self.ruin:
            self.server.update_dns(delete=[[f"host{number:02d}", "A"] for number in range(5, 20)])
        return read_soa(*args, **kwargs)


@pytest.fixture
def updates(server: Server, monkeypatch: pytest.MonkeyPatch) -> Updates:
    drifted(server)
    made = Updates(server)
    monkeypatch.setattr(evidence, "read_soa", made.read_soa)
    return made


def sync(server: Server, folder: Path, **more: Any) -> dict[str, Any]:
    given = server.options(ledger=str(folder / "ledger.sqlite3"), max_parallel=1, **more)
    return run_sync(VinylDNS, validated(sync_spec(VinylDNS), given), Context(rng=random.Random(1), environ={}, given=given))


def test_it_is_synced_once_by_the_newest_plan(server: Server, updates: Updates, tmp_path: Path) -> None:
    result = sync(server, tmp_path)
    (record,) = result["syncs"]
    assert not result.get("failed") and (record["action"], record["state"]) == ("triggered", "succeeded")
    assert record["detail"]["serial_moved"] is True and server.posts() == server.accepted() == 1
    # the drift of the beginning, and the update before each of the plans but the first
    assert updates.count == PLANS and record["detail"]["drift"]["creates"] == 1 + PLANS - 1


def test_its_newest_plan_has_to_be_within_the_guards(server: Server, updates: Updates, tmp_path: Path) -> None:
    updates.ruin = PLANS - 1
    result = sync(server, tmp_path)
    (record,) = result["syncs"]
    assert result["failed"] and (record["action"], record["failure"]["code"]) == ("refused", "guard_refused")
    assert updates.count == PLANS - 1 and server.posts() == 0


def test_an_approval_is_for_one_plan_only(server: Server, updates: Updates, tmp_path: Path) -> None:
    result = sync(server, tmp_path, approve=["0" * 32], guard={"max_update_percent": 100, "max_delete_percent": 100})
    (record,) = result["syncs"]
    assert result["failed"] and (record["action"], record["failure"]["code"]) == ("refused", "busy")
    assert updates.count == PLANS and server.posts() == 0
