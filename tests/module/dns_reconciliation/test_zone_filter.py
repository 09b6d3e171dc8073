# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which zones a filter selects for syncing: its characters mean themselves, though the server takes some as wildcards."""

from __future__ import annotations

import pytest

from .playbook import Playbook, Server


@pytest.mark.parametrize(("zone_filter", "zone"), [("_tcp", "_tcp.filter.example."), ("a%c", "a%c.filter.example.")])
def test_only_zones_that_the_filter_names_are_synced(zone_filter: str, zone: str, server: Server, playbook: Playbook) -> None:
    names = ("_tcp.filter.example.", "atcp.filter.example.", "a%c.filter.example.", "abc.filter.example.")
    server.add(*names)
    for name in names:
        server.drift(name)
    played = playbook(zone_filter=zone_filter)
    assert (played.code, played.verdicts) == (0, {zone: "reconciled"}), played.output
    assert server.synced() == [zone] and server.sent() == 1
