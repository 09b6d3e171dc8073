# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones that are updated all the time."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._dns.drift import DriftBuilder
from ansible_collections.lockstep.sync.plugins.module_utils._dns.wire import ResourceRecord
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.evidence import DriftEvaluator, ZoneEvidence

SERVER = {"server": "192.0.2.53"}


def planned() -> ZoneEvidence:
    builder = DriftBuilder("example.com.")
    builder.add_backend([ResourceRecord(b"\7example\3com\0", 300, 6, bytes(22))])
    return ZoneEvidence(builder.finish(), 0)


@pytest.mark.parametrize(
    ("evidence", "options", "accepted"),
    [
        (planned(), {}, True),
        # an approval is for one plan only
        (planned(), {"approve": ["0" * 64]}, False),
        # a serial says nothing about the extent of a sync
        (ZoneEvidence(None, 7), {"drift": "serial"}, False),
        (None, {}, False),
    ],
)
def test_a_zone_that_never_rests_is_synced_by_a_plan_within_the_guards_only(
    evidence: ZoneEvidence | None, options: dict[str, Any], accepted: bool
) -> None:
    evaluator = DriftEvaluator.from_options({"backend": SERVER, "request_timeout": 10.0, **options})
    assert evaluator.accepts_moving(evidence) is accepted
