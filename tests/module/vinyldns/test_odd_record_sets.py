# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record sets that VinylDNS stores in another form than DNS has them (docs/reference/vinyldns.md#2.5)."""

from __future__ import annotations

import pytest

from ..conftest import RunModule
from .server import RECORDS, ZONE, Server, await_the_next_second, simulator_age


@pytest.mark.parametrize("rtype", ["TXT", "SPF"])
def test_text_with_a_backslash_at_the_end_of_a_piece_is_in_sync_after_its_sync(
    rtype: str, server: Server, run_module: RunModule
) -> None:
    # escaped, the backslash is the octets 255 and 256 of the text, which is split between them
    text = f'"{"x" * 254}\\\\" "rest of the text"'
    server.add(vinyldns=RECORDS, dns=[*RECORDS, f"long 300 {rtype} {text}"])
    first = run_module("vinyldns_zone_sync", server.options())
    # the SOA, too
    assert first.only["detail"]["effect"] == {"creates": 1, "updates": 1, "deletes": 0, "complete": True}
    assert first.only["detail"]["fidelity"] == "exact" and first.warnings == "[]" and server.posts() == 1
    second = run_module("vinyldns_zone_sync", server.options())
    assert second.only["action"] == "skipped" and not second.changed and server.posts() == 1
    # the server sees no difference either
    simulator_age(server, 3600)
    await_the_next_second(server)
    forced = run_module("vinyldns_zone_sync", server.options(force=True))
    assert forced.only["detail"]["effect"] == {"creates": 0, "updates": 0, "deletes": 0, "complete": True}
    assert forced.only["detail"]["fidelity"] == "exact" and not forced.changed


def test_ipv4_mapped_address_is_in_sync_after_its_sync(server: Server, run_module: RunModule) -> None:
    # stored as 192.0.2.9
    server.add(vinyldns=RECORDS, dns=[*RECORDS, "mapped 300 AAAA ::ffff:192.0.2.9"])
    first = run_module("vinyldns_zone_sync", server.options())
    assert first.only["detail"]["fidelity"] == "exact" and first.only["detail"]["effect"]["creates"] == 1
    second = run_module("vinyldns_zone_sync", server.options())
    assert second.only["action"] == "skipped" and not second.changed and server.posts() == 1


def test_name_that_cannot_be_represented_names_the_option_for_it(server: Server, run_module: RunModule) -> None:
    """The host ``shop.example.shop.example.`` becomes a part of the apex at every sync."""
    server.add(vinyldns=RECORDS, dns=[*RECORDS, "shop.example 300 A 192.0.2.99"])
    outcome = run_module("vinyldns_zone_sync", server.options())
    assert outcome.only["action"] == "triggered" and outcome.only["state"] == "succeeded"
    assert f"{ZONE}/A" in outcome.warnings and "guard.ignore" in outcome.warnings
    again = run_module("vinyldns_zone_sync", server.options(), check=True)
    assert again.only["action"] == "would_trigger" and "guard.ignore" in again.warnings
    ignored = run_module("vinyldns_zone_sync", server.options(guard={"ignore": ["@/A"]}))
    assert ignored.only["action"] == "skipped" and ignored.warnings == "[]" and server.posts() == 1
