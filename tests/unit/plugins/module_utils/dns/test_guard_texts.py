# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a refusal asks for, it asks for once."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._dns.guard import Approval, GuardPolicy, check
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.plan import guard_failure
from tests.unit.plugins.module_utils.dns.zones import plan, rr, soa, stored_soa, synced

#: deletes 18 of 20 record sets
PLAN = plan(
    [soa(2), rr("h0", "A", "192.0.2.1")],
    [stored_soa(1), *(synced(f"h{index}", "A", "192.0.2.1") for index in range(19))],
)


@pytest.mark.parametrize(
    ("policy", "approval"),
    [
        (GuardPolicy(), None),
        (GuardPolicy(max_deletes=1, protect=("*",)), None),
        (GuardPolicy(), Approval(("0123456789ab",))),
        (GuardPolicy(max_delete_percent=100), Approval(required=True)),
    ],
)
def test_a_refusal_asks_once_to_look_at_the_plan(policy: GuardPolicy, approval: Approval | None) -> None:
    violations = check(PLAN, policy, approval)
    assert violations
    text = guard_failure(violations).coded_text
    assert text.startswith("guard_refused: refused by guard: ")
    assert text.lower().count("look at the plan") == 1
