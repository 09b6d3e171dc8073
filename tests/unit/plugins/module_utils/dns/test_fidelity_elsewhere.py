# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What another sync did explains that a sync did not do what was planned, if it is just that."""

from __future__ import annotations

from ansible_collections.lockstep.sync.plugins.module_utils._dns.drift import Drift
from ansible_collections.lockstep.sync.plugins.module_utils._dns.fidelity import fidelity, unseen
from tests.unit.plugins.module_utils.dns.zones import drift_of, rr


def create(address: str, *names: str) -> Drift:
    return drift_of([rr(name, "A", address) for name in names], [])


PLAN = create("192.0.2.1", "a", "b")


def test_what_another_sync_did_is_no_difference() -> None:
    assert fidelity(PLAN, [], elsewhere=PLAN.changes) == ("other_sync", [])


def test_each_of_two_syncs_may_have_done_a_part() -> None:
    first, second = PLAN.changes
    assert fidelity(PLAN, [first], elsewhere=[second]) == ("other_sync", [])
    assert list(unseen(PLAN, [first])) == [second]


def test_what_neither_did_is_a_difference() -> None:
    first, _second = PLAN.changes
    verdict, (difference,) = fidelity(PLAN, [], elsewhere=[first])
    assert verdict == "differs" and difference.startswith("b/A: ") and difference.endswith("the server recorded no change")


def test_another_change_of_the_same_record_set_explains_nothing() -> None:
    others = create("192.0.2.2", "a", "b").changes
    verdict, differences = fidelity(PLAN, [], elsewhere=others)
    assert verdict == "differs" and len(differences) == 2


def test_what_was_not_planned_stays_a_difference() -> None:
    verdict, (difference,) = fidelity(PLAN, create("192.0.2.3", "c").changes, elsewhere=PLAN.changes)
    assert verdict == "differs" and difference.startswith("c/A: create 300 192.0.2.3, which was not planned")


def test_nothing_follows_from_rows_that_were_not_seen() -> None:
    assert fidelity(PLAN, [], complete=False, elsewhere=PLAN.changes) == ("incomplete", [])
