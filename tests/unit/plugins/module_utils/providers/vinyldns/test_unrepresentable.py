# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that VinylDNS cannot represent (docs/reference/vinyldns.md#2.5)."""

from __future__ import annotations

from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.evidence import _warnings
from tests.unit.plugins.module_utils.dns.zones import drift_of, plan, rr, soa, stored_soa, synced


def test_a_name_that_becomes_another_one_is_named_with_the_remedy() -> None:
    # in the zone ok., the host ok.ok. becomes a part of the apex
    drift = plan([soa(zone="ok."), rr("ok", "A", "192.0.2.1", zone="ok.")], [stored_soa(zone="ok.")], "ok.")
    (warning,) = _warnings(drift)
    assert "ok./A" in warning and "guard.ignore" in warning and "does not remove this drift" in warning


def test_what_is_ignored_or_ordinary_is_no_warning() -> None:
    drift = plan([soa(zone="ok."), rr("ok", "A", "192.0.2.1", zone="ok.")], [stored_soa(zone="ok.")], "ok.")
    assert _warnings(drift.ignoring(lambda change: change.type == "A")) == ()
    assert _warnings(drift_of([rr("www", "A", "192.0.2.1")], [synced("old", "A", "192.0.2.2")])) == ()
