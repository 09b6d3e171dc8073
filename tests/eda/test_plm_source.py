# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source plm_sync in ansible-rulebook, with the rules that the documentation shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.module.plm.server import COLLECTION, Server
from tests.simulator.client import Simulator, wait_until

from .conftest import Run
from .rulebook import ROOT


@pytest.fixture(scope="module")
def plm_simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["plm"]) as running:
        yield running


@pytest.fixture
def media(plm_simulator: Simulator) -> Server:
    plm_simulator.reset()
    return Server(plm_simulator)


def documented_rulebook(title: str, folder: Path) -> str:
    """The path of a file with the rulebook that docs/event-driven.md shows."""
    text = (ROOT / "docs" / "event-driven.md").read_text()
    (found,) = re.findall(rf"```yaml\n(- name: {re.escape(title)}\n.*?)```", text, re.DOTALL)
    path = folder / "documented.yml"
    path.write_text(found)
    return str(path)


def start_a_sync(media: Server) -> str:
    session = requests.Session()
    session.trust_env = False
    address = media.url.partition("/api/")[0] + COLLECTION
    answer = session.post(address, timeout=60)
    return str(answer.json()["synchronizer"]["id"])


def test_syncs_are_events_and_a_lost_connection_is_made_again(media: Server, rulebook: Run, tmp_path: Path) -> None:
    name = documented_rulebook("Watch a media server", tmp_path)
    variables = {"lockstep_plm_notifications": media.notifications_url, "lockstep_plm_api": media.url}
    with rulebook(name, variables) as rules:
        wait_until(lambda: media.control("GET", "/notifications")["listeners"] == [["/storage/synchronizers"]])
        good = start_a_sync(media)
        rules.until(f"{good} has ended: succeeded")
        assert rules.runs == 0

        # its end says "completed", as always; the halves do not
        media.knob(push_outcome="error")
        bad = start_a_sync(media)
        rules.until(f"{bad} has ended: failed")
        rules.until("push is error, pull is completed")
        assert rules.runs == 1

        media.knob(push_outcome="completed", restart_seconds=0.2)
        media.control("POST", "/restart")
        rules.until("no notifications from")
        wait_until(lambda: media.control("GET", "/notifications")["listeners"] == [["/storage/synchronizers"]])
        again = start_a_sync(media)
        rules.until(f"{again} has ended: succeeded")
        assert rules.runs == 1
        # watching starts nothing
        assert media.accepted() == 3
