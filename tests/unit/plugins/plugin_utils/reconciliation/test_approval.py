# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which plans of a reconciliation need an approval, and what is passed on for it."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._dns.guard import SHORT_DIGEST
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.evidence import DriftEvaluator
from ansible_collections.lockstep.sync.plugins.plugin_utils._actions.role_variables import RoleVariables
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.compare import compare
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.fact import MAX_DIGESTS, MAX_FACT, report_fact
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.find_zones import begin
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.settings import read
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.state import ReconciliationState
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.sync import sync, verify
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.zone_pass import zone_groups

from .test_fact import report, size
from .test_phases import World, settings, started

ZONES = ("a.", "b.", "c.")


def test_where_only_approved_plans_count_all_zones_need_one() -> None:
    backend = {"server": "ns1"}
    given = settings(backend=backend, approve={"b.": "1"}, only_approved="yes")
    # apart from each other, so that no zone is compared with the digest of another one
    groups = zone_groups(given, ZONES)
    assert [(group.zones, group.digests, group.reviewed) for group in groups] == [
        (("a.", "c."), (), True),
        (("b.",), ("1",), True),
    ]
    # what is left after the syncs needs none
    (group,) = zone_groups(given, ZONES, approval=False)
    assert (group.digests, group.reviewed) == ((), False)


@pytest.mark.parametrize("approve", [{}, {"b.": "1"}])
def test_every_task_that_may_sync_says_so(approve: dict[str, str]) -> None:
    world, given = World(), settings(backend={"server": "ns1"}, approve=approve, only_approved=True)
    planned = compare(started(*ZONES), given, world)
    synced = sync(planned.state, given, world)
    verify(synced.state, given, world)
    asked = [(task["approve"], task["only_approved"], check) for task, check in world.tasks]
    digests: list[list[str]] = [[], ["1"]] if approve else [[]]
    syncs = [(found, True, check) for check in (True, False) for found in digests]
    assert asked == [*syncs, ([], False, True)]


def test_without_it_zones_without_a_digest_need_no_review() -> None:
    groups = zone_groups(settings(approve={"b.": "1"}), ZONES)
    assert [(group.zones, group.digests, group.reviewed) for group in groups] == [
        (("a.", "c."), (), False),
        (("b.",), ("1",), True),
    ]


def test_the_module_takes_an_empty_list_but_nothing_less() -> None:
    options = {"backend": {"server": "127.0.0.1"}, "drift": "axfr", "guard": None, "only_approved": True, "request_timeout": 1.0}
    assert DriftEvaluator.from_options({**options, "approve": []}).approval.required
    for wrong in ({**options, "approve": None}, {**options, "approve": [], "drift": "none"}):
        with pytest.raises(SyncError, match="only_approved"):
            DriftEvaluator.from_options(wrong)


def test_many_digests_are_shortened_and_very_many_left_out() -> None:
    whole = report(800, records=1)
    assert size(whole["digests"]) > MAX_DIGESTS * 0.7
    for zones, length in ((20, 32), (1200, SHORT_DIGEST)):
        found = report(zones, records=1)
        fact = report_fact(found)
        assert size(fact) <= MAX_FACT
        assert fact["digests"] == {zone: digest[:length] for zone, digest in found["digests"].items()}
        assert len(fact["digests"]) == zones
    fact = report_fact(report(3000, records=1))
    assert fact["digests"] == {}
    assert size(fact) <= MAX_FACT


def test_notifications_are_checked_first_and_wanted_whatever_else_is_wrong() -> None:
    hook = {"webhook": {"url": "https://hooks.example/x"}}
    given = {"notify": hook, "wait_timeout": "soon"}
    found = begin(RoleVariables(given, None), True, World()).state
    assert found.notify
    assert "wait_timeout" in found.error
    refused = begin(RoleVariables({"notify": {"webhook": {}}}, None), True, World())
    assert (refused.proceed, refused.state.notify) == (False, False)
    assert "dns_reconciliation_notify.webhook" in refused.state.error
    assert not begin(RoleVariables({}, None), True, World()).state.notify
    assert ReconciliationState.from_json(found.to_json()) == found
    assert read({}).only_approved is False
